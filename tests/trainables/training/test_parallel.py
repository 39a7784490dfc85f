"""The number of workers changes nothing: not the trajectory, not the teacher, not the scores; whole or in shards."""

import dataclasses
import math
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import sharded_preset
import torch
from given import GIVEN
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError
from team import team
from tiny import VOCABULARY, tiny_benchmark, tiny_model, tiny_tokenizer

from trainables.failures import Diverged
from trainables.memory.plan import LOSS, plan, shape_of
from trainables.method import Candidate, Evaluated, State, Step
from trainables.methods import METHODS, find_method, unlearn
from trainables.methods.mean_teacher import MeanTeacher
from trainables.runs import resume
from trainables.runs.run_folder import RunFolder
from trainables.runs.sameness import bits_of
from trainables.scores.evaluate import Evaluator
from trainables.scores.protocol import PROTOCOLS
from trainables.settings import Descent
from trainables.subjects.reinforced import Reinforced
from trainables.subjects.saving import load_subject, save_subject
from trainables.subjects.subject import models_of
from trainables.training.parallel import deal, gathered, lay_out, local, whole_state
from trainables.training.teacher import contract_, make_teacher
from trainables.training.trainable import freeze
from trainables.world import ALONE, World, join

RUN = MeanTeacher(lr=0.05, delta=0.1, batch_size=7, micro_batch_size=2, steps=4, eval_every=2, warmup_steps=1)
CLOSE = 1e-5
KEY = "key of the run"
LAYOUTS = [(2, "ddp"), (2, "fsdp"), (3, "ddp"), (3, "fsdp")]


@pytest.fixture(scope="module")
def teams():
    """Two workers and three."""
    with team(2) as two, team(3) as three:
        yield {2: two, 3: three}


def sequences(seed: int, count: int, longest: int = 14) -> list[list[int]]:
    """Token sequences of ragged lengths."""
    rng = np.random.default_rng(seed)
    return [[0, *rng.integers(3, VOCABULARY, rng.integers(1, longest)).tolist()] for _ in range(count)]


def play(world: World, config: Descent, seed: int = 0, **going_on) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """A whole run: what each of its steps saw, a row each, and the weights of every candidate by its name."""
    steps, weights = [], {}
    texts = sequences(seed, 6), sequences(seed + 1, 5)
    for record in unlearn(tiny_model(), *texts, config, pad=2, world=world, **GIVEN, **going_on):
        if isinstance(record, Step):
            steps.append([*record.values.values(), record.cost])
        elif isinstance(record, Candidate):
            weights[record.name] = flat(record.subject)
    return np.array(steps), weights


def flat(subject) -> np.ndarray:
    """All weights in one row; empty on the workers that do not get those of a sharded model."""
    states = [whole_state(model) for model in models_of(subject)]
    return np.concatenate(
        [np.empty(0, np.float32), *(state[name].numpy().ravel() for state in states for name in sorted(state))]
    )


@cache
def alone(config: Descent, seed: int = 0):
    return play(ALONE, config, seed)


def assert_same_run(results, expected, close: float = CLOSE) -> None:
    """Every worker saw the steps of the one worker, and the first has its candidates' weights."""
    for steps, _ in results:
        for row, wanted in zip(steps, expected[0], strict=True):
            np.testing.assert_allclose(row, wanted, rtol=close, atol=close)
    assert results[0][1].keys() == expected[1].keys()
    for name, weights in results[0][1].items():
        start = flat(tiny_model())
        moved = np.linalg.norm(expected[1][name] - np.resize(start, len(expected[1][name])))
        assert moved > 0
        assert np.linalg.norm(weights - expected[1][name]) <= close * np.linalg.norm(expected[1][name])


@pytest.mark.slow
@pytest.mark.parametrize(("size", "parallel"), LAYOUTS)
def test_the_trajectory_is_that_of_one_worker(teams, size, parallel):
    results = teams[size].run(play, dataclasses.replace(RUN, parallel=parallel))
    assert_same_run(results, alone(RUN))


