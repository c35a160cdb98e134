"""What every model and every preset promises. A new model joins by existing.

Each promise is tested once, for all models in `keras_gen.models.NAMES`, on small default networks:
for the first kind of data in `SPECS` that the model has them for; where the kind of network
matters, for every kind; and where that would take long, for the foremost kind.
"""

import contextlib
import json
import subprocess
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import ops

from keras_gen import data, models, networks, presets
from keras_gen.data.pipeline import as_array
from keras_gen.engine import inputs
from keras_gen.engine.backends import backend
from keras_gen.quiet import LazyTensorFlow

tf = LazyTensorFlow("this test")
BACKEND = keras.backend.backend()

SPECS = {
    "vector": data.Spec("vector", "vector", (6,), (0.0, 1.0), num_classes=3),
    "image": data.Spec("image", "image", (9, 8, 1), (0.0, 1.0), num_classes=3),
    "sequence": data.Spec("sequence", "sequence", (3, 2), (0.0, 1.0), num_classes=3),
}
# What takes the time here is tracing, layer by layer; the presets are built whole, below.
SMALL = {"vector": {"hidden": (8,)}, "image": {"hidden": (8,)}, "sequence": {"hidden": (5,)}}
MODELS = sorted(models.NAMES)
EXAMPLES, BATCH = 48, 16


def kinds(name):
    """The kinds of data for which a model has default networks, among `SPECS`."""
    return [kind for kind in SPECS if kind in models.get(name).kinds]


# Every model with each of its kinds of data; and with its foremost one, the first that it names:
# convolutional networks have dense layers too, and tracing them twice takes minutes in all.
FOREMOST = [(name, next(iter(models.get(name).kinds))) for name in MODELS]
CASES = [(name, kind) for name in MODELS for kind in kinds(name)]
CASES = CASES if BACKEND == "tensorflow" else FOREMOST
# One of each way to train: what a backend does alike for all is tested with these on JAX and
# PyTorch. The first compiles for long, the second trains slowly.
KINDS_OF_STEPS = ("VAE", "GAN", "InfoGAN", "VAEGAN", "CRGAN", "RecurrentVAE", "GLO")
SOME = MODELS if BACKEND == "tensorflow" else KINDS_OF_STEPS
# What the backend has no part in, and JAX would compile for.
of_one_backend = pytest.mark.skipif(BACKEND == "jax", reason="tested on TensorFlow and PyTorch")


def spec_of(name, kind=None):
    return SPECS[kind or kinds(name)[0]]


def examples(spec, n=EXAMPLES):
    rng = np.random.default_rng(0)
    x = rng.uniform(*spec.value_range, (n, *spec.shape)).astype("float32")
    return {
        "x": np.round(x) if spec.kind == "text" else x,
        "label": rng.integers(0, spec.num_classes or 1, n),
    }


def make(name, optimizer=None, kind=None, **compile_options):
    model = for_data(models.get(name), spec_of(name, kind), seed=1)
    if BACKEND == "jax":  # which compiles faster than it runs a few steps eagerly
        compile_options.pop("run_eagerly", None)
    model.compile(optimizer or keras.optimizers.Adam(1e-2), **compile_options)
    return model


def fit(model, epochs, **options):
    return model.fit(like(model), epochs=epochs, verbose=0, **{"batch_size": BATCH} | options)


def like(model, n=EXAMPLES):
    """Examples of the shape that the model is for."""
    (spec,) = [each for each in SPECS.values() if each.shape == model.data_shape]
    return examples(spec, n)


def for_data(model, spec, **options):
    """A model class on default networks; one that learns by example must know how many."""
    size = {"num_examples": EXAMPLES} if model.uses_index else {}
    return model.for_data(spec, **size, **SMALL[spec.kind], **options)


def main(model):
    """The metric that stands for the model's progress: its loss, or its main player's."""
    return model.metric_names[0]


def assert_step_lowers_loss(model, batch, *rates):
    """Each player's step, with the others standing still, lowers its own loss, at one of the rates:
    the first may be too small for float32 to show it."""
    for player in model.players or [None]:
        name = f"{player}_loss" if f"{player}_loss" in model.metric_names else "loss"
        assert any(_lowers(model, batch, rate, player, name) for rate in rates), player


