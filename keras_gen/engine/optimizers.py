"""One optimizer for each player, as one Keras optimizer.

Keras knows one `model.optimizer`: what saves, restores, schedules and logs looks there. The
optimizer here holds the players' own and stands for them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np


@keras.saving.register_keras_serializable("keras_gen")
class PlayerOptimizers(keras.optimizers.Optimizer):
    """The optimizers of several players, each with its own slots, learning rate and loss scale.

    Args:
        optimizers: player -> optimizer. The last is the main one: callbacks see its
            `learning_rate` and `iterations`.

    Attributes:
        players: the same. (Some of Keras's callbacks treat an attribute `optimizers` as a list.)
    """

    def __init__(self, optimizers: Mapping[str, keras.optimizers.Optimizer], name="players"):
        super().__init__(learning_rate=0.0, name=name)
        self.players = dict(optimizers)
        *_, self._main = self.players
        self._player_of: dict[int, str] = {}
        self._ratios: dict[str, float] = {}

    def seat(self, player: str, networks: Iterable[keras.Model]) -> None:
        """Builds a player's optimizer over the trainable weights of its networks."""
        networks = tuple(networks)
        self._player_of |= {id(network): player for network in networks}
        optimizer = self.players[player]
        if not optimizer.built:
            optimizer.build([v for network in networks for v in network.trainable_variables])
        self.built = len(set(self._player_of.values())) == len(self.players)

    def of(self, network: keras.Model) -> keras.optimizers.Optimizer:
        """Returns the optimizer of the player that a network belongs to."""
        return self.players[self._player_of[id(network)]]

    def apply(self, grads, trainable_variables=None) -> None:
        raise RuntimeError("Each player has its own optimizer: call apply of `of(network)`.")

    @property
    def variables(self) -> list[keras.Variable]:
        """The variables of all players' optimizers."""
        return [v for optimizer in self.players.values() for v in optimizer.variables]

    @property
    def iterations(self):
        """The number of steps of the main player, for callbacks."""
        return self.players[self._main].iterations

    @property
    def learning_rate(self):
        """The rate of the main player. Setting it keeps the ratios of the other players' rates."""
        return self.players[self._main].learning_rate

    @learning_rate.setter
    def learning_rate(self, value) -> None:
        main = float(self.learning_rate)
        if main:  # a rate of 0 would forget the ratios
            self._ratios = {n: float(o.learning_rate) / main for n, o in self.players.items()}
        for name, optimizer in self.players.items():
            optimizer.learning_rate = float(value) * self._ratios.get(name, 1.0)

    def save_own_variables(self, store) -> None:
        """Saves nothing: Keras goes on to `players`, which save their own."""

    def load_own_variables(self, store) -> None:
        """Loads nothing, for the same reason."""

    def get_config(self) -> dict[str, Any]:
        optimizers = {
            name: keras.saving.serialize_keras_object(each) for name, each in self.players.items()
        }
        return {"optimizers": optimizers, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects=None) -> PlayerOptimizers:
        optimizers = {
            name: keras.saving.deserialize_keras_object(each, custom_objects)
            for name, each in config["optimizers"].items()
        }
        return cls(optimizers, name=config["name"])


def resolved(optimizer: Any, model: keras.Model, scale_loss: bool) -> keras.optimizers.Optimizer:
    """Returns what was given to `compile(optimizer=...)` as one optimizer.

    Args:
        optimizer: a name or an optimizer; for a model with players also a dictionary with one for
            each, or None for the paper's.
        model: a `GenerativeModel`.
        scale_loss: whether float16 needs the loss scaled.

    Raises:
        ValueError: if the optimizers are not for the model's players.
    """
    if isinstance(optimizer, PlayerOptimizers):
        optimizer = optimizer.players
    if not model.players:
        return _scaled(keras.optimizers.get(optimizer), model, scale_loss)
    if not isinstance(optimizer, Mapping):
        optimizer = dict.fromkeys(model.players, optimizer)
    if set(optimizer) != set(model.players):
        raise ValueError(
            f"{type(model).__name__} has the players {', '.join(model.players)}: give "
            f"compile(optimizer=...) one optimizer, or a dictionary with one for each; got "
            f"{', '.join(optimizer) or 'none'}."
        )
    each = {}
    for player in model.players:
        chosen = optimizer[player]
        if chosen is None:
            chosen = model.default_optimizer(player)
        elif isinstance(chosen, keras.optimizers.Optimizer) and any(
            chosen is other for name, other in optimizer.items() if name != player
        ):
            # Players can share the settings of one object, but not its slots.
            chosen = type(chosen).from_config(chosen.get_config())
        each[player] = _scaled(keras.optimizers.get(chosen), model, scale_loss)
    return PlayerOptimizers(each)


def build(optimizer: keras.optimizers.Optimizer, model: keras.Model) -> None:
    """Builds an optimizer over the weights that it moves, so that its slots can be restored."""
    if isinstance(optimizer, PlayerOptimizers):
        for player, networks in model.players.items():
            optimizer.seat(player, networks)
    else:
        optimizer.build(model.trainable_variables)


def groups(optimizer: keras.optimizers.Optimizer, networks: Iterable) -> list[tuple]:
    """Returns each optimizer with the trainable variables of networks that it moves."""
    found: dict[int, tuple] = {}
    for network in networks:
        own = optimizer.of(network) if isinstance(optimizer, PlayerOptimizers) else optimizer
        found.setdefault(id(own), (own, []))[1].extend(network.trainable_variables)
    return list(found.values())


def _scaled(optimizer, model, scale_loss: bool) -> keras.optimizers.Optimizer:
    if not scale_loss or isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return optimizer
    # Losses are sums over an event's dimensions. Keras's initial scale of 2^15, meant for means,
    # would overflow, and the first steps would be skipped.
    size = 2 ** np.ceil(np.log2(max(1, model.event_size)))
    return keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=2**15 / size)


def portable(config):
    """Returns a serialized object whose optimizers are Keras's, not those of its PyTorch backend,
    which no other backend has."""
    if isinstance(config, (list, tuple)):
        return [portable(each) for each in config]
    if not isinstance(config, dict):
        return config
    config = {key: portable(value) for key, value in config.items()}
    if str(config.get("module")).startswith("keras.src.backend.torch.optimizers"):
        config |= {"module": "keras.optimizers", "registered_name": None}
    return config


def adam(rate: Any, players: Iterable[str], **options) -> Any:
    """Returns what `compile(optimizer=...)` takes for Adam with one rate, or one for each player.

    Args:
        rate: a number or a Keras schedule; or player -> such, for a model with players.
        players: the model's players, or none.
        **options: further arguments of `keras.optimizers.Adam`.

    Raises:
        ValueError: if there are rates for other players than the model has.
    """
    rates = rate if isinstance(rate, Mapping) else dict.fromkeys(players, rate)
    if set(rates) != set(players):
        raise ValueError(
            f"learning_rate is for {', '.join(rates) or 'no players'}, but the model has the "
            f"players {', '.join(players) or '(none: give one number)'}."
        )
    if not rates:
        return keras.optimizers.Adam(rate, **options)
    return {player: keras.optimizers.Adam(each, **options) for player, each in rates.items()}
