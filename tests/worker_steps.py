"""What workers make of models: test_workers.py runs several of these processes, with `TF_CONFIG`.

    python tests/worker_steps.py FOLDER

The first worker writes each case's weights and history as CASE.npz; each worker writes the indices
of the examples that it read, epoch by epoch, as indices-WORKER.npz.
"""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np

from keras_gen import data, models, runs
from keras_gen.engine.backends import backend

EXAMPLES, BATCH, EPOCHS, RATE = 58, 24, 3, 1e-2  # the last batch has 10 examples
SPECS = {
    "vector": data.Spec("vector", "vector", (6,), (0.0, 1.0), num_classes=3),
    "sequence": data.Spec("sequence", "sequence", (3, 2), (0.0, 1.0), num_classes=3),
}
OPTIMIZERS = {"SGD": keras.optimizers.SGD, "Adam": keras.optimizers.Adam}
CASES = [
    (name, "sequence" if name == "CRGAN" else "vector", optimizer)
    for name in ("VAE", "GAN", "InfoGAN", "VAEGAN", "CRGAN")
    for optimizer in OPTIMIZERS
]


def cases(workers: int) -> list[tuple]:
    """The cases for a number of workers: that Adam follows SGD is told by two."""
    return [case for case in CASES if workers == 2 or "SGD" in case]


def examples(kind: str) -> dict[str, np.ndarray]:
    """The examples of all cases of a kind of data."""
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(EXAMPLES, *SPECS[kind].shape)).astype("float32")
    return {"x": x, "label": rng.integers(0, 3, EXAMPLES)}


def trained(name: str, kind: str, optimizer: str, strategy) -> tuple:
    """Trains a model; returns it and the history."""
    with strategy.scope():
        keras.utils.set_random_seed(1)
        hidden = (5,) if kind == "sequence" else (8,)
        model = models.get(name).for_data(SPECS[kind], hidden=hidden, seed=1)
        model.compile(OPTIMIZERS[optimizer](RATE), jit_compile=False, steps_per_execution=1)
    batches = data.Batches(examples(kind), BATCH, seed=3)
    held_out = data.Batches(examples(kind), BATCH, shuffle=False)
    history = model.fit(batches, validation_data=held_out, epochs=EPOCHS, verbose=0).history
    return model, history


def read(model, strategy) -> list[np.ndarray]:
    """The indices that this worker reads, for each batch of two epochs."""
    batches = data.Batches(examples("vector"), BATCH, seed=3, index=True)
    shared = backend.loop_input(batches, model).get_tf_dataset()
    found = []
    for epoch in range(2):
        batches.seek(epoch)
        for batch in shared:
            (own,) = strategy.experimental_local_results(batch["index"])
            found.append(own.numpy())
    return found


def main(folder: Path) -> None:
    worker = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
    strategy = runs.strategy("multiworker")
    for case in cases(strategy.num_replicas_in_sync):
        model, history = trained(*case, strategy)
        predicted = np.zeros(())
        if case == CASES[0]:
            predicted = model.predict(examples(case[1])["x"][:10], verbose=0)
        if runs.is_chief("multiworker"):
            content = dict(enumerate(model.get_weights())) | history
            content["predicted"] = np.asarray(predicted)
            np.savez(folder / f"{'-'.join(case)}.npz", **{str(k): v for k, v in content.items()})
    indices = {str(i): each for i, each in enumerate(read(model, strategy))}
    np.savez(folder / f"indices-{worker}.npz", **indices)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
