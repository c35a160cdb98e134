"""The deep InfoGAN: many categorical and continuous codes on deep convolutional networks.

Chen et al. 2016, "InfoGAN" (arXiv:1606.03657), appendix C: on SVHN four ten-way and four
continuous codes, on CelebA ten ten-way codes, with networks in the manner of DCGAN. The objective
is `InfoGAN`'s, equation 6.

    paper                         here
    --------------------------    -----------------------------------------------------------------
    c_1 ... c_4 of SVHN           `codes="categorical:10,...,uniform:4"`
    c_1 ... c_10 of CelebA        `codes="categorical:10,..."`, ten times
    the networks of table 2 ff.   `networks.conv`, deeper by `depth`, wider by `width`
"""

from __future__ import annotations

from keras_gen import data
from keras_gen.engine import options
from keras_gen.models.infogan import InfoGAN
from keras_gen.presets import citations

SVHN_CODES = ",".join(["categorical:10"] * 4 + ["uniform:4"])


class DeepInfoGAN(InfoGAN):
    """`InfoGAN` on deep networks with many codes; its arguments are those of `InfoGAN`."""

    paper = f"{citations.CHEN}, appendix C"

    @options.takes_options
    def for_data(
        cls, spec: data.Spec, latent_dim: int = 124, codes=SVHN_CODES, **options
    ) -> DeepInfoGAN:
        """Returns the model with default networks and the codes of the paper's SVHN experiment."""
        return super().for_data(spec, latent_dim, codes=codes, **options)
