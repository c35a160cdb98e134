"""Measures exported models: size, speed on one core, and the quality that is left.

    python benchmarks/deployment.py [--data-dir D] [PRESET ...]

Each preset's decoder or generator is exported to LiteRT and ONNX, whole and quantized, and runs in
its own runtime. The protocol is that of docs/evaluation.md, on samples that the exported file makes
of the same z. Latency is the median of 50 runs.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from keras_gen import evaluation, exporting, runs

PRESETS = {
    "vae_digits": "fid_lenet_1k",
    "vae_mnist": "fid_lenet_1k",
    "dgan_mnist": "fid_lenet_1k",
    "infogan_mnist": "fid_lenet_1k",
    "gan_ring": "reverse_kl_2500",
}
FILES = [
    ("litert", None),
    ("litert", "float16"),
    ("litert", "dynamic"),
    ("litert", "int8"),
    ("onnx", None),
    ("onnx", "float16"),
    ("onnx", "dynamic"),
]
RUNS = 50


class Exported:
    """A file in its runtime, as a model that protocols can sample."""

    conditional = False

    def __init__(self, model, run):
        self.model, self.run = model, run

    def sample(self, n, seed=None, label=None, batch_size=512):
        z = self.model.draw_latents(n, seed=seed)
        parts = [self.run(z=z[i : i + 500])["x"] for i in range(0, n, 500)]
        return np.concatenate(parts)


def latency(run, z) -> float:
    """Returns milliseconds, the median of many runs."""
    run(z=z)
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        run(z=z)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("presets", nargs="*", default=list(PRESETS), metavar="PRESET")
    parser.add_argument("--data-dir")
    arguments = parser.parse_args()
    print("| preset | file | kB | of 1, ms | of 64, ms | protocol | Keras | file |")
    for name in arguments.presets:
        trained = runs.open(name)
        dataset = trained.dataset(None, arguments.data_dir)
        metric = PRESETS[name]
        ours = evaluation.measure(metric, trained.model, dataset).value
        for format, quantize in FILES:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"model{exporting.FORMATS[format]}"
                made = exporting.export(trained, path, format, quantize)
                run = exporting.open_runtime(path)
                z = trained.model.draw_latents(64, seed=0)
                speeds = [latency(run, z[:n]) for n in (1, 64)]
                value = evaluation.measure(metric, Exported(trained.model, run), dataset).value
            kind = f"{format} {quantize or 'float32'}"
            print(
                f"| {name} | {kind} | {made.size / 1000:,.0f} | {speeds[0]:.2f} | {speeds[1]:.2f} "
                f"| {metric} | {ours:.4g} | {value:.4g} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
