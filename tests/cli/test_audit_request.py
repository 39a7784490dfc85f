"""What an audit is asked for is checked before torch or Ray is loaded: every mistake is one line."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_dashboard import make_study
from tiny_handover import ID, run_study
from tiny_study import run_trial, tiny_ledger

from lethe.store.snapshot import Reader
from lethe.store.storage import open_storage
from lethe_cli import audit_request
from lethe_cli.audit import DEFAULT, MOST
from lethe_cli.audit_request import batch_of, choose_candidates, folder_of, make_request
from trainables.methods.mean_teacher import MeanTeacher
from trainables.probes import parse


@pytest.fixture(scope="module")
def url(tiny, tmp_path_factory):
    """A study of one trial whose weights are kept."""
    return run_study(tiny, tmp_path_factory.mktemp("real"), MeanTeacher(steps=2, batch_size=2, eval_every=1))


@pytest.fixture
def request_of(url, tiny, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(Path(tiny.cache()).parent))

    def make(*candidates, study="real", probes=DEFAULT, url=url, **more):
        return make_request(study, candidates, probes, url, most=MOST, **more)

    return make


def test_the_models_are_the_target_the_retrained_one_and_the_candidates_that_are_named(request_of, tiny, url):
    request = request_of("0@step/2/student", "recommended")
    table = Reader(url, "real").read().candidates
    own = table[(table["at"] == 2) & (table["role"] == "student")]["weights"].iloc[0]
    assert list(request.models)[:2] == ["target", "retrained"]
    assert request.models["target"] == tiny.places()["model"]
    assert request.models["0@step/2/student"] == own
    assert 1 <= len(request.candidates) <= 2
    assert request.folder == f"{Path(own).parents[1]}/audits"
    assert (request.probes, request.cpus, request.gpus) == (DEFAULT, 1, 0)


def test_by_default_candidates_stand_for_the_front(request_of, url):
    front = Reader(url, "real").read().candidates.query("front")
    request = request_of()
    assert set(request.candidates) <= {f"{r.trial}@{r.axis}/{r.at}/{r.role}" for r in front.itertuples()}
    assert len(request.candidates) >= 1


def test_of_a_long_front_a_few_stand_for_it_and_that_is_said(tmp_path):
    study, kept = _long_front(tmp_path)
    found, notes = choose_candidates(study, (), 3)
    assert len(found) == 3
    assert set(found.values()) <= set(kept)
    assert notes[0] == "2 of 12 candidates on the front have no weights any more"
    assert notes[1].startswith("3 of the front's 10 candidates stand for it, ")


def _long_front(folder):
    url = f"sqlite:///{folder}/studies.db"
    ledger = tiny_ledger(open_storage(url), id=ID)
    kept = []
    for i in range(12):
        weights = folder / f"tiny-{ID}" / f"trial-{i:05d}" / "step-10-student"
        if i < 10:
            weights.mkdir(parents=True)
            (weights / "model.safetensors").write_bytes(b"0")
            kept.append(str(weights))
        run_trial(ledger, verbmem_f=10.0 + i, knowmem_r=50.0 + i, weights=str(weights))
    return Reader(url, "tiny").read(), kept


def test_weights_that_are_not_kept_are_told_with_how_they_are_made_again(tmp_path, monkeypatch):
    url = make_study(tmp_path / "made")
    with pytest.raises(ValueError, match=r"^the weights of 0@step/\d+/\w+ are not kept"):
        make_request("tiny", ("0",), DEFAULT, url, most=MOST)
    with pytest.raises(ValueError, match=r"^the weights of no candidate on the front of study 'tiny' are kept$"):
        make_request("tiny", (), DEFAULT, url, most=MOST)


BAD = {
    "^probe 'melt' is unknown: choose one of quant, relearn_in": {"probes": ("melt",)},
    "has no study 'reel': the nearest is 'real'": {"study": "reel"},
    "^study 'real' has no trial 99 ": {"candidates": ("99",)},
    "^trial 0 has no candidate at step/77/student: the nearest are ": {"candidates": ("0@step/77/student",)},
    "^'best' names no candidate: give TRIAL@AXIS/AT/ROLE": {"candidates": ("best",)},
    "^--concurrent is 0": {"concurrent": 0},
    "^--cpus-per-worker is 0": {"cpus": 0},
}


@pytest.mark.parametrize(("said", "asked"), BAD.items(), ids=BAD)
def test_a_mistake_is_one_line(request_of, said, asked):
    asked = dict(asked)
    with pytest.raises(ValueError, match=said) as error:
        request_of(*asked.pop("candidates", ()), **asked)
    assert "\n" not in str(error.value)


def test_texts_that_are_others_now_are_no_study_s(request_of, tiny, monkeypatch):
    monkeypatch.setattr(audit_request.evidence, "find_made_from", lambda task, known: None)
    with pytest.raises(
        ValueError, match="^the texts or models that study 'real' was made from are not in their places"
    ):
        request_of()


def test_of_an_imported_study_there_is_no_model(request_of, monkeypatch):
    def imported(name, url):
        study = Reader(url, name).read()
        return replace(study, facts=replace(study.facts, about={**study.facts.about, "imported": "muse"}))

    monkeypatch.setattr(audit_request, "read_study", imported)
    with pytest.raises(ValueError, match="^study 'real' was imported: it has scores, and no models"):
        request_of()


def test_a_mistake_is_told_before_torch_or_ray_is_loaded():
    code = (
        "import sys, lethe_cli.audit_request as r\n"
        "try: r.make_request('a', ('1',), ('melt',), 'sqlite:////nowhere/at/all.db', most=8)\n"
        "except ValueError as error: print(error)\n"
        "sys.exit({'torch', 'ray'} & set(sys.modules) != set())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.startswith("probe 'melt' is unknown")
    assert done.returncode == 0, done.stderr


def test_tables_are_written_beside_the_candidates_also_below_a_url(tmp_path):
    study, _ = _long_front(tmp_path)
    here = {"0@step/10/student": f"{tmp_path}/tiny-{ID}/trial-00000/step-10-student"}
    assert folder_of(study, here) == f"{tmp_path}/tiny-{ID}/audits"
    far = {"0@step/10/student": f"s3://bucket/runs/tiny-{ID}/trial-00000/step-10-student"}
    assert folder_of(study, far) == f"s3://bucket/runs/tiny-{ID}/audits"
    lent = {"0@step/10/student": "/elsewhere/other-ffffffff/trial-00000/step-10-student"}
    assert folder_of(study, lent).endswith(f"/lethe-results/tiny-{ID}/audits")


def test_as_much_is_scored_at_once_as_in_the_study():
    assert batch_of({"score_batch": 16, "lr": 1.0}) == 16
    assert batch_of({"npo": {"score_batch": 32}, "rmu": {"score_batch": 8}}) == 8
    assert batch_of({}) == 128


def test_the_default_probes_are_known_by_their_names():
    assert [parse(name).name for name in DEFAULT] == list(DEFAULT)


def test_weights_of_a_candidate_that_is_named_may_lie_nowhere_else(request_of, url, tmp_path):
    table = Reader(url, "real").read().candidates
    place = Path(table[table["front"]].iloc[0]["weights"])
    name = f"0@step/{table[table['front']].iloc[0]['at']}/{table[table['front']].iloc[0]['role']}"
    shutil.move(place, tmp_path / "away")
    try:
        with pytest.raises(ValueError, match=f"^the weights of {name} are not kept"):
            request_of(name)
    finally:
        shutil.move(tmp_path / "away", place)
