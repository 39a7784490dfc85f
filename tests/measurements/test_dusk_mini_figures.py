"""The page on dusk-mini's reference models: means of items, and how often forgotten text is the less likely."""

import pandas as pd
import pytest

from measurements.dusk_mini import AIMS, auc, figures, page
from trainables.benchmarks.dusk_mini import OWN, SHARED


def table(score, values, truths=None):
    return pd.DataFrame({"score": score, "value": values, "truth": truths or ["t"] * len(values)})


ATTACKED = table("privleak", [1.0, 3.0, 2.0, 3.0], ["forget", "forget", "holdout", "holdout"])


def test_the_share_of_pairs_in_which_the_forgotten_text_is_less_likely():
    assert auc(ATTACKED) == pytest.approx((0 + 0 + 1 + 1 / 2) / 4)


def test_rows_are_means_and_verbmem_is_told_apart_by_who_is_shared():
    items = [table(name, [40.0, 60.0]) for name in ("knowmem_f", "knowmem_r", "shared_k", "utility")]
    items += [table("verbmem_f", [30.0] * SHARED + [10.0] * OWN), ATTACKED]
    found = figures(pd.concat(items, ignore_index=True))
    assert set(found) == set(AIMS)
    assert (found["shared_k"], found["AUC of the attack"]) == (50.0, 0.375)
    assert (found["verbmem_f of shared persons"], found["verbmem_f of the style's own"]) == (30.0, 10.0)
    text = page({"target": found, "retrained": found}, 0)
    assert "| shared_k | 50.0 | 50.0 | at least 90 | at least 85 |" in text
    assert "| AUC of the attack | 0.38 | 0.38 | at most .1 | .4 to .7 |" in text
