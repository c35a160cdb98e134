"""The games that a discriminator and a generator play, as pairs of losses.

Each pair takes logits, the discriminator's outputs without an activation, of real and of generated
examples, `(batch,)` each, and gives one loss per example, `(batch,)`, which its player minimizes.
With D = sigmoid(logit), log D = -softplus(-logit) and log(1 - D) = -softplus(logit): exact where
D itself would round to 0 or 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from keras import ops


@dataclass(frozen=True)
class AdversarialLoss:
    """The two losses of a game.

    Attributes:
        name: what `loss=` calls it.
        discriminator: (real logits, fake logits) -> the discriminator's loss, `(batch,)`.
        generator: (real logits, fake logits) -> the generator's loss, `(batch,)`.
        compares: whether the generator's loss depends on the real logits.
        logistic: whether the discriminator's loss is the cross-entropy of sigmoid(logit) with the
            labels 1 and 0, so that labels can be smoothed.
    """

    name: str
    discriminator: Callable
    generator: Callable
    compares: bool = False
    logistic: bool = False

    def smoothed_discriminator(self, real, fake, smoothing: float):
        """The discriminator's loss with the label 1 - smoothing for real examples, `(batch,)`.

        One-sided label smoothing: Salimans et al. 2016, section 3.4. That of generated examples
        stays 0.
        """
        # The cross-entropies with the labels 0 and 1 differ by the logit itself.
        return self.discriminator(real, fake) + smoothing * real


def value(real, fake):
    """V(D, G), one term per pair, `(batch,)`: log D(x) + log(1 - D(G(z))).

    Goodfellow et al. 2014, equation 1. At D = 1/2 it is -log 4.
    """
    return -ops.softplus(-real) - ops.softplus(fake)


def _logistic(real, fake):
    return -value(real, fake)


LOSSES = {
    loss.name: loss
    for loss in (
        # Goodfellow et al. 2014, equation 1: min over G, max over D of the same V. Where D is sure
        # that a sample is fake, the generator's gradient vanishes: the game saturates.
        AdversarialLoss(
            "minimax", _logistic, lambda real, fake: -ops.softplus(fake), logistic=True
        ),
        # The same paper, section 3: the generator maximizes log D(G(z)) instead.
        AdversarialLoss(
            "non_saturating",
            _logistic,
            lambda real, fake: ops.softplus(-fake),
            logistic=True,
        ),
        # Mao et al. 2017, "Least Squares Generative Adversarial Networks", equation 9
        # (a = 0, b = c = 1).
        AdversarialLoss(
            "least_squares",
            lambda real, fake: 0.5 * (ops.square(real - 1.0) + ops.square(fake)),
            lambda real, fake: 0.5 * ops.square(fake - 1.0),
        ),
        # Lim & Ye 2017, "Geometric GAN"; Miyato et al. 2018, equations 16 and 17.
        AdversarialLoss(
            "hinge",
            lambda real, fake: ops.relu(1.0 - real) + ops.relu(1.0 + fake),
            lambda real, fake: -fake,
        ),
        # Arjovsky et al. 2017, "Wasserstein GAN", equations 2 and 3; it needs a penalty.
        AdversarialLoss("wasserstein", lambda real, fake: fake - real, lambda real, fake: -fake),
        # Jolicoeur-Martineau 2019, "The relativistic discriminator", section 4.1: each pair of a
        # real and a generated example is compared (RSGAN; with R1 and R2: Huang et al. 2024,
        # "The GAN is dead; long live the GAN!").
        AdversarialLoss(
            "relativistic",
            lambda real, fake: ops.softplus(fake - real),
            lambda real, fake: ops.softplus(real - fake),
            compares=True,
        ),
    )
}


def get(name: str) -> AdversarialLoss:
    """The pair of losses of that name.

    Raises:
        ValueError: if there is none.
    """
    if name not in LOSSES:
        raise ValueError(f"Unknown adversarial loss {name!r}. Known: {', '.join(LOSSES)}.")
    return LOSSES[name]
