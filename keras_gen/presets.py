"""Presets: a name stands for data, model, optimizer settings, budget and the number it must reach.

Pure data: this module imports nothing heavy, so that the command line can list and check presets at
once. A preset is a frozen description; `keras_gen.training` runs it.
"""

import copy
import difflib
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

SCHEDULES = ("constant", "cosine", "stages")
STRATEGIES = ("auto", "single", "mirrored", "tpu")

KINGMA = "Kingma & Welling, Auto-Encoding Variational Bayes, 2013 (arXiv:1312.6114)"
HIGGINS = "Higgins et al., beta-VAE, ICLR 2017; Burgess et al., 2018 (arXiv:1804.03599)"
SOHN = "Sohn, Lee & Yan, Learning Structured Output Representation, NeurIPS 2015"
BURDA = "Burda, Grosse & Salakhutdinov, Importance Weighted Autoencoders, 2015 (arXiv:1509.00519)"
TOMCZAK = "Tomczak & Welling, VAE with a VampPrior, 2018 (arXiv:1705.07120)"
GOODFELLOW = "Goodfellow et al., Generative Adversarial Nets, 2014 (arXiv:1406.2661)"
LIN = "Lin et al., PacGAN: The power of two samples in GANs, 2018 (arXiv:1712.04086)"
MIYATO = "Miyato & Koyama, cGANs with Projection Discriminator, 2018 (arXiv:1802.05637)"
RADFORD = "Radford, Metz & Chintala, DCGAN, 2016 (arXiv:1511.06434)"
CHEN = "Chen et al., InfoGAN, 2016 (arXiv:1606.03657)"
LARSEN = "Larsen et al., Autoencoding beyond pixels, 2016 (arXiv:1512.09300)"
MOGREN = "Mogren, C-RNN-GAN, 2016 (arXiv:1611.09904); Yoon et al., TimeGAN, NeurIPS 2019"
BOWMAN = "Bowman et al., Generating Sentences from a Continuous Space, 2016 (arXiv:1511.06349)"
BOJANOWSKI = "Bojanowski et al., Optimizing the Latent Space, 2018 (arXiv:1707.05776)"


@dataclass(frozen=True)
class Preset:
    """One reproducible training recipe.

    Attributes:
        name: what `keras-gen train NAME` calls it.
        description: one line for `keras-gen list`.
        model: class name in `keras_gen.models`.
        paper: the source of the recipe or of the number to reach.
        data: a source that `keras_gen.data.load` knows.
        data_options: further keyword arguments of `keras_gen.data.load`.
        model_options: keyword arguments of the model's `for_data(spec, ...)`.
        epochs: passes over the training set.
        batch_size: examples per step, over all replicas.
        learning_rate: Adam's learning rate, or where its schedule starts; for a model of several
            players one for all, or player -> rate.
        adam: further arguments of Adam.
        schedule: "constant"; "cosine" (decay to zero over the whole run); or "stages" (the IWAE
            paper's: eight stages, stage i at `learning_rate * 10 ** (-i / 7)` for `3 ** i` parts
            of the run, exactly the paper's epochs when `epochs` is 3280).
        protocols: evaluation protocols that `keras-gen evaluate` runs besides the ELBO.
        target: protocol -> the value (in the protocol's unit) that the preset must reach.
    """

    name: str
    description: str
    model: str
    paper: str
    data: str
    data_options: dict[str, Any] = field(default_factory=dict)
    model_options: dict[str, Any] = field(default_factory=dict)
    epochs: int = 20
    batch_size: int = 128
    learning_rate: float | dict[str, float] = 1e-3
    adam: dict[str, float] = field(default_factory=dict)
    schedule: str = "constant"
    protocols: tuple[str, ...] = ()
    target: dict[str, float] = field(default_factory=dict)


# The IWAE paper's MNIST network 784-200-200-50-200-200-784; pixels are drawn anew at every visit.
IWAE_NETWORK = {
    "network": "dense",
    "hidden": (200, 200),
    "activation": "tanh",
    "latent_dim": 50,
    "likelihood": "binarized_bernoulli",
}

