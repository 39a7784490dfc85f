"""The card of a candidate that is handed over: plain data, and the README.md that a model's folder has on a hub. Pure.

It tells what was forgotten by hashes, never by texts, and what was rejected beside what was taken.
"""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from dashboard.reports import reasons
from dashboard.reports.decision import finite, how_sure
from dashboard.reports.sections import Section, markdown_of
from dashboard.table import candidate_of, command, parameter_text, reference_text, run_settings, score_text, scores_of
from lethe.analysis import recipes
from lethe.analysis.cells import number
from lethe.analysis.decide import Limit, Recommendation, Rival
from lethe.analysis.items import which_items
from lethe.fronts.objectives import WISHES, chosen_by
from lethe.store.facts import ARENA
from lethe.store.parameters import METHOD, method_of
from lethe.store.snapshot import Snapshot
from lethe.store.trials import TOLD_FROM

DATA = "lethe.json"  # the card as plain data, beside README.md
LOADER = "load.py"  # of a subject that is no plain model
SHOWN_HASHES = 20  # that README.md lists; DATA has all
LIMITS = (
    "The scores hold for this benchmark's prompts, asked as its protocol asks them and decoded greedily; another "
    "wording, language or sampling may bring back what they do not show.",
    "The 95% intervals are over the benchmark's items. Another training seed is not in them.",
    "Nothing was done to bring the texts back: no fine-tuning on them, no quantisation, no attack on the weights.",
    "That a text is recited no more is no proof that it left no trace, and no statement about any law.",
)


@dataclass(frozen=True, kw_only=True)
class Handed:
    """A candidate that is handed over, and what is known of it beside its study."""

    study: Snapshot
    row: int  # of the study's candidates
    found: Recommendation | None  # what the rule takes within the limits
    limits: Sequence[Limit] = ()
    kind: str = ""  # of a subject that is no plain model
    forgotten: Sequence[str] | None = None  # sha256 of each document; None where they could not be read any more
    sources: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # benchmark, target, ... -> place, revision
    notes: Sequence[str] = ()  # what is unverified of the method, and its traps
    versions: Mapping[str, str] = field(default_factory=dict)  # that wrote the folder
    evidence: Mapping[str, Any] = field(default_factory=dict)  # by which the scores are measured again: no texts

    @property
    def candidate(self) -> pd.Series:
        """Its row."""
        return self.study.candidates.iloc[self.row]

    @property
    def about(self) -> dict[str, Any]:
        """What its study knows of itself, with the one method of its trial."""
        about = self.study.facts.about
        return about | {METHOD: method_of(about, {name: self.candidate[name] for name in self.study.parameters})}

    @property
    def settings(self) -> dict[str, Any]:
        """All settings of its run."""
        return run_settings(self.study, self.candidate)


def plain(handed: Handed) -> dict[str, Any]:
    """The card as plain data, for DATA."""
    study, row, facts = handed.study, handed.candidate, handed.study.facts
    scores = {s: [row[s], row[f"{s}_low"], row[f"{s}_high"]] for s in scores_of(study.candidates, facts)}
    data = {
        "study": study.name,
        "candidate": candidate_of(row).plain(),
        "kind": handed.kind or None,
        "method": handed.about[METHOD],
        "settings": handed.settings,
        "command": command(study, row),
        "scores": {s: triple for s, triple in scores.items() if np.isfinite(triple).all()},  # else it was not measured
        "references": facts.references,
        "objectives": {o.score: o.goal for o in facts.objectives},
        "constraints": {c.score: [c.low, c.high] for c in facts.constraints},
        "limits": {x.score: [x.low, x.high] for x in handed.limits},
        "recommended": is_recommended(handed),
        "forgotten": None if handed.forgotten is None else list(handed.forgotten),
        "benchmark": handed.about.get("benchmark"),
        "protocol": handed.about.get("protocol"),
        "sources": {what: {"place": at, "revision": revision} for what, (at, revision) in handed.sources.items()},
        "seeds": {"run": handed.settings.get("seed"), "search": facts.seed},
        "versions": {"run": facts.about.get("versions", {}), "export": dict(handed.versions)},
        "searched": searched(handed),
        "rejected": rejected(handed),
        "evidence": dict(handed.evidence),
    }
    return {name: finite(value) for name, value in data.items()}


def as_markdown(handed: Handed) -> str:
    """The card as a hub shows it: its metadata, and all sections."""
    title = f"{handed.study.name}: {candidate_of(handed.candidate).words}"
    return f"{_metadata(handed)}\n{markdown_of(title, sections(handed))}"


