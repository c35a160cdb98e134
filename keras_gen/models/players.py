"""One optimizer for each player of a game, as one Keras optimizer.

Keras knows one `model.optimizer`: what saves, restores, schedules and logs looks there. This one
holds the players' own and stands for them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import keras


@keras.saving.register_keras_serializable("keras_gen")
class PlayerOptimizers(keras.optimizers.Optimizer):
    """The optimizers of several players, each with slots, learning rate and loss scale of its own.

    Args:
        optimizers: player -> optimizer. The last is the main one: its `learning_rate` and
            `iterations` are what callbacks see.

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
        """The optimizer of the player to whom a network belongs."""
        return self.players[self._player_of[id(network)]]

    def apply(self, grads, trainable_variables=None) -> None:
        raise RuntimeError("Each player has its own optimizer: apply `of(network)`.")

    @property
    def variables(self) -> list[keras.Variable]:
        """Those of all players' optimizers."""
        return [v for optimizer in self.players.values() for v in optimizer.variables]

    @property
    def iterations(self):
        """The steps of the main player, for callbacks."""
        return self.players[self._main].iterations

    @property
    def learning_rate(self):
        """That of the main player; setting it keeps the others' ratios to it."""
        return self.players[self._main].learning_rate

    @learning_rate.setter
    def learning_rate(self, value) -> None:
        main = float(self.learning_rate)
        if main:  # a rate of 0 would forget the ratios
            self._ratios = {n: float(o.learning_rate) / main for n, o in self.players.items()}
        for name, optimizer in self.players.items():
            optimizer.learning_rate = float(value) * self._ratios.get(name, 1.0)

    def save_own_variables(self, store) -> None:
        """Nothing: Keras goes on to `players`, which save their own."""

    def load_own_variables(self, store) -> None:
        """Nothing, as in `save_own_variables`."""

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


def adam(rate: Any, players: Iterable[str], **options) -> Any:
    """What `compile(optimizer=...)` takes for Adam with a rate, or with one for each player.

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
            f"learning_rate is for {', '.join(rates) or 'no players'}; the model has the players "
            f"{', '.join(players) or '(none: give one number)'}."
        )
    if not rates:
        return keras.optimizers.Adam(rate, **options)
    return {player: keras.optimizers.Adam(each, **options) for player, each in rates.items()}
