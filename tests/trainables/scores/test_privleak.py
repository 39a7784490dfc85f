"""PrivLeak by its published definition, and never without a retrained reference."""

import zlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import auc as area
from sklearn.metrics import roc_auc_score, roc_curve
from tiny import article, tiny_model, tiny_tokenizer

from trainables.scores.attacks import ATTACKS, MIN_K, Texts, min_k, true_positives
from trainables.scores.intervals import item_weights
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.reductions import auc, ratio_of_aucs

MUSE, OPEN = PROTOCOLS["muse"], PROTOCOLS["open-unlearning"]
scores = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=12).map(np.array)


def public_auc(forget, holdout):
    """The public code's sweep: the curve of minus the scores, forget labelled 0 and holdout 1."""
    labels = [0] * len(forget) + [1] * len(holdout)
    rates = roc_curve(labels, -np.concatenate([forget, holdout]))
    return area(rates[0], rates[1])


def public_attacks(model, tokenizer, text):
    """The public code's scores of one text."""

    def loss_and_logprobs(text):
        ids = torch.tensor([tokenizer.encode(text)])
        with torch.no_grad():
            out = model(ids, labels=ids)
        logprobs = out.logits.log_softmax(dim=-1)[0, :-1].gather(1, ids[0, 1:, None])[:, 0]
        return out.loss.item(), logprobs.tolist()

    loss, logprobs = loss_and_logprobs(text)
    lower, _ = loss_and_logprobs(text.lower())
    wanted = {"ppl": loss, "zlib": loss / len(zlib.compress(bytes(text, "utf-8"))), "lower": loss / lower}
    for ratio in [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]:
        lowest = np.sort(logprobs)[: int(len(logprobs) * ratio)]
        wanted[f"min_{int(ratio * 100)}"] = -np.mean(lowest)
    with torch.no_grad():
        every = model(torch.tensor([tokenizer.encode(text)])).logits.log_softmax(dim=-1)[0, :-1].double()
    mean = (every.exp() * every).sum(dim=-1)
    variance = (every.exp() * every**2).sum(dim=-1) - mean**2
    scores = (torch.tensor(logprobs) - mean) / variance.clamp(min=1e-6).sqrt()
    wanted["min_k++"] = -np.mean(sorted(scores.tolist())[: max(1, int(0.4 * len(scores)))])
    return wanted


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_every_attack_is_that_of_the_public_code(batch_size):
    model, tokenizer, texts = tiny_model(), tiny_tokenizer(), [article(i) * (i + 1) for i in range(4)]
    score = Texts(texts, tokenizer, MUSE)(model, batch_size=batch_size)
    wanted = [public_attacks(model, tokenizer, text) for text in texts]
    for name in ATTACKS:
        assert score(name) == pytest.approx([want[name] for want in wanted], rel=1e-4), name


def test_min_k_is_minus_the_mean_of_the_lowest_tokens():
    logprobs = np.array([-1.0, -4.0, -2.0, -3.0, -0.5])
    assert min_k(logprobs, 40) == 3.5  # int(0.4 * 5) = 2 tokens: -4 and -3
    assert min_k(logprobs, 60) == 3.0
    assert min_k(logprobs[:4], 40) == 4.0  # int(0.4 * 4) = 1: rounded down


@pytest.mark.parametrize("percent", MIN_K)
def test_min_k_of_very_few_tokens_takes_the_lowest_one(percent):
    assert min_k(np.array([-2.0]), percent) == 2.0


def test_open_unlearning_leaves_the_last_token_out_of_min_k_only():
    model, tokenizer, texts = tiny_model(), tiny_tokenizer(), [article(0)]
    ours, theirs = (Texts(texts, tokenizer, protocol)(model) for protocol in (MUSE, OPEN))
    ids = torch.tensor([tokenizer(article(0)).input_ids])
    with torch.no_grad():
        logprobs = model(ids).logits.log_softmax(dim=-1)[0, :-1].gather(1, ids[0, 1:, None])[:-1, 0].numpy()
    assert theirs("min_40")[0] == pytest.approx(min_k(logprobs, 40), rel=1e-4)
    assert theirs("ppl")[0] == ours("ppl")[0]


@given(scores, scores)
def test_the_auc_is_that_of_sklearn_and_of_the_public_sweep(forget, holdout):
    labels = [0] * len(forget) + [1] * len(holdout)
    got = auc(forget, holdout)
    assert got == pytest.approx(roc_auc_score(labels, -np.concatenate([forget, holdout])))
    assert got == pytest.approx(public_auc(forget, holdout))


@given(scores, scores)
def test_swapping_forget_and_holdout_mirrors_the_auc(forget, holdout):
    assert auc(forget, holdout) == pytest.approx(1 - auc(holdout, forget))


def test_a_model_that_remembers_leaks_fully():
    attack = {"forget": np.array([0.1, 0.2]), "holdout": np.array([3.0, 4.0])}
    retrained = {"forget": np.array([1.0, 3.0]), "holdout": np.array([2.0, 2.5])}
    assert auc(*attack.values()) == 0
    assert ratio_of_aucs(attack, retrained)[0] == -100


