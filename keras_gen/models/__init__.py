"""The models: one paper, one file."""

from keras_gen.models.base import GenerativeModel
from keras_gen.models.beta_vae import BetaVAE
from keras_gen.models.conditional_vae import ConditionalVAE
from keras_gen.models.iwae import IWAE
from keras_gen.models.vae import VAE

__all__ = ["IWAE", "VAE", "BetaVAE", "ConditionalVAE", "GenerativeModel", "get"]

NAMES = {model.__name__: model for model in (VAE, BetaVAE, ConditionalVAE, IWAE)}


def get(name: str) -> type[GenerativeModel]:
    """The model class of that name.

    Raises:
        ValueError: if there is none.
    """
    if name not in NAMES:
        raise ValueError(f"Unknown model {name!r}. Known: {', '.join(NAMES)}.")
    return NAMES[name]
