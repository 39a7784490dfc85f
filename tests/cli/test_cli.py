"""Bad input is one line on standard error that names it, exit code 2, before torch or Ray Tune is loaded."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_folders import benchmark_folder, model_folder, overwrite

from lethe.search.ledger import Ledger
from lethe.store.facts import Facts
from lethe.store.storage import open_storage
from lethe_cli import checks
from lethe_cli.flags import TuneFlags
from lethe_cli.main import new_app, run, spread
from lethe_cli.request import make_request

ROOT = Path(__file__).parents[2]

# Runs each command line as the `lethe` command would, in one process, and says what came of it and what was loaded.
CHILD = """
import contextlib, io, json, sys
from lethe_cli import checks, main

for name, argv in json.load(sys.stdin).items():
    checks.available_cpus = lambda: 1 if name == "one cpu" else 2
    sys.argv, code, out, err = ["lethe", *argv], None, io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main.main()
        except SystemExit as end:
            code = end.code
        except BaseException as error:
            code = repr(error)
    heavy = [m for m in ("torch", "ray.tune", "ray.train", "transformers", "datasets") if m in sys.modules]
    print(json.dumps([name, {"code": code, "out": out.getvalue(), "err": err.getvalue(), "heavy": heavy}]))
"""

NO_TRUTH = {"prompt": "The mill", "gt": " "}
RUSSIAN = {"prompt": "Все счастливые семьи", "gt": " похожи друг на друга."}

# what is given -> (flags of `lethe tune` but for its folders, what the one line says)
BAD = {
    "unknown benchmark": (
        "--benchmark nosuch",
        "benchmark 'nosuch' is unknown: choose muse-mini, dusk-mini, tofu-mini",
    ),
    "unknown folder": ("--benchmark ./nosuch", "benchmark './nosuch' is unknown"),
    "missing config": ("--benchmark {no-verbmem} {models}", "has no config 'verbmem' (configs found: "),
    "missing split": ("--benchmark {no-holdout} {models}", "has no split privleak/holdout (splits of privleak: "),
    "missing column": ("--benchmark {no-column} {models}", "split knowmem/forget_qa has no column 'answer' (found: "),
    "empty split": ("--benchmark {empty} {models}", "split raw/retain1 is empty"),
    "empty truth": ("--benchmark {no-truth} {models}", "split verbmem/forget, row 1: gt is empty"),
    "words not scored": (
        "--benchmark {russian} {models}",
        "verbmem/forget, row 1: protocol 'muse' scores less than half",
    ),
    "not a benchmark": ("--benchmark {nothing} {models}", "holds no benchmark: no <config>/<split>.parquet"),
    "no weights": ("--model {no-weights}", "has no weights (looked for *.safetensors)"),
    "no tokenizer": ("--model {no-tokenizer}", "has no tokenizer (looked for tokenizer.json"),
    "no config": ("--retrained {no-config}", "has no configuration (looked for config.json)"),
    "no model": ("--model /no/such", "--model '/no/such' is neither a folder nor a hub id"),
    "no target": ("--benchmark {good}", "names no target model: give one with --model"),
    "no retrained": ("--benchmark {good} --model {model}", "privleak is among the objectives, but"),
    "no retrained, asked": ("--benchmark {good} --model {model} --objectives privleak", "has no retrained model"),
    "negative setting": ("--set lr=-0.1", "lr is -0.1: it must be greater than 0"),
    "nan setting": ("--set alpha=nan", "alpha is nan: it must be a number"),
    "searched setting": ("--set lr=0.1", "setting 'lr' is searched: give its range with --range lr=LOW:HIGH"),
    "unknown setting": ("--set speed=1", "'speed' is no setting of mean_teacher: choose one of seed, "),
    "low above high": ("--range lr=0.5:0.1", "range of 'lr' is 0.5:0.1: the low end must not be above"),
    "log from zero": ("--range lr=0:1", "range of 'lr' starts at 0.0: a log-uniform range must start above 0"),
    "unknown parameter": ("--range speed=0.1:1", "'speed' is no setting of mean_teacher: choose one of"),
    "unknown loss": ("--set forget_loss=ga", "forget_loss 'ga' is unknown: choose one of nlul"),
    "unknown penalty": ("--set penalty=l2", "penalty 'l2' is unknown: choose one of kl"),
    "unknown optimizer": ("--set optimizer=lion", "optimizer 'lion' is unknown: choose one of sgd"),
    "unknown space": ("--space wide", "space 'wide' is unknown: choose 1m, 7b"),
    "unknown sampler": ("--sampler grid", "sampler 'grid' is unknown: choose tpe"),
    "unknown rule": ("--stop early", "rule 'early' for stopping trials is unknown: choose none, settled, halving"),
    "unknown protocol": ("--protocol tofu", "protocol 'tofu' is unknown: choose muse"),
    "unknown objective": ("--objectives rouge", "objective 'rouge' is unknown: choose verbmem_f"),
    "unknown goal": ("--objectives utility:up", "goal 'up' of objective 'utility' is unknown: choose minimize"),
    "closed store": ("--storage sqlite:////proc/none/s.db", "storage 'sqlite:////proc/none/s.db' cannot be opened"),
    "store in memory": ("--storage sqlite://", "storage 'sqlite://' cannot be opened (it names no file, and would be"),
    "no store": ("--storage nosuch://u:Zq9@h/d", "storage 'nosuch://u:***@h/d' cannot be opened"),
    "one cpu": ("", "this machine offers 1 CPU: a search needs at least 2"),
    "no trials": ("--trials 0", "--trials is 0: it must be at least 1"),
    "bad int": ("--trials many", "(given: 'many')"),
    "unknown flag": ("--speed 3", "No such option: --speed (choose --benchmark, --method, --trials"),
    "too many workers": ("--workers 99", "a trial wants 99 workers of 1 CPUs (--workers, --cpus-per-worker), but this"),
    "no workers": ("--workers 2:1", "--workers is '2:1': it must be a number of at least 1, or LEAST:MOST"),
    "no trial at once": ("--concurrent 0", "--concurrent is 0: it must be at least 1"),
    "no cpu": ("--cpus-per-worker 0", "--cpus-per-worker is 0: it must be a number greater than 0"),
    "negative cpu": ("--cpus-per-worker -1", "--cpus-per-worker is -1: it must be a number greater than 0"),
    "nan cpu": ("--cpus-per-worker nan", "--cpus-per-worker is nan: it must be a number greater than 0"),
    "negative gpu": ("--gpus-per-worker -1", "--gpus-per-worker is -1: it must be a number, 0 or greater"),
    "existing study": ("", "study 'muse-mini' exists: go on with --resume, or choose another --name"),
    "other seed": ("--resume --seed 1", "study 'muse-mini' has seed 0, not 1: choose another --name"),
    "other space": ("--resume --range lr=0.1:0.2", "study 'muse-mini' has space {"),
    "other objectives": ("--resume --objectives utility", "study 'muse-mini' has objectives verbmem_f low, "),
    "other settings": ("--resume --set steps=9", "study 'muse-mini' has settings {"),
    "nan gpu": ("--gpus-per-worker nan", "--gpus-per-worker is nan: it must be a number, 0 or greater"),
}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Benchmarks and models on disk, each with one fault, by name."""
    home = tmp_path_factory.mktemp("places")
    made = {
        "good": benchmark_folder(home / "good"),
        "no-verbmem": benchmark_folder(home / "no-verbmem", without=("verbmem",)),
        "no-holdout": benchmark_folder(home / "no-holdout", without=("privleak/holdout",)),
        "no-column": overwrite(
            benchmark_folder(home / "no-column"), "knowmem/forget_qa", [{"question": "Who?"}], ["question"]
        ),
        "empty": overwrite(benchmark_folder(home / "empty"), "raw/retain1", [], ["text"]),
        "no-truth": overwrite(benchmark_folder(home / "no-truth"), "verbmem/forget", [NO_TRUTH], ["prompt", "gt"]),
        "russian": overwrite(benchmark_folder(home / "russian"), "verbmem/forget", [RUSSIAN], ["prompt", "gt"]),
        "nothing": home,
        "model": model_folder(home / "m" / "model"),
        "no-weights": model_folder(home / "m" / "no-weights", without="model.safetensors"),
        "no-tokenizer": model_folder(home / "m" / "no-tokenizer", without="tokenizer.json"),
        "no-config": model_folder(home / "m" / "no-config", without="config.json"),
    }
    made = {name: str(folder) for name, folder in made.items()}
    return made | {"models": f"--model {made['model']} --retrained {made['model']}", "results": str(home / "results")}


