"""Shows that a change of the code changes nothing that a model computes.

    python benchmarks/fingerprint.py record before.npz --data-dir D  # with the old code
    python benchmarks/fingerprint.py record after.npz --data-dir D  # with the new code
    python benchmarks/fingerprint.py compare before.npz after.npz

A record holds, for every model, kind of data and a set of options, all weights and optimizer slots
after 20 training steps from fixed seeds, run eagerly and compiled with default settings; and the
metrics of every released model on its test set. `compare` prints the SHA-256 of each entry that is
equal bit for bit, the largest relative difference of each that is not, and exits with 1 if a
difference exceeds 1e-6 or an eager entry differs at all.
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import json
import sys
from pathlib import Path

import numpy as np

STEPS, BATCH, EXAMPLES = 20, 16, 64
LIMIT = 1e-6
RELEASED = Path(__file__).resolve().parent.parent / "saved_models"
# Options that take other paths through the training steps than the defaults.
VARIANTS = {
    "VAE": {
        "vector": [{"likelihood": "discretized_logistic:17"}, {"likelihood": "binarized_bernoulli"}]
    },
    "BetaVAE": {"vector": [{"capacity": 2.0, "capacity_steps": 10, "warmup_steps": 7}]},
    "GAN": {
        "vector": [
            {"r1": 1.0, "r2": 0.5, "ema": 0.9},
            {"wgan_gp": 1.0, "loss": "wasserstein", "discriminator_steps": 3},
            {"packing": 2, "loss": "relativistic", "discriminator_steps": 2},
            {"label_smoothing": 0.1, "normalization": "batch", "generator_normalization": "layer"},
            {"normalization": "spectral", "loss": "hinge"},
            {"normalization": "spectral", "loss": "relativistic", "r1": 1.0},
            {"mixed": "mixed_float16"},
        ],
        "image": [{"augment": "color,translation,cutout,affine", "network": "conv"}],
    },
    "ConditionalGAN": {"vector": [{"r1": 1.0, "loss": "relativistic"}]},
    "InfoGAN": {
        "vector": [{"codes": "categorical:3,gaussian:2", "noise_scale": 0.3}],
        "image": [{"code_augment": "affine", "normalization": "layer", "ema": 0.9}],
    },
    "VAEGAN": {
        "vector": [
            {"discriminator_steps": 2, "loss": "relativistic", "r1": 0.1},
            {"normalization": "batch", "mixed": "mixed_float16"},
        ]
    },
    "CRGAN": {
        "sequence": [
            {"feature_matching": 1.0, "STEP": True, "direction": "bidirectional", "deltas": 2.0},
            {"static_dim": 2, "initial_state": "noise", "packing": 2},
            {"feedback": True, "cell": "lstm", "r1": 0.1},
        ]
    },
    "RecurrentVAE": {"sequence": [{"word_dropout": 0.3, "cell": "lstm"}]},
    "GLO": {"vector": [{"mixed": "mixed_float16"}]},
}
HIDDEN = {"vector": (8,), "image": (8,), "sequence": (5,)}


def cases():
    """(model class, kind of data, options) of every training that is recorded."""
    from keras_gen import models

    for name in sorted(models.NAMES):
        cls = models.get(name)
        for kind in HIDDEN:
            if kind in cls.kinds:
                for options in [{}, *VARIANTS.get(name, {}).get(kind, [])]:
                    yield cls, kind, options


def trained(cls, kind: str, options: dict, eager: bool) -> np.ndarray:
    """All weights and slots after the steps, one after the other."""
    import keras

    from keras_gen import data

    shapes = {"vector": (6,), "image": (9, 8, 1), "sequence": (3, 2)}
    spec = data.Spec(kind, kind, shapes[kind], (0.0, 1.0), num_classes=3)
    rng = np.random.default_rng(0)
    x = rng.uniform(0.0, 1.0, (EXAMPLES, *spec.shape)).astype("float32")
    batch = {"x": x, "label": rng.integers(0, 3, EXAMPLES)}
    options = dict(options)
    policy = options.pop("mixed", "float32")
    if options.pop("STEP", False):
        known = (
            inspect.signature(cls.default_networks).parameters
            if hasattr(cls, "default_networks")
            else inspect.signature(cls.for_data).parameters
        )
        options["verdict" if "verdict" in known else "logits"] = "step"
    size = {"num_examples": EXAMPLES} if cls.uses_index else {}
    keras.config.set_dtype_policy(policy)
    model = cls.for_data(spec, hidden=HIDDEN[kind], seed=1, **size, **options)
    model.compile(run_eagerly=eager)
    model.fit(batch, batch_size=BATCH, epochs=STEPS * BATCH // EXAMPLES, verbose=0)
    keras.config.set_dtype_policy("float32")
    values = [v.numpy().astype("float64") for v in (*model.weights, *model.optimizer.variables)]
    return np.concatenate([value.ravel() for value in values])


def released(data_dir: str | None) -> dict[str, np.ndarray]:
    """The metrics of every released model on its test set."""
    import keras

    from keras_gen import data, models  # noqa: F401  registers the models

    root = Path(data_dir or ".")
    found = {}
    for file in sorted(RELEASED.glob("*/model.keras")):
        card = json.loads((file.parent / "card.json").read_text())
        source, folder = card["data"], data_dir and str(root / "tfds")
        if source == "stocks":
            folder = data_dir
        if source == "audio:fsdd":
            source = f"audio:{root / 'fsdd'}"
        options = dict(card["data_options"])
        if source == "tfds:tiny_shakespeare":
            source, options = f"text:{root / 'tiny_shakespeare.txt'}", {"length": 64}
        dataset = data.load(source, folder, **options)
        model = keras.models.load_model(file)
        model.compile()
        batches = dataset.batches("test", 500, shuffle=False)
        metrics = model.evaluate(batches, return_dict=True, verbose=0)
        found[f"released {file.parent.name}"] = np.array(
            [float(metrics[name]) for name in sorted(metrics)]
        )
        print(file.parent.name, {k: round(float(v), 4) for k, v in metrics.items()}, flush=True)
    return found


def record(path: str, data_dir: str | None, only: str | None) -> None:
    """Writes the record of the code that is imported."""
    entries = {}
    for cls, kind, options in cases():
        for mode in ("eager", "compiled"):
            key = f"{mode} {cls.__name__} {kind} {json.dumps(options)}"
            if only is None or only in key:
                entries[key] = trained(cls, kind, options, mode == "eager")
                print(key, sha256(entries[key])[:12], flush=True)
    if only is None or only == "released":
        entries |= released(data_dir)
    np.savez_compressed(path, **entries)


def sha256(x: np.ndarray) -> str:
    """The SHA-256 of an array's bytes."""
    return hashlib.sha256(np.ascontiguousarray(x).tobytes()).hexdigest()


