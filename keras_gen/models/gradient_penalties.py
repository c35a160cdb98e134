"""The discriminator's outputs with penalties on their gradient: R1, R2 and WGAN-GP."""

from __future__ import annotations

from keras import ops

from keras_gen import losses
from keras_gen.engine.backends import backend
from keras_gen.noise import Noise


def penalized(model, real, fake, label, noise: Noise, training: bool) -> tuple:
    """Returns the discriminator's outputs for real and for generated examples, and the penalty.

    The penalty is the weighted sum of what the model's `r1`, `r2` and `wgan_gp` ask for (see
    `keras_gen.losses.penalties`), `(packs,)`, or 0.

    Args:
        model: an `AdversarialModel`.
        real: what the discriminator sees of real examples.
        fake: what it sees of generated ones.
        label: `(batch,)`, or None.
        noise: of the points between both.
        training: whether the discriminator is in training mode.
    """
    if not (model.r1 or model.r2):
        outputs = model.discriminate_both(real, fake, label, training)
        penalty = 0.0
    else:

        def total(real, fake):
            outputs = model.discriminate_both(real, fake, label, training)
            # Only the sums that have a weight: second derivatives are expensive.
            sums = (
                ops.sum(model.per_example(output.logits, x))
                for output, x, weight in zip(
                    outputs, (real, fake), (model.r1, model.r2), strict=True
                )
                if weight
            )
            return sum(sums), outputs

        slopes, outputs = backend.gradient(total, [real, fake])
        penalty = model.r1 * losses.penalties.zero_centered(slopes[0])
        penalty += model.r2 * losses.penalties.zero_centered(slopes[1])
    if model.wgan_gp:
        weight = noise.at("interpolation").uniform((ops.shape(real)[0],))
        between = losses.penalties.interpolated(real, fake, ops.cast(weight, real.dtype))

        def total_between(between):
            logits = model.discriminate(between, label, training).logits
            return ops.sum(model.per_example(logits, real)), None

        (slope,), _ = backend.gradient(total_between, [between])
        penalty += model.wgan_gp * losses.penalties.one_centered(slope)
    return *outputs, penalty
