"""Protocols of the likelihood."""

from __future__ import annotations

from collections.abc import Callable

from keras_gen.evaluation.protocols.protocol import SEED, Protocol, Result, Subject, mean


def nll_iw(num_samples: int) -> Callable[[Subject], Result]:
    """Returns a measure of -log p(x) by importance weighting with `num_samples` samples.

    It measures all test examples, in nats. Burda et al. 2016, "Importance Weighted Autoencoders",
    equation 8.
    """

    def measure(subject: Subject) -> Result:
        model, test = subject.model, subject.test
        label = test["label"] if model.conditional else None
        nll = -model.log_likelihood(test["x"], num_samples, seed=SEED, label=label)
        return mean(nll.astype("float64"), "nats")

    return measure


PROTOCOLS = {
    f"nll_iw{num_samples}": Protocol(nll_iw(num_samples), methods=("log_likelihood",))
    for num_samples in (100, 5000)
}
