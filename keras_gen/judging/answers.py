"""How often a person takes real for generated, or generated for real.

Source: Zhou et al. 2019, "HYPE: A Benchmark for Human eYe Perceptual Evaluation of Generative
Models" (https://arxiv.org/abs/1904.01121), HYPE-infinity: no time limit, half of the examples real.
The paper asks many people, and its interval is a bootstrap over them. Here one person answers, and
the interval is for that person's answers: it does not say how people differ.
"""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from keras_gen import files, runs

PROTOCOL = "hype_infinity"
# Answers are suspect if their median time is less, in seconds. People take 0.22 s on average to
# press a key when they see anything, and 0.38 s when they must recognize it first (Laming 1968,
# "Information Theory of Choice-Reaction Times").
FASTEST = 0.3
# Answers are suspect if there are at least so many, all the same. Who guesses does that with
# probability 1/512.
ALIKE = 10


@dataclass(frozen=True)
class ErrorRate:
    """The share of wrong answers, with its 95 % interval (Wilson's).

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
    """The result of `human_errors`.

    Attributes:
        overall: for all examples. Guessing gives 0.5: real and generated cannot be told apart. More
            means that the generated look more real than the real.
        real: for the real examples, those taken for generated.
        generated: for the generated examples, those taken for real.
    """

    overall: ErrorRate
    real: ErrorRate
    generated: ErrorRate


@dataclass(frozen=True)
class Answers:
    """A person's answers about a model's samples, in the order they were given.

    Attributes:
        run: name of the run directory, or of the model.
        preset: name of the preset.
        seed: of the samples and the order.
        date: of the last answer, ISO 8601.
        real: whether each example is real, `(n,)` bool.
        answered_real: whether the person took it for real, `(n,)` bool.
        seconds: how long the person looked at it, `(n,)` float64; NaN if that is not known.
    """

    run: str
    preset: str
    seed: int
    date: str
    real: np.ndarray = field(repr=False)
    answered_real: np.ndarray = field(repr=False)
    seconds: np.ndarray = field(repr=False)


def human_errors(real: np.ndarray, answered_real: np.ndarray) -> HumanErrors:
    """Returns the error rates of answers.

    Args:
        real: whether each example is real, `(n,)` bool.
        answered_real: whether it was taken for real, `(n,)` bool.

    Raises:
        ValueError: if these are not both `(n,)` bool, or all examples are real or all generated.
    """
    real, answered_real = np.asarray(real), np.asarray(answered_real)
    if (
        real.shape != answered_real.shape
        or real.ndim != 1
        or not real.dtype == answered_real.dtype == bool
    ):
        raise ValueError(
            "real and answered_real must both be (n,) bool; got "
            f"{real.dtype} {real.shape} and {answered_real.dtype} {answered_real.shape}."
        )
    if real.all() or not real.any():
        raise ValueError(
            "answers are needed for real and for generated examples; got "
            f"{int(real.sum())} real of {len(real)}."
        )
    wrong = real != answered_real
    return HumanErrors(_rate(wrong), _rate(wrong[real]), _rate(wrong[~real]))


def _rate(wrong: np.ndarray) -> ErrorRate:
    test = stats.binomtest(int(wrong.sum()), len(wrong))
    interval = test.proportion_ci(0.95, method="wilson")
    return ErrorRate(float(test.statistic), float(interval.low), float(interval.high), len(wrong))


def suspect(answers: Answers) -> str | None:
    """Returns why answers cannot be those of a person who looked, or None."""
    n = len(answers.real)
    if n >= ALIKE and len(set(answers.answered_real.tolist())) == 1:
        return f"all {n} are {'real' if answers.answered_real[0] else 'generated'!r}"
    if np.median(answers.seconds) < FASTEST:
        return f"half of them took less than {FASTEST} s, too fast to look at an image"
    return None


def measure_answers(where: str | os.PathLike, path: str | os.PathLike) -> dict[str, dict[str, Any]]:
    """Measures answers about a trained model; a run keeps the figures in its metrics.json.

    Args:
        where: the model, as for `keras_gen.runs.open`.
        path: of a JSON file that was downloaded from a page of `keras-gen judge`.

    Returns:
        Figures by name: `hype_infinity`, `hype_infinity_real` and `hype_infinity_generated`, each
        with `value`, `low`, `high`, `n` and `unit`; and `suspect`, a reason, where there is one.

    Raises:
        OSError: if there is no such model or file.
        ValueError: if the file is not an answer file, or is about another model.
    """
    trained, answers = runs.open(where), read_answers(path)
    name = trained.name
    preset = trained.preset.name if trained.preset else name
    if (answers.run, answers.preset) != (name, preset):
        theirs = f"{answers.run} ({answers.preset})"
        raise ValueError(f"{path} is about {theirs}, not about {name} ({preset})")
    errors, reason = human_errors(answers.real, answers.answered_real), suspect(answers)
    rates = {"": errors.overall, "_real": errors.real, "_generated": errors.generated}
    more = {"unit": "of 1"} | ({"suspect": reason} if reason else {})
    figures = {PROTOCOL + part: dataclasses.asdict(rate) | more for part, rate in rates.items()}
    if isinstance(trained, runs.Run):
        files.write_json(trained.metrics_file, trained.metrics | {"human": figures})
    return figures


# ---- files -------------------------------------------------------------------------------------

# Kinds of fields: a test, and words for it.
TEXT = (lambda value: isinstance(value, str), "text")
WHOLE = (lambda value: type(value) is int, "an integer")
BOOLEAN = (lambda value: isinstance(value, bool), "true or false")
TIME = (lambda value: type(value) in (int, float) and 0 <= value < np.inf, "a number of at least 0")
LIST = (lambda value: isinstance(value, list) and value, "a list that is not empty")
OBJECT = (lambda value: isinstance(value, dict), "an object")
OURS = (lambda value: value == PROTOCOL, f'"{PROTOCOL}"')

CONTENT = {
    "run": TEXT,
    "preset": TEXT,
    "protocol": OURS,
    "seed": WHOLE,
    "answers": LIST,
    "date": TEXT,
}
ANSWER = {"real": BOOLEAN, "answered_real": BOOLEAN}


def read_answers(path: str | os.PathLike) -> Answers:
    """Returns the answers in a JSON file that was downloaded from a page of `keras-gen judge`.

    Args:
        path: of the file.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is not an answer file; the message names the file and the field.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    content = _renamed(content)
    if problem := _problem("", content, CONTENT):
        raise ValueError(f"{path}: {problem}")
    answers = content["answers"]
    for i, answer in enumerate(answers):
        if problem := _problem(f"answers[{i}]", answer, ANSWER):
            raise ValueError(f"{path}: {problem}")
        if "seconds" in answer and (problem := _misfit("seconds", answer["seconds"], TIME)):
            raise ValueError(f"{path}: answers[{i}].{problem}")
    return Answers(
        **{name: content[name] for name in ("run", "preset", "seed", "date")},
        real=np.array([each["real"] for each in answers]),
        answered_real=np.array([each["answered_real"] for each in answers]),
        seconds=np.array([each.get("seconds", np.nan) for each in answers], "float64"),
    )


def _renamed(content: Any) -> Any:
    """The content of a file of version 0.1, whose fields had other names, under today's names."""
    if not (isinstance(content, dict) and isinstance(content.get("judgements"), list)):
        return content
    answers = [
        {("answered_real" if key == "judged_real" else key): value for key, value in each.items()}
        if isinstance(each, dict)
        else each
        for each in content["judgements"]
    ]
    return content | {"answers": answers}


def _problem(where: str, value, fields: dict[str, tuple]) -> str | None:
    """Returns why a value is not an object with these fields, or None."""
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
    """Returns why a value is not of a kind, or None."""
    fits, wanted = kind
    return None if fits(value) else f"{where} must be {wanted}, got {json.dumps(value)[:40]}"
