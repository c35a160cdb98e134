"""Evaluation: arrays in, numbers out; a protocol pins every choice under one name."""

from keras_gen.evaluation.disentanglement import mutual_information_gap
from keras_gen.evaluation.latent import active_units, latent_variances
from keras_gen.evaluation.protocols import PROTOCOLS, Result, check, evaluate

__all__ = [
    "PROTOCOLS",
    "Result",
    "active_units",
    "check",
    "evaluate",
    "latent_variances",
    "mutual_information_gap",
]
