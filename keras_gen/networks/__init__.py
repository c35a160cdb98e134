"""Default networks, by kind of data, as functional `keras.Model`s.

Encoders map data (and a one-hot label, if `num_classes` is given) to the parameters of q(z|x),
`(batch, output_size)`; decoders map z (and the label) to the parameters of p(x|z),
`(batch, *output_shape)`. Outputs are float32 under any precision policy, and linear.

Generators map z (and the label) to data within its range, `(batch, *output_shape)`; discriminators
map data (and the label) to a logit, `(batch, 1)`.
"""

from keras_gen import quiet  # noqa: F401  (before TensorFlow)
from keras_gen.networks import conv, dense, recurrent
from keras_gen.networks.common import layer_sizes

BY_NAME = {"dense": dense, "conv": conv, "recurrent": recurrent}

__all__ = ["BY_NAME", "conv", "dense", "layer_sizes", "recurrent"]
