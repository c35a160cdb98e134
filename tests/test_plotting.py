"""What the figures of notebooks show."""

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pytest
from matplotlib import pyplot as plt

from keras_gen import plotting


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_images_lie_in_rows_with_gaps_that_show_the_page():
    images = np.linspace(0, 1, 6)[:, None, None, None] * np.ones((6, 4, 3, 1))
    ax = plotting.show_images(images, columns=3, row_labels=["a", "b"], column_labels="xyz")
    picture = ax.images[0].get_array()
    assert picture.shape == (2 * 5 - 1, 3 * 4 - 1, 4)
    for i, image in enumerate(images):
        row, column = divmod(i, 3)
        tile = picture[5 * row : 5 * row + 4, 4 * column : 4 * column + 3]
        np.testing.assert_allclose(tile[..., :3], np.repeat(image, 3, axis=-1), atol=1e-6)
        assert (tile[..., 3] == 1).all()
    assert (picture[4, :, 3] == 0).all() and (picture[:, 3, 3] == 0).all()
    assert [text.get_text() for text in ax.get_yticklabels()] == ["a", "b"]
    # Rows that are given are kept.
    ax = plotting.show_images(images.reshape(3, 2, 4, 3, 1))
    assert ax.images[0].get_array().shape == (3 * 5 - 1, 2 * 4 - 1, 4)


def test_history_is_drawn_as_it_is():
    history = {"loss": [3.0, 2.0, 1.0], "val_loss": [4.0, 3.0, 2.5], "kl": [0.0, 1.0, 2.0]}
    ax = plotting.plot_history(history, ["loss", "kl"])
    lines = {line.get_label(): list(line.get_ydata()) for line in ax.lines}
    assert lines == {
        "loss, training": history["loss"],
        "loss, validation": history["val_loss"],
        "kl, training": history["kl"],
    }
    assert list(ax.lines[0].get_xdata()) == [1, 2, 3]


def test_mistakes():
    with pytest.raises(ValueError, match="at least one, with 1 or 3 channels"):
        plotting.show_images(np.zeros((4, 8, 8)))
    with pytest.raises(ValueError, match="1 labels for 2 rows"):
        plotting.show_images(np.zeros((4, 8, 8, 1)), columns=2, row_labels=["a"])
    with pytest.raises(ValueError, match="no elbo in the history: it has loss"):
        plotting.plot_history({"loss": [1.0]}, ["elbo"])
