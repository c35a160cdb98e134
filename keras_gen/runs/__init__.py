"""Runs: train a preset into a directory, and use a trained model by its name.

run = keras_gen.runs.train("vae_digits", epochs=3)
run.evaluate()
keras_gen.runs.open("dgan_mnist").sample(64)
"""

from keras_gen import quiet  # noqa: F401  (before TensorFlow)
from keras_gen.runs.callbacks import Diverged, StopWhenDiverged
from keras_gen.runs.comparing import comparison, draw_comparison
from keras_gen.runs.config import Config, override
from keras_gen.runs.progress import PrintEpochs
from keras_gen.runs.releasing import release
from keras_gen.runs.run import Run
from keras_gen.runs.samples import check_suffix, write_samples
from keras_gen.runs.schedules import schedule
from keras_gen.runs.strategies import is_chief, strategy
from keras_gen.runs.trained import ModelFile, Released, TrainedModel, open
from keras_gen.runs.training import Job, build, prepare, resume, train

__all__ = [
    "Config",
    "Diverged",
    "Job",
    "ModelFile",
    "PrintEpochs",
    "Released",
    "Run",
    "StopWhenDiverged",
    "TrainedModel",
    "build",
    "check_suffix",
    "comparison",
    "draw_comparison",
    "is_chief",
    "open",
    "override",
    "prepare",
    "release",
    "resume",
    "schedule",
    "strategy",
    "train",
    "write_samples",
]
