"""`python -m keras_gen` is `keras-gen`."""

import sys

from keras_gen.cli import main

sys.exit(main())
