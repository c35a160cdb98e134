"""Progress in a few lines."""

import keras
import numpy as np
import pytest

from keras_gen.runs import PrintEpochs


def printed(capsys, epochs, **options) -> list[str]:
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(loss="mse")
    x = np.ones((4, 1), "float32")
    model.fit(x, x, epochs=epochs, verbose=0, callbacks=[PrintEpochs(**options)])
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(("epochs", "shown"), [(1, [1]), (4, [2, 4]), (5, [2, 5]), (9, [4, 9])])
def test_prints_evenly_spaced_epochs_up_to_the_last(capsys, epochs, shown):
    lines = printed(capsys, epochs, lines=2)
    assert [int(line.split()[1]) for line in lines] == shown
    assert all(f"of {epochs}: loss " in line for line in lines)


def test_leaves_out_metrics_that_are_missing(capsys):
    (line,) = printed(capsys, 1, metrics=["elbo", "loss"])
    assert "elbo" not in line and "loss" in line


@pytest.mark.parametrize("lines", [0, 2.5])
def test_the_number_of_lines_is_checked(lines):
    with pytest.raises(ValueError, match="lines"):
        PrintEpochs(lines=lines)
