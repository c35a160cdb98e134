"""Evaluation: arrays in, numbers out; a protocol pins every choice under one name."""

from keras_gen.evaluation.codes import code_error
from keras_gen.evaluation.distances import frechet_distance, kernel_distance
from keras_gen.evaluation.factors import (
    DCI,
    beta_vae_score,
    dci,
    factor_vae_score,
    mutual_information_gap,
    mutual_information_gap_samples,
    separated_attribute_predictability,
)
from keras_gen.evaluation.features import (
    Features,
    inception_features,
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
from keras_gen.evaluation.memorization import Memorization, check_memorization
from keras_gen.evaluation.modes import ModeCoverage, class_coverage, mode_coverage
from keras_gen.evaluation.monitor import ProtocolMonitor
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
    Protocol,
    Result,
    Subject,
    applicable,
    check,
    evaluate,
    floor,
    measure,
)
from keras_gen.evaluation.quality import density_coverage, inception_score, precision_recall
from keras_gen.evaluation.sequences import SequenceScore, discriminative_score, predictive_score
from keras_gen.evaluation.statistics import (
    FeatureTests,
    SampleStatistics,
    TwoSampleTest,
    energy_test,
    feature_tests,
    mmd_test,
    sample_statistics,
    sliced_wasserstein_distance,
)

__all__ = [
    "DCI",
    "PROTOCOLS",
    "ErrorRate",
    "FeatureTests",
    "Features",
    "HumanErrors",
    "Judgements",
    "Memorization",
    "ModeCoverage",
    "MusicStatistics",
    "Protocol",
    "ProtocolMonitor",
    "Result",
    "SampleStatistics",
    "SequenceScore",
    "Subject",
    "TwoSampleTest",
    "active_units",
    "applicable",
    "beta_vae_score",
    "check",
    "check_memorization",
    "class_coverage",
    "code_error",
    "dci",
    "density_coverage",
    "discriminative_score",
    "energy_test",
    "evaluate",
    "factor_vae_score",
    "feature_tests",
    "floor",
    "frechet_distance",
    "human_errors",
    "inception_features",
    "inception_score",
    "kernel_distance",
    "label_accuracy",
    "latent_variances",
    "load_features",
    "measure",
    "mmd_test",
    "mode_coverage",
    "music_statistics",
    "mutual_information_gap",
    "mutual_information_gap_samples",
    "polyphony",
    "precision_recall",
    "predictive_score",
    "read_features",
    "read_judgements",
    "repetitions",
    "sample_statistics",
    "save_lenet",
    "scale_consistency",
    "separated_attribute_predictability",
    "sliced_wasserstein_distance",
    "tone_span",
    "train_classifier",
    "train_lenet",
]
