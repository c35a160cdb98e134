"""keras_gen: a Keras model zoo of deep generative models, each with proof.

    import keras_gen as kg

    digits = kg.data.load("digits")
    vae = kg.models.VAE.for_data(digits.spec, latent_dim=8)

Submodules are imported when first used, so `import keras_gen` itself is instant and needs neither
TensorFlow nor NumPy; unless Keras is there already, which then is told of all models, so that
`keras.models.load_model` knows them.
"""

import importlib
import sys

__version__ = "0.1.0"

_SUBMODULES = (
    "noise",
    "latents",
    "likelihoods",
    "losses",
    "augmentation",
    "networks",
    "presets",
    "zoo",
    "data",
    "plotting",
    "models",
    "training",
    "evaluation",
    "export",
    "release",
    "judging",
    "comparing",
)


def __getattr__(name: str):
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBMODULES})


if "keras" in sys.modules:
    importlib.import_module(f"{__name__}.models")
