"""Adversarial losses: pairs of a discriminator's and a generator's loss.

Both are functions of the logits of real and of generated examples, `(batch,)` each, and return one
value per example, `(batch,)`, which the network minimizes. Logits are the discriminator's outputs
without an activation. With D = sigmoid(logit), log D = -softplus(-logit) and log(1 - D) =
-softplus(logit), which stay exact where D would round to 0 or 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from keras import ops


@dataclass(frozen=True)
class AdversarialLoss:
    """A discriminator's and a generator's loss.

    Attributes:
        name: name of the pair as a `loss=` argument.
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
        """Returns the discriminator's loss with the label 1 - smoothing for real examples.

        The label of generated examples stays 0: one-sided label smoothing, Salimans et al. 2016,
        section 3.4.

        Args:
            real: logits of real examples, `(batch,)`.
            fake: logits of generated examples, `(batch,)`.
            smoothing: distance of the label from 1.

        Returns:
            `(batch,)`.
        """
        # The cross-entropies with the labels 0 and 1 differ by the logit itself.
        return self.discriminator(real, fake) + smoothing * real


def value(real, fake):
    """Returns log D(x) + log(1 - D(G(z))) for each pair, `(batch,)`, whose mean is V(D, G).

    Source: Goodfellow et al. 2014, equation 1. At D = 1/2 it is -log 4.
    """
    return -ops.softplus(-real) - ops.softplus(fake)


def _logistic(real, fake):
    return -value(real, fake)


LOSSES = {
    loss.name: loss
    for loss in (
        # Goodfellow et al. 2014, equation 1: G minimizes and D maximizes the same V. If D is
        # certain that a sample is generated, the generator's gradient vanishes.
        AdversarialLoss(
            "minimax", _logistic, lambda real, fake: -ops.softplus(fake), logistic=True
        ),
        # Goodfellow et al. 2014, section 3: the generator maximizes log D(G(z)) instead.
        AdversarialLoss(
            "non_saturating",
            _logistic,
            lambda real, fake: ops.softplus(-fake),
            logistic=True,
        ),
        # Mao et al. 2017, "Least Squares Generative Adversarial Networks", equation 9, with a = 0
        # and b = c = 1.
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
        # Arjovsky et al. 2017, "Wasserstein GAN", equations 2 and 3. It needs a gradient penalty.
        AdversarialLoss("wasserstein", lambda real, fake: fake - real, lambda real, fake: -fake),
        # Jolicoeur-Martineau 2019, "The relativistic discriminator", section 4.1 (RSGAN): it
        # compares each pair of a real and a generated example. With R1 and R2 it is R3GAN's loss:
        # Huang et al. 2024, "The GAN is dead; long live the GAN!".
        AdversarialLoss(
            "relativistic",
            lambda real, fake: ops.softplus(fake - real),
            lambda real, fake: ops.softplus(real - fake),
            compares=True,
        ),
    )
}


def get(name: str) -> AdversarialLoss:
    """Returns the pair of losses with this name.

    Raises:
        ValueError: if the name is unknown.
    """
    if name not in LOSSES:
        raise ValueError(f"Unknown adversarial loss {name!r}. Known: {', '.join(LOSSES)}.")
    return LOSSES[name]
