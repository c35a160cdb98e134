"""A trained model by whatever names it: a run directory, a release, a `.keras` file or a preset."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_gen import data, evaluation, files, models, presets
from keras_gen.engine import serving
from keras_gen.presets import Preset, released
from keras_gen.suggestions import nearest


class TrainedModel:
    """A trained model and what is known of it.

    Attributes:
        name: of the run, the preset or the file.
        origin: what it is, for output: "the released model dgan_mnist".
        path: of the run directory, the released folder or the file.
        preset: its recipe, or None if that is not known.
        spec: the `keras_gen.data.Spec` of its data.
        seed: of its training.
        data_dir: where its data was, or None.
        metrics: figures that are known, as in metrics.json.
    """

    name: str
    origin: str
    path: Path
    preset: Preset | None = None
    spec: data.Spec
    seed: int = 0
    data_dir: str | None = None
    metrics: dict[str, Any]

    @functools.cached_property
    def model(self) -> models.GenerativeModel:
        """The model, loaded once.

        Raises:
            ValueError: if its file is damaged, or training is unfinished.
        """
        return load_model(self.model_file)

    @property
    def model_file(self) -> Path:
        """The `.keras` file."""
        raise NotImplementedError

    @property
    def card(self) -> dict[str, Any]:
        """What is known of the model: preset, data, metrics, versions, commit, command."""
        raise NotImplementedError

    def dataset(
        self, source: Any = None, data_dir: str | os.PathLike | None = None
    ) -> data.Dataset:
        """Loads the data that the model was trained on, or other data of its kind and shape.

        Args:
            source: as for `keras_gen.data.load`; by default the preset's data. The preset's options
                apply to another path of the same kind.
            data_dir: where prepared data is.

        Raises:
            ValueError: if the data is missing, is not known, or has another kind or shape.
        """
        data_dir = data_dir or self.data_dir
        if source is not None:
            chosen = self.preset.options_for(source) if self.preset else {}
            dataset = data.load(source, data_dir, **chosen)
        elif self.preset is None:
            raise ValueError(f"{self.origin} does not say what its data is: name it (--data).")
        else:
            dataset = load_data(self.preset, data_dir)
        found, wanted = dataset.spec, self.spec
        if (found.kind, found.shape) != (wanted.kind, wanted.shape):
            raise ValueError(
                f"{self.origin} is for {wanted.kind} data of shape {wanted.shape}; {found.name} is "
                f"{found.kind} data of shape {found.shape}."
            )
        return dataset

    def evaluate(
        self,
        protocols: Iterable[str] | None = None,
        source: Any = None,
        data_dir: str | os.PathLike | None = None,
        features: evaluation.Features | None = None,
        inception: str | os.PathLike | None = None,
        on_result: Callable[[str, evaluation.Result], None] = lambda name, result: None,
    ) -> dict[str, evaluation.Result]:
        """Measures the model on test data, beside real data.

        Args:
            protocols: names in `keras_gen.evaluation.PROTOCOLS`; by default the preset's.
            source: data, as for `dataset`.
            data_dir: where prepared data is.
            features, inception: as for `keras_gen.evaluation.evaluate`.
            on_result: called with each name and result as soon as it is known.

        Returns:
            Results by metric and protocol.

        Raises:
            ValueError: before anything is measured, if a protocol or the data does not suit.
        """
        if protocols is None:
            protocols = self.preset.protocols if self.preset else ()
        dataset = self.dataset(source, data_dir)
        return evaluation.evaluate(
            self.model, dataset, protocols, features, inception, on_result=on_result
        )

    def sample(self, n: int, seed: int = 0, label: np.ndarray | None = None) -> np.ndarray:
        """Returns `n` samples.

        Args:
            n: number of samples.
            seed: the same seed gives the same samples.
            label: class indices `(n,)`, for a conditional model.

        Raises:
            ValueError: if labels are given to a model that takes none.
        """
        if label is None:
            return self.model.sample(n, seed=seed)
        if not self.model.conditional:
            raise ValueError(
                f"{self.origin} takes no labels: {type(self.model).__name__} is not conditional."
            )
        return self.model.sample(n, seed=seed, label=label)

    def export(self, dest: str | os.PathLike) -> Path:
        """Writes the model as a SavedModel, with `card` as card.json in it.

        Args:
            dest: the directory to make; it appears complete or not at all.

        Raises:
            FileExistsError: if `dest` exists and is not an empty directory.
            PermissionError: if nothing can be written there.
        """
        dest = Path(dest)
        if not files.is_free(dest):
            raise FileExistsError(f"{dest} exists: choose another destination")
        files.check_writable(dest.parent)
        serving.export(self.model, dest, verbose=False, content=self.card)
        return dest


class Released(TrainedModel):
    """A trained model of the package, or a folder that `keras-gen release` wrote.

    Args:
        path: the folder.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        self._card = files.read_json(self.path / released.CARD, ("preset", "spec", "metrics"))
        self.name = self._card["preset"]
        self.preset = preset_of(self._card)
        self.spec = data.Spec(**self._card["spec"])
        self.seed = self._card["seed"]
        self.metrics = self._card["metrics"]
        ours = self.path.resolve() == (released.folder() / self.name).resolve()
        place = f"model {self.name}" if ours else f"model in {self.path}"
        self.origin = f"the released {place}"

    @property
    def model_file(self) -> Path:
        return self.path / released.MODEL

    @property
    def card(self) -> dict[str, Any]:
        return self._card


