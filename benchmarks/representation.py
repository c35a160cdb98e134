"""Measures what the latents of released models are good for, beside simple baselines, on MNIST.

    python benchmarks/representation.py [--data-dir DIR] [--only probes|missing|anomalies]

Probes: test accuracy of a logistic regression and of 5 nearest neighbours, from 1 %, 10 % and all
training labels. Missing values: the mean squared error of the lower half of 500 test images, from
the upper half. Anomalies: ROC-AUC of test digits of one class among the others; the models are
trained here on the training images without that class.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsRegressor, NearestNeighbors

import keras_gen as kg
from keras_gen import data, models, representation

PROBED = ("vae_mnist", "iwae_mnist", "vamp_vae_mnist", "conv_vae_mnist", "vaegan_mnist",
          "infogan_mnist")  # fmt: skip
SHARES = (0.01, 0.1, 1.0)
MISSING = ("vae_mnist", "conv_vae_mnist", "dgan_mnist", "glo_mnist")
FILLED = 500
STRANGE = (0, 1, 4, 8)
BACKGROUND_NOISE = 0.2  # share of pixels that are replaced, for the model of the background


def probes(mnist: data.Dataset) -> Iterator[str]:
    """Yields a line for each representation."""
    train, test = mnist.arrays("train"), mnist.arrays("test")
    sets = {"pixels": (train["x"], test["x"])}
    for dimension in (50, 32, 16):
        pca = PCA(dimension, random_state=0).fit(train["x"].reshape(len(train["x"]), -1))
        flat = (part["x"].reshape(len(part["x"]), -1) for part in (train, test))
        sets[f"PCA, {dimension}"] = tuple(pca.transform(x) for x in flat)
    for name in PROBED:
        model = kg.from_preset(name)
        z = [representation.latents(model, part["x"]) for part in (train, test)]
        sets[f"{name}, {z[0].shape[1]}"] = tuple(z)
    yield f"{'representation':22}" + "".join(
        f"{kind} {share:>4.0%}  " for kind in ("linear", "5-NN") for share in SHARES
    )
    for name, (x, unseen) in sets.items():
        found = []
        for probe in (representation.linear_probe, representation.knn_accuracy):
            for share in SHARES:
                chosen = representation.few_labels(train["label"], share)
                found.append(probe(x[chosen], train["label"][chosen], unseen, test["label"]))
        yield f"{name:22}" + "".join(f"{100 * each:9.2f}  " for each in found)


def missing(mnist: data.Dataset) -> Iterator[str]:
    """Yields a line for each way to fill in the lower half."""
    train, x = mnist.arrays("train")["x"], mnist.arrays("test", limit=FILLED)["x"]
    known = np.zeros(x.shape[1:], bool)
    known[:14] = True

    def line(name: str, filled: np.ndarray) -> str:
        return f"{name:22}{np.mean(np.square(filled - x)[:, ~known]):9.4f}"

    yield line("mean image", np.broadcast_to(train.mean(axis=0), x.shape))
    neighbours = KNeighborsRegressor(5, algorithm="brute").fit(train[:, known], train[:, ~known])
    filled = x.copy()
    filled[:, ~known] = neighbours.predict(x[:, known])
    yield line("5 nearest neighbours", filled)
    for name in MISSING:
        yield line(name, representation.fill_in(kg.from_preset(name), x, known))


def anomalies(mnist: data.Dataset) -> Iterator[str]:
    """Yields a line for each score: ROC-AUC of each held-out class, and the mean."""
    train, test = mnist.arrays("train"), mnist.arrays("test")
    found: dict[str, list[float]] = {}
    for strange in STRANGE:
        normal = train["x"][train["label"] != strange]
        for name, score in scores(mnist.spec, normal, test["x"]):
            found.setdefault(name, []).append(roc_auc_score(test["label"] == strange, score))
    yield f"{'score':28}" + "".join(f"{strange:>8}" for strange in STRANGE) + "    mean"
    for name, aucs in found.items():
        yield f"{name:28}" + "".join(f"{auc:8.3f}" for auc in (*aucs, np.mean(aucs)))


def scores(spec: data.Spec, normal: np.ndarray, x: np.ndarray) -> Iterator[tuple]:
    """Yields names and scores of x by models and baselines that know normal images only."""
    flat, unseen = (each.reshape(len(each), -1) for each in (normal, x))
    pca = PCA(50, random_state=0).fit(flat)
    back = pca.inverse_transform(pca.transform(unseen))
    yield "PCA reconstruction", np.mean(np.square(back - unseen), axis=1)
    near = NearestNeighbors(n_neighbors=5, algorithm="brute").fit(flat)
    yield "distance to 5 neighbours", near.kneighbors(unseen)[0].mean(axis=1)
    yield "isolation forest", -IsolationForest(random_state=0).fit(flat).score_samples(unseen)

    def trained(x):
        vae = models.VAE.for_data(
            spec, latent_dim=50, network="dense", hidden=(200, 200), likelihood="bernoulli", seed=0
        )
        vae.compile()
        vae.fit(data.Batches({"x": x}, 128, drop_remainder=True), epochs=15, verbose=0)
        return vae

    vae = trained(normal)
    yield "VAE reconstruction", representation.anomaly_scores(vae, x, by="reconstruction")
    yield "VAE -log p(x)", representation.anomaly_scores(vae, x)
    rng = np.random.default_rng(0)
    replaced = rng.uniform(size=normal.shape) < BACKGROUND_NOISE
    noise = rng.uniform(size=normal.shape)
    background = trained(np.where(replaced, noise, normal).astype("float32"))
    yield "VAE likelihood ratio", representation.anomaly_scores(vae, x, background=background)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-dir", help="of TensorFlow Datasets")
    measured = {"probes": probes, "missing": missing, "anomalies": anomalies}
    parser.add_argument("--only", choices=measured)
    arguments = parser.parse_args()
    mnist = data.load("mnist", arguments.data_dir)
    for name, measure in measured.items():
        if arguments.only in (None, name):
            print(f"\n{name}", flush=True)
            for line in measure(mnist):
                print(line, flush=True)


if __name__ == "__main__":
    main()
