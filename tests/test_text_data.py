"""Text: windows equal the document; encoding and decoding; every error message."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf
from refusal import refused

from keras_gen import data

POEM = "Über allen Gipfeln\r\nist Ruh,\n𝄞 in allen Wipfeln\nspürest du\nKaum einen Hauch;\n"


@pytest.fixture
def poem(tmp_path):
    path = tmp_path / "poem.txt"
    path.write_bytes(POEM.encode())
    return path


def texts(dataset, split):
    return data.decode_text(dataset.arrays(split)["x"], dataset.spec.vocabulary)


def test_windows_equal_the_document(poem):
    loaded = data.load(f"text:{poem}", length=4, test_fraction=0.25)
    spec = loaded.spec
    assert (spec.name, spec.kind, spec.shape) == ("poem", "text", (4, 1))
    assert spec.vocabulary == tuple(sorted(set(POEM)))
    assert spec.value_range == (0.0, len(set(POEM)) - 1)
    for split in ("train", "test"):
        x = loaded.arrays(split)["x"]
        assert x.dtype == np.float32 and x.shape[1:] == (4, 1)
        assert spec.value_range[0] <= x.min() and x.max() <= spec.value_range[1]
        np.testing.assert_array_equal(x, x.round())
    kept = len(POEM) - round(len(POEM) / 4)
    parts = {"train": POEM[:kept], "test": POEM[kept:]}
    for split, part in parts.items():
        whole = "".join(texts(loaded, split))
        assert part.startswith(whole) and len(part) - len(whole) < 4
    dense = data.load(f"text:{poem}", length=7, stride=1, test_fraction=0.25)
    for split, part in parts.items():
        assert texts(dense, split) == [part[i : i + 7] for i in range(len(part) - 6)]


def test_bytes_come_back_as_they_were(tmp_path):
    content = bytes(np.random.RandomState(0).permutation(1024) % 256)
    path = tmp_path / "noise.bin"
    path.write_bytes(content)
    loaded = data.load(f"text:{path}", unit="bytes", length=16, test_fraction=0.5)
    assert loaded.spec.vocabulary == data.BYTES and loaded.spec.value_range == (0.0, 255.0)
    both = texts(loaded, "train") + texts(loaded, "test")
    assert "".join(both).encode("latin-1") == content
    # An index is the byte itself, not a pixel.
    np.testing.assert_array_equal(loaded.arrays("train")["x"][0, :, 0], list(content[:16]))


def test_encoding_and_decoding_are_inverse():
    vocabulary = tuple(sorted(set(POEM)))
    indices = data.encode_text(POEM, vocabulary)
    assert indices.shape == (len(POEM), 1)
    assert [vocabulary[i] for i in indices[:, 0]] == list(POEM)
    assert data.decode_text(indices[None], vocabulary) == [POEM]
    assert data.decode_text(indices.T, vocabulary) == [POEM]
    # With a vocabulary in any order, and from floats.
    assert data.decode_text(data.encode_text("cab", "bca")[None] + 0.4, "bca") == ["cab"]
    content = bytes(range(256))
    np.testing.assert_array_equal(data.encode_text(content, data.BYTES)[:, 0], np.arange(256))
    many = [chr(i) for i in range(0x10000, 0x10000 + 70_000)]
    assert data.encode_text(many[-1], many)[0, 0] == 69_999
    assert data.encode_text("", vocabulary).shape == (0, 1)


def test_specs_of_text_survive_json(poem):
    spec = data.load(f"text:{poem}", length=4).spec
    read = data.Spec(**json.loads(json.dumps(dataclasses.asdict(spec))))
    assert read == spec and isinstance(read.vocabulary, tuple)


def test_errors(tmp_path, poem):
    refused("character 'x' at place 1", "of 2", call=data.encode_text)("axb", "ab")
    refused("character '€'", call=data.encode_text)("€", data.BYTES)
    refused("index 2", "of 2", call=data.decode_text)([[0, 2]], "ab")
    refused("index -1", call=data.decode_text)([[-1, 0]], "ab")
    refused("index nan", call=data.decode_text)([[np.nan]], "ab")
    refused("(n, length)", "(3,)", call=data.decode_text)(np.zeros(3), "ab")

    where = f"text:{poem}"
    refused(poem, f"training part has {len(POEM) - 8} characters", "length=99")(where, length=99)
    refused(poem, "test part has 8 characters", "length=9")(where, length=9)
    refused("test part has 8 bytes")(where, length=10, unit="bytes")
    refused("unit", "'characters' or 'bytes'", "'words'")(where, unit="words")
    refused("length of", "positive integer, got 0")(where, length=0)
    refused("stride of", "positive integer, got 0")(where, stride=0)
    refused("test_fraction", "got 0")(where, test_fraction=0)
    refused("has no option 'kind'", "unit, length, stride, test_fraction")(where, kind="text")
    refused("'text:' has no path", "text:FILE")("text:")
    refused("cannot read", tmp_path / "none.txt")(f"text:{tmp_path / 'none.txt'}")
    refused("cannot read", tmp_path)(f"text:{tmp_path}")
    refused("poem.txt", "text:FILE")(poem)
    poem.write_bytes(b"")
    refused(poem, "is empty")(where)
    poem.write_bytes(b"caf\xe9 " * 100)
    refused(poem, "not UTF-8", "byte 3 is 0xe9", "unit='bytes'")(where)
    assert data.load(where, unit="bytes", length=50).size("test") == 1


def prepare(folder, name, parts):
    """Writes texts in the format of TensorFlow Datasets."""
    import tensorflow_datasets

    features = {"text": tensorflow_datasets.features.Text()}
    tensorflow_datasets.dataset_builders.store_as_tfds_dataset(
        name=name,
        version="1.0.0",
        data_dir=folder,
        features=tensorflow_datasets.features.FeaturesDict(features),
        split_datasets={
            split: tf.data.Dataset.from_tensor_slices({"text": documents})
            for split, documents in parts.items()
        },
        description="A set for a test.",
    )


def test_prepared_texts(tmp_path):
    parts = {"train": [POEM], "validation": ["not here"], "test": ["die Vögelein schweigen"]}
    prepare(tmp_path, "poems", parts)
    loaded = data.load("tfds:poems", tmp_path, length=5)
    assert loaded.spec.vocabulary == tuple(sorted(set(POEM) | set(parts["test"][0])))
    assert "".join(texts(loaded, "train")) == POEM[: len(POEM) // 5 * 5]
    assert texts(loaded, "test") == ["die V", "ögele", "in sc", "hweig"]
    raw = data.load("tfds:poems", tmp_path, unit="bytes", length=5, stride=1)
    assert raw.size("test") == len(parts["test"][0].encode()) - 4
    refused("image_size is for images", "holds text")("tfds:poems", tmp_path, image_size=8)
    refused("poems: the test part has 22 characters")("tfds:poems", tmp_path)

    prepare(tmp_path, "lines", {"train": ["one", "two", "three"]})
    lines = data.load("tfds:lines", tmp_path, length=1)
    whole = "".join(texts(lines, "train") + texts(lines, "test"))
    assert sorted(whole.split("\n")) == ["one", "three", "two"]


def test_images_have_no_options_of_text(shared_data):
    refused("mnist: length is for text", "holds images")("mnist", shared_data / "tfds", length=8)


def test_tiny_shakespeare(shared_data):
    path = shared_data / "tiny_shakespeare.txt"
    loaded = data.load(f"text:{path}")
    text = path.read_text()
    assert len(loaded.spec.vocabulary) == 65 and loaded.spec.shape == (64, 1)
    kept = len(text) - round(len(text) / 10)
    assert loaded.size("train") == kept // 64
    assert loaded.size("test") == (len(text) - kept) // 64
    assert text.startswith("".join(texts(loaded, "train")))
    assert texts(loaded, "test")[0] == text[kept : kept + 64]
