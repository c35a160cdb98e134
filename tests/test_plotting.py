"""What figures show."""

import matplotlib

matplotlib.use("Agg")

import dataclasses
import io
import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import pyplot as plt
from PIL import Image

from keras_gen import data, plotting


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


def pixels(figure):
    """The figure as it would be saved, `(height, width, 3)`."""
    figure.savefig(file := io.BytesIO(), format="png", dpi=figure.dpi)
    return np.asarray(Image.open(file).convert("RGB"))


# ---- samples -----------------------------------------------------------------------------------


def spec(kind, shape, value_range=(0.0, 1.0), **known):
    return data.Spec("made", kind, shape, value_range, **known)


def test_a_sheet_has_no_holes_white_gaps_and_whole_pixels():
    x = np.linspace(0, 1, 64)[:, None, None, None] * np.ones((64, 28, 28, 1))
    figure = plotting.draw_samples(x, spec("image", (28, 28, 1)))
    picture = figure.axes[0].images[0].get_array()
    step, size = 112 + 7, 112
    assert picture.shape == (8 * step - 7, 8 * step - 7, 4)
    for i in range(64):
        top, left = i // 8 * step, i % 8 * step
        tile = picture[top : top + size, left : left + size]
        np.testing.assert_allclose(tile[..., :3], i / 63, atol=1e-6)
    page = pixels(figure)
    assert (page[:10] == 255).all() and (page[:, :10] == 255).all(), "the page is white"
    # Each pixel of the sheet is one of the figure: no gray arises between black and white.
    x = np.indices((8, 8)).sum(axis=0)[None, :, :, None] % 2.0
    figure = plotting.draw_samples(x, spec("image", (8, 8, 1)))
    assert set(np.unique(pixels(figure))) == {0, 255}
    with pytest.raises(ValueError, match="cannot draw 0 samples"):
        plotting.draw_samples(x[:0], spec("image", (8, 8, 1)))


def test_classes_have_labelled_columns():
    model = SimpleNamespace(conditional=True)
    digits = spec("image", (8, 8, 1), num_classes=3)
    labels = plotting.class_labels(model, digits)
    assert labels == ["0", "1", "2"] and plotting.sheet_size(digits, labels) == 24
    assert plotting.sheet_size(digits) == 64
    assert plotting.class_labels(SimpleNamespace(conditional=False), digits) is None
    ax = plotting.draw_samples(np.zeros((24, 8, 8, 1)), digits, column_labels=labels).axes[0]
    assert [text.get_text() for text in ax.get_xticklabels()] == labels
    width = ax.images[0].get_array().shape[1]
    np.testing.assert_allclose(ax.get_xticks() / width, [1 / 6, 3 / 6, 5 / 6], atol=0.01)


def test_each_channel_has_its_own_scale_in_the_datas_units():
    known = {"channels": ("price", "volume"), "scaling": ((10.0, 20.0), (0.0, 1e6))}
    x = np.random.default_rng(0).uniform(size=(3, 24, 2))
    figure = plotting.draw_samples(x, spec("sequence", (24, 2), **known))
    assert [ax.get_title() for ax in figure.axes] == ["price", "volume"]
    for ax, channel, (low, high) in zip(figure.axes, (0, 1), known["scaling"], strict=True):
        assert len(ax.lines) == 3
        for line, sequence in zip(ax.lines, x, strict=True):
            np.testing.assert_allclose(line.get_ydata(), low + (high - low) * sequence[:, channel])


def test_padding_is_not_drawn():
    x = np.random.default_rng(0).uniform(size=(2, 6, 2))
    x[0, 4:] = -1.0
    x[1, 5, 0] = -1.0  # only one of its channels: not padding
    figure = plotting.draw_samples(x, spec("sequence", (6, 2), mask_value=-1.0))
    for channel, ax in enumerate(figure.axes):
        for line, sequence in zip(ax.lines, x, strict=True):
            drawn = np.isfinite(line.get_ydata())
            np.testing.assert_array_equal(drawn, (sequence != -1.0).any(axis=-1))
            np.testing.assert_array_equal(line.get_ydata()[drawn], sequence[drawn, channel])


def test_waveforms_do_not_overlap_and_have_one_scale():
    x = np.random.default_rng(0).uniform(-1, 1, (5, 40, 1)) * [[[1.0]], *[[[0.3]]] * 4]
    sound = spec("audio", (40, 1), (-1.0, 1.0), audio={"rate": 80})
    assert plotting.sheet_size(sound) == 20
    figure = plotting.draw_samples(x, sound)
    assert [len(ax.lines) for ax in figure.axes] == [3, 2]
    lines = [line for ax in figure.axes for line in ax.lines]
    for i, (line, waveform) in enumerate(zip(lines, x[..., 0], strict=True)):
        np.testing.assert_allclose(line.get_xdata(), np.arange(40) / 80)
        drawn = line.get_ydata() + i % 3
        assert np.abs(drawn).max() < 0.5, "it stays in its row"
        np.testing.assert_allclose(drawn / drawn[0], waveform / waveform[0])
        assert drawn[0] / waveform[0] == pytest.approx(lines[0].get_ydata()[0] / x[0, 0, 0])


def test_a_title_is_not_cut_off():
    title = "One digit of 8 by 8 pixels, and a long title"
    figure = plotting.draw_samples(np.ones((1, 8, 8, 1)), spec("image", (8, 8, 1)), title=title)
    pixels(figure)
    (text,) = figure.texts
    box = text.get_window_extent()
    assert text.get_text() == title
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1


