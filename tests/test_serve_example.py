"""The example that serves a SavedModel: right answers, clear refusals, and under load."""

import asyncio
import importlib.util
import io
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

import keras_gen
from keras_gen import runs

pytestmark = pytest.mark.tensorflow

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "serve"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served") / "model"
    runs.open("vae_digits").export(folder)
    return folder


@pytest.fixture(scope="module")
def client(served):
    before = os.environ.get("MODEL")
    os.environ["MODEL"] = str(served)
    try:
        spec = importlib.util.spec_from_file_location("serve_app", EXAMPLE / "app.py")
        app = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(app)
    finally:
        os.environ.pop("MODEL") if before is None else os.environ.update(MODEL=before)

    async def ask(path):
        transport = httpx.ASGITransport(app=app.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as session:
            return await session.get(path)

    return lambda path: asyncio.run(ask(path))


def test_samples_are_those_of_keras(client):
    expected = keras_gen.from_preset("vae_digits").sample(5, seed=3)
    answer = client("/sample?n=5&seed=3&format=json").json()
    np.testing.assert_allclose(answer["x"], expected, atol=1e-5)
    picture = client("/sample?n=5&seed=3")
    assert picture.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(picture.content)) as image:
        pixels = np.asarray(image)
    assert pixels.shape == (16, 24)
    np.testing.assert_allclose(pixels[:8, 8:16] / 255, expected[1, ..., 0], atol=0.6 / 255)
    assert not pixels[8:, 16:].any(), "the sixth place is empty"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("n=65", "n must be an integer from 1 to 64, got '65'"),
        ("n=0", "n must be"),
        ("n=many", "got 'many'"),
        ("seed=-1", "seed must be an integer from 0"),
        ("label=3", "takes no label"),
        ("format=gif", "format must be png or json"),
        ("count=3", "unknown parameter 'count'"),
    ],
)
def test_wrong_requests_are_refused(query, message, client):
    answer = client(f"/sample?{query}")
    assert answer.status_code == 400
    assert message in answer.json()["error"]


def test_it_says_what_it_serves(client):
    assert client("/").json()["preset"] == "vae_digits"


@pytest.mark.slow
def test_a_thousand_requests_eight_at_a_time(served):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port), "--log-level", "error"],
        cwd=EXAMPLE,
        env=os.environ | {"MODEL": str(served)},
    )
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        load = subprocess.run(
            [sys.executable, EXAMPLE / "load_test.py", "--url", f"http://127.0.0.1:{port}"],
            capture_output=True,
            text=True,
            timeout=300,
        )
    finally:
        server.terminate()
        server.wait(30)
    assert load.returncode == 0, load.stdout + load.stderr
    assert "1000 requests, 8 at a time, 0 failed" in load.stdout
    assert "99 % within" in load.stdout
