"""Settings that a benchmark brings by itself: the paper's, on eight GPUs; each can be replaced by a flag.

Source of the values: arXiv 2504.13388, its public code and its published logs (Llama-2-7B, 20 epochs of 100 steps).
Both corpora have sequences of 1024 tokens. News keeps the beginning of an article, Books cuts its books into pieces;
and they differ in the weight of the forget loss. The public code gives SGD no warm-up, whatever the logs name. It ends
a run once VerbMem is below the retrained model's; here a run goes on to its last step, and every candidate is a
candidate.
"""

from search_spaces.methods import LARGE

PAPER_7B = {
    "lr": 5e-4,
    "beta": 1.0,
    "delta": 0.005,
    "damping": 5.0,
    "forget_loss": "nlul",
    "penalty": "kl",
    "optimizer": "sgd",
    "momentum": 0.95,
    "warmup_steps": 0,
    "clip": 1.0,
    "tol": 0.02,
    "batch_size": 40,
    "steps": 2000,
    "eval_every": 100,  # the paper's epoch
    "max_length": 1024,
    "regularisation_length": 512,
}

# Not the paper's, but what everyone has: the retain set for the penalty.
RETAIN = {"regularisation": "retain"}

# How it runs; results are the same up to rounding. 40 sequences on 8 workers are 5 each, taken in one pass.
EIGHT_GPUS = {"parallel": "fsdp", "precision": "bf16", "checkpointing": True, "micro_batch_size": 5}

PRESET_SETTINGS = {
    "muse-news": PAPER_7B | RETAIN | EIGHT_GPUS | {"alpha": 0.05, "long_texts": "truncate"},
    "muse-books": PAPER_7B | RETAIN | EIGHT_GPUS | {"alpha": 0.1, "long_texts": "split"},
}
# Of these a preset says the same to every other method, whose own values for 7B stand in its file (SETTINGS_7B).
SHARED = (
    *("batch_size", "steps", "eval_every", "max_length", "regularisation_length", "regularisation", "long_texts"),
    *EIGHT_GPUS,
)
# Settings of a preset that are not the paper's, and what the paper has instead: said as long as they are in use.
NOT_THE_PAPERS = {
    "regularisation": (
        "regularisation=retain is not the paper's, which takes the penalty on web text (OpenWebText, whole pieces of "
        "512 tokens alone); with such text of your own: --set regularisation=unrelated unrelated_texts=FILE"
    ),
    "precision": "precision=bf16 is not the paper's, which multiplies in TF32",
}
PRESET_SIZES = dict.fromkeys(PRESET_SETTINGS, LARGE)
PRESET_WORKERS = dict.fromkeys(PRESET_SETTINGS, 8)
PRESET_GPUS = dict.fromkeys(PRESET_SETTINGS, 1.0)  # of one worker
