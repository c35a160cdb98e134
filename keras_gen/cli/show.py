"""keras-gen show"""

from __future__ import annotations

from pathlib import Path

from keras_gen.cli.common import (
    WHERE,
    UsageError,
    add_data,
    add_seed,
    check_out,
    command,
    usage_errors,
)

VERBS = {
    "manifold": "what two latents generate, over a grid",
    "traversal": "one latent or code varied in each row",
    "interpolation": "paths between samples, straight and spherical",
    "map": "latents of test examples, by PCA and t-SNE",
    "reconstruction": "test examples above their reconstructions",
    "neighbours": "samples above their nearest training examples",
    "training": "curves of a run; as .gif, its samples over the epochs",
}
EXAMPLES = 2000
SHOWN = 10


def add(commands) -> None:
    """Adds the parser of the command."""
    parser = command(
        commands,
        "show",
        run,
        "draw what a model has learned",
        "  keras-gen show vae_digits --what map --out map.png\n"
        "  keras-gen show runs/gan_mnist-001 --what training --out curves.png\n"
        "  keras-gen show runs/gan_mnist-001 --what training --out samples.gif",
    )
    parser.add_argument("where", metavar="MODEL", help=WHERE)
    parser.add_argument(
        "--what",
        choices=VERBS,
        required=True,
        help="; ".join(f"{verb}: {what}" for verb, what in VERBS.items()),
    )
    parser.add_argument("--label", type=int, metavar="L", help="the class, of a conditional model")
    add_data(parser)
    add_seed(parser, "another seed gives other samples")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="a .png, .svg or .gif file"
    )


def run(arguments) -> int:
    """Writes a figure."""
    check_out(arguments.out)
    animated = arguments.out.suffix == ".gif"
    if animated and arguments.what != "training":
        raise UsageError("--out: only --what training makes a .gif; name a .png or .svg file")
    with usage_errors():
        from keras_gen import plotting, runs

        trained = runs.open(arguments.where)
        if animated:
            plotting.animate(_run(trained).sample_pictures(), arguments.out)
        else:
            plotting.save(figure(trained, arguments), arguments.out)
    print(f"{arguments.out}: {arguments.what} of {trained.origin}")
    return 0


def figure(trained, arguments):
    """Returns the figure that was asked for."""
    import numpy as np

    from keras_gen import data, plotting

    what, label = arguments.what, arguments.label
    if what == "training":
        return plotting.draw_training(_run(trained).history)
    model, spec = trained.model, trained.spec
    if what != "map" and spec.kind != "text" and not plotting.drawable(spec):
        raise ValueError(
            f"{spec.kind} data of shape {spec.shape} cannot be drawn: show it by map or training."
        )
    if what == "manifold":
        return plotting.draw_manifold(model, spec, label=label)
    if what == "interpolation":
        return plotting.draw_interpolation(model, spec, seed=arguments.seed, label=label)
    if what == "traversal" and not hasattr(model, "posterior"):
        return plotting.draw_traversal(model, spec, seed=arguments.seed, label=label)
    dataset = trained.dataset(arguments.data, arguments.data_dir)
    if what == "neighbours":
        samples = trained.sample(SHOWN, arguments.seed)
        if spec.kind == "text":  # models of text sample strings
            samples = np.stack([data.encode_text(each, spec.vocabulary) for each in samples])
        return plotting.draw_neighbours(samples, dataset.arrays("train")["x"], spec)
    test = dataset.arrays("test", limit=EXAMPLES)
    x, classes = test["x"], test.get("label")
    if what == "traversal":
        return plotting.draw_traversal(model, spec, x, seed=arguments.seed, label=label)
    if what == "map":
        return plotting.draw_map(model, x, classes if spec.num_classes else None)
    return plotting.draw_reconstruction(model, spec, x, classes)


def _run(trained):
    """The model as a run.

    Raises:
        ValueError: if it is something else, which has no history.
    """
    if not hasattr(trained, "sample_pictures"):
        raise ValueError(f"{trained.origin} is not a run directory: only a run has a history.")
    return trained
