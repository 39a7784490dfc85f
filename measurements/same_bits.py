"""Whether two checkouts give the same: weights to the bit, scores to the digit, a seeded search, an ablation's effects.

    python -m measurements.same_bits OTHER_CHECKOUT       # a quarter of an hour; both in this environment

Both run the same commands on the same tiny benchmark, and on muse-mini as this checkout makes it. What is compared is
what they write, so the two may differ in everything but the command line and the store.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import optuna

ROOT = Path(__file__).resolve().parents[1]
RUNS = {
    "defaults": [],
    "qkl, npo": ["forget_loss=npo_sequence_sum", "penalty=qkl"],
    "adamw, gdr": ["optimizer=adamw", "lr=0.001", "penalty=gdr", "sampling=cyclic", "freeze=false"],
    "warm start": ["warm_start=2", "beta=0.5"],
    "bf16, checkpointing": ["precision=bf16", "checkpointing=true", "micro_batch_size=3"],
}


def lethe(checkout: Path, *flags: str) -> dict[str, Any]:
    """What a command of a checkout prints as JSON; `--json` is added."""
    paths = os.pathsep.join(map(str, (checkout, checkout / "platform")))
    code = "from lethe_cli.main import main; main()"
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *flags, "--json"],
        env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode:
        raise SystemExit(f"{checkout}: {' '.join(flags)}: {told.stderr[-2000:]}")
    return json.loads(told.stdout)


def trained(checkout: Path, where: list[str], out: Path, settings: list[str]) -> dict[str, Any]:
    """A run: the hash of all weights of each candidate, and its scores."""
    flags = [part for setting in settings for part in ("--set", setting)]
    told = lethe(checkout, "train", *where, *flags, "--out", str(out))
    older = "checkpoints" in told  # a checkout of before candidates were called so
    return {
        f"{candidate['role']} {candidate['step' if older else 'at']}": [
            hashlib.sha256((Path(candidate["weights"]) / "model.safetensors").read_bytes()).hexdigest()[:16],
            candidate["scores"],
        ]
        for candidate in told["checkpoints" if older else "candidates"]
    }


def searched(checkout: Path, where: list[str], home: Path, sampler: str) -> list[Any]:
    """A seeded search: what was suggested, and what came of it."""
    flags = ["--sampler", sampler, "--seed", "5", "--trials", "8", "--concurrent", "1", "--name", "search"]
    lethe(checkout, "tune", *where, *flags, "--set", "steps=2", "--set", "eval_every=2", "--storage-path", str(home))
    study = optuna.load_study(study_name="search", storage=f"sqlite:///{home}/studies.db")
    return [[trial.params, trial.values] for trial in study.trials]


def ablated(checkout: Path, where: list[str], home: Path) -> Any:
    """An ablation: its effects."""
    flags = ["--switch", "damping", "--switch", "penalty=kl,none", "--seeds", "2", "--name", "ablation"]
    told = lethe(
        checkout, "ablate", *where, *flags, "--set", "steps=2", "--set", "eval_every=2", "--storage-path", str(home)
    )
    return told["effects"]


def everything(checkout: Path, tiny: list[str], mini: list[str], home: Path) -> dict[str, Any]:
    """All that is compared, by what it is of."""
    small = ["steps=6", "eval_every=3", "batch_size=4", "lr=0.05"]
    found: dict[str, Any] = {
        f"tiny, {name}": trained(checkout, tiny, home / name, [*small, *own]) for name, own in RUNS.items()
    }
    found["muse-mini"] = trained(checkout, mini, home / "mini", ["steps=4", "eval_every=4"])
    found |= {f"search, {name}": searched(checkout, tiny, home / name, name) for name in ("tpe", "nsga2", "random")}
    return found | {"ablation": ablated(checkout, tiny, home / "ablation")}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path)
    sys.path[:0] = [str(ROOT / "tests" / "helpers")]
    from searching import make_tiny

    from trainables.task import Task, locate

    other = parser.parse_args().other.resolve()
    with tempfile.TemporaryDirectory(prefix="same-") as folder:
        here = Path(folder)
        (here / "tiny").mkdir()
        places = make_tiny(here / "tiny").places()
        tiny = [part for name in ("benchmark", "model", "retrained") for part in (f"--{name}", places[name])]
        made = locate(Task(benchmark="muse-mini"))
        mini = ["--benchmark", made.data, "--model", made.target, "--retrained", str(made.retrained)]
        ours, theirs = (everything(code, tiny, mini, here / name) for code, name in ((ROOT, "ours"), (other, "theirs")))
        differ = [name for name in ours if ours[name] != theirs[name]]
        for name in ours:
            print(f"{name}: {'DIFFERS' if name in differ else 'the same'}")
        sys.exit(bool(differ))
