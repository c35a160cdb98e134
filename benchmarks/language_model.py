"""A plain LSTM language model beside a recurrent VAE of text.

    python benchmarks/language_model.py RUN

RUN is a finished run of `recurrent_vae_text`. The language model is the VAE's decoder without z: an
embedding, the same recurrent layers, a dense layer to the symbols. It is trained with Keras's own
`fit` on the same windows, for as many steps of as many windows, by the same optimizer and schedule.
Both are measured on the held-out windows, each read from its start without what comes before.
"""

import argparse
import math
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras import layers

from keras_gen import data, training


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", help="a run directory")
    _, config, vae = training.load(parser.parse_args().run)
    preset = config.preset
    dataset = data.load(preset.data, config.data_dir, **preset.data_options)
    symbols = len(dataset.spec.vocabulary)

    def shifted(split: str) -> tuple[np.ndarray, np.ndarray]:
        """What comes before each symbol, nothing before the first, and the symbols."""
        x = dataset.arrays(split)["x"][..., 0]
        return np.concatenate([np.full_like(x[:, :1], symbols), x[:, :-1]], axis=1), x

    recurrent = {"gru": layers.GRU, "lstm": layers.LSTM}[preset.model_options.get("cell", "gru")]
    hidden = preset.model_options["hidden"]
    keras.utils.set_random_seed(config.seed)
    plain = keras.Sequential(
        [
            keras.Input(dataset.spec.shape[:1]),
            layers.Embedding(symbols + 1, hidden[0]),
            *(recurrent(units, return_sequences=True) for units in hidden),
            layers.Dense(symbols),
        ]
    )
    previous, x = shifted("train")
    whole = len(x) // preset.batch_size * preset.batch_size
    steps = preset.epochs * whole // preset.batch_size
    rate = training.schedule(preset.schedule, preset.learning_rate, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    plain.compile(keras.optimizers.Adam(rate, **preset.adam), loss)
    plain.fit(previous[:whole], x[:whole], preset.batch_size, preset.epochs, verbose=2)

    test = dataset.batches("test", shuffle=False)
    metrics = vae.evaluate(test, return_dict=True, verbose=0)
    entropy = plain.evaluate(*shifted("test"), verbose=0) / math.log(2)
    print(f"{steps} steps; {len(shifted('test')[1])} held-out windows of {x.shape[1]} characters")
    print(f"{'model':26} {'bits per character':>18} {'KL, nats per window':>20} {'weights':>9}")
    rows = (
        ("recurrent VAE (its bound)", metrics["bits_per_dim"], f"{metrics['kl']:.2f}", vae),
        ("LSTM language model", entropy, "-", plain),
    )
    for name, bits, kl, model in rows:
        print(f"{name:26} {bits:18.3f} {kl:>20} {model.count_params():9}")


if __name__ == "__main__":
    main()
