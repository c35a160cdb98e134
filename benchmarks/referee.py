"""Measures MNIST models by Fréchet distances in the features of four other classifiers than lenet.

    python benchmarks/referee.py [--data-dir D] [--classifiers dense,pooled] [MODEL ...]

A model could be tuned to the network that measures it. This script trains four classifiers of
different designs that have never measured a preset. It compares 10,000 samples of each model with
the test images in the features of each classifier. A cell is the distance as a multiple of the
classifier's floor, the distance of 10,000 training images. It takes twenty minutes on two cores,
most of them for the convolutions of "normalized".
"""

import argparse
import sys
from pathlib import Path

from keras_gen import data, presets, runs
from keras_gen.evaluation import frechet_distance
from keras_gen.presets import released

# isort: split
# Keras after keras_gen, which imports TensorFlow without its messages.
import keras
import numpy as np
from keras import layers

SEED = 1
EPOCHS, BATCH, RATE = 4, 128, 1e-3
COUNT = 10_000


def dense(x):
    """Two dense layers, no convolution."""
    h = layers.Dense(512, activation="relu")(layers.Flatten()(x))
    return layers.Dense(256, activation="relu")(layers.Dropout(0.3)(h))


def pooled(x):
    """Small convolutions and pooling, as in Keras's MNIST example."""
    for filters in (32, 64):
        x = layers.Conv2D(filters, 3, activation="relu")(x)
        x = layers.MaxPooling2D()(x)
    return layers.Dense(256, activation="relu")(layers.Dropout(0.5)(layers.Flatten()(x)))


def strided(x):
    """Strided convolutions with smooth activations."""
    for filters in (32, 64, 128):
        x = layers.Conv2D(filters, 4, 2, "same", activation="gelu")(x)
    return layers.Dense(64, activation="relu")(layers.Dropout(0.4)(layers.Flatten()(x)))


def normalized(x):
    """Batch normalization and an average over positions: textures count, their places do not."""
    for filters, stride in ((32, 1), (32, 2), (64, 1), (64, 2), (128, 1)):
        x = layers.Conv2D(filters, 3, stride, "same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    return layers.GlobalAveragePooling2D()(x)


CLASSIFIERS = {body.__name__: body for body in (dense, pooled, strided, normalized)}


def trained(body, mnist: data.Dataset) -> tuple[keras.Model, float]:
    """Returns a trained classifier's features and its accuracy on the test images."""
    keras.utils.set_random_seed(SEED)
    train, test = mnist.arrays("train"), mnist.arrays("test")
    x = keras.Input(mnist.spec.shape)
    features = body(x)
    classifier = keras.Model(x, layers.Dense(mnist.spec.num_classes)(features))
    steps = EPOCHS * -(-len(train["x"]) // BATCH)
    classifier.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(RATE, steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    classifier.fit(train["x"], train["label"], batch_size=BATCH, epochs=EPOCHS, verbose=0)
    accuracy = classifier.evaluate(test["x"], test["label"], verbose=0, return_dict=True)
    return keras.Model(x, features), accuracy["accuracy"]


def of_mnist() -> list[str]:
    """Returns the presets on MNIST whose trained weights come with the package."""
    return [name for name in released.names() if presets.get(name).data == "mnist"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "where",
        nargs="*",
        metavar="MODEL",
        help="names of released presets, or run directories (default: all on MNIST)",
    )
    parser.add_argument("--data-dir", help="where TensorFlow Datasets keeps its prepared data sets")
    parser.add_argument(
        "--classifiers",
        default=",".join(CLASSIFIERS),
        metavar="A,B",
        help="names of classifiers (default: %(default)s)",
    )
    arguments = parser.parse_args()
    mnist = data.load("mnist", arguments.data_dir)
    real, train = (mnist.arrays(split)["x"] for split in ("test", "train"))
    chosen = np.random.RandomState(SEED).permutation(len(train))[:COUNT]
    made = {
        where: runs.open(where).sample(COUNT, seed=0) for where in arguments.where or of_mnist()
    }
    names = [Path(subject).name for subject in made]
    print(f"{'':12}{'accuracy':>10}{'floor':>8}", *(f"{name:>{len(name) + 2}}" for name in names))
    for classifier in arguments.classifiers.split(","):
        body = CLASSIFIERS[classifier]
        network, accuracy = trained(body, mnist)

        def distance(x, network=network):
            features = (network.predict(each, batch_size=500, verbose=0) for each in (real, x))
            return frechet_distance(*features)

        floor = distance(train[chosen])
        cells = [f"{distance(x) / floor:.1f}x" for x in made.values()]
        widths = (len(name) + 2 for name in names)
        print(
            f"{classifier:12}{accuracy:10.4f}{floor:8.3f}",
            *(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)),
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
