"""The generative adversarial network.

Goodfellow et al. 2014, "Generative Adversarial Nets" (arXiv:1406.2661). A generator and a
discriminator play the game of equation 1,

    min_G max_D V(D, G) = E_{x ~ data} [log D(x)] + E_{z ~ p(z)} [log(1 - D(G(z)))].

For a fixed G the best D is p_data / (p_data + p_G) (proposition 1), for which V is
2 JSD(p_data, p_G) - log 4. So the generator's optimum is the distribution of the data, with D = 1/2
and V = -log 4 (theorem 1). The players take turns (algorithm 1).

    paper                  here
    -------------------    ------------------------------------------------------------------------
    G(z)                   `generate(z)`, the `generator`
    log D(x) / (1 - D(x))  `discriminate(x).logits`, of the `discriminator`
    p(z)                   `latent`
    V(D, G)                `loss="minimax"`; the default, "non_saturating", is section 3's other G
    k, algorithm 1         `discriminator_steps`, on the same real examples
"""

from __future__ import annotations

from keras import ops

from keras_gen.engine.trainer import Objective
from keras_gen.models.adversarial import AdversarialModel
from keras_gen.noise import Noise
from keras_gen.presets import citations


class GAN(AdversarialModel):
    """A generative adversarial network; its arguments are those of `AdversarialModel`.

    ```python
    gan = GAN(generator, discriminator, loss="non_saturating", r1=1.0, ema=0.999)
    gan.compile()  # or compile(optimizer={"discriminator": ..., "generator": ...})
    gan.fit(x_train, epochs=10)
    gan.sample(16, seed=1)
    ```

    `fit` and `evaluate` report what each player minimizes, `discriminator_loss` (penalties
    included) and `generator_loss`, in nats for the logistic losses; and `discriminator_accuracy`,
    the share of pairs in which the real example has the higher logit: 1/2 if the discriminator
    cannot tell them apart, 1 if it always can.
    """

    paper = citations.GOODFELLOW
    metric_names = ("generator_loss", "discriminator_loss", "discriminator_accuracy")

    def train_step(self, batch):
        """Takes the discriminator's steps, then one of the generator; returns the metrics so far.

        The generator's pass of the last turn serves both players.
        """
        x, label, _ = self.examples(batch)
        noise = self.noise(x)
        for turn in range(1, self.discriminator_steps):
            z = self.draw_for(x, noise.at("turn", turn))
            fake = self.generate_for(x, z, label, training=True)
            self.discriminator_step(x, fake, z, label, noise.at("turn", turn))
        z = self.draw_for(x, noise)
        generated = self.compute_once(
            lambda: self.generate_for(x, z, label, training=True), *self.players["generator"]
        )
        discriminator = self.discriminator_step(x, generated.value, z, label, noise)
        generator = self.minimize(
            lambda fake: self.generator_objective(x, fake, z, label, noise.at("generator"), True),
            *self.players["generator"],
            through=generated,
        )
        self.update_average()
        return self.report(discriminator, generator)

    def discriminator_step(self, x, fake, z, label, noise: Noise) -> Objective:
        """Takes one step of the discriminator on real `x` and generated `fake`."""
        fake = ops.stop_gradient(fake)
        return self.minimize(
            lambda: self.discriminator_objective(x, fake, z, label, noise, True),
            *self.players["discriminator"],
        )

    def discriminator_objective(self, x, fake, z, label, noise: Noise, training: bool) -> Objective:
        """Returns what the discriminator minimizes, by default -V(D, G), `(packs,)`.

        `shared` is its output for generated examples.
        """
        x = self.discriminator_view(x, noise.at("real"))
        fake = self.discriminator_view(fake, noise.at("fake"))
        label = self.pack_labels(label)
        real, generated, penalty = self.penalized(x, fake, label, noise, training)
        logits = real.logits, generated.logits
        loss = self.loss_pair.smoothed_discriminator(*logits, self.label_smoothing)
        loss = self.per_example(loss, x) + penalty
        accuracy = self.per_example(ops.cast(real.logits > generated.logits, "float32"), x)
        metrics = {"discriminator_loss": loss, "discriminator_accuracy": accuracy}
        return Objective(loss, metrics, shared=generated)

    def generator_objective(self, x, fake, z, label, noise: Noise, training: bool) -> Objective:
        """Returns what the generator minimizes, `(packs,)`.

        `shared` is the discriminator's output for real (or None) and for generated examples.
        """
        training = training and not self._writes_weights
        fake = self.discriminator_view(fake, noise.at("fake"))
        label = self.pack_labels(label)
        real = None
        if self.compares:
            x = self.discriminator_view(x, noise.at("real"))
            real, generated = self.discriminate_both(x, fake, label, training)
        else:
            generated = self.discriminate(fake, label, training)
        loss = self.loss_pair.generator(real and real.logits, generated.logits)
        loss = self.per_example(loss, fake)
        return Objective(loss, {"generator_loss": loss}, shared=(real, generated))

    def objective(self, examples, noise: Noise, training: bool) -> Objective:
        """Returns both players' losses with fresh samples; `loss` is the generator's."""
        x, label, _ = examples
        z = self.draw_for(x, noise)
        fake = self.generate_for(x, z, label, training)
        discriminator = self.discriminator_objective(x, fake, z, label, noise, training)
        noise = noise.at("generator")
        generator = self.generator_objective(x, fake, z, label, noise, training)
        return Objective(generator.loss, discriminator.metrics | generator.metrics)