def _lowers(model, batch, rate, player, name):
    rates = {each: keras.optimizers.SGD(rate * (each == player)) for each in model.players}
    # Eagerly, as in other tests of a few steps: tracing a graph takes longer than they do.
    model.compile(rates or keras.optimizers.SGD(rate), run_eagerly=BACKEND != "jax")
    # The same noise before, during and after the step, so that only the weights differ.
    examples = model.examples(batch)
    noise = model.noise(examples.x)

    def mean_of(x, label, index):
        given = inputs.Examples(x, label, index)
        return ops.mean(model.objective(given, noise, training=True).metrics[name])

    compiled = backend.compiled(mean_of, None, model) if BACKEND == "jax" else mean_of

    def loss():
        return float(as_array(compiled(*examples)))

    before, step = loss(), int(model.step)
    model.train_on_batch(batch)
    assert int(model.step) == step + 1
    return loss() < before


def state(model):
    """All that a model and its optimizer remember."""
    return [as_array(v.value) for v in (*model.weights, *model.optimizer.variables)]


def assert_same_state(a, b):
    for left, right in zip(state(a), state(b), strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_one_step_lowers_the_loss(name, kind):
    model = make(name, kind=kind)
    batch = like(model)
    if model.uses_index:
        batch["index"] = np.arange(EXAMPLES)
    assert_step_lowers_loss(model, batch, 1e-4)


@pytest.mark.parametrize(("name", "kind"), [case for case in CASES if make(*case[:1]).players])
def test_a_player_moves_its_own_weights_only(name, kind):
    # Other players' steps are of length 0, so that whatever moved, the player moved.
    players = make(name).players
    for player in players:
        rates = {each: keras.optimizers.SGD(1e-2 * (each == player)) for each in players}
        model = make(name, rates, kind, run_eagerly=True)
        before = {each: weights_of(model, each) for each in players}
        fit(model, 1)
        for each in players:
            pairs = zip(before[each], weights_of(model, each), strict=True)
            moved = any((a != b).any() for a, b in pairs)
            assert moved == (each == player), f"{each} in the move of {player}"


def weights_of(model, player):
    return [
        as_array(w.value) for network in model.players[player] for w in network.trainable_weights
    ]


@pytest.mark.parametrize("name", MODELS)
def test_keras_file_keeps_configuration_weights_and_slots(name, tmp_path):
    model = make(name, run_eagerly=True)
    fit(model, 1)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again) is type(model)
    # By way of JSON, which knows no difference between tuples and lists.
    assert json.dumps(again.get_config()) == json.dumps(model.get_config())
    assert again.optimizer.get_config() == model.optimizer.get_config()
    assert (again.steps_per_execution, again.jit_compile) == (
        model.steps_per_execution,
        model.jit_compile,
    )
    assert_same_state(again, model)
    batch = like(model)
    predicted = model.predict(batch, verbose=0)
    np.testing.assert_array_equal(again.predict(batch, verbose=0), predicted)
    batches = data.Batches(batch, 32, shuffle=False)
    np.testing.assert_allclose(model.predict(batches, verbose=0), predicted, rtol=1e-5)
    assert again.evaluate(batch, return_dict=True, verbose=0) == model.evaluate(
        batch, return_dict=True, verbose=0
    )


@pytest.mark.parametrize("name", MODELS)
def test_training_goes_on_after_loading_as_if_never_interrupted(name, tmp_path):
    whole = make(name)
    history = fit(whole, 4).history[main(whole)]
    first = make(name)
    fit(first, 2)
    first.save(tmp_path / "model.keras")
    second = keras.models.load_model(tmp_path / "model.keras")
    assert fit(second, 2).history[main(second)] == history[2:]
    assert_same_state(second, whole)


