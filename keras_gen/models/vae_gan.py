"""The VAE-GAN: an autoencoder whose reconstructions are compared by a discriminator's features.

Larsen, Sønderby, Larochelle & Winther 2016, "Autoencoding beyond pixels using a learned similarity
metric" (arXiv:1512.09300). Pixels are replaced by features of the discriminator's hidden layer l
(equation 7), and the decoder is the generator of a GAN (equation 5). In algorithm 1 each of the
three players goes down its own loss:

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

from typing import ClassVar

import keras
import numpy as np
from keras import ops

from keras_gen import data, latents, losses, networks
from keras_gen.models.adversarial import AdversarialModel
from keras_gen.noise import Noise

FAKES = ("reconstruction", "sample")


class VAEGAN(AdversarialModel):
    """A VAE and a GAN that share the decoder: three players, three losses, three lists of weights.

    Args:
        encoder: `keras.Model` from data `(batch, *shape)` to the mean and log-variance of q(z|x),
            `(batch, 2 * latent_dim)`.
        generator: the decoder, from z `(batch, latent_dim)` to data.
        discriminator: from data to `[logit, features]`, `(batch, 1)` and `(batch, n)`.
        gamma: weight of the decoder's reconstruction against its game.
        **kwargs: as in `AdversarialModel`.

    `fit` and `evaluate` report each player's loss, `encoder_loss`, `generator_loss` and
    `discriminator_loss`; `kl`, in nats; `feature_loss`, half the squared distance of features (the
    negative log-likelihood without its constant, in nats); and `discriminator_accuracy`.
    """

    paper = (
        "Larsen et al. 2016, Autoencoding beyond pixels using a learned similarity metric "
        "(arXiv:1512.09300)"
    )
    needs_features = True
    kinds: ClassVar = {"image": "conv", "vector": "dense"}
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
        self.check_built(encoder=encoder)
        self.encoder = encoder
        self.gamma = gamma
        if encoder.output_shape[1:] != (latent.parameter_size,) or len(discriminator.outputs) != 2:
            raise ValueError(
                f"encoder must put out (batch, {latent.parameter_size}), as the generator takes "
                f"{latent.dim} latents, and discriminator [logit, features]; they put out "
                f"{encoder.output_shape} and {len(discriminator.outputs)} output(s)."
            )
        if self.packing > 1:
            raise ValueError("packing is not for VAEGAN: it compares single examples.")

    @classmethod
    def default_networks(
        cls,
        spec: data.Spec,
        latent_dim: int,
        network: str | None = None,
        width: int | None = None,
        seed: int | None = None,
        **options,
    ) -> dict[str, keras.Model]:
        """As `AdversarialModel.default_networks`, and an encoder: convolutional stages as wide as
        the discriminator's, or a dense layer of 512 units."""
        made = super().default_networks(
            spec, latent_dim, network=network, width=width, seed=seed, **options
        )
        kind, _ = cls._network(spec, network, None, None)
        widths = [(width or 64) * times for times in (1, 2, 4)]
        settings = {"filters": widths} if kind is networks.conv else {}
        settings["seed"] = None if seed is None else seed + 2000
        return made | {"encoder": kind.encoder(spec.shape, 2 * latent_dim, **settings)}

    @property
    def players(self):
        return {"encoder": (self.encoder,)} | super().players

    def default_optimizer(self, player: str) -> keras.optimizers.Optimizer:
        """RMSProp with the authors' rate, 3e-4, for every player."""
        return keras.optimizers.RMSprop(3e-4)

    def train_step(self, batch):
        """A step of each: encoder, decoder, discriminator. Gives the metrics' means so far."""
        x, _ = self.examples(batch)
        noise = self.noise(x)
        features = self.judge(x).features  # of the discriminator that both players meet
        terms = self.minimize(
            lambda: self.encoder_objective(x, features, noise, True), self.encoder
        )
        terms |= self.minimize(
            lambda: self.generator_objective(x, features, noise, True), self.generator
        )
        fakes = terms["fakes"]  # one pass of the decoder serves both players of the game
        for turn in range(self.discriminator_steps):
            if turn:
                noise = noise.at("turn", turn)
                fakes = self.fakes(x, noise, True)
            terms |= self.minimize(
                lambda fakes=fakes, noise=noise: self.discriminator_objective(
                    x, fakes, noise, True
                ),
                self.discriminator,
            )
        self.update_average()
        return self.report({name: terms[name] for name in self.metric_names})

    def encoder_objective(self, x, features, noise: Noise, training: bool) -> dict:
        """L_prior + L_llike, `(batch,)`, in nats; `features` are Dis_l(x)."""
        posterior = self.encoder(x, training=training)
        kl = self.latent.kl(posterior)
        feature_loss = self.feature_loss(
            features, self.reconstruction(posterior, x, noise, training)
        )
        loss = kl + feature_loss
        return {"loss": loss, "encoder_loss": loss, "kl": kl, "feature_loss": feature_loss}

    def generator_objective(self, x, features, noise: Noise, training: bool) -> dict:
        """gamma L_llike and the generator's side of the game, `(batch,)`, its mean as above."""
        fakes = reconstruction, _ = self.fakes(x, noise, training)
        training = training and not self._writes_weights
        game = 0.0
        for place, fake in zip(FAKES, fakes, strict=True):
            noise_of_fake = noise.at("generator", place)
            fake = self.judge(self.prepare(fake, noise_of_fake), training=training)
            real = None
            if self.loss_pair.compares:
                real = self.judge(self.prepare(x, noise_of_fake), training=training).logit
            game += 0.5 * self.loss_pair.generator(real, fake.logit)
        loss = self.gamma * self.feature_loss(features, reconstruction) + game
        return {"loss": loss, "generator_loss": loss, "fakes": fakes}

    def discriminator_objective(self, x, fakes, noise: Noise, training: bool) -> dict:
        """The discriminator's side of the game, `(batch,)`: the mean of that against both kinds of
        generated data, so that they weigh together as much as the real."""
        loss, accuracy = 0.0, 0.0
        for place, fake in zip(FAKES, fakes, strict=True):
            prepared = (
                self.prepare(each, noise.at(place, side))
                for each, side in ((x, "real"), (ops.stop_gradient(fake), "fake"))
            )
            real, judged, penalty = self.penalized(*prepared, None, noise.at(place), training)
            pair = (real.logit, judged.logit)
            game = self.loss_pair.smoothed_discriminator(*pair, self.label_smoothing)
            loss += 0.5 * (game + penalty)
            accuracy += 0.5 * ops.cast(real.logit > judged.logit, "float32")
        return {"loss": loss, "discriminator_loss": loss, "discriminator_accuracy": accuracy}

    def objective(self, x, label, noise: Noise, training: bool) -> dict:
        """All three losses, `(batch,)` each."""
        features = self.judge(x).features
        terms = self.encoder_objective(x, features, noise, training)
        terms |= self.generator_objective(x, features, noise, training)
        return terms | self.discriminator_objective(x, terms["fakes"], noise, training)

    def reconstruction(self, posterior, x, noise: Noise, training: bool):
        """Dec(z) of a draw z ~ q(z|x), `(batch, *data_shape)`."""
        z = self.latent.sample((ops.shape(x)[0],), noise.at("posterior"), posterior)
        return self.generate(z, training=training)

    def fakes(self, x, noise: Noise, training: bool):
        """A reconstruction of each example, and as many samples of the prior."""
        posterior = self.encoder(x, training=training)
        sample = self.generate(self.draw_for(x, noise), training=training)
        return self.reconstruction(posterior, x, noise, training), sample

    def feature_loss(self, features, reconstruction):
        """-log N(Dis_l(x) | Dis_l(reconstruction), I) without its constant, `(batch,)`, in nats.

        The discriminator is a ruler here: in inference mode, and the same for both."""
        pair = (features, self.judge(reconstruction).features)
        return 0.5 * losses.reconstruction.squared(*(ops.cast(each, "float32") for each in pair))

    # ---- the autoencoder -----------------------------------------------------------------------

    def encode(self, x, batch_size: int = 512) -> np.ndarray:
        """The mean of q(z|x), `(batch, latent_dim)`, for x `(batch, *data_shape)`."""
        return self.run("encode", x, batch_size=batch_size)

    def decode(self, z, batch_size: int = 512) -> np.ndarray:
        """Dec(z), `(batch, *data_shape)`, for z `(batch, latent_dim)`."""
        return self.run("generate", z, batch_size=batch_size)

    def reconstruct(self, x, batch_size: int = 512) -> np.ndarray:
        """`decode(encode(x))`, `(batch, *data_shape)`."""
        return self.run("reconstruct", x, batch_size=batch_size)

    def signatures(self):
        signatures = super().signatures()
        generate, _ = signatures["generate"]
        _, (x,) = signatures["discriminate"]

        def encode(x):
            return {"z": self.latent.mean(self.encoder(x))}

        def reconstruct(x):
            return generate(encode(x)["z"])

        return signatures | {
            "encode": (encode, [x]),
            "decode": signatures["generate"],
            "reconstruct": (reconstruct, [x]),
            "serving_default": (reconstruct, [x]),
        }
