"""A page on which a person tells real from generated: one HTML file that needs nothing else.

The page holds in base64 which images are real, so that nobody reads it by accident. It is not
secret. `keras_gen.judging.answers` describes what is measured.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from keras_gen import checks, data, files, plotting, runs
from keras_gen.judging.answers import ALIKE, FASTEST, PROTOCOL

TEMPLATE = Path(__file__).with_name("page.html")
PLACE = "@CONTENT@"  # in the template, where the images go
WARM_UP = 6  # examples with feedback, which do not count


def write_page(
    where: str | os.PathLike,
    out: str | os.PathLike,
    n: int = 100,
    seed: int = 0,
    source: Any = None,
    data_dir: str | os.PathLike | None = None,
) -> None:
    """Writes the page for a trained model; the file appears complete or not at all.

    Args:
        where: a run directory, a released folder, a `.keras` file or the name of a preset.
        out: the HTML file.
        n: number of examples, even.
        seed: of the samples, the choice of test examples, and the order.
        source: other data of the same kind and shape, as for `keras_gen.data.load`; by default the
            model's own.
        data_dir: where prepared data is.

    Raises:
        FileNotFoundError: if there is no such model.
        ValueError: as `page`.
    """
    trained = runs.open(where)
    check_images(trained.spec)
    text = page(trained, trained.dataset(source, data_dir), n, seed)
    with files.written_beside(out) as beside:
        beside.write_text(text, encoding="utf-8")


def page(trained: runs.TrainedModel, dataset: data.Dataset, n: int = 100, seed: int = 0) -> str:
    """Returns the page: half real test examples, half samples, one at a time in random order.

    Args:
        trained: a model of images or spectrograms.
        dataset: its data.
        n: number of examples, even. A few more, of the same kinds, are for the warm-up.
        seed: of the samples, the choice of test examples, and the order.

    Returns:
        HTML.

    Raises:
        ValueError: if the data is not images, or `n` is not an even number, at least 2 and at most
            twice the number of test examples.
    """
    check_images(dataset.spec)
    size = dataset.size("test")
    if checks.integer("n", n, least=2) % 2 or n // 2 > size:
        raise ValueError(
            f"n must be even, from 2 to {2 * size}, as {dataset.spec.name} has {size} test "
            f"examples; got {n}"
        )
    half, extra = n // 2, min(WARM_UP // 2, size - n // 2)
    chosen = np.random.RandomState(seed).permutation(size)[: half + extra]
    real, generated = dataset.arrays("test")["x"][chosen], trained.sample(half + extra, seed=seed)
    x, truth = mixed(real[:half], generated[:half], seed)
    warm_x, warm_truth = mixed(real[half:], generated[half:], seed)
    content = {
        "run": trained.name,
        "preset": trained.preset.name if trained.preset else trained.name,
        "protocol": PROTOCOL,
        "seed": seed,
        "fastest": FASTEST,
        "alike": ALIKE,
        "height": picture(x[0], dataset.spec).shape[0],
        "images": [data_uri(picture(each, dataset.spec)) for each in x],
        "truth": encoded(truth),
        "warmUpImages": [data_uri(picture(each, dataset.spec)) for each in warm_x],
        "warmUpTruth": encoded(warm_truth),
    }
    # The browser keeps the answers under this name: a page with other images has another.
    content["page"] = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
    # A script ends at the first "</script", wherever it is.
    text = json.dumps(content).replace("<", r"\u003c")
    return TEMPLATE.read_text(encoding="utf-8").replace(PLACE, text)


def check_images(spec: data.Spec) -> None:
    """Raises ValueError unless the examples are images or spectrograms that can be drawn."""
    if not (spec.is_picture and plotting.drawable(spec)):
        raise ValueError(
            f"{spec.name} cannot be shown to a person: only images and spectrograms can, of 1 or 3 "
            "channels"
        )


def mixed(real: np.ndarray, generated: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns real and generated examples in random order.

    Args:
        real, generated: `(n, ...)` and `(m, ...)`.
        seed: of the order.

    Returns:
        All of them, `(n + m, ...)`, and whether each is real, `(n + m,)` bool.
    """
    order = np.random.RandomState(seed).permutation(len(real) + len(generated))
    return np.concatenate([real, generated])[order], order < len(real)


def picture(x: np.ndarray, spec: data.Spec) -> np.ndarray:
    """Returns one example as a uint8 picture, `(height, width, 3)`."""
    (image,) = plotting.as_images(x[None], spec)
    pixels = np.rint(np.clip(image, 0.0, 1.0) * 255).astype("uint8")
    return np.broadcast_to(pixels, (*pixels.shape[:2], 3))


def data_uri(picture: np.ndarray) -> str:
    """Returns a uint8 picture, `(height, width, 3)`, as a PNG in a data: URI."""
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(file, format="png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def encoded(truth: np.ndarray) -> str:
    """Returns which examples are real, `(n,)` bool, as base64."""
    return base64.b64encode("".join(map(str, truth.astype(int))).encode()).decode()
