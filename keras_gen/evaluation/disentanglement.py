"""How well single latents stand for single factors of the data."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import mutual_info_score


def mutual_information_gap(codes: np.ndarray, factors: np.ndarray, bins: int = 20) -> float:
    """The mutual information gap (MIG), between 0 and 1.

    For each factor, the mutual information with the latent that tells most about it, less that with
    the runner-up, in units of the factor's entropy; the mean over the factors. Chen et al. 2018,
    "Isolating Sources of Disentanglement in VAEs", equation 6; here in the variant of Locatello et
    al. 2019, on histograms of the means of q(z|x).

    Args:
        codes: means of q(z|x), `(examples, latent_dim)`.
        factors: ground truth, `(examples, number of factors)`, integers. A factor that does not
            vary is left out.
        bins: bins of equal width for each latent.

    Raises:
        ValueError: if shapes do not fit, there are fewer than two latents, or no factor varies.
    """
    codes, factors = np.asarray(codes, "float64"), np.asarray(factors)
    if codes.ndim != 2 or factors.ndim != 2 or len(codes) != len(factors):
        raise ValueError(
            "codes (examples, latent_dim) and factors (examples, factors) must be as long; got "
            f"{codes.shape} and {factors.shape}."
        )
    if codes.shape[1] < 2:
        raise ValueError("a gap between the best two latents needs at least two latents.")
    binned = np.stack([np.digitize(c, np.histogram(c, bins)[1][1:-1]) for c in codes.T])
    gaps = []
    for factor in factors.T:
        entropy = mutual_info_score(factor, factor)
        if entropy > 0:
            first, second = sorted(mutual_info_score(factor, code) for code in binned)[:-3:-1]
            gaps.append((first - second) / entropy)
    if not gaps:
        raise ValueError("no factor varies over these examples.")
    return float(np.mean(gaps))
