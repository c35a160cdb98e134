"""Samples of a SavedModel over HTTP: no Keras, no keras_gen, one file.

    MODEL=served/vae_digits uvicorn app:app --port 8000
    curl 'localhost:8000/sample?n=16&seed=1' --output samples.png
    curl 'localhost:8000/sample?n=2&seed=1&format=json'

The model is what `keras-gen export MODEL DEST` writes. The same n, seed and label give the same
samples.
"""

import io
import json
import math
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from PIL import Image
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

MOST = 64  # samples of one request
LARGEST_SEED = 2**31 - 1
MODEL = Path(os.environ.get("MODEL", "saved_model"))

if not (MODEL / "saved_model.pb").is_file():
    raise SystemExit(f"{MODEL} is not a SavedModel: keras-gen export MODEL {MODEL}")
loaded = tf.saved_model.load(str(MODEL))
draw = loaded.signatures["sample"]
card = json.loads((MODEL / "card.json").read_text(encoding="utf-8"))
inputs = set(draw.structured_input_signature[1])
low, high = card["spec"]["value_range"]
classes = card["spec"].get("num_classes") or 0


def number(request: Request, name: str, default: int, least: int, most: int) -> int:
    """Returns a parameter of the query, or answers 400 with what is wrong."""
    text = request.query_params.get(name, str(default))
    try:
        value = int(text)
    except ValueError:
        value = None
    if value is None or not least <= value <= most:
        raise HTTPException(400, f"{name} must be an integer from {least} to {most}, got {text!r}")
    return value


def sample(request: Request) -> Response:
    """GET /sample?n=&seed=&label=&format=png|json"""
    unknown = set(request.query_params) - {"n", "seed", "label", "format"}
    if unknown:
        raise HTTPException(400, f"unknown parameter {min(unknown)!r}: n, seed, label, format")
    n = number(request, "n", 16, 1, MOST)
    seed = number(request, "seed", 0, 0, LARGEST_SEED)
    form = request.query_params.get("format", "png")
    if form not in ("png", "json"):
        raise HTTPException(400, f"format must be png or json, got {form!r}")
    given = {"n": tf.constant(n), "seed": tf.constant(seed)}
    if "label" in inputs:
        label = np.arange(n) % classes
        if "label" in request.query_params:
            label = np.full(n, number(request, "label", 0, 0, classes - 1))
        given["label"] = tf.constant(label.astype("int32"))
    elif "label" in request.query_params:
        raise HTTPException(400, "this model takes no label")
    outputs = {name: each.numpy() for name, each in draw(**given).items()}
    if form == "json":
        text = {"text": [line.decode() for line in outputs["text"]]} if "text" in outputs else {}
        return JSONResponse({"n": n, "seed": seed, "x": outputs["x"].tolist(), **text})
    x = outputs["x"]
    if x.ndim != 4 or x.shape[-1] not in (1, 3):
        raise HTTPException(400, "these samples are no images: ask for format=json")
    return Response(picture(x), media_type="image/png")


def picture(x: np.ndarray) -> bytes:
    """Returns images `(n, height, width, channels)` as one PNG, in rows of about equal length."""
    n, height, width, channels = x.shape
    columns = math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    pixels = np.rint(255 * np.clip((x - low) / (high - low), 0, 1)).astype("uint8")
    sheet = np.zeros((rows * columns, height, width, channels), "uint8")
    sheet[:n] = pixels
    sheet = sheet.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    sheet = sheet.reshape(rows * height, columns * width, channels)
    out = io.BytesIO()
    Image.fromarray(sheet[..., 0] if channels == 1 else sheet).save(out, "PNG")
    return out.getvalue()


def about(request: Request) -> Response:
    """GET /: what is served."""
    known = {key: card.get(key) for key in ("preset", "description", "paper", "spec")}
    return JSONResponse({"most": MOST, **known})


def refused(request: Request, error: HTTPException) -> Response:
    """An error as one line of JSON."""
    return JSONResponse({"error": error.detail}, status_code=error.status_code)


app = Starlette(
    routes=[Route("/", about), Route("/sample", sample)],
    exception_handlers={HTTPException: refused},
)
