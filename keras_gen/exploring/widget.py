"""A picture that follows sliders for latents and codes."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from keras_gen import checks
from keras_gen.exploring.pictures import check_pictures, value_range
from keras_gen.models import GenerativeModel
from keras_gen.representation import Control, controls

widgets = checks.installed("ipywidgets", "explore", "ipywidgets", "explore")

SIDE = 280  # pixels of the picture, about


def explore(model: GenerativeModel, units: int = 12, seed: int = 0) -> Explorer:
    """Returns sliders for a model's latents and codes, with the picture that they generate.

    Args:
        model: of images or spectrograms, with latents that can be varied.
        units: at most so many, as `keras_gen.representation.controls` orders them.
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
        check_pictures(model)
        self._varied = controls(model, checks.integer("units", units))
        self.model, self.seed, self._range = model, checks.seed(seed), value_range(model)
        self.z = model.draw_latents(1, seed=seed)
        self.controls = [self._control(each) for each in self._varied]
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

    def _control(self, varied: Control):
        at = self.z[0, varied.place : varied.place + varied.width]
        if varied.width > 1:
            options = {"options": range(len(varied.values)), "value": int(at.argmax())}
            return widgets.Dropdown(description=varied.name, **options)
        low, high = float(varied.values.min()), float(varied.values.max())
        options = {"min": low, "max": high, "step": (high - low) / 60, "readout_format": ".1f"}
        value = float(np.clip(at[0], low, high))
        return widgets.FloatSlider(value=value, description=varied.name, **options)

    def _follow(self, change) -> None:
        """Puts what the controls say into z, and shows it."""
        for control, varied in zip(self.controls, self._varied, strict=True):
            chosen = varied.values[control.value] if varied.width > 1 else control.value
            self.z[0, varied.place : varied.place + varied.width] = chosen
        self._show()

    def _draw(self, button) -> None:
        self.seed = (self.seed + 1) % 2**31
        self._set(self.model.draw_latents(1, seed=self.seed))

    def _reset(self, button) -> None:
        z = np.zeros_like(self.z)
        for varied in self._varied:
            if varied.width > 1:
                z[0, varied.place] = 1.0
        self._set(z)

    def _set(self, z: np.ndarray) -> None:
        """Moves all controls to a z, and shows it once."""
        with self.picture.hold_sync():
            for control, varied in zip(self.controls, self._varied, strict=True):
                control.unobserve(self._follow, names="value")
                part = z[0, varied.place : varied.place + varied.width]
                control.value = int(part.argmax()) if varied.width > 1 else float(
                    np.clip(part[0], control.min, control.max)
                )  # fmt: skip
                control.observe(self._follow, names="value")
            self.z = z
            self._show()

    def _show(self) -> None:
        label = [np.array([self.label.value])] if self.label else []
        x = self.model.decode(self.z, *label)[0]
        low, high = self._range
        pixels = np.rint(255 * np.clip((x - low) / (high - low), 0, 1)).astype("uint8")
        scale = max(1, SIDE // max(pixels.shape[:2]))
        pixels = pixels.repeat(scale, axis=0).repeat(scale, axis=1)
        out = io.BytesIO()
        Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(out, "PNG")
        self.picture.value = out.getvalue()
