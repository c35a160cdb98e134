"""Human evaluation: a page on which a person tells real from generated, and what it measures."""

from keras_gen import quiet  # noqa: F401
from keras_gen.judging.answers import (
    PROTOCOL,
    Answers,
    ErrorRate,
    HumanErrors,
    human_errors,
    measure_answers,
    read_answers,
    suspect,
)
from keras_gen.judging.page import mixed, page, write_page

__all__ = [
    "PROTOCOL",
    "Answers",
    "ErrorRate",
    "HumanErrors",
    "human_errors",
    "measure_answers",
    "mixed",
    "page",
    "read_answers",
    "suspect",
    "write_page",
]
