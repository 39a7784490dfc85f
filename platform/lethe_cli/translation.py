"""What others call methods and settings, in the words of Lethe: of each format the methods, and the settings' names.

A name that is none of a method's settings stays as it is: it tells runs apart, and no search starts from it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lethe.imports.kinds import OPEN_UNLEARNING, PAPER_LOG
from lethe.imports.rows import Row
from lethe.store.parameters import METHOD, full_name
from trainables.methods import METHODS, find_method
from trainables.methods.mean_teacher import MeanTeacher
from trainables.settings import Allowed

# The paper's own names. Its npo is on the mean of a sequence (in which the public code counts padding).
LOGGED = {"loss": "forget_loss", "damp": "damping"}
LOGGED_WORDS = {"forget_loss": {"npo": "npo_sequence_mean"}}

# By handler and retain loss, as open-unlearning calls them. Losses of one name may differ in what they sum or average.
HANDLERS = {
    ("GradAscent", ""): "ga",
    ("GradDiff", "NLL"): "ga_gdr",
    ("GradDiff", "KL"): "ga_klr",
    ("NPO", "NLL"): "npo_gdr",
    ("NPO", "KL"): "npo_klr",
    ("SimNPO", "NLL"): "simnpo",
    ("RMU", "EMBED_DIFF"): "rmu",
    ("UNDIAL", "NLL"): "undial",
    ("WGA", "NLL"): "wga",
    ("SatImp", "NLL"): "satimp",
}
TRAINED = {"learning_rate": "lr", "alpha": "retain_weight", "gamma": "forget_weight"}
BETAS = {"npo_gdr": "npo_beta", "npo_klr": "npo_beta", "simnpo": "simnpo_beta", "wga": "wga_beta"}
OF_RMU = {"learning_rate": "lr", "alpha": "alpha", "steering_coeff": "rmu_c"}
OF_SIMNPO = {"learning_rate": "lr", "alpha": "retain_weight", "delta": "simnpo_gamma"}


def method_of(kind: str) -> str | None:
    """The method that all of a format's runs are of; None where each says its own."""
    return MeanTeacher.method if kind == PAPER_LOG else None


def translated(row: Row, kind: str) -> Row:
    """A row whose parameters are called as Lethe's settings are."""
    if kind == PAPER_LOG:
        return replace(row, parameters=_logged(row.parameters))
    if kind == OPEN_UNLEARNING and "handler" in row.parameters:
        return replace(row, parameters=_handled(row.parameters))
    return row


def _logged(parameters: Mapping[str, Any]) -> dict[str, Any]:
    named = {LOGGED.get(name, name): value for name, value in parameters.items()}
    return {name: LOGGED_WORDS.get(name, {}).get(value, value) for name, value in named.items()}


def _handled(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A run's method, and its settings called by that, as in a study over several methods."""
    handler, *_ = given = str(parameters["handler"]), str(parameters.get("retain_loss_type", "NLL"))
    method = HANDLERS.get((handler, "") if (handler, "") in HANDLERS else given, handler)
    names = {"SimNPO": OF_SIMNPO, "RMU": OF_RMU}.get(handler, TRAINED)
    names = names | ({"beta": BETAS[method]} if method in BETAS else {})
    rest = {name: value for name, value in parameters.items() if name not in ("handler", "retain_loss_type")}
    return {METHOD: method, **{full_name(method, names.get(name, name)): value for name, value in rest.items()}}


def hints_of(rows: list[Row], method: str | None) -> dict[str, tuple[Any, ...]]:
    """What is known of the shapes of parameters: those of settings, by what a method takes."""
    if method in METHODS:
        return _shapes(method)
    methods = {str(row.parameters[METHOD]) for row in rows if METHOD in row.parameters}
    known = {full_name(m, name): s for m in sorted(methods & METHODS.keys()) for name, s in _shapes(m).items()}
    return ({METHOD: ("choice", tuple(METHODS))} | known) if methods else {}


def _shapes(method: str) -> dict[str, tuple[Any, ...]]:
    settings = find_method(method).settings
    types, allowed = settings.types(), settings.allowed()
    return {name: _shape(types[name], allowed[name]) for name in types}


def _shape(kind: type, allowed: Allowed) -> tuple[Any, ...]:
    if kind is bool:
        return ("choice", (False, True))
    if kind is str:
        return ("choice", allowed.choices)
    return ("integer",) if kind is int else ("log_uniform",) if allowed.positive else ("uniform",)
