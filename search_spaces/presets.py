"""Settings that a benchmark brings by itself: the paper's, on eight GPUs; each can be replaced by a flag.

Source of the values: arXiv 2504.13388 and its published logs (Llama-2-7B). News and Books differ in the weight of the
forget loss, and in how long a sequence is: an article of News is cut at 1024 tokens, a book into pieces of 2048.
"""

PAPER_7B = {
    "lr": 5e-4,
    "beta": 1.0,
    "delta": 0.005,
    "damping": 5.0,
    "forget_loss": "nlul",
    "penalty": "kl",
    "optimizer": "sgd",
    "momentum": 0.95,
    "warmup_steps": 2,
    "clip": 1.0,
    "tol": 0.02,
    "batch_size": 40,
    "steps": 2000,
    "eval_every": 100,  # the paper's epoch
}

# How it runs; results are the same up to rounding. 40 sequences on 8 workers are 5 each, taken in one pass.
EIGHT_GPUS = {"parallel": "fsdp", "precision": "bf16", "checkpointing": True, "micro_batch_size": 5}

PRESET_SETTINGS = {
    "muse-news": PAPER_7B | EIGHT_GPUS | {"alpha": 0.05, "max_length": 1024},
    "muse-books": PAPER_7B | EIGHT_GPUS | {"alpha": 0.1, "max_length": 2048},
}
PRESET_SPACES = dict.fromkeys(PRESET_SETTINGS, "mean-teacher-7b")
PRESET_WORKERS = dict.fromkeys(PRESET_SETTINGS, 8)
PRESET_GPUS = dict.fromkeys(PRESET_SETTINGS, 1.0)  # of one worker
