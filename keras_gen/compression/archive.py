"""Compressed images as bytes: a header that says what they are, checksums, and the bits."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from keras_gen.compression import lossy
from keras_gen.compression.bits_back import Codec
from keras_gen.models import VAE, GenerativeModel

MAGIC, VERSION = b"KGZ", 1
CHECKSUM = 16  # bytes of SHA-256 that are kept
DTYPES = ("bool", "uint8", "float32")
MOST = 2**31  # values that are decompressed
TOLERANCE = 1e-3  # of a level


class CompressionError(ValueError):
    """Bytes that cannot be decompressed: damaged, foreign, or of another model or version."""


def compress(model: VAE, x: np.ndarray, quality: float | None = None) -> bytes:
    """Returns images as bytes from which `decompress` makes the same array.

    The mean length is the negative ELBO, and what all images share: the header, and the bits that
    the first latents are drawn from. With a quality, `decompress` makes similar images instead:
    their latents are rounded and coded, and nothing else.

    Args:
        model: a VAE or its kin without labels, with a Gaussian prior and a discrete likelihood.
            With a quality, any model without labels that infers latents.
        x: images `(n, *model.data_shape)`; a last axis of 1 may be left out. They are bool for a
            Bernoulli; uint8 for 256 levels; or float32 in the model's range, on its levels.

        quality: None for no loss; else how finely latents are rounded, in steps per unit. Images
            are then uint8, or float32 in the model's range; 2 is coarse and 16 fine.

    Raises:
        ValueError: if the model cannot code images, or x is not on the likelihood's levels.
    """
    if quality is not None:
        return _with_loss(model, np.asarray(x), quality)
    codec, x = Codec(model), np.ascontiguousarray(x)
    levels = _levels(codec, x)
    stack = codec.encode(levels)
    header = {
        "model": codec.fingerprint[: 2 * CHECKSUM],
        "n": len(x),
        "shape": list(np.shape(x)[1:]),
        "dtype": str(x.dtype),
        "images": _checksum(np.asarray(x).tobytes()).hex(),
    }
    return _written(header, stack.astype("<u4").tobytes())


def decompress(model: VAE, compressed: bytes) -> np.ndarray:
    """Returns the images that `compress` was given, the same bits in the same type.

    If they were compressed with loss, the images are similar, and uint8 if the model's range is
    [0, 1].

    Args:
        model: the model that compressed them.
        compressed: from `compress`.

    Raises:
        CompressionError: if the bytes are damaged or not from `compress`, or were compressed by
            another model, another version, or on a machine with other arithmetic.
        ValueError: if the model cannot code images.
    """
    header, content = read(compressed)
    size = header["n"] * int(np.prod(model.data_shape))
    if size > MOST:
        raise CompressionError(f"the file claims {header['n']} images: too many to decompress.")
    if "quality" in header:
        return _similar(model, header, content)
    codec, stack = Codec(model), np.frombuffer(content, "<u4").astype("uint32")
    _check_model(header, codec.fingerprint)
    levels = codec.decode(stack, header["n"])
    if levels is not None:
        x = _array(codec, levels, header["dtype"])
        if _checksum(x.tobytes()).hex() == header["images"]:
            return x.reshape(-1, *header["shape"])
    raise CompressionError("the images do not have the checksum of those that were compressed.")


def read(compressed: bytes) -> tuple[dict, bytes]:
    """Returns the header and the content of a compressed file.

    Raises:
        CompressionError: if it is damaged, or not such a file.
    """
    start = len(MAGIC) + 1
    if compressed[: len(MAGIC)] != MAGIC or len(compressed) < start + CHECKSUM + 2:
        raise CompressionError("this is not a file of keras-gen compress.")
    if compressed[len(MAGIC)] != VERSION:
        raise CompressionError(
            f"the file has version {compressed[len(MAGIC)]} of the format, and this is version "
            f"{VERSION}: use the keras_gen that wrote it."
        )
    body = compressed[start + CHECKSUM :]
    if _checksum(compressed[:start] + body) != compressed[start : start + CHECKSUM]:
        raise CompressionError("the file is damaged or cut off: its checksum is wrong.")
    length = 2 + int.from_bytes(body[:2], "little")
    return json.loads(body[2:length]), body[length:]


def _written(header: dict, content: bytes) -> bytes:
    head = json.dumps(header, separators=(",", ":")).encode()
    body = len(head).to_bytes(2, "little") + head + content
    start = MAGIC + bytes([VERSION])
    return start + _checksum(start + body) + body


def _check_model(header: dict, fingerprint: str) -> None:
    if header["model"] != fingerprint[: 2 * CHECKSUM]:
        raise CompressionError(
            "the file was compressed by another model, or on a machine whose arithmetic differs: "
            "decompress it with the model that compressed it."
        )


def _with_loss(model: GenerativeModel, x: np.ndarray, quality: float) -> bytes:
    lossy.check(model)
    if x.ndim == len(model.data_shape) and model.data_shape[-1] == 1:
        x = x[..., None]
    scaled = x.astype("float32") / 255 if x.dtype == np.uint8 else x.astype("float32")
    table, stack = lossy.encode(model, scaled, quality)
    fingerprint = lossy.fingerprint(model)[: 2 * CHECKSUM]
    header = {"model": fingerprint, "n": len(x), "quality": quality}
    return _written(header, table.astype("<f2").tobytes() + stack.astype("<u4").tobytes())


def _similar(model: GenerativeModel, header: dict, content: bytes) -> np.ndarray:
    lossy.check(model)
    _check_model(header, lossy.fingerprint(model))
    size = model.draw_latents(1, seed=0).shape[1]
    table = np.frombuffer(content[: 4 * size], "<f2").reshape(2, size)
    stack = np.frombuffer(content[4 * size :], "<u4").astype("uint32")
    x = lossy.decode(model, table, stack, header["n"], header["quality"])
    eight_bits = getattr(model, "likelihood", model).value_range == (0.0, 1.0)
    return np.rint(np.clip(x, 0, 1) * 255).astype("uint8") if eight_bits else x


def _checksum(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()[:CHECKSUM]


def _levels(codec: Codec, x: np.ndarray) -> np.ndarray:
    """Returns images as the indices of levels."""
    if codec.shape not in (x.shape[1:], (*x.shape[1:], 1)) or not len(x):
        raise ValueError(
            f"x must have shape (n, {', '.join(map(str, codec.shape))}) with n at least 1, got "
            f"{x.shape}."
        )
    kinds = {"bool": 2, "uint8": 256, "float32": codec.levels}
    if kinds.get(str(x.dtype)) != codec.levels:
        wanted = [kind for kind, levels in kinds.items() if levels == codec.levels]
        advice = ": compress x > 127 (--binarize)" if codec.levels == 2 else ""
        raise ValueError(
            f"x must be {' or '.join(wanted)} for a model of {codec.levels} levels, got {x.dtype}"
            f"{advice}."
        )
    x = x.reshape(-1, *codec.shape)
    if x.dtype != np.float32:
        return x.astype("int64")
    low, high = codec.value_range
    exact = (x.astype("float64") - low) / (high - low) * (codec.levels - 1)
    levels = np.rint(exact)
    inside = levels.min() >= 0 and levels.max() < codec.levels
    if not inside or not np.all(np.abs(exact - levels) < TOLERANCE):
        advice = "compress x > 0.5 (--binarize)" if codec.levels == 2 else "round them to levels"
        raise ValueError(
            f"x must be on the model's {codec.levels} levels from {low:g} to {high:g}: {advice}."
        )
    if not np.array_equal(_array(codec, levels, "float32"), x):
        raise ValueError("x must have each level's nearest float32: i / (levels - 1) of the range.")
    return levels.astype("int64")


def _array(codec: Codec, levels: np.ndarray, dtype: str) -> np.ndarray:
    """Returns images of a type from the indices of levels."""
    if dtype != "float32":
        return levels.astype(dtype)
    low, high = codec.value_range
    return (low + levels * (high - low) / (codec.levels - 1)).astype("float32")
