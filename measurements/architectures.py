"""Every causal architecture of transformers, tiny and random: how it is decoded, and whether that is right.

    python -m measurements.architectures [bert rwkv ...] > measurements/results/architectures.md     # 2-3 minutes

A model of each type is made from its default configuration with small numbers in it. "padded and cached" is what a
plain causal transformer bears and what was once done to all; the ways are those that `capabilities.probe` finds; by
them six prompts are continued, and log-probs taken, in batches of 1, 3 and 128, and held against plain passes for every
token. Training: one step of the mean teacher on rows of two lengths. Beyond its positions: a plain pass over more
tokens than the configuration has positions. Not covered: trained weights, GPUs, configurations other than the default.
"""

import argparse
import copy
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import transformers
from huggingface_hub.errors import StrictDataclassError
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from trainables.decoding.capabilities import FAILURES, probe
from trainables.decoding.generate import greedy
from trainables.decoding.log_probs import token_logprobs
from trainables.decoding.passes import FAST, Passes
from trainables.memory.plan import Unplanned, shape_of
from trainables.methods.mean_teacher import MeanTeacher, unlearn
from trainables.subjects.positions import most_positions

POSITIONS, NEW, MOST = 96, 4, 3_000_000  # positions of a model, tokens decoded, parameters of a model that is "tiny"
COLUMNS = ["type", "padded and cached", "decoding", "texts", "by these ways", "trains", "beyond its positions", "plan"]
SLOW = ("bailing_hybrid", "falcon_h1", "nemotron_h")
Ids = list[int]
SMALL: dict[str, Any] = (
    dict.fromkeys(("hidden_size", "n_embd", "d_model", "dim", "dim_model", "embedding_size"), 32)
    | dict.fromkeys(("num_hidden_layers", "n_layer", "n_layers", "num_layers", "decoder_layers"), 2)
    | dict.fromkeys(("num_attention_heads", "n_head", "n_heads", "num_heads", "decoder_attention_heads"), 4)
    | dict.fromkeys(("intermediate_size", "n_inner", "ffn_dim", "decoder_ffn_dim", "ffn_hidden_size", "dim_ff"), 64)
    | dict.fromkeys(("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len"), POSITIONS)
    | dict.fromkeys(("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"), 4)
    | dict.fromkeys(("head_dim", "v_head_dim", "qk_rope_head_dim", "qk_nope_head_dim", "state_size"), 8)
    | {"vocab_size": 300, "num_key_value_heads": 2, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
    | {"kv_lora_rank": 16, "q_lora_rank": 16, "n_group": 1, "topk_group": 1, "first_k_dense_replace": 1, "expand": 2}
    | {"encoder_layers": 1, "encoder_attention_heads": 4, "encoder_ffn_dim": 64, "sliding_window": 16}
    | {"initializer_range": 0.2, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2}
)
LATENT = {"num_key_value_heads": 4, "head_dim": None}  # attention over latent keys and values
OWN: dict[str, dict[str, Any]] = {  # where the small numbers above do not fit together
    **dict.fromkeys(("axk1", "axk2", "deepseek_v2", "deepseek_v3", "deepseek_v32", "glm4_moe_lite"), LATENT),
    **dict.fromkeys(("glm_moe_dsa", "longcat_flash", "minicpm3", "youtu"), LATENT),
    **{kind: {"rotary_dim": 4} for kind in ("codegen", "gptj")},
    **{kind: {"head_dim": 8} for kind in ("hunyuan_v1_dense", "hunyuan_v1_moe", "ministral")},
    **{kind: {"num_hidden_layers": 4} for kind in ("qwen3_5_moe_text", "qwen3_5_text", "qwen3_next", "qwen4_exp_text")},
    **{kind: {"num_hidden_layers": 8} for kind in ("jamba", "lfm3")},
    **{
        kind: {"num_kv_shared_layers": 0, "vocab_size_per_layer_input": 300} for kind in ("gemma3n_text", "gemma4_text")
    },
    "bailing_hybrid": LATENT | {"num_hidden_layers": 8},
    "bamba": {"mamba_n_heads": 8, "mamba_d_head": 8, "attn_layer_indices": [1]},
    "cpmant": {"dim_head": 8, "prompt_length": 4},
    "deepseek_v2": LATENT | {"num_experts_per_tok": 2},
    "dots1": {"n_routed_experts": 4, "n_shared_experts": 1, "num_experts_per_tok": 2},
    "falcon": {"head_dim": None},
    "gpt_neo": {"attention_types": [[["global", "local"], 1]]},
    "granitemoehybrid": {"mamba_n_heads": 8, "mamba_d_head": 8, "layer_types": ["mamba", "attention"]},
    "lfm2_moe": {"layer_types": ["conv", "full_attention"]},
    "mamba2": {"num_heads": 8},
    "nemotron": {"num_key_value_heads": 2, "head_dim": 8},
    "prophetnet": {"num_hidden_layers": None, "num_encoder_layers": 1, "num_decoder_layers": 2},
    "recurrent_gemma": {"num_hidden_layers": 3},
    "reformer": {"is_decoder": True, "axial_pos_embds": False},
    "roc_bert": {"enable_pronunciation": False, "enable_shape": False},
    "xlnet": {"max_position_embeddings": None},
    "xlstm": {"v_head_dim": None},
    "xmod": {"default_language": "en_XX"},
    "zamba": {"num_hidden_layers": 3},
    "zaya": {"num_experts_per_tok": 1},
}


def tiny(kind: str) -> Any:
    """A random model of a type; ValueError where the small numbers do not make one."""
    default = AutoConfig.for_model(kind)
    values = default.to_dict()
    known = {n: v for n, v in SMALL.items() if values.get(default.attribute_map.get(n, n)) is not None}
    known |= OWN.get(kind, {}) | {"pad_token_id": 2}
    config = type(default)(**{name: value for name, value in known.items() if value is not None})
    with torch.device("meta"):
        size = sum(p.numel() for p in AutoModelForCausalLM.from_config(config).parameters())
    if size > MOST:
        raise ValueError(f"{size / 1e6:.0f}M parameters")
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(config).eval()


def survey(kind: str) -> list[str]:
    """A row of the table; of a model that is refused or not made, its type and why."""
    if kind in SLOW:
        return [kind, "not made: its recurrence without a kernel of its own takes minutes on a CPU"]
    try:
        model = tiny(kind)
    except (*FAILURES, ImportError, StrictDataclassError) as error:
        return [kind, f"not made: {first_line(error)}"]
    try:
        passes = probe(model)
    except ValueError as error:
        return [kind, f"refused: {error}"]
    rows = prompts()
    truth = [plainly(model, row) for row in rows]
    before, now = agreement(model, rows, truth, FAST), agreement(model, rows, truth, passes)
    return [kind, before, passes.decode, passes.texts, now, trains(model), beyond(model), planned(model)]


def prompts() -> list[Ids]:
    """Four rows of token ids, two of one length, all behind a prefix of ten."""
    draw = random.Random(0)
    return [[*range(10, 20), *draw.choices(range(3, 300), k=length)] for length in (1, 9, 9, 30)]


def agreement(model: Any, rows: Sequence[Ids], truth: Sequence[tuple[Ids, np.ndarray]], passes: Passes) -> str:
    """Whether batches of 1, 3 and 128 give what plain passes give, token by token: `as plain`, or what is not."""
    wrong = []
    for size in (1, 3, 128):
        try:
            new = greedy(model, rows, max_new_tokens=NEW, batch_size=size, decode=passes.decode)
            values = token_logprobs(model, rows, batch_size=size, texts=passes.texts)
        except FAILURES as error:
            return f"fails: {first_line(error)}"
        pairs = zip(new, values, truth, strict=True)
        same = sum(a == ids and np.allclose(b, wanted, atol=1e-3) for a, b, (ids, wanted) in pairs)
        wrong += [] if same == len(rows) else [f"{same} of {len(rows)} rows in batches of {size}"]
    return "; ".join(wrong) or "as plain"


@torch.no_grad()
def plainly(model: Any, row: Ids) -> tuple[Ids, np.ndarray]:
    """The slow, obvious way: for each new token one pass over all of the row; and the log-probs of the row's tokens."""
    ids = list(row)
    for _ in range(NEW):
        logits = model(torch.tensor([ids]), use_cache=False).logits[0]
        ids.append(int(logits[-1].argmax()))
        if ids[-1] == model.generation_config.eos_token_id:
            break
    log_p = logits[: len(row) - 1].log_softmax(-1).gather(1, torch.tensor(row[1:])[:, None])
    return ids[len(row) :], log_p[:, 0].numpy()


def trains(model: Any) -> str:
    """What comes of a step of the mean teacher on two rows of different lengths, and of one with checkpointing."""
    rows, found = prompts()[2:5:2], []
    for name, checkpointing in (("", False), ("checkpointing ", True)):
        config = MeanTeacher(steps=1, batch_size=2, micro_batch_size=2, lr=1e-3, checkpointing=checkpointing)
        try:
            list(unlearn(copy.deepcopy(model), rows, rows, config, pad=2))
        except FAILURES as error:
            found.append(f"{name}fails: {first_line(error)}")
    return "; ".join(found) or "yes"


@torch.no_grad()
def beyond(model: Any) -> str:
    """What comes of a pass over more tokens than there are positions."""
    limit = most_positions(model.config)
    if limit is None:
        return "no limit"
    try:
        model(torch.full((1, limit + 8), 5), use_cache=False)
    except FAILURES as error:
        return f"{limit}, fails: {first_line(error)}"
    return f"{limit}, runs"


def planned(model: Any) -> str:
    """Whether the memory plan knows the architecture."""
    try:
        shape_of(model.config)
    except Unplanned as error:
        return first_line(error.__cause__ or error)
    return "yes"


def first_line(error: BaseException) -> str:
    """The first line of an error that says something, not too long, fit for a cell."""
    lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[0].replace("|", "/")[:90]


def page(rows: Sequence[Sequence[str]]) -> str:
    """The table, and below it what is refused and what is not made."""
    scored = [row for row in rows if len(row) == len(COLUMNS)]
    refused = [row for row in rows if row[1].startswith("refused: ")]
    unmade = [row for row in rows if row[1].startswith("not made: ")]
    wrong = sum(row[1] != "as plain" for row in scored)
    slower = sum(row[2] not in ("shared", "padded") for row in scored)
    lines = [
        "# Causal architectures of transformers, tiny and random",
        "",
        f"`python -m measurements.architectures`, transformers {transformers.__version__}, fp32 on one core. Of "
        f"{len(rows)} types {len(scored)} are scored, {len(refused)} refused, {len(unmade)} not made. Padded and "
        f"cached, {wrong} of the scored ones fail or differ from plain passes on these prompts; the probe takes "
        f"{slower} off that way, and by the ways that it finds {sum(row[4] != 'as plain' for row in scored)} differ.",
        "",
        *(f"| {' | '.join(row)} |" for row in (COLUMNS, ["---"] * len(COLUMNS), *scored)),
        "",
        "Refused:",
        "",
        *(f"- `{kind}`: {reason.removeprefix('refused: ')}" for kind, reason in refused),
        "",
        "Not made here (wrappers around vision or sound, packages that are missing, configurations of many parts):",
        "",
        *(f"- `{kind}`: {reason.removeprefix('not made: ')}" for kind, reason in unmade),
    ]
    return "\n".join(lines)


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kinds", nargs="*")
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    print(page([survey(kind) for kind in parser.parse_args().kinds or MODEL_FOR_CAUSAL_LM_MAPPING_NAMES]))


if __name__ == "__main__":
    main()
