"""What `keras-gen tune` varies of a preset unless it is told otherwise."""

from __future__ import annotations

from keras_gen.presets.preset import Preset

# Hyperparameters of single models whose best value depends on the data.
OF_MODELS = {"beta": "1..16:log", "r1": "0.01..10:log", "r2": "0.01..10:log"}


def search_space(preset: Preset) -> dict[str, str]:
    """Returns the space around a preset's values.

    Each rate goes from a tenth to ten times the preset's; z has half, all or twice as many
    dimensions; and of the model's hyperparameters those in `OF_MODELS` that the preset sets are
    tried over their usual range.

    Returns:
        Ranges by key, as `keras_gen.tuning.parse` reads them.
    """
    rates = preset.learning_rate
    if not isinstance(rates, dict):
        rates = {None: rates}
    space = {
        "learning_rate" + (f".{player}" if player else ""): f"{rate / 10:g}..{rate * 10:g}:log"
        for player, rate in rates.items()
    }
    if latents := preset.network.get("latent_dim"):
        space["latent_dim"] = f"{max(1, latents // 2)},{latents},{2 * latents}"
    return space | {key: text for key, text in OF_MODELS.items() if preset.model.get(key)}
