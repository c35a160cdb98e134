"""A picture that follows sliders for latents and codes."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from keras_gen import checks
from keras_gen.models import GenerativeModel

try:
    import ipywidgets as widgets
except ModuleNotFoundError as error:
    raise ImportError(
        "explore needs the package ipywidgets: pip install 'keras_gen[explore]'."
    ) from error

SIDE = 280  # pixels of the picture, about
CHANNELS = (1, 3)
VALUES = 7  # of a unit; a slider goes from the first to the last


def explore(model: GenerativeModel, units: int = 12, seed: int = 0) -> Explorer:
    """Returns sliders for a model's latents and codes, with the picture that they generate.

    Args:
        model: of images or spectrograms, with latents that can be varied.
        units: at most so many latents; InfoGAN's codes come first.
        seed: of the first z, and then of each press of "new seed".

    Raises:
        ValueError: if the model does not generate pictures, or has no latents to vary.
    """
    return Explorer(model, units, seed)


class Explorer(widgets.HBox):
    """The widget of `explore`.

    Attributes:
        z: the latents of the picture, `(1, latent_dim)`.
        controls: a slider or, for a category, a dropdown for each latent or code.
        picture: the image, PNG.
    """

    def __init__(self, model: GenerativeModel, units: int = 12, seed: int = 0):
        shape = tuple(model.data_shape)
        if len(shape) != 3 or shape[2] not in CHANNELS:
            raise ValueError(
                f"explore shows images of 1 or 3 channels; {type(model).__name__} generates data "
                f"of shape {shape}."
            )
        if not hasattr(model, "latent"):
            raise ValueError(f"{type(model).__name__} has no latents that can be varied.")
        checks.integer("units", units)
        self.model, self.seed = model, checks.seed(seed)
        self.z = model.draw_latents(1, seed=seed)
        found = list(enumerate(model.latent.units(VALUES)))
        if any(values.shape[1] > 1 for _, (_, values) in found):
            found = found[::-1]  # InfoGAN's codes come last in z
        self._units = [unit for _, unit in found[:units]]
        self.controls = [self._control(i, *unit) for i, unit in found[:units]]
        self.label = widgets.Dropdown(options=range(model.num_classes), description="class") \
            if model.conditional else None  # fmt: skip
        self.new_seed = widgets.Button(description="new seed")
        self.reset = widgets.Button(description="reset")
        self.new_seed.on_click(self._draw)
        self.reset.on_click(self._reset)
        self.picture = widgets.Image(format="png")
        chosen = [self.label] if self.label else []
        for control in (*self.controls, *chosen):
            control.observe(self._follow, names="value")
        buttons = widgets.HBox([self.new_seed, self.reset])
        self._show()
        super().__init__([self.picture, widgets.VBox([*chosen, *self.controls, buttons])])

    def _control(self, index: int, place: int, values: np.ndarray):
        width = values.shape[1]
        if width > 1:  # a category, one-hot
            at = int(self.z[0, place : place + width].argmax())
            return widgets.Dropdown(
                options=range(len(values)), value=at, description=f"code {index}"
            )
        low, high = float(values.min()), float(values.max())
        at = float(np.clip(self.z[0, place], low, high))
        options = {"min": low, "max": high, "step": (high - low) / 60, "readout_format": ".1f"}
        return widgets.FloatSlider(value=at, description=f"latent {index}", **options)

    def _follow(self, change) -> None:
        """Puts what the controls say into z, and shows it."""
        for control, (place, values) in zip(self.controls, self._units, strict=True):
            chosen = values[control.value] if values.shape[1] > 1 else control.value
            self.z[0, place : place + values.shape[1]] = chosen
        self._show()

    def _draw(self, button) -> None:
        self.seed = (self.seed + 1) % 2**31
        self._set(self.model.draw_latents(1, seed=self.seed))

    def _reset(self, button) -> None:
        z = np.zeros_like(self.z)
        for place, values in self._units:
            if values.shape[1] > 1:
                z[0, place] = 1.0
        self._set(z)

    def _set(self, z: np.ndarray) -> None:
        """Moves all controls to a z, and shows it once."""
        with self.picture.hold_sync():
            for control, (place, values) in zip(self.controls, self._units, strict=True):
                control.unobserve(self._follow, names="value")
                part = z[0, place : place + values.shape[1]]
                category = values.shape[1] > 1
                control.value = int(part.argmax()) if category else float(
                    np.clip(part[0], control.min, control.max)
                )  # fmt: skip
                control.observe(self._follow, names="value")
            self.z = z
            self._show()

    def _show(self) -> None:
        label = [np.array([self.label.value])] if self.label else []
        x = self.model.decode(self.z, *label)[0]
        low, high = getattr(self.model, "likelihood", self.model).value_range or (0.0, 1.0)
        pixels = np.rint(255 * np.clip((x - low) / (high - low), 0, 1)).astype("uint8")
        scale = max(1, SIDE // max(pixels.shape[:2]))
        pixels = pixels.repeat(scale, axis=0).repeat(scale, axis=1)
        out = io.BytesIO()
        Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(out, "PNG")
        self.picture.value = out.getvalue()
