"""InfoGAN's variational bound on the mutual information between codes and samples."""

from __future__ import annotations


def mutual_information_bound(log_q, entropy):
    """Returns L_I = log Q(c|x) + H(c), one value per sample, `(batch,)`, in nats.

    Its mean is at most I(c; G(z, c)), which is at most H(c). It equals H(c) if Q infers the code of
    every sample with certainty. Source: Chen et al. 2016, "InfoGAN", equation 5.

    Args:
        log_q: log Q(c|x) of the code c from which the sample x was generated, `(batch,)`.
        entropy: H(c), the entropy of the codes' prior; differential for continuous codes.
    """
    return log_q + entropy
