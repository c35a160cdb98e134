"""Learning-rate schedules by name."""

import keras

from keras_gen.presets import SCHEDULES


def schedule(
    name: str, learning_rate: float, total_steps: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Returns what a Keras optimizer takes as its `learning_rate`.

    Args:
        name: "constant"; "cosine", half a cosine from `learning_rate` down to 0 at the last step;
            or "stages", stage i = 0..7 at `learning_rate * 10 ** (-i / 7)` for a share of
            `3 ** i / 3280` of the steps (Burda et al. 2016, section 5).
        learning_rate: the rate at the first step.
        total_steps: optimizer steps of the whole run.

    Raises:
        ValueError: for an unknown name.
    """
    if name == "constant":
        return learning_rate
    if name == "cosine":
        return keras.optimizers.schedules.CosineDecay(learning_rate, total_steps)
    if name == "stages":
        ends = [round(total_steps * (3**i - 1) / 6560) for i in range(1, 8)]
        rates = [learning_rate * 10 ** (-i / 7) for i in range(8)]
        # Keras still uses a stage's rate in the step numbered by its boundary.
        return keras.optimizers.schedules.PiecewiseConstantDecay([end - 1 for end in ends], rates)
    raise ValueError(f"unknown schedule {name!r}: known are {', '.join(SCHEDULES)}")
