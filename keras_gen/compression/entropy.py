"""The entropy coder: constriction's asymmetric numeral systems."""

try:
    import constriction
except ModuleNotFoundError as error:
    raise ImportError(
        "compression needs the package constriction: pip install 'keras_gen[compress]'."
    ) from error

model, stack = constriction.stream.model, constriction.stream.stack
