"""What a model knows of examples, and what that is good for.

`latents` are the representation, and `controls` orders them by what they change. `probes` measure
what it tells of labels and how well it reconstructs; `attributes` changes examples along directions
in it; `robustness` fills in missing values, removes noise and finds examples that do not belong.
"""

from keras_gen import quiet  # noqa: F401  (before TensorFlow)
from keras_gen.representation.attributes import attribute_vector, relabelled, with_attribute
from keras_gen.representation.controls import Control, controls
from keras_gen.representation.latents import discrete, kl_per_latent, latents
from keras_gen.representation.probes import (
    few_labels,
    knn_accuracy,
    linear_probe,
    pca_errors,
    reconstruction_error,
)
from keras_gen.representation.robustness import anomaly_scores, denoise, fill_in

__all__ = [
    "Control",
    "anomaly_scores",
    "attribute_vector",
    "controls",
    "denoise",
    "discrete",
    "few_labels",
    "fill_in",
    "kl_per_latent",
    "knn_accuracy",
    "latents",
    "linear_probe",
    "pca_errors",
    "reconstruction_error",
    "relabelled",
    "with_attribute",
]