# What keeps a game in the plane from cycling and collapsing: pairs of real and generated examples
# compared, a discriminator that is flat at both (R1 and R2), a decaying rate, and the average of
# the generator.
STABLE_2D = {
    "loss": "relativistic",
    "ema": 0.999,
    "latent_dim": 2,
    "hidden": (128, 128, 128),
    "generator_normalization": None,
    "r1": 0.02,
    "r2": 0.02,
}
# Among images penalties strong enough to matter blur what lies between the modes. Here a layer
# normalization in the discriminator, a rate that stays high and the average of the generator do.
STABLE_IMAGES = {"normalization": "layer", "ema": 0.999}
# A few numbers say what a whole sequence is like, and each step is judged with what comes before
# and after it: with a verdict on the sequence alone samples vary two thirds as much as the data.
STABLE_SEQUENCES = {
    **STABLE_IMAGES,
    "hidden": (32, 32),
    "latent_dim": 0,
    "static_dim": 16,
    "direction": "bidirectional",
    "verdict": "step",
}
SEQUENCE_SCORES = (
    "discriminative_score_10",
    "predictive_score_10",
    "discriminative_score_32_10",
    "predictive_score_32_10",
)
QUALITY = tuple(f"{name}_lenet_5k" for name in ("precision", "recall", "density", "coverage"))
IMAGES = ("fid_lenet_10k", "kid_lenet_10k", *QUALITY, "copies_1k")
FACTORS = (
    "mig_a",
    "mig_b",
    "factor_vae_score",
    "beta_vae_score",
    "dci_disentanglement",
    "dci_completeness",
    "dci_informativeness",
    "sap",
)
MODES_2D = ("modes_2500", "high_quality_2500", "reverse_kl_2500")

