"""Only the very same run is taken over or gone on with: its key changes with everything that decides what comes of it."""

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from importlib import metadata
from pathlib import Path

import pytest
from searching import make_tiny

from trainables import keys, program
from trainables.benchmarks.layout import load_benchmark, write_benchmark
from trainables.content import content
from trainables.keys import run_key
from trainables.methods import METHODS, find_method
from trainables.methods.idk import IDK
from trainables.methods.mean_teacher import MeanTeacher
from trainables.methods.npo import NPOGDR
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.references import fingerprint
from trainables.settings import setting
from trainables.task import Task, locate


@pytest.fixture
def task(tmp_path) -> Task:
    return Task(**make_tiny(tmp_path).places(), cache=str(tmp_path / "cache"))


def data_of(task: Task) -> str:
    """The fingerprint of a task."""
    places = locate(task)
    return fingerprint(content(load_benchmark(places.data), places), PROTOCOLS[task.protocol])


def test_the_same_run_has_the_same_key(task):
    assert run_key(MeanTeacher(), data_of(task)) == run_key(MeanTeacher(), data_of(replace(task)))


@pytest.mark.parametrize(
    "other", [{"protocol": "open-unlearning"}, {"retrained": None}], ids=["protocol", "no retrained model"]
)
def test_another_task_has_another_key(task, other):
    assert data_of(replace(task, **other)) != data_of(task)


def test_another_text_has_another_key(task):
    before = data_of(task)
    splits = load_benchmark(task.benchmark).splits
    write_benchmark(Path(task.benchmark), splits | {("raw", "forget"): [{"text": "something else"}]})
    assert data_of(task) != before


def another(name: str, value: object) -> object:
    """A value of a setting that is allowed, and not this one."""
    choices = MeanTeacher.allowed()[name].choices
    if choices:
        return next(choice for choice in choices if choice != value)
    return not value if isinstance(value, bool) else value + 2 if isinstance(value, int) else value / 2 or 1.0


@pytest.mark.parametrize("name", [field.name for field in fields(MeanTeacher) if field.name != "unrelated_texts"])
def test_every_setting_decides(name):
    other = another(name, getattr(MeanTeacher(), name))
    assert run_key(replace(MeanTeacher(), **{name: other}), "data") != run_key(MeanTeacher(), "data")


def test_texts_of_one_s_own_decide_by_what_they_hold_and_not_by_where_they_lie(tmp_path):
    found = {}
    for place, text in (("a", "One."), ("b", "One."), ("c", "Two.")):
        (tmp_path / f"{place}.txt").write_text(text)
        found[place] = run_key(MeanTeacher(unrelated_texts=str(tmp_path / f"{place}.txt")), "data")
    assert found["a"] == found["b"]
    assert len({found["a"], found["c"], run_key(MeanTeacher(), "data")}) == 3


