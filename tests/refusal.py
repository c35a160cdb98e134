"""How tests of data sources say what must be refused."""

import pytest

from keras_gen import data


def refused(*words, call=data.load):
    """Asserts that a call raises a one-line DataError which says all the words."""

    def check(*args, **kwargs):
        with pytest.raises(data.DataError) as caught:
            call(*args, **kwargs)
        message = str(caught.value)
        assert "\n" not in message
        for word in words:
            assert str(word) in message, message

    return check
