"""What a model bears is found by a probe, and what it is scored to is then the same in batches of any size."""

import random

import numpy as np
import pytest
import torch
from tiny import VOCABULARY, tiny_benchmark, tiny_model, tiny_tokenizer
from transformers import AutoConfig, AutoModelForCausalLM

from trainables.decoding.capabilities import check_training, draw_rows, probe
from trainables.decoding.generate import greedy
from trainables.decoding.log_probs import token_logprobs
from trainables.decoding.passes import FAST, Passes, runs
from trainables.scores.evaluate import Evaluator
from trainables.scores.protocol import PROTOCOLS

SMALL = {"vocab_size": VOCABULARY, "hidden_size": 32, "num_hidden_layers": 2, "initializer_range": 0.2}
HEADS = {"num_attention_heads": 4, "intermediate_size": 64}
EXPERTS = {"num_experts": 4, "num_local_experts": 4, "moe_intermediate_size": 32, "num_experts_per_tok": 2}
STATES = {"state_size": 8, "expand": 2}
ENDS = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2}
KINDS = {  # type -> settings, the ways that are right for it
    "llama": (HEADS, FAST),
    "gpt2": ({"n_inner": 64, "num_attention_heads": 4}, FAST),
    "gpt_neox": (HEADS, FAST),
    "mistral": (HEADS | {"sliding_window": 16, "num_key_value_heads": 2}, Passes(decode="padded")),
    "mixtral": (HEADS | EXPERTS | {"num_key_value_heads": 2}, Passes(decode="padded")),
    "qwen3_moe": (HEADS | EXPERTS | {"head_dim": 8, "num_key_value_heads": 2}, Passes(decode="padded")),
    "bert": (HEADS | {"is_decoder": True}, Passes(decode="padded")),
    "bart": ({"d_model": 32, "decoder_layers": 2, "decoder_attention_heads": 4, "decoder_ffn_dim": 64, "init_std": 0.2},
             Passes(decode="even")),
    "mamba": (STATES, Passes(decode="even")),
    "rwkv": ({"attention_hidden_size": 32}, Passes(decode="alone")),
    "openai-gpt": ({"num_attention_heads": 4}, Passes(decode="whole")),
}  # fmt: skip


def random_model(kind, **settings):
    """A tiny random model of a type, the same each time."""
    own = {} if kind == "bart" else SMALL
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = AutoConfig.for_model(kind, **({"vocab_size": VOCABULARY} | own | ENDS | settings))
        return AutoModelForCausalLM.from_config(config).eval()


def prompts(*lengths, prefix=10):
    draw = random.Random(0)
    shared = draw.choices(range(3, VOCABULARY), k=prefix)
    return [shared + draw.choices(range(3, VOCABULARY), k=length) for length in lengths]


@torch.no_grad()
def plainly(model, prompt, new):
    """For each new token a pass over the whole row, alone."""
    ids = list(prompt)
    for _ in range(new):
        ids.append(int(model(torch.tensor([ids]), use_cache=False).logits[0, -1].argmax()))
        if ids[-1] == ENDS["eos_token_id"]:
            break
    return ids[len(prompt) :]


@torch.no_grad()
def plain_log_probs(model, text):
    ids = torch.tensor([text])
    return model(ids, use_cache=False).logits[0, :-1].log_softmax(-1).gather(1, ids[0, 1:, None])[:, 0].numpy()


@pytest.mark.parametrize(("kind", "settings", "ways"), [(k, *v) for k, v in KINDS.items()], ids=KINDS)
def test_what_is_scored_is_a_plain_pass_s_in_batches_of_any_size(kind, settings, ways):
    model, rows = random_model(kind, **settings), prompts(1, 4, 9, 9, 20)
    assert probe(model, longest=60) == ways
    wanted = [plainly(model, row, 5) for row in rows]
    for size in (1, 3, 128):
        assert greedy(model, rows, max_new_tokens=5, batch_size=size, decode=ways.decode) == wanted
        for got, row in zip(token_logprobs(model, rows, batch_size=size, texts=ways.texts), rows, strict=True):
            np.testing.assert_allclose(got, plain_log_probs(model, row), atol=1e-3)


@pytest.mark.parametrize("kind", ["bart", "rwkv", "openai-gpt"])
def test_the_fastest_way_would_have_been_wrong(kind):
    model, rows = random_model(kind, **KINDS[kind][0]), prompts(1, 20, prefix=0)
    wanted = [plainly(model, row, 5) for row in rows]
    try:
        assert greedy(model, rows, max_new_tokens=5, batch_size=2) != wanted
    except (RuntimeError, AttributeError):
        pass  # at least not in silence


@pytest.mark.parametrize("kind", ["bert", "roberta", "electra"])
def test_a_model_whose_later_tokens_change_earlier_logits_is_refused_by_its_architecture(kind):
    with pytest.raises(ValueError, match=rf"^a model of type {kind} \(\w+\) is not causal: later tokens"):
        probe(random_model(kind, **HEADS, embedding_size=32))


class Broken(torch.nn.Module):
    """A model around another one, with a fault of its own."""

    def __init__(self, fault):
        super().__init__()
        self.inner, self.fault = tiny_model(), fault
        self.config, self.device, self.dtype = self.inner.config, self.inner.device, self.inner.dtype

    def get_output_embeddings(self):
        """None: its logits are its own."""

    def forward(self, input_ids, **options):
        """The inner model's output, after the fault."""
        output = self.inner(input_ids, **options)
        self.fault(output.logits, input_ids)
        return output


