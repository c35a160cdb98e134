"""What can be done with codes: read them from data, give them, vary them."""

from __future__ import annotations

import numpy as np


class CodedSampling:
    """Methods of a model whose z ends with codes that a `recognition` network reads back.

    A model has `codes`, a product of latents, and the features of its discriminator.
    """

    def infer_codes(self, x, batch_size: int = 512) -> np.ndarray:
        """The mean of Q(c|x), `(batch, codes.dim)`, for x `(batch, *data_shape)`: probabilities of
        the classes of categorical codes, values of the others."""
        return self.run("infer_codes", x, batch_size=batch_size)

    def sample(self, n: int, seed=None, codes=None, batch_size: int = 512) -> np.ndarray:
        """As `GAN.sample`.

        Args:
            n: number of samples.
            seed: of the noise, and of the codes that are not given.
            codes: `(n, codes.dim)`; or a list with an array for each of the codes, `(n, dim)` or,
                for categorical ones, class indices `(n,)`. By default drawn from their prior.
            batch_size: how many are generated at a time.
        """
        if codes is None:
            return super().sample(n, seed, batch_size=batch_size)
        codes = self.codes.join(codes) if isinstance(codes, (list, tuple)) else np.asarray(codes)
        if codes.shape != (n, self.codes.dim):
            raise ValueError(f"codes must be ({n}, {self.codes.dim}), got {codes.shape}.")
        z = self.draw_z(n, seed)
        z[:, -self.codes.dim :] = codes
        return self.run("generate", z, batch_size=batch_size)

    def traverse(self, code: int, n: int = 8, seed=None, steps: int = 7) -> np.ndarray:
        """Samples in which one code takes all its values and nothing else changes.

        Args:
            code: which: categorical codes count as one each, the others by dimension, in order.
            n: number of rows, each with noise and other codes of its own.
            seed: of noise and other codes.
            steps: values of a continuous code; a categorical one takes all its classes.

        Returns:
            `(n, values, *data_shape)`.
        """
        units = self.codes.units(steps)
        if not 0 <= code < len(units):
            raise ValueError(f"code must be in 0..{len(units) - 1}, got {code}.")
        place, values = units[code]
        z = np.repeat(self.draw_z(n, seed)[:, None], len(values), axis=1)
        start = z.shape[-1] - self.codes.dim + place
        z[:, :, start : start + values.shape[1]] = values
        made = self.run("generate", z.reshape(-1, z.shape[-1]))
        return made.reshape(*z.shape[:2], *self.data_shape)

    def signatures(self):
        """Also `infer_codes(x)`, the means of Q(c|x), `(batch, codes)`."""

        def infer_codes(x):
            features = self.judge(x).features
            return {"codes": self.codes.mean(self.recognition(features))}

        _, (x, *_) = super().signatures()["discriminate"]
        return super().signatures() | {"infer_codes": (infer_codes, [x])}
