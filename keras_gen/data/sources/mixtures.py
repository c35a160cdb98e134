"""Mixtures of Gaussians in the plane, whose modes are known, to count the modes a model finds.

Source: Srivastava et al. 2017 (VEEGAN, https://arxiv.org/abs/1705.07761); Lin et al.
2018 (PacGAN, https://arxiv.org/abs/1712.04086).
"""

from __future__ import annotations

import math

import numpy as np

from keras_gen.data.checks import check_counts, random_state
from keras_gen.data.dataset import Dataset
from keras_gen.data.specs import Spec


def _mixture(name: str, modes: list[tuple[float, float]], sigma: float) -> Spec:
    # The range must be known without drawing. Ten sigma are beyond any number of draws.
    low, high = min(map(min, modes)) - 10 * sigma, max(map(max, modes)) + 10 * sigma
    return Spec(name, "vector", (2,), (low, high), len(modes), modes=tuple(modes), sigma=sigma)


SPECS = {
    "ring": _mixture(
        "ring", [(math.cos(k * math.pi / 4), math.sin(k * math.pi / 4)) for k in range(8)], 0.01
    ),
    "grid": _mixture(
        "grid", [(float(x), float(y)) for x in range(-4, 5, 2) for y in range(-4, 5, 2)], 0.05
    ),
}


def load_mixture(
    name: str, *, size: int = 100_000, test_size: int = 10_000, seed: int = 0
) -> Dataset:
    """Draws independent points from equally probable Gaussians; the label is the mode.

    Args:
        name: `"ring"`, 8 modes on the unit circle with sigma 0.01, or `"grid"`, 25 modes at
            {-4, -2, 0, 2, 4}² with sigma 0.05.
        size: number of training points.
        test_size: number of test points.
        seed: seed of the draws. The test points do not depend on `size`.
    """
    spec = SPECS[name]
    check_counts(name, size=size, test_size=test_size)
    random = random_state(seed)

    def draw(count: int) -> dict[str, np.ndarray]:
        label = random.randint(len(spec.modes), size=count, dtype=np.int32)
        x = np.array(spec.modes)[label] + spec.sigma * random.standard_normal((count, 2))
        return {"x": x.astype(np.float32), "label": label}

    test = draw(test_size)
    return Dataset(spec, train=draw(size), test=test)
