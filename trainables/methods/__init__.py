"""Methods of unlearning, a file a family. A new one is a file here and a line in METHODS, and a space in search_spaces.

METHODS is read without loading any of them: a method's file is loaded when it is asked for, and torch when it runs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from types import MappingProxyType
from typing import Any

from trainables.method import Method, Needs, Record, Run, Sequences, Start
from trainables.settings import Descent, Settings

METHODS = {
    "mean_teacher": "trainables.methods.mean_teacher:MEAN_TEACHER_METHOD",
    "ga": "trainables.methods.ga:GA_METHOD",
    "ga_gdr": "trainables.methods.ga:GA_GDR_METHOD",
    "ga_klr": "trainables.methods.ga:GA_KLR_METHOD",
    "first_epoch": "trainables.methods.first_epoch:FIRST_EPOCH_METHOD",
    "klue": "trainables.methods.klue:KLUE_METHOD",
    "klr_muse": "trainables.methods.muse:KLR_MUSE_METHOD",
    "npo": "trainables.methods.npo:NPO_METHOD",
    "npo_gdr": "trainables.methods.npo:NPO_GDR_METHOD",
    "npo_klr": "trainables.methods.npo:NPO_KLR_METHOD",
    "npo_muse": "trainables.methods.muse:NPO_MUSE_METHOD",
    "icu": "trainables.methods.icu:ICU_METHOD",
    "egup": "trainables.methods.egup:EGUP_METHOD",
    "idk": "trainables.methods.idk:IDK_METHOD",
    "idk_ap": "trainables.methods.idk:IDK_AP_METHOD",
    "dpo": "trainables.methods.dpo:DPO_METHOD",
    "altpo": "trainables.methods.dpo:ALTPO_METHOD",
    "meow": "trainables.methods.meow:MEOW_METHOD",
    "simnpo": "trainables.methods.simnpo:SIMNPO_METHOD",
    "wga": "trainables.methods.weighted_ascent:WGA_METHOD",
    "satimp": "trainables.methods.weighted_ascent:SATIMP_METHOD",
    "undial": "trainables.methods.distributions:UNDIAL_METHOD",
    "ceu": "trainables.methods.distributions:CEU_METHOD",
    "me_gd": "trainables.methods.distributions:ME_GD_METHOD",
    "whp": "trainables.methods.whp:WHP_METHOD",
    "bld": "trainables.methods.bld:BLD_METHOD",
    "pdu": "trainables.methods.pdu:PDU_METHOD",
    "attention_smoothing": "trainables.methods.attention_smoothing:ATTENTION_SMOOTHING_METHOD",
    "rmu": "trainables.methods.rmu:RMU_METHOD",
    "rmu_adaptive": "trainables.methods.rmu:RMU_ADAPTIVE_METHOD",
    "attention_shifting": "trainables.methods.attention_shifting:ATTENTION_SHIFTING_METHOD",
    "task_vector": "trainables.methods.task_vector:TASK_VECTOR_METHOD",
    "whp_logits": "trainables.methods.whp_logits:WHP_LOGITS_METHOD",
    "uld": "trainables.methods.uld:ULD_METHOD",
    "guard_prompt": "trainables.methods.guard_prompt:GUARD_PROMPT_METHOD",
}


def find_method(name: str) -> Method:
    """Return a method by its name; ValueError for an unknown one."""
    if name not in METHODS:
        raise ValueError(f"method {name!r} is unknown: choose {', '.join(METHODS)}")
    module, _, attribute = METHODS[name].partition(":")
    return getattr(import_module(module), attribute)


def needs_of(settings: Settings) -> Needs:
    """What a method holds in memory by these settings."""
    needed = find_method(settings.method).needs(settings)
    if not isinstance(settings, Descent):
        return needed
    data = tuple(dict.fromkeys((*needed.data, *settings.derived)))
    return replace(needed, data=data, masked=needed.masked or settings.mask != "none")


def unlearn(
    model: Any,
    forget: Sequences,
    retain: Sequences,
    settings: Settings,
    *,
    pad: int,
    tokenizer: Any = None,
    texts: Mapping[str, Sequence[str]] = MappingProxyType({}),
    data: Mapping[str, Any] = MappingProxyType({}),
    cut_from: Mapping[str, Sequence[int]] = MappingProxyType({}),
    **run: Any,
) -> Iterator[Record]:
    """Unlearn token sequences from a model, in place, by the method that its settings are of; records as they come.

    `tokenizer`, `texts`, `data` and `cut_from` are what a `Start` takes, for methods that read them; `run` is what a
    `Run` takes, without which this process is the only worker. Behind the last record adapters are part of the model's
    weights.
    """
    from trainables.world import ALONE

    read = {"tokenizer": tokenizer, "texts": texts, "data": data, "cut_from": cut_from}
    start = Start(model=model, forget=forget, retain=retain, pad=pad, **read)
    yield from find_method(settings.method).unlearn(start, settings, Run(**{"world": ALONE, **run}))
    if isinstance(settings, Descent) and settings.lora_rank:
        from trainables.training.mixing import fold

        fold(model)
