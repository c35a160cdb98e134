"""InfoGAN's variational bound on the mutual information between codes and samples."""

from __future__ import annotations


def mutual_information_bound(log_q, entropy):
    """L_I = log Q(c|x) + H(c), one value per sample, `(batch,)`, in nats.

    Its mean is at most I(c; G(z, c)), which is at most H(c): the bound reaches it when Q tells the
    code of every sample. Chen et al. 2016, "InfoGAN", equation 5.

    Args:
        log_q: log Q(c|x) of the code c that made the sample x, `(batch,)`.
        entropy: H(c) of the prior of the codes (differential for continuous ones).
    """
    return log_q + entropy
