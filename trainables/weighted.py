"""Settings of the methods that lower a forget term and, most of them, a retain term, each with its weight. No torch.

    @dataclass(frozen=True, kw_only=True)
    class SimNPO(Retaining):
        method = "simnpo"

`trainables.training.forget_and_retain` runs a method of such settings, and is given its forget loss; what the method
holds in memory follows from the same settings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from trainables.method import Needs
from trainables.settings import ANY, RETAIN_TEXT, Beside, ByAdamW, setting

NONE = "none"
CACHED, FROZEN = "cached", "frozen"  # references of a forget loss
GDR, KLR = "gdr", "klr"  # retain terms
AP = "ap"  # one on answers to retain questions: of methods that are taught refusals
UNGUIDED = (NONE, GDR, AP)  # of them, those that look at no logits of the target
RETAIN_TERM = "what holds the model on retain text: gdr, its cross-entropy; klr, its divergence from the target; none"
SCOPED = {"scope_weight": ANY}  # beside which retain text is read
HELD = {"retain_term": ANY, "retain_weight": ANY}  # and beside which a retain term reads it
BY_NAME = "what holds the model on retain text: the method's own, by its name"  # the one choice of a method that has it


@dataclass(frozen=True, kw_only=True)
class Weighted(ByAdamW):
    """A forget term. `reference` is what its loss compares with.

    NONE; CACHED, the target's log-probability of each forget token, taken once; or FROZEN, a copy of the target, which
    gives its logits anew in every step.
    """

    reference: ClassVar[str] = NONE
    inherited: ClassVar[Mapping[str, Beside | None]] = dict.fromkeys(RETAIN_TEXT, SCOPED)

    lr: float = setting(3e-4, "learning rate", positive=True)
    forget_weight: float = setting(1.0, "weight of the forget loss")
    scope_weight: float = setting(0.0, "weight of cross-entropy on retain text that stands behind forget text")

    @property
    def compares(self) -> str:
        """The reference that is made; NONE where there is none, or the forget loss weighs 0."""
        return self.reference if self.forget_weight else NONE

    @property
    def holding(self) -> str:
        """The retain term that is computed; NONE where there is none, or its weight is 0."""
        return NONE


@dataclass(frozen=True, kw_only=True)
class Retaining(Weighted):
    """A forget term and a retain term, which `retain_term` chooses; a method named by it leaves one choice."""

    inherited = dict.fromkeys(RETAIN_TEXT, (HELD, SCOPED))

    retain_term: str = setting(GDR, RETAIN_TERM, choices=(GDR, KLR, NONE))
    retain_weight: float = setting(1.0, "weight of the retain term", beside={"retain_term": ANY})

    @property
    def holding(self) -> str:
        """The retain term that is computed; NONE where there is none, or its weight is 0."""
        return self.retain_term if self.retain_weight else NONE


def needs(settings: Weighted) -> Needs:
    """One frozen copy of the target where either term compares with its logits; a number a token is none."""
    guided = settings.compares == FROZEN or settings.holding not in UNGUIDED
    return Needs(trainable=settings.trainable, frozen=guided, guided=guided, adamw=settings.optimizer == "adamw")
