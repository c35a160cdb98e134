"""keras-gen recommend"""

from __future__ import annotations

from keras_gen.cli.common import add_data_dir, command, positive, usage_errors
from keras_gen.cli.tune import duration

GOALS = ("generate", "represent", "compress", "label")


def add(commands) -> None:
    """Adds the parser of the command."""
    parser = command(
        commands,
        "recommend",
        run,
        "look at data, and name presets for it",
        "  keras-gen recommend --data digits\n"
        "  keras-gen recommend --data photos/ --goal represent --budget 30m",
    )
    parser.add_argument(
        "--data", required=True, metavar="NAME|PATH", help="the data, named as for train"
    )
    add_data_dir(parser)
    parser.add_argument(
        "--image-size",
        type=positive,
        metavar="N",
        help="pixels of a side that images of a folder are scaled to",
    )
    parser.add_argument(
        "--goal",
        choices=GOALS,
        default="generate",
        help="generate (default): samples like the data; represent: few numbers that tell what "
        "matters; compress: smaller files; label: samples of a class, or classes without labels",
    )
    parser.add_argument(
        "--budget", type=duration, metavar="TIME", help="time for training: 90s, 10m or 2h"
    )
    parser.add_argument(
        "--most", type=positive, default=3, metavar="N", help="at most so many (default: 3)"
    )


def run(arguments) -> int:
    """Prints recommendations."""
    with usage_errors():
        from keras_gen import recommending

        found = recommending.recommend(
            arguments.data,
            arguments.goal,
            arguments.budget,
            arguments.data_dir,
            arguments.most,
            options={"image_size": arguments.image_size} if arguments.image_size else {},
            on_found=lambda facts: print(f"{arguments.data}: {facts}", flush=True),
        )
    for number, each in enumerate(found, 1):
        epochs = f"{each.epochs} epochs"
        if each.epochs < each.full_epochs:
            epochs = f"{each.epochs} of its {each.full_epochs} epochs"
        print(f"\n{number}. {each.preset} ({each.class_name}): {each.reason}")
        print(f"   about {shown(each.seconds)} on this machine, {epochs}")
        print(f"   {each.command(arguments.data, arguments.data_dir)}")
    return 0


def shown(seconds: float) -> str:
    """Returns a time in words."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
