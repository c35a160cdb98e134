"""Samples of any kind of data as one figure."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from keras_gen import data
from keras_gen.plotting.axes import POINT, frameless, show_points, tiled
from keras_gen.plotting.texts import text_blocks

DPI = 200
CHANNELS = (1, 3)  # of an image that can be shown: gray, or red, green and blue
TILE = 112  # pixels of a side of a square image on a sheet, about
ROWS, IMAGES, CURVES, POINTS, TEXTS = 8, 64, 20, 2500, 10
FEW_CHANNELS = 6  # that are drawn as curves; more are a row of pixels each
MARGIN, LABEL = 0.06, 0.22  # inches
LETTER = 0.07  # inches of a letter of a label, about
# Distinct for colour-blind eyes: Okabe & Ito 2008, without black and yellow.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9")


def drawable(spec: data.Spec) -> bool:
    """Returns whether samples can be drawn.

    Text, vectors of other than 2 dimensions and images of other than 1 or 3 channels cannot.
    """
    if spec.kind == "image":
        return spec.shape[-1] in CHANNELS
    return spec.kind in ("sequence", "audio") or spec.shape == (2,)


def class_labels(model, spec: data.Spec) -> list[str] | None:
    """Returns a column label for each class, if the model draws the classes in turn; else None."""
    if not model.conditional or not (spec.is_picture and drawable(spec)):
        return None
    return [str(i) for i in range(spec.num_classes)]


def sheet_size(spec: data.Spec, column_labels: Sequence[str] | None = None) -> int:
    """Returns how many samples a sheet holds: 8 x 8 images, or 8 for each class."""
    if column_labels:
        return ROWS * len(column_labels)
    if spec.is_picture:
        return IMAGES
    return {"vector": POINTS, "text": TEXTS}.get(spec.kind, CURVES)


def draw_samples(
    x: np.ndarray,
    spec: data.Spec,
    columns: int | None = None,
    column_labels: Sequence[str] | None = None,
    title: str | None = None,
) -> Figure:
    """Returns a figure of samples.

    Images, spectrograms and piano-rolls are laid out in rows. Sequences have a panel for each
    channel, on its own scale and in the data's own units, with a curve for each sample, which ends
    where padding begins. Waveforms are drawn one above the other. Points of the plane have the
    modes, if they are known, as discs of three standard deviations.

    Args:
        x: `(n, *spec.shape)`.
        spec: of the data.
        columns: images per row; by default the sheet is as square as possible.
        column_labels: above the columns, one each.
        title: of the figure.

    Raises:
        ValueError: if such data cannot be drawn, or there are no samples.
    """
    if not drawable(spec) or not len(x):
        raise ValueError(f"cannot draw {len(x)} samples of {spec.kind} data of shape {spec.shape}")
    if spec.kind == "vector":
        return _plane(x, spec, title)
    if _is_waveform(spec):
        half = math.ceil(len(x[:CURVES]) / 2)
        return _waveforms([x[:half], x[half:CURVES]], spec, title=title)
    if _is_curves(spec):
        return _panels(_in_units(x, spec), _channels(spec), "step", title)
    if column_labels:
        columns = len(column_labels)
    images = as_images(x, spec)
    return _sheet(images, columns or _columns(images), column_labels, _axis_texts(spec), title)


def draw_comparison(samples: Sequence[np.ndarray], spec: data.Spec, names: Sequence[str]) -> Figure:
    """Returns a figure with a row (or a panel, or a block of lines) for each of several models.

    Args:
        samples: for each model `(n, *spec.shape)`.
        spec: of the data.
        names: of the models.
    """
    if spec.kind == "text":
        return text_blocks(samples, spec, names)
    if spec.kind == "vector":
        figure = Figure((3.2 * len(samples), 3.5), dpi=DPI, layout="constrained")
        axes = np.ravel(figure.subplots(1, len(samples)))
        for ax, x, name in zip(axes, samples, names, strict=True):
            _points(x, spec, ax)
            ax.set_title(name, fontsize=9)
        return figure
    if _is_waveform(spec):
        return _waveforms(samples, spec, names)
    if _is_curves(spec):
        channels, size = _channels(spec), (2.2 * spec.shape[-1], 1.5 * len(samples))
        figure = Figure(size, dpi=DPI, layout="constrained")
        axes = figure.subplots(
            len(samples), len(channels), squeeze=False, sharey="col", sharex=True
        )
        for row, x, name in zip(axes, samples, names, strict=True):
            _curves(row, _in_units(x, spec), channels)
            row[0].set_ylabel(name, fontsize=8)
        for ax in axes[1:].ravel():
            ax.set_title("")
        return figure
    images = np.concatenate([as_images(x, spec) for x in samples])
    return _sheet(images, len(samples[0]), None, None, None, row_labels=names)


def as_images(x: np.ndarray, spec: data.Spec) -> np.ndarray:
    """Returns samples as images `(n, height, width, channels)` in [0, 1], time to the right."""
    if spec.kind == "image":
        return np.asarray(x, "float32")
    if spec.kind == "audio":  # a spectrogram, low tones at the bottom
        return np.swapaxes(x, 1, 2)[:, ::-1]
    low, high = spec.value_range
    return (np.swapaxes(x, 1, 2)[:, ::-1, :, None] - low) / ((high - low) or 1.0)


def _is_waveform(spec: data.Spec) -> bool:
    return spec.kind == "audio" and len(spec.shape) == 2


def _is_curves(spec: data.Spec) -> bool:
    return spec.kind == "sequence" and spec.shape[-1] <= FEW_CHANNELS


def _channels(spec: data.Spec) -> Sequence[str]:
    return spec.channels or [f"channel {i}" for i in range(spec.shape[-1])]


def _in_units(x: np.ndarray, spec: data.Spec) -> np.ndarray:
    """Returns sequences in the data's own units, with NaN in place of padding."""
    values = np.asarray(x, "float64") if spec.scaling is None else spec.unscaled(x)
    if spec.mask_value is None:
        return values
    return np.where(np.all(np.equal(x, spec.mask_value), axis=-1, keepdims=True), np.nan, values)


