"""What a part of a trial costs is counted once, in the innermost part that it belongs to."""

import time
from collections import Counter

from measurements.trial_parts import timed


def test_the_seconds_of_a_part_are_not_counted_again_in_the_part_around_it(monkeypatch):
    clock = iter([0, 1, 4, 5, 6, 10])  # the outer part begins, the inner one begins and ends twice, the outer one ends
    monkeypatch.setattr(time, "process_time", lambda: next(clock))
    spent: Counter[str] = Counter()
    inner = timed(spent, "inner", lambda x: x + 1)
    outer = timed(spent, "outer", lambda x: inner(x) + inner(x))
    assert outer(1) == 4
    assert spent == {"inner": 3 + 1, "outer": 10 - 4}
