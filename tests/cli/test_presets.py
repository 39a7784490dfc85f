"""muse-news and muse-books bring the paper's settings; every one of them gives way to a flag."""

import pytest

from lethe_cli import checks
from lethe_cli.flags import TuneFlags
from lethe_cli.presets import find_preset
from lethe_cli.request import make_request
from search_spaces.mean_teacher import SPACE, SPACE_7B
from search_spaces.methods import spaces_of
from search_spaces.presets import NOT_THE_PAPERS, PRESET_SETTINGS
from trainables.benchmarks import BENCHMARKS
from trainables.methods.mean_teacher import MeanTeacher

PAPER = {  # arXiv 2504.13388, Llama-2-7B
    "lr": 5e-4, "momentum": 0.95, "delta": 0.005, "damping": 5.0, "beta": 1.0, "clip": 1.0, "tol": 0.02,
    "warmup_steps": 0, "batch_size": 40, "steps": 2000, "eval_every": 100, "optimizer": "sgd", "forget_loss": "nlul", "penalty": "kl",
    "max_length": 1024, "regularisation_length": 512,
}  # fmt: skip
OWN = {"muse-news": {"alpha": 0.05, "long_texts": "truncate"}, "muse-books": {"alpha": 0.1, "long_texts": "split"}}
RETAIN = {"regularisation": "retain"}  # the paper: web text
EIGHT_GPUS = {"parallel": "fsdp", "precision": "bf16", "checkpointing": True, "micro_batch_size": 5}
each_preset = pytest.mark.parametrize("name", PRESET_SETTINGS)


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Make a request for muse-news, whose data are not at hand."""
    monkeypatch.setattr(checks, "available_cpus", lambda: 16)
    rows = checks.check_benchmark("muse-mini")
    monkeypatch.setattr(checks, "load_benchmark", lambda reference: rows)
    flags = {"benchmark": "muse-news", "trials": 1, "storage_path": str(tmp_path)}
    (tmp_path / "x").mkdir()
    return lambda **changed: make_request(TuneFlags(**(flags | changed)))


@each_preset
def test_a_preset_holds_the_paper_s_values(name):
    assert PRESET_SETTINGS[name] == PAPER | RETAIN | EIGHT_GPUS | OWN[name]
    assert name in BENCHMARKS
    assert MeanTeacher(**PRESET_SETTINGS[name]).freeze


@each_preset
def test_the_paper_s_values_lie_in_the_space_that_a_preset_searches(name):
    space = spaces_of("mean_teacher")[find_preset(name).size]
    assert all(low < PRESET_SETTINGS[name][parameter] < high for parameter, (_, low, high) in space.items())


def test_a_search_of_muse_news_starts_as_it_is_on_eight_gpus(ask):
    request = ask()
    assert request.base == MeanTeacher(**PRESET_SETTINGS["muse-news"])
    assert (request.space, request.workers, request.gpus) == (SPACE_7B, range(8, 9), 1)


def test_every_preset_value_gives_way_to_a_flag(ask):
    request = ask(settings=["steps=9", "parallel=ddp"], space="1m", workers="2", gpus_per_worker=0.5)
    assert (request.base.steps, request.base.parallel, request.base.batch_size) == (9, "ddp", 40)
    assert (request.space, request.workers, request.gpus) == (SPACE, range(2, 3), 0.5)


def test_one_line_says_which_values_are_in_use(ask):
    (note,) = ask(settings=["steps=9"]).notes[:1]
    assert note.startswith("preset muse-news: ")
    said = dict(part.split("=") for part in note.removeprefix("preset muse-news: ").split())
    assert set(said) == set(PRESET_SETTINGS["muse-news"]) - {"steps", "lr", "alpha", "delta"}  # set, or searched
    assert (said["checkpointing"], said["batch_size"]) == ("true", "40")


def test_what_is_not_the_paper_s_is_said_until_a_flag_replaces_it(ask, tmp_path):
    web = tmp_path / "web.jsonl"
    web.write_text('{"text": "On the web."}\n')
    said = [note for note in ask().notes if "not the paper's" in note]
    assert [next(name for name in NOT_THE_PAPERS if f": {name}=" in note) for note in said] == list(NOT_THE_PAPERS)
    whole = ["regularisation=unrelated", f"unrelated_texts={web}", "precision=fp32"]
    assert not [note for note in ask(settings=whole).notes if "not the paper's" in note]


def test_what_is_said_not_to_be_the_paper_s_is_what_the_presets_have():
    for settings in PRESET_SETTINGS.values():
        for name, words in NOT_THE_PAPERS.items():
            assert words.startswith(f"{name}={settings[name]} is not the paper's")


def test_a_study_knows_its_own_texts_by_what_they_hold(ask, tmp_path):
    web = tmp_path / "web.txt"
    settings, abouts = ["regularisation=unrelated", f"unrelated_texts={web}"], []
    for text in ("On the web.", "On the web?", "On the web."):
        web.write_text(text)
        abouts.append(ask(settings=settings).about())
    assert abouts[0] == abouts[2] != abouts[1]
    assert abouts[0]["settings"] == abouts[1]["settings"]


def test_texts_that_cannot_be_read_are_told_before_anything_is_loaded(ask, tmp_path):
    (tmp_path / "web.jsonl").write_text('{"text": ')
    with pytest.raises(ValueError, match=r"^[^\n]*web.jsonl[^\n]* cannot be read: [^\n]*$"):
        ask(settings=["regularisation=unrelated", f"unrelated_texts={tmp_path / 'web.jsonl'}"])


def test_other_benchmarks_have_lethe_s_defaults_and_no_note(ask):
    request = ask(benchmark="muse-mini")
    assert (request.base, request.space, request.workers, request.gpus) == (
        MeanTeacher(),
        SPACE,
        range(1, 2),
        0,
    )
    assert request.notes == ()


def test_the_command_that_repeats_a_point_names_what_differs_from_the_preset(ask):
    from lethe_cli.conclusion import reproduce

    request = ask(settings=["parallel=ddp", "penalty=qkl"])
    command = reproduce(request, {"parameters": {"lr": 0.001}, "axis": "step", "at": 100})
    assert "--benchmark muse-news --set parallel=ddp" in command or "--set parallel=ddp" in command
    words = [part for part in command.split() if "=" in part]
    assert sorted(words) == ["lr=0.001", "parallel=ddp", "penalty=qkl", "steps=100"]
