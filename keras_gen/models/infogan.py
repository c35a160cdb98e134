"""InfoGAN: codes that say, without labels, what a sample shows.

Chen et al. 2016, "InfoGAN: Interpretable Representation Learning by Information Maximizing
Generative Adversarial Nets" (arXiv:1606.03657). The generator takes noise z and a code c, and must
let c be read from what it makes (equation 6):

    min_{G, Q} max_D  V(D, G) - lambda L_I(G, Q),
    L_I(G, Q) = E_{c, x ~ G(z, c)} [log Q(c|x)] + H(c)  <=  I(c; G(z, c))          (equation 5).

    paper          here
    -----------    ------------------------------------------------------------------------------
    c              the last `codes.dim` numbers of z, drawn from `codes`
    Q(c|x)         `recognition`, on the discriminator's features, which it shares
    L_I            `information`, in nats, at most the entropy `information_maximum`
    lambda         `information_weight`

As in the authors' code the discriminator's move is also Q's: it raises V + lambda L_I in the
weights of both, the layers that they share among them.
"""

from __future__ import annotations

from typing import ClassVar

import keras
from keras import ops

from keras_gen import augmentation, data, latents, losses, networks
from keras_gen.models.codes import CodedSampling
from keras_gen.models.gan import GAN
from keras_gen.noise import Noise

CODES = "categorical:10,uniform:2"


