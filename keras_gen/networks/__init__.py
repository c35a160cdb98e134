"""Default networks by kind of data, as functional `keras.Model`s.

Encoders map data to the parameters of q(z|x), `(batch, output_size)`; decoders map z to the
parameters of p(x|z), `(batch, *output_shape)`. Generators map z to data within its range,
`(batch, *output_shape)`; discriminators map data to a logit, `(batch, 1)`. With `num_classes` each
takes a one-hot label as a second input. Outputs are float32 under any precision policy.
"""

from keras_gen import quiet  # noqa: F401  (before TensorFlow)
from keras_gen.networks import conv, dense, grid, recurrent
from keras_gen.networks.common import layer_sizes
from keras_gen.networks.remat import rematerialized

BY_NAME = {"dense": dense, "conv": conv, "grid": grid, "recurrent": recurrent}

__all__ = ["BY_NAME", "conv", "dense", "grid", "layer_sizes", "recurrent", "rematerialized"]
