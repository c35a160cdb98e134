"""How much of a latent space a model uses."""

from __future__ import annotations

import numpy as np

from keras_gen.evaluation.arrays import checked


def latent_variances(latents: np.ndarray) -> np.ndarray:
    """Returns the variance of each latent's posterior mean over the data, `(latent_dim,)`.

    Args:
        latents: means of q(z|x), `(n, latent_dim)`.

    Raises:
        ValueError: if `latents` has another shape or is not finite.
    """
    (latents,) = checked("(n, latent_dim)", latents=latents)
    return np.var(latents, axis=0)


def active_units(latents: np.ndarray, threshold: float = 0.01) -> int:
    """Returns the number of latents whose posterior mean varies with the data.

    Burda et al. 2016, "Importance Weighted Autoencoders", section 5.2: a unit is active if
    Cov_x(E_{q(u|x)}[u]) > 0.01.

    Args:
        latents: means of q(z|x), `(n, latent_dim)`.
        threshold: variance above which a latent is active.

    Raises:
        ValueError: if `latents` has another shape or is not finite.
    """
    return int(np.sum(latent_variances(latents) > threshold))