def balance_the_batch(logits, ids):
    """As experts of a limited capacity do: what one row gets depends on the others."""
    logits[:, :, 7] += 0.5 * len(ids)


def draw_anew(logits, ids):
    """As dropout does that is on in evaluation too."""
    logits += torch.randn_like(logits)


def give_no_number(logits, ids):
    """As weights do that are no numbers."""
    logits[:, -1] = float("nan")


def fail(logits, ids):
    """As a kernel does that is not there."""
    raise NotImplementedError("needs a kernel\nthat is not installed")


def test_a_model_whose_rows_change_each_other_is_run_one_row_at_a_time():
    model = Broken(balance_the_batch)
    assert probe(model) == Passes(decode="alone", texts="alone")
    with pytest.raises(ValueError, match=r"llama \(Broken\) cannot be trained in batches"):
        check_training(model)
    check_training(tiny_model())


def test_a_padding_whose_embedding_is_no_number_is_not_taken_for_a_fault_of_the_architecture():
    model = tiny_model()
    model.model.embed_tokens.weight.data[0] = float("nan")
    with pytest.raises(ValueError, match=r"^its weight model.embed_tokens.weight holds numbers that are not finite$"):
        check_training(model)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (draw_anew, r"llama \(Broken\) gives other logits each time"),
        (give_no_number, r"llama \(Broken\) gives logits that are no numbers"),
        (fail, r"llama \(Broken\) does not run: needs a kernel$"),
    ],
)
def test_what_cannot_be_scored_is_refused_in_one_line(fault, message):
    with pytest.raises(ValueError, match=message):
        probe(Broken(fault))


def test_a_lack_of_memory_is_not_taken_for_a_model_s_own():
    def run_out(logits, ids):
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        probe(Broken(run_out))


def test_a_probe_leaves_a_model_in_training_as_it_was():
    model = tiny_model().train()
    probe(model)
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())


def test_the_same_rows_are_drawn_each_time_and_outgrow_a_window_only_where_texts_do():
    model = random_model("mistral", **HEADS, num_key_value_heads=2, sliding_window=40)
    assert draw_rows(model, 30) == draw_rows(model, 30)
    assert (len(draw_rows(model, 30)[-1]), len(draw_rows(model, 100)[-1])) == (27, 51)
    special = {*ENDS.values()}
    assert all(0 <= i < VOCABULARY and i not in special for row in draw_rows(model, 100) for i in row)


WINDOW = HEADS | {"num_hidden_layers": 1, "num_key_value_heads": 2, "sliding_window": 40}


def test_texts_that_outgrow_a_window_are_decoded_as_plain_passes_do():
    model, rows = random_model("mistral", **WINDOW), prompts(20, 50)
    ways = probe(model, longest=63)
    assert ways == Passes(decode="padded")
    found = greedy(model, rows, max_new_tokens=3, decode=ways.decode)
    assert found == [plainly(model, row, 3) for row in rows]


class Unforgetting(Broken):
    """A model with a window, whose cache keeps what has left the window."""

    def __init__(self):
        super().__init__(None)
        self.inner = random_model("mistral", **WINDOW)
        self.config = self.inner.config
        self.cached = random_model("mistral", **WINDOW | {"sliding_window": None})
        self.cached.load_state_dict(self.inner.state_dict())

    def forward(self, input_ids, use_cache=True, **options):
        """The inner model's output, or with a cache that of a model without a window."""
        return (self.cached if use_cache else self.inner)(input_ids, use_cache=use_cache, **options)


def test_a_cache_that_is_wrong_behind_a_window_is_found_only_where_texts_outgrow_it():
    model = Unforgetting()
    assert probe(model, longest=63) == Passes(decode="whole")
    assert probe(model, longest=40) == Passes(decode="padded")
    row = prompts(50)[0]
    assert greedy(model, [row], max_new_tokens=9, decode="padded") != [plainly(model, row, 9)]


def test_rows_share_a_batch_as_their_way_allows():
    rows = [[0] * n for n in (5, 2, 5, 1)]
    assert runs(rows, "padded") == [[3, 1, 0, 2]]
    assert runs(rows, "even") == [[3], [1], [0, 2]]
    assert runs(rows, "alone") == [[3], [1], [0], [2]]
    assert runs([], "padded") == runs([], "even") == []


def test_an_evaluation_by_the_ways_of_a_recurrent_model_does_not_depend_on_the_batch():
    model = random_model("rwkv", attention_hidden_size=32)
    evaluator = Evaluator(tiny_benchmark(), tiny_tokenizer(), PROTOCOLS["muse"], None, passes=probe(model))
    small, large = (evaluator.with_batch_size(size)(model) for size in (1, 128))
    assert small.items.output.tolist() == large.items.output.tolist()
    np.testing.assert_allclose(small.items["value"], large.items["value"], atol=1e-3)


def test_an_evaluator_says_how_much_a_model_reads_at_once():
    evaluator, tokenizer = Evaluator(tiny_benchmark(), tiny_tokenizer(), PROTOCOLS["muse"], None), tiny_tokenizer()
    lengths = evaluator.lengths()
    texts = tiny_benchmark().texts("privleak", "holdout")
    assert set(lengths) == {"verbmem/forget", "knowmem/forget_qa", "knowmem/retain_qa", "utility/test"} | {
        "style/shared",
        "mcq/general",
        "privleak/forget",
        "privleak/holdout",
    }
    assert lengths["privleak/holdout"] >= max(len(tokenizer(text).input_ids) for text in texts) - 1
    assert lengths["verbmem/forget"] > PROTOCOLS["muse"].verbmem_tokens
