"""The search job: search mean-teacher unlearning on Ray, and print the front.

    python platform/tune_mt.py --benchmark muse-mini --trials 20
    ray job submit --address http://127.0.0.1:8265 --working-dir . -- python platform/tune_mt.py --benchmark muse-mini

Runs from a checkout, installed or not: the checkout's own code comes first.
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from lethe_cli.main import run_command  # noqa: E402
from lethe_cli.tune import tune  # noqa: E402

if __name__ == "__main__":
    run_command(tune)