def compare(before: str, after: str) -> int:
    """Prints how two records differ; returns 1 if they differ by more than is allowed."""
    failed = 0
    with np.load(before) as old, np.load(after) as new:
        for key in old.files:
            if key not in new.files:
                print(f"MISSING    {key}")
                failed = 1
                continue
            a, b = old[key], new[key]
            if a.shape == b.shape and sha256(a) == sha256(b):
                print(f"{sha256(a)[:12]}  equal  {key}")
                continue
            if a.shape != b.shape:
                print(f"SHAPE      {a.shape} {b.shape} {key}")
                failed = 1
                continue
            difference = np.abs(a - b).max() / np.abs(a).max()
            bad = difference > LIMIT or key.startswith("eager")
            failed |= bad
            print(f"{difference:12.1e}  {'DIFFERS' if bad else 'close'}  {key}")
    return int(failed)


def main() -> int:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    recording = commands.add_parser("record")
    recording.add_argument("file")
    recording.add_argument("--data-dir", help="with mnist.npz's folder tfds/, stock_data.csv, ...")
    recording.add_argument("--only", help="a part of an entry's name, such as `eager GAN`")
    comparing = commands.add_parser("compare")
    comparing.add_argument("before")
    comparing.add_argument("after")
    arguments = parser.parse_args()
    if arguments.command == "record":
        record(arguments.file, arguments.data_dir, arguments.only)
        return 0
    return compare(arguments.before, arguments.after)


if __name__ == "__main__":
    sys.exit(main())
