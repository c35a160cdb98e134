"""Whether what is written is made of words that the training text has."""

from types import SimpleNamespace

import numpy as np
import pytest

from keras_gen import data, evaluation, models
from keras_gen.evaluation.metrics.texts import words


def test_words_that_an_end_may_have_cut_do_not_count():
    assert words("ld world, o'er the 2 Hills (and Täler)? Ye") == [
        *("world", "o'er", "the", "hills", "and", "täler"),
    ]
    assert words("uncut") == words("") == []


def test_the_share_is_of_occurrences():
    share, count = evaluation.known_words([" the the sea ", " teh "], [" The sea of "])
    assert (share, count) == (0.75, 4)
    with pytest.raises(ValueError, match="texts have no words"):
        evaluation.known_words(["cut"], [" known "])


def test_the_protocol_knows_the_words_of_the_training_text(tmp_path):
    (tmp_path / "text.txt").write_text("to be or not to be that is the question " * 40)
    dataset = data.load(f"text:{tmp_path / 'text.txt'}", length=20)

    def sample(n, seed):
        assert n == 1000
        return np.array([" to be or teh best  "] * n)

    subject = evaluation.Subject(SimpleNamespace(sample=sample), dataset)
    result = evaluation.PROTOCOLS["known_words_1k"].measure(subject)
    assert (result.value, result.unit, result.n) == (0.6, "of 1", 5000)
    # Every protocol compares samples with data, which are indices.
    assert subject.sample(1000).shape == (1000, *dataset.spec.shape)
    assert evaluation.PROTOCOLS["copies_1k"].measure(subject).value == 0.0
    assert evaluation.floor("known_words_1k", dataset).value == 1.0
    evaluation.check(["known_words_1k"], dataset.spec, models.RecurrentVAE)
    with pytest.raises(ValueError, match="known_words_1k needs data with text"):
        evaluation.check(["known_words_1k"], data.spec("digits"))
