"""The arena job: search every method with the same budget and seeds on Ray, and say which is better than which.

    python platform/arena.py --benchmark muse-mini --methods all --trials 6 --seeds 3
    ray job submit --address http://127.0.0.1:8265 --working-dir . -- python platform/arena.py --methods all

Runs from a checkout, installed or not: the checkout's own code comes first.
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from lethe_cli.arena import arena  # noqa: E402
from lethe_cli.main import run_command  # noqa: E402

if __name__ == "__main__":
    run_command(arena)