OWN = {
    "mean_teacher": {"lr": 0.05, "delta": 0.1},
    "first_epoch": {"warmup_steps": 0},
    "icu": {"forgotten_below": 0.0},
    "klue": {"look_every": 100},
    "pdu": {"lam0": 50.0, "lam_warmup": 1},  # in bf16 rounding chooses the highest word, whose part is small here
    "rmu": {"layer": 1},
    "rmu_adaptive": {"layer": 1},
    "undial": {"lr": 1e-4},  # its first gradient is small: larger steps turn bf16's rounding into another run
    "task_vector": {"alpha": 2.0, "halvings": 1},
    "whp_logits": {"alpha": 2.0, "halvings": 1},
    "whp": {"overfit_steps": 3},
    "uld": {"halvings": 1, "blocks": 1},
}
SAME = {"batch_size": 7, "micro_batch_size": 2, "steps": 4, "eval_every": 2, "warmup_steps": 1, "lr": 1e-3}
# One of each kind of run: a body of its own, a reference that is cached, or one that is compared with in every step.
KINDS = (
    *("mean_teacher", "ga_gdr", "ga_klr", "npo_gdr", "npo_klr", "undial", "pdu", "dpo"),
    *("rmu_adaptive", "task_vector", "whp_logits", "uld", "whp"),
)
LAID_OUT = [(name, parallel) for name in KINDS for parallel in find_method(name).settings.allowed()["parallel"].choices]
DESCENTS = [name for name in METHODS if issubclass(find_method(name).settings, Descent)]
each_kind_laid_out = pytest.mark.parametrize(("name", "parallel"), LAID_OUT)
each_method_laid_out = pytest.mark.parametrize(
    ("name", "parallel"), dict.fromkeys([*((name, "ddp") for name in DESCENTS), *LAID_OUT])
)


def settings_of(name: str, **changes):
    return find_method(name).settings(**(SAME | OWN.get(name, {}) | changes))


@pytest.mark.slow
@each_method_laid_out
def test_every_method_s_trajectory_on_two_workers_is_that_of_one(teams, name, parallel):
    results = teams[2].run(play, settings_of(name, parallel=parallel))
    assert_same_run(results, alone(settings_of(name)))


@pytest.mark.slow
@each_kind_laid_out
def test_every_kind_s_trajectory_in_bf16_is_nearly_that_of_one_worker(teams, name, parallel):
    results = teams[2].run(play, settings_of(name, parallel=parallel, precision="bf16"))
    assert_same_run(results, alone(settings_of(name, precision="bf16")), close=0.05)


@pytest.mark.slow
@each_kind_laid_out
def test_every_kind_of_run_goes_on_with_another_number_of_workers_from_wherever_it_rests(
    teams, tmp_path, name, parallel
):
    config, way = settings_of(name), settings_of(name, parallel=parallel)
    for rest in range(1, 9):
        place = tmp_path / f"{rest}"
        if not all(teams[2].run(interrupted, way, place, rest)):
            break
        expected = left_of(alone(config), place)
        assert_same_run([resumed(ALONE, config, place)], expected)
        assert_same_run(teams[3].run(resumed, way, place), expected)
    assert rest > 1


@pytest.mark.slow
@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_with_adapters_a_run_goes_on_with_another_number_of_workers_also_from_between_two_mixtures(
    teams, tmp_path, parallel
):
    config = dataclasses.replace(RUN, lora_rank=2, lr=0.5, mixes=2)
    way = dataclasses.replace(config, parallel=parallel)
    for rest in (1, 3):  # at step 2, and behind the first mixture
        place = tmp_path / f"{rest}"
        assert all(teams[2].run(interrupted, way, place, rest))
        expected = left_of(alone(config), place)
        assert_same_run([resumed(ALONE, config, place)], expected)
        assert_same_run(teams[3].run(resumed, way, place), expected)


VARIANTS = {
    "adamw": {"optimizer": "adamw", "lr": 1e-3},
    "npo": {"forget_loss": "npo_sequence_mean"},
    "simnpo, gdr": {"forget_loss": "simnpo", "penalty": "gdr"},
    "mismatch, qkl": {"forget_loss": "mismatch", "penalty": "qkl"},
    "no penalty": {"penalty": "none"},
    "nothing frozen": {"freeze": False},
    "activation checkpointing": {"checkpointing": True},
    "adapters": {"lora_rank": 2, "lr": 0.5},
    "mixtures": {"mixes": 1},
    "mixtures of adapters": {"lora_rank": 3, "lr": 0.5, "mixes": 2, "optimizer": "adamw"},
    "fewer sequences than workers": {"batch_size": 1},
}


