"""The recurrent VAE: z says what a sequence is about, a decoder writes it step by step.

Bowman et al. 2016, "Generating Sentences from a Continuous Space" (arXiv:1511.06349). The VAE's
bound with an autoregressive likelihood,

    log p(x|z) = sum_t log p(x_t | x_1, ..., x_{t-1}, z).

An autoregressive decoder can do without z: the KL then falls to zero (posterior collapse). Against
this, the paper anneals the weight of the KL and weakens the decoder by word dropout (section 3.1).

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
from keras import ops

from keras_gen import checks, data, latents, likelihoods, networks
from keras_gen.engine import default_networks, options, serving
from keras_gen.engine.backends import backend
from keras_gen.models.beta_vae import BetaVAE
from keras_gen.networks import recurrent
from keras_gen.noise import Noise
from keras_gen.presets import citations


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
            `(batch, units)` that start at zero, to the likelihood's parameters of this step. The
            step before the first, and a dropped one, is "unknown": 0 in signals, and in text the
            index after the last symbol's.
        likelihood: of each step, as in `VAE`.
        word_dropout: probability with which a step is hidden from the decoder in training.
        vocabulary: of text, the symbol of each index. With it `sample` returns strings.
        beta: as in `BetaVAE`; here 1, the bound itself.
        **kwargs: as in `BetaVAE`.

    Raises:
        ValueError: if networks, likelihood and vocabulary do not fit together.
    """

    paper = citations.BOWMAN
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
        if checks.number("word_dropout", word_dropout, least=0) > 1:
            raise ValueError(f"word_dropout must be in [0, 1], got {word_dropout}.")
        self.word_dropout = word_dropout
        self.vocabulary = None if vocabulary is None else tuple(vocabulary)
        symbols = getattr(self.likelihood, "num_classes", None)
        if self.vocabulary is not None and len(self.vocabulary) != symbols:
            raise ValueError(
                f"vocabulary has {len(self.vocabulary)} symbols, but the likelihood has "
                f"{symbols or 'none'}."
            )
        self.unknown = float(symbols or 0)

    @options.takes_options
    def for_data(
        cls,
        spec: data.Spec,
        latent_dim: int = 16,
        likelihood: str | likelihoods.Likelihood | None = None,
        hidden: int | Sequence[int] = (128,),
        encoder_hidden: int | Sequence[int] | None = None,
        cell: str = "gru",
        seed: int | None = None,
        **model,
    ) -> RecurrentVAE:
        """Returns the model with default networks for the data that `spec` describes.

        Args:
            spec: of a data set of sequences or text.
            latent_dim: dimension of z.
            likelihood: a name in `keras_gen.likelihoods.NAMES` or an object; by default categorical
                for text and Gaussian with learned scale for sequences.
            hidden: units of the recurrent layers of the decoder.
            encoder_hidden: those of the encoder, in each direction; by default `hidden` in reverse.
            cell: "gru" or "lstm".
            seed: of the initial weights and of all noise.
            **model: the model's own hyperparameters, as in its constructor.

        Raises:
            TypeError: for an unknown option.
            ValueError: if the data is neither a sequence nor text.
        """
        kind = default_networks.module(cls, spec)
        settings = {"cell": cell}
        if spec.kind == "text":
            settings["symbols"] = symbols = len(spec.vocabulary)
            likelihood = likelihood or likelihoods.Categorical(symbols)
            model = {"vocabulary": spec.vocabulary} | model
        likelihood = likelihoods.get(likelihood or "learned_gaussian")
        if spec.mask_value is not None:
            likelihood = likelihoods.Masked(likelihood, spec.mask_value)
        channels = spec.shape[-1]
        (parameters,) = likelihood.parameter_shape((channels,))
        hidden = networks.layer_sizes(hidden)
        encoder = kind.encoder(
            spec.shape,
            latents.Gaussian(latent_dim).parameter_size,
            hidden=networks.layer_sizes(encoder_hidden or hidden[::-1]),
            mask_value=spec.mask_value,
            seed=default_networks.seeded(seed),
            **settings,
        )
        decoder = kind.decoder(
            latent_dim,
            channels,
            parameters,
            hidden=hidden,
            seed=default_networks.seeded(seed, default_networks.SECOND),
            **settings,
        )
        return cls(encoder, decoder, likelihood=likelihood, seed=seed, **model)

    def log_prob_given(self, x, z, label, noise: Noise, training: bool):
        """Returns log p(x|z), `(batch,)`, in nats: of each step given the true steps before."""
        first = ops.full_like(x[:, :1], self.unknown)
        previous = ops.concatenate([first, x[:, :-1]], axis=1)
        if training and self.word_dropout:
            dropped = noise.at("word_dropout").uniform(ops.shape(x)[:2]) < self.word_dropout
            previous = ops.where(dropped[..., None], self.unknown, previous)

        def step(carried, previous):
            _, *state = carried
            return recurrent.one_step(self.decoder, [previous, z, *state], training)

        parameters, *_ = backend.scan(
            step, _swapped(previous), recurrent.before_the_first(self.decoder, z)
        )
        return self.likelihood.log_prob(x, _swapped(parameters))

    def write(self, z, u=None):
        """Returns sequences written step by step, each given what was written before.

        Args:
            z: `(batch, latent_dim)`.
            u: numbers from 0 to 1, `(batch, length, channels)`: the probability at which each step
                takes its distribution's quantile. By default each step is the mean, or the most
                probable symbol.

        Returns:
            `(batch, length, channels)`.
        """
        length, channels = self.data_shape
        mean = u is None
        u = ops.zeros((ops.shape(z)[0], length, channels)) if mean else u

        def step(carried, u):
            previous, *state = carried
            parameters, *state = recurrent.one_step(self.decoder, [previous, z, *state])
            p = self.likelihood
            return [p.mean(parameters) if mean else p.quantile(u, parameters), *state]

        _, *state = recurrent.before_the_first(self.decoder, z)
        first = ops.full((ops.shape(z)[0], channels), self.unknown)
        x, *_ = backend.scan(step, _swapped(u), [first, *state])
        return _swapped(x)

    def mean_given(self, z, label=None, training: bool = False):
        """Returns each step's mean given the means before, `(batch, length, channels)`."""
        return self.write(z)

    def sample(self, n: int, seed: int | None = None, batch_size: int = 512) -> np.ndarray:
        """Returns `n` samples, `(n, length, channels)`, or `n` strings with a vocabulary.

        Args:
            n: number of samples.
            seed: the same seed gives the same samples; None draws a seed.
            batch_size: how many are written at a time.
        """
        checks.integer("n", n)
        seed = random.randrange(2**31) if seed is None else checks.seed(seed)
        z, u = self._draws(n, seed)
        x = serving.run(self, "write", z, u, batch_size=batch_size)
        return x if self.vocabulary is None else self.text(x)

    def text(self, x) -> np.ndarray:
        """Returns the strings, `(batch,)`, of indices `(batch, length, 1)`."""
        return np.array(data.decode_text(x, self.vocabulary), dtype=object)

    def signatures(self):
        inputs = serving.inputs(z=(self.latent.dim,), u=self.data_shape)

        def write(z, u):
            return {"x": self.write(z, u)}

        def sample(n, seed):
            made = write(*self._draws(n, seed))
            if self.vocabulary is None:
                return made
            return made | {"text": backend.strings(made["x"][..., 0], self.vocabulary)}

        sampled = sample, serving.inputs("n", "seed")
        return super().signatures() | {"sample": sampled, "write": (write, inputs)}

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

    def _draws(self, n, seed):
        """Draws z and u of `n` samples."""
        noise = Noise(seed)
        u = noise.at("steps").uniform((n, *self.data_shape))
        return self.draw(n, noise.at("sample")), u


def _swapped(x):
    """Swaps the axes of examples and steps: a scan goes over the first."""
    return ops.transpose(x, (1, 0, 2))
