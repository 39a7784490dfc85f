"""What ends a run at once, and what may be the loss of another worker; memory and disks that are really full."""

import shutil

import pytest
import torch
from disks import needs_mount, small_disk
from hypothesis import given
from hypothesis import strategies as st
from tiny import tiny_model, tiny_tokenizer

from trainables.failures import Diverged, OutOfMemory, enough_memory, in_a_line, is_memory, may_be_a_lost_worker
from trainables.subjects.models import save_model

FULL = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.10 GiB"),
    RuntimeError("CUDA error: out of memory"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    MemoryError(),
]
OTHERS = [RuntimeError("Connection closed by peer [10.0.0.2]:4711"), RuntimeError("CUDA error: device-side assert")]
gone_or_not = pytest.mark.parametrize("gone", [True, False])


def too_much():
    """What torch really raises where the host has no memory left."""
    torch.empty(10**15)


def test_memory_that_is_full_is_known_by_what_torch_really_says():
    with pytest.raises(RuntimeError) as caught:
        too_much()
    assert is_memory(caught.value)


@pytest.mark.parametrize("error", FULL, ids=str)
@gone_or_not
def test_full_memory_is_never_the_loss_of_another_worker(error, gone):
    assert is_memory(error)
    assert not may_be_a_lost_worker(error, workers=2, group_is_gone=gone)


@pytest.mark.parametrize("error", OTHERS, ids=str)
def test_another_error_of_torch_s_may_be(error):
    assert not is_memory(error)
    assert may_be_a_lost_worker(error, workers=2, group_is_gone=False)
    with pytest.raises(RuntimeError) as caught, enough_memory("training"):
        raise error
    assert caught.value is error


@gone_or_not
@pytest.mark.parametrize("error", [*OTHERS, RuntimeError("index out of range in self"), ValueError("no such loss")])
def test_nothing_is_of_the_only_worker(error, gone):
    assert not may_be_a_lost_worker(error, workers=1, group_is_gone=gone)


@pytest.mark.parametrize("error", [Diverged("step 3"), OSError("disk full"), ValueError("no such loss")])
def test_all_else_may_be_only_once_the_group_is_gone(error):
    assert [may_be_a_lost_worker(error, workers=2, group_is_gone=gone) for gone in (False, True)] == [False, True]


@pytest.mark.parametrize(
    ("error", "asked"),
    [(FULL[0], ", where 2.00 GiB more were asked for"), (FULL[1], ""), (FULL[3], "")],
)
def test_what_is_told_is_one_line_with_what_was_done_what_was_asked_for_and_what_needs_less(error, asked):
    with pytest.raises(OutOfMemory) as caught, enough_memory("scoring", lambda: "; less is needed with --set x=1"):
        raise error
    assert str(caught.value) == f"memory is full while scoring{asked}; less is needed with --set x=1"


def test_the_innermost_place_where_memory_was_full_is_told():
    with (
        pytest.raises(OutOfMemory, match="^memory is full while scoring, where 4000000000000000 bytes more were asked"),
        enough_memory("training"),
        enough_memory("scoring"),
    ):
        too_much()


@given(st.text())
def test_an_error_is_one_line_whatever_it_says(text):
    assert len(in_a_line(OSError(text)).splitlines()) == 1
    assert in_a_line(OSError(text)).startswith("OSError: ")


@needs_mount
@pytest.mark.parametrize("left", [100_000, 170_000])  # too little for the weights (153,304 bytes), or for the tokenizer
def test_a_model_that_a_full_disk_does_not_take_is_an_os_error_and_the_older_one_stays(left, tmp_path):
    model, tokenizer = tiny_model(), tiny_tokenizer()
    with small_disk(tmp_path / "disk", "400k") as disk:
        save_model(model, tokenizer, disk / "weights")
        before = (disk / "weights" / "model.safetensors").read_bytes()
        (disk / "ballast").write_bytes(bytes(shutil.disk_usage(disk).free - left))
        with pytest.raises(OSError, match="No space left on device"):
            save_model(model, tokenizer, disk / "weights")
        assert (disk / "weights" / "model.safetensors").read_bytes() == before
        assert sorted(entry.name for entry in disk.iterdir()) == ["ballast", "weights"]
