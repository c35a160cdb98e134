"""A page on which a person tells real from generated: one HTML file that needs nothing else.

What is real stands in the page, in base64 behind the images: that keeps honest people from reading
it by accident, and nobody else from reading it. What the answers measure is described in
`keras_gen.evaluation.human`.
"""

import base64
import io
import json
import os
from pathlib import Path

import numpy as np
from PIL import Image

from keras_gen import data, training
from keras_gen.evaluation.human import PROTOCOL
from keras_gen.training.pictures import PADDING, drawn

TEMPLATE = Path(__file__).with_name("judging.html")
PLACE = "@CONTENT@"  # in the template, where the images go


def judging_page(run_dir: str | os.PathLike, n: int = 100, seed: int = 0) -> str:
    """The page for a run: half real test examples, half samples, one at a time in random order.

    Args:
        run_dir: a finished run on images or spectrograms.
        n: number of examples, even.
        seed: of the samples, of which test examples are shown, and of the order.

    Returns:
        HTML.

    Raises:
        FileNotFoundError: there is no run at `run_dir`.
        ValueError: the run is unfinished, its data is no images, or `n` is not an even number, at
            least 2 and at most twice the number of test examples.
    """
    run = training.Run.open_finished(run_dir)
    check_images(data.Spec(**run.config["spec"]))
    _, config, model = training.load(run_dir)
    preset = config.preset
    dataset = data.load(preset.data, config.data_dir, **preset.data_options)
    half, size = n // 2, dataset.size("test")
    if n < 2 or n % 2 or half > size:
        raise ValueError(
            f"n must be even, from 2 to {2 * size}, as {dataset.spec.name} has {size} test "
            f"examples; got {n}"
        )
    chosen = np.random.RandomState(seed).permutation(size)[:half]
    real = dataset.arrays("test")["x"][chosen]
    x, truth = mixed(real, model.sample(half, seed=seed), seed)
    content = {
        "run": run.path.resolve().name,
        "preset": preset.name,
        "protocol": PROTOCOL,
        "seed": seed,
        "images": [data_uri(picture(each, dataset.spec)) for each in x],
        "truth": base64.b64encode("".join(map(str, truth.astype(int))).encode()).decode(),
    }
    # A script ends at the first "</script", wherever it stands.
    text = json.dumps(content).replace("<", r"\u003c")
    return TEMPLATE.read_text(encoding="utf-8").replace(PLACE, text)


def check_images(spec: data.Spec) -> None:
    """Raises ValueError unless the examples are images or spectrograms that can be drawn."""
    if not (spec.is_picture and training.drawable(spec)):
        raise ValueError(
            f"{spec.name} cannot be judged by eye: only images and spectrograms can, of 1 or 3 "
            "channels"
        )


def mixed(real: np.ndarray, generated: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Real and generated examples in random order.

    Args:
        real, generated: `(n, ...)` and `(m, ...)`.
        seed: of the order.

    Returns:
        All of them, `(n + m, ...)`, and whether each is real, `(n + m,)` bool.
    """
    order = np.random.RandomState(seed).permutation(len(real) + len(generated))
    return np.concatenate([real, generated])[order], order < len(real)


def picture(x: np.ndarray, spec: data.Spec) -> np.ndarray:
    """One example as a uint8 picture, `(height, width, 3)`, without the frame of a grid's tiles."""
    return drawn(x[None], spec)[PADDING:-PADDING, PADDING:-PADDING]


def data_uri(picture: np.ndarray) -> str:
    """A uint8 picture, `(height, width, 3)`, as a PNG in a data: URI."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, format="png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
