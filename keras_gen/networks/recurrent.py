"""Recurrent networks for sequences `(length, channels)`.

Shorter sequences are padded at their end with steps whose every channel is `mask_value`: encoders
and discriminators skip such steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras
from keras import layers, ops

from keras_gen.networks import common

CELLS = {"gru": (layers.GRU, layers.GRUCell), "lstm": (layers.LSTM, layers.LSTMCell)}
DIRECTIONS = ("backward", "forward", "bidirectional")
VERDICTS = ("sequence", "step")
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
    """Reads a sequence in both directions: `(batch, length, channels)` to `(batch, output_size)`.

    Args:
        input_shape: (length, channels).
        output_size: number of outputs.
        hidden: units of the recurrent layers, for each direction, in order.
        cell: `"gru"` or `"lstm"`.
        symbols: for text, whose one channel holds indices: how many there are.
        mask_value: of padding.
        seed: of the initial weights.
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
    """One step of a sequence: the step before, z and the state to p(this step) and a new state.

    The inputs are `previous`, `(batch, channels)`; z, `(batch, latent_dim)`; and the state, tensors
    `(batch, units)`. The outputs are the parameters of the step's law, `(batch, parameters)`, and
    the new state.

    Args:
        latent_dim: dimension of z.
        channels: of a sequence.
        parameters: how many the likelihood has for one step.
        hidden: units of the recurrent layers, in order.
        cell: `"gru"` or `"lstm"`.
        symbols: for text, whose one channel holds indices: how many there are. The index `symbols`
            stands for "unknown".
        seed: of the initial weights.
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
    """A sequence of noise `(batch, latent_dim)` to a sequence of data, `(batch, length, channels)`.

    Args:
        latent_dim: size of the noise: `static_dim` and a multiple of `length`.
        output_shape: (length, channels).
        value_range: of the data; a bounded one is reached by a tanh, scaled.
        hidden: units of the recurrent layers, in order.
        cell: `"gru"` or `"lstm"`.
        static_dim: how many numbers of the noise, the first, every step reads; each step has an
            equal part of the others for itself.
        initial_state: what the layers start from: `"zeros"`, or `"noise"`, a linear function of the
            noise that all steps share, which then decides the first step as much as the others.
        feedback: whether each step also reads the output of the one before (Mogren 2016, section 2)
            or noise only (Esteban et al. 2017, section 3).
        normalization: of the recurrent layers: None or `"layer"`; without feedback.
        num_classes: if given, a one-hot label `(batch, num_classes)` is a second input, read at
            every step.
        seed: of the initial weights.

    Raises:
        ValueError: if the noise cannot be divided among the steps, for another normalization or
            initial state, or if noise that all steps share is needed and there is none.
    """
    make = _layers(cell, seed, normalization)
    length, channels = output_shape
    own, rest = divmod(latent_dim - static_dim, length)
    if rest or own < 0 or not latent_dim:
        raise ValueError(
            f"a recurrent generator of {length} steps needs noise in as many equal parts beside "
            f"static_dim={static_dim}, not {latent_dim} numbers."
        )
    z, inputs = common.with_label((latent_dim,), num_classes, "z")
    parts = [layers.RepeatVector(length)(z[:, :static_dim])] if static_dim else []
    if own:
        parts.append(layers.Reshape((length, own))(z[:, static_dim:]))
    noise = layers.Concatenate()(parts) if len(parts) > 1 else parts[0]
    h = _joined(noise, inputs, length)

    if initial_state not in INITIAL_STATES or (initial_state == "noise" and not static_dim):
        raise ValueError(
            f"initial_state must be one of {', '.join(INITIAL_STATES)}, and static_dim positive "
            f"for noise; got {initial_state!r} and static_dim={static_dim}."
        )

    def start(sizes):
        """The states that layers start from; None for zeros."""
        if initial_state == "zeros":
            return None
        shared = z[:, :static_dim]
        return [make.dense(size, dtype=None)(shared) for size in keras.tree.flatten(sizes)]

    if feedback:
        if normalization:
            raise ValueError("normalization of the generator is not for feedback=True.")
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
    """Sequences `(batch, length, channels)` to a logit `(batch, 1)`, or to one for each step.

    Args:
        input_shape: (length, channels), of a sequence or of a pack of sequences.
        value_range: of the data; a bounded one is mapped to [-1, 1] first.
        hidden: units of the recurrent layers, in order.
        cell: `"gru"` or `"lstm"`.
        direction: in which a sequence is read: `"backward"`, `"forward"` or `"bidirectional"`.
        verdict: `"sequence"`, a logit for the whole, or `"step"`, `(batch, length, 1)`.
        deltas: if not 0, each step is read beside its change since the one before, times this,
            as speech recognizers do: of smooth sequences, slopes say more than values.
        normalization: of the recurrent layers: None or `"layer"`.
        num_classes: if given, a one-hot label `(batch, num_classes)` is a second input, read at
            every step.
        mask_value: of padding.
        features: whether what the logit is made from is a second output.
        seed: of the initial weights.

    Raises:
        ValueError: for a choice that is unknown.
    """
    for name, value, known in (
        ("direction", direction, DIRECTIONS),
        ("logits", logits, VERDICTS),
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
    h = _read(h, valid_steps(x, mask_value), direction, hidden, make, every_step=logits == "step")
    logit = make.dense(1)(h)
    return common.model(inputs, [logit, h] if features else [logit], "discriminator")


@keras.saving.register_keras_serializable("keras_gen")
class FeedbackCell(layers.Layer):
    """A recurrent cell that reads its own last output beside its input.

    Args:
        cell: the cell, or several stacked ones.
        output: the layer from the cell's state to the output.
    """

    def __init__(self, cell: keras.Layer, output: layers.Dense, **kwargs):
        super().__init__(**kwargs)
        self.cell = cell
        self.head = output
        self.state_size = [*keras.tree.flatten(cell.state_size), output.units]
        self.output_size = output.units

    def build(self, input_shape):
        if not self.head.built:  # Keras builds what it loads
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
    """Makes layers of one kind of cell, each with its own initial weights: same seed, same network.

    A gradient penalty needs a second derivative, which cuDNN's kernels do not have.
    """

    def __init__(self, cell: str, seed: int | None, normalization: str | None = None):
        if cell not in CELLS:
            raise ValueError(f"Unknown cell {cell!r}. Known: {', '.join(CELLS)}.")
        if normalization not in (None, "layer"):
            raise ValueError(
                f"recurrent layers have no normalization {normalization!r}: choose None or 'layer'."
            )
        self._recurrent, self._cell = CELLS[cell]
        self._normalization = normalization
        self._kernel = common.initializers(seed)
        # Another stream of seeds, out of the reach of the first.
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
    """Which steps are no padding, `(batch, length)`; None if all are."""
    if mask_value is None:
        return None
    return ops.any(ops.not_equal(x, mask_value), axis=-1)


def _embedded(x, symbols: int | None, units: int, make: _layers):
    """Text's indices `(..., 1)` as vectors `(..., units)`, "unknown" among them; signals as they
    are."""
    return x if symbols is None else make.embedding(symbols + 1, units)(x[..., 0])


def _joined(h, inputs: list, length: int):
    """A sequence with the label (the second input, if any) beside every step."""
    if len(inputs) == 1:
        return h
    return layers.Concatenate()([h, layers.RepeatVector(length)(inputs[1])])


def _read(h, valid, direction: str, hidden, make: _layers, every_step: bool = False):
    """What recurrent layers make of a sequence in the end, or at each of its steps."""
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
