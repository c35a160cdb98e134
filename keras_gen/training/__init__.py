"""Training: fit a preset under a strategy, into a run directory that a kill cannot spoil."""

from keras_gen.training.callbacks import Diverged, StopWhenDiverged
from keras_gen.training.config import Config, override
from keras_gen.training.fit import Job, load, prepare, resume, train
from keras_gen.training.pictures import class_columns, drawable, drawn, grid, save_png, scatter
from keras_gen.training.runs import Run
from keras_gen.training.samples import check_suffix, write
from keras_gen.training.schedules import schedule
from keras_gen.training.strategies import strategy

__all__ = [
    "Config",
    "Diverged",
    "Job",
    "Run",
    "StopWhenDiverged",
    "check_suffix",
    "class_columns",
    "drawable",
    "drawn",
    "grid",
    "load",
    "override",
    "prepare",
    "resume",
    "save_png",
    "scatter",
    "schedule",
    "strategy",
    "train",
    "write",
]
