"""Compares a recurrent VAE of text with a plain LSTM language model.

    python benchmarks/language_model.py recurrent_vae_text --data-dir D
    python benchmarks/language_model.py RUN [--epochs N]

The language model is the VAE's decoder without z: an embedding, the same recurrent layers and a
dense layer to the symbols. It is trained with Keras's own `fit` on the same windows, for the same
number of steps, with the same batch size, optimizer and schedule. Both models are measured on the
held-out windows. Each window is read from its start, without the text before it.
"""

import argparse
import math

from keras_gen import networks, runs

# isort: split
# Keras after keras_gen, which imports TensorFlow without its messages.
import keras
import numpy as np
from keras import layers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("where", metavar="MODEL", help="recurrent_vae_text, or a run directory")
    parser.add_argument("--data-dir", help="where TensorFlow Datasets keeps its prepared data sets")
    parser.add_argument("--epochs", type=int, help="of the language model (default: the VAE's)")
    arguments = parser.parse_args()
    trained = runs.open(arguments.where)
    preset, vae = trained.preset, trained.model
    dataset = trained.dataset(data_dir=arguments.data_dir)
    symbols = len(dataset.spec.vocabulary)

    def shifted(split: str) -> tuple[np.ndarray, np.ndarray]:
        """Returns the symbol before each symbol (none before the first), and the symbols."""
        x = dataset.arrays(split)["x"][..., 0]
        return np.concatenate([np.full_like(x[:, :1], symbols), x[:, :-1]], axis=1), x

    recurrent = {"gru": layers.GRU, "lstm": layers.LSTM}[preset.network.get("cell", "gru")]
    hidden = networks.layer_sizes(preset.network["hidden"])
    keras.utils.set_random_seed(trained.seed)
    plain = keras.Sequential(
        [
            keras.Input(dataset.spec.shape[:1]),
            layers.Embedding(symbols + 1, min(hidden[0], symbols + 1)),
            *(recurrent(units, return_sequences=True) for units in hidden),
            layers.Dense(symbols),
        ]
    )
    previous, x = shifted("train")
    whole = len(x) // preset.batch_size * preset.batch_size
    epochs = arguments.epochs or preset.epochs
    steps = epochs * whole // preset.batch_size
    rate = runs.schedule(preset.schedule, preset.learning_rate, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    plain.compile(keras.optimizers.Adam(rate, **preset.adam), loss)
    plain.fit(previous[:whole], x[:whole], preset.batch_size, epochs, verbose=2)

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
