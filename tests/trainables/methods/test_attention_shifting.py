"""Attention shifting: the specification's mass on telling tokens; only queries and keys move; what is telling is found."""

import pytest
import torch
from given import GIVEN
from tiny import article, tiny_model, tiny_tokenizer
from transformers import GPT2Config, GPT2LMHeadModel

from trainables.failures import NoSuchWeights, Unfit
from trainables.losses.attention import read, turned
from trainables.memory.plan import BACKWARD, plan, shape_of
from trainables.method import Candidate, Step
from trainables.methods import find_method, needs_of, unlearn
from trainables.methods.attention_shifting import AttentionShifting, blocks_in
from trainables.methods.npo import NPO
from trainables.training.attention import weights_in
from trainables.training.data import chunk_texts
from trainables.training.importance import telling

IDS = torch.tensor([[0, 5, 9, 7, 4], [0, 3, 8, 2, 2]])
RETAIN = [[0, 8, 6], [0, 11, 12, 13]]
ALL = {"steps": 2, "eval_every": 2, "batch_size": 4, "warmup_steps": 0}
HEADS = torch.tensor([[[[0.7, 0.3]]]])  # one position, one head, two tokens


def run(given=GIVEN, model=None, **changes) -> list:
    settings = AttentionShifting(**(ALL | changes))
    return list(unlearn(model or tiny_model(), [[0, 5]], RETAIN, settings, pad=2, **given))


def test_the_mass_on_telling_tokens_is_the_specification_s_number():
    assert read(HEADS, torch.tensor([[1.0, 0.0]])).item() == pytest.approx(0.7)


def test_where_nothing_is_telling_the_loss_is_0_and_has_no_gradient():
    weights = HEADS.clone().requires_grad_()
    loss = read(weights, torch.zeros(1, 2)).sum()
    loss.backward()
    assert loss.item() == 0
    assert not weights.grad.any()


def test_attention_that_turned_is_a_divergence_which_is_0_where_it_did_not_and_finite_at_tokens_that_come_later():
    other = torch.tensor([[[[0.5, 0.5]]]])
    wanted = 0.7 * torch.tensor(0.7 / 0.5).log() + 0.3 * torch.tensor(0.3 / 0.5).log()
    assert turned(other, HEADS).item() == pytest.approx(wanted.item())
    assert turned(HEADS, HEADS).item() == 0
    assert turned(torch.tensor([[[[1.0, 0.0]]]]), torch.tensor([[[[1.0, 0.0]]]])).item() == 0


@pytest.mark.parametrize("blocks", [range(0, 1), range(1, 3), range(0, 3)])
@torch.no_grad()
def test_attention_of_some_blocks_is_that_of_a_plain_pass(blocks):
    model = tiny_model(num_hidden_layers=3)
    found = weights_in(model, blocks)(model, IDS, None)
    plain = tiny_model(num_hidden_layers=3)
    plain.set_attn_implementation("eager")
    seen = plain(IDS, output_attentions=True).attentions
    for place, block in enumerate(blocks):
        heads = found[:, :, 4 * place : 4 * place + 4].transpose(1, 2)  # [B, 4, T - 1, T]
        assert torch.allclose(heads, seen[block][:, :, :-1], atol=1e-6)
    assert found.sum(-1).allclose(torch.ones(()))
    assert model.config._attn_implementation == tiny_model().config._attn_implementation


@pytest.mark.parametrize(
    ("count", "first", "middle", "last"), [(4, [0, 1], [1, 2], [2, 3]), (3, [0], [1], [2]), (2, [0], [0, 1], [1])]
)
def test_a_third_of_the_blocks_is_never_empty(count, first, middle, last):
    assert [list(blocks_in(third, count)) for third in ("first", "middle", "last")] == [first, middle, last]


def test_the_tokens_of_a_keyword_have_its_weight_and_all_others_none():
    text = "A mill in Orton makes paper."
    begin = text.index("Orton")
    rows = [{"row": 0, "word": "orton", "weight": 0.5, "spans": [[begin, begin + 5]]}]
    ((ids, weights),) = telling(tiny_tokenizer(), [text], rows, max_length=64)
    assert ids == tiny_tokenizer()(text).input_ids
    marked = tiny_tokenizer().decode([token for token, weight in zip(ids, weights, strict=True) if weight])
    assert marked.strip() == "Orton"
    assert set(weights) == {0.0, 0.5}


@pytest.mark.parametrize("length", [7, 512])
@pytest.mark.parametrize("long_texts", ["split", "truncate"])
def test_its_sequences_are_those_that_every_method_reads(length, long_texts):
    texts = [article(0), article(1)]
    found = telling(tiny_tokenizer(), texts, [], max_length=length, long_texts=long_texts)
    assert [ids for ids, _ in found] == chunk_texts(tiny_tokenizer(), texts, max_length=length, long_texts=long_texts)


def test_nothing_but_queries_and_keys_moves():
    (candidate,) = (record for record in run(lr=1e-2) if isinstance(record, Candidate))
    before = tiny_model().state_dict()
    moved = {name for name, weight in candidate.subject.state_dict().items() if not torch.equal(weight, before[name])}
    assert moved == {name for name in before if "q_proj" in name or "k_proj" in name}


def test_the_first_step_s_loss_is_the_plain_mean_over_all_positions():
    told = telling(tiny_tokenizer(), GIVEN["texts"]["forget"], GIVEN["data"]["keywords"]["forget"], max_length=512)
    values, model = [], tiny_model()
    with torch.no_grad():
        for ids, weights in told:
            mass = weights_in(model, range(2))(model, torch.tensor([ids]), None)
            values += read(mass, torch.tensor([weights]))[0].tolist()
    (step,) = (r for r in run(batch_size=len(told), sampling="cyclic", steps=1) if isinstance(r, Step))
    assert step.values["forget_loss"] == pytest.approx(sum(values) / len(values), rel=1e-5)
    assert step.values["attention_loss"] == pytest.approx(0.0, abs=1e-6)
    assert step.cost == len(told) * (3 + 4 + 3 + 3)


def test_what_weighs_nothing_is_not_read():
    (step, _) = (r for r in run(response_weight=0.0, retain_weight=0.0) if isinstance(r, Step))
    assert "retain_loss" not in step.values
    assert step.cost == 4 * 3
    assert needs_of(AttentionShifting(response_weight=0.0)).data == ("keywords",)
    assert needs_of(AttentionShifting()).data == ("keywords", "qa", "refusals")


def test_attention_that_is_kept_is_planned_for():
    settings = {"micro_batch_size": 1, "batch_size": 1, "max_length": 512}
    shape = shape_of(tiny_model().config)
    kept, other = (plan(shape, kind(**settings)).phases[BACKWARD] for kind in (AttentionShifting, NPO))
    assert kept["activations"] - other["activations"] >= 2 * 512 * 4 * 512 * 8  # two blocks, four heads, 8 bytes


def test_a_model_without_such_matrices_and_texts_without_keywords_are_told_in_a_line():
    model = GPT2LMHeadModel(GPT2Config(vocab_size=300, n_embd=32, n_layer=2, n_head=2))
    with pytest.raises(NoSuchWeights, match="^GPT2LMHeadModel has no q_proj and k_proj to be trained$"):
        run(model=model)
    with pytest.raises(Unfit, match="^no token of the forget texts is part of a keyword: attention_shifting has"):
        run(given=GIVEN | {"data": GIVEN["data"] | {"keywords": {"forget": []}}})


def test_its_card_says_that_it_is_made_by_the_abstract_alone():
    assert "abstract alone" in find_method("attention_shifting").unverified
