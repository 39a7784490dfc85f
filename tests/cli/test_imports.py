"""`lethe import`: files become a study; odd rows are told by file and line, and the rest is taken."""

import json
import re

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import create_trial
from tiny_study import tiny_facts

from dashboard import published
from lethe.display.front_table import plain_front
from lethe.search.ledger import Ledger
from lethe.search.warm_start import Sought, start_from
from lethe.store.snapshot import Reader
from lethe.store.storage import open_storage
from lethe_cli.imports import import_results
from lethe_cli.main import new_app, run
from lethe_cli.starting import known_of
from search_spaces.mean_teacher import SPACE_7B
from trainables.methods.mean_teacher import MeanTeacher

ARGS = {"loss": "npo", "penalty": "kl", "lr": 1e-5, "delta": 0, "damp": 5.0, "seed": 1, "gen_eval_name": "news"}
LOG = [
    {"args": ARGS},
    *({"epoch": e, "metrics": {"verbmem_f": v, "knowmem_f": v, "knowmem_r": 50.0}} for e, v in ((-1, 60.0), (0, 20.0))),
]
MUSE = "name,verbmem_f,privleak,knowmem_f,knowmem_r\nga,1,2,3,4\nnpo,2,1,3,5\nbad,x,2,3,4\n"


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/studies.db"


@pytest.fixture
def log(tmp_path):
    file = tmp_path / "seed_1.out"
    file.write_text("".join(json.dumps(line) + "\n" for line in LOG))
    return str(file)


def muse(tmp_path):
    (tmp_path / "muse.csv").write_text(MUSE)
    return str(tmp_path / "muse.csv")


def facts_of(url, name="theirs"):
    return Reader(url, name).read().facts


def test_a_log_becomes_a_study_of_the_method_with_its_settings_by_lethe_s_names(url, log):
    import_results([log], "theirs", storage=url)
    study = Reader(url, "theirs").read()
    row = study.candidates.iloc[-1]
    assert {name: row[name] for name in study.parameters} == {
        **{"forget_loss": "npo_sequence_mean", "penalty": "kl", "lr": 1e-5, "delta": 0.0, "damping": 5.0, "seed": 1},
    }
    about = study.facts.about
    assert (about["method"], about["benchmark"], about["imported"]) == ("mean_teacher", "muse-news", "mean-teacher")
    assert [o.score for o in study.facts.objectives] == ["verbmem_f", "knowmem_f", "knowmem_r"]
    assert study.facts.references["target"]["verbmem_f"][0] == 60.0


def test_of_several_benchmarks_the_target_is_the_one_that_most_runs_of_the_study_s_start_from(url, tmp_path, capsys):
    def written(seed, corpus, network, *verbmem):
        lines = [{"args": ARGS | {"seed": seed, "gen_eval_name": corpus, "network": network}}]
        scores = [{"verbmem_f": v, "knowmem_f": v, "knowmem_r": 50.0} for v in verbmem]
        lines += [{"epoch": at - 1, "metrics": metrics} for at, metrics in enumerate(scores)]
        (tmp_path / f"seed_{seed}.out").write_text("".join(json.dumps(line) + "\n" for line in lines))
        return str(tmp_path / f"seed_{seed}.out")

    books = [written(seed, "books", "their/books", 99.0, 1.0) for seed in (1, 2)]
    news = [written(seed, "news", "their/news", start, 20.0, 10.0) for seed, start in ((3, 61.0), (4, 60.0), (5, 60.0))]
    import_results([*books, *news], "theirs", storage=url)
    facts = facts_of(url)
    assert (facts.about["benchmark"], facts.about["model"]) == ("muse-news", "their/news")
    assert facts.references["target"]["verbmem_f"][0] == 60.0
    assert capsys.readouterr().err.count("it is of muse-books, and the study of muse-news") == 4


def test_what_a_file_that_is_added_later_says_of_the_reference_models_is_added_too_and_what_is_known_stays(
    url, tmp_path, capsys
):
    def table(name, *lines):
        (tmp_path / name).write_text("\n".join(["name,verbmem_f,knowmem_r", *lines]))
        return str(tmp_path / name)

    import_results([table("first.csv", "npo,20,40")], "theirs", storage=url)
    assert facts_of(url).references == {}
    import_results([table("second.csv", "ga,10,30", "target,58,55")], "theirs", storage=url)
    import_results([table("third.csv", "target,70,55", "retrained,20,54")], "theirs", storage=url)
    known = facts_of(url).references
    assert {name: {s: v for s, (v, *_) in own.items()} for name, own in known.items()} == {
        "target": {"verbmem_f": 58.0, "knowmem_r": 55.0},
        "retrained": {"verbmem_f": 20.0, "knowmem_r": 54.0},
    }
    said = capsys.readouterr().out
    assert said.count("scores of its reference models: target\n") == 1
    assert said.count("scores of its reference models: retrained\n") == 1
    assert said.count("note: other scores of target are known already, and stay\n") == 1


