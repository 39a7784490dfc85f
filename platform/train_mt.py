"""One configuration without a search: scores before and after, beside the target and the retrained model.

    python platform/train_mt.py --benchmark muse-mini --set lr=0.1 --set alpha=0.3

Runs from a checkout, installed or not: the checkout's own code comes first.
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from lethe_cli.main import run_command  # noqa: E402
from lethe_cli.train import train  # noqa: E402

if __name__ == "__main__":
    run_command(train)
