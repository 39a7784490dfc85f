"""Which part of a forget set is taken: each rule beside its plain formula, and of one rule the smaller in the larger."""

import numpy as np
import pytest
import torch
from tiny import tiny_model

from trainables.methods.ga import GA
from trainables.runs.coreset import COST, off_median, ranked
from trainables.settings import ALL, MATRICES, SELECTIONS
from trainables.training.data import share_of

SEQUENCES = [[0, 9, 4, 7], [0, 250, 12], [0, 5, 5, 5, 5, 5, 9, 8], [0, 33], [0, 61, 62, 7, 8, 9, 80, 31, 17, 4, 200]]


def order(rule: str, trainable: str = MATRICES, sequences=SEQUENCES, **changes) -> list[int]:
    return ranked(tiny_model(), sequences, GA(forget_selection=rule, **changes), trainable, pad=2)


def log_probs(ids) -> torch.Tensor:
    with torch.no_grad():
        values = tiny_model()(torch.tensor([ids])).logits[0, :-1].double().log_softmax(-1)
    return values.gather(1, torch.tensor(ids[1:])[:, None])[:, 0]


@pytest.mark.parametrize("trainable", [MATRICES, ALL, "down_proj:1", "lora:2:2.0"])
def test_grand_takes_the_largest_gradients_of_the_weights_that_are_trained(trainable):
    norms = []
    for ids in SEQUENCES:
        model = tiny_model()
        torch.nn.functional.cross_entropy(model(torch.tensor([ids])).logits[0, :-1], torch.tensor(ids[1:])).backward()
        named = {name: weight.grad for name, weight in model.named_parameters()}
        if trainable == "down_proj:1":
            named = {name: grad for name, grad in named.items() if "layers.1.mlp.down_proj" in name}
        elif trainable != ALL:
            named = {name: grad for name, grad in named.items() if "_proj" in name}
        norms.append(sum(float(grad.double().square().sum()) for grad in named.values()))
    assert order("grand", trainable) == np.argsort(-np.array(norms)).tolist()


def test_moderate_takes_what_is_as_far_from_the_centroid_as_most():
    states = []
    for ids in SEQUENCES:
        with torch.no_grad():
            states.append(tiny_model().model(torch.tensor([ids])).last_hidden_state[0].mean(0))
    states = torch.stack(states)
    far = (states - states.mean(0)).norm(dim=-1)
    assert order("moderate") == (far - far.median()).abs().argsort(stable=True).tolist()
    assert order("moderate", micro_batch_size=1) == order("moderate")


def test_the_distance_to_the_median_distance_by_hand():
    states = torch.tensor([[0.0], [1.0], [2.0], [3.0], [14.0]])  # centroid 4, distances 4, 3, 2, 1, 10, median 3
    assert off_median(states).tolist() == [1, 0, 1, 2, 7]


def test_min_k_takes_the_lowest_mean_of_the_lowest_fifth():
    values = [log_probs(ids).sort().values[: max(1, (len(ids) - 1) // 5)].mean().item() for ids in SEQUENCES]
    assert order("min_k") == np.argsort(values).tolist()


@pytest.mark.parametrize("rule", COST)
def test_the_order_is_of_all_sequences_and_of_two_alike_the_earlier_comes_first(rule):
    twice = [SEQUENCES[0], *SEQUENCES]
    found = order(rule, sequences=twice)
    assert sorted(found) == list(range(6))
    assert found.index(0) < found.index(1)


def test_every_rule_but_chance_has_its_cost():
    assert ("random", *COST) == SELECTIONS
    assert [share_of(20, share) for share in (0.01, 0.05, 0.1, 0.25, 1.0)] == [1, 1, 2, 5, 20]