def test_the_table_bears_scores_without_intervals(url, log):
    import_results([log], "theirs", storage=url)
    study = Reader(url, "theirs").read()
    front = plain_front(study.candidates, study.facts, study.parameters)
    assert [candidate["scores"]["verbmem_f"][0] for candidate in front] == [20.0]


def test_odd_rows_go_to_standard_error_with_file_and_line(url, tmp_path, capsys):
    import_results([muse(tmp_path)], "theirs", storage=url)
    out, err = capsys.readouterr()
    assert err == f"{tmp_path}/muse.csv:4: verbmem_f is 'x': it must be a finite number\n"
    assert "imported 2 runs with 2 candidates; 1 odd rows were left out\n" in out
    assert sorted(Reader(url, "theirs").read().candidates["role"]) == ["ga", "npo"]


def test_importing_again_adds_only_what_is_new(url, log, tmp_path, capsys):
    import_results([log], "theirs", storage=url)
    before = facts_of(url)
    with open(log, "a") as more:
        more.write(json.dumps(LOG[2] | {"epoch": 1}) + "\n")
    import_results([log], "theirs", storage=url)
    assert "imported 1 runs with 1 candidates; 2 candidates were there already\n" in capsys.readouterr().out
    assert (facts_of(url).id, len(Reader(url, "theirs").read().candidates)) == (before.id, 3)


OTHERWISE = {
    "npo": {"method": "npo"},
    "knowmem_f (minimize)": {"objectives": "knowmem_f"},
    "verbmem_f (maximize)": {"objectives": "verbmem_f:maximize,knowmem_f,knowmem_r"},
}


@pytest.mark.parametrize(("what", "flags"), OTHERWISE.items(), ids=OTHERWISE)
def test_what_a_study_that_is_there_cannot_have_is_refused_and_not_ignored(url, log, what, flags):
    import_results([log], "theirs", storage=url)
    before = facts_of(url)
    with pytest.raises(ValueError, match=f"^study 'theirs' (is of|has the) .*, not (of )?{re.escape(what)}[^\n]*$"):
        import_results([log], "theirs", storage=url, **flags)
    assert facts_of(url) == before


def test_a_format_of_another_method_is_not_added_to_a_study(url, log, tmp_path):
    import_results([muse(tmp_path)], "theirs", method="npo", storage=url)
    for sources in ([log], [log, muse(tmp_path)]):
        with pytest.raises(
            ValueError, match="^study 'theirs' is of npo, not of mean_teacher: import into a study of i"
        ):
            import_results(sources, "theirs", storage=url)


def test_a_method_that_is_said_too_late_is_refused(url, tmp_path):
    import_results([muse(tmp_path)], "theirs", storage=url)
    with pytest.raises(ValueError, match="^study 'theirs' is of no method that is known, not of npo: import into a s"):
        import_results([muse(tmp_path)], "theirs", method="npo", storage=url)


def test_the_same_command_may_be_given_again(url, log, tmp_path, capsys):
    flags = {"objectives": "knowmem_r,verbmem_f:minimize", "storage": url}
    for _ in range(2):
        import_results([log, muse(tmp_path)], "theirs", **flags)
    assert "imported 0 runs with 0 candidates; 4 candidates were there already" in capsys.readouterr().out


def test_an_optuna_study_is_imported_by_a_mapping_with_what_its_store_does_not_say(url, tmp_path):
    theirs = f"sqlite:///{tmp_path}/theirs.db"
    study = optuna.create_study(storage=theirs, study_name="x", directions=["minimize", "maximize"])
    shape = {"rate": FloatDistribution(0.01, 1.0)}
    study.add_trial(create_trial(params={"rate": 0.5}, distributions=shape, values=[0.2, 0.9]))
    import_results(
        [f"{theirs}#x"],
        "theirs",
        columns=["score:verbmem_f=value_0*100", "score:knowmem_r=value_1*100", "lr=rate"],
        method="npo",
        benchmark="muse-news",
        protocol="their own",
        storage=url,
    )
    (row,) = Reader(url, "theirs").read().candidates.to_dict("records")
    assert (row["lr"], row["verbmem_f"], row["knowmem_r"]) == (0.5, 20.0, 90.0)
    about = facts_of(url).about
    assert [about[what] for what in ("method", "benchmark", "protocol")] == ["npo", "muse-news", "their own"]


def test_open_unlearning_s_handlers_are_methods_here(url, tmp_path):
    for handler, rate in (("NPO", "1e-5"), ("GradDiff", "3e-5"), ("DPO", "1e-4")):
        (tmp_path / handler / ".hydra").mkdir(parents=True)
        config = f"trainer:\n  handler: {handler}\n  args: {{learning_rate: {rate}}}\n  method_args: {{beta: 0.5, alpha: 2}}\n"
        (tmp_path / handler / ".hydra" / "config.yaml").write_text(config)
        scores = {"forget_quality": 0.5, "model_utility": 0.25}
        (tmp_path / handler / "TOFU_SUMMARY.json").write_text(json.dumps(scores))
    import_results([str(tmp_path)], "theirs", storage=url)
    trials = optuna.load_study(study_name="theirs", storage=url).trials
    assert [trial.params for trial in trials] == [
        {"method": "DPO", "DPO.lr": 1e-4, "DPO.beta": 0.5, "DPO.retain_weight": 2},
        {"method": "ga_gdr", "ga_gdr.lr": 3e-5, "ga_gdr.beta": 0.5, "ga_gdr.retain_weight": 2},
        {"method": "npo_gdr", "npo_gdr.lr": 1e-5, "npo_gdr.npo_beta": 0.5, "npo_gdr.retain_weight": 2},
    ]
    assert [(o.score, o.goal) for o in facts_of(url).objectives] == [
        ("forget_quality", "maximize"),
        ("model_utility", "maximize"),
    ]


