"""Trains the MLP VAE 784-512-16 with pythae, an epoch for each line of standard input.

`benchmarks/throughput.py --pythae PYTHON` runs it, with the Python of an environment that has
pythae and PyTorch. It prints the seconds of each epoch.
"""

import contextlib
import logging
import sys
import tempfile
import time

import numpy as np
from pythae.data.datasets import BaseDataset
from pythae.models import VAE, VAEConfig
from pythae.trainers import BaseTrainer, BaseTrainerConfig

BATCH = 128


def main(examples: int) -> None:
    logging.disable(logging.CRITICAL)
    rng = np.random.default_rng(0)
    x = (rng.uniform(size=(examples, 1, 28, 28)) < 0.2).astype("float32")
    # Its default networks for this shape are those of the MLP VAE.
    model = VAE(VAEConfig(input_dim=(1, 28, 28), latent_dim=16, reconstruction_loss="bce"))
    import torch

    dataset = BaseDataset(torch.from_numpy(x), torch.zeros(examples))
    with tempfile.TemporaryDirectory() as folder:
        config = BaseTrainerConfig(
            output_dir=folder,
            num_epochs=1000,
            learning_rate=1e-3,
            per_device_train_batch_size=BATCH,
            no_cuda=True,
        )
        trainer = BaseTrainer(model=model, train_dataset=dataset, training_config=config)
        with contextlib.redirect_stdout(sys.stderr):
            trainer.prepare_training()
        for epoch, _ in enumerate(sys.stdin, 1):
            start = time.perf_counter()
            with contextlib.redirect_stdout(sys.stderr):
                trainer.train_step(epoch)
            print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
