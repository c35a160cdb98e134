"""The VAE-GAN: an autoencoder that compares examples by a discriminator's features.

Larsen, Sønderby, Larochelle & Winther 2016, "Autoencoding beyond pixels using a learned similarity
metric" (arXiv:1512.09300). Pixels are replaced by features of the discriminator's hidden layer l
(equation 7), and the decoder is the generator of a GAN (equation 5). In algorithm 1 each of the
three players minimizes its own loss:

    encoder         L_prior + L_llike
    decoder         gamma L_llike - L_GAN
    discriminator   L_GAN

    paper                                 here
    ----------------------------------    ----------------------------------------------------------
    Enc(x), L_prior = KL(q(z|x) || p(z))  `posterior(x)`, the `encoder`; `kl`
    Dec(z)                                `generate(z)`, the `generator`
    Dis_l(x)                              the discriminator's `features`
    L_llike (equation 7)                  `feature_loss`: -E_q [log N(Dis_l(x) | Dis_l(Dec(z)), I)]
    L_GAN (equation 10)                   `loss_pair`, on reconstructions and samples of the prior
    gamma                                 `gamma`
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import keras
import numpy as np
from keras import ops

from keras_gen import checks, latents, losses, networks
from keras_gen.engine import default_networks, inputs, serving
from keras_gen.engine.trainer import Objective
from keras_gen.models.adversarial import AdversarialModel
from keras_gen.noise import Noise
from keras_gen.presets import citations

FAKES = ("reconstruction", "sample")


class VAEGAN(AdversarialModel):
    """A VAE and a GAN that share the decoder: three players, three losses, three lists of weights.

    Args:
        encoder: `keras.Model` from data `(batch, *shape)` to the mean and log-variance of q(z|x),
            `(batch, 2 * latent_dim)`.
        generator: the decoder, from z `(batch, latent_dim)` to data.
        discriminator: from data to `[logit, features]`, `(batch, 1)` and `(batch, n)`.
        gamma: weight of the reconstruction in the decoder's loss, against the game.
        **kwargs: as in `AdversarialModel`.

    `fit` and `evaluate` report each player's loss, `encoder_loss`, `generator_loss` and
    `discriminator_loss`; `kl`, in nats; `feature_loss`, half the squared distance of features (the
    negative log-likelihood without its constant, in nats); and `discriminator_accuracy`.

    Raises:
        ValueError: if the networks do not fit together.
    """

    paper = citations.LARSEN
    needs_features = True
    kinds: ClassVar = {"image": "conv", "vector": "dense"}
    sets_itself: ClassVar = ("latent",)
    metric_names = (
        "generator_loss",
        "discriminator_loss",
        "encoder_loss",
        "kl",
        "feature_loss",
        "discriminator_accuracy",
    )

    def __init__(
        self,
        encoder: keras.Model,
        generator: keras.Model,
        discriminator: keras.Model,
        gamma: float = 0.01,
        **kwargs,
    ):
        latent = latents.Gaussian(generator.inputs[0].shape[-1])
        super().__init__(generator, discriminator, latent=latent, **kwargs)
        inputs.check_built(encoder=encoder)
        self.encoder = encoder
        self.gamma = checks.number("gamma", gamma, least=0)
        if encoder.output_shape[1:] != (latent.parameter_size,) or len(discriminator.outputs) != 2:
            raise ValueError(
                f"encoder must return (batch, {latent.parameter_size}), as the generator takes "
                f"{latent.dim} latents, and discriminator [logit, features]; got "
                f"{encoder.output_shape} and {len(discriminator.outputs)} output(s)."
            )
        if self.packing > 1:
            raise ValueError("packing is not for VAEGAN: it compares single examples.")

    @classmethod
    def further_networks(cls, spec, discriminator, latent_dim, stages, model) -> dict:
        """Returns an encoder: convolutional stages as wide as the discriminator's, or a dense layer
        of 512 units."""
        kind = default_networks.module(cls, spec, stages["network"])
        widths = [(stages["width"] or 64) * times for times in (1, 2, 4)]
        settings = {"filters": widths} if kind is networks.conv else {}
        seed = default_networks.seeded(stages["seed"], default_networks.THIRD)
        return {"encoder": kind.encoder(spec.shape, 2 * latent_dim, seed=seed, **settings)}

    @property
    def players(self):
        return {"encoder": (self.encoder,)} | super().players

    def default_optimizer(self, player: str) -> keras.optimizers.Optimizer:
        """Returns RMSProp with the authors' rate, 3e-4, for every player."""
        return keras.optimizers.RMSprop(3e-4)

    def train_step(self, batch):
        """Takes a step of encoder, decoder and discriminator; returns the metrics so far.

        The decoder's pass in its own step serves the discriminator's too.
        """
        x = self.examples(batch).x
        noise = self.noise(x)
        features = self.discriminate(x).features  # of the discriminator that both players meet
        encoder = self.minimize(
            lambda: self.encoder_objective(x, features, noise, True), self.encoder
        )
        generator = self.minimize(
            lambda: self.generator_objective(x, features, noise, True), self.generator
        )
        discriminator = self.discriminator_step(x, generator.shared, noise)
        for turn in range(1, self.discriminator_steps):
            noise = noise.at("turn", turn)
            discriminator = self.discriminator_step(x, self.fakes(x, noise, True), noise)
        self.update_average()
        return self.report(encoder, generator, discriminator)

    def discriminator_step(self, x, fakes, noise: Noise) -> Objective:
        """Takes one step of the discriminator on real `x` and both kinds of generated data."""
        return self.minimize(
            lambda: self.discriminator_objective(x, fakes, noise, True), self.discriminator
        )

    def encoder_objective(self, x, features, noise: Noise, training: bool) -> Objective:
        """Returns L_prior + L_llike, `(batch,)`, in nats; `features` are Dis_l(x)."""
        posterior = self.encoder(x, training=training)
        kl = self.latent.kl(posterior)
        reconstruction = self.reconstruction(posterior, x, noise, training)
        feature_loss = self.feature_loss(features, reconstruction)
        loss = kl + feature_loss
        return Objective(loss, {"encoder_loss": loss, "kl": kl, "feature_loss": feature_loss})

    def generator_objective(self, x, features, noise: Noise, training: bool) -> Objective:
        """Returns gamma L_llike and the generator's side of the game, `(batch,)`.

        The game's loss is the mean over both kinds of generated data, which are `shared`.
        """
        fakes = reconstruction, _ = self.fakes(x, noise, training)
        training = training and not self._writes_weights
        game = 0.0
        for place, fake in zip(FAKES, fakes, strict=True):
            view = noise.at("generator", place)
            fake = self.discriminator_view(fake, view)
            logits = self.discriminate(fake, training=training).logits
            real = None
            if self.loss_pair.compares:
                seen = self.discriminator_view(x, view)
                real = self.discriminate(seen, training=training).logits
            game += 0.5 * self.loss_pair.generator(real, logits)
        loss = self.gamma * self.feature_loss(features, reconstruction) + game
        return Objective(loss, {"generator_loss": loss}, shared=fakes)

    def discriminator_objective(self, x, fakes, noise: Noise, training: bool) -> Objective:
        """Returns the discriminator's side of the game, `(batch,)`.

        It is the mean over both kinds of generated data: together they weigh as much as the real.
        """
        loss, accuracy = 0.0, 0.0
        for place, fake in zip(FAKES, fakes, strict=True):
            views = (
                self.discriminator_view(each, noise.at(place, side))
                for each, side in ((x, "real"), (ops.stop_gradient(fake), "fake"))
            )
            real, generated, penalty = self.penalized(*views, None, noise.at(place), training)
            logits = real.logits, generated.logits
            game = self.loss_pair.smoothed_discriminator(*logits, self.label_smoothing)
            loss += 0.5 * (game + penalty)
            accuracy += 0.5 * ops.cast(real.logits > generated.logits, "float32")
        return Objective(loss, {"discriminator_loss": loss, "discriminator_accuracy": accuracy})

    def objective(self, examples, noise: Noise, training: bool) -> Objective:
        """Returns all three players' losses; `loss` is the generator's."""
        x = examples.x
        features = self.discriminate(x).features
        encoder = self.encoder_objective(x, features, noise, training)
        generator = self.generator_objective(x, features, noise, training)
        discriminator = self.discriminator_objective(x, generator.shared, noise, training)
        return generator._replace(
            metrics=encoder.metrics | generator.metrics | discriminator.metrics
        )

    def reconstruction(self, posterior, x, noise: Noise, training: bool):
        """Returns Dec(z) of a draw z ~ q(z|x), `(batch, *data_shape)`."""
        z = self.latent.sample((ops.shape(x)[0],), noise.at("posterior"), posterior)
        return self.generate(z, training=training)

    def fakes(self, x, noise: Noise, training: bool):
        """Returns a reconstruction of each example, and as many samples of the prior."""
        posterior = self.encoder(x, training=training)
        sample = self.generate(self.draw_for(x, noise), training=training)
        return self.reconstruction(posterior, x, noise, training), sample

    def feature_loss(self, features, reconstruction):
        """Returns -log N(Dis_l(x) | Dis_l(reconstruction), I) without its constant, `(batch,)`.

        It measures by the discriminator in inference mode, the same for both; in nats.
        """
        pair = (features, self.discriminate(reconstruction).features)
        return 0.5 * losses.reconstruction.squared(*(ops.cast(each, "float32") for each in pair))

    # ---- the autoencoder -------------------------------------------------------------------------

    def encode(self, x, batch_size: int = 512) -> np.ndarray:
        """Returns the mean of q(z|x), `(batch, latent_dim)`, for x `(batch, *data_shape)`."""
        return serving.run(self, "encode", x, batch_size=batch_size)

    def reconstruct(self, x, batch_size: int = 512) -> np.ndarray:
        """Returns `decode(encode(x))`, `(batch, *data_shape)`."""
        return serving.run(self, "reconstruct", x, batch_size=batch_size)

    def signatures(self) -> dict[str, tuple[Callable, list]]:
        signatures, x = super().signatures(), serving.inputs(x=self.data_shape)
        decode, _ = signatures["decode"]

        def encode(x):
            return {"z": self.latent.mean(self.encoder(x))}

        def reconstruct(x):
            return decode(encode(x)["z"])

        return signatures | {
            "encode": (encode, x),
            "reconstruct": (reconstruct, x),
            "serving_default": (reconstruct, x),
        }
