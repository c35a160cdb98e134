"""From a trained model to a smaller one in a folder of its own."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_gen import evaluation, files, models, quiet
from keras_gen.distilling.distillation import Distillation
from keras_gen.distilling.narrow import narrowed
from keras_gen.engine.optimizers import adam
from keras_gen.models.adversarial import AdversarialModel
from keras_gen.presets import released
from keras_gen.runs.schedules import schedule
from keras_gen.runs.trained import TrainedModel

TIMED = 64  # samples at a time, for the speed


@dataclasses.dataclass(frozen=True)
class Distilled:
    """What came of a distillation.

    Attributes:
        path: the folder, a trained model as `keras_gen.runs.open` reads it.
        parameters: of the decoder or generator, (teacher, student).
        seconds: to decode 64 z on this machine, (teacher, student).
        figures: by protocol (teacher, student); those of the teacher measured beside.
    """

    path: Path
    parameters: tuple[int, int]
    seconds: tuple[float, float]
    figures: dict[str, tuple[float, float]]


def distill(
    trained: TrainedModel,
    dest: str | os.PathLike,
    width: float = 0.5,
    epochs: int = 10,
    learning_rate: float = 1e-3,
    batch_size: int = 128,
    source: Any = None,
    data_dir: str | os.PathLike | None = None,
    protocols: tuple[str, ...] | None = None,
    seed: int = 0,
    verbose: int | str = "auto",
) -> Distilled:
    """Trains a narrower decoder or generator to a teacher's outputs, and writes the model.

    Args:
        trained: the teacher, a VAE or a GAN.
        dest: the folder to write, with `model.keras` and `card.json`.
        width: share of the units of each hidden layer.
        epochs: passes over the training data, which z of a VAE comes from, and which the
            discriminator of a GAN sees.
        learning_rate: Adam's, which falls to 0 as a cosine.
        batch_size: examples per step.
        source, data_dir: the data, as for `TrainedModel.dataset`.
        protocols: what is measured of both; by default the preset's.
        seed: of the new weights and of all noise.
        verbose: as in `keras.Model.fit`.

    Raises:
        ValueError: before training starts, if the model cannot be distilled.
        FileExistsError: if something else is at `dest`.
    """
    files.check_replaceable(dest, released.CARD)
    if not 0 < width < 1:
        raise ValueError(f"width must be a share between 0 and 1, got {width!r}.")
    teacher = trained.model
    dataset = trained.dataset(source, data_dir)
    if protocols is None:
        protocols = trained.preset.protocols if trained.preset else ()
    evaluation.check(protocols, dataset.spec, type(teacher))
    quiet.set_random_seed(seed)
    student, network = student_of(teacher, width, seed)
    job = Distillation(student, network, seed=seed)
    batches = dataset.batches("train", batch_size, seed=seed, drop_remainder=True)
    rate = schedule("cosine", learning_rate, epochs * len(batches))
    players = job.players
    beta = {"beta_1": 0.5} if players else {}
    rates = dict.fromkeys(players, rate) if players else rate
    job.compile(optimizer=adam(rates, players, **beta))
    start = time.perf_counter()
    job.fit(batches, epochs=epochs, verbose=verbose)
    seconds = time.perf_counter() - start
    student.compile()
    teacher.compile()
    own = _network(student)
    figures = {
        name: tuple(evaluation.measure(name, model, dataset).value for model in (teacher, student))
        for name in protocols
    }
    counts = network.count_params(), own.count_params()
    speeds = _seconds(teacher), _seconds(student)
    content = _card(trained, width, epochs, seconds, counts, figures)
    with files.folder_written_beside(dest) as beside:
        student.save(beside / released.MODEL)
        content["sha256"] = files.sha256(beside / released.MODEL)
        content["bytes"] = (beside / released.MODEL).stat().st_size
        files.write_json(beside / released.CARD, content)
    return Distilled(Path(dest), counts, speeds, figures)


def student_of(
    teacher: models.GenerativeModel, width: float, seed: int
) -> tuple[models.GenerativeModel, keras.Model]:
    """Returns a model like another one but with a narrower decoder or generator, and the network
    that it learns from.

    Raises:
        ValueError: if it has none, or one that cannot be made narrower.
    """
    network = _network(teacher)
    name = "generator" if isinstance(teacher, AdversarialModel) else "decoder"
    config = teacher.get_config()
    if "ema" in config:
        config["ema"] = 0.0
    student = type(teacher).from_config(
        config
        | {
            name: keras.saving.serialize_keras_object(narrowed(network, width)),
            "seed": seed,
        }
    )
    averaged = getattr(teacher, "average", None)
    others = [layer for layer in teacher.layers if layer is not averaged]
    for new, old in zip(student.layers, others, strict=True):
        if old is not getattr(teacher, name):  # the other networks go on from the teacher's
            new.set_weights(old.get_weights())
    return student, network


def _network(model: models.GenerativeModel) -> keras.Model:
    if isinstance(model, AdversarialModel):
        return model.sampler
    if hasattr(model, "decoder") and hasattr(model, "likelihood"):
        return model.decoder
    raise ValueError(f"{type(model).__name__} has no decoder that can be distilled.")


def _seconds(model: models.GenerativeModel) -> float:
    """Returns how long it takes to decode `TIMED` z, the median of several times."""
    z = model.draw_latents(TIMED, seed=0)
    label = [np.arange(TIMED) % model.num_classes] if model.conditional else []
    model.decode(z, *label)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        model.decode(z, *label)
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def _card(trained, width, epochs, seconds, counts, figures) -> dict[str, Any]:
    content = dict(trained.card)
    for name in ("sha256", "bytes", "command"):
        content.pop(name, None)
    content["distilled"] = {
        "from": trained.name,
        "width": width,
        "epochs": epochs,
        "seconds": round(seconds, 1),
        "parameters": dict(zip(("teacher", "student"), counts, strict=True)),
        "figures": {
            name: dict(zip(("teacher", "student"), each, strict=True))
            for name, each in figures.items()
        },
    }
    content["metrics"] = {}
    return json.loads(json.dumps(content, default=str))