@pytest.mark.parametrize("save_freq", ["epoch", 2][BACKEND == "jax" :])
@pytest.mark.parametrize("name", SOME)
def test_backup_and_restore_continues_exactly(name, save_freq, tmp_path):
    class Interrupt(keras.callbacks.Callback):
        batches = 0

        def on_train_batch_end(self, batch, logs=None):
            self.batches += 1
            if self.batches == 3 * 2 + 3:
                raise KeyboardInterrupt

    def backup():
        return keras.callbacks.BackupAndRestore(tmp_path / "backup", save_freq=save_freq)

    # Where the position in the epoch counts, in a graph, whose loop reads the data ahead; that is
    # the base class's. Eagerly otherwise, which is faster.
    graph = save_freq == 2 and name in ("VAE", "GAN")
    options = {"steps_per_execution": 1, "run_eagerly": not graph}
    whole = make(name, **options)
    fit(whole, 4)
    killed = make(name, **options)
    with pytest.raises(KeyboardInterrupt):
        fit(killed, 4, callbacks=[backup(), Interrupt()])
    resumed = make(name, **options)
    with (
        pytest.warns(UserWarning, match="ran out of data")
        if save_freq == 2 and BACKEND == "tensorflow"
        else contextlib.nullcontext()
    ):
        fit(resumed, 4, callbacks=[backup()])
    assert_same_state(resumed, whole)


@of_one_backend
@pytest.mark.parametrize("name", MODELS)
def test_model_checkpoint_keeps_a_model_that_loads(name, tmp_path):
    model = make(name, run_eagerly=True)
    path = tmp_path / "best.keras"
    monitor = f"val_{main(model)}"
    checkpoint = keras.callbacks.ModelCheckpoint(
        path, monitor=monitor, mode="min", save_best_only=True
    )
    history = fit(model, 3, validation_data=like(model, 20), callbacks=[checkpoint]).history
    best = keras.models.load_model(path).evaluate(
        like(model, 20), batch_size=BATCH, return_dict=True, verbose=0
    )
    assert best[main(model)] == pytest.approx(min(history[monitor]), rel=1e-5)


@of_one_backend
@pytest.mark.parametrize("name", MODELS)
def test_every_form_of_data_gives_the_same_training(name):
    arrays = examples(spec_of(name))
    x, label = arrays["x"], arrays["label"]
    forms = {
        "dictionary": lambda: (arrays, {"batch_size": BATCH}),
        "pair": lambda: ((x, label), {"batch_size": BATCH}),
        "float64": lambda: ((x.astype("float64"), label), {"batch_size": BATCH}),
        "tf.data of dictionaries": lambda: (
            tf.data.Dataset.from_tensor_slices(arrays).batch(BATCH),
            {},
        ),
        "tf.data of pairs": lambda: (
            tf.data.Dataset.from_tensor_slices((x, label)).batch(BATCH),
            {},
        ),
        "batches": lambda: (data.Batches(arrays, BATCH, shuffle=False), {}),
    }
    if BACKEND != "tensorflow":
        forms = {name: form for name, form in forms.items() if "tf.data" not in name}
    if models.get(name).uses_index:  # only these forms tell which example is which
        forms = {name: form for name, form in forms.items() if "tf.data" not in name}
        forms["batches"] = lambda: (data.Batches(arrays, BATCH, shuffle=False, index=True), {})
    elif not models.get(name).conditional:
        forms["array"] = lambda: (x, {"batch_size": BATCH})
        forms["autoencoder's pair"] = lambda: ((x, x), {"batch_size": BATCH})
    if "tf.data of pairs" in forms and not models.get(name).conditional:
        forms["tf.data of arrays"] = lambda: (
            tf.data.Dataset.from_tensor_slices(x).batch(BATCH),
            {},
        )
    losses = {}
    for form, arguments in forms.items():
        given, options = arguments()
        model = make(name, run_eagerly=True)
        given = given if isinstance(given, tuple) else (given,)
        losses[form] = model.fit(*given, shuffle=False, verbose=0, **options).history
    for form, history in losses.items():
        for metric, values in losses["dictionary"].items():
            np.testing.assert_allclose(history[metric], values, rtol=1e-5, err_msg=form)


@pytest.mark.parametrize("name", MODELS)
def test_evaluate_repeats_and_reports_what_fit_reports(name):
    model = make(name, run_eagerly=True)
    history = fit(model, 2, validation_data=like(model, 20)).history
    reported = {f"val_{metric}" for metric in model.metric_names} | set(model.metric_names)
    assert set(history) == reported
    once, twice = (
        model.evaluate(like(model, 20), batch_size=8, return_dict=True, verbose=0) for _ in "ab"
    )
    assert once == twice
    assert np.isfinite(list(once.values())).all()