PRESETS = MappingProxyType(
    {
        preset.name: preset
        for preset in (
            Preset(
                name="vae_digits",
                description="VAE on scikit-learn's 8x8 digits: no download, under a minute",
                model="VAE",
                paper=KINGMA,
                data="digits",
                model_options={
                    "network": "dense",
                    "hidden": (256, 256),
                    "latent_dim": 10,
                    # Pixels have 17 shades: under a Bernoulli 3 of the 10 latents stay in use, and
                    # its means are grey.
                    "likelihood": "discretized_logistic:17",
                },
                epochs=100,
                batch_size=64,
                learning_rate=2e-3,
                schedule="cosine",
                protocols=("nll_iw100", "active_units", *IMAGES),
            ),
            Preset(
                name="vae_mnist",
                description="VAE on MNIST by the IWAE paper's protocol (--epochs 260 for more)",
                model="VAE",
                paper=BURDA,
                data="mnist",
                model_options=dict(IWAE_NETWORK),
                epochs=115,
                batch_size=100,
                learning_rate=3e-3,
                schedule="cosine",
                protocols=("nll_iw5000", "active_units", *IMAGES),
                target={"nll_iw5000": 89.6},
            ),
            Preset(
                name="conv_vae_mnist",
                description="convolutional VAE on MNIST",
                model="VAE",
                paper=KINGMA,
                data="mnist",
                model_options={"latent_dim": 32, "likelihood": "binarized_bernoulli"},
                epochs=20,
                learning_rate=2e-3,
                schedule="cosine",
                protocols=("nll_iw100", "active_units", *IMAGES),
            ),
            Preset(
                name="beta_vae_shapes",
                description="beta-VAE that disentangles the factors of drawn sprites",
                model="BetaVAE",
                paper=HIGGINS,
                data="shapes",
                data_options={"image_size": 32},
                model_options={
                    "network": "dense",
                    "hidden": (512, 512),
                    "latent_dim": 10,
                    # For 32x32 pixels: a factor of variation is worth fewer nats than at 64x64.
                    "beta": 16.0,
                },
                epochs=30,
                learning_rate=1e-3,
                schedule="cosine",
                protocols=(*FACTORS, "active_units"),
            ),
            Preset(
                name="cvae_mnist",
                description="conditional VAE on MNIST: the label says which digit to draw",
                model="ConditionalVAE",
                paper=SOHN,
                data="mnist",
                model_options={
                    "network": "dense",
                    "hidden": (512, 256),
                    "latent_dim": 16,
                    "likelihood": "binarized_bernoulli",
                },
                epochs=20,
                schedule="cosine",
                protocols=("nll_iw100", "active_units", *IMAGES),
            ),
            Preset(
                name="iwae_mnist",
                description="IWAE with 5 importance samples on MNIST, the paper's protocol",
                model="IWAE",
                paper=BURDA,
                data="mnist",
                model_options={**IWAE_NETWORK, "num_samples": 5},
                epochs=80,
                batch_size=100,
                learning_rate=3e-3,
                schedule="cosine",
                protocols=("nll_iw5000", "active_units", *IMAGES),
            ),
            Preset(
                name="vamp_vae_mnist",
                description="VAE on MNIST with a learned prior, whose samples look like digits",
                model="VampVAE",
                paper=TOMCZAK,
                data="mnist",
                model_options={
                    **IWAE_NETWORK,
                    "hidden": (400, 400),
                    "activation": "relu",
                    "components": 500,
                },
                epochs=80,
                batch_size=250,
                learning_rate=2e-3,
                schedule="cosine",
                protocols=("nll_iw100", "active_units", *IMAGES),
            ),
            Preset(
                name="gan_ring",
                description="GAN on 8 Gaussians in a ring: all modes, no collapse",
                model="GAN",
                paper=LIN,
                data="ring",
                model_options=dict(STABLE_2D),
                epochs=40,
                batch_size=100,
                learning_rate=1e-3,
                adam={"beta_1": 0.5},
                schedule="cosine",
                protocols=MODES_2D,
                target={"modes_2500": 8, "high_quality_2500": 0.95, "reverse_kl_2500": 0.03},
            ),
            Preset(
                name="gan_grid",
                description="GAN on 25 Gaussians in a grid: all modes, no collapse",
                model="GAN",
                paper=LIN,
                data="grid",
                model_options=dict(STABLE_2D),
                epochs=40,
                batch_size=100,
                learning_rate=1e-3,
                adam={"beta_1": 0.5},
                schedule="cosine",
                protocols=MODES_2D,
                target={"modes_2500": 25, "high_quality_2500": 0.95, "reverse_kl_2500": 0.03},
            ),
            Preset(
                name="gan_mnist",
                description="GAN on MNIST with dense networks",
                model="GAN",
                paper=GOODFELLOW,
                data="mnist",
                model_options={**STABLE_IMAGES, "hidden": (256, 512)},
                epochs=50,
                learning_rate=1e-3,
                adam={"beta_1": 0.5},
                protocols=IMAGES,
            ),
            Preset(
                name="deep_dense_gan_mnist",
                description="deep GAN on MNIST with dense networks, 100-256-512-1024-784",
                model="DGAN",
                paper=RADFORD,
                data="mnist",
                model_options={
                    **STABLE_IMAGES,
                    "network": "dense",
                    "hidden": (256, 512, 1024),
                    "discriminator_hidden": (512, 256, 128),
                },
                epochs=40,
                learning_rate=1e-3,
                adam={"beta_1": 0.5},
                protocols=IMAGES,
            ),
            Preset(
                name="cgan_mnist",
                description="conditional GAN on MNIST: the label says which digit to draw",
                model="ConditionalGAN",
                paper=MIYATO,
                data="mnist",
                model_options={**STABLE_IMAGES, "hidden": (256, 512)},
                epochs=50,
                learning_rate=1e-3,
                adam={"beta_1": 0.5},
                protocols=(*IMAGES, "label_accuracy_1k"),
            ),
            Preset(
                name="dgan_mnist",
                description="deep convolutional GAN on MNIST",
                model="DGAN",
                paper=RADFORD,
                data="mnist",
                model_options={
                    **STABLE_IMAGES,
                    "latent_dim": 64,
                    "width": 32,
                    "depth": 3,
                    "hidden": (256,),
                    # Judged in pairs: alone, an image does not tell that its class is too frequent.
                    "packing": 2,
                },
                epochs=30,
                # At equal rates these convolutions outrun the generator after a dozen epochs.
                learning_rate={"discriminator": 2e-4, "generator": 1e-3},
                adam={"beta_1": 0.5},
                protocols=IMAGES,
            ),
            Preset(
                name="dgan_stacked_mnist",
                description="deep GAN on three stacked MNIST digits: 1000 modes",
                model="DGAN",
                paper=LIN,
                data="stacked_mnist",
                model_options={
                    **STABLE_IMAGES,
                    "latent_dim": 100,
                    "width": 32,
                    # Three digits in one image: with two stages it takes twice as many units to
                    # bring their frequencies as near.
                    "depth": 3,
                    "hidden": (384,),
                    "packing": 2,
                },
                epochs=12,
                learning_rate=1e-3,
                adam={"beta_1": 0.5},
                protocols=("stacked_modes_26k", "stacked_kl_26k"),
                target={"stacked_modes_26k": 1000, "stacked_kl_26k": 0.06},
            ),
            Preset(
                name="infogan_mnist",
                description="InfoGAN on MNIST: classes and style found without labels",
                model="InfoGAN",
                paper=CHEN,
                data="mnist",
                model_options={
                    "codes": "categorical:10,uniform:2",
                    "latent_dim": 62,
                    "network": "dense",
                    "hidden": (256, 512),
                    "normalization": "layer",
                    # Ten kinds of digits that are no slants, sizes or places: Q must read the code
                    # from images that were turned, stretched and shifted.
                    "code_augment": "affine",
                    "noise_scale": 0.3,
                    "ema": 0.999,
                },
                epochs=50,
                learning_rate=1e-3,
                adam={"beta_1": 0.5},
                protocols=("code_error", *IMAGES),
                target={"code_error": 0.05},
            ),
            Preset(
                name="deep_infogan_shapes",
                description="deep InfoGAN on drawn sprites: five continuous codes",
                model="DeepInfoGAN",
                paper=CHEN,
                data="shapes",
                data_options={"image_size": 32},
                model_options={
                    **STABLE_IMAGES,
                    "latent_dim": 8,
                    # With four of them and a categorical code for the shape MIG is half as large.
                    "codes": "uniform:5",
                    "noise_scale": 0.3,
                    "information_weight": 2.0,
                    "width": 16,
                    "depth": 3,
                    "hidden": (256,),
                },
                epochs=20,
                learning_rate={"discriminator": 2e-4, "generator": 1e-3},
                adam={"beta_1": 0.5},
                protocols=tuple(name for name in FACTORS if name != "mig_b"),
            ),
            Preset(
                name="deep_infogan_svhn",
                description="deep InfoGAN on street view house numbers, the paper's codes",
                model="DeepInfoGAN",
                paper=CHEN,
                data="svhn_cropped",
                model_options={
                    "codes": ",".join(["categorical:10"] * 4 + ["uniform:4"]),
                    "latent_dim": 124,
                    "depth": 3,
                    "generator_normalization": "batch",
                },
                epochs=100,
                learning_rate={"discriminator": 2e-4, "generator": 1e-3},
                adam={"beta_1": 0.5},
            ),
            Preset(
                name="deep_infogan_celeba",
                description="deep InfoGAN on faces of 32x32 pixels, the paper's ten codes",
                model="DeepInfoGAN",
                paper=CHEN,
                data="celeb_a",
                data_options={"image_size": 32},
                model_options={
                    "codes": ",".join(["categorical:10"] * 10),
                    "latent_dim": 128,
                    "depth": 3,
                },
                epochs=50,
                learning_rate={"discriminator": 2e-4, "generator": 1e-3},
                adam={"beta_1": 0.5},
            ),
            Preset(
                name="vaegan_mnist",
                description="VAE-GAN on MNIST: reconstruction in the discriminator's features",
                model="VAEGAN",
                paper=LARSEN,
                data="mnist",
                model_options={
                    **STABLE_IMAGES,
                    "latent_dim": 32,
                    "width": 24,
                    "depth": 3,
                    "hidden": (192,),
                },
                epochs=20,
                # As of dgan_mnist.
                learning_rate={"encoder": 1e-3, "discriminator": 2e-4, "generator": 1e-3},
                adam={"beta_1": 0.5},
                protocols=IMAGES,
            ),
            Preset(
                name="glo_mnist",
                description="GLO on MNIST: a generator learned by regression, with no adversary",
                model="GLO",
                paper=BOJANOWSKI,
                data="mnist",
                model_options={"latent_dim": 32, "width": 32},
                epochs=10,
                learning_rate={"codes": 1e-2, "generator": 1e-3},
                adam={"beta_1": 0.0},
                schedule="cosine",
                protocols=IMAGES,
            ),
            Preset(
                name="crgan_sines",
                description="recurrent GAN on sine waves of five channels",
                model="CRGAN",
                paper=MOGREN,
                data="sines",
                model_options={
                    **STABLE_SEQUENCES,
                    "hidden": (64, 64),
                    "initial_state": "noise",
                    "discriminator_hidden": (32, 32),
                    # Of what is smooth, slopes tell most. Without them the discriminative score is
                    # 0.024; with six times as much the discriminator wins, and it is 0.142.
                    "deltas": 4.0,
                },
                epochs=150,
                # At equal rates the discriminator may win after a hundred epochs.
                learning_rate={"discriminator": 5e-4, "generator": 1e-3},
                adam={"beta_1": 0.5},
                schedule="cosine",
                protocols=SEQUENCE_SCORES,
                target={"discriminative_score_10": 0.022, "predictive_score_10": 0.097},
            ),
            Preset(
                name="crgan_stocks",
                description="recurrent GAN on 24 days of Google's stock prices",
                model="CRGAN",
                paper=MOGREN,
                data="stocks",
                # Windows held out at random, as in the paper whose scores are the target.
                data_options={"holdout": "random"},
                model_options=dict(STABLE_SEQUENCES),
                epochs=400,
                learning_rate=1e-3,
                adam={"beta_1": 0.5},
                schedule="cosine",
                protocols=SEQUENCE_SCORES,
                target={"discriminative_score_10": 0.196, "predictive_score_10": 0.040},
            ),
            Preset(
                name="crgan_notes",
                description="recurrent GAN on piano-rolls (--data notes:FILE.json)",
                model="CRGAN",
                paper=MOGREN,
                data="notes:jsb_chorales.json",
                model_options={**STABLE_IMAGES, "hidden": (128, 128), "feedback": True},
                epochs=200,
                learning_rate=1e-3,
                adam={"beta_1": 0.5},
                protocols=("polyphony", "scale_consistency", "repetitions", "tone_span"),
            ),
            Preset(
                name="recurrent_vae_text",
                description="recurrent VAE on the characters of Shakespeare's plays",
                model="RecurrentVAE",
                paper=BOWMAN,
                data="tfds:tiny_shakespeare",
                model_options={
                    "latent_dim": 32,
                    "hidden": (128,),
                    "cell": "lstm",
                    "word_dropout": 0.3,
                    # Without it the decoder does without z: the KL stays at half a nat.
                    "capacity": 5.0,
                    "capacity_steps": 1000,
                },
                epochs=10,
                learning_rate=2e-3,
                schedule="cosine",
                protocols=("active_units",),
            ),
            Preset(
                name="conv_vae_spoken_digits",
                description="conditional VAE on spectrograms of spoken digits: says what is asked",
                model="ConditionalVAE",
                paper=SOHN,
                data="audio:fsdd",
                # Recordings 0 to 4 of each speaker and digit are the test part. Most are shorter
                # than 0.64 seconds; the silence after them is easy and would have the most weight.
                data_options={"test_files": "*_[0-4].wav", "seconds": 0.64},
                # With 32 latents half of the samples are heard as another digit; at twice the rate
                # none is, but the latents collapse and all samples of a digit are one.
                model_options={"latent_dim": 8, "likelihood": "bernoulli"},
                epochs=40,
                learning_rate=1e-3,
                schedule="cosine",
                protocols=("label_accuracy_1k", "active_units"),
                target={"label_accuracy_1k": 0.6},
            ),
        )
    }
)


def get(name: str) -> Preset:
    """Return the preset called `name`, the caller's own copy.

    Raises:
        ValueError: no such preset; the message names the known ones and the closest.
    """
    if name not in PRESETS:
        close = difflib.get_close_matches(name, PRESETS, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ValueError(f"unknown preset {name!r}: {hint}known are {', '.join(PRESETS)}")
    return copy.deepcopy(PRESETS[name])


def names(class_name: str | None = None) -> tuple[str, ...]:
    """Stand-in."""
    return tuple(p.name for p in PRESETS.values() if class_name in (None, p.model))