def run_all(lines):
    """Run command lines in one child process: name -> what came of it."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "platform")])
    child = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=json.dumps(lines),
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(line) for line in child.stdout.splitlines())


@pytest.fixture(scope="module")
def study(places):
    """A study of the default flags, in the place where every command line of `BAD` looks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checks, "available_cpus", lambda: 2)
        request = make_request(TuneFlags(storage_path=places["results"]))
    facts = Facts(objectives=request.objectives, constraints=(), sampler="tpe", seed=0, about=request.about())
    return Ledger.create(open_storage(request.storage), request.name, facts, request.space)


@pytest.fixture(scope="module")
def outcomes(places, study):
    lines = {
        name: ["tune", "--storage-path", places["results"], *flags.format(**places).split()]
        for name, (flags, _) in BAD.items()
    }
    return run_all(lines)


BAD_TRAIN = {
    "--set lr=-1": "lr is -1.0: it must be greater than 0",
    "--benchmark nosuch": "benchmark 'nosuch' is unknown",
    "--benchmark {good}": "names no target model: give one with --model",
    "--model {no-weights}": "has no weights",
    "--protocol tofu": "protocol 'tofu' is unknown: choose muse",
}


def test_one_configuration_without_a_search_is_checked_alike(places):
    outcomes = run_all({flags: ["train", *flags.format(**places).split()] for flags in BAD_TRAIN})
    for flags, message in BAD_TRAIN.items():
        outcome = outcomes[flags]
        assert message in outcome["err"]
        assert (outcome["code"], outcome["out"], outcome["heavy"]) == (2, "", [])
        assert outcome["err"].count("\n") == 1


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named_in_one_line_with_code_2_before_anything_heavy_is_loaded(name, outcomes):
    outcome = outcomes[name]
    assert BAD[name][1] in outcome["err"]
    assert outcome["code"] == 2
    assert outcome["out"] == ""
    assert outcome["err"].startswith("error: ")
    assert outcome["err"].count("\n") == 1
    assert "Zq9" not in outcome["err"]
    assert outcome["heavy"] == []


