"""The recurrent VAE: a latent says what a sequence is about, a decoder writes it step by step.

Bowman et al. 2016, "Generating Sentences from a Continuous Space" (arXiv:1511.06349). The VAE's
bound with a likelihood that looks back,

    log p(x|z) = sum_t log p(x_t | x_1, ..., x_{t-1}, z).

A decoder that looks back can do without z: the KL then falls to zero (posterior collapse). Against
it the paper anneals the weight of the KL and weakens the decoder by word dropout (section 3.1).

    paper                 here
    ------------------    ----------------------------------------------------------------------
    q(z|x)                `posterior(x)`, from the `encoder`, which reads in both directions
    p(x_t | x_<t, z)      `decoder`, a network for one step, unrolled
    x_<t in training      the data (teacher forcing), or "unknown" with probability `word_dropout`
    x_<t in sampling      what was drawn (free running)
    KL annealing          `warmup_steps`; `beta`, its final weight, and `capacity` as in `BetaVAE`
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_gen import data, latents, likelihoods, networks
from keras_gen.models.beta_vae import BetaVAE
from keras_gen.noise import Noise


class RecurrentVAE(BetaVAE):
    """A VAE of sequences: of symbols (text) or of real values (signals).

    ```python
    text = keras_gen.data.load("text:shakespeare.txt", length=64)
    vae = RecurrentVAE.for_data(text.spec, word_dropout=0.3, warmup_steps=2000)
    vae.compile()
    vae.fit(text.batches("train"), epochs=10)
    vae.sample(4)  # four strings
    ```

    Args:
        encoder: `keras.Model` from sequences `(batch, length, channels)` to
            `(batch, 2 * latent_dim)`. Text has one channel, of indices.
        decoder: `keras.Model` for one step, from `[previous, z, *state]` to
            `[parameters, *new_state]`: the step before, `(batch, channels)`, z and tensors
            `(batch, units)` that start at zero, to the likelihood's parameters of this step. What
            comes before the first step, or was dropped, is "unknown": 0 in signals, and in text the
            index after the last symbol's.
        likelihood: of each step, as in `VAE`.
        word_dropout: probability with which a step is kept from the decoder in training.
        vocabulary: of text: the symbol of each index. With it `sample` gives strings.
        beta: as in `BetaVAE`; here 1, the bound itself.
        **kwargs: as in `BetaVAE`.

    Raises:
        ValueError: if networks, likelihood and vocabulary do not fit together.
    """

    paper = "Bowman et al. 2016, Generating Sentences from a Continuous Space (arXiv:1511.06349)"
    kinds: ClassVar = {"sequence": "recurrent", "text": "recurrent"}

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        likelihood="learned_gaussian",
        word_dropout: float = 0.0,
        vocabulary: Sequence[str] | None = None,
        beta: float = 1.0,
        **kwargs,
    ):
        super().__init__(encoder, decoder, likelihood, beta=beta, **kwargs)
        if not 0.0 <= word_dropout <= 1.0:
            raise ValueError(f"word_dropout must be in [0, 1], got {word_dropout}.")
        self.word_dropout = word_dropout
        self.vocabulary = None if vocabulary is None else tuple(vocabulary)
        symbols = getattr(self.likelihood, "num_classes", None)
        if self.vocabulary is not None and len(self.vocabulary) != symbols:
            kind = f"is of {symbols}" if symbols else "has none"
            raise ValueError(
                f"vocabulary has {len(self.vocabulary)} symbols, but the likelihood {kind}."
            )
        self.unknown = float(symbols or 0)

    @classmethod
    def for_data(
        cls,
        spec: data.Spec,
        latent_dim: int = 16,
        likelihood: str | likelihoods.Likelihood | None = None,
        hidden: int | Sequence[int] = (128,),
        cell: str = "gru",
        seed: int | None = None,
        **options,
    ) -> RecurrentVAE:
        """The model with default networks for the data that `spec` describes.

        Args:
            spec: of a data set of sequences or text.
            latent_dim: dimension of z.
            likelihood: a name in `keras_gen.likelihoods.NAMES` or an object; by default categorical
                for text and Gaussian with learned scale for sequences.
            hidden: units of the recurrent layers of the decoder, and of the encoder in reverse.
            cell: "gru" or "lstm".
            seed: of the initial weights and of all noise.
            **options: the model's own hyperparameters.

        Raises:
            ValueError: if the data is neither a sequence nor text.
        """
        kind = cls.default_network(spec)
        settings = {"cell": cell}
        if spec.kind == "text":
            settings["symbols"] = symbols = len(spec.vocabulary)
            likelihood = likelihood or likelihoods.Categorical(symbols)
            options = {"vocabulary": spec.vocabulary} | options
        likelihood = likelihoods.get(likelihood or "learned_gaussian")
        if spec.mask_value is not None:
            likelihood = likelihoods.Masked(likelihood, spec.mask_value)
        channels = spec.shape[-1]
        (parameters,) = likelihood.parameter_shape((channels,))
        hidden = networks.layer_sizes(hidden)
        encoder = kind.encoder(
            spec.shape,
            latents.Gaussian(latent_dim).parameter_size,
            hidden=hidden[::-1],
            mask_value=spec.mask_value,
            seed=seed,
            **settings,
        )
        decoder = kind.decoder(
            latent_dim,
            channels,
            parameters,
            hidden=hidden,
            # Out of the reach of the encoder's seeds, which has one for each layer.
            seed=None if seed is None else seed + 1000,
            **settings,
        )
        return cls(encoder, decoder, likelihood=likelihood, seed=seed, **options)

    def log_prob_given(self, x, z, label, noise: Noise, training: bool):
        """log p(x|z), `(batch,)`, in nats: each step given the true steps before."""
        first = ops.full_like(x[:, :1], self.unknown)
        previous = ops.concatenate([first, x[:, :-1]], axis=1)
        if training and self.word_dropout:
            dropped = noise.at("word_dropout").uniform(ops.shape(x)[:2]) < self.word_dropout
            previous = ops.where(dropped[..., None], self.unknown, previous)

        def step(carried, previous):
            _, *state = carried
            return _float32(self.decoder([previous, z, *state], training=training))

        parameters, *_ = tf.scan(step, _swapped(previous), self._start(z))
        return self.likelihood.log_prob(x, _swapped(parameters))

    def write(self, z, u=None):
        """Writes sequences by free running, `(batch, length, channels)`.

        Args:
            z: `(batch, latent_dim)`.
            u: numbers from 0 to 1, `(batch, length, channels)`, that choose each step's value among
                those that are possible; by default it is the mean, or the likeliest symbol.
        """
        length, channels = self.data_shape
        mean = u is None
        u = ops.zeros((ops.shape(z)[0], length, channels)) if mean else u

        def step(carried, u):
            previous, *state = carried
            parameters, *state = _float32(self.decoder([previous, z, *state]))
            law = self.likelihood
            return [law.mean(parameters) if mean else law.quantile(u, parameters), *state]

        _, *state = self._start(z)
        first = ops.full((ops.shape(z)[0], channels), self.unknown)
        x, *_ = tf.scan(step, _swapped(u), [first, *state])
        return _swapped(x)

    def mean_given(self, z, label=None, training: bool = False):
        """The sequence of each step's mean given those before, `(batch, length, channels)`."""
        return self.write(z)

    def sample(self, n: int, seed: int | None = None, batch_size: int = 512) -> np.ndarray:
        """`n` draws from the model: `(n, length, channels)`, or `n` strings with a vocabulary.

        Args:
            n: number of samples.
            seed: the same seed gives the same samples; None draws a seed.
            batch_size: how many are written at a time.
        """
        seed = random.randrange(2**31) if seed is None else seed
        z, u = (each.numpy() for each in self._draws(n, seed))
        x = self.run("write", z, u, batch_size=batch_size)
        return x if self.vocabulary is None else self.text(x)

    def text(self, x) -> np.ndarray:
        """The strings, `(batch,)`, of indices `(batch, length, 1)`."""
        return np.array(data.decode_text(x, self.vocabulary), dtype=object)

    def signatures(self):
        signatures = super().signatures()
        _, (z,) = signatures["decode"]
        _, [n, seed] = signatures["sample"]
        u = tf.TensorSpec((None, *self.data_shape), tf.float32, name="u")

        def write(z, u):
            return {"x": self.write(z, u)}

        def sample(n, seed):
            made = write(*self._draws(n, seed))
            if self.vocabulary is None:
                return made
            symbols = tf.gather(tf.constant(self.vocabulary), tf.cast(made["x"][..., 0], "int32"))
            return made | {"text": tf.strings.reduce_join(symbols, axis=1)}

        return signatures | {"sample": (sample, [n, seed]), "write": (write, [z, u])}

    def fitting(self, likelihood):
        likelihood = likelihoods.get(likelihood)
        channels = self.data_shape[-1]
        (parameters,) = likelihood.parameter_shape((channels,))
        takes = [tuple(each.shape[1:]) for each in self.decoder.inputs]
        gives = [tuple(each.shape[1:]) for each in self.decoder.outputs]
        wanted = [(channels,), (self.latent.dim,)]
        if takes[:2] != wanted or gives[:1] != [(parameters,)] or takes[2:] != gives[1:]:
            raise ValueError(
                f"decoder must map [previous, z, *state], the first two of shapes {wanted}, to "
                f"[parameters, *state], of shape ({parameters},) and the state's, to go with the "
                f"encoder and likelihood {type(likelihood).__name__}; it maps {takes} to {gives}."
            )
        return likelihood

    def _start(self, z) -> list:
        """What the decoder puts out, all zeros: as it is before the first step."""
        batch = ops.shape(z)[0]
        return [ops.zeros((batch, each.shape[-1])) for each in self.decoder.outputs]

    def _draws(self, n, seed):
        """z and u of `n` samples."""
        return self._prior(n, seed), Noise(seed).at("steps").uniform((n, *self.data_shape))


def _swapped(x):
    """Steps before examples, or the other way round: a scan goes over the first axis."""
    return ops.transpose(x, (1, 0, 2))


def _float32(outputs) -> list:
    """The decoder's outputs as they are carried on, whatever precision it computes in."""
    return [ops.cast(each, "float32") for each in outputs]
