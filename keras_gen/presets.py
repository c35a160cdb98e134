"""Presets: a name stands for data, model, optimizer settings, budget and the number it must reach.

Pure data: this module imports nothing heavy, so that the command line can list and check presets at
once. A preset is a frozen description; `keras_gen.training` runs it.
"""

import copy
import difflib
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

SCHEDULES = ("constant", "cosine", "stages")
STRATEGIES = ("auto", "single", "mirrored", "tpu")

KINGMA = "Kingma & Welling, Auto-Encoding Variational Bayes, 2013 (arXiv:1312.6114)"
HIGGINS = "Higgins et al., beta-VAE, ICLR 2017; Burgess et al., 2018 (arXiv:1804.03599)"
SOHN = "Sohn, Lee & Yan, Learning Structured Output Representation, NeurIPS 2015"
BURDA = "Burda, Grosse & Salakhutdinov, Importance Weighted Autoencoders, 2015 (arXiv:1509.00519)"


@dataclass(frozen=True)
class Preset:
    """One reproducible training recipe.

    Attributes:
        name: what `keras-gen train NAME` calls it.
        description: one line for `keras-gen list`.
        model: class name in `keras_gen.models`.
        paper: the source of the recipe or of the number to reach.
        data: a source that `keras_gen.data.load` knows.
        data_options: further keyword arguments of `keras_gen.data.load`.
        model_options: keyword arguments of the model's `for_data(spec, ...)`.
        epochs: passes over the training set.
        batch_size: examples per step, over all replicas.
        learning_rate: Adam's learning rate, or where its schedule starts; for a model of several
            players one for all, or player -> rate.
        adam: further arguments of Adam.
        schedule: "constant"; "cosine" (decay to zero over the whole run); or "stages" (the IWAE
            paper's: eight stages, stage i at `learning_rate * 10 ** (-i / 7)` for `3 ** i` parts
            of the run, exactly the paper's epochs when `epochs` is 3280).
        protocols: evaluation protocols that `keras-gen evaluate` runs besides the ELBO.
        target: protocol -> the value (in the protocol's unit) that the preset must reach.
    """

    name: str
    description: str
    model: str
    paper: str
    data: str
    data_options: dict[str, Any] = field(default_factory=dict)
    model_options: dict[str, Any] = field(default_factory=dict)
    epochs: int = 20
    batch_size: int = 128
    learning_rate: float | dict[str, float] = 1e-3
    adam: dict[str, float] = field(default_factory=dict)
    schedule: str = "constant"
    protocols: tuple[str, ...] = ()
    target: dict[str, float] = field(default_factory=dict)


# The IWAE paper's MNIST network 784-200-200-50-200-200-784; pixels are drawn anew at every visit.
IWAE_NETWORK = {
    "network": "dense",
    "hidden": (200, 200),
    "activation": "tanh",
    "latent_dim": 50,
    "likelihood": "binarized_bernoulli",
}

PRESETS = MappingProxyType(
    {
        preset.name: preset
        for preset in (
            Preset(
                name="vae_digits",
                description="VAE on scikit-learn's 8x8 digits: no download, under a minute",
                model="VAE",
                paper=KINGMA,
                data="digits",
                model_options={"network": "dense", "hidden": (256, 256), "latent_dim": 10},
                epochs=60,
                batch_size=64,
                learning_rate=4e-3,
                schedule="cosine",
                protocols=("nll_iw100", "active_units"),
            ),
            Preset(
                name="vae_mnist",
                description="VAE on MNIST by the IWAE paper's protocol (--epochs 260 for more)",
                model="VAE",
                paper=BURDA,
                data="mnist",
                model_options=dict(IWAE_NETWORK),
                epochs=150,
                batch_size=100,
                learning_rate=3e-3,
                schedule="cosine",
                protocols=("nll_iw5000", "active_units"),
                target={"nll_iw5000": 89.6},
            ),
            Preset(
                name="conv_vae_mnist",
                description="convolutional VAE on MNIST",
                model="VAE",
                paper=KINGMA,
                data="mnist",
                model_options={"latent_dim": 32, "likelihood": "binarized_bernoulli"},
                epochs=20,
                learning_rate=2e-3,
                schedule="cosine",
                protocols=("nll_iw100", "active_units"),
            ),
            Preset(
                name="beta_vae_shapes",
                description="beta-VAE that disentangles the factors of drawn sprites",
                model="BetaVAE",
                paper=HIGGINS,
                data="shapes",
                data_options={"image_size": 32},
                model_options={
                    "network": "dense",
                    "hidden": (512, 512),
                    "latent_dim": 10,
                    # For 32x32 pixels: a factor of variation is worth fewer nats than at 64x64.
                    "beta": 16.0,
                },
                epochs=30,
                learning_rate=1e-3,
                schedule="cosine",
                protocols=("mig_a", "active_units"),
            ),
            Preset(
                name="cvae_mnist",
                description="conditional VAE on MNIST: the label says which digit to draw",
                model="ConditionalVAE",
                paper=SOHN,
                data="mnist",
                model_options={
                    "network": "dense",
                    "hidden": (512, 256),
                    "latent_dim": 16,
                    "likelihood": "binarized_bernoulli",
                },
                epochs=20,
                schedule="cosine",
                protocols=("nll_iw100", "active_units"),
            ),
            Preset(
                name="iwae_mnist",
                description="IWAE with 5 importance samples on MNIST, the paper's protocol",
                model="IWAE",
                paper=BURDA,
                data="mnist",
                model_options={**IWAE_NETWORK, "num_samples": 5},
                epochs=30,
                batch_size=100,
                learning_rate=3e-3,
                schedule="cosine",
                protocols=("nll_iw5000", "active_units"),
            ),
        )
    }
)


def get(name: str) -> Preset:
    """Return the preset called `name`, the caller's own copy.

    Raises:
        ValueError: no such preset; the message names the known ones and the closest.
    """
    if name not in PRESETS:
        close = difflib.get_close_matches(name, PRESETS, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ValueError(f"unknown preset {name!r}: {hint}known are {', '.join(PRESETS)}")
    return copy.deepcopy(PRESETS[name])
