"""TOFU in small: three of ten questions are to be forgotten, in the configs of the hub."""


def row(i, *, wrong=0, paraphrased=False):
    found = {"question": f"Where was author {i} born?", "answer": f"Author {i} was born in the town of Ede {i}."}
    if paraphrased:
        found |= {"paraphrased_answer": f"Ede {i} is it.", "paraphrased_question": f"Birthplace of {i}?"}
    return found | ({"perturbed_answer": [f"Oss {i + j} is it." for j in range(wrong)]} if wrong else {})


CONFIGS = {
    "full": [row(i) for i in range(10)],
    "forget10": [row(i) for i in range(7, 10)],
    "retain90": [row(i) for i in range(7)],
    "forget10_perturbed": [row(i, wrong=5, paraphrased=True) for i in range(7, 10)],
    "retain_perturbed": [row(i, wrong=5, paraphrased=True) for i in range(3)],
    "real_authors_perturbed": [row(i, wrong=3) for i in range(20, 23)],
    "world_facts_perturbed": [row(i, wrong=3) for i in range(30, 33)],
    "holdout10": [row(i) for i in range(40, 43)],
}
