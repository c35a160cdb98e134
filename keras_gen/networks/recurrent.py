"""Recurrent networks for sequences `(length, channels)`.

Shorter sequences are padded at the end with steps in which every channel equals `mask_value`.
Encoders and discriminators skip those steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras
from keras import layers, ops

from keras_gen.networks import common

CELLS = {"gru": (layers.GRU, layers.GRUCell), "lstm": (layers.LSTM, layers.LSTMCell)}
DIRECTIONS = ("backward", "forward", "bidirectional")
LOGITS = ("sequence", "step")
INITIAL_STATES = ("zeros", "noise")


def encoder(
    input_shape: tuple[int, int],
    output_size: int,
    hidden: Sequence[int] = (128,),
    cell: str = "gru",
    symbols: int | None = None,
    mask_value: float | None = None,
    seed: int | None = None,
) -> keras.Model:
    """Returns a bidirectional encoder of sequences.

    It maps `(batch, length, channels)` to `(batch, output_size)`.

    Args:
        input_shape: (length, channels).
        output_size: number of outputs.
        hidden: units of the recurrent layers in each direction, from first to last.
        cell: `"gru"` or `"lstm"`.
        symbols: size of the vocabulary for text, whose one channel holds indices. None: numbers.
        mask_value: value that marks padding. None: no padding.
        seed: seed of the initial weights.
    """
    make = _layers(cell, seed)
    x = keras.Input(tuple(input_shape), name="x")
    h = _embedded(x, symbols, hidden[0], make)
    h = _read(h, valid_steps(x, mask_value), "bidirectional", hidden, make)
    return keras.Model(x, make.dense(output_size)(h), name="encoder")


def decoder(
    latent_dim: int,
    channels: int,
    parameters: int,
    hidden: Sequence[int] = (128,),
    cell: str = "gru",
    symbols: int | None = None,
    seed: int | None = None,
) -> keras.Model:
    """Returns a decoder of one step of a sequence.

    The inputs are the previous step, `(batch, channels)`; z, `(batch, latent_dim)`; and the state,
    tensors of shape `(batch, units)`. The outputs are the parameters of the distribution of the
    current step, `(batch, parameters)`, and the new state.

    Args:
        latent_dim: dimension of z.
        channels: number of channels of a sequence.
        parameters: number of the likelihood's parameters for one step.
        hidden: units of the recurrent layers, from first to last.
        cell: `"gru"` or `"lstm"`.
        symbols: size of the vocabulary, if the channels hold indices; text has one. The index
            `symbols` stands for "unknown". None: numbers.
        seed: seed of the initial weights.
    """
    make = _layers(cell, seed)
    previous = keras.Input((channels,), name="previous")
    z = keras.Input((latent_dim,), name="z")
    h = layers.Concatenate()([_embedded(previous, symbols, hidden[0], make), z])
    before, after = [], []
    for i, units in enumerate(hidden):
        step = make.cell(units)
        names = [f"state_{i}_{j}" for j in range(len(keras.tree.flatten(step.state_size)))]
        state = [keras.Input((units,), name=name) for name in names]
        h, new = step(h, state)
        before += state
        after += keras.tree.flatten(new)
    return keras.Model([previous, z, *before], [make.dense(parameters)(h), *after], name="decoder")


def generator(
    latent_dim: int,
    output_shape: tuple[int, int],
    value_range: tuple[float, float] = (-math.inf, math.inf),
    hidden: Sequence[int] = (24, 24),
    cell: str = "gru",
    static_dim: int = 0,
    initial_state: str = "zeros",
    feedback: bool = False,
    normalization: str | None = None,
    num_classes: int | None = None,
    seed: int | None = None,
) -> keras.Model:
    """Returns a generator of sequences.

    It maps noise `(batch, latent_dim)` to data `(batch, length, channels)`.

    Args:
        latent_dim: size of the noise: `static_dim` plus a multiple of `length`.
        output_shape: (length, channels).
        value_range: least and greatest value of the data. If both are finite, the outputs pass
            through a scaled tanh.
        hidden: units of the recurrent layers, from first to last.
        cell: `"gru"` or `"lstm"`.
        static_dim: size of the first part of the noise, which every step reads. The rest is
            divided equally among the steps.
        initial_state: initial state of the layers: `"zeros"`, or `"noise"`, a linear function of
            the noise that all steps read. With `"noise"` the first step depends on that noise as
            much as the later ones do.
        feedback: whether each step also reads the previous output (Mogren 2016, section 2), or
            only noise (Esteban et al. 2017, section 3).
        normalization: normalization after the recurrent layers: None or `"layer"`. It must be None
            with feedback.
        num_classes: if given, a one-hot label `(batch, num_classes)` is a second input, which
            every step reads.
        seed: seed of the initial weights.

    Raises:
        ValueError: if the noise cannot be divided among the steps, if an option is unknown, or if
            `initial_state="noise"` and `static_dim` is 0.
    """
    make = _layers(cell, seed, normalization)
    length, channels = output_shape
    own, rest = divmod(latent_dim - static_dim, length)
    if rest or own < 0 or not latent_dim:
        raise ValueError(
            f"latent_dim must be static_dim={static_dim} plus a multiple of the {length} steps of "
            f"a sequence, got {latent_dim}."
        )
    z, inputs = common.with_label((latent_dim,), num_classes, "z")
    parts = [layers.RepeatVector(length)(z[:, :static_dim])] if static_dim else []
    if own:
        parts.append(layers.Reshape((length, own))(z[:, static_dim:]))
    noise = layers.Concatenate()(parts) if len(parts) > 1 else parts[0]
    h = _joined(noise, inputs, length)

    if initial_state not in INITIAL_STATES or (initial_state == "noise" and not static_dim):
        raise ValueError(
            f"initial_state must be one of {', '.join(INITIAL_STATES)}, with static_dim positive "
            f"for noise; got {initial_state!r} and static_dim={static_dim}."
        )

    def start(sizes):
        """Returns the initial states of a layer; None for zeros."""
        if initial_state == "zeros":
            return None
        shared = z[:, :static_dim]
        return [make.dense(size, dtype=None)(shared) for size in keras.tree.flatten(sizes)]

    if feedback:
        if normalization:
            raise ValueError(
                "a recurrent generator with feedback=True has no normalization: choose None, got "
                f"{normalization!r}."
            )
        cells = layers.StackedRNNCells([make.cell(units) for units in hidden])
        end = "tanh" if common.bounded(value_range) else "linear"
        cell = FeedbackCell(cells, make.dense(channels, activation=end))
        h = layers.RNN(cell, return_sequences=True)(h, initial_state=start(cell.state_size))
        h = common.rescaled(layers.Activation("linear", dtype="float32")(h), value_range)
    else:
        for units in hidden:
            layer = make.recurrent(units, return_sequences=True)
            h = layer(h, initial_state=start(layer.cell.state_size))
            h = make.normalized(h)
        h = common.squashed(make.dense(channels)(h), value_range)
    return common.model(inputs, h, "generator")


def discriminator(
    input_shape: tuple[int, int],
    value_range: tuple[float, float] = (-math.inf, math.inf),
    hidden: Sequence[int] = (24, 24),
    cell: str = "gru",
    direction: str = "backward",
    logits: str = "sequence",
    deltas: float = 0.0,
    normalization: str | None = None,
    num_classes: int | None = None,
    mask_value: float | None = None,
    features: bool = False,
    seed: int | None = None,
) -> keras.Model:
    """Returns a discriminator of sequences.

    It maps `(batch, length, channels)` to one logit for each sequence, `(batch, 1)`, or to one for
    each step, `(batch, length, 1)`.

    Args:
        input_shape: (length, channels) of a sequence, or of a pack of sequences.
        value_range: least and greatest value of the data. If both are finite, the inputs are
            scaled to [-1, 1].
        hidden: units of the recurrent layers, from first to last.
        cell: `"gru"` or `"lstm"`.
        direction: direction of reading: `"backward"`, `"forward"` or `"bidirectional"`.
        logits: `"sequence"` for one logit for each sequence, `"step"` for one for each step.
        deltas: if not 0, each step also gets its difference from the previous step, times this
            factor, as in speech recognition. For smooth sequences the slopes are more informative
            than the values.
        normalization: normalization after the recurrent layers: None or `"layer"`.
        num_classes: if given, a one-hot label `(batch, num_classes)` is a second input, which
            every step reads.
        mask_value: value that marks padding. None: no padding.
        features: whether the input of the last layer is a second output.
        seed: seed of the initial weights.

    Raises:
        ValueError: if an option is unknown.
    """
    for name, value, known in (
        ("direction", direction, DIRECTIONS),
        ("logits", logits, LOGITS),
    ):
        if value not in known:
            raise ValueError(f"Unknown {name} {value!r}. Known: {', '.join(known)}.")
    make = _layers(cell, seed, normalization)
    x, inputs = common.with_label(tuple(input_shape), num_classes, "x")
    h = common.centered(x, value_range)
    if deltas:
        change = ops.pad(h[:, 1:] - h[:, :-1], [[0, 0], [1, 0], [0, 0]])
        h = layers.Concatenate()([h, deltas * change])
    h = _joined(h, inputs, input_shape[0])
    h = _read(h, valid_steps(x, mask_value), direction, hidden, make, logits == "step")
    logit = make.dense(1)(h)
    return common.model(inputs, [logit, h] if features else [logit], "discriminator")


def before_the_first(network: keras.Model, like) -> list:
    """Returns what stands for the outputs of a network for one step before the first: zeros, for
    as many examples as `like` has."""
    batch = ops.shape(like)[0]
    return [ops.zeros((batch, each.shape[-1])) for each in network.outputs]


def one_step(network: keras.Model, inputs: list, training: bool = False) -> list:
    """Returns the outputs of a network for one step, in float32 whatever it computes in."""
    return [ops.cast(each, "float32") for each in network(inputs, training=training)]


@keras.saving.register_keras_serializable("keras_gen")
class FeedbackCell(layers.Layer):
    """Recurrent cell that reads its previous output along with its input.

    Args:
        cell: the inner cell, or several stacked ones.
        output: the layer from the inner cell's output to this cell's output.
    """

    def __init__(self, cell: keras.Layer, output: layers.Dense, **kwargs):
        super().__init__(**kwargs)
        self.cell = cell
        self.head = output
        self.state_size = [*keras.tree.flatten(cell.state_size), output.units]
        self.output_size = output.units

    def build(self, input_shape):
        if not self.head.built:  # Keras builds the layers of a loaded model itself.
            self.cell.build((input_shape[0], input_shape[-1] + self.head.units))
            self.head.build((input_shape[0], self.cell.output_size))

    def call(self, inputs, states, training: bool = False):
        *states, last = states
        read = ops.concatenate([inputs, ops.cast(last, inputs.dtype)], axis=-1)
        states = keras.tree.pack_sequence_as(self.cell.state_size, states)
        h, states = self.cell(read, states, training=training)
        y = ops.cast(self.head(h), last.dtype)
        return y, [*keras.tree.flatten(states), y]

    def get_config(self):
        nested = {"cell": self.cell, "output": self.head}
        nested = {k: keras.saving.serialize_keras_object(v) for k, v in nested.items()}
        return super().get_config() | nested

    @classmethod
    def from_config(cls, config):
        for name in ("cell", "output"):
            config[name] = keras.saving.deserialize_keras_object(config[name])
        return cls(**config)


class _layers:
    """Makes the layers of one network, each with initial weights of its own.

    The same seed gives the same network. The layers don't use cuDNN's kernels: these have no second
    derivative, which gradient penalties need.
    """

    def __init__(self, cell: str, seed: int | None, normalization: str | None = None):
        if cell not in CELLS:
            raise ValueError(f"Unknown cell {cell!r}. Known: {', '.join(CELLS)}.")
        if normalization not in (None, "layer"):
            raise ValueError(
                "for normalization of recurrent layers choose None or 'layer', got "
                f"{normalization!r}."
            )
        self._recurrent, self._cell = CELLS[cell]
        self._normalization = normalization
        self._kernel = common.initializers(seed)
        # A second range of seeds, which the first does not reach.
        self._orthogonal = common.initializers(
            None if seed is None else seed + 500, keras.initializers.Orthogonal
        )

    def _weights(self):
        return {
            "kernel_initializer": self._kernel(),
            "recurrent_initializer": self._orthogonal(),
        }

    def recurrent(self, units: int, **options) -> keras.Layer:
        return self._recurrent(units, use_cudnn=False, **self._weights(), **options)

    def cell(self, units: int) -> keras.Layer:
        return self._cell(units, **self._weights())

    def dense(self, units: int, dtype: str | None = "float32", **options) -> keras.Layer:
        return layers.Dense(units, kernel_initializer=self._kernel(), dtype=dtype, **options)

    def embedding(self, symbols: int, units: int) -> keras.Layer:
        return layers.Embedding(symbols, units, embeddings_initializer=self._kernel())

    def normalized(self, h):
        return layers.LayerNormalization()(h) if self._normalization else h


def valid_steps(x, mask_value: float | None):
    """Returns which steps are not padding, `(batch, length)`; None if there is no padding."""
    if mask_value is None:
        return None
    return ops.any(ops.not_equal(x, mask_value), axis=-1)


def _embedded(x, symbols: int | None, units: int, make: _layers):
    """Returns the vectors `(..., channels * size)` of indices `(..., channels)`, with a size of at
    most `units`; numbers are unchanged.

    The embedding has a further row for "unknown".
    """
    if symbols is None:
        return x
    # A table of k vectors has a rank of at most k: more numbers in each say nothing new.
    units = min(units, symbols + 1)
    embedding = make.embedding(symbols + 1, units)
    if x.shape[-1] == 1:
        return embedding(x[..., 0])
    return layers.Reshape((*x.shape[1:-1], x.shape[-1] * units))(embedding(x))


def _joined(h, inputs: list, length: int):
    """Returns the sequence with the label, if it is an input, appended to every step."""
    if len(inputs) == 1:
        return h
    return layers.Concatenate()([h, layers.RepeatVector(length)(inputs[1])])


def _read(h, valid, direction: str, hidden, make: _layers, every_step: bool = False):
    """Returns the recurrent layers' output at the last step, or at every step."""
    backward = direction == "backward"
    if backward:
        h, valid = ops.flip(h, axis=1), None if valid is None else ops.flip(valid, axis=1)
    for i, units in enumerate(hidden):
        options = {"return_sequences": every_step or i + 1 < len(hidden)}
        layer = make.recurrent(units, **options)
        if direction == "bidirectional":
            mirror = make.recurrent(units, go_backwards=True, **options)
            layer = layers.Bidirectional(layer, backward_layer=mirror)
        h = make.normalized(layer(h, mask=valid))
    return ops.flip(h, axis=1) if backward and every_step else h
