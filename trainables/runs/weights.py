"""Whether a model has the weights that runs train, and the blocks that their settings number: told before a run."""

from collections.abc import Iterable

from trainables.failures import NoSuchWeights, reason_of
from trainables.methods import needs_of
from trainables.settings import ALL, MATRICES, NOTHING, Settings


def check_weights(reference: str, all_settings: Iterable[Settings]) -> None:
    """NoSuchWeights, in one line, where a model lacks what a configuration needs; of several methods it says which.

    The model is a folder or on the hub, and only its configuration is read, by torch; and nothing of a model from which
    nothing is asked but what every model has.
    """
    all_settings = list(all_settings)
    several = len({settings.method for settings in all_settings}) > 1
    asking = [settings for settings in all_settings if _asks(settings)]
    if not asking:
        return
    from trainables.subjects.models import outline, read_config  # load torch, which most searches' drivers do without
    from trainables.training import trainable

    try:
        model = outline(read_config(reference))
    except ValueError:
        raise
    except Exception as error:  # what transformers raises of a configuration has no common kind
        raise ValueError(f"model {reference!r} cannot be made by its configuration: {reason_of(error)}") from error
    for settings in asking:
        try:
            trainable.check_weights(model, settings, needs_of(settings).trainable)
        except NoSuchWeights as error:
            raise NoSuchWeights(f"{settings.method}: {error}" if several else str(error)) from None


def _asks(settings: Settings) -> bool:
    numbers_a_block = any(allowed.block for allowed in settings.allowed().values())
    return numbers_a_block or needs_of(settings).trainable not in (MATRICES, ALL, NOTHING)
