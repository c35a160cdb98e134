"""Data whose modes are all known, to count how many of them a model finds.

Two mixtures of Gaussians in the plane, and MNIST digits stacked into colour images. Sources:
Srivastava et al. 2017 (VEEGAN, https://arxiv.org/abs/1705.07761) and Lin et al. 2018 (PacGAN,
https://arxiv.org/abs/1712.04086).
"""

from __future__ import annotations

import math
import os

import numpy as np
import tensorflow as tf

from keras_gen.data.checks import check_counts
from keras_gen.data.dataset import Dataset, decode_arrays
from keras_gen.data.pipeline import Batch
from keras_gen.data.specs import Spec
from keras_gen.data.tfds import load_tfds

DIGIT_WEIGHTS = (100, 10, 1)  # of the red, the green and the blue digit in the label


def _mixture(name: str, modes: list[tuple[float, float]], sigma: float) -> Spec:
    # The range is known without drawing: no generator puts out a normal number as great as 13, and
    # one beyond 10 is not to be expected in any number of draws.
    low, high = min(map(min, modes)) - 10 * sigma, max(map(max, modes)) + 10 * sigma
    return Spec(name, "vector", (2,), (low, high), len(modes), modes=tuple(modes), sigma=sigma)


KNOWN = {
    "ring": _mixture(
        "ring", [(math.cos(k * math.pi / 4), math.sin(k * math.pi / 4)) for k in range(8)], 0.01
    ),
    "grid": _mixture(
        "grid", [(float(x), float(y)) for x in range(-4, 5, 2) for y in range(-4, 5, 2)], 0.05
    ),
    "stacked_mnist": Spec("stacked_mnist", "image", (28, 28, 3), (0.0, 1.0), num_classes=1000),
}


def load_mixture(
    name: str, *, size: int = 100_000, test_size: int = 10_000, seed: int = 0
) -> Dataset:
    """Independent draws from equally probable Gaussians in the plane; the label is the mode.

    Args:
        name: `"ring"`, 8 modes on the unit circle with sigma 0.01, or `"grid"`, 25 at
            {-4, -2, 0, 2, 4}² with sigma 0.05.
        size: number of training points.
        test_size: number of test points.
        seed: of the draws. The test points do not depend on `size`.
    """
    spec = KNOWN[name]
    check_counts(name, size=size, test_size=test_size)
    # RandomState's numbers, unlike default_rng's, are the same in every version of NumPy.
    random = np.random.RandomState(seed)

    def draw(count: int) -> dict[str, np.ndarray]:
        label = random.randint(len(spec.modes), size=count, dtype=np.int32)
        x = np.array(spec.modes)[label] + spec.sigma * random.standard_normal((count, 2))
        return {"x": x.astype(np.float32), "label": label}

    test = draw(test_size)
    return Dataset(spec, train=draw(size), test=test)


def load_stacked_mnist(
    data_dir: str | os.PathLike | None = None,
    *,
    size: int = 128_000,
    test_size: int = 26_000,
    seed: int = 0,
) -> Dataset:
    """Images of three MNIST digits, one in each colour channel: 1000 modes.

    Every digit is drawn by itself and with replacement, for training from MNIST's training images
    and for testing from its test images. They are stacked whenever a batch is made: only which
    digits belong together is in memory. The label of the digits r, g, b is 100 r + 10 g + b.

    MNIST's digits are not quite equally frequent, and so neither are the modes: KL(modes ||
    uniform) is 0.004 nats for the training and 0.005 for the test images, without sampling error.

    Args:
        data_dir: the folder of prepared sets of TensorFlow Datasets, with MNIST; as in `load_tfds`.
        size: number of training images.
        test_size: number of test images.
        seed: of the choice. The test images do not depend on `size`.

    Raises:
        DataError: if MNIST is neither prepared nor downloadable.
    """
    check_counts("stacked_mnist", size=size, test_size=test_size)
    stored = load_tfds("mnist", data_dir)._raw
    with tf.device("CPU:0"):
        # Both splits have one decoder, which thus needs the digits of both.
        digits = tf.concat([stored["train"]["x"], stored["test"]["x"]], axis=0)[..., 0]
    random = np.random.RandomState(seed)

    def draw(count: int, split: str, start: int) -> dict[str, np.ndarray]:
        label = stored[split]["label"].numpy()
        rows = random.randint(len(label), size=(count, 3), dtype=np.int32)
        label = (label[rows] @ DIGIT_WEIGHTS).astype(np.int32)
        return {"rows": start + rows, "label": label}

    def decode(batch: Batch) -> Batch:
        channels = [tf.gather(digits, row) for row in tf.unstack(batch["rows"], axis=1)]
        return decode_arrays({"x": tf.stack(channels, axis=-1), "label": batch["label"]})

    test = draw(test_size, "test", start=len(stored["train"]["x"]))
    train = draw(size, "train", start=0)
    return Dataset(KNOWN["stacked_mnist"], train, test, decode)
