"""What can be varied of a model, the most telling first."""

from __future__ import annotations

import dataclasses

import numpy as np

from keras_gen import checks
from keras_gen.models import GenerativeModel
from keras_gen.representation.latents import discrete

DRAWS, EDGE = 1000, 0.005
BASES = 8  # draws of z at which a unit's effect is measured


@dataclasses.dataclass(frozen=True)
class Control:
    """A latent or a code that can be varied.

    Attributes:
        name: "latent 3" or "code 0", counted in the order of z.
        place: its first place in z.
        values: what to set it to, `(steps, width)`; one-hot rows for a category.
    """

    name: str
    place: int
    values: np.ndarray

    @property
    def width(self) -> int:
        """How many places of z it takes; more than one for a category."""
        return self.values.shape[1]


def controls(model: GenerativeModel, units: int | None = None, steps: int = 7) -> list[Control]:
    """Returns what can be varied: codes in order, then latents by how much they change.

    The change is that of a value of the data, on average, from one end of a latent to the other.

    Args:
        model: of any kind, with latents that can be varied.
        units: at most so many.
        steps: values of each latent.

    Raises:
        ValueError: if the model has no latents to vary.
    """
    if units is not None:
        checks.integer("units", units)
    checks.integer("steps", steps, least=2)
    if discrete(model) or not hasattr(model, "draw_latents"):
        raise ValueError(f"{type(model).__name__} has no latents that can be varied.")
    found = model.latent.units(steps) if hasattr(model, "latent") else _drawn(model, steps)
    codes = len(model.codes.units(steps)) if hasattr(model, "infer_codes") else 0
    noise = len(found) - codes  # codes come last in z
    names = [f"latent {i}" for i in range(noise)] + [f"code {i}" for i in range(codes)]
    order = np.argsort(-_changes(model, found), kind="stable")
    order = sorted(order, key=lambda i: (i < noise, i if i >= noise else 0))
    return [Control(names[i], int(found[i][0]), found[i][1]) for i in order[:units]]


def _drawn(model: GenerativeModel, steps: int) -> list[tuple[int, np.ndarray]]:
    """The units of a model whose z have no family, as GLO's: between the ends of its draws."""
    ends = np.quantile(model.draw_latents(DRAWS, seed=0), (EDGE, 1 - EDGE), axis=0)
    values = np.linspace(*ends, steps, dtype="float32")
    return [(place, values[:, place : place + 1]) for place in range(values.shape[1])]


def _changes(model: GenerativeModel, found: list[tuple[int, np.ndarray]]) -> np.ndarray:
    """Returns the mean change of a value between both ends of each unit, `(units,)`."""
    base = model.draw_latents(BASES, seed=0)
    z = np.tile(base, (len(found), 2, 1, 1))
    for i, (place, values) in enumerate(found):
        for end in (0, -1):
            z[i, end, :, place : place + values.shape[1]] = values[end]
    label = np.tile(np.arange(BASES) % model.num_classes, 2 * len(found)) \
        if model.conditional else None  # fmt: skip
    x = model.decode(z.reshape(-1, base.shape[1]), label)
    low, high = np.moveaxis(x.reshape(len(found), 2, -1), 1, 0)
    return np.mean(np.abs(high - low), axis=1)
