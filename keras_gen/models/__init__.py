"""The models: one paper, one file."""

from keras_gen import quiet  # noqa: F401  (before TensorFlow)
from keras_gen.engine.model import GenerativeModel
from keras_gen.engine.trainer import Objective
from keras_gen.models.adversarial import AdversarialModel
from keras_gen.models.beta_tc_vae import BetaTCVAE
from keras_gen.models.beta_vae import BetaVAE
from keras_gen.models.conditional_gan import ConditionalGAN
from keras_gen.models.conditional_vae import ConditionalVAE
from keras_gen.models.conditional_vq_vae import ConditionalVQVAE
from keras_gen.models.crgan import CRGAN
from keras_gen.models.deep_infogan import DeepInfoGAN
from keras_gen.models.dgan import DGAN
from keras_gen.models.factor_vae import FactorVAE
from keras_gen.models.gan import GAN
from keras_gen.models.glo import GLO
from keras_gen.models.infogan import InfoGAN
from keras_gen.models.iwae import IWAE
from keras_gen.models.latent_variable import LatentVariableModel
from keras_gen.models.mixture_vae import MixtureVAE
from keras_gen.models.rcgan import RCGAN
from keras_gen.models.recurrent_vae import RecurrentVAE
from keras_gen.models.vae import VAE
from keras_gen.models.vae_gan import VAEGAN
from keras_gen.models.vamp_vae import VampVAE
from keras_gen.models.vq_vae import VQVAE
from keras_gen.suggestions import nearest

DCGAN = DGAN

MODELS = (
    VAE,
    BetaVAE,
    BetaTCVAE,
    FactorVAE,
    ConditionalVAE,
    IWAE,
    VampVAE,
    MixtureVAE,
    RecurrentVAE,
    VQVAE,
    ConditionalVQVAE,
    GAN,
    ConditionalGAN,
    DGAN,
    InfoGAN,
    DeepInfoGAN,
    VAEGAN,
    CRGAN,
    RCGAN,
    GLO,
)
NAMES = {model.__name__: model for model in MODELS}

__all__ = [
    "CRGAN",
    "DCGAN",
    "DGAN",
    "GAN",
    "GLO",
    "IWAE",
    "MODELS",
    "NAMES",
    "RCGAN",
    "VAE",
    "VAEGAN",
    "VQVAE",
    "AdversarialModel",
    "BetaTCVAE",
    "BetaVAE",
    "ConditionalGAN",
    "ConditionalVAE",
    "ConditionalVQVAE",
    "DeepInfoGAN",
    "FactorVAE",
    "GenerativeModel",
    "InfoGAN",
    "LatentVariableModel",
    "MixtureVAE",
    "Objective",
    "RecurrentVAE",
    "VampVAE",
    "get",
]


def get(name: str) -> type[GenerativeModel]:
    """Returns the model class of a name.

    Raises:
        ValueError: if there is none.
    """
    if name not in NAMES:
        raise ValueError(
            f"unknown model {name!r}.{nearest(name, NAMES)} Known: {', '.join(NAMES)}."
        )
    return NAMES[name]
