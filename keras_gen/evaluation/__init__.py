"""Evaluation: metrics of arrays, and protocols, which pin every choice of a measurement."""

from keras_gen import quiet  # noqa: F401  (before TensorFlow)
from keras_gen.evaluation.callbacks import ProtocolMonitor
from keras_gen.evaluation.classifiers import save_features, train_classifier, train_features
from keras_gen.evaluation.features import (
    Features,
    inception_features,
    load_features,
    read_features,
)
from keras_gen.evaluation.metrics.distances import (
    frechet_distance,
    kernel_distance,
    sliced_wasserstein_distance,
)
from keras_gen.evaluation.metrics.factors import (
    DCI,
    beta_vae_score,
    dci,
    factor_vae_score,
    mutual_information_gap,
    mutual_information_gap_samples,
    separated_attribute_predictability,
)
from keras_gen.evaluation.metrics.labels import code_error, label_accuracy
from keras_gen.evaluation.metrics.latents import active_units, latent_variances
from keras_gen.evaluation.metrics.memorization import Memorization, check_memorization
from keras_gen.evaluation.metrics.modes import ModeCoverage, class_coverage, mode_coverage
from keras_gen.evaluation.metrics.music import (
    MusicStatistics,
    music_statistics,
    polyphony,
    repetitions,
    scale_consistency,
    tone_span,
)
from keras_gen.evaluation.metrics.quality import (
    density_coverage,
    inception_score,
    precision_recall,
)
from keras_gen.evaluation.metrics.sequences import (
    SequenceScore,
    discriminative_score,
    predictive_score,
)
from keras_gen.evaluation.metrics.statistics import (
    FeatureTests,
    SampleStatistics,
    TwoSampleTest,
    energy_test,
    feature_tests,
    mmd_test,
    sample_statistics,
    standardized_differences,
)
from keras_gen.evaluation.metrics.texts import known_words
from keras_gen.evaluation.protocols import (
    PROTOCOLS,
    Protocol,
    Result,
    Subject,
    applicable,
    check,
    evaluate,
    floor,
    higher_is_better,
    measure,
)

__all__ = [
    "DCI",
    "PROTOCOLS",
    "FeatureTests",
    "Features",
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
    "higher_is_better",
    "inception_features",
    "inception_score",
    "kernel_distance",
    "known_words",
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
    "repetitions",
    "sample_statistics",
    "save_features",
    "scale_consistency",
    "separated_attribute_predictability",
    "sliced_wasserstein_distance",
    "standardized_differences",
    "tone_span",
    "train_classifier",
    "train_features",
]
