"""The entropy coder: constriction's asymmetric numeral systems."""

from keras_gen import checks

constriction = checks.installed("constriction", "compression", "constriction", "compress")

model, stack = constriction.stream.model, constriction.stream.stack
