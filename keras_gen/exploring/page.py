"""A page that runs a decoder in the browser, with sliders for its latents."""

from __future__ import annotations

import base64
import html
import json
import os
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from keras_gen import checks, files
from keras_gen.exploring.pictures import check_pictures, value_range
from keras_gen.exploring.program import Program
from keras_gen.representation import controls
from keras_gen.runs.trained import TrainedModel

TEMPLATE = Path(__file__).with_name("page.html")
DRAWS = 256  # of the prior, through which the button "new seed" goes


def write_page(
    trained: TrainedModel, out: str | os.PathLike, units: int = 12, seed: int = 0
) -> None:
    """Writes the page of a trained model; the file appears complete or not at all.

    Args:
        trained: of `keras_gen.runs.open`.
        out: the HTML file.
        units, seed: as in `page`.

    Raises:
        ValueError: as `page` does.
    """
    text = page(trained, units, seed)
    with files.written_beside(out) as beside:
        beside.write_text(text, encoding="utf-8")


def page(trained: TrainedModel, units: int = 12, seed: int = 0) -> str:
    """Returns a page, HTML, that holds a model's decoder or generator and computes its images.

    It needs no server and no network. Weights that float16 holds, as those of released models, are
    stored as such. Others are float32: rounded to half the bits, images would differ by about 1e-3
    from those of Keras.

    Args:
        trained: a model of images or spectrograms, with latents that can be varied, whose decoder
            has dense layers, transposed convolutions and batch normalization.
        units: at most so many sliders, as `keras_gen.representation.controls` orders them.
        seed: of the draws from the prior.

    Raises:
        ValueError: if the model is another one; the message names the layer.
    """
    content = json.dumps(_content(trained, units, checks.seed(seed)))
    card = trained.card
    subtitle = f"{card.get('description', type(trained.model).__name__)}. {card.get('paper') or ''}"
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=html.escape(trained.name),
        subtitle=html.escape(subtitle),
        content=content.replace("<", "\\u003c"),
    )


def _content(trained: TrainedModel, units: int, seed: int) -> dict[str, Any]:
    model, spec = trained.model, trained.spec
    check_pictures(model)
    varied = controls(model, checks.integer("units", units))
    program = Program(model)
    z = model.draw_latents(DRAWS, seed=seed)
    return {
        "shape": list(model.data_shape),
        "range": value_range(model),
        "upsideDown": spec.kind == "audio",  # low tones at the bottom
        "classes": model.num_classes if model.conditional else 0,
        "steps": program.steps,
        "parts": [[len(part), _is_half(part)] for part in program.parts],
        "weights": _encoded(*program.parts),
        "dim": int(z.shape[1]),
        "draws": base64.b64encode(np.ascontiguousarray(z, "<f4").tobytes()).decode(),
        "controls": [
            {
                "name": each.name,
                "place": each.place,
                "width": int(each.width),
                "low": float(each.values.min()),
                "high": float(each.values.max()),
            }
            for each in varied
        ],
    }


def _is_half(values: np.ndarray) -> bool:
    """Whether float16 holds the values without loss."""
    with np.errstate(over="ignore"):
        return bool(np.array_equal(values.astype("float16").astype("float32"), values))


def _encoded(*parts: np.ndarray) -> str:
    raw = (
        np.ascontiguousarray(part, "<f2" if _is_half(part) else "<f4").tobytes() for part in parts
    )
    return base64.b64encode(b"".join(raw)).decode()
