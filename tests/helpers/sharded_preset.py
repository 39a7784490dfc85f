"""muse-news' preset on a tiny model, on one of several workers."""

from typing import Any

from live_bytes import size
from tiny import tiny_model

from search_spaces.presets import PRESET_SETTINGS
from trainables.method import Evaluated, Step
from trainables.methods import unlearn
from trainables.methods.mean_teacher import MeanTeacher
from trainables.training.parallel import local
from trainables.world import World

SMALL = {"steps": 3, "eval_every": 2, "max_length": 32}  # what a run holds is seen where it can go on
CONFIG = MeanTeacher(**(PRESET_SETTINGS["muse-news"] | SMALL))
ODD = {"intermediate_size": 65}  # rows that two workers cannot halve


def held_and_seen(world: World) -> dict[str, Any]:
    """What this worker holds, in bytes, after a run, and the losses that it saw."""
    sequences = [[3 + (i * j) % 200 for j in range(32)] for i in range(1, 9)]
    losses = []
    for record in unlearn(tiny_model(**ODD), sequences, sequences, CONFIG, pad=2, world=world):
        if isinstance(record, Step):
            losses.append(record.values["forget_loss"])
        elif isinstance(record, Evaluated) and record.state is not None:
            run = record.state
            moments = [t for state in run.optimizer.state.values() for t in state.values() if t is not None]
            held = {
                "weights": size(local(list(run.models["student"].parameters()))),
                "teacher": size(local(list(run.models["teacher"].parameters()))),
                "optimizer state": size(local(moments)),
            }
    return {"rank": world.rank, "size": world.size, "held": held, "losses": losses}
