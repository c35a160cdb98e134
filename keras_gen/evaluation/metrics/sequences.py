"""Scores of generated sequences by networks that are trained on them after the model.

Source: Yoon, Jarrett & van der Schaar 2019, "Time-series Generative Adversarial Networks", section
5, with the settings of the authors' published code.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
from keras import layers, ops

from keras_gen import checks
from keras_gen.data.pipeline import as_array
from keras_gen.engine.backends import backend
from keras_gen.evaluation.arrays import checked

BATCH = 128
LEARNING_RATE = 1e-3
HELD_OUT = 0.2
TOLERANCE = 1e-6


@dataclass(frozen=True)
class SequenceScore:
    """The result of `discriminative_score` and `predictive_score`. Lower is better.

    Attributes:
        refits: score of each network, trained from its own initial weights.
    """

    refits: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean over the refits."""
        return float(np.mean(self.refits))

    @property
    def std(self) -> float:
        """The population standard deviation over the refits."""
        return float(np.std(self.refits))


def discriminative_score(
    real: np.ndarray,
    generated: np.ndarray,
    units: int | None = None,
    refits: int = 10,
    iterations: int = 2000,
    seed: int = 0,
) -> SequenceScore:
    """Returns |accuracy - 0.5| of a classifier of real and generated sequences, from 0 to 0.5.

    The classifier is two layers of GRU and a logit of the last state. The paper has two layers of
    LSTM, the published code one of GRU. Each refit holds out another 20 % of the real and of the
    generated sequences to measure the accuracy. The standard error by chance is about
    0.4 / sqrt(number of sequences held out): 0.006 for 4,000.

    Args:
        real: `(n, length, channels)`.
        generated: `(m, length, channels)`, on the scale of `real`. Only the first sequences of the
            larger set are used, as many as the smaller has.
        units: of each layer. By default half the number of channels, as in the published code. So
            few are easily fooled: report 32 as well.
        refits: number of classifiers.
        iterations: steps of Adam on 128 real and 128 generated sequences.
        seed: of the splits, the initial weights and the batches. The same seed gives the same score
            on one machine.

    Raises:
        ValueError: if shapes do not match, a value is not finite, a set has fewer than 2 sequences,
            or `units`, `refits` or `iterations` is less than 1.
    """
    real, generated, units = _checked(real, generated, units, refits, iterations)
    count = min(len(real), len(generated))
    held_out = max(1, round(HELD_OUT * count))
    x = np.concatenate([real[:count], generated[:count]])
    label = np.repeat(np.float32([[1], [0]]), count, axis=0)
    fit = _trainer(_classifier, _cross_entropy, x.shape[1:], units)
    scores = []
    for rng in _generators(seed, refits):
        orders = [rng.permutation(count), count + rng.permutation(count)]
        batches = [_batches(rng, order[held_out:], iterations) for order in orders]
        test = np.concatenate([order[:held_out] for order in orders])
        logits = fit(x, label, np.concatenate(batches, axis=1), _draw_seed(rng), x[test])
        accuracy = np.mean((logits > 0) == label[test])
        scores.append(float(abs(accuracy - 0.5)))
    return SequenceScore(tuple(scores))


def predictive_score(
    real: np.ndarray,
    generated: np.ndarray,
    units: int | None = None,
    refits: int = 10,
    iterations: int = 5000,
    seed: int = 0,
) -> SequenceScore:
    """Returns the error on real sequences of a predictor that was trained on generated ones.

    The predictor is a layer of GRU with a sigmoid at every step. It predicts the last channel one
    step ahead from all other channels so far, or a single channel from itself. The score is the
    mean absolute error.

    Args:
        real: `(n, length, channels)`, length at least 2, values in [0, 1].
        generated: `(m, length, channels)`, on the scale of `real`.
        units: of the layer. By default half the number of channels, as in the published code.
        refits: number of predictors.
        iterations: steps of Adam on 128 generated sequences.
        seed: of the initial weights and the batches. The same seed gives the same score on one
            machine.

    Raises:
        ValueError: as `discriminative_score`, or if the length is 1 or a real value is outside the
            range of a sigmoid, [0, 1].
    """
    real, generated, units = _checked(real, generated, units, refits, iterations)
    if real.shape[1] < 2:
        raise ValueError("real must have sequences of at least 2 steps to predict the next, got 1.")
    low, high = real.min(), real.max()
    if low < -TOLERANCE or high > 1 + TOLERANCE:
        raise ValueError(
            f"real must be in [0, 1], got values in [{low:g}, {high:g}]: scale both sets alike."
        )
    known, ahead = _shifted(generated)
    fit = _trainer(_predictor, _absolute_error, known.shape[1:], units)
    known_real, ahead_real = _shifted(real)
    scores = []
    for rng in _generators(seed, refits):
        batches = _batches(rng, np.arange(len(generated)), iterations)
        predicted = fit(known, ahead, batches, _draw_seed(rng), known_real)
        scores.append(float(np.abs(predicted - ahead_real).mean(dtype="float64")))
    return SequenceScore(tuple(scores))


