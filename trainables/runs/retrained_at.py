"""retrained@k: for each of the requests that grow, a model that read all but what was asked for by then.

muse-mini's are trained where somebody asks for them, a minute each on a quiet core, and kept in the cache; the last is
the benchmark's own retrained model. Against them PrivLeak is defined behind every request of C5 and C6, and not behind
the last alone. Nothing of muse-mini itself changes by it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from trainables.benchmarks import EMBEDDED, muse_mini, small_models
from trainables.benchmarks.layout import Benchmark, load_benchmark
from trainables.cache import folder_made_once
from trainables.decoding.capabilities import probe
from trainables.scores.evaluate import Evaluator
from trainables.scores.protocol import protocol_of
from trainables.settings import PARTS
from trainables.subjects.models import load_model, save_model
from trainables.subjects.tokenizers import load_tokenizer
from trainables.task import Places, Task, cache_of, locate

PRIVLEAK = "privleak"
FOLDER = "retrained"  # in the cache: no benchmark's folder is called so
Progress = Callable[[str, int, int], None]  # (what is being made, epochs done, epochs in all)


def can_be_made(task: Task) -> bool:
    """Whether a task has such models: muse-mini, by its own models."""
    return task.benchmark == EMBEDDED and task.model is None and task.retrained is None


def read_by_each(task: Task, *, on_progress: Progress = lambda what, done, total: None) -> dict[str, Any]:
    """What the attack of PrivLeak reads of each of these models: number of the request -> sample -> a value an item.

    The models are trained where the cache does not have them.
    """
    places = locate(task)
    benchmark, tokenizer = load_benchmark(places.data), load_tokenizer(places.tokenizer)
    evaluator = Evaluator(benchmark, tokenizer, protocol_of(task), None).with_scores((PRIVLEAK,))
    found = {}
    for number in PARTS:
        place = retrained_at(benchmark, places, number, cache_of(task), on_progress=on_progress)
        model = load_model(str(place))
        passes = probe(model, longest=max(evaluator.lengths(model).values()))
        read = evaluator.with_passes(passes).reference_of(model)[PRIVLEAK]
        found[str(number)] = {sample: values.tolist() for sample, values in read.items()}
    return found


def retrained_at(
    benchmark: Benchmark,
    places: Places,
    number: int,
    cache: Path,
    *,
    epochs: int = muse_mini.EPOCHS,
    seed: int = 0,
    on_progress: Progress = lambda what, done, total: None,
) -> Path:
    """The folder of the model that read all but the first `number` parts of what is to be forgotten."""
    texts = texts_at(benchmark, number)
    if texts == benchmark.texts("train", "retain"):
        return Path(str(places.retrained))
    made = Path(places.data).parent
    place = cache / FOLDER / f"{made.name}@{number}"

    def make(draft: Path) -> None:
        tokenizer = load_tokenizer(places.tokenizer)
        model = small_models.new_model(tokenizer, seed=seed)
        with small_models.one_thread():
            small_models.train_small_model(
                model,
                tokenizer,
                texts,
                epochs=epochs,
                seed=seed,
                on_epoch=lambda epoch, loss: on_progress(f"model retrained without request {number}", epoch, epochs),
            )
        save_model(model, tokenizer, draft)

    return folder_made_once(place, make)


def texts_at(benchmark: Benchmark, number: int) -> list[str]:
    """What the target read but for the first `number` parts of what is to be forgotten, in the same order."""
    asked = set(benchmark.texts("scal", f"forget_{number}"))
    return [text for text in benchmark.texts("train", "full") if text not in asked]
