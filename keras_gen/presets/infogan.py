"""InfoGANs: codes found without labels."""

from keras_gen.presets import citations
from keras_gen.presets.preset import GAME, IMAGES, STABLE_IMAGES, Preset
from keras_gen.presets.vae import FACTORS

PRESETS = (
    Preset(
        name="infogan_mnist",
        description="InfoGAN on MNIST: classes and style found without labels",
        class_name="InfoGAN",
        paper=citations.CHEN,
        data="mnist",
        network={
            "latent_dim": 62,
            "network": "dense",
            "hidden": (256, 512),
            "normalization": "layer",
        },
        model={
            "codes": "categorical:10,uniform:2",
            # The ten kinds should not be slants, sizes or places: Q must read the code from images
            # that were rotated, stretched and shifted.
            "code_augment": "affine",
            "noise_scale": 0.3,
            "ema": 0.999,
        },
        epochs=50,
        learning_rate=1e-3,
        adam=dict(GAME),
        protocols=("code_error", *IMAGES),
        target={"code_error": 0.05},
    ),
    Preset(
        name="deep_infogan_shapes",
        description="deep InfoGAN on drawn sprites: five continuous codes",
        class_name="DeepInfoGAN",
        paper=citations.CHEN,
        data="shapes",
        data_options={"image_size": 32},
        network={
            **STABLE_IMAGES["network"],
            "latent_dim": 8,
            "width": 16,
            "depth": 3,
            "hidden": (256,),
        },
        model={
            **STABLE_IMAGES["model"],
            # With four of them and a categorical code for the shape, MIG is half as large.
            "codes": "uniform:5",
            "noise_scale": 0.3,
            "information_weight": 2.0,
        },
        epochs=20,
        learning_rate={"discriminator": 2e-4, "generator": 1e-3},
        adam=dict(GAME),
        protocols=tuple(name for name in FACTORS if name != "mig_b"),
    ),
    Preset(
        name="deep_infogan_svhn",
        description="deep InfoGAN on street view house numbers, the paper's codes",
        class_name="DeepInfoGAN",
        paper=citations.CHEN,
        data="svhn_cropped",
        network={"latent_dim": 124, "depth": 3, "generator_normalization": "batch"},
        model={"codes": ",".join(["categorical:10"] * 4 + ["uniform:4"])},
        epochs=100,
        learning_rate={"discriminator": 2e-4, "generator": 1e-3},
        adam=dict(GAME),
    ),
    Preset(
        name="deep_infogan_celeba",
        description="deep InfoGAN on faces of 32x32 pixels, the paper's ten codes",
        class_name="DeepInfoGAN",
        paper=citations.CHEN,
        data="celeb_a",
        data_options={"image_size": 32},
        network={"latent_dim": 128, "depth": 3},
        model={"codes": ",".join(["categorical:10"] * 10)},
        epochs=50,
        learning_rate={"discriminator": 2e-4, "generator": 1e-3},
        adam=dict(GAME),
    ),
)