@of_one_backend
@pytest.mark.parametrize("name", MODELS)
def test_validation_split_holds_out_the_last_examples(name):
    arrays = examples(spec_of(name))
    split = make(name, run_eagerly=True)
    a = split.fit(arrays, batch_size=12, validation_split=0.25, verbose=0).history
    by_hand = make(name, run_eagerly=True)
    b = by_hand.fit(
        {k: v[:36] for k, v in arrays.items()},
        batch_size=12,
        validation_data={k: v[36:] for k, v in arrays.items()},
        verbose=0,
    ).history
    assert a == b


@of_one_backend
@pytest.mark.parametrize("name", MODELS)
def test_the_order_of_the_data_changes_every_epoch_and_with_the_seed(name):
    # With a learning rate of zero and no noise left in the mean, only the order can differ.
    def last_batches(seed):
        seen = []

        class Spy(models.get(name)):
            def train_step(self, batch):
                seen.append(np.asarray(self.examples(batch).x)[:, 0].tolist())
                return super().train_step(batch)

        model = for_data(Spy, spec_of(name), seed=seed)
        model.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
        fit(model, 2)
        return seen

    one, again, other = last_batches(1), last_batches(1), last_batches(2)
    assert one == again
    epochs = [np.concatenate(one[:3]).tolist(), np.concatenate(one[3:]).tolist()]
    assert epochs[0] != epochs[1]
    assert sorted(epochs[0]) == sorted(epochs[1])
    assert one != other


# On TensorFlow 45 in parts of 23 and 22, and a last batch of 3. In equal parts shapes are static.
SHARED = [(*case, EXAMPLES - 3) for case in FOREMOST if BACKEND == "tensorflow"]
EQUAL = SOME if BACKEND == "jax" else ("VAE", "GAN")
SHARED += [(*case, BATCH) for case in FOREMOST if case[0] in EQUAL]
# A loss that depends on the rest of the batch is not the same with less of it.
SHARED = [case for case in SHARED if not models.get(case[0]).mixes_batch]
WITH_CODEBOOK = ("VQVAE", "ConditionalVQVAE")


