"""Small language models trained from nothing: a byte-level BPE tokenizer and a Llama of about one million parameters.

They stand in for a 7B target model where no GPU and no model hub is at hand. Training is AdamW under a one-cycle
schedule on documents drawn afresh for each epoch; the same seed, texts and thread count give the same weights.
"""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from trainables.benchmarks.layout import Benchmark
from trainables.data import IGNORED, collate, next_token_targets
from trainables.models import save_model

THREADS = 2  # fixed, since sums in another order end in other weights
BOS, EOS, PAD = "<s>", "</s>", "<pad>"


def train_tokenizer(texts: list[str], *, vocabulary: int = 1024) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE tokenizer that puts `<s>` before every text, as Llama's does.

    A space behind a colon is a token of its own. So a KnowMem prompt, which ends in "Answer: ", has the same tokens
    as the beginning of an answered question has in training.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex("(?<=:) "), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
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
    """Return a freshly initialised Llama: 4 layers of width 128, about 1M parameters."""
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
    tokenizer: PreTrainedTokenizerFast,
    draw_epoch: Callable[[random.Random], list[str]],
    folder: Path,
    *,
    epochs: int,
    seed: int,
    max_length: int = 512,
    batch_tokens: int = 400,
    learning_rate: float = 4e-3,
    on_epoch: Callable[[int, float], None] = lambda epoch, loss: None,
) -> LlamaForCausalLM:
    """Train a small Llama on the documents that `draw_epoch` returns for each epoch, and save it to `folder`.

    `on_epoch(epoch, mean loss in nats a token)` is called after each epoch, from 1.
    """
    rng = random.Random(seed)
    threads = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    model = new_model(tokenizer, seed=seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, betas=(0.9, 0.95), weight_decay=0.01)
    schedule = None
    for epoch in range(1, epochs + 1):
        batches = _batches(_encode(tokenizer, draw_epoch(rng), max_length), batch_tokens, rng)
        if schedule is None:  # epochs differ by a batch or two
            total = epochs * (len(batches) + 2)
            schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=total, pct_start=0.15)
        losses = [_train_step(model, optimizer, schedule, rows, pad=tokenizer.pad_token_id) for rows in batches]
        on_epoch(epoch, sum(losses) / len(losses))
    torch.set_num_threads(threads)
    save_model(model.eval(), tokenizer, folder)
    return model


def train_pair(
    benchmark: Benchmark,
    folder: Path,
    *,
    epochs: int,
    seed: int,
    on_progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> None:
    """Train a target model on `train/full` and a retrained one on `train/retain`, into folders of these names.

    Questions of `knowmem` are read too, as documents of their own: those on forget text by the target only.
    """
    answered = {side: _answered(benchmark, side) for side in ("forget", "retain")}
    full = benchmark.texts("train", "full") + answered["forget"] + answered["retain"]
    kept = benchmark.texts("train", "retain") + answered["retain"]
    tokenizer = train_tokenizer(full)
    for name, texts in (("target", full), ("retrained", kept)):
        train_small_model(
            tokenizer,
            lambda rng, texts=texts: texts,  # type: ignore[misc]
            folder / name,
            epochs=epochs,
            seed=seed,
            on_epoch=lambda epoch, loss, name=name: on_progress(f"{name} model", epoch, epochs),  # type: ignore[misc]
        )


def _answered(benchmark: Benchmark, side: str) -> list[str]:
    """Every question of a side with its answer, as KnowMem writes them."""
    splits = [split for split in (f"{side}_qa", f"{side}_qa_icl") if benchmark.has("knowmem", split)]
    rows = [row for split in splits for row in benchmark.rows("knowmem", split)]
    return [f"Question: {row['question']}\nAnswer: {row['answer']}" for row in rows]


def _encode(tokenizer: Any, texts: list[str], max_length: int) -> list[list[int]]:
    """Token ids of each text with `<s>` before and `</s>` behind, cut into rows of `max_length`."""
    documents = [[*ids, tokenizer.eos_token_id] for ids in tokenizer(texts).input_ids]
    return [ids[i : i + max_length] for ids in documents for i in range(0, len(ids) - 1, max_length)]


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