def _columns(images: np.ndarray) -> int:
    """Returns how many images per row make a sheet about as wide as high, with no holes if it can.

    It is the best divisor of the number of images, or the best number if no divisor is near it.
    """
    count, height, width, _ = images.shape
    ratio = height / width
    best = math.sqrt(count * (1 if 0.5 < ratio < 2 else ratio))
    divisors = [i for i in range(count, 0, -1) if count % i == 0]
    divisor = min(divisors, key=lambda i: round(abs(math.log(i / best)), 6))
    return divisor if 1 / 1.8 < divisor / best < 1.8 else math.ceil(best)


def _axis_texts(spec: data.Spec) -> tuple[str, str, str, str] | None:
    """What the ends of the axes of one image mean: left, right, bottom, top."""
    if spec.kind == "audio":
        frames, bands, _ = spec.shape
        audio = spec.audio or {}
        seconds = frames * audio["hop"] / audio["rate"] if {"hop", "rate"} <= set(audio) else None
        right = f"{frames} frames" if seconds is None else f"{seconds:.2g} s"
        bottom = f"{audio['lowest_hz']:g} Hz" if "lowest_hz" in audio else "0"
        top = f"{audio['rate'] / 2000:g} kHz" if "rate" in audio else f"band {bands}"
        return "0", right, bottom, top
    if spec.kind == "sequence":
        names = spec.channels or [str(i) for i in range(spec.shape[-1])]
        return "", f"{spec.shape[0]} steps", names[0], names[-1]
    return None


def _sheet(images, columns, column_labels, axis_texts, title, row_labels=None) -> Figure:
    """Images in rows, each pixel a square of whole pixels of the figure."""
    height, width = images.shape[1:3]
    scale = max(1, round(TILE / math.sqrt(height * width)))
    images = images.repeat(scale, axis=1).repeat(scale, axis=2)
    height, width = height * scale, width * scale
    gap = max(4, round(math.sqrt(height * width) / 16))
    picture = tiled(images, columns, gap)
    beside = row_labels or (axis_texts[2:] if axis_texts else [])
    if axis_texts and height < LABEL * DPI:  # too low for a label at each end
        beside = [" to ".join(axis_texts[2:])]
    left = MARGIN + LETTER * (max(map(len, beside)) + 1 if beside else 0)
    bottom = LABEL if axis_texts else MARGIN
    top = MARGIN + LABEL * bool(column_labels) + LABEL * bool(title)
    inches = picture.shape[1] / DPI, picture.shape[0] / DPI
    below = LETTER * len(axis_texts[1]) if axis_texts else 0
    above = LETTER * len(title) + MARGIN - left if title else 0
    size = left + max(inches[0], below, above) + MARGIN, bottom + inches[1] + top
    figure = Figure(size, dpi=DPI)
    ax = figure.add_axes(
        (left / size[0], bottom / size[1], inches[0] / size[0], inches[1] / size[1])
    )
    ax.imshow(picture, interpolation="nearest", aspect="auto")
    frameless(ax)
    ax.tick_params(labelsize=8, pad=2)
    ax.set(xticks=[], yticks=[])
    if column_labels:
        ax.xaxis.tick_top()
        ax.set_xticks(np.arange(columns) * (width + gap) + (width - 1) / 2, column_labels)
    if row_labels:
        ax.set_yticks(np.arange(len(row_labels)) * (height + gap) + (height - 1) / 2, row_labels)
    if axis_texts:  # beside the lowest image of the first column
        last = picture.shape[0]
        ends = [last - 1, last - height] if len(beside) == 2 else [last - height / 2]
        ax.set_yticks(ends, beside)
        fits = LETTER * (len(axis_texts[0]) + len(axis_texts[1])) < width / DPI
        ends = [(0, axis_texts[0], "left"), (width, axis_texts[1], "right")]
        for x, text, side in ends if fits else [(0, axis_texts[1], "left")]:
            ax.text(x, last + 6, text, size=8, ha=side, va="top")
    if title:
        figure.suptitle(title, fontsize=8, y=1 - MARGIN / size[1], va="top")
    return figure


