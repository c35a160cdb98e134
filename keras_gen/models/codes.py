"""What can be done with codes: infer them from data, choose them, vary them."""

from __future__ import annotations

import numpy as np

from keras_gen import checks
from keras_gen.engine import serving


class CodedSampling:
    """Methods of a model whose z ends with codes, which it can infer from data.

    The model has `codes`, a product of latents, and a signature `infer_codes`.
    """

    def infer_codes(self, x, batch_size: int = 512) -> np.ndarray:
        """Returns the mean of Q(c|x), `(batch, codes.dim)`, for x `(batch, *data_shape)`.

        It holds the probabilities of the classes of categorical codes, and the expected values of
        the others.
        """
        return serving.run(self, "infer_codes", x, batch_size=batch_size)

    def sample(self, n: int, seed=None, codes=None, batch_size: int = 512) -> np.ndarray:
        """Returns `n` samples, `(n, *data_shape)`.

        Args:
            n: number of samples.
            seed: of the noise, and of codes that are not given; None draws a seed.
            codes: `(n, codes.dim)`; or a list with an array for each of the codes, `(n, dim)` or,
                for categorical ones, class indices `(n,)`. By default drawn from their prior.
            batch_size: how many are generated at a time.

        Raises:
            ValueError: if a number is not a valid integer, or codes have another shape.
        """
        z = self.draw_latents(n, seed)
        if codes is not None:
            is_list = isinstance(codes, (list, tuple))
            codes = self.codes.join(codes) if is_list else np.asarray(codes)
            if codes.shape != (n, self.codes.dim):
                raise ValueError(f"codes must be ({n}, {self.codes.dim}), got {codes.shape}.")
            z[:, -self.codes.dim :] = codes
        return self.decode(z, batch_size=batch_size)

    def traverse(self, code: int, n: int = 8, seed=None, steps: int = 7) -> np.ndarray:
        """Returns samples in which one code takes all its values and nothing else changes.

        Args:
            code: index of the code: a categorical code counts as one, others by dimension.
            n: number of rows, each with its own noise and other codes.
            seed: of noise and other codes.
            steps: values of a continuous code; a categorical one takes all its classes.

        Returns:
            `(n, values, *data_shape)`.
        """
        units = self.codes.units(checks.integer("steps", steps))
        place, values = units[checks.integer("code", code, least=0, most=len(units) - 1)]
        z = np.repeat(self.draw_latents(n, seed)[:, None], len(values), axis=1)
        start = z.shape[-1] - self.codes.dim + place
        z[:, :, start : start + values.shape[1]] = values
        return serving.decode_paths(self, z)
