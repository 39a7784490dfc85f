"""An interrupted run goes on: what it changed, its random state, its step, and the results so far, on disk.

All of it lies in `state/` in the run's folder, tensors as safetensors and the rest as JSON: nothing that is read can
run code. A state carries the key of its run, and no other run takes it up; it counts from the moment that the progress
file names it. Kept is only what a run changes: frozen weights are the target's, and the settings of the optimizer
follow from the configuration and the step.

Worker 0 writes whole tensors, no more than one model's at a time, and every worker reads its own part of them: so a run
may go on with another number of workers.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.distributed.tensor import DTensor, distribute_tensor

from trainables.failures import whole_weights
from trainables.method import State
from trainables.runs.run_folder import RunFolder
from trainables.world import World

STATE = "state"  # in a run's folder: all that it goes on from, and nothing else
PROGRESS = f"{STATE}/progress.json"  # names the newest whole state; what it does not name is rubbish
OPTIMIZER = "optimizer."  # begins the names of the optimizer's parts: optimizer.exp_avg
COUNT = "step"  # AdamW's count of its steps: a number on the CPU, where all its other state is shaped as the weights


@dataclass(frozen=True, kw_only=True)
class Saved:
    """What lies in a run's folder: whose state it is, after which step, what the run gave until then, and its files.

    `kept` are the numbers of the state, which lie in no file of their own; older states have none.
    """

    key: str
    step: int
    results: list[dict[str, Any]]
    parts: list[str]
    kept: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        plain = isinstance(self.key, str) and isinstance(self.step, int)
        lists = isinstance(self.results, list) and isinstance(self.parts, list)
        numbers = isinstance(self.kept, dict) and _all_are((int, float), list(self.kept.values()))
        if not (plain and lists and numbers and _all_are(dict, self.results) and _all_are(str, self.parts)):
            raise ValueError("this is no state of a run")

    @property
    def place(self) -> str:
        """The folder of its tensors, by the step: no path that is read from a file is ever written to or removed."""
        return f"{STATE}/step-{self.step:06d}"


def save(folder: RunFolder, key: str, state: State, results: list[dict[str, Any]], world: World) -> None:
    """Write a run's state in the place of an older one, whole or not at all; OSError where it cannot be written.

    Nothing moves without a step: behind the same one as before, only what the run gave since is written.
    """
    parts = _parts(state)
    saved = Saved(key=key, step=state.step, results=results, parts=list(parts), kept=state.kept)
    if not world.on_first(lambda: _has_tensors(folder, saved)):
        world.on_first(lambda: _make_room(folder, saved))
        for name, tensors in parts.items():
            _write_part(folder.path / saved.place / f"{name}.safetensors", tensors, world)
        world.on_first(lambda: folder.put(saved.place, keep=False))
    world.on_first(lambda: _name(folder, saved))


def go_over(folder: RunFolder, key: str, step: int, results: list[dict[str, Any]], world: World) -> None:
    """Say that the step came to its end with all that was behind it: the run goes on with what begins there."""
    world.on_first(lambda: _name(folder, Saved(key=key, step=step, results=results, parts=[])))


def find(folder: RunFolder, key: str) -> Saved | None:
    """The state from which the run of a key goes on; None where there is none, or another run's, or a damaged one."""
    saved = _read(folder)
    usable = saved is not None and saved.key == key and saved.step > 0 and _is_whole(folder, saved)
    return saved if usable else None


def load(folder: RunFolder, saved: Saved, state: State, world: World) -> None:
    """Put a saved state in the place of a run's own; OSError where it is of another model."""
    if saved.kept.keys() != state.kept.keys():
        raise OSError(f"the run's state {str(folder.path / STATE)!r} is not of this method: it keeps other numbers")
    world.on_all(lambda: folder.get(saved.place))
    world.on_all(lambda: _load(folder.path / saved.place, saved.parts, state))
    state.kept.update(saved.kept)
    state.step = saved.step


def forget(folder: RunFolder) -> None:
    """Remove the state of a run that ended, or that of another run."""
    folder.drop(STATE)


def _all_are(kind: type | tuple[type, ...], values: list[Any]) -> bool:
    return all(isinstance(value, kind) for value in values)


def _parts(state: State) -> dict[str, dict[str, Tensor]]:
    """The tensors of a state, by the file that each is written to and by name, in the same order on all workers."""
    weights = _trainable(state)
    moments = state.optimizer.state
    kinds = sorted({kind for values in moments.values() for kind, value in values.items() if value is not None})
    return {
        "random": _random_state(next(iter(weights.values())).device),
        **{role: _changing(model, state) for role, model in state.models.items()},
        **{f"{OPTIMIZER}{kind}": {name: moments[weight][kind] for name, weight in weights.items()} for kind in kinds},
    }


def _trained(state: State) -> Any:
    return next(iter(state.models.values()))


def _trainable(state: State) -> dict[str, Tensor]:
    return {name: weight for name, weight in _trained(state).named_parameters() if weight.requires_grad}


