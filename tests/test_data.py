"""Data: known answers of every source, the order of the batches, and every error message."""

import dataclasses
import itertools
import json
import math
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from refusal import refused

from keras_gen import data
from keras_gen.data import storage
from keras_gen.data.sources import shapes, stacked_mnist, tfds

ROOT = Path(__file__).resolve().parent.parent


def indices(batches):
    """Returns the values of `x` in an epoch, one list for each batch."""
    return [batch["x"].numpy().tolist() for batch in batches.dataset]


def flat(batches):
    return list(itertools.chain(*indices(batches)))


# ---- the order of the batches -------------------------------------------------------------------


def numbered(count=103, batch_size=10, **options):
    return data.Batches({"x": np.arange(count)}, batch_size, **options)


def test_order_is_a_pure_function_of_seed_and_epoch():
    orders = {}
    for seed in (0, 1, -5, 2**40):
        batches = numbered(seed=seed)
        for epoch in (0, 1, 10**12):
            batches.seek(epoch)
            orders[seed, epoch] = flat(batches)
            assert sorted(orders[seed, epoch]) == list(range(103))
            assert flat(batches) == orders[seed, epoch]
    assert len({tuple(order) for order in orders.values()}) == len(orders)

    batches = numbered(seed=1)
    for epoch in (10**12, 0, 1):
        batches.seek(epoch)
        assert flat(batches) == orders[1, epoch]


def test_orders_are_independent():
    count = 20_000
    orders = [np.arange(count)]
    for seed in (0, 1):
        batches = numbered(count, 1000, seed=seed)
        for epoch in (0, 1):
            batches.seek(epoch)
            orders.append(flat(batches))
    correlations = np.corrcoef(orders)[np.triu_indices(5, 1)]
    assert np.abs(correlations).max() < 4 / np.sqrt(count)


def test_seek_continues_an_epoch_exactly():
    for options in ({}, {"drop_remainder": True}, {"shuffle": False}):
        batches = numbered(**options)
        batches.seek(3)
        whole = indices(batches)
        assert len(whole) == len(batches)
        for skip in (0, 1, 7, len(batches)):
            batches.seek(3, skip=skip)
            assert indices(batches) == whole[skip:]


def test_a_seek_does_not_affect_a_running_iterator():
    batches = numbered()
    whole = indices(batches)
    running = iter(batches)
    first = next(running)["x"].numpy().tolist()
    batches.seek(9, skip=2)
    assert [first] + [batch["x"].numpy().tolist() for batch in running] == whole


def test_remainder_and_static_shapes():
    assert [len(batch) for batch in indices(numbered())] == [10] * 10 + [3]
    assert [len(batch) for batch in indices(numbered(drop_remainder=True))] == [10] * 10
    assert flat(numbered(shuffle=False)) == list(range(103))
    assert numbered().dataset.element_spec["x"].shape == (None,)
    assert numbered(drop_remainder=True).dataset.element_spec["x"].shape == (10,)
    assert numbered(100).dataset.element_spec["x"].shape == (10,)


def test_rows_of_all_arrays_stay_together():
    arrays = {"x": np.arange(50)[:, None] * np.ones(3), "label": np.arange(50)}
    for batch in data.Batches(arrays, 8, decode=lambda b: b | {"twice": 2 * b["label"]}):
        np.testing.assert_array_equal(batch["x"][:, 0], batch["label"])
        np.testing.assert_array_equal(batch["twice"], 2 * batch["label"].numpy())


@pytest.mark.parametrize("inside", [False, True])
def test_two_replicas_share_the_batches_of_one(inside):
    if len(tf.config.list_logical_devices("CPU")) < 2:
        pytest.skip("needs two logical CPU devices")
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    if inside:
        with strategy.scope():
            batches = numbered(100)
    else:
        batches = numbered(100)
    position = batches.position
    assert not isinstance(position, tf.distribute.DistributedValues)
    distributed = strategy.experimental_distribute_dataset(batches.dataset)
    for epoch, skip in ((0, 0), (1, 4)):
        batches.seek(epoch, skip)
        expected = indices(batches)
        parts = [strategy.experimental_local_results(batch["x"]) for batch in distributed]
        assert all(len(part) == 5 for batch in parts for part in batch)
        assert [np.concatenate(batch).tolist() for batch in parts] == expected


def test_errors_of_batches():
    make = data.Batches
    refused("equally long", "'x': 3", "'label': 2", call=make)(
        {"x": np.zeros(3), "label": np.zeros(2)}, 1
    )
    refused("at least one", call=make)({}, 1)
    for wrong in (0, -1, 2.5, "3"):
        refused("batch_size must be a positive integer", repr(wrong), call=make)(
            {"x": np.zeros(3)}, wrong
        )
    refused("no batch of 4 in 3", "smaller batch_size", call=make)(
        {"x": np.zeros(3)}, 4, drop_remainder=True
    )
    batches = numbered()
    refused("no batch 12 in epoch 0", "11 batches", call=batches.seek)(0, 12)
    refused("epoch -1", call=batches.seek)(-1)


# ---- digits -------------------------------------------------------------------------------------


