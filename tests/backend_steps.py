"""What a backend makes of saved models: run by test_backends.py in a process of its own.

    KERAS_BACKEND=jax python tests/backend_steps.py make FOLDER
    KERAS_BACKEND=jax python tests/backend_steps.py train FOLDER [CASE ...]

`make` writes an untrained model of each case. `train` reads each, takes 20 steps, and writes the
weights after them, the losses of the steps, the metrics of an evaluation and the gradients of
penalties, as NAME.BACKEND.npz, and the trained model as NAME.BACKEND.keras.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np

from keras_gen import data, models
from keras_gen.data.pipeline import as_array

STEPS, BATCH, EXAMPLES = 20, 16, 48
SPECS = {
    "vector": data.Spec("vector", "vector", (6,), (0.0, 1.0), num_classes=3),
    "image": data.Spec("image", "image", (8, 8, 1), (0.0, 1.0), num_classes=3),
    "sequence": data.Spec("sequence", "sequence", (3, 2), (0.0, 1.0), num_classes=3),
}
SMALL = {"vector": {"hidden": (8,)}, "image": {"hidden": (8,)}, "sequence": {"hidden": (5,)}}
# Model, kind of data, options: every model, and the options that take other paths.
CASES = {
    **{f"{name}-{kind}": (name, kind, {}) for name, cls in models.NAMES.items()
       for kind in list(cls.kinds)[:1] if kind in SPECS},
    "VAE-dense": ("VAE", "vector", {}),
    "VAE-logistic": ("VAE", "vector", {"likelihood": "discretized_logistic:17"}),
    "VAE-binarized": ("VAE", "vector", {"likelihood": "binarized_bernoulli"}),
    "GAN-r1-r2": ("GAN", "vector", {"r1": 1.0, "r2": 0.5, "ema": 0.9}),
    "GAN-wgan-gp": ("GAN", "vector", {"wgan_gp": 1.0, "loss": "wasserstein",
                                      "discriminator_steps": 2}),
    "ConditionalGAN-packed": ("ConditionalGAN", "vector", {"packing": 2, "loss": "relativistic"}),
    "GAN-spectral": ("GAN", "vector", {"normalization": "spectral", "loss": "hinge"}),
    # Without batch normalization, which blows rounding errors up from step to step.
    "DGAN-augmented": ("DGAN", "image", {"augment": "color,translation,cutout,affine",
                                         "normalization": None}),
    # The same, and examples that differ little take another vector of the codebook.
    "VQVAE-image": ("VQVAE", "image", {"normalization": None}),
    "ConditionalVQVAE-image": ("ConditionalVQVAE", "image", {"normalization": None}),
    "GLO-image": ("GLO", "image", {"loss": "squared"}),  # the gradient of "laplacian" jumps
    "GLO-mixture": ("GLO", "image", {"loss": "squared", "components": 3}),
    "CRGAN-features": ("CRGAN", "sequence", {"feature_matching": 1.0, "r1": 0.1}),
}  # fmt: skip


def examples(kind: str) -> dict[str, np.ndarray]:
    """The examples of all cases of a kind of data."""
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(EXAMPLES, *SPECS[kind].shape)).astype("float32")
    return {"x": x, "label": rng.integers(0, 3, EXAMPLES)}


def made(case: str):
    """The untrained model of a case."""
    name, kind, options = CASES[case]
    cls = models.get(name)
    size = {"num_examples": EXAMPLES} if cls.uses_index else {}
    model = cls.for_data(SPECS[kind], **size, **SMALL[kind], **options, seed=1)
    # Where an activation is exactly 0, backends take different slopes of a leaky ReLU.
    rng = np.random.default_rng(1)
    for weight in model.trainable_weights:
        if weight.name == "bias":
            weight.assign(rng.uniform(-0.1, 0.1, weight.shape))
    model.compile(keras.optimizers.SGD(1e-2))
    return model


def trained(case: str, folder: Path) -> dict[str, np.ndarray]:
    """Trains a saved model; returns what came of it."""
    model = keras.models.load_model(folder / f"{case}.keras")
    model.run_eagerly = keras.backend.backend() == "tensorflow"  # faster than tracing for 20 steps
    arrays = examples(CASES[case][1])
    batches = data.Batches(arrays, BATCH, seed=3, index=model.uses_index)
    losses = []
    per_epoch = len(batches)
    for epoch in range(-(-STEPS // per_epoch)):
        left = min(per_epoch, STEPS - epoch * per_epoch)
        model.reset_metrics()
        rows = data.Batches(arrays, BATCH, seed=3, index=model.uses_index)
        rows.seek(epoch)
        for batch in list(rows)[:left]:
            batch = {name: as_array(array) for name, array in batch.items()}
            losses.append(model.train_on_batch(batch, return_dict=True)[model.metric_names[0]])
    found = {f"weight {i} {w.path}": as_array(w.value) for i, w in enumerate(model.weights)}
    found["losses"] = np.array(losses, "float64")
    metrics = model.evaluate(arrays, batch_size=BATCH, return_dict=True, verbose=0)
    found |= {f"metric {name}": np.array(value) for name, value in metrics.items()}
    if not hasattr(model, "represent"):  # GLO draws along eigenvectors, which have no sign
        found["sample"] = model.sample(4, seed=5)
    if hasattr(model, "log_likelihood"):
        given = {"label": arrays["label"]} if model.conditional else {}
        found["log_likelihood"] = model.log_likelihood(arrays["x"], num_samples=7, **given)
    if hasattr(model, "infer_codes"):
        found["codes"] = model.infer_codes(arrays["x"])
    if hasattr(model, "represent"):
        found["latents"] = model.represent(arrays["x"], steps=20)
    model.save(folder / f"{case}.{keras.backend.backend()}.keras")
    return found


def main() -> None:
    """Makes or trains the models of all cases."""
    verb, folder, *cases = sys.argv[1:]
    folder = Path(folder)
    for case in cases or CASES:
        if verb == "make":
            made(case).save(folder / f"{case}.keras")
        elif verb == "train":
            backend = keras.backend.backend()
            np.savez(folder / f"{case}.{backend}.npz", **trained(case, folder))


if __name__ == "__main__":
    main()
