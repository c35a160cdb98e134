"""How much of a latent space a model uses."""

from __future__ import annotations

import numpy as np


def latent_variances(codes: np.ndarray) -> np.ndarray:
    """The variance over the data of each latent's posterior mean, `(latent_dim,)`.

    Args:
        codes: means of q(z|x), `(examples, latent_dim)`.

    Raises:
        ValueError: for another shape, or codes that are not finite.
    """
    codes = np.asarray(codes, "float64")
    if codes.ndim != 2 or not np.isfinite(codes).all():
        raise ValueError(f"codes must be finite, (examples, latent_dim); got shape {codes.shape}.")
    return np.var(codes, axis=0)


def active_units(codes: np.ndarray, threshold: float = 0.01) -> int:
    """The number of latents whose posterior mean moves with the data, at most `latent_dim`.

    Burda et al. 2016, "Importance Weighted Autoencoders", section 5.2: a unit is active if
    Cov_x(E_{q(u|x)}[u]) > 0.01.

    Args:
        codes: means of q(z|x), `(examples, latent_dim)`.
        threshold: the least variance of an active unit.

    Raises:
        ValueError: for another shape, or codes that are not finite.
    """
    return int(np.sum(latent_variances(codes) > threshold))
