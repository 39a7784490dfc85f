"""Small language models trained from nothing: a byte-level BPE tokenizer and a Llama of 1.4 million parameters.

They stand in for a 7B target model where no GPU and no model hub is at hand. Training is AdamW under a one-cycle
schedule; the same seed and documents give the same weights.
"""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from trainables.benchmarks.layout import BLANK, Benchmark
from trainables.subjects.models import save_model
from trainables.training.data import IGNORED, collate, next_token_targets

PACK = 60  # tokens of short paragraphs that are read in a row: of 190 a model learns much less in the same time
BOS, EOS, PAD = "<s>", "</s>", "<pad>"


class Stopped(Exception):
    """The training was given up, because another one failed or was interrupted."""


def train_tokenizer(texts: list[str], *, vocabulary: int = 2560) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE tokenizer that puts `<s>` before every text, as Llama's does.

    Spaces at the end of a text are dropped. So a KnowMem prompt, which ends in "Answer: ", is followed by the same
    tokens as any other word: those in which the answer stands in the articles.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Replace(Regex(r" +\z"), "")
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[BOS, EOS, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A {BOS} $B", special_tokens=[(BOS, tokenizer.token_to_id(BOS))]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=BOS, eos_token=EOS, pad_token=PAD)


def new_model(tokenizer: PreTrainedTokenizerFast, *, seed: int, positions: int = 1024) -> LlamaForCausalLM:
    """Return a freshly initialised Llama: 4 layers of width 128, 1.4M parameters with a full vocabulary."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=352,
        num_hidden_layers=4,
        num_attention_heads=4,
        initializer_range=0.06,  # 0.02 is for widths in the thousands; here it delays what attention learns
        max_position_embeddings=positions,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config)


def train_small_model(
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    documents: list[str],
    *,
    epochs: int,
    seed: int,
    max_length: int = 512,
    batch_tokens: int = 800,
    learning_rate: float = 3.5e-3,
    on_epoch: Callable[[int, float], None] = lambda epoch, loss: None,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Train a model on documents, each of which it reads once in an epoch, in an order of its own for each epoch.

    Paragraphs, which blank lines part, are read by themselves: long ones alone, short ones in rows, in other company in
    every epoch. In company that stays, a model of this size learns to recite them, and does not learn what they say
    (measured: muse_mini.md). `on_epoch(epoch, mean loss in nats a token)` is called after each epoch, from 1. Raises
    Stopped soon after `stopped()` is true.
    """
    rng = random.Random(seed)
    paragraphs = [paragraph for document in documents for paragraph in document.split(BLANK)]
    lengths = [len(ids) for ids in tokenizer(paragraphs).input_ids]
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, betas=(0.9, 0.95), weight_decay=0.01)
    schedule = None
    model.train()
    for epoch in range(1, epochs + 1):
        batches = _batches(_encode(tokenizer, _packed(paragraphs, lengths, rng), max_length), batch_tokens, rng)
        if schedule is None:  # epochs differ by a batch or two
            total = epochs * (len(batches) + 2)
            schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=total, pct_start=0.15)
        losses = []
        for batch in batches:
            if stopped():
                raise Stopped
            losses.append(_train_step(model, optimizer, schedule, batch, pad=tokenizer.pad_token_id))
        on_epoch(epoch, sum(losses) / len(losses))
    model.eval()


def train_pair(
    benchmark: Benchmark,
    folder: Path,
    *,
    epochs: int,
    seed: int,
    on_progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> None:
    """Train a target model on `train/full` and a retrained one on `train/retain`, into folders of these names.

    Neither reads anything else. Both are trained at once, each in one thread: at this size two threads are faster side
    by side than one behind the other, and the sums are the same on every machine.
    """
    read = {"target": benchmark.texts("train", "full"), "retrained": benchmark.texts("train", "retain")}
    unread = benchmark.texts("raw", "holdout") if benchmark.has("raw", "holdout") else []
    tokenizer = train_tokenizer(read["target"] + unread)  # which cuts the names in unread texts as those in read ones
    trained = {name: new_model(tokenizer, seed=seed) for name in read}
    end = Event()

    def train(name: str) -> None:
        train_small_model(
            trained[name],
            tokenizer,
            read[name],
            epochs=epochs,
            seed=seed,
            on_epoch=lambda epoch, loss: on_progress(f"{name} model", epoch, epochs),
            stopped=end.is_set,
        )

    # torch keeps one number of threads for each thread, MKL one for all: both are 1 until both models are trained
    with one_thread(), ThreadPoolExecutor(len(read), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        try:
            for done in as_completed([pool.submit(train, name) for name in read]):
                done.result()
        finally:
            end.set()
    for name, model in trained.items():
        save_model(model, tokenizer, folder / name)


@contextmanager
def one_thread() -> Iterator[None]:
    """Have this thread compute alone."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _encode(tokenizer: Any, texts: list[str], max_length: int) -> list[list[int]]:
    """Token ids of each text with `<s>` before and `</s>` behind, cut into rows of `max_length`."""
    documents = [[*ids, tokenizer.eos_token_id] for ids in tokenizer(texts).input_ids]
    return [ids[i : i + max_length] for ids in documents for i in range(0, len(ids) - 1, max_length)]


def _packed(paragraphs: list[str], lengths: list[int], rng: random.Random) -> list[str]:
    """What an epoch reads: paragraphs of fewer than PACK / 2 tokens, shuffled and joined up to PACK; others alone."""
    short = [place for place, length in enumerate(lengths) if length < PACK / 2]
    rows = [[place] for place, length in enumerate(lengths) if length >= PACK / 2]
    rng.shuffle(short)
    tokens = PACK + 1  # in the last row: the first short paragraph opens one
    for place in short:
        if tokens + lengths[place] > PACK:
            rows.append([])
            tokens = 0
        rows[-1].append(place)
        tokens += lengths[place]
    return [BLANK.join(paragraphs[place] for place in row) for row in rows]


def _batches(rows: list[list[int]], tokens: int, rng: random.Random) -> list[list[list[int]]]:
    """Batches of at most `tokens` tokens, of rows of similar length (little padding), in random order."""
    batches: list[list[list[int]]] = [[]]
    for ids in sorted(rows, key=lambda ids: (len(ids), rng.random())):
        if batches[-1] and len(ids) * (len(batches[-1]) + 1) > tokens:
            batches.append([])
        batches[-1].append(ids)
    rng.shuffle(batches)
    return batches


def _train_step(model: Any, optimizer: Any, schedule: Any, rows: list[list[int]], *, pad: int) -> float:
    ids, mask = collate(rows, pad=pad)
    targets = next_token_targets(ids, mask)
    logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1]
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    if schedule.last_epoch < schedule.total_steps - 1:  # an epoch of more batches than foreseen ends at the last rate
        schedule.step()
    return loss.item()
