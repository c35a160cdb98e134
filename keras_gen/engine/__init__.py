"""What repeats in every model and no paper says: configuration, gradients, inputs, serving."""

from keras_gen import quiet  # noqa: F401  (before TensorFlow)
