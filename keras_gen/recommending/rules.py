"""The rules: for each goal presets in order, the first that fit are recommended.

The reasons are this package's own figures: docs/measurements.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from keras_gen.recommending.facts import Facts

GOALS = {
    "generate": "samples like the data",
    "represent": "few numbers that tell what matters of an example",
    "compress": "files that are smaller, without loss",
    "label": "samples of a chosen class, or classes where there are no labels",
}
FEW = 5000  # images of which a discriminator learns the examples by heart
SMALL = 48  # pixels of a side
TINY = 12


@dataclass(frozen=True)
class Rule:
    """One line of the table.

    Attributes:
        goal: one of `GOALS`.
        preset: what is recommended.
        fits: whether it is for such data.
        reason: why, in one phrase.
        settings: what the preset needs other than its own, from the facts.
    """

    goal: str
    preset: str
    fits: Callable[[Facts], bool]
    reason: str
    settings: Callable[[Facts], dict[str, Any]] = field(default=lambda facts: {})


def likelihood(facts: Facts) -> dict[str, Any]:
    """The likelihood of a VAE for the data's values."""
    if facts.values == "binary":
        return {"likelihood": "bernoulli"}
    if facts.values == "levels":
        return {"likelihood": f"discretized_logistic:{facts.levels}"}
    if facts.values == "bytes":
        return {"likelihood": "discretized_logistic"}
    return {"likelihood": "bernoulli" if facts.value_range == (0.0, 1.0) else "gaussian"}


def dense(facts: Facts) -> dict[str, Any]:
    """The likelihood, and dense networks for data that is not an image."""
    return likelihood(facts) | {"network": "dense"}


def image(facts: Facts) -> bool:
    """Images that the networks take."""
    return facts.kind == "image" and facts.channels in (1, 3)


def of(*kinds: str) -> Callable[[Facts], bool]:
    """Data of one of some kinds."""
    return lambda facts: facts.kind in kinds


RULES = (
    # -- samples like the data ---------------------------------------------------------------------
    Rule("generate", "vae_digits", lambda f: image(f) and f.side <= TINY,
         "tiny images, within minutes", likelihood),
    Rule("generate", "dgan_64", lambda f: image(f) and (f.side > SMALL or f.examples < FEW)
         and f.side >= 16, "a convolutional GAN that augments: large images, or few",
         lambda f: {"depth": max(1, f.side.bit_length() - 3)}),
    Rule("generate", "dgan_mnist", lambda f: image(f) and f.channels == 1 and f.side <= SMALL,
         "the sharpest samples of small gray images (1.2 times real data's distance on MNIST)"),
    Rule("generate", "dgan_cifar10", lambda f: image(f) and f.channels == 3 and f.side <= SMALL,
         "a convolutional GAN for small photographs; better with a GPU (--backend jax)"),
    Rule("generate", "mixture_vae_mnist", image,
         "trains without fail and gives likelihoods; its samples are softer", likelihood),
    Rule("generate", "gan_ring", of("vector"), "a GAN with penalties: covers all modes"),
    Rule("generate", "vae_digits", of("vector"),
         "trains without fail and gives likelihoods", dense),
    Rule("generate", "crgan_sines", of("sequence"), "a recurrent GAN: curves that are not blurred"),
    Rule("generate", "recurrent_vae_text", of("text"), "a recurrent VAE of characters"),
    Rule("generate", "conv_vae_spoken_digits", lambda f: f.kind == "audio" and f.classes > 0,
         "a conditional VAE of spectrograms"),
    Rule("generate", "conv_vae_mnist", lambda f: f.kind == "audio" and len(f.shape) == 3,
         "a convolutional VAE of spectrograms", lambda f: {"likelihood": "bernoulli"}),
    # -- few numbers -------------------------------------------------------------------------------
    Rule("represent", "beta_vae_shapes", lambda f: image(f) and f.factors,
         "latents that each follow one factor"),
    Rule("represent", "conv_vae_mnist", image,
         "reconstructs well; a linear classifier on its latents beats one on pixels when labels "
         "are few", likelihood),
    Rule("represent", "infogan_mnist", lambda f: image(f) and f.side <= SMALL,
         "finds classes and styles as codes"),
    Rule("represent", "vae_digits", of("vector"), "reconstructs well, from fewer numbers", dense),
    Rule("represent", "recurrent_vae_text", of("text", "sequence"),
         "one latent for a whole sequence"),
    Rule("represent", "conv_vae_mnist", lambda f: f.kind == "audio" and len(f.shape) == 3,
         "latents of spectrograms", lambda f: {"likelihood": "bernoulli"}),
    # -- smaller files -----------------------------------------------------------------------------
    Rule("compress", "vae_mnist", lambda f: image(f) and f.values == "binary",
         "0.148 bits per pixel of black and white digits, where xz takes 0.227"),
    Rule("compress", "vae_mnist_8bit", lambda f: image(f) and f.channels == 1
         and f.values in ("bytes", "levels"),
         "1.30 bits per pixel of gray digits, where xz takes 1.38",
         lambda f: {"likelihood": f"logistic_mixture:{f.levels}"}),
    Rule("compress", "conv_vae_cifar10", lambda f: image(f) and f.channels == 3
         and f.values == "bytes", "small photographs, at very low rates with loss"),
    # -- by class ----------------------------------------------------------------------------------
    Rule("label", "cgan_cifar10", lambda f: image(f) and f.channels == 3 and f.classes > 0
         and f.side <= SMALL,
         "draws small photographs of the class that is asked for; wants a GPU (--backend jax)"),
    Rule("label", "cgan_mnist", lambda f: image(f) and f.classes > 0 and f.side <= SMALL,
         "draws the class that is asked for, sharp"),
    Rule("label", "cvae_mnist", lambda f: image(f) and f.classes > 0,
         "draws the class that is asked for; trains without fail", likelihood),
    Rule("label", "conv_vae_spoken_digits", lambda f: f.kind == "audio" and f.classes > 0,
         "speaks the class that is asked for"),
    Rule("label", "infogan_mnist", lambda f: image(f) and not f.classes and f.side <= SMALL,
         "finds classes in images that have no labels"),
    Rule("label", "cvae_mnist", lambda f: f.kind == "vector" and f.classes > 0,
         "draws the class that is asked for", dense),
)  # fmt: skip


def fitting(facts: Facts, goal: str) -> list[Rule]:
    """Returns the rules that fit, the best first.

    Raises:
        ValueError: if there is no such goal, or nothing for such data.
    """
    if goal not in GOALS:
        raise ValueError(f"unknown goal {goal!r}: known are {', '.join(GOALS)}.")
    found = [rule for rule in RULES if rule.goal == goal and rule.fits(facts)]
    if not found:
        others = [
            each for each in GOALS
            if any(rule.goal == each and rule.fits(facts) for rule in RULES)
        ]  # fmt: skip
        labels = "" if facts.classes else " without labels"
        raise ValueError(
            f"no preset is known to {goal} {facts.kind} data of shape {facts.shape}{labels}; there "
            f"are some for --goal {' or '.join(others) or 'none'}."
        )
    return found
