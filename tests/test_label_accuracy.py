"""Whether generated examples have the requested label, and vary as its class does."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from keras_gen import data, evaluation, models
from keras_gen.evaluation.protocols import labels

SIZE = 12


def halves(label, seed=0):
    """Pictures that are brighter on the left (class 0) or on the right (class 1)."""
    x = np.random.RandomState(seed).uniform(0.0, 0.6, size=(len(label), SIZE, 8, 1))
    x[label == 0, :, :4] += 0.4
    x[label == 1, :, 4:] += 0.4
    return x.astype("float32")


@pytest.fixture(scope="module", params=["image", "audio"])
def dataset(request):
    label = np.arange(640) % 2
    split = {"x": halves(label), "label": label}
    test = {"x": halves(label[:100], 1), "label": label[:100]}
    spec = data.Spec("halves", request.param, (SIZE, 8, 1), (0.0, 1.0), num_classes=2)
    return data.Dataset(spec, split, test)


@pytest.fixture(scope="module")
def classifier(dataset):
    return evaluation.train_classifier(dataset, epochs=6)


def test_a_classifier_learns_and_repeats(dataset, classifier):
    assert classifier.name == "lenet-halves"
    assert classifier.accuracy > 0.95
    again, other = (evaluation.train_classifier(dataset, epochs=6, seed=s) for s in (0, 1))
    kernels = [each.network.get_weights()[0] for each in (classifier, again, other)]
    np.testing.assert_allclose(kernels[0], kernels[1], atol=1e-5)
    assert np.abs(kernels[0] - kernels[2]).max() > 0.01


def test_accuracy_is_the_share_of_correct_labels(classifier):
    label = np.arange(40) % 2
    x = halves(label, 2)
    right = evaluation.label_accuracy(classifier, x, label)
    assert right > 0.9
    assert evaluation.label_accuracy(classifier, x, 1 - label) == pytest.approx(1 - right)
    asked = np.where(np.arange(40) < 10, 1 - label, label)
    assert evaluation.label_accuracy(classifier, x, asked) == pytest.approx(0.75, abs=0.1)
    with pytest.raises(ValueError, match=r"x and label must have the same length, got .*\(39,\)"):
        evaluation.label_accuracy(classifier, x, label[1:])


@pytest.mark.parametrize(
    "change",
    [{"num_classes": None}, {"kind": "sequence"}, {"shape": (96, 1)}, {"shape": (7, 8, 1)}],
    ids=str,
)
def test_data_that_cannot_be_classified(dataset, change):
    spec = dataclasses.replace(dataset.spec, **change)
    with pytest.raises(
        ValueError, match="labelled images or spectrograms of at least 8x8, but halves"
    ):
        evaluation.train_classifier(SimpleNamespace(spec=spec))
    evaluation.check(["label_accuracy_1k"], dataset.spec)
    with pytest.raises(ValueError, match="label_accuracy_1k needs data with class labels"):
        evaluation.check(["label_accuracy_1k"], spec)


def test_protocols_ask_for_the_classes_in_turn(dataset, classifier, monkeypatch):
    trained = []
    labels._classifier.cache_clear()
    monkeypatch.setattr(
        labels, "train_classifier", lambda data, seed: trained.append(seed) or classifier
    )

    def sample(n, seed, label):
        np.testing.assert_array_equal(label, np.arange(n) % 2)
        # A fifth of the samples are of the other class.
        return halves(np.where(np.arange(n) % 5, label, 1 - label), seed)

    model = SimpleNamespace(sample=sample)
    protocol = evaluation.PROTOCOLS["label_accuracy_1k"]
    result = protocol.measure(evaluation.Subject(model, dataset))
    assert (result.value, result.unit, result.n) == (pytest.approx(0.8, abs=0.03), "of 1", 1000)
    assert result.error == pytest.approx(np.sqrt(result.value * (1 - result.value) / 999))
    real = evaluation.floor("label_accuracy_1k", dataset)
    assert real.value == pytest.approx(classifier.accuracy, abs=0.03)
    assert trained == [0], "one classifier serves both"
    labels._classifier.cache_clear()


def test_variety_is_measured_within_classes(dataset, classifier, monkeypatch):
    labels._classifier.cache_clear()
    monkeypatch.setattr(labels, "train_classifier", lambda data, seed: classifier)

    def density_and_coverage(different):
        def sample(n, seed, label):
            np.testing.assert_array_equal(label, dataset.arrays("test")["label"])
            x = halves(label, 5)
            for each in (0, 1):
                own = np.flatnonzero(label == each)
                x[own] = x[own[np.arange(len(own)) % different]]
            return x

        subject = evaluation.Subject(SimpleNamespace(sample=sample), dataset)
        names = ("class_density_5k", "class_coverage_5k")
        results = [evaluation.PROTOCOLS[name].measure(subject) for name in names]
        assert [result.n for result in results] == [100, 100]
        return [result.value for result in results]

    density, coverage = density_and_coverage(different=50)
    # The expectations for two samples of one distribution.
    assert density == pytest.approx(1.0, abs=0.3)
    assert coverage == pytest.approx(1 - 2.0**-5, abs=0.1)
    # Two examples, however typical, are in few neighbourhoods of the 50 of their class.
    assert density_and_coverage(different=2)[1] < 0.5
    labels._classifier.cache_clear()


def test_only_a_conditional_model_is_asked_for_labels():
    spec = data.spec("digits")
    evaluation.check(["label_accuracy_1k"], spec, models.ConditionalVAE)
    with pytest.raises(ValueError, match="needs a conditional model; VAE is not"):
        evaluation.check(["label_accuracy_1k"], spec, models.VAE)
