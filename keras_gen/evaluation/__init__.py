"""Evaluation: arrays in, numbers out; a protocol pins every choice under one name."""

from keras_gen.evaluation.codes import code_error
from keras_gen.evaluation.disentanglement import mutual_information_gap
from keras_gen.evaluation.distances import frechet_distance, kernel_distance
from keras_gen.evaluation.features import (
    Features,
    load_features,
    read_features,
    save_lenet,
    train_lenet,
)
from keras_gen.evaluation.latent import active_units, latent_variances
from keras_gen.evaluation.modes import ModeCoverage, class_coverage, mode_coverage
from keras_gen.evaluation.protocols import (
    PROTOCOLS,
    Result,
    applicable,
    check,
    evaluate,
    real_fid_lenet_10k,
)

__all__ = [
    "PROTOCOLS",
    "Features",
    "ModeCoverage",
    "Result",
    "active_units",
    "applicable",
    "check",
    "class_coverage",
    "code_error",
    "evaluate",
    "frechet_distance",
    "kernel_distance",
    "latent_variances",
    "load_features",
    "mode_coverage",
    "mutual_information_gap",
    "read_features",
    "real_fid_lenet_10k",
    "save_lenet",
    "train_lenet",
]