def sections(handed: Handed) -> Iterator[Section]:
    """The card's sections."""
    yield Section("What this is", texts=[_what(handed)], code=_loading(handed.kind))
    yield _scores(handed)
    yield _recipe(handed)
    yield _forgotten(handed)
    sources = [(what, *which) for what, which in handed.sources.items()]
    yield Section("Data and models", table=(["what", "which", "revision"], sources))
    yield Section("Protocol, seeds and versions", items=_circumstances(handed))
    space, *rest = searched(handed).items()
    yield Section(
        "What was searched",
        items=[(space[0], [f"{k}: {v}" for k, v in space[1].items()]), *(f"{name}: {value}" for name, value in rest)],
    )
    yield Section("What was rejected, and why", items=rejected(handed))
    if is_recommended(handed) and handed.found:
        points = recipes.repeated(handed.study)
        yield Section("How sure", items=how_sure(handed.study, handed.found, handed.limits, points))
    chosen = which_items(handed.study.candidates, handed.study.facts)
    yield Section("Limits of this claim", items=[*LIMITS, chosen, *handed.notes, *_limits_of(handed)])
    told = f"manifest.json has the sha256 of every file but its own; {DATA} is this card as data."
    yield Section("Check it", texts=[told], code="lethe verify .")


def is_recommended(handed: Handed) -> bool:
    """Whether the rule takes this very candidate."""
    return handed.found is not None and handed.found.row == handed.row


def rejected(handed: Handed) -> list[str]:
    """The next best by the rule beside this candidate; how many broke each constraint and limit, and were beaten."""
    study = handed.study
    own = study.candidates[study.candidates["state"] == "COMPLETE"]
    bounds = [("constraint", Limit(score=c.score, low=c.low, high=c.high)) for c in study.facts.constraints]
    bounds += [("limit", limit) for limit in handed.limits]
    broken = [line for what, bound in bounds if (line := _broken(own, what, bound))]
    beaten = int((own["feasible"] & ~own["front"]).sum())
    return [*_next_best(handed), *broken, f"{beaten} of {len(own)} candidates are feasible, and beaten by another"]


def _broken(candidates: pd.DataFrame, what: str, bound: Limit) -> str:
    """How many candidates are beyond a bound, by the items that choose, and which is nearest; "" where none is."""
    values = chosen_by(candidates, bound.score)
    beyond = np.maximum(bound.low - values, values - bound.high)
    outside = np.flatnonzero(~bound.holds(values))
    if not len(outside):
        return ""
    nearest = int(outside[beyond[outside].argmin()])
    return (
        f"{len(outside)} of {len(candidates)} candidates broke the {what} on {bound.score} ({_bounds(bound)}); nearest "
        f"to it was {candidate_of(candidates.iloc[nearest]).words}, {number(float(beyond[nearest]))} beyond"
    )


def searched(handed: Handed) -> dict[str, Any]:
    """How far was searched: the space, trials by state, candidates, cost, the budget of an arena."""
    study, about = handed.study, handed.study.facts.about
    own, told = study.own_trials, study.told_trials[TOLD_FROM]
    states = [f"{count} {str(state).lower()}" for state, count in own["state"].value_counts().items()]
    stopped = int(own["stopped"].notna().sum())
    found: dict[str, Any] = {
        "space": {name: _range(entry) for name, entry in about.get("space", {}).items()},
        "trials": (", ".join(states) or "none") + (f", of {study.planned} asked for" if study.planned else ""),
        "stopped early": f"{stopped} trials" if stopped else "none",
        "scored candidates": str(int(study.candidates["trial"].isin(own["number"]).sum())),
    }
    if len(told):
        lenders = dict.fromkeys(name.rpartition("/")[0] for name in told)
        found["known before"] = f"{len(told)} trials of {', '.join(lenders)}, with their candidates"
    if (cost := study.trials["cost"].sum()) > 0:
        found["cost"] = f"{cost:,.0f} forward passes of a sequence"
    if arena := about.get(ARENA):
        found["budget"] = f"{float(arena['budget']):,.0f} forward passes, in the arena {arena['name']}"
    return found | {"sampler": study.facts.sampler}


def _next_best(handed: Handed) -> list[str]:
    """What the rule puts next to this candidate; where it takes another one, that first."""
    found = handed.found
    if found is None:
        return ["no candidate is feasible and within the limits: the rule takes none"]
    taken = Rival(row=found.row, behind=0.0, share=found.share, within=found.within)
    others = tuple(rival for rival in (taken, *found.near) if rival.row != handed.row)
    beside = replace(found, row=handed.row, near=others)
    lines = reasons.near(handed.study.candidates, beside, handed.study.facts.objectives)
    if not is_recommended(handed):
        lines = [f"the rule takes another one than this, {lines[0]}", *lines[1:]]
    return lines


def _what(handed: Handed) -> str:
    target = handed.about.get("model") or "its target model"
    said = f"A causal language model that was made to forget some documents, from {target} of the benchmark "
    said += f"{handed.about.get('benchmark')}, by the method {handed.about[METHOD]}, with Lethe."
    if handed.kind:
        return f"{said} It is no plain model but a subject of the kind {handed.kind}: only Lethe loads and runs it."
    return said


