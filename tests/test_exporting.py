"""Exported functions compute in their own runtimes what Keras computes."""

import json

import numpy as np
import pytest

from keras_gen import data, exporting, models
from keras_gen.cli.main import main
from keras_gen.exporting import converters

pytestmark = pytest.mark.tensorflow

GRAY = data.Spec("gray", "image", (8, 8, 1), (0.0, 1.0), num_classes=3)


class Trained:
    """What export asks of a trained model."""

    def __init__(self, model, spec=GRAY):
        self.model, self.spec, self.card = model, spec, {"preset": "of a test"}
        self.origin = "a test's model"

    def dataset(self, source, data_dir):
        raise ValueError("it is not at hand")


@pytest.fixture(scope="module")
def vae():
    return models.ConditionalVAE.for_data(
        GRAY, latent_dim=3, network="dense", hidden=(64, 32), seed=0
    )


@pytest.fixture(scope="module")
def gan():
    model = models.DGAN.for_data(GRAY, latent_dim=5, width=8, seed=0)
    for variable in model.generator.non_trainable_variables:
        if "variance" in variable.path:
            variable.assign(np.linspace(0.5, 1.5, variable.shape[0]))
    return model


@pytest.mark.parametrize("format", ["litert", "onnx"])
def test_decode_is_that_of_keras(format, vae, gan, tmp_path):
    for name, model in (("vae", vae), ("gan", gan)):
        path = tmp_path / f"{name}{exporting.FORMATS[format]}"
        made = exporting.export(Trained(model), path, format)
        assert made.difference < 1e-5 and made.size == path.stat().st_size
        z = model.draw_latents(7, seed=9)
        label = {"label": np.arange(7, dtype="int32") % 3} if model.conditional else {}
        run = exporting.open_runtime(path)
        assert set(run.inputs) == {"z", *label}
        outputs = run(z=z, **label)
        assert set(outputs) == {"x"}
        np.testing.assert_allclose(outputs["x"], model.decode(z, *label.values()), atol=1e-5)
    assert not [each for each in tmp_path.iterdir() if each.suffix not in (".tflite", ".onnx")]


@pytest.mark.parametrize("format", ["litert", "onnx"])
def test_another_signature(format, vae, tmp_path):
    made = exporting.export(Trained(vae), tmp_path / "folder", format, signature="encode")
    assert made.path.name == f"model{exporting.FORMATS[format]}"
    x = np.random.default_rng(0).uniform(size=(5, *GRAY.shape)).astype("float32")
    label = np.array([0, 1, 2, 0, 1], "int32")
    outputs = exporting.open_runtime(made.path)(x=x, label=label)
    np.testing.assert_allclose(outputs["z"], vae.encode(x, label), atol=1e-5)
    card = json.loads((tmp_path / "folder" / "card.json").read_text())
    assert card["export"] == {"format": format, "quantize": None, "signature": "encode"}


@pytest.mark.parametrize(
    ("format", "quantize", "share", "mean"),
    [
        ("litert", "float16", 0.62, 1e-3),
        ("litert", "dynamic", 0.55, 0.01),
        ("litert", "int8", 0.55, 0.02),
        ("onnx", "float16", 0.7, 1e-3),
        ("onnx", "dynamic", 0.7, 0.01),
    ],
)
def test_quantized_files_are_smaller_and_close(format, quantize, share, mean, tmp_path):
    model = models.ConditionalVAE.for_data(
        GRAY, latent_dim=3, network="dense", hidden=(128, 128), seed=0
    )
    suffix = exporting.FORMATS[format]
    whole = exporting.export(Trained(model), tmp_path / f"whole{suffix}", format)
    small = exporting.export(Trained(model), tmp_path / f"small{suffix}", format, quantize)
    assert small.size < share * whole.size
    assert 0 < small.mean_difference < mean
    z, label = model.draw_latents(50, seed=3), np.arange(50, dtype="int32") % 3
    x = exporting.open_runtime(small.path)(z=z, label=label)["x"]
    assert np.abs(x - model.decode(z, label)).mean() < mean


def test_a_layer_that_a_converter_does_not_know_is_named(tmp_path, capsys):
    for suffix, format in ((".tflite", "litert"), (".onnx", "onnx")):
        path = tmp_path / f"model{suffix}"
        assert main(["export", "crgan_sines", str(path), "--format", format]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert "cannot convert layer gru_1" in error and "--format saved_model can" in error
        assert not path.exists()


def test_a_file_that_computes_something_else_is_not_written(vae, gan, tmp_path, monkeypatch):
    other = models.DGAN.for_data(GRAY, latent_dim=5, width=8, seed=1)
    exporting.export(Trained(other), tmp_path / "other.onnx", "onnx")
    content = (tmp_path / "other.onnx").read_bytes()
    monkeypatch.setattr(converters, "to_onnx", lambda *rest: content)
    with pytest.raises(ValueError, match=r"decode differs from Keras by .*not written"):
        exporting.export(Trained(gan), tmp_path / "wrong.onnx", "onnx")
    assert not (tmp_path / "wrong.onnx").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x.onnx", "--format", "litert"], "is not for litert, whose files end in .tflite"),
        (["x.onnx", "--format", "onnx", "--quantize", "int8"], "onnx has no quantization 'int8'"),
        (["x.onnx", "--format", "onnx", "--signature", "sing"], "no signature 'sing'"),
        (["x.onnx", "--format", "onnx", "--signature", "sample"], "takes n and seed"),
        (["no/x.onnx", "--format", "onnx"], "there is no directory no"),
        (["x", "--quantize", "int8"], "--quantize is for --format litert or onnx"),
        (["full", "--format", "onnx"], "exists and is not a folder of this kind"),
    ],
)
def test_mistakes_are_one_line(arguments, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    assert main(["export", "vae_digits", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert [each.name for each in tmp_path.iterdir()] == ["full"]


def test_the_command_prints_the_difference(tmp_path, capsys):
    path = tmp_path / "digits.tflite"
    command = ["export", "vae_digits", str(path), "--format", "litert", "--quantize", "int8",
               "--signature", "reconstruct", "--data", "digits"]  # fmt: skip
    assert main(command) == 0
    captured = capsys.readouterr()
    assert "reconstruct of the released model vae_digits" in captured.out
    assert "largest difference from Keras" in captured.out
    assert captured.err == ""