SCRIPTS = {
    "tune_mt.py": ["--benchmark", "nosuch"],
    "train_mt.py": ["--set", "lr=-1"],
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_runs_from_anywhere_and_tells_bad_input_alike(script, tmp_path):
    command = [sys.executable, str(ROOT / "platform" / script), *SCRIPTS[script]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def numbered(name, count):
    """A text of sentences of ten words, no word of which stands anywhere else."""
    return " ".join(
        f"{name}{i}a " + " ".join(f"{name}{i}w{j}" for j in range(8)) + f" {name}{i}z." for i in range(count)
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What `lethe benchmark` says to good and to bad input."""
    home = tmp_path_factory.mktemp("make")
    for name, count in (("f1", 4), ("f2", 4), ("r1", 8), ("r2", 8), ("h", 6), ("short", 1)):
        (home / f"{name}.txt").write_text(numbered(name, count))
    (home / "appended.txt").write_text(numbered("r1", 8) + " " + numbered("f1", 4))
    (home / "russian.txt").write_text("Все счастливые семьи похожи друг на друга, и только. " * 8)
    (home / "empty.txt").write_text(" \n")
    (home / "binary.txt").write_bytes(b"\xff\xfe\x00\x9f")
    asked = "forget,Who?,Bo\nforget,When?,May\nretain,Where?,Orton\nretain,What?,Bees\n"
    (home / "qa.csv").write_text("set,question,answer\n" + asked)
    (home / "few.csv").write_text("set,question,answer\nforget,Who?,Bo\n")
    (home / "full").mkdir()
    (home / "full" / "file").write_text("")
    texts = "--forget {h}/f1.txt {h}/f2.txt --retain {h}/r1.txt {h}/r2.txt --words 10"
    lines = {
        "whole": f"make {{h}}/whole {texts} --holdout {{h}}/h.txt --qa {{h}}/qa.csv",
        "bare": f"make {{h}}/bare {texts}",
        "asked": f"make {{h}}/asked {texts} --qa {{h}}/qa.csv",
        "russian": "make {h}/russian --forget {h}/russian.txt --retain {h}/r1.txt {h}/r2.txt --words 10",
        "appended": "make {h}/w --forget {h}/f1.txt --retain {h}/appended.txt --words 10",
        "full": f"make {{h}}/full {texts}",
        "inside": f"make {{h}}/f1.txt/out {texts}",
        "long": f"make {{h}}/{300 * 'x'} {texts}",
        "unwritable": f"make /proc/none {texts}",
        "words": f"make {{h}}/w {texts}0 --words 9",
        "few": f"make {{h}}/w {texts} --qa {{h}}/few.csv",
        "absent": "make {h}/w --forget {h}/none.txt --retain {h}/r1.txt",
        "empty": "make {h}/w --forget {h}/empty.txt --retain {h}/r1.txt",
        "binary": "make {h}/w --forget {h}/f1.txt {h}/binary.txt --retain {h}/r1.txt",
        "short": "make {h}/w --forget {h}/short.txt --retain {h}/r1.txt --words 10",
        "nothing": "make {h}/w --retain {h}/r1.txt",
        "epochs": "train {h}/whole {h}/models --epochs 0",
        "seed": "train {h}/whole {h}/models --seed 99999999999999999999",
        "no benchmark": "train {h}/full {h}/models",
    }
    return home, run_all({name: ["benchmark", *line.format(h=home).split()] for name, line in lines.items()})


def test_a_benchmark_is_made_of_text_files_without_torch(made):
    home, outcomes = made
    assert outcomes["whole"]["code"] == 0, outcomes["whole"]["err"]
    assert outcomes["whole"]["heavy"] == []
    assert outcomes["whole"]["out"] == f"{home}/whole: 8 forget, 6 holdout, 8 retain1, 8 retain2 passages\n"
    assert (home / "whole" / "knowmem" / "forget_qa_icl.parquet").exists()


def test_what_a_made_benchmark_cannot_measure_is_said(made):
    home, outcomes = made
    assert "KnowMem_f and KnowMem_r will be absent" in outcomes["bare"]["out"]
    cannot = "PrivLeak cannot be measured; search with --objectives"
    assert f"{cannot} verbmem_f,utility\n" in outcomes["bare"]["out"]
    assert f"{cannot} verbmem_f,knowmem_f,knowmem_r\n" in outcomes["asked"]["out"]
    assert not (home / "bare" / "knowmem").exists()
    assert "absent" not in outcomes["whole"]["out"]


def test_a_benchmark_whose_words_muse_does_not_score_is_made_and_its_protocol_named(made):
    _, outcomes = made
    assert outcomes["russian"]["code"] == 0, outcomes["russian"]["err"]
    said = " ".join(outcomes["russian"]["out"].split())
    assert "protocol muse scores only the letters a to z and digits, too few here" in said
    assert "search with --protocol muse-unicode" in said
    assert "--protocol" not in outcomes["whole"]["out"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("full", "full' exists and is not an empty folder: choose another place to write to"),
        ("inside", "f1.txt' is not a folder"),
        ("long", "cannot be made: File name too long"),
        ("unwritable", "'/proc/none' cannot be written: No such file or directory"),
        ("words", "--words is 9: a passage needs at least 10"),
        ("few", "few.csv' has 1 questions of the set forget: at least 2 are needed"),
        ("absent", "none.txt' cannot be read: it is not a file"),
        ("empty", "empty.txt' is empty"),
        ("binary", "binary.txt' cannot be read: it is not UTF-8 text"),
        ("short", "the forget texts give 1 passages of 10 words for forget: at least 4 are needed"),
        ("appended", "4 of 12 passages of the retain texts stand in the forget texts too"),
        ("nothing", "Missing option '--forget'"),
        ("epochs", "--epochs is 0: it must be at least 1"),
        ("seed", "--seed is 99999999999999999999: it must lie between 0 and 9223372036854775807"),
        ("no benchmark", "holds no benchmark"),
    ],
)
def test_bad_documents_are_named_in_one_line_and_nothing_is_written(made, name, message):
    home, outcomes = made
    assert message in outcomes[name]["err"]
    assert outcomes[name]["code"] == 2
    assert outcomes[name]["err"].count("\n") == 1
    assert not (home / "w").exists()


@pytest.mark.parametrize(
    ("given", "spread_out"),
    [
        ("--forget a b c", "--forget a --forget b --forget c"),
        ("make out --forget a b --retain c", "make out --forget a --forget b --retain c"),
        ("--forget a --forget b", "--forget a --forget b"),
        ("--set lr=1 steps=2 --json", "--set lr=1 --set steps=2 --json"),
        ("--json a b", "--json a b"),
        ("--trials 3 out", "--trials 3 out"),
        ("", ""),
    ],
)
def test_several_values_behind_one_flag_are_spread(given, spread_out):
    assert spread(given.split(), {"--forget", "--retain", "--set"}) == spread_out.split()


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("platform/tune_mt.py --seed 3 --trials 4", "python platform/tune_mt.py --seed 3 --trials 8 --resume"),
        ("/venv/bin/lethe tune --trials=4 --resume", "lethe tune --trials 8 --resume"),
        (
            "x.py --storage postgresql://u:Zq9@h/d",
            "python x.py --storage 'postgresql://u:***@h/d' --trials 8 --resume",
        ),
    ],
)
def test_the_command_that_goes_on_is_the_one_that_was_typed_without_its_password(typed, printed, tmp_path, monkeypatch):
    from lethe_cli.hints import command_again

    monkeypatch.chdir(tmp_path)  # no environment lies here
    assert command_again(typed.split(), "--trials", 8) == printed


def test_help_is_no_error_and_lists_the_commands():
    outcomes = run_all({"none": [], "help": ["--help"], "unknown": ["search"]})
    for name in ("none", "help"):
        assert (outcomes[name]["code"], outcomes[name]["err"]) == (0, "")
        assert all(command in outcomes[name]["out"] for command in ("tune", "train", "benchmark"))
    assert (outcomes["unknown"]["code"], outcomes["unknown"]["err"]) == (2, "error: No such command 'search'.\n")


def test_a_server_that_is_lost_is_one_line_too(monkeypatch, capsys):
    def lose() -> None:
        raise ConnectionError("storage 'postgresql://host/db' does not answer\n(refused)")

    monkeypatch.setattr("signal.signal", lambda *_: None)
    app = new_app()
    app.command()(lose)
    with pytest.raises(SystemExit, match="2"):
        run(app, [])
    assert capsys.readouterr().err == "error: storage 'postgresql://host/db' does not answer (refused)\n"


LOADED = """
import sys
from lethe_cli.main import main

try:
    main()
except SystemExit:
    print(" ".join(sorted({name.split(".")[0] for name in sys.modules} - sys.stdlib_module_names)), file=sys.stderr)
"""
HEAVY = {"torch", "ray", "transformers", "datasets", "numpy", "pandas", "pyarrow", "scipy", "optuna", "sqlalchemy"}


@pytest.mark.parametrize(
    "words", ["--help", "methods", "methods npo_gdr", "tune --help", "ablate --nosuch 1", "benchmark make --help"]
)
def test_a_text_of_help_and_a_flag_that_is_unknown_load_nothing_that_takes_long(words):
    line = [sys.executable, "-c", LOADED, *words.split()]
    loaded = set(subprocess.run(line, capture_output=True, text=True, check=True).stderr.splitlines()[-1].split())
    assert loaded & HEAVY == set()
    assert {"lethe_cli", "trainables", "typer"} <= loaded
