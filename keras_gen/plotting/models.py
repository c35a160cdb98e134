"""Figures of what a model has learned: its latents, and what it makes of examples."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import norm
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.metrics import pairwise_distances_argmin

from keras_gen import checks, data, latents, representation
from keras_gen.engine import serving
from keras_gen.models import GenerativeModel
from keras_gen.plotting.samples import DPI, draw_comparison, draw_samples

EXAMPLES = 10  # in a row
MAPPED = 2000  # examples of a map: t-SNE takes about 10 s for them
EDGE = 0.02  # of the prior's mass beyond the outermost images of a manifold
MOST_CLASSES = 20  # that a legend can tell apart


def draw_manifold(
    model: GenerativeModel,
    spec: data.Spec,
    dimensions: tuple[int, int] | None = None,
    side: int = 15,
    label: int | None = None,
) -> Figure:
    """Returns a figure of what two latents generate, at evenly spaced quantiles of their prior.

    The first latent grows to the right and the second upwards. All others are 0.

    Args:
        model: with Gaussian latents.
        spec: of its data, which are images or spectrograms.
        dimensions: indices of the two latents; by default those that change the picture most.
        side: number of images in each row and column.
        label: the class, of a conditional model.

    Raises:
        ValueError: if the model does not have such latents, or its data are not pictures.
    """
    latent = _gaussian(model, "a manifold")
    if not spec.is_picture:
        raise ValueError(f"a manifold is drawn of pictures, not of {spec.kind} data.")
    if dimensions is None:
        dimensions = [each.place for each in representation.controls(model, 2)]
    if len(dimensions) != 2:
        raise ValueError(f"a manifold needs two latents, got {len(dimensions)}.")
    for dimension in dimensions:
        checks.integer("dimension", dimension, least=0, most=latent.dim - 1)
    at = norm.ppf(np.linspace(EDGE, 1 - EDGE, checks.integer("side", side, least=2)))
    z = np.zeros((side, side, latent.dim), "float32")
    z[..., dimensions[0]], z[..., dimensions[1]] = at, at[::-1, None]
    x = _decoded(model, z.reshape(-1, latent.dim), label)
    title = f"latent {dimensions[0]} to the right, latent {dimensions[1]} upwards"
    return draw_samples(x, spec, columns=side, title=title)


def draw_traversal(
    model: GenerativeModel,
    spec: data.Spec,
    x: np.ndarray | None = None,
    rows: int = 10,
    steps: int = 9,
    seed: int = 0,
    label: int | None = None,
) -> Figure:
    """Returns a figure in which each row varies one latent or code, and keeps the others.

    Args:
        model: of any kind.
        spec: of its data.
        x: examples `(n, *spec.shape)`; a VAE's latents are then in the order of their use, and the
            rows are labelled with their KL in nats. Else the order is that of
            `keras_gen.representation.controls`.
        rows: at most so many latents.
        steps: values of each.
        seed: of the z from which a model without encoder starts.
        label: the class, of a conditional model.
    """
    varied = representation.controls(model, steps=steps)
    names = [each.name for each in varied]
    start = model.draw_latents(1, seed=seed)
    if hasattr(model, "encode") and isinstance(model.latent, latents.Gaussian):
        start = np.zeros_like(start)
        if x is not None:
            given = None if label is None else np.full(len(x), label)
            kl = representation.kl_per_latent(model, x, given)
            varied = sorted(varied, key=lambda each: -kl[each.place])
            names = [f"{each.place}, {kl[each.place]:.1f} nats" for each in varied]
    parts = []
    for each in varied[:rows]:
        z = np.repeat(start, len(each.values), axis=0)
        z[:, each.place : each.place + each.width] = each.values
        parts.append(_decoded(model, z, label))
    if len({len(part) for part in parts}) > 1:  # a category has as many values as classes
        most = max(map(len, parts))
        parts = [np.concatenate([p, np.repeat(p[-1:], most - len(p), axis=0)]) for p in parts]
    return draw_comparison(parts, spec, names[:rows])


def draw_interpolation(
    model: GenerativeModel,
    spec: data.Spec,
    pairs: int = 4,
    steps: int = 9,
    seed: int = 0,
    label: int | None = None,
) -> Figure:
    """Returns a figure of paths between draws from the prior: straight, and on great circles.

    Args:
        model: with Gaussian latents.
        spec: of its data.
        pairs: of draws; each has a row for both paths.
        steps: points on each path, both ends included.
        seed: of the draws.
        label: the class, of a conditional model.
    """
    latent = _gaussian(model, "an interpolation")
    start, end = np.split(model.draw_latents(2 * pairs, seed=seed), 2)
    paths = latents.straight(start, end, steps), latent.interpolate(start, end, steps)
    given = None if label is None else np.full(pairs, label)
    both = [serving.decode_paths(model, path.astype("float32"), given) for path in paths]
    rows = [each[i] for i in range(pairs) for each in both]
    return draw_comparison(rows, spec, ["straight", "spherical"] * pairs)


def draw_map(model: GenerativeModel, x: np.ndarray, label: np.ndarray | None = None) -> Figure:
    """Returns maps of examples' latents in the plane, by PCA and by t-SNE.

    Args:
        model: that infers latents; see `keras_gen.representation.latents`.
        x: examples, `(n, *data_shape)`, of which the first 2,000 are drawn.
        label: class indices `(n,)`, which colour the points.
    """
    x, label = x[:MAPPED], None if label is None else np.asarray(label[:MAPPED])
    z = representation.latents(model, x, label)
    figure = Figure((9, 4.4), dpi=DPI, layout="constrained")
    maps = {"PCA": PCA(2, random_state=0).fit_transform(z),
            "t-SNE": TSNE(random_state=0, init="pca").fit_transform(z)}  # fmt: skip
    classes = np.unique(label) if label is not None else [None]
    for ax, (name, points) in zip(figure.subplots(1, 2), maps.items(), strict=True):
        for i, each in enumerate(classes):
            own = points if label is None else points[label == each]
            ax.plot(*own.T, ".", markersize=3, markeredgewidth=0, color=f"C{i % 10}", label=each)
        ax.set(title=name, xticks=[], yticks=[])
    if 1 < len(classes) <= MOST_CLASSES:
        handles, names = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside right", frameon=False, markerscale=4)
    return figure


def draw_reconstruction(
    model: GenerativeModel, spec: data.Spec, x: np.ndarray, label: np.ndarray | None = None
) -> Figure:
    """Returns a figure of examples above their reconstructions.

    Args:
        model: with a method `reconstruct`.
        spec: of its data.
        x: examples, `(n, *spec.shape)`, of which the first 10 are drawn.
        label: class indices `(n,)`, of a conditional model.
    """
    x = x[:EXAMPLES]
    back = representation.denoise(model, x, None if label is None else label[:EXAMPLES])
    return draw_comparison([x, back], spec, ["original", "reconstruction"])


def draw_neighbours(x: np.ndarray, training: np.ndarray, spec: data.Spec) -> Figure:
    """Returns a figure of samples above their nearest training examples.

    Args:
        x: samples, `(n, *spec.shape)`, of which the first 10 are drawn.
        training: all training examples, `(m, *spec.shape)`.
        spec: of the data.
    """
    x = x[:EXAMPLES]
    # The difference of two characters is no distance, but their number is.
    metric = "hamming" if spec.kind == "text" else "euclidean"
    flat = [each.reshape(len(each), -1) for each in (x, training)]
    places = pairwise_distances_argmin(*flat, metric=metric)
    return draw_comparison([x, training[places]], spec, ["sample", "nearest in training"])


def _gaussian(model: GenerativeModel, what: str) -> latents.Gaussian:
    family = getattr(model, "latent", None)
    if not isinstance(family, latents.Gaussian):
        raise ValueError(f"{type(model).__name__} has no Gaussian latents for {what}.")
    return family


def _decoded(model: GenerativeModel, z: np.ndarray, label: int | None) -> np.ndarray:
    if not model.conditional:
        return model.decode(z)
    return model.decode(z, np.full(len(z), label or 0))