def _changing(model: Any, state: State) -> dict[str, Tensor]:
    """What a run changes of a model, tied weights once; buffers that a model makes by itself are left out."""
    named = dict(model.named_parameters()) | dict(model.named_buffers())
    frozen = dict(_trained(state).named_parameters()).keys() - _trainable(state).keys()
    return {name: named[name] for name in model.state_dict() if name in named and name not in frozen}


def _random_state(device: torch.device) -> dict[str, Tensor]:
    own = {"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else {}
    return {"cpu": torch.get_rng_state()} | own


def _has_tensors(folder: RunFolder, saved: Saved) -> bool:
    """Whether the tensors of this state lie there already, from an earlier evaluation behind the same step."""
    older = _read(folder)
    return older is not None and (older.key, older.step, older.parts) == (saved.key, saved.step, saved.parts)


def _make_room(folder: RunFolder, saved: Saved) -> None:
    folder.drop(saved.place)
    (folder.path / saved.place).mkdir(parents=True)


def _write_part(file: Path, tensors: Mapping[str, Tensor], world: World) -> None:
    whole = {}
    for name, tensor in tensors.items():
        gathered = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor  # all workers send their part
        if world.rank == 0:
            whole[name] = _alone(gathered)
    world.on_first(lambda: _write(file, whole))


def _alone(tensor: Tensor) -> Tensor:
    """A tensor on the CPU in a memory of its own, as safetensors wants it."""
    tensor = tensor.detach().cpu().contiguous()
    return tensor if tensor.untyped_storage().nbytes() == tensor.nbytes else tensor.clone()


def _write(file: Path, tensors: dict[str, Tensor]) -> None:
    with whole_weights():
        save_file(tensors, file)


def _name(folder: RunFolder, saved: Saved) -> None:
    """Write what names a state, at one stroke, and remove what it takes the place of."""
    older = _read(folder)
    (folder.path / STATE).mkdir(exist_ok=True)
    draft = folder.path / STATE / ".progress.json"
    draft.write_text(json.dumps(asdict(saved)))
    draft.replace(folder.path / PROGRESS)
    folder.put(PROGRESS)
    if older is not None and older.place != saved.place:
        folder.drop(older.place)


def _read(folder: RunFolder) -> Saved | None:
    if not folder.get(PROGRESS):
        return None
    try:
        return Saved(**json.loads((folder.path / PROGRESS).read_text("utf-8")))
    except (ValueError, TypeError):
        return None


def _is_whole(folder: RunFolder, saved: Saved) -> bool:
    """Whether every file of a state is there, and as long as its header says."""
    folder.get(saved.place)
    files = {file.stem: file for file in (folder.path / saved.place).glob("*.safetensors")}
    return files.keys() == set(saved.parts) and all(map(_opens, files.values()))


def _opens(file: Path) -> bool:
    try:
        with safe_open(file, "pt"):
            return True
    except (SafetensorError, OSError):
        return False


def _load(place: Path, parts: list[str], state: State) -> None:
    own = _parts(state)
    for role in state.models:
        _read_part(place / f"{role}.safetensors", own[role])
    for name in parts:
        if name.startswith(OPTIMIZER):
            _read_part(place / f"{name}.safetensors", _new_moments(state, name.removeprefix(OPTIMIZER)))
    random = _random_state(next(iter(_trainable(state).values())).device)
    with safe_open(place / "random.safetensors", "pt") as stored:
        torch.set_rng_state(stored.get_tensor("cpu").clone())
        if "cuda" in random and "cuda" in stored.keys():  # noqa: SIM118  # a file, no dict
            torch.cuda.set_rng_state(stored.get_tensor("cuda").clone())


def _new_moments(state: State, kind: str) -> dict[str, Tensor]:
    """The optimizer's own tensors of a kind, one for each weight, made here for a state to be read into."""
    made = {}
    for name, weight in _trainable(state).items():
        made[name] = torch.zeros(()) if kind == COUNT else torch.zeros_like(weight.detach())
        state.optimizer.state[weight][kind] = made[name]
    return made


@torch.no_grad()
def _read_part(file: Path, tensors: Mapping[str, Tensor]) -> None:
    """Fill tensors, on this worker its part of each, with the whole ones of a file."""
    with safe_open(file, "pt") as stored:
        if set(stored.keys()) != tensors.keys():
            raise OSError(f"the run's state {str(file)!r} is not of this model: other tensors are in it")
        for name, tensor in tensors.items():
            value = stored.get_tensor(name)
            if value.shape != tensor.shape:
                raise OSError(f"the run's state {str(file)!r} is not of this model: {name} is {list(value.shape)}")
            tensor.copy_(_part_of(value, tensor))


def _part_of(value: Tensor, tensor: Tensor) -> Tensor:
    """Of a whole tensor, what lies on this worker of one that may be in shards."""
    if not isinstance(tensor, DTensor):
        return value
    value = value.to(tensor.device)
    return distribute_tensor(value, tensor.device_mesh, tensor.placements, src_data_rank=None)
