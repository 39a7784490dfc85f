"""The ablation job: run every arm of a design with the same seeds on Ray, and say what each part contributes.

    python platform/ablate_mt.py --benchmark muse-mini --design loco --seeds 5
    ray job submit --address http://127.0.0.1:8265 --working-dir . -- python platform/ablate_mt.py --design loco

Runs from a checkout, installed or not: the checkout's own code comes first.
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from lethe_cli.ablate import ablate  # noqa: E402
from lethe_cli.main import run_command  # noqa: E402

if __name__ == "__main__":
    run_command(ablate)
