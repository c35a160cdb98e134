"""Penalties on the slope of a discriminator: functions of its gradient with respect to its input.

`gradient` is `(batch, *shape)`, the gradient of each example's logit; results are `(batch,)`, to be
multiplied by the penalty's weight.
"""

from __future__ import annotations

from keras import ops


def squared_norm(gradient):
    """The squared Euclidean norm of each example's gradient, `(batch,)`."""
    return ops.sum(ops.square(gradient), axis=tuple(range(1, len(gradient.shape))))


def zero_centered(gradient):
    """R1 at real examples and R2 at generated ones, `(batch,)`: half the squared norm.

    Mescheder et al. 2018, "Which Training Methods for GANs do actually Converge?", equation 9 for
    R1, of which the weight is gamma.
    """
    return 0.5 * squared_norm(gradient)


def one_centered(gradient):
    """The penalty of WGAN-GP at interpolated examples, `(batch,)`: (norm - 1) squared.

    Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", equation 3, of which the weight
    is lambda. The square root has no derivative at 0, where this gives a gradient of 0.
    """
    norm = ops.sqrt(ops.maximum(squared_norm(gradient), 1e-12))
    return ops.square(norm - 1.0)


def interpolated(real, fake, weight):
    """Points on the lines from real to generated examples, `(batch, *shape)`.

    Args:
        real: `(batch, *shape)`.
        fake: `(batch, *shape)`.
        weight: `(batch,)` in [0, 1]: 0 is the real end.
    """
    weight = ops.reshape(weight, (-1, *(1,) * (len(real.shape) - 1)))
    return real + weight * (fake - real)
