"""What a preset is."""

from dataclasses import dataclass, field
from typing import Any

SCHEDULES = ("constant", "cosine", "stages")
STRATEGIES = ("auto", "single", "mirrored", "multiworker", "tpu")
# Sources that are named KIND:PATH.
PATH_KINDS = ("text", "audio", "notes")
# The kind of other sources, to which the options of a path of that kind apply.
KINDS = {"tfds:tiny_shakespeare": "text"}
DTYPES = ("float32", "mixed_bfloat16", "mixed_float16")


@dataclass(frozen=True)
class Preset:
    """One reproducible training recipe.

    Attributes:
        name: what `keras-gen train NAME` calls it.
        description: one line for `keras-gen list`.
        class_name: of the model, in `keras_gen.models`.
        paper: the source of the recipe or of the target.
        data: a source that `keras_gen.data.load` knows.
        data_options: further keyword arguments of `keras_gen.data.load`.
        network: options of the default networks, keyword arguments of the model's `for_data`.
        model: the model's own hyperparameters, further keyword arguments of `for_data`.
        epochs: passes over the training set.
        batch_size: examples per step, over all replicas.
        accumulate: how many such batches, one after the other, make one step.
        learning_rate: Adam's learning rate, or where its schedule starts; for a model with several
            players one for all, or player -> rate.
        adam: further arguments of Adam.
        save_every: epochs from one checkpoint, with its samples, to the next. The last epoch has
            both.
        schedule: "constant"; "cosine" (decay to zero over the whole run); or "stages" (the IWAE
            paper's: eight stages, stage i at `learning_rate * 10 ** (-i / 7)` for `3 ** i` parts
            of the run, exactly the paper's epochs when `epochs` is 3280).
        protocols: evaluation protocols that `keras-gen evaluate` runs besides the model's metrics.
        target: protocol -> the value (in the protocol's unit) that the preset must reach.
    """

    name: str
    description: str
    class_name: str
    paper: str
    data: str
    data_options: dict[str, Any] = field(default_factory=dict)
    network: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    epochs: int = 20
    batch_size: int = 128
    accumulate: int = 1
    learning_rate: float | dict[str, float] = 1e-3
    adam: dict[str, float] = field(default_factory=dict)
    schedule: str = "constant"
    save_every: int = 1
    protocols: tuple[str, ...] = ()
    target: dict[str, float] = field(default_factory=dict)

    @property
    def needs(self) -> str:
        """Where the data comes from."""
        if self.data in NEEDS:
            return NEEDS[self.data]
        return f"{self.data.removeprefix('tfds:')} of TensorFlow Datasets"

    def options_for(self, source: Any) -> dict[str, Any]:
        """Returns the options with which a source in place of the preset's is loaded: the preset's
        for another path of the same kind, such as `audio:FOLDER`, and none for other data."""
        kind = KINDS.get(self.data) or self.data.partition(":")[0]
        same = kind in PATH_KINDS and str(source).startswith(f"{kind}:")
        return dict(self.data_options) if same or source == self.data else {}


NEEDS = {
    "digits": "nothing: scikit-learn has the digits",
    "shapes": "nothing: the data is drawn",
    "ring": "nothing: the data is drawn",
    "grid": "nothing: the data is drawn",
    "sines": "nothing: the data is drawn",
    "stacked_mnist": "mnist of TensorFlow Datasets",
    "cifar10": "cifar10 of TensorFlow Datasets, or a folder of its images: --data FOLDER",
    "photos": "a folder of photos: --data FOLDER",
    "stocks": "stock_data.csv of the TimeGAN repository, in --data-dir",
    "audio:fsdd": "the Free Spoken Digit Dataset, a folder of WAV files: --data audio:FOLDER",
    "notes:jsb_chorales.json": "a file of pieces of music: --data notes:FILE",
}


def in_features(network: str) -> tuple[str, ...]:
    """Returns the protocols that presets of images share, in the features of a network."""
    quality = (f"{name}_{network}_5k" for name in ("precision", "recall", "density", "coverage"))
    return (f"fid_{network}_10k", f"kid_{network}_10k", *quality, "copies_1k")


IMAGES, PHOTOS = in_features("lenet"), in_features("vgg")
# Adam for the players of a game: Radford et al. 2016, section 4.
GAME = {"beta_1": 0.5}
# Among images, penalties strong enough to matter blur what lies between the modes. Layer
# normalization in the discriminator, a constant rate and the average of the generator help instead.
STABLE_IMAGES = {
    "network": {"normalization": "layer"},
    "model": {"ema": 0.999},
}
