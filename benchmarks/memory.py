"""Measures the greatest use of memory in training, with each way to need less.

    python benchmarks/memory.py [--sizes 64 128] [--batch 256] [--steps 2]

Each row is a process of its own, which trains a convolutional VAE or a DCGAN for a few steps. Its
figure is the greatest resident memory meanwhile, above that of the same with 8 images; of a step's
seconds the last is taken. Rows with `accumulate=4` have a quarter of the batch in memory at a time,
and take the same step.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

ROWS = {
    "as it is": {},
    "`accumulate=4`": {"accumulate": 4},
    "`remat=True`": {"remat": True},
    "both": {"accumulate": 4, "remat": True},
    "`mixed_bfloat16`": {"dtype": "mixed_bfloat16"},
    "`mixed_float16`": {"dtype": "mixed_float16"},
    "all three": {"accumulate": 4, "remat": True, "dtype": "mixed_bfloat16"},
}


def measured(name: str, size: int, batch: int, steps: int, row: str) -> None:
    """Trains, and prints the bytes and seconds as JSON."""
    import keras
    import numpy as np

    from keras_gen import data, models

    options = dict(ROWS[row])
    keras.config.set_dtype_policy(options.pop("dtype", "float32"))
    accumulate = options.pop("accumulate", 1)
    spec = data.Spec("images", "image", (size, size, 3), (0.0, 1.0))
    if name == "VAE":
        options |= {"filters": (32, 64, 128), "network": "conv"}
    else:
        options |= {"width": 32, "depth": 4}
    model = models.get(name).for_data(spec, latent_dim=64, seed=0, **options)
    model.compile("adam", accumulate=accumulate, steps_per_execution=1)
    x = np.random.default_rng(0).integers(0, 256, (batch * steps, size, size, 3), np.uint8)
    dataset = data.Dataset(spec, {"x": x}, {"x": x[:1]})
    few = data.Batches({"x": x[:8]}, 8 // accumulate, decode=data.dataset.decode_arrays)
    model.fit(few, verbose=0)  # what tracing and compiling need is not what is measured
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = [time.perf_counter()]

    class Clock(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            times.append(time.perf_counter())

    batches = dataset.batches("train", batch // accumulate, shuffle=False)
    model.fit(batches, verbose=0, callbacks=[Clock()])
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(json.dumps({"bytes": kilobytes * 1024, "seconds": times[-1] - times[-2]}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--models", nargs="+", default=["VAE", "DGAN"])
    parser.add_argument("--row", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.row:
        (name,), (size,) = arguments.models, arguments.sizes
        measured(name, size, arguments.batch, arguments.steps, arguments.row)
        return
    columns = [(name, size) for name in arguments.models for size in arguments.sizes]
    print("| | " + " | ".join(f"{name} {size}x{size}" for name, size in columns) + " |")
    print("| --- |" + " --- |" * len(columns))
    for row in ROWS:
        cells = []
        for name, size in columns:
            command = [sys.executable, str(Path(__file__).resolve()), "--row", row]
            command += ["--models", name, "--sizes", str(size)]
            command += ["--batch", str(arguments.batch), "--steps", str(arguments.steps)]
            result = subprocess.run(command, capture_output=True, text=True)
            if result.returncode:
                raise SystemExit(result.stderr)
            found = json.loads(result.stdout.splitlines()[-1])
            cells.append(f"{found['bytes'] / 2**20:,.0f} MB, {found['seconds']:.1f} s")
        print(f"| {row} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
