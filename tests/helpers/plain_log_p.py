"""The log-probability of an answer behind a prompt, by one plain pass: what losses on answers are held against."""

import torch
from tiny import tiny_tokenizer


@torch.no_grad()
def log_p(model, prompt: str, answer: str) -> float:
    """Of an answer with the end token, behind a prompt and a space."""
    asked = tiny_tokenizer()(prompt).input_ids
    told = [*tiny_tokenizer()(f" {answer}", add_special_tokens=False).input_ids, 1]
    p = model(torch.tensor([asked + told])).logits[0, len(asked) - 1 : -1].double().log_softmax(-1)
    return sum(p[place, token].item() for place, token in enumerate(told))