def test_the_published_runs_that_ship_with_lethe_are_imported_whole(url, capsys):
    import_results([str(published.FOLDER / "mean_teacher_news_runs.csv")], "theirs", storage=url)
    assert "imported 27 runs with 219 candidates\n" in capsys.readouterr().out
    ours, theirs = published.news_runs().candidates, Reader(url, "theirs").read().candidates
    names = ["at", "verbmem_f", "knowmem_f", "knowmem_r", "privleak", "utility"]
    assert ours[names].to_numpy(float).tobytes() == theirs[names].to_numpy(float).tobytes()


def test_a_search_for_7b_models_begins_with_the_paper_s_own_values(url, capsys):
    import_results([str(published.FOLDER / "mean_teacher_news_runs.csv")], "paper", benchmark="muse-news", storage=url)
    assert " tune --benchmark muse-news --method mean_teacher --start-from paper " in capsys.readouterr().out
    ledger = Ledger.create(open_storage(url), "new", tiny_facts(about={"benchmark": "muse-news"}), SPACE_7B)
    sought = Sought(space=SPACE_7B, bases={"mean_teacher": MeanTeacher.defaults()})
    start = start_from(ledger, known_of(url, "paper"), sought, open_storage(url))
    assert ledger.trials.parameters() == [{"delta": d, "alpha": 0.05, "lr": 5e-4} for d in (0.005, 0.0025)]
    assert (start.told, start.queued) == (0, 2)
    assert start.left["delta outside the space"] == 13  # AdamW's, whose teacher stays as it was


BAD = {
    "no file": (["nosuch.out"], {}, "there is no file 'nosuch.out'"),
    "no format": (
        ["notes.txt"],
        {},
        "'notes.txt' has none of the formats that are known: say which, --as mean-teacher",
    ),
    "an unknown format": (["muse.csv"], {"kind": "wandb"}, "--as 'wandb' is unknown: choose mean-teacher, open-unl"),
    "another format": (
        ["muse.csv"],
        {"kind": "mean-teacher"},
        "'muse.csv' is no file of mean-teacher: its head is name",
    ),
    "no mapping": (["other.csv"], {}, "of 'other.csv' no score is named: give --map score:knowmem_f=COLUMN"),
    "nothing but odd rows": (["odd.csv"], {}, "nothing was imported: odd.csv had 1 odd rows and nothing else"),
    "an empty folder": (["empty"], {}, "nothing was imported: empty had no row and nothing else"),
    "an objective that is not there": (
        ["muse.csv"],
        {"objectives": "utility"},
        "objective 'utility' is none of the sc",
    ),
    "no usual objective": (
        ["other.csv"],
        {"columns": ["score:f1=b"]},
        "none of the scores is a usual objective: name some, --objectives SCORE:GOAL (there: f1)",
    ),
    "a goal that is not known": (
        ["other.csv"],
        {"columns": ["score:f1=b"], "objectives": "f1"},
        "where 'f1' should go is not known: give f1:GOAL with one of minimize, maximize, zero",
    ),
}


@pytest.mark.parametrize(("sources", "flags", "message"), BAD.values(), ids=BAD)
def test_a_mistake_is_told_in_one_line_and_makes_no_study(url, tmp_path, monkeypatch, sources, flags, message):
    monkeypatch.chdir(tmp_path)
    muse(tmp_path)
    (tmp_path / "empty").mkdir()
    for name, text in {"notes.txt": "hello", "other.csv": "a,b\n1,2\n", "odd.csv": "name,privleak\nx,y\n"}.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}[^\\n]*$"):
        import_results(sources, "theirs", storage=url, **flags)
    assert optuna.get_all_study_names(open_storage(url)) == []


def test_the_command_ends_with_0_where_something_was_imported_and_with_2_where_nothing_was(url, tmp_path, monkeypatch):
    app = new_app()
    app.command("import")(import_results)
    app.callback()(lambda: None)
    for name, text in {"some.csv": MUSE, "none.csv": "name,privleak\nx,y\n"}.items():
        (tmp_path / name).write_text(text)
    codes = []
    for name in ("some.csv", "none.csv"):
        with pytest.raises(SystemExit) as end:
            run(app, ["import", str(tmp_path / name), "--name", "theirs", "--storage", url])
        codes.append(end.value.code)
    assert codes == [0, 2]
