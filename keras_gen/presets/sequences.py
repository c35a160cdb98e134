"""Sequences, music, text and speech."""

from keras_gen.presets import citations
from keras_gen.presets.preset import GAME, STABLE_IMAGES, Preset

# A few numbers say what a whole sequence is like. The discriminator returns a logit for each step,
# which it sees with the steps before and after: with one for the whole sequence, samples vary two
# thirds as much as the data.
STABLE_SEQUENCES = {
    **STABLE_IMAGES["network"],
    "hidden": (32, 32),
    "latent_dim": 0,
    "static_dim": 16,
    "direction": "bidirectional",
    "logits": "step",
}
SCORES = (
    "discriminative_score_10",
    "predictive_score_10",
    "discriminative_score_32_10",
    "predictive_score_32_10",
)

PRESETS = (
    Preset(
        name="crgan_sines",
        description="recurrent GAN on sine waves of five channels",
        class_name="CRGAN",
        paper=f"{citations.MOGREN}; {citations.YOON}",
        data="sines",
        network={
            **STABLE_SEQUENCES,
            "hidden": (64, 64),
            "initial_state": "noise",
            "discriminator_hidden": (32, 32),
            # Smooth sequences are recognized by their slopes. Without them the discriminative
            # score is 0.024; with a factor of 24 the discriminator wins, and it is 0.142.
            "deltas": 4.0,
        },
        model=dict(STABLE_IMAGES["model"]),
        epochs=150,
        # At equal rates the discriminator may win after a hundred epochs.
        learning_rate={"discriminator": 5e-4, "generator": 1e-3},
        adam=dict(GAME),
        schedule="cosine",
        protocols=SCORES,
        target={"discriminative_score_10": 0.022, "predictive_score_10": 0.097},
    ),
    Preset(
        name="crgan_stocks",
        description="recurrent GAN on 24 days of Google's stock prices",
        class_name="CRGAN",
        paper=f"{citations.MOGREN}; {citations.YOON}",
        data="stocks",
        # Windows held out at random, as in the paper whose scores are the target.
        data_options={"holdout": "random"},
        network=dict(STABLE_SEQUENCES),
        model=dict(STABLE_IMAGES["model"]),
        epochs=400,
        learning_rate=1e-3,
        adam=dict(GAME),
        schedule="cosine",
        protocols=SCORES,
        target={"discriminative_score_10": 0.196, "predictive_score_10": 0.040},
    ),
    Preset(
        name="crgan_notes",
        description="recurrent GAN on piano-rolls (--data notes:FILE.json)",
        class_name="CRGAN",
        paper=f"{citations.MOGREN}; {citations.YOON}",
        data="notes:jsb_chorales.json",
        network={**STABLE_IMAGES["network"], "hidden": (128, 128), "feedback": True},
        model=dict(STABLE_IMAGES["model"]),
        epochs=200,
        learning_rate=1e-3,
        adam=dict(GAME),
        protocols=("polyphony", "scale_consistency", "repetitions", "tone_span"),
    ),
    Preset(
        name="recurrent_vae_text",
        description="recurrent VAE on the characters of Shakespeare's plays",
        class_name="RecurrentVAE",
        paper=citations.BOWMAN,
        data="tfds:tiny_shakespeare",
        # The first characters of a window are hard to predict, with nothing before them. The longer
        # the window, the less they weigh.
        data_options={"length": 256},
        network={"latent_dim": 32, "hidden": (512,), "encoder_hidden": (128,), "cell": "lstm"},
        model={
            "word_dropout": 0.1,
            # Without it the decoder ignores z: the KL stays at half a nat.
            "capacity": 5.5,
            "capacity_steps": 400,
        },
        epochs=30,
        batch_size=64,
        learning_rate=3e-3,
        schedule="cosine",
        save_every=5,
        protocols=("active_units", "known_words_1k"),
        target={"known_words_1k": 0.85},
    ),
    Preset(
        name="conv_vae_spoken_digits",
        description="conditional VAE on spectrograms of spoken digits: says what is asked",
        class_name="ConditionalVAE",
        paper=citations.SOHN,
        data="audio:fsdd",
        # Recordings 0 to 4 of each speaker and digit are the test part. Most are shorter than 0.64
        # seconds; the silence after them is easy and would have the most weight.
        data_options={"test_files": "*_[0-4].wav", "seconds": 0.64},
        # With 32 latents half of the samples are heard as another digit, with 8 more than with 6.
        # At twice the rate none is, but the latents collapse: all samples of a digit are alike.
        network={"latent_dim": 6},
        model={"likelihood": "bernoulli"},
        epochs=200,
        learning_rate=1e-3,
        schedule="cosine",
        save_every=20,
        protocols=("label_accuracy_1k", "class_density_5k", "class_coverage_5k", "active_units"),
        target={"label_accuracy_1k": 0.96, "class_density_5k": 0.7, "class_coverage_5k": 0.7},
    ),
    Preset(
        name="vq_vae_spoken_digits",
        description="conditional VQ-VAE on spectrograms of spoken digits: says what is asked",
        class_name="ConditionalVQVAE",
        paper=citations.OORD,
        data="audio:fsdd",
        # By default a second of 64 frames and 64 bands, which three stages halve to 8x8 vectors.
        network={"num_vectors": 128, "depth": 3, "width": 48, "hidden": (192,)},
        model={"likelihood": "bernoulli"},
        epochs=100,
        batch_size=64,
        learning_rate=2e-3,
        schedule="cosine",
        save_every=10,
        protocols=("label_accuracy_1k", "class_density_5k", "class_coverage_5k"),
    ),
)
