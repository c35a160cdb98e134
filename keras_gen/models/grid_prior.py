"""A distribution of grids of indices, read and written line by line.

van den Oord, Kalchbrenner & Kavukcuoglu 2016, "Pixel Recurrent Neural Networks" (arXiv:1601.06759),
equation 1: p(z) = prod_i p(z_i | z_1, ..., z_(i-1)), with places in the order of reading.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from keras_gen import likelihoods
from keras_gen.engine.backends import backend
from keras_gen.networks import recurrent


class GridPrior:
    """p(z) of grids of indices, by a recurrent network that is told the indices left and above.

    Args:
        network: `keras.Model` for one step, from `[previous, place, *state]` to
            `[logits, *new_state]`; see `VQVAE`.
        rows: of the grid.
        columns: of the grid.
        one_hot: function from labels to one-hot vectors, which follow the place; None if the
            network is not told a label.

    Raises:
        ValueError: if the network does not fit.
    """

    def __init__(
        self,
        network: keras.Model,
        rows: int,
        columns: int,
        one_hot: Callable | None = None,
        num_classes: int = 0,
    ):
        self.network, self.rows, self.columns, self.one_hot = network, rows, columns, one_hot
        takes = [tuple(each.shape[1:]) for each in network.inputs]
        gives = [tuple(each.shape[1:]) for each in network.outputs]
        place = rows + columns + num_classes
        if takes[:2] != [(2,), (place,)] or takes[2:] != gives[1:]:
            raise ValueError(
                f"prior must map [previous, place, *state], the first two of shapes (2,) and "
                f"({place},), to [logits, *state]; it maps {takes} to {gives}."
            )
        self.count = gives[0][-1]
        self.index = likelihoods.Categorical(self.count)

    @property
    def places(self) -> int:
        """The number of places of the grid."""
        return self.rows * self.columns

    def log_prob(self, z, label=None, training: bool = False):
        """Returns log p(z), `(batch,)`, in nats, of indices `(batch, places)`."""
        z = ops.cast(z, "float32")
        before = ops.concatenate([self._nothing(z), z], axis=1)
        left, above = before[:, self.columns - 1 : -1], before[:, : self.places]

        def step(carried, inputs):
            _, *state = carried
            return recurrent.one_step(
                self.network, [inputs[:, :2], inputs[:, 2:], *state], training
            )

        previous = ops.transpose(ops.stack([left, above], axis=-1), (1, 0, 2))
        steps = ops.concatenate([previous, self._where(z, label)], axis=-1)
        logits, *_ = backend.scan(step, steps, recurrent.before_the_first(self.network, z))
        return self.index.log_prob(z[..., None], ops.transpose(logits, (1, 0, 2)))

    def write(self, u, label=None):
        """Returns z ~ p(z), `(batch, places)`, written index by index.

        Args:
            u: numbers from 0 to 1, `(batch, places)`: at each place, the probability at which the
                index takes its distribution's quantile.
            label: `(batch,)`, if the network is told it.
        """

        def step(carried, inputs):
            window, *state = carried  # the indices from the one above to the one to the left
            previous = ops.concatenate([window[:, -1:], window[:, :1]], axis=-1)
            logits, *state = recurrent.one_step(self.network, [previous, inputs[:, 1:], *state])
            index = self.index.quantile(inputs[:, :1], logits)
            return [ops.concatenate([window[:, 1:], index], axis=-1), *state]

        steps = ops.concatenate([ops.transpose(u)[..., None], self._where(u, label)], axis=-1)
        _, *state = recurrent.before_the_first(self.network, u)
        windows, *_ = backend.scan(step, steps, [self._nothing(u), *state])
        return ops.transpose(windows[..., -1])

    def _nothing(self, like):
        """The indices before the first line, `(batch, columns)`: there are none."""
        return ops.full((ops.shape(like)[0], self.columns), float(self.count))

    def _where(self, like, label):
        """Each step's row and column, and the label, one-hot: `(places, batch, size)`."""
        row, column = (np.eye(n, dtype="float32") for n in (self.rows, self.columns))
        place = [np.repeat(row, self.columns, axis=0), np.tile(column, (self.rows, 1))]
        place = ops.convert_to_tensor(np.concatenate(place, axis=1))
        places = ops.repeat(place[:, None], ops.shape(like)[0], axis=1)
        if self.one_hot is None:
            return places
        label = ops.repeat(self.one_hot(label)[None], self.places, axis=0)
        return ops.concatenate([places, label], axis=-1)
