"""How often a person takes real for generated, or generated for real.

Source: Zhou et al. 2019, "HYPE: A Benchmark for Human eYe Perceptual Evaluation of Generative
Models" (https://arxiv.org/abs/1904.01121), HYPE-infinity: no time limit, half of the examples real.
There many people judge, and the interval is a bootstrap's over them; here one does, and the
interval is of that person's judgements: it says nothing of how people differ.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy import stats

PROTOCOL = "hype_infinity"


@dataclass(frozen=True)
class ErrorRate:
    """The share of examples that were judged wrongly, with its 95 % interval (Wilson's).

    Attributes:
        value: the share, between 0 and 1.
        low, high: the ends of the interval.
        n: number of examples.
    """

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class HumanErrors:
    """What `human_errors` finds.

    Attributes:
        overall: of all examples. 0.5 is what guessing gives: real and generated cannot be told
            apart; more means that the generated look more real than the real.
        real: of the real examples, those taken for generated.
        generated: of the generated examples, those taken for real.
    """

    overall: ErrorRate
    real: ErrorRate
    generated: ErrorRate


@dataclass(frozen=True)
class Judgements:
    """A person's judgements of a run's samples, in the order they were given.

    Attributes:
        run: name of the run directory.
        preset: name of the run's preset.
        seed: of the samples and the order.
        date: when the last was given, ISO 8601.
        real: whether each example is real, `(n,)` bool.
        judged_real: whether the person took it for real, `(n,)` bool.
        seconds: that the person looked at it, `(n,)` float64.
    """

    run: str
    preset: str
    seed: int
    date: str
    real: np.ndarray = field(repr=False)
    judged_real: np.ndarray = field(repr=False)
    seconds: np.ndarray = field(repr=False)


def human_errors(real: np.ndarray, judged_real: np.ndarray) -> HumanErrors:
    """The error rates of judgements.

    Args:
        real: whether each example is real, `(n,)` bool.
        judged_real: whether it was taken for real, `(n,)` bool.

    Raises:
        ValueError: if these are not both `(n,)` bool, or all examples are real or all generated.
    """
    real, judged_real = np.asarray(real), np.asarray(judged_real)
    if (
        real.shape != judged_real.shape
        or real.ndim != 1
        or not real.dtype == judged_real.dtype == bool
    ):
        raise ValueError(
            "real and judged_real must both be (n,) bool; got "
            f"{real.dtype} {real.shape} and {judged_real.dtype} {judged_real.shape}."
        )
    if real.all() or not real.any():
        raise ValueError(
            f"judgements of real and of generated examples are needed; {int(real.sum())} of "
            f"{len(real)} are of real ones."
        )
    wrong = real != judged_real
    return HumanErrors(_rate(wrong), _rate(wrong[real]), _rate(wrong[~real]))


def _rate(wrong: np.ndarray) -> ErrorRate:
    test = stats.binomtest(int(wrong.sum()), len(wrong))
    interval = test.proportion_ci(0.95, method="wilson")
    return ErrorRate(float(test.statistic), float(interval.low), float(interval.high), len(wrong))


# ---- files -------------------------------------------------------------------------------------

# What a field must be, as a test and in words.
TEXT = (lambda value: isinstance(value, str), "a text")
WHOLE = (lambda value: type(value) is int, "a whole number")
BOOLEAN = (lambda value: isinstance(value, bool), "true or false")
TIME = (lambda value: type(value) in (int, float) and 0 <= value < np.inf, "a number from 0 on")
LIST = (lambda value: isinstance(value, list) and value, "a list of at least one")
OBJECT = (lambda value: isinstance(value, dict), "an object")
OURS = (lambda value: value == PROTOCOL, f'"{PROTOCOL}"')

CONTENT = {
    "run": TEXT,
    "preset": TEXT,
    "protocol": OURS,
    "seed": WHOLE,
    "judgements": LIST,
    "date": TEXT,
}
JUDGEMENT = {"real": BOOLEAN, "judged_real": BOOLEAN, "seconds": TIME}


def read_judgements(path: str | os.PathLike) -> Judgements:
    """The judgements in a JSON file that was downloaded from a page of `keras-gen judge`.

    Args:
        path: of the file.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not as it must be; the message names the file and the field.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} holds no JSON: {error}") from error
    if problem := _problem("", content, CONTENT):
        raise ValueError(f"{path}: {problem}")
    judgements = content["judgements"]
    for i, judgement in enumerate(judgements):
        if problem := _problem(f"judgements[{i}]", judgement, JUDGEMENT):
            raise ValueError(f"{path}: {problem}")
    columns = {name: np.array([each[name] for each in judgements]) for name in JUDGEMENT}
    return Judgements(
        **{name: content[name] for name in ("run", "preset", "seed", "date")},
        real=columns["real"],
        judged_real=columns["judged_real"],
        seconds=columns["seconds"].astype("float64"),
    )


def _problem(where: str, value, fields: dict[str, tuple]) -> str | None:
    """Why a value is no object with these fields; None if it is one."""
    if problem := _misfit(where or "the content", value, OBJECT):
        return problem
    for name, kind in fields.items():
        field_name = f"{where}.{name}".lstrip(".")
        if name not in value:
            return f"{field_name} is missing"
        if problem := _misfit(field_name, value[name], kind):
            return problem
    return None


def _misfit(where: str, value, kind: tuple) -> str | None:
    """Why a value is not of a kind; None if it is."""
    fits, wanted = kind
    return None if fits(value) else f"{where} must be {wanted}, got {json.dumps(value)[:40]}"
