"""The beta-VAE: a VAE whose KL is priced so that its latents come apart.

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

from keras_gen.models.vae import VAE


class BetaVAE(VAE):
    """A VAE with a weight, and a capacity if wanted, on the KL.

    Args:
        encoder: as in `VAE`.
        decoder: as in `VAE`.
        likelihood: as in `VAE`.
        beta: weight of the KL; 1 is the VAE.
        capacity: the KL in nats that is free in the end; None for the plain weight.
        capacity_steps: training steps over which the capacity rises from 0, linearly.
        warmup_steps: training steps over which the weight rises from 0 to `beta`, linearly: the
            annealing of Bowman et al. 2016 ("Generating Sentences from a Continuous Space",
            section 3.1) against posterior collapse. 0 for none.
        **kwargs: as in `VAE`.

    Raises:
        ValueError: for a negative weight, capacity or number of steps.
    """

    paper = (
        "Higgins et al. 2017, beta-VAE; Burgess et al. 2018, Understanding disentangling in "
        "beta-VAE (arXiv:1804.03599)"
    )

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
        if beta < 0 or (capacity or 0) < 0 or capacity_steps < 1 or warmup_steps < 0:
            raise ValueError(
                "beta, capacity and warmup_steps must not be negative and capacity_steps at least "
                f"1; got {beta=}, {capacity=}, {warmup_steps=}, {capacity_steps=}."
            )
        self.beta = beta
        self.capacity = capacity
        self.capacity_steps = capacity_steps
        self.warmup_steps = warmup_steps

    def penalty(self, kl):
        step = ops.cast(self.step, "float32")
        if self.capacity is not None:
            free = self.capacity * ops.minimum(step / self.capacity_steps, 1.0)
            kl = ops.abs(kl - free)
        warmth = ops.minimum(step / self.warmup_steps, 1.0) if self.warmup_steps else 1.0
        return self.beta * warmth * kl
