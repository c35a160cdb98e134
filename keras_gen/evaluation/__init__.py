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
from keras_gen.evaluation.human import (
    ErrorRate,
    HumanErrors,
    Judgements,
    human_errors,
    read_judgements,
)
from keras_gen.evaluation.labels import label_accuracy, train_classifier
from keras_gen.evaluation.latent import active_units, latent_variances
from keras_gen.evaluation.modes import ModeCoverage, class_coverage, mode_coverage
from keras_gen.evaluation.music import (
    MusicStatistics,
    music_statistics,
    polyphony,
    repetitions,
    scale_consistency,
    tone_span,
)
from keras_gen.evaluation.protocols import (
    PROTOCOLS,
    Result,
    applicable,
    check,
    evaluate,
    real_fid_lenet_10k,
    real_sequences,
)
from keras_gen.evaluation.sequences import SequenceScore, discriminative_score, predictive_score

__all__ = [
    "PROTOCOLS",
    "ErrorRate",
    "Features",
    "HumanErrors",
    "Judgements",
    "ModeCoverage",
    "MusicStatistics",
    "Result",
    "SequenceScore",
    "active_units",
    "applicable",
    "check",
    "class_coverage",
    "code_error",
    "discriminative_score",
    "evaluate",
    "frechet_distance",
    "human_errors",
    "kernel_distance",
    "label_accuracy",
    "latent_variances",
    "load_features",
    "mode_coverage",
    "music_statistics",
    "mutual_information_gap",
    "polyphony",
    "predictive_score",
    "read_features",
    "read_judgements",
    "real_fid_lenet_10k",
    "real_sequences",
    "repetitions",
    "save_lenet",
    "scale_consistency",
    "tone_span",
    "train_classifier",
    "train_lenet",
]
