"""keras_gen: a Keras model zoo of deep generative models, each with proof.

    import keras_gen as kg

    kg.from_preset("dgan_mnist").sample(64)
    digits = kg.data.load("digits")
    vae = kg.models.VAE.for_data(digits.spec, latent_dim=8)

Submodules are imported when first used: `import keras_gen` itself is instant and needs neither
TensorFlow nor NumPy. If Keras is imported already, it is told of the models at once, so that
`keras.models.load_model` knows them.
"""

import importlib
import sys

__version__ = "0.1.0"

_SUBMODULES = (
    "augmentation",
    "compression",
    "data",
    "distilling",
    "evaluation",
    "exploring",
    "exporting",
    "judging",
    "latents",
    "likelihoods",
    "losses",
    "models",
    "networks",
    "noise",
    "plotting",
    "presets",
    "recommending",
    "reporting",
    "representation",
    "runs",
    "tuning",
)


def __getattr__(name: str):
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBMODULES})


def from_preset(name: str, spec=None, load_weights: bool = True, **options):
    """Returns the model of a preset, of any class, with trained weights.

    Args:
        name: name of a preset; `list_presets()` has them.
        spec, load_weights, **options: as in `keras_gen.models.GenerativeModel.from_preset`.

    Raises:
        ValueError: if there is no such preset, or no trained weights of it come with the package.
    """
    model = importlib.import_module(f"{__name__}.models").GenerativeModel
    return model.from_preset(name, spec, load_weights, **options)


def explore(model, units: int = 12, seed: int = 0):
    """Returns sliders for a model's latents, for a notebook; see `keras_gen.exploring.widget`."""
    return importlib.import_module(f"{__name__}.exploring").explore(model, units, seed)


def list_presets(class_name: str | None = None, released: bool = False) -> tuple[str, ...]:
    """Returns the names of presets.

    Args:
        class_name: only those of a model class, such as "VAE".
        released: only those whose trained weights come with the package.
    """
    presets = importlib.import_module(f"{__name__}.presets")
    names = presets.names(class_name)
    weights = presets.released.names() if released else names
    return tuple(name for name in names if name in weights)


if "keras" in sys.modules:
    importlib.import_module(f"{__name__}.models")
