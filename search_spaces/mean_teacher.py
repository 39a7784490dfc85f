"""The mean-teacher space: EMA rate, NLUL weight and learning rate, log-uniform.

The ranges include collapse at one end (a fast student whose teacher runs after it) and nothing happening at the other.
"""

SPACE = {
    "delta": ("log_uniform", 0.01, 0.5),
    "alpha": ("log_uniform", 0.1, 10.0),
    "lr": ("log_uniform", 0.01, 0.5),
}

# Llama-2-7B moves at a hundredth of the small model's rates; around the values of arXiv 2504.13388.
SPACE_7B = {
    "delta": ("log_uniform", 0.0005, 0.05),
    "alpha": ("log_uniform", 0.005, 0.5),
    "lr": ("log_uniform", 5e-5, 5e-3),
}
