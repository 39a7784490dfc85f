"""lm-evaluation-harness on any subject: Utility's own number comes back, and its own way to run a model agrees."""

from types import SimpleNamespace

import numpy as np
import pytest
from tiny import tiny_benchmark, tiny_model, tiny_tokenizer

from trainables.decoding.log_probs import token_logprobs
from trainables.harness.tasks import UTILITY, write_utility
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.utility import prepare
from trainables.subjects.prompt_guard import PromptGuard

pytest.importorskip("lm_eval", reason="the extra harness is not installed")
pytestmark = pytest.mark.slow  # the harness takes ten seconds to load

TEXT = "The mill of Orton was led by Ada Orme, who came from Selby."


def harness_subject(subject, **options):
    from trainables.harness.model import HarnessSubject

    return HarnessSubject(subject, tiny_tokenizer(), **{"batch_size": 4} | options)


def asked(*arguments):
    return SimpleNamespace(args=arguments)


@pytest.mark.parametrize("guard", ["", "Answer: "], ids=["a plain model", "a prompt guard"])
@pytest.mark.parametrize("batch_size", [1, 32])
def test_utility_by_the_harness_is_the_score_utility(tmp_path, guard, batch_size):
    from trainables.harness.measure import measure

    benchmark, model = tiny_benchmark(items=8), tiny_model()
    subject = PromptGuard(model, tiny_tokenizer(), guard) if guard else model
    folder = write_utility(benchmark, tmp_path / "tasks")
    found = measure(subject, tiny_tokenizer(), [UTILITY], batch_size=batch_size, include_path=folder)
    want = prepare(benchmark, tiny_tokenizer(), PROTOCOLS["muse"])(subject)
    assert found[UTILITY]["acc"].value == pytest.approx(want.values.mean(), abs=1e-9)
    assert found[UTILITY]["acc"].n == len(want.values)
    assert 0 < want.values.mean() < 100  # else any wrong reading of the rows could give it as well


def test_log_probs_of_continuations_are_those_of_the_harness_own_model():
    from lm_eval.models.huggingface import HFLM

    model, tokenizer = tiny_model(), tiny_tokenizer()
    pairs = [asked("Question: Who led the mill?\nAnswer:", " Ada Orme"), asked("The mill", " of Orton was")]
    own = harness_subject(model).loglikelihood(pairs, disable_tqdm=True)
    theirs = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=1).loglikelihood(pairs, disable_tqdm=True)
    assert [value for value, _ in own] == pytest.approx([value for value, _ in theirs], abs=1e-4)
    assert [is_greedy for _, is_greedy in own] == [is_greedy for _, is_greedy in theirs]


def test_a_continuation_that_the_model_would_write_is_told_from_others():
    subject = harness_subject(tiny_model())
    (written,) = subject.generate_until([asked("The mill", {"until": [], "max_gen_toks": 3})])
    found = subject.loglikelihood([asked("The mill", written), asked("The mill", "qqq")], disable_tqdm=True)
    assert found[1][1] is False
    if subject.tok_encode("The mill" + written)[:-3] == subject.tok_encode("The mill"):
        assert found[0][1] is True


def test_a_text_ends_before_the_first_word_that_ends_it():
    subject = harness_subject(tiny_model())
    (whole,) = subject.generate_until([asked("The mill", {"until": [], "max_gen_toks": 12})])
    stop = whole[len(whole) // 2]
    (cut,) = subject.generate_until([asked("The mill", {"until": [stop], "max_gen_toks": 12})])
    assert cut == whole.split(stop)[0]


def test_samples_are_refused():
    with pytest.raises(ValueError, match="^the task wants samples"):
        harness_subject(tiny_model()).generate_until([asked("The mill", {"do_sample": True, "temperature": 0.7})])


def test_a_whole_text_counts_every_token_behind_the_one_that_begins_it():
    model, tokenizer = tiny_model(), tiny_tokenizer()
    ids = [tokenizer.eos_token_id, *tokenizer(TEXT, add_special_tokens=False).input_ids]
    want = sum(float(token_logprobs(model, [ids[: i + 1]])[0][-1]) for i in range(1, len(ids)))  # one token at a time
    (found,) = harness_subject(model).loglikelihood_rolling([asked(TEXT)])
    assert found == pytest.approx(want, abs=1e-3)


def test_what_is_longer_than_the_positions_loses_its_first_tokens():
    model = tiny_model(max_position_embeddings=16)
    subject = harness_subject(model)
    context, continuation = subject._encode_pair(TEXT, " Selby")
    assert len(context + continuation) > 16
    ((value, _),) = subject.loglikelihood([asked(TEXT, " Selby")], disable_tqdm=True)
    kept = (context + continuation)[-16:]
    assert value == pytest.approx(float(np.sum(token_logprobs(model, [kept])[0][-len(continuation) :])), abs=1e-4)
    with pytest.raises(ValueError, match="^the task needs 41 tokens at once, and the model has 16 positions$"):
        subject.generate_until([asked(TEXT, {"until": [], "max_gen_toks": 40})])


def test_a_text_longer_than_the_positions_is_read_in_windows_that_cover_it_once():
    model, tokenizer = tiny_model(max_position_embeddings=16), tiny_tokenizer()
    ids = [tokenizer.eos_token_id, *tokenizer(TEXT, add_special_tokens=False).input_ids]
    windows = [ids[:16], ids[15:31], ids[30:46], ids[45:]]  # each begins with the last token of the one before
    assert 1 < len(ids) - 45 <= 16
    (found,) = harness_subject(model).loglikelihood_rolling([asked(TEXT)])
    assert found == pytest.approx(sum(token_logprobs(model, [w])[0].sum() for w in windows), abs=1e-3)


def test_a_task_that_nobody_knows_is_one_line(tmp_path):
    from trainables.harness.measure import measure

    with pytest.raises(ValueError, match=r"^task 'no_such_task' is unknown to lm-evaluation-harness 0\.4"):
        measure(tiny_model(), tiny_tokenizer(), ["no_such_task"], include_path=tmp_path)