def _loading(kind: str) -> str:
    if kind:
        return "from trainables import load_subject\n\nsubject = load_subject('.')"
    return "from transformers import AutoModelForCausalLM\n\nmodel = AutoModelForCausalLM.from_pretrained('.')"


def loader(handed: Handed) -> str:
    """A program of a few lines that loads such a subject, and writes what it goes on with behind a text."""
    way = handed.evidence.get("passes", {}).get("decode", "whole")  # the way that was found right for it
    return f'''"""Writes what this subject goes on with behind a text: python load.py "Long ago". Needs lethe-tune."""

import sys
from pathlib import Path

from trainables import greedy, load_subject, tokenizer_of

folder = Path(__file__).parent
subject = load_subject(folder)
tokenizer = tokenizer_of(folder, subject)
prompts = [tokenizer(text).input_ids for text in sys.argv[1:]]
for new in greedy(subject, prompts, max_new_tokens=40, decode={way!r}):
    print(tokenizer.decode(new, skip_special_tokens=True))
'''


def _scores(handed: Handed) -> Section:
    study, row, facts = handed.study, handed.candidate, handed.study.facts
    rows = [
        (
            s,
            WISHES[facts.card(s).goal],
            score_text(row, s),
            *(reference_text(own.get(s)) for own in facts.references.values()),
        )
        for s in scores_of(study.candidates, facts)
        if facts.card(s).shown or s in facts.judged
    ]
    beside = reasons.against_retrained(study.candidates, handed.row, facts.objectives, facts)
    return Section(
        "Scores, and how far their 95% intervals reach",
        texts=[beside] if beside else [],
        items=reasons.reference_notes(facts),
        table=(["score", "best", "this model", *facts.references], rows),
    )


def _recipe(handed: Handed) -> Section:
    again = shlex.join(command(handed.study, handed.candidate))
    rows = [(name, parameter_text(value)) for name, value in handed.settings.items()]
    return Section("How it is made again", code=again or "not known for this study", table=(["setting", "value"], rows))


def _forgotten(handed: Handed) -> Section:
    if handed.forgotten is None:
        return Section(
            "What was forgotten",
            texts=["The documents could not be read when this was written, or were not those of the study any more."],
        )
    count, share = len(handed.forgotten), handed.settings.get("forget_fraction", 1.0)
    part = f" It was trained on a share of {share:g} of them." if isinstance(share, float) and share < 1 else ""
    more = f"; the first {SHOWN_HASHES} of them, {DATA} has all" if count > SHOWN_HASHES else ""
    text = (
        f"{count} documents, known by the sha256 of their UTF-8 text{more}.{part} Their texts are not in this folder."
    )
    return Section("What was forgotten", texts=[text], code="\n".join(handed.forgotten[:SHOWN_HASHES]))


def _circumstances(handed: Handed) -> list[str]:
    facts = handed.study.facts
    ran = ", ".join(f"{name} {version}" for name, version in facts.about.get("versions", {}).items())
    wrote = ", ".join(f"{name} {version}" for name, version in handed.versions.items())
    return [
        f"protocol {handed.about.get('protocol')}",
        f"seed of the run {handed.settings.get('seed', 'not known')}, of the search {facts.seed}",
        f"run by {ran or 'versions that are not known'}",
        f"written by {wrote or 'versions that are not known'}",
    ]


def _limits_of(handed: Handed) -> list[str]:
    """What holds of some folders alone."""
    if handed.kind == "prompt_guard":
        return [
            "Its weights are the target's, which remember everything; its parts.json names what is to be forgotten."
        ]
    if handed.kind:
        return ["Its folder holds the target's own weights too, which remember everything."]
    return []


def _metadata(handed: Handed) -> str:
    """The hub's metadata block; words in JSON are YAML too."""
    model = handed.about.get("model")
    lines = ["---", "tags: [unlearning, lethe]"]
    if not handed.kind:
        lines.append("library_name: transformers")
    if isinstance(model, str) and model.count("/") == 1 and not model.startswith((".", "/", "~")):
        lines.append(f"base_model: {json.dumps(model)}")
    return "\n".join([*lines, "---", ""])


def _bounds(bound: Limit) -> str:
    ends = {"at least": bound.low, "at most": bound.high}
    return " and ".join(f"{words} {end:g}" for words, end in ends.items() if np.isfinite(end))


def _range(entry: Sequence[Any]) -> str:
    kind, *ends = entry
    return (
        ", ".join(map(str, ends[0])) if kind == "choice" else f"{ends[0]:g} to {ends[1]:g} ({kind.replace('_', ' ')})"
    )