@pytest.mark.parametrize(("name", "kind", "batch_size"), SHARED)
@pytest.mark.skipif(BACKEND == "torch", reason="trains on one device")
def test_two_replicas_train_as_one(name, kind, batch_size, two_replicas):
    # SGD, because Adam hides a gradient that is twice too large.
    alone = make(name, keras.optimizers.SGD(1e-2), kind, run_eagerly=True)
    options = {"validation_data": like(alone, EXAMPLES), "batch_size": batch_size}
    # Where two vectors of a codebook are nearly as near, a later step may fall to either.
    epochs = 1 if name in WITH_CODEBOOK else 2
    expected = fit(alone, epochs, **options).history
    with two_replicas.scope():
        together = make(name, keras.optimizers.SGD(1e-2), kind)
    history = fit(together, epochs, **options).history
    for metric, values in expected.items():
        # The information is a difference of nats: near 0, float32 knows it to 1e-7.
        np.testing.assert_allclose(history[metric], values, rtol=1e-4, atol=1e-6, err_msg=metric)
    if BACKEND == "tensorflow":
        with pytest.raises(ValueError, match="Replicas on a CPU"), two_replicas.scope():
            make(name, jit_compile=True)
    for a, b in zip(state(together), state(alone), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


@pytest.mark.tensorflow
def test_two_replicas_train_as_one_step_by_step(two_replicas):
    """Outside of a graph the shapes of unequal parts are known, and look static."""
    alone = make("VAE", keras.optimizers.SGD(1e-2), run_eagerly=True)
    with two_replicas.scope():
        together = make("VAE", keras.optimizers.SGD(1e-2), run_eagerly=True)
    for model in (alone, together):
        fit(model, 2, batch_size=EXAMPLES - 3)
    for a, b in zip(state(together), state(alone), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.tensorflow
@pytest.mark.parametrize(("name", "kind"), FOREMOST)
def test_xla_trains_alike(name, kind):
    plain, compiled = (
        make(name, keras.optimizers.SGD(1e-2), kind, **options)
        for options in ({"run_eagerly": True}, {"jit_compile": True, "steps_per_execution": 2})
    )
    assert compiled.jit_compile
    expected, found = (fit(model, 2).history[main(plain)] for model in (plain, compiled))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.tensorflow
@pytest.mark.parametrize(("name", "kind"), FOREMOST)
def test_a_step_is_one_program_of_static_shapes(name, kind):
    """As a TPU needs it: nothing of it is left to the host, and no size is known only later."""
    model = make(name, kind=kind, jit_compile=True)
    batch = {key: tf.constant(value[:BATCH]) for key, value in like(model).items()}
    if model.uses_index:
        batch["index"] = tf.range(BATCH)
    step = tf.function(model.whole_step, jit_compile=True, autograph=False)
    program = step.experimental_get_compiler_ir(batch)(stage="hlo")
    assert "ENTRY" in program
    assert "<=" not in program  # as in f32[<=16,8], of a size that is known only later
    for foreign in ("custom-call", "infeed", "outfeed", "send(", "recv("):
        assert foreign not in program


@pytest.mark.parametrize("name", [name for name in SOME if not models.get(name).mixes_batch])
def test_accumulated_batches_are_one_large_batch(name):
    """Without layers whose statistics are of a batch."""
    cls, spec = models.get(name), spec_of(name)
    options = {key: None for key in ("generator_normalization", "normalization")
               if key in cls.for_data.__signature__.parameters}  # fmt: skip
    results = []
    for parts in (1, 3):
        model = for_data(cls, spec, seed=1, **options)
        options_here = {} if BACKEND == "jax" else {"run_eagerly": True}
        model.compile(keras.optimizers.SGD(1e-2), accumulate=parts, **options_here)
        # The last large batch has 15 examples.
        given = data.Batches(like(model, 45), 30 // parts, seed=2, index=model.uses_index)
        history = model.fit(given, epochs=2, verbose=0).history
        assert int(model.step) == 4
        results.append((state(model), history))
    (expected, metrics), (found, accumulated) = results
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)
    for metric, values in metrics.items():
        np.testing.assert_allclose(accumulated[metric], values, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["VAE", "GLO"])
def test_data_in_a_file_trains_as_data_in_memory(name, tmp_path):
    model = make(name, keras.optimizers.SGD(1e-2), run_eagerly=True)
    arrays = like(model, 40)
    stored = data.storage.Stored(
        np.memmap(tmp_path / "x", "float32", "w+", shape=arrays["x"].shape)
    )
    stored[:] = arrays["x"]
    states = []
    for x in (arrays["x"], stored):
        model = make(name, keras.optimizers.SGD(1e-2), run_eagerly=True)
        batches = data.Batches(arrays | {"x": x}, BATCH, seed=4, index=model.uses_index)
        model.fit(batches, epochs=2, verbose=0)
        states.append(state(model))
    for a, b in zip(*states, strict=True):
        np.testing.assert_array_equal(a, b)


def test_too_few_examples_to_accumulate_are_told_before_training():
    spec = spec_of("VAE")
    vae = for_data(models.get("VAE"), spec, seed=1)
    vae.compile("adam", accumulate=4)
    with pytest.raises(ValueError, match=r"last step's batch of x has 1 example.*needs 4"):
        vae.fit(examples(spec, 33), batch_size=8, verbose=0)
    with pytest.raises(ValueError, match="accumulate=4 needs 4 examples, got 3"):
        vae.train_on_batch(examples(spec, 3)["x"])
    packed = for_data(models.get("GAN"), spec, seed=1, packing=2)
    packed.compile(accumulate=4)
    with pytest.raises(ValueError, match=r"has 7 example.*needs 8"):
        packed.fit(examples(spec, 39), batch_size=8, verbose=0)
    with pytest.raises(ValueError, match="accumulate must be a positive integer"):
        vae.compile("adam", accumulate=0)


REMAT = {
    "VAE": {"filters": (4, 4)},
    "DGAN": {"width": 4, "latent_dim": 6},
    "VAEGAN": {"network": "conv", "width": 4, "r1": 1.0},
    "GLO": {"network": "conv", "width": 4},
}


@pytest.mark.parametrize("name", REMAT)
def test_rematerialized_networks_train_alike(name, tmp_path):
    """Weights, moving averages and losses; and the file keeps that they are rematerialized."""
    results = []
    for remat in (False, True):
        model = for_data(models.get(name), SPECS["image"], remat=remat, seed=1, **REMAT[name])
        model.compile(keras.optimizers.SGD(1e-2), jit_compile=BACKEND == "jax")
        history = fit(model, 2).history
        results.append((state(model), history, model))
    (expected, metrics, plain), (found, same, model) = results
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=2e-6)
    for metric, values in metrics.items():
        np.testing.assert_allclose(same[metric], values, rtol=1e-4, atol=1e-5)
    z = plain.draw_latents(3, seed=1)
    np.testing.assert_allclose(model.decode(z), plain.decode(z), rtol=0, atol=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    network = "decoder" if name == "VAE" else "generator"
    assert isinstance(getattr(loaded, network), networks.remat.Rematerialized)
    assert getattr(loaded, network)._blocks
    assert_same_state(loaded, model)


@pytest.mark.slow
@pytest.mark.tensorflow
@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")
def test_a_deep_rematerialized_network_needs_less_memory():
    """In processes of their own, whose greatest use of memory is asked for."""
    code = """
import re, sys
import keras_gen, keras, tensorflow as tf
from keras_gen import networks
with networks.rematerialized(sys.argv[1] == "True"):
    x = h = keras.Input((64, 64, 3))
    for _ in range(12):
        layer = lambda use_bias: keras.layers.Conv2D(16, 3, padding="same", use_bias=use_bias)
        h = networks.common.hidden_layer(layer, "leaky_relu", "batch")(h)
    y = keras.layers.Dense(1)(keras.layers.GlobalAveragePooling2D()(h))
    network = networks.common.model([x], [y], "deep")
@tf.function(autograph=False)
def slopes(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(network(x, training=True) ** 2)
    return tape.gradient(loss, network.trainable_variables)
x = tf.random.stateless_normal((64, 64, 64, 3), (0, 0))
slopes(x[:2])
def peak():  # not getrusage, which starts with the memory of the process that started this one
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
before = peak()
slopes(x)
print(peak() - before)
"""
    plain, remat = (
        int(subprocess.run([sys.executable, "-c", code, str(each)], capture_output=True,
                           check=True, text=True).stdout)
        for each in (False, True)
    )  # fmt: skip
    assert remat < 0.65 * plain


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", ["VAE", "VAEGAN"])
def test_replicas_accumulate_as_one(name, two_replicas):
    options = {"generator_normalization": None} if name == "VAEGAN" else {}
    results = []
    for parts, strategy in ((1, None), (2, two_replicas)):
        with strategy.scope() if strategy else contextlib.nullcontext():
            model = for_data(models.get(name), spec_of(name), seed=1, **options)
            model.compile(keras.optimizers.SGD(1e-2), accumulate=parts, jit_compile=False)
        # The last step has 11 examples: replicas get 6 and 5.
        model.fit(data.Batches(like(model, 43), 32 // parts, seed=2), epochs=2, verbose=0)
        results.append(state(model))
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"][BACKEND == "jax" :])
@pytest.mark.parametrize("name", SOME)
def test_mixed_precision_skips_no_step_and_learns(name, policy, mixed, tmp_path):
    with mixed(policy):
        # The scale of the loss is for the graph to skip steps by; bfloat16 has none.
        model = make(name, kind=kinds(name)[-1], run_eagerly=policy == "mixed_bfloat16")
        history = fit(model, 5).history[main(model)]
    if not hasattr(model, "discriminator"):
        assert history[-1] < history[0]  # in a game no player's loss need fall
    assert np.isfinite(history).all()
    optimizers = getattr(model.optimizer, "players", {None: model.optimizer}).values()
    for optimizer in optimizers:
        if policy == "mixed_float16":
            assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
            optimizer = optimizer.inner_optimizer
        assert int(optimizer.iterations) == int(model.step) == 5 * EXAMPLES // BATCH
    assert all(w.dtype == "float32" for w in model.trainable_weights)
    model.save(tmp_path / "model.keras")
    assert_same_state(keras.models.load_model(tmp_path / "model.keras"), model)


@pytest.mark.parametrize("name", MODELS)
def test_samples_repeat_with_their_seed(name):
    model = make(name)
    one, again, other = (model.sample(5, seed=seed) for seed in (1, 1, 2))
    assert one.shape == (5, *spec_of(name).shape)
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, other)
    np.testing.assert_allclose(model.sample(5, seed=1, batch_size=2), one, rtol=1e-5)


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """Every model as a SavedModel, and what a process without Keras made of it."""
    folder = tmp_path_factory.mktemp("exported")
    trained = {name: make(name, run_eagerly=True) for name in MODELS}
    for name, model in trained.items():
        fit(model, 1)
        model.export(folder / name, verbose=False)
        assert {p.name for p in folder.iterdir()} >= {name}
    script = """
import json, sys
# TensorFlow itself imports Keras where it can; here it cannot.
sys.modules["keras"] = sys.modules["keras_gen"] = None
import tensorflow as tf
results = {}
for name in sys.argv[2:]:
    module = tf.saved_model.load(f"{sys.argv[1]}/{name}")
    signatures = module.signatures
    assert "serving_default" in signatures
    # In turn, as `sample` takes them.
    label = {"label": tf.range(5) % 3} if "sample_labelled" in signatures else {}
    def sample(seed):
        return signatures["sample"](n=tf.constant(5), seed=tf.constant(seed))["x"]
    x = sample(1)
    results[name] = {
        "card": json.load(open(f"{sys.argv[1]}/{name}/card.json")),
        "names": sorted(signatures),
        "sample": x.numpy().tolist(),
        "again": sample(1).numpy().tolist(),
        "other": sample(2).numpy().tolist(),
    }
    if label:
        given = {"label": tf.constant([2, 0]), "seed": tf.constant(1)}
        results[name]["labelled"] = signatures["sample_labelled"](**given)["x"].numpy().tolist()
        try:
            signatures["sample_labelled"](label=tf.constant([0, 3]), seed=tf.constant(1))
        except tf.errors.InvalidArgumentError as error:
            results[name]["refusal"] = str(error)
    if "encode" in signatures:
        z = signatures["encode"](x=x, **label)["z"]
        results[name]["reconstruct"] = signatures["reconstruct"](x=x, **label)["x"].numpy().tolist()
        results[name]["decode"] = signatures["decode"](z=z, **label)["x"].numpy().tolist()
        results[name]["default"] = signatures["serving_default"](x=x, **label)["x"].numpy().tolist()
print(json.dumps(results))
"""
    output = subprocess.run(
        [sys.executable, "-c", script, str(folder), *MODELS],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
    ).stdout
    return trained, json.loads(output.splitlines()[-1])


@pytest.mark.tensorflow
# One worker exports all: the others need not.
@pytest.mark.xdist_group("exported")
@pytest.mark.parametrize("name", MODELS)
def test_saved_model_samples_in_a_fresh_process(name, exported):
    trained, results = exported
    result = results[name]
    assert result["card"]["paper"] == trained[name].paper
    assert result["card"]["steps"] == EXAMPLES // BATCH
    assert set(result["names"]) == set(trained[name].signatures())
    np.testing.assert_allclose(result["sample"], trained[name].sample(5, seed=1), rtol=1e-5)
    assert result["sample"] == result["again"] != result["other"]
    if trained[name].conditional:
        asked = trained[name].sample(2, seed=1, label=[2, 0])
        np.testing.assert_allclose(result["labelled"], asked, rtol=1e-5)
        assert "label must be in 0..2, got" in result["refusal"]
    if "reconstruct" in result:
        np.testing.assert_allclose(result["decode"], result["reconstruct"], rtol=1e-5)
        assert result["default"] == result["reconstruct"]


@of_one_backend
@pytest.mark.parametrize("name", MODELS)
def test_a_model_names_its_paper_and_shows_its_networks(name, capsys):
    model = make(name)
    assert any(character.isdigit() for character in model.paper)
    model.summary(expand_nested=True)
    summary = capsys.readouterr().out
    assert "Dense" in summary and "Trainable params" in summary


class Batched(keras.utils.PyDataset):
    """Data in a form that cannot be looked at as a whole."""

    def __init__(self, x, label):
        super().__init__()
        self.batch = {"x": x, "label": label}

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return self.batch


@of_one_backend
@pytest.mark.parametrize("name", MODELS)
def test_mistakes_are_told_before_training(name):
    model = make(name)
    arrays = examples(spec_of(name))

    def mistake(x, label=arrays["label"], **options):
        model.fit({"x": x, "label": label}, verbose=0, **options)

    shape = ", ".join(map(str, model.data_shape))
    with pytest.raises(ValueError, match=rf"x has shape \(48, .*\(examples, {shape}\)"):
        mistake(arrays["x"][:, :-1])
    bounded = np.isfinite(getattr(model, "likelihood", model).value_range).all()
    pixels = np.round(255 * arrays["x"])
    for wrong in (pixels, pixels.astype("uint8")) if bounded else ():
        with pytest.raises(ValueError, match="divide by 255"):
            mistake(wrong)
    with pytest.raises(ValueError, match="NaN"):
        mistake(np.where(arrays["x"] > 0.5, np.nan, arrays["x"]))
    with pytest.raises(ValueError, match="sample_weight"):
        mistake(arrays["x"], sample_weight=np.ones(EXAMPLES))
    with pytest.raises(ValueError, match=r"needs the entry \"x\".* has 'image', 'label'"):
        model.fit({"image": arrays["x"], "label": arrays["label"]}, verbose=0)
    with pytest.raises(ValueError, match=r"x must be arrays, a keras_gen\.data\.Dataset"):
        model.fit(verbose=0)
    with pytest.raises(TypeError, match=r"spec must be a keras_gen\.data\.Spec"):
        for_data(type(model), SimpleNamespace(kind=spec_of(name).kind))
    if model.conditional:
        with pytest.raises(ValueError, match="labels must be class indices, whole numbers"):
            mistake(arrays["x"], arrays["label"] / 2)
    with pytest.raises(ValueError, match="y must be as long as x, which has 48; got 47"):
        mistake(arrays["x"], arrays["label"][1:])
    if bounded:
        if hasattr(model, "encode"):
            label = [arrays["label"]] if model.conditional else []
            with pytest.raises(ValueError, match="divide by 255"):
                model.encode(pixels, *label)
        if BACKEND == "tensorflow":
            with pytest.raises(ValueError, match="divide by 255"):
                bad = {"x": pixels, "label": arrays["label"]}
                model.fit(tf.data.Dataset.from_tensor_slices(bad).batch(8), verbose=0)
        with pytest.raises(ValueError, match="divide by 255"):
            model.fit(Batched(pixels, arrays["label"]), verbose=0)
    with pytest.raises(ValueError, match="metrics"):
        model.compile(metrics=["mse"])
    for verb in {"encode", "reconstruct"} & set(dir(model)):
        label = [arrays["label"]] if model.conditional else []
        with pytest.raises(ValueError, match=r"x has shape \(48, "):
            getattr(model, verb)(arrays["x"][:, :-1], *label)
        if model.conditional:
            with pytest.raises(ValueError, match=f"{verb} of {name} takes x and label"):
                getattr(model, verb)(arrays["x"])
            with pytest.raises(ValueError, match=r"labels must be in 0\.\.2"):
                getattr(model, verb)(arrays["x"], arrays["label"] + 1)
    if model.conditional:
        with pytest.raises(ValueError, match="one class index per example"):
            model.fit(arrays["x"], verbose=0)
        with pytest.raises(ValueError, match=r"labels must be in 0\.\.2"):
            mistake(arrays["x"], arrays["label"] + 1)
    assert int(model.step) == 0


# Data of presets that is known by its files only, in short.
FILES = {
    "stocks": data.Spec("stocks", "sequence", (4, 6), (0.0, 1.0)),
    "notes:jsb_chorales.json": data.Spec("notes", "sequence", (4, 12), (0.0, 1.0)),
    "tfds:tiny_shakespeare": data.Spec(
        "text", "text", (4, 1), (0.0, 64.0), vocabulary=tuple(map(chr, range(65)))
    ),
    "photos": data.Spec("photos", "image", (64, 64, 3), (0.0, 1.0)),
    "audio:fsdd": data.Spec("fsdd", "audio", (64, 64, 1), (0.0, 1.0), num_classes=10),
}


@of_one_backend
@pytest.mark.parametrize("name", presets.PRESETS)
def test_presets_build_learn_and_save(name, tmp_path):
    preset = presets.get(name)
    cls = models.get(preset.class_name)
    size = {"num_examples": 4} if cls.uses_index else {}
    spec = FILES.get(preset.data) or data.spec(preset.data, **preset.data_options)
    model = cls.from_preset(name, spec, load_weights=False, seed=1, **size)
    batch = examples(spec, n=4)
    if spec.factors:
        batch.pop("label")
    if cls.uses_index:
        batch["index"] = np.arange(4)
    assert_step_lowers_loss(model, batch, 1e-5, 1e-3)
    model.save(tmp_path / "model.keras")
    assert_same_state(keras.models.load_model(tmp_path / "model.keras"), model)