@pytest.mark.slow
@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_loss_penalty_and_optimizer_is_the_same_on_three_workers(teams, variant, parallel):
    config = dataclasses.replace(RUN, **VARIANTS[variant])
    results = teams[3].run(play, dataclasses.replace(config, parallel=parallel))
    assert_same_run(results, alone(config))


@pytest.mark.slow
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.sampled_from([2, 3]),
    parallel=st.sampled_from(["ddp", "fsdp"]),
    batch=st.integers(1, 9),
    micro=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_whatever_the_batch_its_split_and_its_padding_are(teams, size, parallel, batch, micro, seed):
    config = dataclasses.replace(RUN, batch_size=batch, micro_batch_size=micro, steps=2, seed=seed)
    results = teams[size].run(play, dataclasses.replace(config, parallel=parallel), seed)
    assert_same_run(results, play(ALONE, config, seed))


@given(rows=st.lists(st.integers(0, 99), min_size=1, max_size=20), size=st.integers(1, 7))
def test_a_batch_is_dealt_out_whole_and_evenly(rows, size):
    hands = [deal(rows, World(rank, size)) for rank in range(size)]
    dealt = [row for mine, weights in hands for row, weight in zip(mine, weights, strict=True) if weight]
    assert sorted(dealt) == sorted(rows)
    assert {len(mine) for mine, _ in hands} == {math.ceil(len(rows) / size)}


def average_in_shards(world: World) -> bool:
    """Whether an average over shards has the bits of the average over whole weights."""
    student, other = tiny_model(0), tiny_model(1)
    expected = make_teacher(other)
    contract_(list(expected.parameters()), list(student.parameters()), 0.3)
    config = MeanTeacher(parallel="fsdp")
    lay_out((student, other), config, world)
    with torch.no_grad():
        contract_(local(list(other.parameters())), local(list(student.parameters())), 0.3)
    found, wanted = whole_state(other), expected.state_dict()
    return world.rank > 0 or all(torch.equal(found[name], wanted[name]) for name in wanted)


@pytest.mark.slow
@pytest.mark.parametrize("size", [2, 3])
def test_the_sharded_teacher_has_the_bits_of_the_whole_one(teams, size):
    assert teams[size].run(average_in_shards) == [True] * size


def score(world: World, parallel: str):
    """Scores and items of a model, whole or sharded, after the teacher took part of it: on every worker."""
    evaluator = Evaluator(tiny_benchmark(), tiny_tokenizer(), PROTOCOLS["muse"], None, batch_size=3)
    evaluator = evaluator.with_reference(evaluator.reference_of(tiny_model(1)))
    evaluator.world = world
    model, teacher = tiny_model(0), tiny_model(2)
    lay_out((model, teacher), MeanTeacher(parallel=parallel), world)
    with gathered(model):
        evaluation = evaluator(model)
    return evaluation.scores, evaluation.items


@pytest.mark.slow
@pytest.mark.parametrize(("size", "parallel"), LAYOUTS)
def test_scores_shared_out_among_workers_are_those_of_one(teams, size, parallel):
    scores, items = score(ALONE, "ddp")
    for found, found_items in teams[size].run(score, parallel):
        assert found.keys() == scores.keys()
        for name, value in scores.items():
            assert dataclasses.astuple(found[name]) == pytest.approx(dataclasses.astuple(value), rel=CLOSE), name
        assert found_items.drop(columns="value").equals(items.drop(columns="value"))


def score_pair(world: World, parallel: str, place: str):
    """Scores and outputs of two models that score together, whole or sharded, and are then written: on every worker."""
    evaluator = Evaluator(tiny_benchmark(), tiny_tokenizer(), PROTOCOLS["muse"], None, batch_size=3, world=world)
    evaluator = evaluator.with_reference(evaluator.reference_of(tiny_model(1)))
    reinforced, other = tiny_model(0), tiny_model(2)
    freeze(reinforced)
    target = make_teacher(reinforced)
    with torch.no_grad():
        for weight, value in zip(reinforced.parameters(), other.parameters(), strict=True):
            weight.lerp_(value, 0.3 * weight.requires_grad)
    subject = Reinforced(target, reinforced, 4.0)
    lay_out(subject.models, MeanTeacher(parallel=parallel), world)
    with gathered(*subject.models):
        evaluation = evaluator(subject)
    weights = [whole_state(model) for model in subject.models]
    world.on_first(lambda: save_subject(subject, tiny_tokenizer(), Path(place), weights))
    again = evaluator(load_subject(place))
    return evaluation.scores, evaluation.items.output.tolist(), again.items.output.tolist()


