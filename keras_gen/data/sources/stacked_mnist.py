"""MNIST digits stacked into colour images, with 1000 known modes.

Source: Srivastava et al. 2017 (VEEGAN, https://arxiv.org/abs/1705.07761); Lin et al.
2018 (PacGAN, https://arxiv.org/abs/1712.04086).
"""

from __future__ import annotations

import os

import numpy as np
from keras import ops

from keras_gen.data.checks import check_counts, random_state
from keras_gen.data.dataset import Dataset, decode_arrays
from keras_gen.data.pipeline import Batch
from keras_gen.data.sources.tfds import load_tfds
from keras_gen.data.specs import Spec

SPEC = Spec("stacked_mnist", "image", (28, 28, 3), (0.0, 1.0), num_classes=1000)
DIGIT_WEIGHTS = (100, 10, 1)  # of the red, the green and the blue digit in the label


def load_stacked_mnist(
    data_dir: str | os.PathLike | None = None,
    *,
    size: int = 128_000,
    test_size: int = 26_000,
    seed: int = 0,
) -> Dataset:
    """Loads images of three MNIST digits, one in each colour channel.

    Each digit is drawn independently and with replacement, from MNIST's training images for the
    training examples and from its test images for the test examples. The digits are stacked when a
    batch is made, so that only their indices are in memory. The label of the digits r, g, b is
    100 r + 10 g + b.

    MNIST's digits are not equally frequent, so the modes are not either: KL(modes || uniform) is
    0.004 nats for the training images and 0.005 for the test images, without sampling error.

    Args:
        data_dir: folder of prepared sets of TensorFlow Datasets, with MNIST; see `load_tfds`.
        size: number of training images.
        test_size: number of test images.
        seed: seed of the choice. The test images do not depend on `size`.

    Raises:
        DataError: if MNIST is neither prepared nor can be downloaded.
    """
    check_counts("stacked_mnist", size=size, test_size=test_size)
    random = random_state(seed)
    stored = load_tfds("mnist", data_dir)._raw
    # Both splits share one decoder, which needs the digits of both.
    digits = np.concatenate([stored["train"]["x"], stored["test"]["x"]])[..., 0]
    digits = ops.convert_to_tensor(digits)

    def draw(count: int, split: str, start: int) -> dict[str, np.ndarray]:
        label = stored[split]["label"]
        rows = random.randint(len(label), size=(count, 3), dtype=np.int32)
        label = (label[rows] @ DIGIT_WEIGHTS).astype(np.int32)
        return {"rows": start + rows, "label": label}

    def decode(batch: Batch) -> Batch:
        x = ops.moveaxis(ops.take(digits, batch["rows"], axis=0), 1, -1)
        return decode_arrays({"x": x, "label": batch["label"]})

    test = draw(test_size, "test", start=len(stored["train"]["x"]))
    train = draw(size, "train", start=0)
    return Dataset(SPEC, train, test, decode)
