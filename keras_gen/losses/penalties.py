"""Gradient penalties: functions of a discriminator's gradient with respect to its input.

`gradient` is the gradient of each example's logit, `(batch, *shape)`. Results are `(batch,)`,
without the penalty's weight.
"""

from __future__ import annotations

from keras import ops


def squared_norm(gradient):
    """Returns the squared Euclidean norm of each example's gradient, `(batch,)`."""
    return ops.sum(ops.square(gradient), axis=tuple(range(1, len(gradient.shape))))


def zero_centered(gradient):
    """Returns half the squared norm, `(batch,)`: R1 at real examples, R2 at generated ones.

    Source: Mescheder et al. 2018, "Which Training Methods for GANs do actually Converge?", equation
    9, whose weight is gamma.
    """
    return 0.5 * squared_norm(gradient)


def one_centered(gradient):
    """Returns (norm - 1)², `(batch,)`: WGAN-GP's penalty at interpolated examples.

    At 0, where the norm has no derivative, the gradient is 0. Source: Gulrajani et al. 2017,
    "Improved Training of Wasserstein GANs", equation 3, whose weight is lambda.
    """
    norm = ops.sqrt(ops.maximum(squared_norm(gradient), 1e-12))
    return ops.square(norm - 1.0)


def interpolated(real, fake, weight):
    """Returns points between real and generated examples, `(batch, *shape)`.

    Args:
        real: real examples, `(batch, *shape)`.
        fake: generated examples, `(batch, *shape)`.
        weight: `(batch,)` in [0, 1]: 0 gives the real example, 1 the generated one.
    """
    weight = ops.reshape(weight, (-1, *(1,) * (len(real.shape) - 1)))
    return real + weight * (fake - real)
