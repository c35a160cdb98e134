"""The beta-VAE: a weight on the KL makes latents independent and interpretable.

Higgins et al. 2017, "beta-VAE: Learning Basic Visual Concepts with a Constrained Variational
Framework"; Burgess et al. 2018, "Understanding disentangling in beta-VAE" (arXiv:1804.03599).

    loss(x) = -E_{q(z|x)} [log p(x|z)] + beta * KL(q(z|x) || p(z))            (Higgins, equation 4)
    loss(x) = -E_{q(z|x)} [log p(x|z)] + beta * |KL(q(z|x) || p(z)) - C|      (Burgess, equation 8)

    paper                                here
    ---------------------------------    ------------------------------------------------
    beta (Higgins), gamma (Burgess)      `beta`
    C, and the steps over which it       `capacity` (nats), `capacity_steps`
    rises from 0 to its final value
"""

from __future__ import annotations

from keras import ops

from keras_gen import checks
from keras_gen.models.vae import VAE
from keras_gen.presets import citations


class BetaVAE(VAE):
    """A VAE with a weight on the KL, and optionally a capacity.

    Args:
        encoder: as in `VAE`.
        decoder: as in `VAE`.
        likelihood: as in `VAE`.
        beta: weight of the KL; 1 is the VAE.
        capacity: the KL in nats that costs nothing at the end; None for the plain weight.
        capacity_steps: training steps over which the capacity rises from 0, linearly.
        warmup_steps: training steps over which the weight rises from 0 to `beta`, linearly: the
            annealing of Bowman et al. 2016 ("Generating Sentences from a Continuous Space",
            section 3.1) against posterior collapse. 0 for none.
        **kwargs: as in `VAE`.

    Raises:
        ValueError: for a weight, capacity or number of steps that is negative or not finite.
    """

    paper = citations.HIGGINS

    def __init__(
        self,
        encoder,
        decoder,
        likelihood="bernoulli",
        beta: float = 4.0,
        capacity: float | None = None,
        capacity_steps: int = 100_000,
        warmup_steps: int = 0,
        **kwargs,
    ):
        super().__init__(encoder, decoder, likelihood, **kwargs)
        self.beta = checks.number("beta", beta, least=0)
        self.capacity = None if capacity is None else checks.number("capacity", capacity, least=0)
        self.capacity_steps = checks.integer("capacity_steps", capacity_steps)
        self.warmup_steps = checks.integer("warmup_steps", warmup_steps, least=0)

    def regularizer(self, kl):
        step = ops.cast(self.step, "float32")
        if self.capacity is not None:
            free = self.capacity * ops.minimum(step / self.capacity_steps, 1.0)
            kl = ops.abs(kl - free)
        warmth = ops.minimum(step / self.warmup_steps, 1.0) if self.warmup_steps else 1.0
        return self.beta * warmth * kl
