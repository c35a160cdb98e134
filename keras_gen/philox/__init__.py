"""Random bits as a function of a key: the same on every backend.

The generator is Philox 4x32-10 (Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3").
A key is a pair of integers of 32 bits, and the bits are those of TensorFlow's stateless functions
with `alg="philox"`. `backend` computes them with the arrays of the Keras backend in use.
"""

import importlib

import keras

backend = importlib.import_module(f"{__name__}.{keras.backend.backend()}")

__all__ = ["backend"]
