"""A helper for tests of the errors of data sources."""

import pytest

from keras_gen import data


def refused(*words, call=data.load):
    """Returns a function that asserts that a call raises a one-line DataError with all words."""

    def check(*args, **kwargs):
        with pytest.raises(data.DataError) as caught:
            call(*args, **kwargs)
        message = str(caught.value)
        assert "\n" not in message
        for word in words:
            assert str(word) in message, message

    return check
