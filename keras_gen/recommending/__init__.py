"""Which preset for which data and purpose: plain rules in one table."""

from keras_gen import quiet  # noqa: F401  (before TensorFlow)
from keras_gen.recommending.facts import Facts, facts_of
from keras_gen.recommending.recommend import Recommendation, recommend
from keras_gen.recommending.rules import GOALS, RULES, Rule, fitting

__all__ = [
    "GOALS",
    "RULES",
    "Facts",
    "Recommendation",
    "Rule",
    "facts_of",
    "fitting",
    "recommend",
]