# ---- networks and their training ---------------------------------------------------------------


def _classifier(shape: tuple[int, int], units: int, seed: int) -> keras.Model:
    return _network(shape, seed, ((units, True), (units, False)), None)


def _predictor(shape: tuple[int, int], units: int, seed: int) -> keras.Model:
    return _network(shape, seed, ((units, True),), "sigmoid")


def _network(shape, seed: int, recurrent, activation: str | None) -> keras.Model:
    """Layers of GRU, each (units, return_sequences), and one output, float32 under any policy."""
    seeds = itertools.count(seed)

    def glorot():
        return keras.initializers.GlorotUniform(next(seeds))

    network = keras.Sequential([keras.Input(shape)])
    for units, every_step in recurrent:
        options = {
            "kernel_initializer": glorot(),
            "recurrent_initializer": keras.initializers.Orthogonal(seed=next(seeds)),
            "return_sequences": every_step,
            "use_cudnn": False,  # XLA does not support it
            "dtype": "float32",
        }
        network.add(layers.GRU(units, **options))
    network.add(layers.Dense(1, activation, kernel_initializer=glorot(), dtype="float32"))
    return network


def _cross_entropy(label, logit):
    positive = logit >= 0  # neither exponential can overflow
    largest = ops.where(positive, logit, 0.0)
    return largest - logit * label + ops.log1p(ops.exp(ops.where(positive, -logit, logit)))


def _absolute_error(y, predicted):
    return ops.abs(y - predicted)


@functools.cache
def _trainer(build: Callable, loss: Callable, shape: tuple[int, int], units: int) -> Callable:
    """Returns fit(x, y, batches, seed, others): it trains a network on x, y and returns its outputs
    for `others`.

    `batches` are indices of examples, `(iterations, batch)`. All iterations are one compiled
    program, because calls of such small networks would take most of the time. The function is
    cached: all refits, and later scores of data of this shape, share the program.
    """
    network = build(shape, units, seed=0)
    variables = network.trainable_variables
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    optimizer.build(variables)
    start = [as_array(v.value) for v in optimizer.variables]

    def step(i, x, y, batches):
        chosen = batches[i]

        def losses():
            outputs = network(ops.take(x, chosen, axis=0), training=True)
            return [ops.mean(loss(ops.take(y, chosen, axis=0), outputs))], None

        (gradients,), _ = backend.gradients(losses, [variables])
        optimizer.apply(gradients, variables)

    train = backend.repeated(step, [*network.variables, *optimizer.variables])
    outputs_for = backend.compiled(lambda x: network(x, training=False), None, network)

    def fit(x, y, batches, seed, others):
        network.set_weights(build(shape, units, seed).get_weights())
        for variable, value in zip(optimizer.variables, start, strict=True):
            variable.assign(value)
        train(len(batches), *map(ops.convert_to_tensor, (x, y, batches)))
        return as_array(outputs_for(others))

    return fit


def _generators(seed: int, refits: int) -> list[np.random.RandomState]:
    """A generator for each refit, the same for any number of refits."""
    return [np.random.RandomState([seed, refit]) for refit in range(refits)]


def _draw_seed(rng: np.random.RandomState) -> int:
    return int(rng.randint(2**30))


def _batches(rng: np.random.RandomState, indices: np.ndarray, iterations: int) -> np.ndarray:
    return indices[rng.randint(len(indices), size=(iterations, BATCH))].astype("int32")


# ---- data --------------------------------------------------------------------------------------


def _shifted(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All channels but the last (or a single one) up to t, and the last channel at t + 1."""
    known = x[:, :-1, : max(1, x.shape[2] - 1)]
    return known, x[:, 1:, -1:]


def _checked(
    real: np.ndarray, generated: np.ndarray, units: int | None, refits: int, iterations: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Both sets as float32, and the number of units."""
    sets = {"real": real, "generated": generated}
    real, generated = checked("(n, length, channels)", least=2, dtype="float32", **sets)
    units = max(1, real.shape[2] // 2) if units is None else units
    for name, value in {"units": units, "refits": refits, "iterations": iterations}.items():
        checks.integer(name, value)
    return real, generated, units
