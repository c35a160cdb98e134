"""VAEs and their kin."""

from keras_gen.presets import citations
from keras_gen.presets.preset import IMAGES, Preset

# The IWAE paper's MNIST network 784-200-200-50-200-200-784.
IWAE_NETWORK = {"network": "dense", "hidden": (200, 200), "activation": "tanh", "latent_dim": 50}
# Pixels are drawn anew from their gray values at every visit.
BINARIZED = {"likelihood": "binarized_bernoulli"}
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

PRESETS = (
    Preset(
        name="vae_digits",
        description="VAE on scikit-learn's 8x8 digits: no download, under a minute",
        class_name="VAE",
        paper=citations.KINGMA,
        data="digits",
        network={"network": "dense", "hidden": (256, 256), "latent_dim": 10},
        # Pixels have 17 shades. With a Bernoulli, 3 of the 10 latents stay in use, and its means
        # are gray.
        model={"likelihood": "discretized_logistic:17"},
        epochs=100,
        batch_size=64,
        learning_rate=2e-3,
        schedule="cosine",
        protocols=("nll_iw100", "active_units", *IMAGES),
    ),
    Preset(
        name="vae_mnist",
        description="VAE on MNIST by the IWAE paper's protocol (--epochs 260 for more)",
        class_name="VAE",
        paper=citations.BURDA,
        data="mnist",
        network=dict(IWAE_NETWORK),
        model=dict(BINARIZED),
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
        class_name="VAE",
        paper=citations.KINGMA,
        data="mnist",
        network={"latent_dim": 32},
        model=dict(BINARIZED),
        epochs=20,
        learning_rate=2e-3,
        schedule="cosine",
        protocols=("nll_iw100", "active_units", *IMAGES),
    ),
    Preset(
        name="beta_vae_shapes",
        description="beta-VAE that disentangles the factors of drawn sprites",
        class_name="BetaVAE",
        paper=citations.HIGGINS,
        data="shapes",
        data_options={"image_size": 32},
        network={"network": "dense", "hidden": (512, 512), "latent_dim": 10},
        # For 32x32 pixels: a factor of variation is worth fewer nats than at 64x64.
        model={"beta": 16.0},
        epochs=30,
        learning_rate=1e-3,
        schedule="cosine",
        protocols=(*FACTORS, "active_units"),
    ),
    Preset(
        name="cvae_mnist",
        description="conditional VAE on MNIST: the label says which digit to draw",
        class_name="ConditionalVAE",
        paper=citations.SOHN,
        data="mnist",
        network={"network": "dense", "hidden": (512, 256), "latent_dim": 16},
        model=dict(BINARIZED),
        epochs=20,
        schedule="cosine",
        protocols=("nll_iw100", "active_units", *IMAGES),
    ),
    Preset(
        name="iwae_mnist",
        description="IWAE with 5 importance samples on MNIST, the paper's protocol",
        class_name="IWAE",
        paper=citations.BURDA,
        data="mnist",
        network=dict(IWAE_NETWORK),
        model={**BINARIZED, "num_samples": 5},
        epochs=80,
        batch_size=100,
        learning_rate=3e-3,
        schedule="cosine",
        protocols=("nll_iw5000", "active_units", *IMAGES),
    ),
    Preset(
        name="vamp_vae_mnist",
        description="VAE on MNIST with a learned prior, whose samples look like digits",
        class_name="VampVAE",
        paper=citations.TOMCZAK,
        data="mnist",
        network={**IWAE_NETWORK, "hidden": (400, 400), "activation": "relu"},
        model={**BINARIZED, "components": 500},
        epochs=80,
        batch_size=250,
        learning_rate=2e-3,
        schedule="cosine",
        protocols=("nll_iw100", "active_units", *IMAGES),
    ),
)