def test_digits_equal_scikit_learn():
    from sklearn.datasets import load_digits

    digits = data.load("digits")
    assert digits.spec == data.spec("digits")
    assert digits.spec == data.Spec("digits", "image", (8, 8, 1), (0.0, 1.0), num_classes=10)
    original = load_digits()
    held_out = np.sort(np.random.RandomState(0).permutation(1797)[:359])
    kept = np.setdiff1d(np.arange(1797), held_out)
    for split, rows in (("train", kept), ("test", held_out)):
        arrays = digits.arrays(split)
        assert arrays["x"].dtype == np.float32 and arrays["label"].dtype == np.int32
        np.testing.assert_array_equal(arrays["x"][..., 0] * 16, original.images[rows])
        np.testing.assert_array_equal(arrays["label"], original.target[rows])
        assert digits.size(split) == len(rows)


def test_views_of_a_dataset_agree():
    digits = data.load("digits")
    arrays = digits.arrays("train")
    assert len(digits.train) == 1438 and len(digits.test) == 359
    rows = list(digits.train.take(5).as_numpy_iterator())
    np.testing.assert_array_equal([row["x"] for row in rows], arrays["x"][:5])
    batch = next(iter(digits.train.batch(64)))
    np.testing.assert_array_equal(batch["x"], arrays["x"][:64])
    np.testing.assert_array_equal(digits.arrays("train", limit=7)["label"], arrays["label"][:7])
    seen = np.concatenate([batch["label"] for batch in digits.batches("train", 100)])
    assert not np.array_equal(seen, arrays["label"])
    np.testing.assert_array_equal(np.bincount(seen), np.bincount(arrays["label"]))
    refused("no split 'valid'", "'train' and 'test'", call=digits.batches)("valid")


# ---- TensorFlow Datasets ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mnist(request):
    folder = request.config.rootpath.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the prepared data sets in {folder}")
    with np.load(folder / "mnist.npz") as file:
        return data.load("mnist", data_dir=folder / "tfds"), dict(file)


def test_mnist_is_mnist(mnist):
    mnist, original = mnist
    assert mnist.spec == data.spec("mnist")
    for split, count in (("train", 60_000), ("test", 10_000)):
        raw = mnist._raw[split]
        assert raw["x"].shape == (count, 28, 28, 1) and raw["x"].dtype == np.uint8

        def rows(x, label):
            pairs = zip(np.asarray(x), np.asarray(label), strict=True)
            return sorted(image.tobytes() + bytes([digit]) for image, digit in pairs)

        expected = rows(original[f"x_{split}"], original[f"y_{split}"])
        assert rows(raw["x"], raw["label"]) == expected
    arrays = mnist.arrays("test", limit=100)
    expected = mnist._raw["test"]["x"][:100].astype(np.float32) / 255
    np.testing.assert_array_equal(arrays["x"], expected)


def test_tfds_options_and_environment(shared_data, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(shared_data / "tfds"))
    few = data.load("tfds:mnist:3.0.1", image_size=(14, 20), max_examples=50)
    assert few.spec.shape == (14, 20, 1) and few.spec.num_classes == 10
    assert few.size("train") == few.size("test") == 50
    same = data.load("tfds:mnist:3.*.*", max_examples=3).arrays("train")
    np.testing.assert_array_equal(same["label"], few.arrays("train", limit=3)["label"])
    monkeypatch.setattr(storage, "IN_MEMORY", 100)
    stored = data.load("tfds:mnist:3.0.1", image_size=(14, 20), max_examples=50)
    assert stored.fingerprint() == few.fingerprint()
    assert isinstance(stored._raw["train"]["x"], storage.Stored)
    no_room(monkeypatch)
    refused("mnist needs", "max_examples=")("mnist")
    refused("max_examples must be at least 1")("mnist", max_examples=0)
    refused("image_size must be")("mnist", image_size=(3, 0))


def no_room(monkeypatch):
    monkeypatch.setattr(storage.shutil, "disk_usage", lambda folder: SimpleNamespace(free=10))


def prepare(folder, name, features, examples):
    """Writes a small data set in the format of TensorFlow Datasets."""
    import tensorflow_datasets

    tensorflow_datasets.dataset_builders.store_as_tfds_dataset(
        name=name,
        version="1.0.0",
        data_dir=folder,
        features=tensorflow_datasets.features.FeaturesDict(features),
        split_datasets={
            split: tf.data.Dataset.from_generator(
                lambda rows=rows: iter(rows),
                output_signature={
                    key: tf.TensorSpec(None, feature.tf_dtype) for key, feature in features.items()
                },
            )
            for split, rows in examples.items()
        },
        description="A set for a test.",
    )