class ModelFile(TrainedModel):
    """A `.keras` file of one of the models.

    Args:
        path: of the file.
    """

    metrics: dict[str, Any] = {}  # noqa: RUF012

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        self.name = self.path.stem
        self.origin = f"the model file {self.path}"
        self.seed = self.model.seed
        self.spec = self._spec()

    @property
    def model_file(self) -> Path:
        return self.path

    @property
    def card(self) -> dict[str, Any]:
        return {
            "class_name": type(self.model).__name__,
            "paper": self.model.paper,
            "spec": dataclasses.asdict(self.spec),
            "seed": self.seed,
        }

    def _spec(self) -> data.Spec:
        """What the model itself tells of its data."""
        model = self.model
        kinds = {1: "vector", 2: "sequence", 3: "image"}
        vocabulary = getattr(model, "vocabulary", None)
        return data.Spec(
            name=self.name,
            kind="text" if vocabulary else kinds[len(model.data_shape)],
            shape=model.data_shape,
            value_range=getattr(model, "likelihood", model).value_range,
            num_classes=model.num_classes if model.conditional else None,
            vocabulary=vocabulary,
            mask_value=getattr(model, "mask_value", None),
        )


def open(where: str | os.PathLike) -> TrainedModel:
    """Returns the trained model that a path or a name stands for.

    Args:
        where: a run directory, a released folder, a `.keras` file or the name of a preset whose
            weights come with the package. A path that exists wins over a preset's name.

    Raises:
        FileNotFoundError: if it is none of these.
        ValueError: if a file is damaged, or no weights of the preset come with the package.
    """
    from keras_gen.runs.run import Run  # a run is a trained model too

    path = Path(where)
    if (path / "config.json").is_file():
        return Run(path)
    if (path / released.CARD).is_file() and (path / released.MODEL).is_file():
        return Released(path)
    if path.is_file():
        if path.suffix != ".keras":
            raise FileNotFoundError(f"{path} is a file, but not a .keras file")
        return ModelFile(path)
    name = str(where)
    if path.is_dir():
        raise FileNotFoundError(
            f"{path} is not a run directory (it has no config.json), nor a released folder (it has "
            f"no {released.CARD} with {released.MODEL})"
        )
    if name in presets.PRESETS:
        released.model_file(name)  # checks that it is there, and its checksum
        return Released(released.folder() / name)
    raise FileNotFoundError(
        f"{name} is not a run directory, a released folder, a .keras file or the name of a preset."
        f"{nearest(name, presets.PRESETS)} See keras-gen list."
    )


def load_model(path: Path) -> models.GenerativeModel:
    """Loads a model and compiles it.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is damaged, or is not one of the models.
    """
    path.open("rb").close()  # a file without permission is not damaged
    try:
        files.check_archive(path)
        model = keras.models.load_model(path)
    except Exception as error:  # a damaged file fails in as many ways as there are readers
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"{path} is damaged ({reason})") from error
    if not isinstance(model, models.GenerativeModel):
        raise ValueError(f"{path} is a {type(model).__name__}, not a model of keras_gen")
    if not model.compiled:
        model.compile()
    return model


def preset_of(content: dict[str, Any]) -> Preset:
    """Returns the preset whose fields a card holds.

    Raises:
        ValueError: if fields are missing.
    """
    try:
        content = {"save_every": 1, "accumulate": 1} | content  # of older cards
        fields = {field.name: content[field.name] for field in dataclasses.fields(Preset)[1:]}
        fields["protocols"] = tuple(fields["protocols"])
        return Preset(content["preset"], **fields)
    except (KeyError, TypeError) as error:
        raise ValueError(f"card.json is damaged: {type(error).__name__} {error}") from error


def load_data(preset: Preset, data_dir: str | os.PathLike | None) -> data.Dataset:
    """Loads the data of a preset.

    Raises:
        DataError: if it is missing; the message says where it would come from.
    """
    try:
        return data.load(preset.data, data_dir, **preset.data_options)
    except data.DataError as error:
        known = presets.PRESETS.get(preset.name)
        if known is None or known.data != preset.data or known.needs in str(error):
            raise
        raise data.DataError(f"{error} ({preset.name} needs {known.needs})") from error
