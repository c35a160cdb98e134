"""InfoGAN: codes that say, without labels, what a sample shows.

Chen et al. 2016, "InfoGAN: Interpretable Representation Learning by Information Maximizing
Generative Adversarial Nets" (arXiv:1606.03657). The generator takes noise z and a code c, and must
generate samples from which c can be read (equation 6):

    min_{G, Q} max_D  V(D, G) - lambda L_I(G, Q),
    L_I(G, Q) = E_{c, x ~ G(z, c)} [log Q(c|x)] + H(c)  <=  I(c; G(z, c))          (equation 5).

    paper          here
    -----------    ------------------------------------------------------------------------------
    c              the last `codes.dim` numbers of z, drawn from `codes`
    Q(c|x)         `recognition`, on the discriminator's features, which it shares
    L_I            `information`, in nats, at most the entropy `information_maximum`
    lambda         `information_weight`

As in the authors' code, the discriminator's step is Q's step too: it increases V + lambda L_I in
the weights of both, including the layers that they share.
"""

from __future__ import annotations

from typing import ClassVar

import keras
from keras import ops

from keras_gen import augmentation, checks, data, latents, losses, networks
from keras_gen.engine import default_networks, inputs, options, serving
from keras_gen.engine.trainer import Objective
from keras_gen.models import adversarial_checks
from keras_gen.models.codes import CodedSampling
from keras_gen.models.gan import GAN
from keras_gen.noise import Noise
from keras_gen.presets import citations

CODES = "categorical:10,uniform:2"