def test_a_prepared_set_that_no_package_knows(tmp_path):
    import tensorflow_datasets

    kinds = tensorflow_datasets.features
    vectors = np.random.RandomState(0).randn(20, 3).astype(np.float32)
    prepare(
        tmp_path,
        "small_vectors",
        {
            "point": kinds.Tensor(shape=(3,), dtype=np.float32),
            "label": kinds.ClassLabel(num_classes=4),
        },
        {"train": [{"point": row, "label": i % 3} for i, row in enumerate(vectors)]},
    )
    points = data.load("tfds:small_vectors", data_dir=tmp_path)
    assert points.spec.kind == "vector" and points.spec.num_classes == 4
    assert points.size("train") == 18 and points.size("test") == 2
    both = np.concatenate([points.arrays(split)["x"] for split in ("train", "test")])
    np.testing.assert_array_equal(np.sort(both, axis=0), np.sort(vectors, axis=0))
    refused("image_size is for images")("tfds:small_vectors", tmp_path, image_size=4)

    half = [np.full((4 + i, 8, 3), [0, 0, 255], np.uint8) for i in range(4)]
    for picture in half:
        picture[:, :4] = [255, 0, 0]
    prepare(
        tmp_path,
        "small_pictures",
        {"image": kinds.Image(shape=(None, None, 3)), "name": kinds.Text()},
        {split: [{"image": each, "name": "one"} for each in half] for split in ("train", "test")},
    )
    refused("vary in size", "image_size=")("tfds:small_pictures", tmp_path)
    pictures = data.load("tfds:small_pictures", tmp_path, image_size=4)
    assert pictures.spec.shape == (4, 4, 3) and pictures.spec.num_classes is None
    for x in pictures.arrays("train")["x"]:
        assert x[:, 0, 0].min() > 0.9 and x[:, -1, 2].min() > 0.9

    prepare(tmp_path, "small_texts", {"text": kinds.Text()}, {"train": [{"text": "one"}]})
    refused("small_texts: the training part has 3 characters")("tfds:small_texts", tmp_path)