def test_privleak_by_hand():
    attack = {"forget": np.array([2.0, 4.0]), "holdout": np.array([1.0, 3.0])}  # 3 of 4 pairs: AUC 0.75
    retrained = {"forget": np.array([2.0, 1.0]), "holdout": np.array([1.5, 1.0])}  # 2 + 1/2 of 4: AUC 0.625
    assert ratio_of_aucs(attack, retrained)[0] == pytest.approx(20)


@given(scores, scores, st.integers(0, 3))
def test_the_reference_against_itself_is_zero_with_no_width(forget, holdout, seed):
    attack = {"forget": np.append(forget, 9), "holdout": holdout}  # 9 is above all: the AUC is not 0
    assert ratio_of_aucs(attack, attack, seed=seed, draws=50) == (0, 0, 0)


def weighed_auc(forget, holdout, weights):
    """The AUC of weighed items, pair by pair."""
    pairs = (
        (f, h, wf * wh)
        for f, wf in zip(forget, weights[0], strict=True)
        for h, wh in zip(holdout, weights[1], strict=True)
    )
    return sum(w * ((f > h) + (f == h) / 2) for f, h, w in pairs)


def test_the_interval_is_that_of_weighed_items_and_an_unseen_one_pair_by_pair():
    rng = np.random.default_rng(1)
    base = {split: rng.normal(size=6).round(1) for split in ("forget", "holdout")}
    model = {split: values + rng.normal(size=6).round(1) for split, values in base.items()}
    value, low, high = ratio_of_aucs(model, base, draws=200)
    far, worst, best = 1e9, [], []
    for wf, wh in zip(*item_weights((6, 6), 0, 200), strict=True):
        seen = [w[:-1] / w[:-1].sum() for w in (wf, wh)]
        reference = weighed_auc(base["forget"], base["holdout"], seen)
        for draws, end in ((worst, -far), (best, far)):
            forget, holdout = np.append(model["forget"], end), np.append(model["holdout"], -2 * end)
            draws.append((weighed_auc(forget, holdout, (wf, wh)) / reference - 1) * 100)
    assert low < value < high
    assert (low, high) == pytest.approx((np.percentile(worst, 2.5), np.percentile(best, 97.5)))


def test_a_model_that_leaks_all_on_few_items_may_leak_less_on_others():
    attack = {"forget": np.zeros(20), "holdout": np.ones(20)}
    retrained = {"forget": np.arange(20.0), "holdout": np.arange(20.0)}
    value, low, high = ratio_of_aucs(attack, retrained)
    assert (value, low) == (-100, -100)
    assert -75 < high < -50  # AUC up to about 0.17, as of a share of 0 in 20


def test_one_item_a_split_says_next_to_nothing():
    one = {"forget": np.array([2.0]), "holdout": np.array([1.0])}
    tie = {"forget": np.array([1.0]), "holdout": np.array([1.0])}
    value, low, high = ratio_of_aucs(one, tie)
    assert (value, high) == (100, pytest.approx(100))
    assert low < -90


def test_no_reference_is_refused():
    with pytest.raises(ValueError, match="needs the items of a retrained model"):
        ratio_of_aucs({"forget": np.ones(2), "holdout": np.ones(2)}, None)


def test_a_reference_with_auc_zero_is_refused():
    attack = {"forget": np.zeros(2), "holdout": np.ones(2)}
    with pytest.raises(ValueError, match="AUC is 0"):
        ratio_of_aucs(attack, attack)


def test_a_reference_of_other_items_is_refused():
    attack = {"forget": np.zeros(2), "holdout": np.zeros(2)}
    with pytest.raises(ValueError, match="differ in holdout items: 2 and 3"):
        ratio_of_aucs(attack, {"forget": np.zeros(2), "holdout": np.zeros(3)})


@pytest.mark.parametrize(("protocol", "text"), [(MUSE, ""), (OPEN, "a")])
def test_a_text_too_short_to_attack_is_named(protocol, text):
    with pytest.raises(ValueError, match=r"privleak/holdout\[1\] = '.?' has fewer than"):
        Texts([article(0), text], tiny_tokenizer(), protocol, "privleak/holdout")


def test_the_true_positive_rate_is_of_the_threshold_that_the_rate_of_false_ones_allows():
    never = np.arange(200.0)  # at 1% two of them may be called members: those of 0 and 1
    assert true_positives(np.array([-1.0, 0.0, 1.5, 2.0, 9.0]), never, 1) == 60  # below 2, and not at it
    assert true_positives(np.array([-1.0, 9.5, 10.0, 50.0]), never, 5) == 50
    assert true_positives(np.zeros(4), np.zeros(100), 1) == 0  # a tie with all of them would be all of them


@pytest.mark.parametrize(("n", "percent", "needed"), [(99, 1, 100), (19, 5, 20)])
def test_a_false_positive_rate_of_less_than_one_text_is_refused(n, percent, needed):
    line = f"^{n} texts are too few for a false-positive rate of {percent}%: {needed} are needed$"
    with pytest.raises(ValueError, match=line):
        true_positives(np.zeros(5), np.zeros(n), percent)
    assert true_positives(np.zeros(5), np.ones(needed), percent) == 100