def test_other_data_have_another_key():
    assert run_key(MeanTeacher(), "other") != run_key(MeanTeacher(), "data")


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A copy of the package's sources, whose keys are asked for; `write` changes one of its files."""
    copied = tmp_path / "trainables"
    shutil.copytree(program.CODE, copied, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(program, "CODE", copied)

    def write(file: str, change: Callable[[str], str]) -> None:
        there = (copied / file).read_text() if (copied / file).exists() else ""
        (copied / file).write_text(change(there))
        assert (copied / file).read_text() != there
        program.program_of.cache_clear()

    program.program_of.cache_clear()
    yield write
    program.program_of.cache_clear()


OWN = ["methods/npo.py", "training/descend.py", "losses/logits.py", "scores/verbmem.py", "decoding/generate.py"]


@pytest.mark.parametrize("file", OWN)
def test_the_code_that_can_change_a_run_decides_its_key_and_a_comment_in_it_does_not(house, file):
    before = run_key(NPOGDR(), "data")
    house(file, lambda text: f"{text}\n# a comment\n".replace("\n\n\n", "\n\n\n# another\n"))
    assert run_key(NPOGDR(), "data") == before
    house(file, lambda text: f"{text}\nCHANGED = 1\n")
    assert run_key(NPOGDR(), "data") != before


def test_another_number_in_a_loss_changes_the_key(house):
    before = run_key(NPOGDR(), "data")
    house("losses/logits.py", lambda text: text.replace("CHUNK = 128", "CHUNK = 64"))
    assert run_key(NPOGDR(), "data") != before


@pytest.mark.parametrize("file", ["methods/mean_teacher.py", "methods/rmu.py", "workers/mailbox.py", "method.txt"])
def test_code_elsewhere_changes_no_key(house, file):
    before = run_key(NPOGDR(), "data")
    house(file, lambda text: f"{text}\nCHANGED = 1\n")
    assert run_key(NPOGDR(), "data") == before


def test_one_more_method_changes_no_key(house):
    before = run_key(NPOGDR(), "data")
    house("methods/__init__.py", lambda text: f"{text}\nMETHODS |= {{'newer': 'trainables.methods.newer:NEWER'}}\n")
    house("methods/newer.py", lambda text: "NEWER = 1\n")
    assert run_key(NPOGDR(), "data") == before


def test_the_code_of_the_data_that_a_method_needs_decides_its_key_and_no_other_s(house):
    one, other = run_key(IDK(), "data"), run_key(NPOGDR(), "data")
    house("derivations/refusals.py", lambda text: f"{text}\nCHANGED = 1\n")
    assert run_key(IDK(), "data") != one
    assert run_key(NPOGDR(), "data") == other


def test_one_more_derivation_and_one_that_it_does_not_need_change_no_key(house):
    before = run_key(IDK(), "data")
    house("derivations/__init__.py", lambda text: f"{text}\nDERIVATIONS |= {{'newer': 'somewhere'}}\n")
    house("derivations/generic.py", lambda text: f"{text}\nCHANGED = 1\n")
    assert run_key(IDK(), "data") == before


@pytest.mark.parametrize("name", METHODS)
def test_the_default_of_every_setting_that_has_an_effect_is_part_of_the_key(name):
    settings = find_method(name).settings()
    own = program.program_of(type(settings).__module__, keys.RUNNER, keys.SCORES)
    without = {name for name, allowed in settings.allowed().items() if allowed.meaning.startswith("of no effect")}
    assert keys.deciding(settings, own).keys() >= asdict(settings).keys() - without


def test_a_new_setting_at_its_default_is_no_part_of_a_key_and_any_other_value_is():
    @dataclass(frozen=True, kw_only=True)
    class Newer(NPOGDR):
        newer: float = setting(1.0, "what came to be later")

    Newer.__module__ = NPOGDR.__module__
    assert run_key(Newer(), "data") == run_key(NPOGDR(), "data")
    assert run_key(Newer(newer=2.0), "data") != run_key(NPOGDR(), "data")


def test_two_methods_of_the_same_settings_have_keys_of_their_own():
    assert run_key(NPOGDR(), "data") != run_key(MeanTeacher(), "data")


@pytest.mark.parametrize("library", ["torch", "transformers"])
def test_another_version_of_what_computes_has_another_key_of_runs_and_of_reference_scores(library, monkeypatch):
    before, program = run_key(MeanTeacher(), "data"), keys.program_hash(keys.SCORES)
    installed = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "0.0" if name == library else installed(name))
    assert run_key(MeanTeacher(), "data") != before
    assert keys.program_hash(keys.SCORES) != program


def test_the_code_s_hash_is_that_of_what_was_imported_and_changes_with_a_line_of_it(tmp_path, monkeypatch):
    (tmp_path / "deep").mkdir()
    file = tmp_path / "deep" / "one.py"
    file.write_text("x = 1\n")
    keys.code_hash()  # before it is asked for another place
    monkeypatch.setattr(keys, "CODE", tmp_path)
    fresh = keys.code_hash.__wrapped__
    before = fresh()
    assert fresh() == before != keys.code_hash()
    file.write_text("x = 2\n")
    assert fresh() != before
