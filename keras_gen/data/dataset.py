"""A data set in memory: its description, its two splits and the decoding of its examples."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

import keras
import numpy as np
from keras import ops

from keras_gen import quiet
from keras_gen.data.pipeline import Batch, Batches, as_array
from keras_gen.data.specs import DataError, Spec
from keras_gen.data.splits import hold_out

CHUNK = 1024


def decode_arrays(batch: Batch) -> Batch:
    """Returns examples as float32, with uint8 pixels scaled to [0, 1], and labels as int32."""
    x = batch["x"]
    decoded = {"x": ops.cast(x, "float32")}
    if keras.backend.standardize_dtype(x.dtype) == "uint8":
        decoded["x"] = decoded["x"] / 255.0
    if "label" in batch:
        decoded["label"] = ops.cast(batch["label"], "int32")
    return decoded


class Dataset:
    """Training and test examples, held in memory (or, many images, in a file) as stored, and
    decoded batch by batch.

    Args:
        spec: description of the examples.
        train: name -> array of raw training examples; the first axis is the example.
        test: the same for the test examples.
        decode: function, in `keras.ops`, from a batch of raw examples to
            `{"x": float32, "label": int32}`, without `"label"` if there are no labels.
    """

    def __init__(
        self,
        spec: Spec,
        train: Mapping[str, np.ndarray],
        test: Mapping[str, np.ndarray],
        decode: Callable[[Batch], Batch] = decode_arrays,
    ):
        self.spec = spec
        self._decode = decode
        self._raw = {
            split: {name: as_array(array) for name, array in arrays.items()}
            for split, arrays in (("train", train), ("test", test))
        }

    def __repr__(self) -> str:
        return f"Dataset({self.spec}, train={self.size('train')}, test={self.size('test')})"

    @property
    def train(self):
        """The training examples in a fixed order: a `tf.data.Dataset` of single dictionaries
        `{"x": float32, "label": int32}`."""
        return self._examples("train")

    @property
    def test(self):
        """The test examples, in the form of `train`."""
        return self._examples("test")

    def validated(self, fraction: float, seed: int = 0) -> Dataset:
        """Returns the data set with a part of the training examples in the test examples' place.

        Choices that are made on it leave the test examples unseen.

        Args:
            fraction: share of the training examples that is held out.
            seed: of the choice.

        Raises:
            DataError: if the fraction is not between 0 and 1, or there are fewer than 2 examples.
        """
        train, held_out = hold_out(self._raw["train"], fraction, seed, self.spec.name)
        return Dataset(self.spec, train, held_out, self._decode)

    def fingerprint(self) -> str:
        """Returns a checksum of all examples as they are stored, 16 hexadecimal digits."""
        digest = hashlib.sha256()
        for split, arrays in sorted(self._raw.items()):
            for name, array in sorted(arrays.items()):
                digest.update(f"{split} {name} {array.dtype} {array.shape}".encode())
                for start in range(0, len(array), CHUNK):
                    digest.update(np.ascontiguousarray(array[start : start + CHUNK]).data)
        return digest.hexdigest()[:16]

    def size(self, split: str) -> int:
        """Returns the number of examples in the split `"train"` or `"test"`."""
        return len(next(iter(self._split(split).values())))

    def batches(
        self,
        split: str = "train",
        batch_size: int = 128,
        shuffle: bool = True,
        seed: int = 0,
        drop_remainder: bool = False,
        index: bool = False,
    ) -> Batches:
        """Returns decoded batches, whose order is a function of (seed, epoch); see `Batches`."""
        arrays = self._split(split)
        return Batches(arrays, batch_size, shuffle, seed, drop_remainder, self._decode, index)

    def arrays(self, split: str = "test", limit: int | None = None) -> dict[str, np.ndarray]:
        """Returns the first `limit` examples of a split (default: all), decoded, as arrays."""
        raw = self._split(split)
        if limit is not None:
            raw = {name: array[:limit] for name, array in raw.items()}
        chunks = list(Batches(raw, CHUNK, shuffle=False, decode=self._decode))
        return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}

    def _examples(self, split: str):
        tf = quiet.tensorflow("tf.data")
        # Decoding in chunks is faster than decoding single examples.
        chunks = self.batches(split, CHUNK, shuffle=False).dataset
        return chunks.unbatch().apply(tf.data.experimental.assert_cardinality(self.size(split)))

    def _split(self, split: str) -> dict[str, np.ndarray]:
        if split not in self._raw:
            raise DataError(
                f"no split {split!r} in {self.spec.name}: there are 'train' and 'test'."
            )
        return self._raw[split]
