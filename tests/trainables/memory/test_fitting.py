"""A run that cannot fit is refused in one line, and every change that the line proposes does fit."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seven import BIG, seven_shape

from trainables.memory.fitting import MOST_PROPOSALS, Memory, check_fit, fits, proposals
from trainables.memory.plan import GIB, plan
from trainables.methods.mean_teacher import MeanTeacher


def changed(config, change):
    return replace(config, **dict(change.settings))


def test_what_fits_is_planned_and_what_is_not_known_is_not_refused():
    assert check_fit(seven_shape(), BIG, 8, Memory(gpu=80 * GIB)) == plan(seven_shape(), BIG, 8)
    assert check_fit(seven_shape(), BIG, 1, Memory()) == plan(seven_shape(), BIG, 1)


@pytest.mark.parametrize(
    ("config", "workers", "memory", "message"),
    [
        (replace(BIG, parallel="ddp"), 8, Memory(gpu=80 * GIB), "--set parallel=fsdp"),
        (BIG, 1, Memory(gpu=80 * GIB), "--workers 4"),
        (replace(BIG, checkpointing=False, max_length=2048), 8, Memory(gpu=48 * GIB), "--set checkpointing=true, or --set micro_batch_size=2"),
        (BIG, 8, Memory(gpu=80 * GIB, host=500 * GIB), "it fits with --workers 4"),
        (BIG, 8, Memory(gpu=4 * GIB), "neither bf16, checkpointing, smaller batches nor fsdp on up to 64 workers"),
    ],
)  # fmt: skip
def test_a_refusal_is_one_line_that_says_what_is_needed_what_there_is_and_what_would_fit(
    config, workers, memory, message
):
    with pytest.raises(ValueError, match=r"this run needs [\d.]+ GiB .*, and there are [\d.]+: ") as caught:
        check_fit(seven_shape(), config, workers, memory)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("parallel", "workers", "gpu", "alone", "shared"),
    [
        ("ddp", 8, 80, ["--set parallel=fsdp"], []),
        ("ddp", 1, 80, ["--workers 4 --set parallel=fsdp"], []),
        ("fsdp", 1, 150, ["--set score_batch=8", "--workers 2"], ["--set score_batch=8"]),
    ],
)
def test_no_shards_are_proposed_where_workers_share_a_gpu(parallel, workers, gpu, alone, shared):
    config = replace(BIG, parallel=parallel)
    for is_shared, expected in ((False, alone), (True, shared)):
        found = proposals(seven_shape(), config, workers, Memory(gpu=gpu * GIB, shared=is_shared))
        assert [change.flags() for change in found] == expected


@settings(max_examples=50)
@given(
    workers=st.sampled_from([1, 2, 3, 8]),
    gpu=st.integers(8, 200),
    parallel=st.sampled_from(["ddp", "fsdp"]),
    precision=st.sampled_from(["fp32", "bf16"]),
    checkpointing=st.booleans(),
    micro=st.integers(1, 40),
)
def test_every_proposal_fits_and_needs_each_of_its_changes(workers, gpu, parallel, precision, checkpointing, micro):
    config = MeanTeacher(
        parallel=parallel,
        precision=precision,
        checkpointing=checkpointing,
        micro_batch_size=micro,
        batch_size=40,
        max_length=1024,
    )
    memory = Memory(gpu=gpu * GIB)
    found = proposals(seven_shape(), config, workers, memory)
    assert len(found) <= MOST_PROPOSALS
    for change in found:
        assert fits(plan(seven_shape(), changed(config, change), change.workers or workers), memory)
    if not fits(plan(seven_shape(), config, workers), memory):
        for change in found:
            for name in {name for name, _ in change.settings}:
                rest = replace(change, settings=tuple(pair for pair in change.settings if pair[0] != name))
                assert not fits(plan(seven_shape(), changed(config, rest), rest.workers or workers), memory)
