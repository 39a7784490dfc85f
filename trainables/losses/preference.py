"""Preferences between whole answers to one question: pure functions, log-probabilities in, a value a question out.

A log-probability is the sum over an answer's tokens, in nats; a log-ratio is what it lies above the target's own.
"""

from torch import Tensor
from torch.nn.functional import logsigmoid


def dpo(ratios: Tensor, *, beta: float = 0.1) -> Tensor:
    """DPO's loss of N questions, `-(2/b) log sigmoid(b m)`, of log-ratios [N, k + 1] of k answers and a last one: [N].

    The margin m is the mean of the k preferred answers' log-ratios less that of the last, which is to be forgotten.
    Gradient weight on m: `-2 sigmoid(-b m)`, which is -1 at the start. Source: Rafailov et al. 2023, arXiv 2305.18290,
    eq. 7, times 2/b as NPO's; with several answers, Mekala et al. 2024, arXiv 2409.13474.
    """
    margin = ratios[:, :-1].mean(-1) - ratios[:, -1]
    return -2 / beta * logsigmoid(beta * margin)


def answer_preservation(answer_log_p: Tensor, refusal_log_p: Tensor, *, beta: float = 0.1) -> Tensor:
    """How far an answer is from being likelier than a refusal, `-(1/b) log sigmoid(b (log P - log P'))`: [N].

    Of the log-probabilities [N] of both as answers to one question; without a reference. Source: Yuan et al. 2024,
    arXiv 2410.08109.
    """
    return -1 / beta * logsigmoid(beta * (answer_log_p - refusal_log_p))
