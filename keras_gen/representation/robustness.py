"""What a model makes of imperfect examples: missing values, noise, examples from elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from keras import ops

from keras_gen import checks, latents
from keras_gen.engine import serving
from keras_gen.engine.backends import backend
from keras_gen.models import GLO, VAE, GenerativeModel, RecurrentVAE, latent_search
from keras_gen.noise import Noise

BATCH = 500
PRIOR_WEIGHT = 1e-2  # of |z|^2 / 2 beside the squared error, in a search over a Gaussian's z
# Hamiltonian Monte Carlo: steps of a trajectory, their first size, and how it grows after a
# trajectory is accepted and shrinks after one is not. In balance, two of three are accepted.
LEAPS, FIRST_SIZE, LARGER, SMALLER = 8, 0.05, 1.1, 1.1**-2
SCORES = ("likelihood", "reconstruction")


def fill_in(
    model: GenerativeModel,
    x,
    known,
    label=None,
    steps: int = 60,
    tries: int = 4,
    seed: int = 0,
) -> np.ndarray:
    """Returns examples with their missing values filled in, `(n, *data_shape)`.

    With a VAE it is an estimate of the mean of p(missing | known): values are independent given z,
    so that p(z | known) is known but for a constant, and z is drawn from it by Hamiltonian Monte
    Carlo (Neal 2011, "MCMC using Hamiltonian Dynamics"). Pseudo-Gibbs (Rezende et al. 2014,
    appendix F) takes q(z|x) instead, which knows whole examples only, and goes astray where much is
    missing. Other models take the G(z) that is nearest to the known values, found by gradient
    descent in z (as Yeh et al. 2017, "Semantic Image Inpainting with Deep Generative Models",
    without the discriminator's term).

    Args:
        model: a VAE or its kin, GLO, or a GAN or VAEGAN on Gaussian z.
        x: examples, `(n, *data_shape)`; missing values may be anything, NaN too.
        known: true where a value is known, of a shape that broadcasts to that of x.
        label: class indices `(n,)`, of a conditional model.
        steps: of a chain, whose first half is left out of the mean; or of gradient descent.
        tries: chains, whose mean is taken; or searches, of which the best is. GLO has one, from 0.
        seed: of the draws.

    Raises:
        ValueError: if the model has neither a likelihood of whole examples nor z that can be
            searched, or a number is not what it must be.
    """
    checks.integer("steps", steps, least=2)
    checks.integer("tries", tries)
    checks.seed(seed)
    x = checks.real_array("x", x).astype("float32")
    known = np.broadcast_to(np.asarray(known, bool), x.shape)
    given = [checks.real_array("label", label)] if model.conditional else []
    if isinstance(model, VAE) and not isinstance(model, RecurrentVAE):
        fill = _posterior_mean
    elif isinstance(model, GLO):
        fill, tries = _search, 1
    elif isinstance(getattr(model, "latent", None), latents.Gaussian):
        fill = _search
    else:
        raise ValueError(
            f"{type(model).__name__} has neither p(x|z) of all values nor Gaussian z to search. "
            "Fill in with a VAE, VAEGAN, GLO or a GAN on Gaussian noise."
        )
    whole = np.where(known, x, _middle(model, len(x), given))
    model.check_examples(whole, *given)
    parts = [
        fill(model, steps, tries, (seed, i), *(a[i : i + BATCH] for a in (whole, known, *given)))
        for i in range(0, len(x), BATCH)
    ]
    return np.where(known, x, np.concatenate(parts))


def denoise(model: GenerativeModel, x, label=None) -> np.ndarray:
    """Returns the model's nearest to noisy examples, `(n, *data_shape)`.

    That is the reconstruction: what the latents do not hold, such as noise, is lost.

    Args:
        model: with a method `reconstruct`.
        x: examples in the model's range, `(n, *data_shape)`: clip the noise.
        label: class indices `(n,)`, of a conditional model.

    Raises:
        ValueError: if the model does not reconstruct.
    """
    if not hasattr(model, "reconstruct"):
        raise ValueError(
            f"{type(model).__name__} does not reconstruct: use a VAE, VAEGAN or GLO, or fill_in "
            "with a GAN."
        )
    return model.reconstruct(x, *([label] if model.conditional else []))


def anomaly_scores(
    model: GenerativeModel,
    x,
    by: str = "likelihood",
    background: GenerativeModel | None = None,
    label=None,
    num_samples: int = 50,
) -> np.ndarray:
    """Returns how little each example belongs to a model's data, `(n,)`; more is stranger.

    Args:
        model: of the data that is normal.
        x: examples, `(n, *data_shape)`.
        by: "likelihood": -log p(x), in nats; "reconstruction": the mean squared error.
        background: a model of what normal and strange examples share, such as one trained on
            perturbed data. The score is then log p_background(x) - log p(x) (Ren et al. 2019,
            "Likelihood Ratios for Out-of-Distribution Detection", equation 4).
        label: class indices `(n,)`, of a conditional model.
        num_samples: of the likelihood's estimate.

    Raises:
        ValueError: if the model does not have what the score needs.
    """
    if by not in SCORES:
        raise ValueError(f"by must be one of {', '.join(SCORES)}, got {by!r}.")
    if background is not None and by != "likelihood":
        raise ValueError(f"a background is for by='likelihood', not for {by!r}.")
    given = {"label": label} if model.conditional else {}
    if by == "reconstruction":
        difference = np.float64(x) - denoise(model, x, label)
        return np.mean(np.square(difference), axis=tuple(range(1, difference.ndim)))
    for each in (model, background):
        if each is not None and not hasattr(each, "log_likelihood"):
            raise ValueError(
                f"{type(each).__name__} has no likelihood: score by='reconstruction', or use a VAE."
            )
    score = -model.log_likelihood(x, num_samples, **given)
    if background is not None:
        score += background.log_likelihood(x, num_samples)
    return score


def _middle(model: GenerativeModel, n: int, given: list) -> np.ndarray:
    """Returns what missing values start from: what the model makes of z = 0."""
    z = np.zeros((n, model.draw_latents(1, seed=0).shape[1]), "float32")
    return model.decode(z, *given)


def _posterior_mean(model, steps, tries, place, x, known, *given) -> np.ndarray:
    """Returns the mean of p(x|z) over draws of z given the known values."""

    def log_prob(z, x, known, label):
        parameters = model.likelihood_parameters(z, label)
        return model.likelihood.log_prob(x, parameters, known) + model.log_prior(z)

    def move(place, step, adapt, x, known, z, size, label=None):
        noise = Noise(place[0]).at("fill_in", place[1], step)

        def slope(z):
            def total(z):
                each = log_prob(z, x, known, label)
                return ops.sum(each), each

            (gradient,), each = backend.gradient(total, [z])
            return gradient, each

        momentum = noise.at("momentum").normal(ops.shape(z))
        force, before = slope(z)
        before -= ops.sum(ops.square(momentum), axis=1) / 2
        moved = z
        for _ in range(LEAPS):
            momentum = momentum + size * force / 2
            moved = moved + size * momentum
            force, after = slope(moved)
            momentum = momentum + size * force / 2
        after -= ops.sum(ops.square(momentum), axis=1) / 2
        # Written so that an energy that is no number is not accepted.
        accepted = (ops.log(noise.at("accept").uniform(ops.shape(after))) < after - before)[:, None]
        grown = size * ops.where(accepted, LARGER, SMALLER)
        z = ops.where(accepted, moved, z)
        return z, ops.where(adapt, grown, size), model.mean_given(z, label)

    step = serving.graph(model, "fill_in", move)
    n = len(x)
    z = model.draw_latents(n * tries, seed=_seed(place))
    place, size = np.array(place, "int32"), np.full((n * tries, 1), FIRST_SIZE, "float32")
    x_many, known_many, *label = (np.repeat(array, tries, axis=0) for array in (x, known, *given))
    total = np.zeros_like(x_many, "float64")
    for i in range(steps):
        adapt = np.array(i < steps // 2)
        fixed = place, np.array(i, "int32"), adapt, x_many, known_many
        z, size, mean = step(*fixed, z, size, *label)
        if not adapt:
            total += ops.convert_to_numpy(mean)
    mean = total / (steps - steps // 2)
    return mean.reshape(n, tries, *x.shape[1:]).mean(axis=1)


def _search(model, steps, tries, place, x, known, *given) -> np.ndarray:
    """Returns G(z) of the best z; `tries` searches for each example run side by side."""
    in_ball = isinstance(model, GLO)
    decode: Callable = model.signatures()["decode"][0]

    def found(x, known, start, steps, *given):
        weight = ops.cast(known, "float32")

        def misfit(z):
            squares = weight * ops.square(decode(z, *given)["x"] - x)
            return ops.sum(squares, axis=tuple(range(1, len(squares.shape))))

        def distance(z):
            return misfit(z) + PRIOR_WEIGHT / 2 * ops.sum(ops.square(z), axis=1)

        if in_ball:
            z = latent_search.search(misfit, start, steps)
        else:
            z = latent_search.search(distance, start, steps, project=lambda z: z)
        return decode(z, *given)["x"], misfit(z)

    start = model.draw_latents(len(x) * tries, seed=_seed(place))
    if in_ball:
        start = np.zeros_like(start)
    repeated = [np.repeat(array, tries, axis=0) for array in (x, known, *given)]
    search = serving.graph(model, "nearest", found)
    x_many, known_many, *label = repeated
    generated, misfit = search(x_many, known_many, start, np.array(steps, "int32"), *label)
    best = ops.convert_to_numpy(misfit).reshape(-1, tries).argmin(axis=1)
    generated = ops.convert_to_numpy(generated).reshape(-1, tries, *x.shape[1:])
    return generated[np.arange(len(x)), best]


def _seed(place: tuple[int, int]) -> int:
    """Returns a seed for a place in the examples."""
    return int(np.random.default_rng([each % 2**32 for each in place]).integers(2**31))
