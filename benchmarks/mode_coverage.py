"""Measures mode coverage in two dimensions over trials: gan_ring, gan_grid and a plain GAN.

    python benchmarks/mode_coverage.py [--trials 10] [--steps N] [--networks small|paper]
                                        [--only gan_ring|gan_grid] [--variant preset|plain]

The protocol is PacGAN's (Lin et al. 2018, section 4.1): 100,000 training points, batches of 100
and 2,500 samples. The variant "plain" has the same networks without what stabilizes the presets: it
has the non-saturating losses alone, a constant learning rate and no average of the generator.
`--networks paper` trains the paper's networks: a generator of 4x400 ReLU units with batch
normalization and a discriminator of 3x200 maxout units. They cost about eight times as much as the
presets' networks.

Each trial prints a line to stderr when it ends. The table at the end has the mean and the worst.
"""

import argparse
import dataclasses
import sys
import time

from keras_gen import evaluation, presets, runs

# isort: split
# Keras after keras_gen, which imports TensorFlow without its messages.
import keras
import numpy as np

# Settings that replace the preset's.
VARIANTS = {
    "preset": {},
    "plain": {"loss": "non_saturating", "r1": 0.0, "r2": 0.0, "ema": 0.0, "schedule": "constant"},
}
PAPER_NETWORKS = {
    "hidden": (400, 400, 400, 400),
    "generator_normalization": "batch",
    "discriminator_hidden": (200, 200, 200),
    "activation": "maxout",
}


def trial(preset: presets.Preset, seed: int) -> evaluation.ModeCoverage:
    """Trains a preset with a seed, in memory, and measures its samples."""
    keras.backend.clear_session()
    job = runs.prepare(runs.Config(preset, seed=seed))
    job.model.fit(job.train, epochs=preset.epochs, verbose=0)
    spec = job.dataset.spec
    return evaluation.mode_coverage(job.model.sample(2500, seed=0), spec.modes, spec.sigma)


def row(name: str, variant: str, results: list[evaluation.ModeCoverage]) -> str:
    """Returns the mean and the worst of each figure as a row of the table."""
    modes, quality, divergence = np.array([dataclasses.astuple(each) for each in results]).T
    return (
        f"{name:9} {variant:7} {len(results):6d} "
        f"{modes.mean():7.1f} {modes.min():6.0f} "
        f"{quality.mean():9.1%} {quality.min():7.1%} "
        f"{divergence.mean():8.4f} {divergence.max():7.4f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--steps", type=int, help="training steps; by default the presets'")
    parser.add_argument("--networks", choices=("small", "paper"), default="small")
    parser.add_argument("--only", choices=("gan_ring", "gan_grid"), help="one preset, not both")
    parser.add_argument("--variant", choices=VARIANTS, help="one variant, not both")
    arguments = parser.parse_args()

    rows = []
    for name in [arguments.only] if arguments.only else ["gan_ring", "gan_grid"]:
        for variant in [arguments.variant] if arguments.variant else VARIANTS:
            networks = PAPER_NETWORKS if arguments.networks == "paper" else {}
            steps = {"epochs": arguments.steps // 1000} if arguments.steps else {}
            preset = runs.override(presets.get(name), steps | networks | VARIANTS[variant])
            results = []
            for seed in range(arguments.trials):
                start = time.perf_counter()
                results.append(trial(preset, seed))
                seconds = time.perf_counter() - start
                print(
                    f"{name} {variant} seed {seed}: {results[-1]}, {seconds:.0f} s", file=sys.stderr
                )
            rows.append(row(name, variant, results))
    print("                          modes         high quality     reverse KL")
    print("preset    variant trials    mean  worst      mean   worst     mean   worst")
    print(*rows, sep="\n")


if __name__ == "__main__":
    main()