def test_a_spectrogram_has_time_to_the_right_and_low_tones_at_the_bottom():
    x = np.zeros((1, 64, 60, 1))
    x[0, 63, 0] = 1.0  # the last frame, the lowest band
    audio = {"rate": 8000, "hop": 100}
    figure = plotting.draw_samples(x, spec("audio", (64, 60, 1), audio=audio))
    ax = figure.axes[0]
    white = np.argwhere(ax.images[0].get_array()[..., 0] == 1.0)
    assert white.min(axis=0).tolist() == [59 * 2, 63 * 2], "two pixels for each"
    assert [text.get_text() for text in ax.get_yticklabels()] == ["0", "4 kHz"]
    assert [text.get_text() for text in ax.texts] == ["0", "0.8 s"]


def test_a_piano_roll_has_high_notes_at_the_top():
    notes = tuple(map(str, range(60, 72)))
    x = np.zeros((1, 16, 12))
    x[0, 0, 11] = 1.0  # the first step, the highest note
    figure = plotting.draw_samples(x, spec("sequence", (16, 12), channels=notes))
    picture = figure.axes[0].images[0].get_array()
    assert np.argwhere(picture[..., 0] == 1.0).min(axis=0).tolist() == [0, 0]
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["60", "71"]


@pytest.mark.parametrize("shape", [(24, 9), (9, 24), (16, 8)])
def test_a_sheet_of_sequences_has_no_holes_and_is_about_square(shape):
    rolls = spec("sequence", shape)
    count = plotting.sheet_size(rolls)
    figure = plotting.draw_samples(np.ones((count, *shape)), rolls)
    picture = figure.axes[0].images[0].get_array()
    assert picture[-1, -1, 3] == 1, "the last place is taken"
    assert 0.45 < picture.shape[0] / picture.shape[1] < 2.2


@pytest.mark.parametrize("n", [1, 4])
@pytest.mark.parametrize(
    ("kind", "shape", "known"),
    [
        ("sequence", (16, 88), {"channels": tuple(map(str, range(21, 109)))}),
        ("sequence", (300, 8), {"channels": ("a rather long name", *"bcdefgh")}),
        ("audio", (64, 64, 1), {"audio": {"rate": 8000, "hop": 80, "lowest_hz": 20.0}}),
        ("audio", (40, 400, 1), {}),
    ],
)
def test_labels_lie_within_the_figure(kind, shape, known, n):
    figure = plotting.draw_samples(np.zeros((n, *shape)), spec(kind, shape, **known))
    pixels(figure)
    ax = figure.axes[0]
    left = [text.get_window_extent() for text in ax.get_yticklabels()]
    below = [text.get_window_extent() for text in ax.texts if text.get_text()]
    assert left and below
    for box in left + below:
        assert box.x0 >= 0 and box.y0 >= 0
        assert box.x1 <= figure.bbox.width and box.y1 <= figure.bbox.height
    assert max(box.x1 for box in left) < ax.bbox.x0
    assert max(box.y1 for box in below) < ax.bbox.y0
    for one, other in itertools.combinations(left + below, 2):
        assert not one.overlaps(other)


def test_points_lie_in_the_frame_of_the_data_with_its_modes():
    four = spec("vector", (2,), (-1.0, 1.0), modes=((0.5, -0.5),), sigma=0.1)
    points = np.array([[-0.999, 0.999], [0.999, 0.999], [3.0, 0.0]])
    ax = plotting.draw_samples(points, four).axes[0]
    np.testing.assert_array_equal(np.transpose(ax.lines[0].get_data()), points)
    assert ax.get_xlim() == ax.get_ylim() == (-1.0, 1.0), "what is outside is not seen"
    (disc,) = ax.patches
    assert tuple(disc.center) == (0.5, -0.5) and disc.radius == pytest.approx(0.3)
    assert plotting.drawable(four)
    assert not plotting.drawable(dataclasses.replace(four, shape=(3,)))
    assert not plotting.drawable(spec("image", (8, 8, 2)))
    assert not plotting.drawable(spec("text", (8, 1)))


@pytest.mark.parametrize(
    ("kind", "shape", "axes"),
    [
        ("image", (8, 8, 3), 1),
        ("vector", (2,), 2),
        ("sequence", (5, 3), 6),
        ("sequence", (5, 9), 1),
        ("audio", (40, 1), 2),
        ("audio", (6, 4, 1), 1),
    ],
)
def test_models_are_compared_row_by_row(kind, shape, axes):
    x = np.random.default_rng(0).uniform(size=(4, *shape))
    figure = plotting.draw_comparison([x, x], spec(kind, shape), ["one", "other"])
    assert len(figure.axes) == axes
    texts = [figure.axes[0].get_title(), figure.axes[0].get_ylabel()]
    texts += [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert "one" in texts


def test_figures_are_saved_whole_and_alike(tmp_path):
    for name in ("x.png", "x.svg"):
        files = []
        for _ in range(2):
            figure = plotting.draw_samples(np.ones((1, 8, 8, 1)), spec("image", (8, 8, 1)))
            plotting.save(figure, tmp_path / name)
            files.append((tmp_path / name).read_bytes())
        if name == "x.png":
            assert files[0] == files[1]
    with pytest.raises(ValueError, match=r"must end in \.png or \.svg"):
        plotting.save(figure, tmp_path / "x.pdf")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.png", "x.svg"]