def _panels(x: np.ndarray, names: Sequence[str], step: str, title: str | None) -> Figure:
    """A panel for each channel, with a curve for each of the first sequences."""
    x = x[:CURVES]
    columns = min(3, len(names))
    rows = math.ceil(len(names) / columns)
    figure = Figure((2.6 * columns, 1.6 * rows + 0.2), dpi=DPI, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True).ravel()
    _curves(axes, x, names)
    for ax in axes[len(names) :]:
        ax.remove()
    for ax in axes[len(names) - columns : len(names)]:  # the last of each column
        ax.tick_params(labelbottom=True)
    figure.supxlabel(step, fontsize=7)
    if title:
        figure.suptitle(title, fontsize=9)
    return figure


def _curves(axes, x: np.ndarray, names: Sequence[str]) -> None:
    for i, (ax, name) in enumerate(zip(axes, names, strict=False)):
        for j, sequence in enumerate(x[..., i]):
            ax.plot(sequence, color=COLOURS[j % len(COLOURS)], linewidth=0.7, alpha=0.8)
        ax.set_title(name.replace("_", " "), fontsize=8, pad=3)
        ax.tick_params(labelsize=6, length=2)
        ax.ticklabel_format(axis="y", style="sci", scilimits=(-3, 4), useMathText=True)
        ax.yaxis.get_offset_text().set_fontsize(6)
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)


def _waveforms(
    parts: Sequence[np.ndarray],
    spec: data.Spec,
    names: Sequence[str] | None = None,
    title: str | None = None,
) -> Figure:
    """A column for each part, in it the waveforms one above the other, on one scale."""
    rows = max(map(len, parts))
    figure = Figure((3.2 * len(parts), 0.3 * rows + 0.6), dpi=DPI, layout="constrained")
    rate = (spec.audio or {}).get("rate")
    seconds = np.arange(spec.shape[0]) / (rate or 1)
    height = 2.1 * max(map(abs, spec.value_range))
    axes = np.ravel(figure.subplots(1, len(parts), sharey=True))
    for i, (ax, x) in enumerate(zip(axes, parts, strict=True)):
        for row, waveform in enumerate(np.asarray(x)[..., 0]):
            ax.plot(seconds, waveform / height - row, color=POINT, linewidth=0.4)
        ax.set(yticks=[], ylim=(0.5 - rows, 0.5), xmargin=0)
        ax.tick_params(labelsize=6, length=2)
        for side in ("left", "top", "right"):
            ax.spines[side].set_visible(False)
        if names:
            ax.set_title(names[i], fontsize=8)
    figure.supxlabel("seconds" if rate else "step", fontsize=7)
    if title:
        figure.suptitle(title, fontsize=9)
    return figure


def _plane(x: np.ndarray, spec: data.Spec, title: str | None) -> Figure:
    figure = Figure((4, 4), dpi=DPI, layout="constrained")
    _points(x, spec, figure.subplots())
    if title:
        figure.suptitle(title, fontsize=9)
    return figure


def _points(x: np.ndarray, spec: data.Spec, ax) -> None:
    """Points in the frame of the data's range; those outside are not seen."""
    modes = None if spec.modes is None else np.asarray(spec.modes)
    radius = None if spec.sigma is None else 3 * spec.sigma
    show_points(x, modes, ax=ax, radius=radius, color=POINT, markersize=2)
    ax.set(xlim=spec.value_range, ylim=spec.value_range)