class InfoGAN(CodedSampling, GAN):
    """A GAN whose samples reveal the code that they were made from.

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
        noise_scale: standard deviation of the noise z, 1 by default. With a smaller one, the code
            decides from the start what a sample shows (Mukherjee et al. 2019, "ClusterGAN").
        code_augment: augmentations of what Q sees of the categorical codes, named as for `augment`.
            A kind of images must survive them: with "affine" it cannot be slant, size or place
            (after Hu et al. 2017, "Learning Discrete Representations via Information Maximizing
            Self-Augmented Training"). The other codes may be: Q reads them from the examples
            themselves, as the discriminator does.
        **kwargs: as in `AdversarialModel`.

    Besides the losses of `GAN`, to which the information is not added, `fit` and `evaluate` report
    `information`, the bound L_I of the categorical codes in nats; its largest possible value, their
    entropy `information_maximum`; and `continuous_information`, the bound of the other codes.

    Raises:
        ValueError: if networks and codes do not fit together.
    """

    paper = citations.CHEN
    needs_features = True
    kinds: ClassVar = {"image": "conv", "vector": "dense"}
    sets_itself: ClassVar = ("latent",)
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
        codes = product(codes)
        noise = latents.Gaussian(generator.inputs[0].shape[-1] - codes.dim)
        super().__init__(generator, discriminator, latent=latents.Product([noise, codes]), **kwargs)
        inputs.check_built(recognition=recognition)
        self.recognition = recognition
        self.codes = codes
        self.information_weight = checks.number("information_weight", information_weight, least=0)
        self.noise_scale = checks.number("noise_scale", noise_scale, above=0)
        self.code_augmentations = augmentation.policies(code_augment)
        self._check_recognition()

    @options.takes_options
    def for_data(
        cls,
        spec: data.Spec,
        latent_dim: int = 62,
        codes: str | latents.Product = CODES,
        **options,
    ) -> InfoGAN:
        """Returns the model with default networks; see `AdversarialModel.for_data`.

        `latent_dim` is the dimension of the noise, by default the paper's for MNIST, without the
        codes.
        """
        checks.integer("latent_dim", latent_dim)
        codes = product(codes)
        return super().for_data(spec, latent_dim + codes.dim, codes=codes, **options)

    @classmethod
    def further_networks(cls, spec, discriminator, latent_dim, stages, model) -> dict:
        recognition = networks.dense.encoder(
            discriminator.outputs[1].shape[1:],
            model["codes"].parameter_size,
            hidden=(128,),
            activation="leaky_relu",
            seed=default_networks.seeded(stages["seed"], default_networks.THIRD),
        )
        return {"recognition": recognition}

    @property
    def players(self):
        return super().players | {"discriminator": (self.discriminator, self.recognition)}

    def default_optimizer(self, player: str) -> keras.optimizers.Optimizer:
        """Returns the paper's, appendix C: Adam with rates 2e-4 for D and Q and 1e-3 for G."""
        rates = {"discriminator": 2e-4, "generator": 1e-3}
        return keras.optimizers.Adam(rates[player], beta_1=0.5)

    def draw(self, n, noise: Noise):
        drawn = super().draw(n, noise)
        z, code = drawn[:, : -self.codes.dim], drawn[:, -self.codes.dim :]
        return ops.concatenate([self.noise_scale * z, code], axis=1)

    def discriminator_objective(self, x, fake, z, label, noise: Noise, training: bool) -> Objective:
        objective = super().discriminator_objective(x, fake, z, label, noise, training)
        return self.informed(objective, objective.shared, fake, z, noise, training)

    def generator_objective(self, x, fake, z, label, noise: Noise, training: bool) -> Objective:
        objective = super().generator_objective(x, fake, z, label, noise, training)
        _, generated = objective.shared
        training = training and not self._writes_weights
        return self.informed(objective, generated, fake, z, noise, training)

    def informed(self, objective, output, fake, z, noise: Noise, training: bool) -> Objective:
        """Returns a player's objective with - lambda L_I added to its loss.

        Args:
            objective: the player's in the game.
            output: the discriminator's for generated examples.
            fake: generated examples.
            z: noise and codes that they were generated from.
            noise: of the augmentations.
            training: whether networks are in training mode.
        """
        code = z[:, -self.codes.dim :]
        log_q = self.codes.log_probs(code, self.recognition(output.features, training=training))
        log_q_of_kinds = log_q
        if self.code_augmentations:
            seen = self.augmented(fake, self.code_augmentations, noise.at("code"))
            features = self.discriminate(seen, training=training).features
            parameters = self.recognition(features, training=training)
            log_q_of_kinds = self.codes.log_probs(code, parameters)
        categorical = continuous = ops.zeros_like(objective.loss)
        maximum = 0.0
        mutual_information_bound = losses.information.mutual_information_bound
        for part, of_kind, of_number in zip(self.codes.parts, log_q_of_kinds, log_q, strict=True):
            if isinstance(part, latents.Categorical):
                categorical = categorical + mutual_information_bound(of_kind, part.entropy)
                maximum += part.entropy
            else:
                continuous = continuous + mutual_information_bound(of_number, part.entropy)
        metrics = {
            "information": categorical,
            "information_maximum": ops.full_like(categorical, maximum),
            "continuous_information": continuous,
        }
        loss = objective.loss - self.information_weight * (categorical + continuous)
        return Objective(loss, objective.metrics | metrics, objective.shared)

    def signatures(self):
        def infer_codes(x):
            return {"codes": self.codes.mean(self.recognition(self.discriminate(x).features))}

        signature = infer_codes, serving.inputs(x=self.data_shape)
        return super().signatures() | {"infer_codes": signature}

    def _check_recognition(self) -> None:
        outputs = self.discriminator.outputs
        if len(outputs) != 2 or outputs[1].shape[1:] != self.recognition.inputs[0].shape[1:]:
            raise ValueError(
                "discriminator must return [logit, features], and recognition take the features "
                f"(batch, n); got {[tuple(o.shape) for o in outputs]} and "
                f"{tuple(self.recognition.inputs[0].shape)}."
            )
        if self.recognition.output_shape[1:] != (self.codes.parameter_size,):
            raise ValueError(
                f"recognition must return (batch, {self.codes.parameter_size}), the parameters of "
                f"the codes; got {self.recognition.output_shape}."
            )
        adversarial_checks.check_augmentations(self, self.code_augmentations)
        if self.packing > 1:
            raise ValueError("packing is not for InfoGAN: Q reads the code of single examples.")


def product(codes: str | latents.Product) -> latents.Product:
    """Returns codes as a product of latents, also if there is only one.

    Raises:
        ValueError: if they are neither latents nor a description.
    """
    codes = latents.get(codes)
    return codes if isinstance(codes, latents.Product) else latents.Product([codes])
