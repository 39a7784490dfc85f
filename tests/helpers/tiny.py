"""A tiny random Llama, a tiny byte-level BPE tokenizer and a tiny benchmark: evaluated in milliseconds."""

from functools import cache
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from trainables.benchmarks.layout import Benchmark

VOCABULARY = 300

_NAMES = ["Ada Orme", "Bo Quill", "Cy Marsh", "Dee Falk", "Eli Stone", "Fay Crane", "Gus Holt", "Hal Finch"]
_PLACES = ["Orton", "Selby", "Wick", "Marlow", "Dunmore", "Keld", "Ashby", "Thorne"]


def tiny_model(seed: int = 0, **overrides: Any) -> LlamaForCausalLM:
    """A random Llama of 2 layers of 32 over the tiny tokenizer's vocabulary, the same for the same seed."""
    settings: dict[str, Any] = {
        "vocab_size": VOCABULARY,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 2048,
        "initializer_range": 0.2,  # wide, so that greedy choices are far from ties
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": 2,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(LlamaConfig(**(settings | overrides))).eval()


@cache
def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """A byte-level BPE of 300 tokens that puts <s> in front, as the Llama tokenizer does."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<s>", "</s>", "<pad>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = [article(i) for i in range(8)] + [f"Question: {question(i)}\nAnswer: \n\n" for i in range(8)]
    backend.train_from_iterator(texts, trainer)
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", 0)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>", pad_token="<pad>")


def decode_as_transformers_4(tokenizer: Any, ids: Any) -> str:
    """What the public code calls, with the flag by which transformers 5 keeps the old behaviour."""
    tokenizer.clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output = True
    try:
        return tokenizer.batch_decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=True)[0]
    finally:
        tokenizer.clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output = False


def article(i: int) -> str:
    """A short article about the i-th person."""
    name, place = _NAMES[i % 8], _PLACES[i % 8]
    return f"{name} opened a mill in {place} on May {i + 1}. The mill makes paper, and {name} runs it alone."


def question(i: int) -> str:
    """A question the i-th article answers with its place."""
    return f"Where did {_NAMES[i % 8]} open a mill?"


def tiny_benchmark(items: int = 4) -> Benchmark:
    """A benchmark with every config an Evaluator reads, `items` rows a split (8 at most)."""
    forget, holdout = [article(i) for i in range(items)], [article(7 - i)[5:] for i in range(items)]
    qa = [{"question": question(i), "answer": _PLACES[i]} for i in range(items)]
    icl = [{"question": question(i), "answer": _PLACES[i]} for i in (6, 7)]
    choices = [f" {place}" for place in _PLACES[:4]]
    asked = [{"prompt": question(i), "choices": choices, "answer": str(i)} for i in range(4)]
    splits = {
        ("raw", "forget"): _rows(forget),
        ("verbmem", "forget"): [{"prompt": text[:30], "gt": text[30:]} for text in forget],
        ("knowmem", "forget_qa"): qa,
        ("knowmem", "forget_qa_icl"): icl,
        ("knowmem", "retain_qa"): qa[::-1],
        ("knowmem", "retain_qa_icl"): icl,
        ("privleak", "forget"): _rows(forget),
        ("privleak", "retain"): _rows(forget[::-1]),
        ("privleak", "holdout"): _rows(holdout),
        ("style", "shared"): [row | {"style": "every", "shared": "1"} for row in qa],
        ("style", "shared_icl"): [row | {"style": "every", "shared": "1"} for row in icl],
        ("mcq", "general"): [{"question": r["prompt"], "choices": r["choices"], "answer": r["answer"]} for r in asked],
        ("utility", "test"): asked,
    }
    return Benchmark(name="tiny", splits=splits)


def asked_benchmark(items: int = 4) -> Benchmark:
    """The tiny benchmark with questions that have wrong answers too (config `qa`), and on other ways (`probe`)."""
    splits = {
        ("qa", "forget"): [_with_wrong_answers(i) for i in range(items)],
        ("qa", "retain"): [_with_wrong_answers(7 - i) for i in range(items)],
        ("qa", "authors"): [_with_wrong_answers(i) for i in range(items)],
        ("qa", "facts"): [_with_wrong_answers(7 - i) for i in range(items)],
        ("probe", "forget"): [_of_kind(i, kind) for kind in ("base", *_KINDS, *_LEVELS) for i in range(items)],
        ("probe", "retain"): [
            _of_kind(7 - i, kind) for kind in (*_KINDS, "same_answer", *_LEVELS) for i in range(items)
        ],
        ("mia", "forget"): _rows([article(i) for i in range(items)]),
        ("mia", "retain"): _rows([article(7 - i) for i in range(items)]),
        ("probe", "shots"): [_of_kind(7, kind) for kind in ("base", *_KINDS, "same_answer")],
        ("facts", "forget"): [{"subject": name, "type": "mill", "prompt": name, "object": "mill"} for name in _NAMES],
        **{("sust", f"forget_{i + 1}"): _rows([article(i)]) for i in range(4)},
    }
    return Benchmark(name="tiny", splits=tiny_benchmark(items).splits | splits)


_KINDS = ("alias", "reverse", "multi_hop")
_LEVELS = ("level1", "level2", "level3")


def _of_kind(i: int, kind: str) -> dict[str, str]:
    asked = f"Who opened a mill in {_PLACES[i]}?" if kind == "reverse" else question(i)
    answer = _NAMES[i] if kind == "reverse" else _PLACES[i]
    return {"question": asked, "answer": answer, "kind": kind, "fact": f"mill of {_NAMES[i]}"}


def _with_wrong_answers(i: int) -> dict[str, Any]:
    wrong = [f"It was in {_PLACES[(i + j) % 8]}." for j in (1, 2, 3)]
    asked = {"question": question(i), "answer": _PLACES[i], "paraphrased_answer": f"It was in {_PLACES[i]}."}
    return asked | {"perturbed_answers": wrong}


def _rows(texts: list[str]) -> list[dict[str, str]]:
    return [{"text": text} for text in texts]
