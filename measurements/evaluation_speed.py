"""How much faster the MUSE scores are than the public one-prompt-at-a-time procedure, and whether they agree.

    python -m measurements.evaluation_speed [--threads 2]          # from the repository's root; 1-3 minutes

In one run: VerbMem of 100 prompts x 128 new tokens and KnowMem of 100 questions behind 10 examples x 32 new
tokens, on a Llama of 4 layers of 128 with random weights (wide ones, so that no choice is near a tie) that
never ends a row. Each side does all its work, from strings to ROUGE; ours is measured before and
twice after theirs (the median counts). Then one whole evaluation of muse-mini's texts. Not covered: GPUs, and
rows that end early, which favour us. On a machine that does other work too, take --threads 1: there, two
threads that wait for each other made our side up to 25 times slower.
"""

import argparse
import os
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from rouge_score.rouge_scorer import RougeScorer

from trainables.benchmarks import layout, muse_mini, small_models
from trainables.decoding.generate import greedy
from trainables.scores.evaluate import Evaluator
from trainables.scores.knowmem import KnowMem, knowmem_prompts
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.rouge import cut, decode
from trainables.scores.verbmem import VerbMem

ITEMS, BATCH = 100, 32
MUSE = PROTOCOLS["muse"]

Items = list[tuple[str, float]]  # output and ROUGE-L F x100


def main() -> None:
    """Measures both scores and a whole evaluation, and prints a line or two of each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    threads = parser.parse_args().threads
    torch.set_num_threads(threads)
    splits = muse_mini.to_splits(muse_mini.make_world(0), random.Random(0))
    benchmark = layout.Benchmark("muse-mini", splits)
    tokenizer = small_models.train_tokenizer(benchmark.texts("train", "full"))
    model = make_model(tokenizer)
    size = sum(p.numel() for p in model.parameters()) / 1e6
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores before"
    print(f"Llama of {size:.2f}M parameters, fp32, {threads} threads, batches of {BATCH}; {load}", flush=True)

    articles = benchmark.texts("privleak", "forget") + benchmark.texts("privleak", "holdout")
    rows = [layout.cut_at(text, 1 / 2) for text in articles[:ITEMS]]
    prompts, truths = [row["prompt"] for row in rows], VerbMem(rows, tokenizer, MUSE).truths
    compare(
        "VerbMem, 128 new tokens",
        lambda: public(model, tokenizer, prompts, truths, 128, ()),
        lambda: VerbMem(rows, tokenizer, MUSE),
        model,
    )
    pairs = benchmark.rows("knowmem", "forget_qa")
    rows, shots = pairs[:ITEMS], pairs[ITEMS : ITEMS + 10]
    asked, answers = knowmem_prompts(rows, shots), [row["answer"] for row in rows]
    compare(
        "KnowMem, 10 examples, 32 new tokens",
        lambda: public(model, tokenizer, asked, answers, 32, MUSE.stop_words),
        lambda: KnowMem(rows, shots, tokenizer, MUSE),
        model,
    )
    evaluate_whole(benchmark, tokenizer, model)


def evaluate_whole(benchmark: layout.Benchmark, tokenizer: Any, model: Any) -> None:
    """Prints the seconds of one call of an Evaluator that is ready, at two batch sizes."""
    for batch in (BATCH, 4 * BATCH):
        evaluator = Evaluator(benchmark, tokenizer, MUSE, None, batch_size=batch)
        evaluator = evaluator.with_reference(evaluator.reference_of(model))
        seconds = timed(partial(evaluator, model))[0]
        print(f"whole evaluation of muse-mini, batches of {batch}: {seconds:.2f} s")


def make_model(tokenizer: Any) -> Any:
    """A random model of muse-mini's size that never ends a row."""
    model = small_models.new_model(tokenizer, seed=0).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.mul_(4)
    model.generation_config.eos_token_id = None
    return model


def public(
    model: Any, tokenizer: Any, prompts: Sequence[str], truths: Sequence[str], new: int, stops: Sequence[str]
) -> Items:
    """The public procedure: transformers' generate and ROUGE, one prompt after the other."""
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    items = []
    for prompt, truth in zip(prompts, truths, strict=True):
        ids = tokenizer(prompt, return_tensors="pt").input_ids
        mask = torch.ones_like(ids)
        out = model.generate(
            ids,
            attention_mask=mask,
            max_new_tokens=new,
            do_sample=False,
            pad_token_id=tokenizer.pad_token_id,
        )
        output = cut(decode(tokenizer, out[0, ids.shape[1] :].tolist()), stops)
        items.append((output, 100 * scorer.score(truth, output)["rougeL"].fmeasure))
    return items


def compare(title: str, theirs: Callable[[], Items], prepare: Callable[[], Any], model: Any) -> None:
    """Times both sides and prints the lines of one score."""

    def ours() -> Items:
        answers = prepare()(model, batch_size=BATCH)
        return list(zip(answers.outputs, answers.values.tolist(), strict=True))

    before, mine = timed(ours)
    slow, public_items = timed(theirs)
    rounds = sorted([before, timed(ours)[0], timed(ours)[0]])
    fast = rounds[1]
    pairs = list(zip(mine, public_items, strict=True))
    same = sum(a == b and abs(x - y) < 1e-9 for (a, x), (b, y) in pairs)
    words = len({word for output, _ in mine for word in output.split()})
    print(f"{title}: identical items {same}/{len(pairs)} ({words} different words)")
    print(f"  one by one {slow:.2f} s, ours {fast:.2f} s ({rounds[0]:.2f}-{rounds[2]:.2f}): {slow / fast:.1f}x")
    print("  ours: " + ", ".join(f"{part} {taken:.2f} s" for part, taken in parts(prepare, model).items()))


def parts(prepare: Callable[[], Any], model: Any) -> dict[str, float]:
    """Where our time goes: seconds of each part, measured on its own."""
    tokenising, task = timed(prepare)
    new = MUSE.knowmem_tokens if isinstance(task, KnowMem) else MUSE.verbmem_tokens
    stop = getattr(task, "stop", None)
    prefill, _ = timed(lambda: greedy(model, task.ids, max_new_tokens=1, batch_size=BATCH))
    generating, _ = timed(lambda: greedy(model, task.ids, max_new_tokens=new, batch_size=BATCH, stop=stop))
    outputs = task(model, batch_size=BATCH).outputs
    rouge, _ = timed(lambda: task.rouge(outputs))
    return {
        "tokenising": tokenising,
        "prefill": prefill,
        "decoding": generating - prefill,
        "ROUGE": rouge,
    }


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds taken, and the result."""
    start = time.perf_counter()
    result = run()
    return time.perf_counter() - start, result


if __name__ == "__main__":
    main()
