"""Entrants of an arena that are a method with settings and ranges of its own, as plain data: by name, both parts in it.

`settings` hold in every trial, `space` is what is searched: `space_7b` with models of billions of parameters.
"""

from typing import Any

from search_spaces import ga_gdr, npo_gdr
from search_spaces.methods import LARGE, SMALL

# Ranges are ours, around public settings: rank 8 to 64, alpha / rank 1 to 4, a learning rate ten times that of the
# weights themselves. Small models have matrices of rank 128.
ADAPTERS = {
    "lr": ("log_uniform", 3e-4, 3e-2),
    "lora_rank": ("choice", (2, 4, 8, 16)),
    "lora_scale": ("choice", (1.0, 2.0)),
}
ADAPTERS_7B = {
    "lr": ("log_uniform", 1e-5, 1e-3),
    "lora_rank": ("choice", (4, 8, 16, 32, 64)),
    "lora_scale": ("choice", (1.0, 2.0)),
}

# arXiv 2410.17509: density 0.8 to 0.95 on TOFU, 0.4 to 0.6 on WMDP; mu 1e-6, of sums of gradients where ours are means.
ATTRIBUTION = {"mask_density": ("uniform", 0.05, 1.0), "mask_mu": ("log_uniform", 1e-4, 1e2)}
ATTRIBUTION_7B = ATTRIBUTION | {"mask_mu": ("log_uniform", 1e-6, 1e2)}

SCOPE = {"scope_weight": ("log_uniform", 0.05, 10.0)}  # ours: arXiv 2506.00359 says no weight where we could read it

VARIANTS: dict[str, dict[str, Any]] = {
    "npo_gdr+lora": {
        "method": "npo_gdr",
        "settings": {},
        "space": npo_gdr.SPACE | ADAPTERS,
        "space_7b": npo_gdr.SPACE_7B | ADAPTERS_7B,
    },
    "npo_gdr+wagle": {
        "method": "npo_gdr",
        "settings": {"mask": "wagle", "parallel": "ddp"},
        "space": npo_gdr.SPACE | ATTRIBUTION,
        "space_7b": npo_gdr.SPACE_7B | ATTRIBUTION_7B,
    },
    "npo_gdr+su": {
        "method": "npo_gdr",
        "settings": {},
        "space": npo_gdr.SPACE | SCOPE,
        "space_7b": npo_gdr.SPACE_7B | SCOPE,
    },
    "ga_gdr+mix": {
        "method": "ga_gdr",
        "settings": {"mixes": 3},
        "space": ga_gdr.SPACE,
        "space_7b": ga_gdr.SPACE_7B,
    },
}


def variant_space(label: str, size: str) -> dict[str, tuple[Any, ...]]:
    """What is searched of a variant with models of a size."""
    return VARIANTS[label][{SMALL: "space", LARGE: "space_7b"}[size]]
