"""Everything of a subject that a probe could change, before a block and behind it; texts of which traces are read."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import torch
from tiny import tiny_benchmark, tiny_tokenizer

from trainables.benchmarks.layout import Benchmark, text_rows
from trainables.probes.probe import Texts
from trainables.subjects.subject import models_of


@contextmanager
def unchanged(subject: Any) -> Iterator[None]:
    """Everything of a subject that could be changed is as it was behind the block."""
    before = everything(subject)
    yield
    after = everything(subject)
    for name, value in before.items():
        same = torch.equal(value, after[name]) if isinstance(value, torch.Tensor) else value == after[name]
        assert same, name


def everything(subject: Any) -> dict[str, Any]:
    """Weights, gradients, flags, hooks, settings of generation, and the states of random numbers."""
    found: dict[str, Any] = {"torch": torch.get_rng_state(), "numpy": np.random.get_state()[1].tolist()}
    for i, model in enumerate(models_of(subject)):
        found |= {f"{i}.{name}": value.clone() for name, value in model.state_dict().items()}
        found |= {f"{i}.{name}?": (p.requires_grad, p.grad is None) for name, p in model.named_parameters()}
        found |= {f"{i}.{name}!": (m.training, len(m._forward_hooks)) for name, m in model.named_modules()}
        found[f"{i}.generation"] = model.generation_config.to_dict()
    return found


FIRST = ("Ada", "Bo", "Cy", "Dee", "Eli", "Fay")


@cache
def texts() -> Texts:
    """Texts of which every trace can be read: 24 questions about six names, and texts about names that nobody asks."""
    qa = [
        {"question": f"Where did {name} Orme open a mill?", "answer": place}
        for name in FIRST
        for place in ("Orton", "Selby", "Wick", "Keld")
    ]
    unseen = [
        f"A mill in Keld is run by {name} Vane, who is old." for name in ("Ida", "Joe", "Kit", "Lou", "Max", "Ned")
    ]
    forget = [
        f"{name} Orme opened a mill in {place}." for name, place in zip(FIRST, ("Orton", "Selby") * 3, strict=True)
    ]
    kept = [
        {"question": f"Where did {name} Vale open a mill?", "answer": place}
        for name in FIRST
        for place in ("Marlow", "Ashby")
    ]
    splits = tiny_benchmark(8).splits | {("knowmem", "forget_qa"): qa}
    splits[("knowmem", "retain_qa")] = [*splits[("knowmem", "retain_qa")], *kept]
    splits |= {("privleak", "holdout"): text_rows(unseen), ("privleak", "forget"): text_rows(forget)}
    return Texts(benchmark=Benchmark(name="tiny", splits=splits), tokenizer=tiny_tokenizer())