def test_a_set_that_cannot_be_downloaded_is_an_error_at_once(tmp_path, monkeypatch):
    def unreachable(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(tfds.urllib.request, "urlopen", unreachable)
    for name in ("mnist", "fashion_mnist", "cifar10", "tfds:kmnist"):
        refused(
            "not prepared in", tmp_path, "cannot be downloaded", "no route to host",
            "--data-dir", "data_dir", "digits", "shapes",
        )(name, data_dir=tmp_path)  # fmt: skip
    refused("no such set", "Did you mean 'mnist'?")("tfds:mnits", data_dir=tmp_path)
    refused("is not the name of a TensorFlow data set")("tfds:a b", data_dir=tmp_path)
    for config in ("one", "two"):
        (tmp_path / "set" / config / "1.0.0").mkdir(parents=True)
        (tmp_path / "set" / config / "1.0.0" / "dataset_info.json").write_text("{}")
    refused("tfds:set/one or tfds:set/two")("tfds:set", data_dir=tmp_path)


def test_a_failed_download_is_an_error(tmp_path, monkeypatch):
    import tensorflow_datasets

    class Builder:
        def download_and_prepare(self):
            raise RuntimeError("checksum\nwrong")

    class Answer:
        def close(self):
            pass

    monkeypatch.setattr(tfds.urllib.request, "urlopen", lambda *args, **kwargs: Answer())
    monkeypatch.setattr(tensorflow_datasets, "builder", lambda *args, **kwargs: Builder())
    refused("RuntimeError: checksum wrong", "digits")("cifar10", data_dir=tmp_path)


# ---- shapes -------------------------------------------------------------------------------------


def draw(shape=0, scale=5, orientation=0, x=16, y=16, image_size=64):
    return data.draw_shapes(np.array([[shape, scale, orientation, x, y]]), image_size)[0, ..., 0]


def centroid(picture):
    row, column = np.nonzero(picture)
    return np.array([column.mean() + 0.5, row.mean() + 0.5])


def test_areas_have_their_closed_forms():
    for scale in range(6):
        factor = 0.5 + 0.1 * scale
        for x, y in ((0, 0), (16, 5), (31, 31)):
            assert draw(0, scale, x=x, y=y).sum() == round(20 * factor) ** 2
        # With finer pixels, the count of lit pixels is close to the area of a curved shape.
        fine = 8**2
        ellipse, heart = (draw(shape, scale, 7, image_size=512).sum() / fine for shape in (1, 2))
        assert ellipse == pytest.approx(math.pi * 14 * 7 * factor**2, rel=2e-3)
        assert heart == pytest.approx(3.66197 * (10.5 * factor) ** 2, rel=2e-3)


def test_positions_of_sprites():
    for shape in range(3):
        for x, y, orientation in ((0, 0, 0), (31, 0, 3), (7, 20, 17), (31, 31, 39)):
            found = centroid(draw(shape, 5, orientation, x, y, image_size=256)) / 4
            expected = 15 + 34 / 31 * np.array([x, y])
            np.testing.assert_allclose(found, expected, atol=0.06)


def test_orientations_turn_counter_clockwise():
    quarter = 10
    for shape in range(3):
        # The image's centre is between the positions 15 and 16, so crop around the sprite.
        upright = draw(shape, 5, 0, 15, 16, image_size=512)
        turned = draw(shape, 5, quarter, 15, 16, image_size=512)
        around = np.round(centroid(upright)).astype(int)
        rows, columns = [slice(c - 120, c + 120) for c in around[::-1]]
        assert np.abs(np.rot90(upright[rows, columns]) - turned[rows, columns]).mean() < 0.01
    np.testing.assert_array_equal(draw(0, 5, 0), draw(0, 5, quarter))
    np.testing.assert_array_equal(draw(1, 3, 4), draw(1, 3, 4 + 2 * quarter))


def test_every_factor_changes_the_picture_and_all_stay_inside():
    base = np.array(list(itertools.product(range(3), range(6), [3], [15], [15])))
    for axis, count in enumerate(data.spec("shapes").factors.values()):
        # A square is symmetric under quarter turns.
        values = 10 if axis == 2 else count
        seen = []
        for value in range(values):
            factors = base.copy()
            factors[:, axis] = value
            seen.append(data.draw_shapes(factors).reshape(len(base), -1))
        for one, other in itertools.combinations(seen, 2):
            assert (one != other).any(axis=1).all()

    corners = [range(3), [5], range(40), [0, 31], [0, 31]]
    pictures = data.draw_shapes(np.array(list(itertools.product(*corners))))
    assert set(np.unique(pictures)) == {0.0, 1.0}
    assert not pictures[:, [0, -1]].any() and not pictures[:, :, [0, -1]].any()


def test_shapes_dataset():
    few = {"train_examples": 3000, "test_examples": 500}
    sprites = data.load("shapes", **few)
    assert sprites.spec == data.spec("shapes")
    assert sprites.spec.factors == {"shape": 3, "scale": 6, "orientation": 40, "x": 32, "y": 32}
    arrays = {split: sprites.arrays(split) for split in ("train", "test")}
    assert arrays["train"]["x"].shape == (3000, 64, 64, 1)
    assert arrays["train"]["label"].dtype == np.int32
    keys = {split: set(map(tuple, arrays[split]["label"])) for split in arrays}
    assert len(keys["train"]) == 3000 and len(keys["test"]) == 500
    assert not keys["train"] & keys["test"]
    for axis, count in enumerate(sprites.spec.factors.values()):
        assert set(arrays["train"]["label"][:, axis]) == set(range(count))
    batch = next(iter(sprites.batches("train", 32, drop_remainder=True)))
    np.testing.assert_array_equal(batch["x"], data.draw_shapes(batch["label"].numpy()))
    assert batch["x"].shape == (32, 64, 64, 1)

    more = data.load("shapes", train_examples="all", test_examples=500)
    assert more.size("train") == 737_280 - 500
    np.testing.assert_array_equal(more.arrays("test")["label"], arrays["test"]["label"])
    other = data.load("shapes", seed=1, image_size=32, **few)
    assert other.spec.shape == (32, 32, 1)
    assert not np.array_equal(other.arrays("test")["label"], arrays["test"]["label"])


def test_shapes_errors():
    refused("image_size", "at least 8")("shapes", image_size=4)
    refused("too many")("shapes", train_examples=737_000, test_examples=1000)
    refused("train_examples", "0")("shapes", train_examples=0)
    refused("test_examples", "0")("shapes", train_examples="all", test_examples=0)
    refused("'some'")("shapes", train_examples="some")
    refused("(n, 5)", "(1, 4)", call=shapes.draw_shapes)(np.zeros((1, 4), int))
    refused("below", "orientation", call=shapes.draw_shapes)(np.array([[0, 0, 40, 0, 0]]))


# ---- arrays and files of arrays -----------------------------------------------------------------


def test_kinds_of_arrays():
    random = np.random.RandomState(0)
    bytes_ = random.randint(0, 256, (20, 6, 5)).astype(np.uint8)
    images = data.load(bytes_)
    assert images.spec == data.Spec("arrays", "image", (6, 5, 1), (0.0, 1.0))
    assert images.size("train") == 18 and images._raw["train"]["x"].dtype == np.uint8
    both = np.concatenate([images.arrays(split)["x"] for split in ("train", "test")])
    expected = bytes_.astype(np.float32) / 255
    np.testing.assert_array_equal(np.sort(both[..., 0], axis=0), np.sort(expected, axis=0))

    colour = data.load(random.rand(20, 4, 4, 3))
    assert colour.spec.kind == "image" and colour.arrays("train")["x"].dtype == np.float32
    binary = data.load(random.rand(20, 4, 4) < 0.5)
    assert binary.spec.kind == "image" and set(np.unique(binary.arrays()["x"])) <= {0.0, 1.0}

    x = random.randn(20, 7).astype(">f8")
    vectors = data.load(x)
    assert vectors.spec.kind == "vector" and vectors.spec.shape == (7,)
    train = vectors._raw["train"]["x"]
    assert vectors.spec.value_range == (train.min(), train.max())
    assert data.load(random.randn(20, 24, 6)).spec.kind == "sequence"
    assert data.load(random.rand(20, 6, 5), kind="image").spec.shape == (6, 5, 1)
    assert data.load(bytes_, kind="sequence").spec.shape == (6, 5)
    assert data.load(bytes_, test_fraction=0.5).size("test") == 10
    chosen = [data.load(x, seed=seed).arrays("test")["x"] for seed in (0, 0, 1)]
    np.testing.assert_array_equal(chosen[0], chosen[1])
    assert not np.array_equal(chosen[0], chosen[2])


def test_labels_of_arrays_follow_their_examples():
    x, label = np.arange(30.0).reshape(15, 2), np.arange(15) % 3
    for source in ((x, label), {"x": x, "label": label}, {"x": x, "y": label[:, None]}):
        loaded = data.load(source)
        assert loaded.spec.num_classes == 3
        for split in ("train", "test"):
            arrays = loaded.arrays(split)
            np.testing.assert_array_equal(arrays["x"][:, 0] // 2 % 3, arrays["label"])
            assert arrays["label"].dtype == np.int32


def test_files_of_arrays(tmp_path):
    x, y = np.arange(40, dtype=np.uint8).reshape(10, 2, 2), np.arange(10)
    np.savez(tmp_path / "keras.npz", x_train=x[:7], y_train=y[:7], x_test=x[7:], y_test=y[7:])
    keras = data.load(tmp_path / "keras.npz")
    assert keras.spec == data.Spec("keras", "image", (2, 2, 1), (0.0, 1.0), num_classes=10)
    np.testing.assert_array_equal(keras.arrays("test")["label"], [7, 8, 9])
    np.testing.assert_array_equal(keras.arrays("train")["x"][..., 0] * 255, x[:7])
    np.savez_compressed(tmp_path / "pair.npz", x=x, y=y)
    assert data.load(str(tmp_path / "pair.npz")).size("test") == 1
    np.savez(tmp_path / "single.npz", pictures=x)
    assert data.load(tmp_path / "single.npz").spec.num_classes is None
    np.save(tmp_path / "plain.npy", x)
    assert data.load(tmp_path / "plain.npy").spec.shape == (2, 2, 1)


def test_errors_of_arrays(tmp_path):
    x = np.zeros((10, 4, 4, 1), np.float32)
    spoiled = x.copy()
    spoiled[3, 1, 2, 0] = np.nan
    refused("array 'x'", "nan at (3, 1, 2, 0)")(spoiled)
    refused("must lie in [0, 1]", "[0.0, 255.0]", "uint8")(
        np.linspace(0, 255, 32).reshape(2, 4, 4, 1)
    )
    refused("array 'label'", "9 labels for 10 examples")((x, np.zeros(9, int)))
    refused("must be integers of shape (examples,)", "float64")((x, np.zeros(10)))
    refused("from 0 on, got -1")((x, np.full(10, -1)))
    refused("(x, label)", "3 entries")((x, x, x))
    refused("int64 of shape (10, 4, 4, 1)", "uint8")(x.astype(int))
    refused("real numbers", "object")(np.full((3, 3), None))
    refused("real numbers", "<U1")(np.full((3, 3), "a"))
    refused("array 'x'", "real numbers", "complex128")(x.astype(complex))
    refused("array 'x'", "real numbers", "object")(x.astype(object))
    refused("array 'x'", "rows differ in shape")(([[1], [1, 2]], [0, 1]))
    refused("array 'label'", "real numbers", "object")((x, np.full(10, None)))
    for seed in (-1, 1.5, "a", None):
        refused("seed must be an integer from 0", repr(seed))(x, seed=seed)
    refused("test_fraction must be a number", "'half'")(x, test_fraction="half")
    refused("is empty")(np.zeros((0, 3)))
    refused("one example")(np.zeros((1, 3)))
    refused("image, vector, sequence", "'text'")(x, kind="text")
    refused("vector data needs 2 dimensions", "(10, 4, 4, 1)")(x, kind="vector")
    refused("test_fraction", "1.5")(x, test_fraction=1.5)
    refused("no option 'image_size'", "kind, test_fraction, seed")(x, image_size=3)
    refused("arrays a, b", "x_train")({"a": x, "b": x})
    refused("cannot load data from a list")([1, 2])

    path = tmp_path / "file.npz"
    np.savez(path, x_train=x, x_test=x[:, :2])
    refused(path, "'x_test'", "(2, 4, 1)", "(4, 4, 1)")(path)
    np.savez(path, x_train=x, x_test=x, y_train=np.zeros(10, int))
    refused(path, "both have labels", "x_train, x_test, y_train")(path)
    np.savez(path, x=x, y=np.array([None] * 10, dtype=object))
    refused(path, "'y'", "allow_pickle=False")(path)
    np.savez(path, x_train=spoiled, x_test=x)
    refused(path, "'x_train'", "nan")(path)
    np.savez(path, x=x, y=np.zeros(10, int))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused(path, "cannot read")(path)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("x.npy", whole[:100])
        file.writestr("y.npy", b"")
    refused(path, "array 'x'")(path)
    (tmp_path / "half.npy").write_bytes(b"\x93NUMPY\x01\x00")
    refused("half.npy", "cannot read")(tmp_path / "half.npy")
    np.save(tmp_path / "objects.npy", np.array([None]), allow_pickle=True)
    refused("objects.npy", "allow_pickle=False")(tmp_path / "objects.npy")
    (tmp_path / "text.npz").write_text("no arrays at all")
    refused("text.npz", "it is not a NumPy file")(tmp_path / "text.npz")


# ---- folders of images --------------------------------------------------------------------------

RED, BLUE = (255, 0, 0), (0, 0, 255)


def picture(path, size=(8, 8), colour=RED, mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", size, colour).convert(mode)
    image.save(path, lossless=True) if path.suffix == ".webp" else image.save(path)
    return path


def test_formats_and_classes(tmp_path):
    for name, colour in (("b_blue", BLUE), ("a_red", RED)):
        for kind in ("png", "jpg", "gif", "bmp", "webp"):
            picture(tmp_path / name / f"one.{kind}", colour=colour)
    picture(tmp_path / ".hidden" / "one.png")
    (tmp_path / "a_red" / ".DS_Store").write_bytes(b"no image")
    pictures = data.load(tmp_path, test_fraction=0.3)
    assert pictures.spec == data.Spec(tmp_path.name, "image", (8, 8, 3), (0.0, 1.0), num_classes=2)
    assert pictures.size("train") == 7 and pictures.size("test") == 3
    for split in ("train", "test"):
        for x, label in zip(*pictures.arrays(split).values(), strict=True):
            expected = np.array([RED, BLUE][label]) / 255
            np.testing.assert_allclose(x, np.broadcast_to(expected, (8, 8, 3)), atol=0.02)
    grey = data.load(tmp_path, channels=1)
    assert grey.spec.shape == (8, 8, 1)


def test_a_grey_folder_has_one_channel(tmp_path):
    for i in range(4):
        picture(tmp_path / f"{i}.png", colour=(i, i, i), mode="L")
    pictures = data.load(tmp_path)
    assert pictures.spec.shape == (8, 8, 1) and pictures.spec.num_classes is None
    both = np.concatenate([pictures.arrays(split)["x"] for split in ("train", "test")])
    assert sorted(both[:, 0, 0, 0] * 255) == [0, 1, 2, 3]
    assert data.load(tmp_path, channels=3).spec.shape == (8, 8, 3)


def test_resized_and_cropped_at_the_centre(tmp_path):
    # Bands of 20 pixels: red, blue, red. The centre of a wide or a high image is blue.
    for i, axis in enumerate((0, 1)):
        pixels = np.full((20, 60, 3), RED, np.uint8)
        pixels[:, 20:40] = BLUE
        Image.fromarray(pixels if axis else pixels.swapaxes(0, 1)).save(tmp_path / f"{i}.png")
    small = data.load(tmp_path, image_size=10)
    for split in ("train", "test"):
        x = small.arrays(split)["x"]
        assert x.shape == (1, 10, 10, 3)
        np.testing.assert_allclose(
            x[0, 2:-2, 2:-2], np.broadcast_to([0, 0, 1], (6, 6, 3)), atol=0.02
        )
    assert data.load(tmp_path, image_size=(6, 4)).spec.shape == (6, 4, 3)


def test_photographs_are_turned_upright(tmp_path):
    for i in range(2):
        pixels = np.full((8, 16, 3), RED, np.uint8)
        pixels[:, 8:] = BLUE
        exif = Image.Exif()
        exif[0x0112] = 6  # rotate by 90 degrees clockwise
        Image.fromarray(pixels).save(tmp_path / f"{i}.png", exif=exif)
    x = data.load(tmp_path).arrays("train")["x"][0]
    assert x.shape == (16, 8, 3)
    np.testing.assert_array_equal(x[0, 0], [1, 0, 0])
    np.testing.assert_array_equal(x[-1, 0], [0, 0, 1])


def test_folder_with_train_and_test(tmp_path):
    for split, count in (("train", 3), ("test", 2)):
        for label, colour in enumerate((RED, BLUE)):
            for i in range(count):
                picture(tmp_path / split / str(label) / f"{i}.png", colour=colour)
    pictures = data.load(tmp_path)
    assert pictures.size("train") == 6 and pictures.size("test") == 4
    np.testing.assert_array_equal(pictures.arrays("test")["label"], [0, 0, 1, 1])
    np.testing.assert_array_equal(pictures.arrays("test")["x"][3, 0, 0], [0, 0, 1])
    picture(tmp_path / "test" / "2" / "0.png")
    refused(tmp_path, "class folders", "differ")(tmp_path)
    picture(tmp_path / "other" / "0.png")
    refused(tmp_path, "also 'other'")(tmp_path)


def test_errors_of_folders(tmp_path):
    refused(tmp_path, "is empty")(tmp_path)
    first = picture(tmp_path / "0.png")
    refused(tmp_path, "one example")(tmp_path)
    other = picture(tmp_path / "1.png", size=(9, 7))
    refused(f"{other} is 7x9", f"{first} is 8x8", "image_size=")(tmp_path)
    refused("channels must be 1 or 3, got 4")(tmp_path, channels=4)
    refused("image_size must be")(tmp_path, image_size=0)
    refused("no option 'size'", "image_size, channels, test_fraction, seed")(tmp_path, size=3)
    text = tmp_path / "2.txt"
    text.write_text("no image")
    refused(text, "not a readable image")(tmp_path)
    text.unlink()
    broken = picture(tmp_path / "2.png", size=(64, 64))
    broken.write_bytes(broken.read_bytes()[:-40])
    refused(broken, "not a readable image")(tmp_path, image_size=8)
    broken.unlink()
    deep = tmp_path / "3.png"
    Image.fromarray(np.zeros((8, 8), np.uint16)).save(deep)
    refused(deep, "more than 8 bits")(tmp_path, image_size=8)
    deep.unlink()
    picture(tmp_path / "class" / "0.png")
    refused(tmp_path, "0.png", "class folders")(tmp_path)
    for file in (first, other):
        file.unlink()
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "no images")(tmp_path)
    (tmp_path / "empty" / "deeper").mkdir()
    refused(tmp_path / "empty", "folder deeper")(tmp_path)
    picture(tmp_path / "train" / "0.png")
    refused(tmp_path, "'train' and 'test'")(tmp_path)


def test_a_set_too_large_for_the_disk(tmp_path, monkeypatch):
    picture(tmp_path / "0.png"), picture(tmp_path / "1.png")
    monkeypatch.setattr(storage, "IN_MEMORY", 10)
    no_room(monkeypatch)
    refused(tmp_path, "GB free", "smaller image_size=", "TMPDIR")(tmp_path)


def test_a_set_in_a_file_is_the_one_in_memory(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    for i in range(40):
        (tmp_path / str(i % 2)).mkdir(exist_ok=True)
        pixels = rng.integers(0, 256, (5, 4, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / str(i % 2) / f"{i}.png")
    expected = data.load(tmp_path)
    monkeypatch.setattr(storage, "IN_MEMORY", 10)
    monkeypatch.setattr(storage, "RELEASED", 100)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    before = sorted(tmp_path.iterdir())
    found = data.load(tmp_path)
    assert isinstance(found._raw["train"]["x"], storage.Stored)
    assert sorted(tmp_path.iterdir()) == before  # the file has no name
    assert found.spec == expected.spec
    assert found.fingerprint() == expected.fingerprint()
    for split in ("train", "test"):
        for limit in (None, 3):
            a, b = (each.arrays(split, limit=limit) for each in (found, expected))
            np.testing.assert_array_equal(a["x"], b["x"])
            np.testing.assert_array_equal(a["label"], b["label"])
    held = [each.validated(0.25).arrays("test") for each in (found, expected)]
    np.testing.assert_array_equal(held[0]["x"], held[1]["x"])
    for one, other in zip(found.batches("train", 7), expected.batches("train", 7), strict=True):
        np.testing.assert_array_equal(one["x"], other["x"])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")
def test_two_hundred_thousand_images_train_in_two_gigabytes(tmp_path):
    """600 MB of pixels, in a process of its own, whose greatest use of memory is asked for."""
    rng, header = np.random.default_rng(0), b"P6 32 32 255\n"
    pixels = rng.integers(0, 256, (200_000, 32 * 32 * 3), np.uint8)
    for i, each in enumerate(pixels):
        (tmp_path / f"{i}.ppm").write_bytes(header + each.tobytes())
    code = """
import re, sys
import keras_gen as kg
dataset = kg.data.load(sys.argv[1])
vae = kg.models.VAE.for_data(dataset.spec, network="dense", hidden=(16,), latent_dim=4, seed=0)
vae.compile("adam")
vae.fit(dataset, batch_size=500, epochs=1, verbose=0)
# Not getrusage, which starts with the memory of the process that started this one.
peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]
print(int(vae.step), dataset.size("train"), peak)
"""
    path = {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env=os.environ | path,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    steps, examples, kilobytes = map(int, result.stdout.split())
    assert (steps, examples) == (360, 180_000)
    assert kilobytes < 2_000_000


# ---- names --------------------------------------------------------------------------------------


def test_names(tmp_path):
    for name in ("digits", "shapes", "mnist", "fashion_mnist", "cifar10"):
        assert data.spec(name).name == name
    assert data.spec("cifar10").shape == (32, 32, 3)
    assert data.spec("cifar10", image_size=(8, 16)).shape == (8, 16, 3)
    assert data.spec("shapes", image_size=32).shape == (32, 32, 1)
    refused("'minst'", "Did you mean 'mnist'", call=data.spec)("minst")
    refused("no option 'size'", "image_size", call=data.spec)("shapes", size=3)
    refused("'digts'", "Did you mean 'digits'")("digts")
    refused("'chairs' is not the name of a data set", "tfds:NAME", ".npz")("chairs")
    refused("no such file", "none.npz")(tmp_path / "none.npz")
    refused("no such path", "nowhere")(tmp_path / "nowhere")
    (tmp_path / "data.doc").write_text("1,2")
    refused("data.doc", "is not a source of data")(tmp_path / "data.doc")
    refused("'' is not a source of data", "a name such as digits")("")
    refused("digits has no option 'image_size'", "Its options: none")("digits", image_size=3)
    refused("mnist has no option 'kind'", "image_size, max_examples")("mnist", kind="image")


@pytest.mark.parametrize("source", ["chairs", "digts", "text:", "mnist"])
def test_errors_suggest_the_nearest_name_and_do_not_list_all(source):
    with pytest.raises(data.DataError) as caught:
        data.load(source, image_sise=3)
    message = str(caught.value)
    assert "celeb_a" not in message and "stacked_mnist" not in message
    if source == "mnist":
        assert "Did you mean 'image_size'?" in message and "max_examples" not in message


# ---- mixtures -----------------------------------------------------------------------------------


def test_modes_of_mixtures():
    ring, grid = (data.spec(name) for name in ("ring", "grid"))
    modes = np.array(ring.modes)
    assert modes.shape == (8, 2) and ring.sigma == 0.01 and ring.num_classes == 8
    np.testing.assert_allclose(np.linalg.norm(modes, axis=1), 1)
    angles = np.sort(np.arctan2(modes[:, 1], modes[:, 0]) % (2 * np.pi))
    np.testing.assert_allclose(angles, np.arange(8) * np.pi / 4, atol=1e-12)
    assert len(grid.modes) == grid.num_classes == 25 and grid.sigma == 0.05
    assert set(grid.modes) == set(itertools.product([-4, -2, 0, 2, 4], repeat=2))
    assert ring.value_range == pytest.approx((-1.1, 1.1))
    assert grid.value_range == pytest.approx((-4.5, 4.5))
    for spec in (ring, grid):
        assert (spec.kind, spec.shape, spec.factors) == ("vector", (2,), None)


@pytest.mark.parametrize("name", ["ring", "grid"])
def test_mixtures_are_equal_gaussians(name):
    mixture = data.load(name)
    spec = mixture.spec
    assert spec == data.spec(name)
    for split, count in (("train", 100_000), ("test", 10_000)):
        arrays = mixture.arrays(split)
        x, label = arrays["x"], arrays["label"]
        assert x.shape == (count, 2) and x.dtype == np.float32 and label.dtype == np.int32
        assert spec.value_range[0] < x.min() and x.max() < spec.value_range[1]
        noise = (x.astype("float64") - np.array(spec.modes)[label]) / spec.sigma
        # 98.889 % of a Gaussian in the plane are within 3 sigma.
        share = 1 - np.exp(-4.5)
        within = np.mean(np.linalg.norm(noise, axis=1) <= 3)
        assert within == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / count))
        error = 4 / np.sqrt(count)
        np.testing.assert_allclose(noise.mean(axis=0), 0, atol=error)
        np.testing.assert_allclose(np.cov(noise.T), np.eye(2), atol=error * np.sqrt(2))
        expected = count / spec.num_classes
        counts = np.bincount(label, minlength=spec.num_classes)
        assert np.abs(counts - expected).max() < 4 * np.sqrt(expected)


def test_mixtures_are_a_function_of_the_seed():
    few = {"size": 3000, "test_size": 500}
    first, again, other = (data.load("ring", seed=seed, **few) for seed in (0, 0, 1))
    for split in ("train", "test"):
        for name, array in first.arrays(split).items():
            np.testing.assert_array_equal(array, again.arrays(split)[name])
            assert not np.array_equal(array, other.arrays(split)[name])
    points = [first.arrays("train")["x"], first.arrays("test")["x"], other.arrays("train")["x"]]
    assert [len(each) for each in points] == [3000, 500, 3000]
    assert len(np.unique(np.concatenate(points), axis=0)) == 6500
    more = data.load("ring", size=4000, test_size=500)
    np.testing.assert_array_equal(more.arrays("test")["x"], points[1])


def test_errors_of_mixtures():
    refused("size of ring", "positive integer, got 0")("ring", size=0)
    refused("test_size of grid", "got 1.5")("grid", test_size=1.5)
    refused("ring has no option 'sigma'. Its options: size, test_size, seed")("ring", sigma=1)
    refused("grid has no option 'sigma'", call=data.spec)("grid", sigma=1)
    refused("Did you mean 'grid'")("gird")


def test_stacked_digits_are_the_digits_of_their_label(mnist, monkeypatch):
    mnist, _ = mnist
    monkeypatch.setattr(stacked_mnist, "load_tfds", lambda name, data_dir: mnist)
    few = {"size": 2000, "test_size": 600}
    stacked = data.load("stacked_mnist", **few)
    assert stacked.spec == data.spec("stacked_mnist")
    assert (stacked.spec.shape, stacked.spec.num_classes) == ((28, 28, 3), 1000)
    labels = {}
    for split, count in (("train", 2000), ("test", 600)):
        digits = zip(*mnist.arrays(split).values(), strict=True)
        labels[split] = {x.tobytes(): label for x, label in digits}
        arrays = stacked.arrays(split)
        x, label = arrays["x"], arrays["label"]
        assert x.shape == (count, 28, 28, 3) and x.dtype == np.float32 and x.max() == 1.0
        assert label.shape == (count,) and label.dtype == np.int32
        for channel, weight in enumerate((100, 10, 1)):
            found = [labels[split][image.tobytes()] for image in x[..., channel]]
            np.testing.assert_array_equal(found, label // weight % 10)
        # Channels are independent: two have the same digit with probability 0.1.
        for one, other in itertools.combinations([label // 100, label // 10 % 10, label % 10], 2):
            assert np.mean(one == other) == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / count))
    assert not labels["train"].keys() & labels["test"].keys()
    batch = next(iter(stacked.batches("train", 64, drop_remainder=True)))
    assert batch["x"].shape == (64, 28, 28, 3) and batch["label"].shape == (64,)

    again = data.load("stacked_mnist", **few | {"size": 100})
    np.testing.assert_array_equal(again.arrays("test")["x"], stacked.arrays("test")["x"])
    other = data.load("stacked_mnist", **few, seed=1)
    assert not np.array_equal(other.arrays("test")["label"], stacked.arrays("test")["label"])


def test_stacked_digits_cover_all_modes(shared_data):
    stacked = data.load("stacked_mnist", shared_data / "tfds")
    for split, count in (("train", 128_000), ("test", 26_000)):
        label = stacked._raw[split]["label"]
        frequency = np.bincount(label, minlength=1000) / count
        assert len(label) == count and frequency.min() > 0
        # The expected value for finite samples, plus 0.0045 for MNIST's unequal frequencies.
        divergence = np.sum(frequency * np.log(1000 * frequency))
        assert divergence == pytest.approx(999 / (2 * count) + 0.0045, abs=0.002)


def test_stacked_digits_need_mnist(tmp_path, monkeypatch):
    def unreachable(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(tfds.urllib.request, "urlopen", unreachable)
    refused("mnist is not prepared in", tmp_path)("stacked_mnist", data_dir=tmp_path)
    refused("size of stacked_mnist", "got -1")("stacked_mnist", data_dir=tmp_path, size=-1)
    refused("has no option 'image_size'", "size, test_size, seed")("stacked_mnist", image_size=32)


@pytest.mark.parametrize("name", ["digits", "shapes", "mnist", "ring", "grid", "stacked_mnist"])
def test_specs_survive_json(name):
    spec = data.spec(name)
    text = json.dumps(dataclasses.asdict(spec), allow_nan=False)
    read = data.Spec(**json.loads(text))
    assert read == spec
    assert isinstance(read.shape, tuple) and isinstance(read.value_range, tuple)