@pytest.mark.slow
@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_two_models_that_score_together_score_and_are_written_as_on_one_worker(teams, tmp_path, parallel):
    scores, outputs, _ = score_pair(ALONE, "ddp", str(tmp_path / "alone"))
    for found, written, again in teams[2].run(score_pair, parallel, str(tmp_path / "pair")):
        assert written == again == outputs
        for name, value in scores.items():
            assert dataclasses.astuple(found[name]) == pytest.approx(dataclasses.astuple(value), rel=CLOSE), name


def interrupted(world: World, config: Descent, place: Path | str, rest: int = 1) -> bool:
    """Run until it rests for the given time, and save, with the names of what was scored; whether it came there."""
    folder, results, names, rests = RunFolder(place), [], [], 0
    folder.path.mkdir(exist_ok=True)
    for record in unlearn(tiny_model(), sequences(0, 6), sequences(1, 5), config, pad=2, world=world, **GIVEN):
        if isinstance(record, Candidate):
            names.append(record.name)
        elif isinstance(record, Evaluated) and record.state:
            results, names, rests = results + ([{"scored": names}] if names else []), [], rests + 1
            if rests == rest:
                resume.save(folder, KEY, record.state, results, world)
                return True
    return False


def left_of(whole, place: Path | str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Of a run that nothing happened to, the part behind a saved state."""
    saved = resume.find(RunFolder(place), KEY)
    scored = [name for result in saved.results for name in result["scored"]]
    steps, weights = whole
    return steps[saved.step :], {name: weights[name] for name in weights if name not in scored}


def resumed(world: World, config: Descent, place: Path | str):
    """Go on from a saved state: what the steps that were left saw, and the candidates that were left."""
    folder = RunFolder(place)
    saved = world.on_first(lambda: resume.find(folder, KEY))

    def restore(state: State) -> None:
        resume.load(folder, saved, state, world)

    return play(world, config, done=saved.step, evaluated=len(saved.results), restore=restore)


@pytest.mark.parametrize(("optimizer", "warm_start"), [("sgd", 0), ("adamw", 0), ("sgd", 1), ("sgd", 2), ("sgd", 3)])
def test_a_run_that_goes_on_from_its_state_has_the_bits_of_one_that_was_never_interrupted(
    tmp_path, optimizer, warm_start
):
    config = dataclasses.replace(RUN, optimizer=optimizer, lr=0.01, warm_start=warm_start)
    interrupted(ALONE, config, tmp_path / "state")
    steps, weights = resumed(ALONE, config, tmp_path / "state")
    expected = left_of(alone(config), tmp_path / "state")
    assert np.array_equal(steps, expected[0])
    assert weights.keys() == expected[1].keys() == {"step-00004-student", "step-00004-teacher"}
    assert all(np.array_equal(weights[name], expected[1][name]) for name in weights)
    assert resume.find(RunFolder(tmp_path / "state"), KEY).step == 2


@pytest.mark.slow
@pytest.mark.parametrize(("saved_by", "parallel"), LAYOUTS)
@pytest.mark.parametrize("kind", ["", "file://"])
def test_a_run_goes_on_with_another_number_of_workers(teams, tmp_path, saved_by, parallel, kind):
    config = dataclasses.replace(RUN, parallel=parallel)
    place = f"{kind}{tmp_path}/state"
    teams[saved_by].run(interrupted, config, place)
    expected = left_of(alone(RUN), place)
    for results in ([resumed(ALONE, RUN, place)], teams[5 - saved_by].run(resumed, config, place)):
        assert_same_run(results, expected)


@pytest.mark.parametrize(
    ("place", "failure"),
    [
        ("pathlib.Path.write_text", OSError(28, "No space left on device")),
        ("trainables.runs.resume.save_file", SafetensorError("No space left on device")),  # which is no OSError
    ],
)
def test_a_state_that_cannot_be_written_leaves_the_older_one(tmp_path, monkeypatch, place, failure):
    longer = dataclasses.replace(RUN, steps=6)
    interrupted(ALONE, longer, tmp_path / "state")
    before = resume.find(RunFolder(tmp_path / "state"), KEY)

    def full(*args, **kwargs):
        raise failure

    monkeypatch.setattr(place, full)
    with pytest.raises(OSError, match="No space left"):
        interrupted(ALONE, longer, tmp_path / "state", rest=2)
    monkeypatch.undo()
    assert resume.find(RunFolder(tmp_path / "state"), KEY) == before
    assert len(resumed(ALONE, longer, tmp_path / "state")[0]) == 4


def diverge(world: World) -> str:
    """What a run with a NaN in one worker's model says."""
    model = tiny_model()
    if world.rank == 1:
        with torch.no_grad():
            next(p for p in model.parameters() if p.dim() == 2 and p.shape[0] == 32).fill_(math.nan)
    try:
        list(unlearn(model, sequences(0, 6), sequences(1, 5), RUN, pad=2, world=world))
    except Diverged as error:
        return str(error)
    return ""


@pytest.mark.slow
def test_workers_diverge_together(teams):
    found = teams[2].run(diverge)
    assert found[0] == found[1]
    assert found[0].startswith("step 1:")


def fail_on_first(world: World) -> str:
    """What reaches a worker of an OSError on the first one."""

    def action() -> None:
        raise OSError(28, "No space left on device")

    try:
        world.on_first(action)
    except OSError as error:
        return f"{error.errno}"
    return ""


@pytest.mark.slow
def test_what_the_first_worker_does_or_fails_to_do_reaches_all(teams):
    assert teams[2].run(fail_on_first) == ["28", "28"]
    assert teams[2].run(World.share, "mine") == ["mine", "mine"]


def test_a_worker_that_accelerate_finds_alone_is_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr("trainables.world.PartialState", lambda cpu: SimpleNamespace(num_processes=1))
    with pytest.raises(RuntimeError, match="2 workers were started, but this one sees 1 processes"):
        join()


@pytest.mark.slow
def test_a_team_s_failure_reaches_the_test(teams):
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        teams[2].run(divide)


def divide(world: World) -> float:
    """Raises."""
    return 1 / 0


def test_half_precision_computes_near_the_full_one_and_keeps_its_weights_whole():
    steps, weights = alone(dataclasses.replace(RUN, precision="bf16"))
    assert weights["step-00004-teacher"].dtype == np.float32
    assert not np.array_equal(steps, alone(RUN)[0])
    np.testing.assert_allclose(steps[:, 0], alone(RUN)[0][:, 0], rtol=0.05, atol=0.01)


@pytest.fixture(scope="module")
def preset(teams):
    """What each of two workers held and saw as it ran the preset of muse-news."""
    return teams[2].run(sharded_preset.held_and_seen)


@pytest.mark.slow
def test_two_workers_hold_the_shards_that_the_plan_says(preset):
    assert [(worker["rank"], worker["size"]) for worker in preset] == [(0, 2), (1, 2)]
    shape = shape_of(tiny_model(**sharded_preset.ODD).config)
    planned = plan(shape, sharded_preset.CONFIG, 2).phases[LOSS]
    assert preset[0]["held"] == {part: planned[part] for part in preset[0]["held"]}


@pytest.mark.slow
def test_two_workers_of_a_preset_see_the_losses_of_the_whole_batch(preset):
    assert preset[0]["losses"] == preset[1]["losses"]
    assert all(math.isfinite(loss) for loss in preset[0]["losses"])


def hashes(world: World, parallel: str) -> list[tuple[str, ...]]:
    """Of a model, of a copy of it, and of a copy in which one worker's last weight is another."""
    models = [tiny_model() for _ in range(3)]
    lay_out(models, dataclasses.replace(RUN, parallel=parallel), world)
    if world.rank == world.size - 1:
        with torch.no_grad():
            local(list(models[2].parameters()))[-1].view(-1)[-1] += 1
    return [bits_of(model, world) for model in models]


@pytest.mark.slow
@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_that_a_subject_is_what_was_scored_is_known_to_all_workers_alike(teams, parallel):
    first, *others = teams[2].run(hashes, parallel)
    assert others == [first]
    one, copy, moved = first
    assert one == copy
    assert [a == b for a, b in zip(one, moved, strict=True)] == [True, False]
