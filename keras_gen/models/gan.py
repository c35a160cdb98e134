"""The generative adversarial network.

Goodfellow et al. 2014, "Generative Adversarial Nets" (arXiv:1406.2661). A generator and a
discriminator play the game of equation 1,

    min_G max_D V(D, G) = E_{x ~ data} [log D(x)] + E_{z ~ p(z)} [log(1 - D(G(z)))].

For a fixed G the best D is p_data / (p_data + p_G) (proposition 1), at which V is
2 JSD(p_data, p_G) - log 4: the generator's best is the data's own law, D = 1/2 and V = -log 4
(theorem 1). The players move in turn (algorithm 1).

    paper                  here
    -------------------    ------------------------------------------------------------------------
    G(z)                   `generate(z)`, the `generator`
    log D(x) / (1 - D(x))  `judge(x)`, the `discriminator`'s logit
    p(z)                   `latent`
    V(D, G)                `loss="minimax"`; the default, "non_saturating", is section 3's other G
    k, algorithm 1         `discriminator_steps`, on the same real examples
"""

from __future__ import annotations

from keras import ops

from keras_gen.models.adversarial import AdversarialModel
from keras_gen.noise import Noise


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
    the share of pairs in which the real example has the higher logit: 1/2 where the discriminator
    cannot tell, 1 where it has won.
    """

    paper = "Goodfellow et al. 2014, Generative Adversarial Nets (arXiv:1406.2661)"
    metric_names = ("generator_loss", "discriminator_loss", "discriminator_accuracy")

    def train_step(self, batch):
        """The discriminator's moves, then one of the generator; gives the metrics' means so far."""
        x, label = self.examples(batch)
        noise = self.noise(x)
        for turn in range(1, self.discriminator_steps):
            turn_noise = noise.at("turn", turn)
            z = self.draw_for(x, turn_noise)
            fake = self.generate_for(x, z, label, training=True)
            self.discriminator_move(x, fake, z, label, turn_noise)
        z = self.draw_for(x, noise)
        moves = {}

        def generator_objective():
            fake = self.generate_for(x, z, label, training=True)
            # The discriminator moves first, on the same samples: one pass of the generator serves
            # both players. To the discriminator they are data.
            moves.update(self.discriminator_move(x, fake, z, label, noise))
            return self.generator_objective(x, fake, z, label, noise.at("generator"), True)

        moves |= self.minimize(generator_objective, *self.players["generator"])
        self.update_average()
        return self.report({name: moves[name] for name in self.metric_names})

    def discriminator_move(self, x, fake, z, label, noise: Noise) -> dict:
        """One step of the discriminator, on real `x` and generated `fake`, `(batch, *data_shape)`;
        gives its objective's values per example."""
        fake = ops.stop_gradient(fake)
        return self.minimize(
            lambda: self.discriminator_objective(x, fake, z, label, noise, True),
            *self.players["discriminator"],
        )

    def discriminator_objective(self, x, fake, z, label, noise: Noise, training: bool) -> dict:
        """What the discriminator minimizes, by default -V(D, G), `(packs,)`."""
        x, fake = self.prepare(x, noise.at("real")), self.prepare(fake, noise.at("fake"))
        real, judged, penalty = self.penalized(x, fake, label, noise, training)
        loss = self.loss_pair.smoothed_discriminator(real.logit, judged.logit, self.label_smoothing)
        loss = self.verdict_of(loss, x)
        accuracy = self.verdict_of(ops.cast(real.logit > judged.logit, "float32"), x)
        terms = {"loss": loss + penalty, "discriminator_accuracy": accuracy}
        return terms | {"discriminator_loss": terms["loss"], "judgement": judged}

    def generator_objective(self, x, fake, z, label, noise: Noise, training: bool) -> dict:
        """What the generator minimizes, `(packs,)`: its side of the game."""
        training = training and not self._writes_weights
        fake = self.prepare(fake, noise.at("fake"))
        real = None
        if self.compares:
            x = self.prepare(x, noise.at("real"))
            real, judged = self.judge_both(x, fake, label, training)
        else:
            judged = self.judge(fake, label, training)
        loss = self.loss_pair.generator(real and real.logit, judged.logit)
        loss = self.verdict_of(loss, fake)
        return {"loss": loss, "generator_loss": loss, "judgement": judged, "real_judgement": real}

    def objective(self, x, label, noise: Noise, training: bool) -> dict:
        """Both players' losses, `(packs,)` each, with fresh samples."""
        z = self.draw_for(x, noise)
        fake = self.generate_for(x, z, label, training)
        judged = self.discriminator_objective(x, fake, z, label, noise, training)
        noise = noise.at("generator")
        return judged | self.generator_objective(x, fake, z, label, noise, training)
