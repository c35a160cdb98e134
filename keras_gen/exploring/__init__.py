"""Sliders for a model's latents: in a notebook, or in a page of their own."""

from keras_gen import quiet  # noqa: F401  (before TensorFlow)
from keras_gen.exploring.page import page, write_page

__all__ = ["explore", "page", "write_page"]


def __getattr__(name: str):
    # ipywidgets, which only the widget needs, is an extra.
    if name == "explore":
        from keras_gen.exploring.widget import explore

        return explore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
