"""What open-unlearning writes of an evaluation: MUSE_SUMMARY.json, TOFU_EVAL.json, and the configuration beside them.

A summary has a number for each metric; the other file has for each `agg_value` beside its items. An evaluation of a
run's checkpoint lies in `checkpoint-N/evals` below the run's folder. Hydra keeps the configuration of what made a
folder in `.hydra/config.yaml` there: of a training its handler (the method) and arguments. Pure.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lethe.fronts.objectives import MAXIMIZE, MINIMIZE
from lethe.imports.rows import WHOLE, Found, Oddity, Row, number, plain, role_of, text_of
from lethe.store.cards import Card
from lethe.store.places import Place

PROTOCOL = "open-unlearning"
FILE = re.compile(r"(?P<suite>\w+)_(SUMMARY|EVAL)\.json")
NAMES = {
    "forget_verbmem_ROUGE": "verbmem_f",
    "forget_knowmem_ROUGE": "knowmem_f",
    "retain_knowmem_ROUGE": "knowmem_r",
}
PERCENT = ("privleak",)  # written x100 already, where all else is a share
ARGUMENTS = (
    *("learning_rate", "num_train_epochs", "weight_decay", "warmup_epochs", "seed"),
    *("per_device_train_batch_size", "gradient_accumulation_steps"),
)
UPWARDS = 3  # folders, from an evaluation's own: evals, checkpoint-N, the run's
CARDS = (
    Card(name="forget_quality", goal=MAXIMIZE, meaning="cannot be told from a retrained model"),
    Card(name="model_utility", goal=MAXIMIZE, meaning="answers what was not to be forgotten"),
    Card(name="extraction_strength", goal=MINIMIZE, meaning="recites forgotten text from its beginning"),
    Card(name="exact_memorization", goal=MINIMIZE, meaning="predicts forgotten text word by word"),
    Card(name="forget_Q_A_Prob", goal=MINIMIZE, meaning="finds forgotten answers likely"),
    Card(name="forget_Q_A_ROUGE", goal=MINIMIZE, meaning="answers about forgotten text"),
)


def is_evaluation(file: Path) -> bool:
    """Whether a file is called as an evaluation is, or is a folder in which such files may lie."""
    return file.is_dir() or bool(FILE.fullmatch(file.name))


def files_in(folder: Path) -> list[Path]:
    """The evaluations below a folder, one of each folder: the summary where there is one."""
    found = sorted(file for file in folder.rglob("*.json") if FILE.fullmatch(file.name))
    summaries = {file.with_name(file.name.replace("_SUMMARY", "_EVAL")) for file in found if "_SUMMARY" in file.name}
    return [file for file in found if file not in summaries]


def read(file: Path) -> Found:
    """The candidates of an evaluation, or of all below a folder."""
    return Found.joined(map(_read, files_in(file) if file.is_dir() else [file]))


def _read(file: Path) -> Found:
    text = text_of(file)
    try:
        metrics = json.loads(text)
    except ValueError as error:
        return Found(oddities=[Oddity(str(file), getattr(error, "lineno", 1), "it is no JSON")])
    if not isinstance(metrics, dict):
        return Found(oddities=[Oddity(str(file), 1, "it is no table of metrics")])
    found = Found()
    scores: dict[str, float] = {}
    for name, said in metrics.items():
        value = said.get("agg_value") if isinstance(said, dict) else said
        if value is None and isinstance(said, dict):
            continue  # what others are made of, such as the texts of an attack
        try:
            scores[NAMES.get(str(name), str(name))] = number(value, name) * (1 if name in PERCENT else 100)
        except ValueError as error:
            found.oddities.append(Oddity(str(file), _line_of(text, name), str(error)))
    try:
        found.rows.append(_row(file, scores))
    except ValueError as error:
        found.oddities.append(Oddity(str(file), 1, str(error)))
    return found


def _line_of(text: str, name: str) -> int:
    return text[: max(text.find(json.dumps(name)), 0)].count("\n") + 1


def _row(file: Path, scores: Mapping[str, float]) -> Row:
    if not scores:
        raise ValueError("it has no scores")
    made = _made(file)
    parameters = _parameters(made.training)
    return Row(
        file=str(file),
        line=1,
        run=made.run,
        parameters=parameters,
        place=_place(file, parameters, made.run),
        scores=scores,
        facts=_facts(file, made.training or made.evaluation),
    )


@dataclass(frozen=True)
class _Made:
    """How an evaluation came to be: the name of its run, and the configurations of the training and of itself."""

    run: str
    training: Mapping[str, Any]
    evaluation: Mapping[str, Any]


def _made(file: Path) -> _Made:
    folder = file.absolute().parent
    above = [folder, *folder.parents][:UPWARDS]
    known = {place: config for place in above if (config := _config(place / ".hydra" / "config.yaml"))}
    trained = [place for place, config in known.items() if isinstance(config.get("trainer"), dict)]
    named = trained[0] if trained else next(p for p in [folder, *folder.parents] if not _is_part(p.name))
    first = next(iter(known.values()), {})
    return _Made(named.name, known[trained[0]] if trained else {}, first)


def _is_part(name: str) -> bool:
    """Whether a folder is a part of a run's."""
    return name == "evals" or name.startswith("checkpoint-")


def _config(file: Path) -> dict[str, Any]:
    """What Hydra kept; ValueError where it is broken."""
    if not file.is_file():
        return {}
    try:
        config = yaml.safe_load(text_of(file))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ValueError(f"its configuration {str(file)!r} is broken at line {mark.line + 1 if mark else 1}") from None
    return config if isinstance(config, dict) else {}


def _parameters(config: Mapping[str, Any]) -> dict[str, Any]:
    """A training's method and arguments, by the names that they have there."""
    trainer = _part(config, "trainer")
    args, own = _part(trainer, "args"), _part(trainer, "method_args")
    found = {"handler": trainer.get("handler"), **{name: args.get(name) for name in ARGUMENTS}, **own}
    read = {str(name): plain(value, str(name)) for name, value in found.items() if "${" not in str(value)}
    return {name: value for name, value in read.items() if value is not None}


def _part(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A part of a configuration that has parts itself, empty where it is not there; ValueError where it has none."""
    part = config.get(name) or {}
    if not isinstance(part, Mapping):
        raise ValueError(f"its configuration's {name} is {part!r}: it must be names with values")
    return part


def _place(file: Path, parameters: Mapping[str, Any], run: str) -> Place:
    """The step of a checkpoint; else the epochs of a training, or that it is a model of this name."""
    steps = [part.removeprefix("checkpoint-") for part in file.absolute().parts if part.startswith("checkpoint-")]
    if steps and steps[-1].isdigit():
        return Place("step", int(steps[-1]), "model")
    epochs = parameters.get("num_train_epochs")
    if isinstance(epochs, int | float) and epochs > 0:
        return Place("epoch", epochs, "model")
    return Place(WHOLE.axis, WHOLE.at, role_of(run))


def _facts(file: Path, config: Mapping[str, Any]) -> dict[str, str]:
    match = FILE.fullmatch(file.name)
    suite = match["suite"].lower() if match else ""
    part = config.get("data_split") or config.get("forget_split")
    model = _part(_part(config, "model"), "model_args")
    named = str(model.get("pretrained_model_name_or_path") or "")
    facts = {
        "benchmark": f"{suite}-{part}".lower() if part else suite,
        "model": re.sub(r"\$\{(\w+)\}", lambda name: str(config.get(name[1], name[0])), named),
        "protocol": PROTOCOL,
    }
    return {what: value for what, value in facts.items() if value}
