"""Distillation of a decoder or a generator into a smaller one.

Hinton, Vinyals & Dean 2015, "Distilling the Knowledge in a Neural Network" (arXiv:1503.02531), for
generators: Aguinaldo et al. 2019, "Compressing GANs using Knowledge Distillation"
(arXiv:1902.00159).

The student S learns what the teacher T generates from the same z. Of a VAE it minimizes the
cross-entropy

    E_{z, x ~ p_T(x|z)} [-log p_S(x|z)],

which is KL(p_T(x|z) || p_S(x|z)) up to a constant, for z from the prior and from q(z|x) of training
examples. Of a GAN it minimizes

    E_z [weight * mean |S(z) - T(z)|] + L_G(S),

with the loss L_G of the game against a discriminator that goes on training, as in pix2pix (Isola et
al. 2017, equation 4).
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_gen import checks, likelihoods
from keras_gen.engine.model import GenerativeModel
from keras_gen.engine.trainer import Objective
from keras_gen.models.adversarial import AdversarialModel
from keras_gen.models.latent_variable import LatentVariableModel
from keras_gen.noise import Noise


class Distillation(GenerativeModel):
    """The training of a student; what comes of it is `student`.

    Args:
        student: a model whose decoder or generator is to learn; its other networks are the
            teacher's.
        teacher: the network that it learns from, with the same inputs and outputs.
        weight: of the difference of the images beside the game's loss.
        **kwargs: `seed` of all noise; `name`, `dtype` of `keras.Model`.

    Raises:
        ValueError: if the student is neither a VAE nor a GAN.
    """

    def __init__(
        self,
        student: GenerativeModel,
        teacher: keras.Model,
        weight: float = 100.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        game = isinstance(student, AdversarialModel)
        if not game and not isinstance(student, LatentVariableModel):
            raise ValueError(f"{type(student).__name__} has no decoder that can be distilled.")
        if game and set(student.players) != {"discriminator", "generator"}:
            raise ValueError(f"the players of {type(student).__name__} are not those of a GAN.")
        self.student, self.teacher = student, teacher
        self.weight = checks.number("weight", weight, least=0)
        self.game = game
        self.data_shape, self.value_range = student.data_shape, student.value_range
        self.conditional = student.conditional
        teacher.trainable = False
        self.metric_names = ("distance", *student.metric_names) if game else ("cross_entropy",)

    @property
    def players(self):
        return self.student.players if self.game else {}

    def default_optimizer(self, player: str):
        return self.student.default_optimizer(player)

    def metric_unit(self, name: str) -> str:
        return "of the range" if name == "distance" else "nats"

    def train_step(self, batch):
        """Takes one step of the student, and of the discriminator; returns the metrics so far."""
        examples = self.examples(batch)
        noise = self.noise(examples.x)
        if not self.game:
            return self.report(
                self.minimize(lambda: self.objective(examples, noise, True), self.student.decoder)
            )
        student, (x, label, _) = self.student, examples
        z = student.draw_for(x, noise)
        fake = self.compute_once(
            lambda: student.generate_for(x, z, label, training=True), *self.players["generator"]
        )
        still = ops.stop_gradient(fake.value)
        discriminator = self.minimize(
            lambda: student.discriminator_objective(x, still, z, label, noise, True),
            *self.players["discriminator"],
        )
        generator = self.minimize(
            lambda fake: self.generator_objective(x, fake, z, label, noise.at("generator"), True),
            *self.players["generator"],
            through=fake,
        )
        return self.report(discriminator, generator)

    def generator_objective(self, x, fake, z, label, noise: Noise, training: bool) -> Objective:
        """Returns the game's loss and the weighted distance from the teacher, `(batch,)`."""
        given = self.student.generator_objective(x, fake, z, label, noise, training)
        target = ops.stop_gradient(self._taught(z, label))
        distance = ops.mean(ops.abs(fake - target), axis=list(range(1, len(fake.shape))))
        loss = ops.mean(given.loss) + self.weight * distance
        return Objective(loss, given.metrics | {"distance": distance}, given.shared)

    def objective(self, examples, noise: Noise, training: bool) -> Objective:
        """Returns the loss per example: the cross-entropy, or those of both players."""
        x, label, _ = examples
        student = self.student
        if self.game:
            z = student.draw_for(x, noise)
            fake = student.generate_for(x, z, label, training)
            discriminator = student.discriminator_objective(x, fake, z, label, noise, training)
            generator = self.generator_objective(x, fake, z, label, noise.at("generator"), training)
            return Objective(generator.loss, discriminator.metrics | generator.metrics)
        batch = ops.shape(x)[0]
        observed = student.likelihood.observe(x, noise.at("observation"))
        posterior = student.posterior(observed, label, False)
        inferred = student.latent.sample((batch,), noise.at("posterior"), posterior)
        drawn = student.latent.sample((batch,), noise.at("prior"))
        losses = [
            self._cross_entropy(z, label, noise.at("drawn", i), training)
            for i, z in enumerate((ops.stop_gradient(inferred), drawn))
        ]
        loss = (losses[0] + losses[1]) / 2
        return Objective(loss, {"cross_entropy": loss})

    def _cross_entropy(self, z, label, noise: Noise, training: bool):
        """Returns -log p_S(x|z) for x ~ p_T(x|z), `(batch,)`, in nats; of a Bernoulli its mean."""
        student = self.student
        likelihood = student.likelihood
        given = [z, student.one_hot(label)] if student.conditional else z
        taught = ops.stop_gradient(self.teacher(given, training=False))
        if isinstance(likelihood, likelihoods.Bernoulli):
            x = likelihood.mean(taught)
        else:
            x = likelihood.quantile(noise.uniform((ops.shape(z)[0], *self.data_shape)), taught)
        return -likelihood.log_prob(x, student.likelihood_parameters(z, label, training))

    def _taught(self, z, label):
        """Returns what the teacher generates, `(batch, *data_shape)`."""
        return ops.cast(self.teacher(self.student._with_label(z, label), training=False), "float32")
