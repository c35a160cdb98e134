"""keras-gen export"""

from __future__ import annotations

from keras_gen.cli.common import WHERE, UsageError, add_data, command, usage_errors


def add(commands) -> None:
    """Adds the parser of the command."""
    parser = command(
        commands,
        "export",
        run,
        "write a trained model as a SavedModel, or for LiteRT or ONNX",
        "  keras-gen export infogan_mnist served/infogan\n"
        "  keras-gen export dgan_mnist dgan.tflite --format litert --quantize int8\n"
        "  keras-gen export vae_mnist encoder.onnx --format onnx --signature encode",
    )
    parser.add_argument("where", metavar="MODEL", help=WHERE)
    parser.add_argument(
        "destination",
        metavar="DEST",
        help="the directory to make; or a .tflite or .onnx file",
    )
    parser.add_argument(
        "--format",
        choices=("saved_model", "litert", "onnx"),
        default="saved_model",
        help="saved_model (default) has all functions of the model, the others have one",
    )
    parser.add_argument(
        "--quantize",
        choices=("float16", "dynamic", "int8"),
        help="smaller weights: of 16 bits, or of 8; with int8 (LiteRT) activations have 8 bits too",
    )
    parser.add_argument(
        "--signature",
        metavar="NAME",
        help="for LiteRT and ONNX: decode (default), encode, reconstruct or another one of the "
        "model's functions",
    )
    add_data(parser)


def run(arguments) -> int:
    """Writes the SavedModel, or the file."""
    if arguments.format == "saved_model":
        for option in ("quantize", "signature", "data"):
            if getattr(arguments, option):
                raise UsageError(f"--{option} is for --format litert or onnx")
    with usage_errors():
        from keras_gen import runs

        trained = runs.open(arguments.where)
        if arguments.format == "saved_model":
            path = trained.export(arguments.destination)
            print(f"{path}: SavedModel and card.json of {trained.origin}")
            return 0
        from keras_gen import exporting

        made = exporting.export(
            trained,
            arguments.destination,
            arguments.format,
            arguments.quantize,
            arguments.signature or "decode",
            arguments.data,
            arguments.data_dir,
        )
    print(
        f"{made.path}: {arguments.signature or 'decode'} of {trained.origin}, {made.size:,} bytes; "
        f"largest difference from Keras {made.difference:.2g} (mean {made.mean_difference:.2g}) "
        f"on {made.rows} inputs"
    )
    return 0