class InfoGAN(CodedSampling, GAN):
    """A GAN whose samples tell the code that they were made from.

    ```python
    gan = InfoGAN.for_data(mnist.spec, codes="categorical:10,uniform:2")
    gan.compile()
    gan.fit(x_train, epochs=10)
    gan.infer_codes(x)[:, :10].argmax(1)  # a class for each image, found without labels
    gan.sample(10, codes=[np.arange(10), np.zeros((10, 2))])
    ```

    Args:
        generator: `keras.Model` from noise and code together, `(batch, latent_dim + codes.dim)`.
        discriminator: `keras.Model` from data to `[logit, features]`, `(batch, 1)` and
            `(batch, n)`.
        recognition: `keras.Model` from features to the parameters of Q(c|x),
            `(batch, codes.parameter_size)`.
        codes: a `keras_gen.latents` object, or its description.
        information_weight: lambda.
        noise_scale: standard deviation of the noise z, 1 by default. Less lets the code
            decide from the start what a sample shows (Mukherjee et al. 2019, "ClusterGAN").
        code_augment: augmentations of what Q reads, named as for `augment`; the discriminator
            judges examples without them. The code must survive them: with "affine" it is no slant,
            size or place (after Hu et al. 2017, "Learning Discrete
            Representations via Information Maximizing Self-Augmented Training").
        **kwargs: as in `AdversarialModel`.

    `fit` and `evaluate` report, besides the losses of `GAN`, which do not count the information,
    `information`: the bound L_I of the categorical codes, in nats, next to the most that it can be,
    their entropy `information_maximum`; and `continuous_information`, that of the others.
    """

    paper = "Chen et al. 2016, InfoGAN (arXiv:1606.03657)"
    needs_features = True
    kinds: ClassVar = {"image": "conv", "vector": "dense"}
    metric_names = (
        *GAN.metric_names,
        "information",
        "information_maximum",
        "continuous_information",
    )

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        recognition: keras.Model,
        codes: str | latents.Product = CODES,
        information_weight: float = 1.0,
        noise_scale: float = 1.0,
        code_augment: str = "",
        **kwargs,
    ):
        codes = latents.get(codes)
        codes = codes if isinstance(codes, latents.Product) else latents.Product([codes])
        noise = latents.Gaussian(generator.inputs[0].shape[-1] - codes.dim)
        latent = latents.Product([noise, codes])
        super().__init__(generator, discriminator, latent=latent, **kwargs)
        self.check_built(recognition=recognition)
        self.recognition = recognition
        self.codes = codes
        self.information_weight = information_weight
        self.noise_scale = noise_scale
        self.code_augmentations = augmentation.policies(code_augment)
        self._check_recognition()

    @classmethod
    def for_data(cls, spec: data.Spec, latent_dim: int = 62, **options) -> InfoGAN:
        """As `AdversarialModel.for_data`, with the paper's noise for MNIST; codes not counted."""
        return super().for_data(spec, latent_dim, **options)

    @classmethod
    def default_networks(
        cls, spec: data.Spec, latent_dim: int, codes=CODES, seed: int | None = None, **options
    ) -> dict:
        """As `AdversarialModel.default_networks`, and Q for these `codes`."""
        codes = latents.get(codes)
        made = super().default_networks(spec, latent_dim + codes.dim, seed=seed, **options)
        recognition = networks.dense.encoder(
            made["discriminator"].outputs[1].shape[1:],
            codes.parameter_size,
            hidden=(128,),
            activation="leaky_relu",
            seed=None if seed is None else seed + 2000,
        )
        return made | {"recognition": recognition, "codes": codes}

    @property
    def players(self):
        return super().players | {"discriminator": (self.discriminator, self.recognition)}

    def default_optimizer(self, player: str) -> keras.optimizers.Optimizer:
        """The paper's, appendix C: Adam with rates 2e-4 for D and Q and 1e-3 for G."""
        rates = {"discriminator": 2e-4, "generator": 1e-3}
        return keras.optimizers.Adam(rates[player], beta_1=0.5)

    def draw(self, batch, noise: Noise):
        """z and c, `(batch, latent_dim + codes.dim)`."""
        drawn = super().draw(batch, noise)
        z, code = drawn[:, : -self.codes.dim], drawn[:, -self.codes.dim :]
        return ops.concatenate([self.noise_scale * z, code], axis=1)

    def discriminator_objective(self, x, fake, z, label, noise: Noise, training: bool) -> dict:
        terms = super().discriminator_objective(x, fake, z, label, noise, training)
        return self._informed(terms, fake, z, noise, training)

    def generator_objective(self, x, fake, z, label, noise: Noise, training: bool) -> dict:
        terms = super().generator_objective(x, fake, z, label, noise, training)
        training = training and not self._writes_weights
        return self._informed(terms, fake, z, noise, training)

    def _informed(self, terms: dict, fake, z, noise: Noise, training: bool) -> dict:
        """A player's terms with - lambda L_I added to its loss."""
        judged = terms["judgement"]
        if self.code_augmentations:
            seen = self.augmented(fake, self.code_augmentations, noise.at("code"))
            judged = self.judge(seen, training=training)
        parameters = self.recognition(judged.features, training=training)
        code = z[:, -self.codes.dim :]
        sums = {True: ops.zeros_like(terms["loss"]), False: ops.zeros_like(terms["loss"])}
        most = 0.0
        parts = zip(self.codes.parts, self.codes.log_probs(code, parameters), strict=True)
        for part, log_q in parts:
            discrete = isinstance(part, latents.Categorical)
            sums[discrete] += losses.information.mutual_information_bound(log_q, part.entropy)
            most += part.entropy if discrete else 0.0
        return terms | {
            "loss": terms["loss"] - self.information_weight * (sums[True] + sums[False]),
            "information": sums[True],
            "information_maximum": ops.full_like(sums[True], most),
            "continuous_information": sums[False],
        }

    def _check_recognition(self) -> None:
        outputs = self.discriminator.outputs
        if len(outputs) != 2 or outputs[1].shape[1:] != self.recognition.inputs[0].shape[1:]:
            raise ValueError(
                "discriminator must put out [logit, features], and recognition take the features "
                f"(batch, n); they have {[tuple(o.shape) for o in outputs]} and "
                f"{tuple(self.recognition.inputs[0].shape)}."
            )
        if self.recognition.output_shape[1:] != (self.codes.parameter_size,):
            raise ValueError(
                f"recognition must put out (batch, {self.codes.parameter_size}), the parameters "
                f"of the codes; it puts out {self.recognition.output_shape}."
            )
        self._check_augmentations(self.code_augmentations)
        if self.noise_scale <= 0:
            raise ValueError(f"noise_scale must be positive, got {self.noise_scale}.")
        if self.packing > 1:
            raise ValueError("packing is not for InfoGAN: Q reads the code of single examples.")
