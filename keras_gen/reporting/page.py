"""The page: sections of text, tables and figures, in one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import html
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import mutual_info_score

from keras_gen import data, files, plotting, representation, runs
from keras_gen.runs.trained import TrainedModel

TEMPLATE = Path(__file__).with_name("page.html")
EXAMPLES = 2000  # test examples that figures are made of
USED = 0.05  # nats: a latent with less holds next to nothing
BINS = 20  # of a latent, in the table of factors


def write_page(
    where: str | os.PathLike,
    out: str | os.PathLike,
    source: Any = None,
    data_dir: str | os.PathLike | None = None,
    seed: int = 0,
) -> None:
    """Writes the page of a trained model; the file appears complete or not at all.

    Args:
        where: a run directory, a released folder, a `.keras` file or the name of a preset.
        out: the HTML file.
        source, data_dir: the data, as for `keras_gen.runs.TrainedModel.dataset`.
        seed: of the samples.

    Raises:
        ValueError: if there is no such model, or the data is not of its kind.
    """
    trained = runs.open(where)
    try:
        dataset = trained.dataset(source, data_dir)
    except ValueError:
        if source is not None or data_dir is not None:
            raise
        dataset = None
    with files.written_beside(out) as beside:
        beside.write_text(page(trained, dataset, seed), encoding="utf-8")


def page(trained: TrainedModel, dataset: data.Dataset | None = None, seed: int = 0) -> str:
    """Returns the page, HTML.

    Args:
        trained: the model.
        dataset: of its kind; without one, what needs examples is left out.
        seed: of the samples.
    """
    card, model = trained.card, trained.model
    sections = "\n".join(_sections(trained, dataset, seed))
    subtitle = f"{card.get('description', type(model).__name__)}. {card.get('paper') or ''}"
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=html.escape(trained.name), subtitle=html.escape(subtitle), sections=sections
    )


def _sections(trained: TrainedModel, dataset: data.Dataset | None, seed: int) -> Iterator[str]:
    model, spec = trained.model, trained.spec
    if trained.metrics.get("evaluation"):
        yield _section("Figures", "On test data; “real data” is the same with real examples in "
                       "place of samples.", _figures(trained.metrics["evaluation"]))  # fmt: skip
    if plotting.drawable(spec):
        labels = plotting.class_labels(model, spec)
        x = trained.sample(plotting.sheet_size(spec, labels), seed)
        drawn = plotting.draw_samples(x, spec, column_labels=labels)
        yield _section("Samples", f"Drawn with seed {seed}.", _image(drawn))
    elif spec.kind == "text":
        lines = model.text(trained.sample(12, seed))
        text = "\n".join(map(str, lines))
        yield _section("Samples", f"Drawn with seed {seed}.", f"<pre>{html.escape(text)}</pre>")
    if hasattr(trained, "history") and trained.history:
        yield _section("Training", "", _image(plotting.draw_training(trained.history)))
    examples = {} if dataset is None else dataset.arrays("test", limit=EXAMPLES)
    for title, text, draw in _of_latents(trained, dataset, examples, seed):
        try:
            content = draw()
        except ValueError:  # a figure that does not fit this model
            continue
        yield _section(title, text, content)
    if dataset is None:
        yield _section("Data", "The model's data is not at hand: give its place to see latents in "
                       "use, reconstructions, maps and neighbours.", "")  # fmt: skip
    content = json.dumps(trained.card, indent=2, default=str)
    known = f"<summary>All that is known of it</summary><pre>{html.escape(content)}</pre>"
    yield _section("Card", "", f"<details>{known}</details>")


def _of_latents(
    trained: TrainedModel, dataset: data.Dataset | None, examples: dict, seed: int
) -> Iterator[tuple[str, str, Callable[[], str]]]:
    """Yields title, text and content of what is known of the latents; the content may not fit."""
    model, spec, x = trained.model, trained.spec, examples.get("x")
    label = examples.get("label")
    if x is not None:
        yield (
            "Latents in use",
            f"KL of each latent's posterior from its prior, in nats: with less than {USED:g} a "
            "latent holds nothing.",
            lambda: _image(_usage(representation.kl_per_latent(model, x, label))),
        )
    drawable = plotting.drawable(spec)
    if drawable:
        yield (
            "What each latent changes",
            "One latent or code varied in each row, the most used first where that is known.",
            lambda: _image(plotting.draw_traversal(model, spec, x, seed=seed)),
        )
        yield (
            "Interpolation",
            "Paths between two draws from the prior.",
            lambda: _image(plotting.draw_interpolation(model, spec, seed=seed)),
        )
    if x is None:
        return
    if spec.factors:
        yield (
            "Which factors the latents follow",
            "Mutual information of each latent and each factor, as a share of the factor's "
            "entropy. A factor that one latent alone follows is disentangled.",
            lambda: _factors(representation.latents(model, x), label, list(spec.factors)),
        )
    if drawable:
        yield (
            "Reconstructions",
            "",
            lambda: _image(plotting.draw_reconstruction(model, spec, x, label)),
        )
    classes = label if spec.num_classes else None
    yield (
        "Map of the latents",
        "Test examples" + (", coloured by class." if spec.num_classes else "."),
        lambda: _image(plotting.draw_map(model, x, classes)),
    )
    if drawable:
        training = dataset.arrays("train")["x"]
        yield (
            "Nearest training examples",
            "A sample that equals its neighbour was learned by heart.",
            lambda: _image(plotting.draw_neighbours(trained.sample(10, seed), training, spec)),
        )


def _section(title: str, text: str, content: str) -> str:
    paragraph = f"<p>{html.escape(text)}</p>" if text else ""
    content = content.replace('alt=""', f'alt="{html.escape(title)}"')
    inner = f'<h2>{html.escape(title)}</h2>{paragraph}<div class="wide">{content}</div>'
    return f"<section>{inner}</section>"


def _image(figure: Figure) -> str:
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=figure.dpi, metadata={"Software": None})
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}">'


def _figures(evaluation: dict[str, dict]) -> str:
    rows = [
        (name, f"{each['value']:.4g}", each["unit"], _number(each.get("floor")), f"{each['n']:,}")
        for name, each in evaluation.items()
    ]
    return _table(("measure", "value", "unit", "real data", "n"), rows, numbers=(1, 3, 4))


def _factors(z: np.ndarray, factors: np.ndarray, names: list[str]) -> str:
    binned = [np.digitize(each, np.histogram(each, BINS)[1][1:-1]) for each in z.T]
    rows = []
    for i, each in enumerate(binned):
        shares = (
            mutual_info_score(factor, each) / mutual_info_score(factor, factor)
            for factor in np.asarray(factors).T
        )
        rows.append((str(i), *(f"{share:.2f}" for share in shares)))
    return _table(("latent", *names), rows, numbers=range(1, len(names) + 1))


def _usage(kl: np.ndarray) -> Figure:
    order = np.argsort(-kl)
    figure = Figure((8, 2.6), dpi=100, layout="constrained")
    ax = figure.subplots()
    colours = ["C0" if each > USED else "0.7" for each in kl[order]]
    ax.bar(np.arange(len(kl)), kl[order], color=colours)
    step = max(1, len(kl) // 25)
    ax.set_xticks(np.arange(0, len(kl), step), order[::step].astype(str), fontsize=7)
    ax.set(xlabel="latent", ylabel="nats", title=f"{np.sum(kl > USED)} of {len(kl)} in use")
    return figure


def _table(header, rows, numbers=()) -> str:
    def cells(kind, row):
        return "".join(
            f"<{kind}{' class=number' if i in numbers else ''}>{html.escape(each)}</{kind}>"
            for i, each in enumerate(row)
        )

    lines = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table><tr>{cells('th', header)}</tr>{lines}</table>"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
