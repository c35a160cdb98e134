"""Disentanglement: how well latents represent known factors, by five published scores.

The scores disagree by design. FactorVAE's and β-VAE's scores require that no latent mixes factors,
and allow several latents for one factor. SAP and the mutual information gap require one latent for
each factor. DCI has a number for each of these. All scores ignore a factor that does not vary.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import entropy
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, mutual_info_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import gen_batches

from keras_gen.evaluation.arrays import check_same_length, checked

TREES, LEAF = 20, 10
# Number of densities that `mutual_information_gap_samples` holds at a time.
BLOCK = 1_000_000


@dataclass(frozen=True)
class DCI:
    """The result of `dci`, each from 0 to 1.

    Attributes:
        disentanglement: 1 if each important latent is important for one factor only.
        completeness: 1 if for each factor only one latent is important.
        informativeness: mean accuracy of predicting a factor from all latents, on held-out
            examples.
    """

    disentanglement: float
    completeness: float
    informativeness: float


def factor_vae_score(
    latents: np.ndarray, factors: np.ndarray, votes: int = 2000, size: int = 64, seed: int = 0
) -> float:
    """Returns the FactorVAE score, from about 1 / number of factors at chance to 1.

    In a group of examples that share the value of one factor, the latent with the smallest variance
    relative to its variance over all examples votes for that factor. The first half of the votes
    gives the majority rule from latents to factors. The score is its accuracy on the second half.
    Kim and Mnih 2018, "Disentangling by Factorising", section 4.

    Groups are drawn from the given examples with replacement. Factors take turns, each with the
    value of a random example and `size` random examples with that value. The examples should hold
    each value many times.

    Args:
        latents: means of q(z|x), `(n, latent_dim)`. Latents that do not vary never vote. Latents
            that hardly vary (see `active_units`) do, unless they are left out.
        factors: ground truth, `(n, number of factors)`, integers.
        votes: number of groups.
        size: number of examples in a group.
        seed: of the groups.

    Raises:
        ValueError: if shapes do not match, a latent is not finite, factors are not integers, fewer
            than 2 factors vary, there are fewer votes than twice the factors, or `size` is less
            than 2.
    """
    latents, factors = _checked(latents, factors, num_factors=2)
    labels, groups = _groups(factors, votes, size, seed)
    total = latents.var(axis=0)
    least = np.array([latents[group].var(axis=0) for group in groups])
    voted = np.divide(least, total, out=np.full_like(least, np.inf), where=total > 0).argmin(axis=1)
    half = votes // 2
    counts = np.zeros((latents.shape[1], factors.shape[1]), "int64")
    np.add.at(counts, (voted[:half], labels[:half]), 1)
    return float(np.mean(counts.argmax(axis=1)[voted[half:]] == labels[half:]))


def beta_vae_score(
    latents: np.ndarray, factors: np.ndarray, groups: int = 2000, size: int = 64, seed: int = 0
) -> float:
    """Returns the β-VAE score, from about 1 / number of factors at chance to 1.

    A linear classifier (logistic regression on standardized inputs) predicts which factor the pairs
    of a group share from the mean absolute difference of their latents. The score is its accuracy
    on the half of the groups that it was not trained on. Higgins et al. 2017, "beta-VAE: Learning
    Basic Visual Concepts with a Constrained Variational Framework", section 3.

    Groups are drawn as in `factor_vae_score`. All pairs of a group share one value.

    Args:
        latents: means of q(z|x), `(n, latent_dim)`.
        factors: ground truth, `(n, number of factors)`, integers.
        groups: number of groups, each one example for the classifier.
        size: number of pairs in a group.
        seed: of the groups.

    Raises:
        ValueError: as `factor_vae_score`.
    """
    latents, factors = _checked(latents, factors, num_factors=2)
    labels, drawn = _groups(factors, groups, 2 * size, seed)
    differences = np.array(
        [np.abs(latents[group[:size]] - latents[group[size:]]).mean(axis=0) for group in drawn]
    )
    half = groups // 2
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    classifier.fit(differences[:half], labels[:half])
    return float(classifier.score(differences[half:], labels[half:]))


def dci(latents: np.ndarray, factors: np.ndarray, seed: int = 0) -> DCI:
    """Returns disentanglement, completeness and informativeness.

    A random forest (20 trees, at least 10 examples in a leaf, all latents considered at each split)
    predicts each factor from all latents. A latent's importance is how much it lowers the impurity.
    Disentanglement is 1 minus the entropy of a latent's importances over factors, divided by
    log(number of factors), averaged over latents weighted by importance. Completeness is 1 minus
    the entropy of a factor's importances over latents, divided by log(latent_dim), averaged over
    factors. Eastwood and Williams 2018, "A Framework for the Quantitative Evaluation of
    Disentangled Representations", section 2. The paper's informativeness is an error; here it is
    the accuracy on the held-out half of the examples.

    Args:
        latents: means of q(z|x), `(n, latent_dim)`.
        factors: ground truth, `(n, number of factors)`, integers.
        seed: of the forests and of the halves.

    Raises:
        ValueError: if shapes do not match, a latent is not finite, factors are not integers, or
            there are fewer than 2 latents or fewer than 2 factors that vary.
    """
    latents, factors = _checked(latents, factors, num_latents=2, num_factors=2)
    seen, held_out, known, asked = train_test_split(
        latents, factors, test_size=0.5, random_state=seed
    )
    # With a random subset of latents at each split, or few examples in a leaf, useless latents
    # would gain importance.
    forests = [
        RandomForestClassifier(
            TREES, min_samples_leaf=LEAF, max_features=None, random_state=seed
        ).fit(seen, factor)
        for factor in known.T
    ]
    accuracies = [
        forest.score(held_out, factor) for forest, factor in zip(forests, asked.T, strict=True)
    ]
    importance = np.stack([forest.feature_importances_ for forest in forests], axis=1)
    weights = importance.sum(axis=1) / max(importance.sum(), np.finfo("float64").tiny)
    return DCI(
        float(np.sum(weights * _concentration(importance))),
        float(np.mean(_concentration(importance.T))),
        float(np.mean(accuracies)),
    )


def separated_attribute_predictability(
    latents: np.ndarray, factors: np.ndarray, seed: int = 0
) -> float:
    """Returns the SAP score, the gap between the two latents that predict a factor best.

    It is the mean over factors of the difference in balanced accuracy, on the held-out half of the
    examples. The classifier is thresholds on one latent (a tree with a leaf for each value of the
    factor). The score is at most 1 - 1/v for a factor with v values, because the second latent has
    at least the accuracy of chance. Kumar et al. 2018, "Variational Inference of Disentangled
    Latent Concepts from Unlabeled Observations", section 3, for categorical factors.

    Args:
        latents: means of q(z|x), `(n, latent_dim)`.
        factors: ground truth, `(n, number of factors)`, integers.
        seed: of the halves.

    Raises:
        ValueError: if shapes do not match, a latent is not finite, factors are not integers, or
            there are fewer than 2 latents or no factor varies.
    """
    latents, factors = _checked(latents, factors, num_latents=2)
    seen, held_out, known, asked = train_test_split(
        latents, factors, test_size=0.5, random_state=seed
    )

    def accuracy(latent: int, factor: int) -> float:
        leaves = len(np.unique(known[:, factor]))
        tree = DecisionTreeClassifier(
            max_leaf_nodes=max(2, leaves), class_weight="balanced", random_state=seed
        )
        tree.fit(seen[:, [latent]], known[:, factor])
        return balanced_accuracy_score(asked[:, factor], tree.predict(held_out[:, [latent]]))

    found = np.array(
        [[accuracy(i, k) for k in range(factors.shape[1])] for i in range(latents.shape[1])]
    )
    return float(np.mean(_gaps(found)))


def mutual_information_gap(latents: np.ndarray, factors: np.ndarray, bins: int = 20) -> float:
    """Returns the mutual information gap (MIG) of histograms of the means, between 0 and 1.

    For each factor it is the mutual information with the most informative latent, minus that with
    the second, divided by the factor's entropy. The score is the mean over factors. Chen et al.
    2018, "Isolating Sources of Disentanglement in VAEs", equation 6, in the variant of Locatello et
    al. 2019, "Challenging Common Assumptions in the Unsupervised Learning of Disentangled
    Representations".

    Args:
        latents: means of q(z|x), `(n, latent_dim)`.
        factors: ground truth, `(n, number of factors)`, integers.
        bins: number of bins of equal width for each latent.

    Raises:
        ValueError: as `separated_attribute_predictability`.
    """
    latents, factors = _checked(latents, factors, num_latents=2)
    binned = np.stack([np.digitize(z, np.histogram(z, bins)[1][1:-1]) for z in latents.T])
    gaps = []
    for factor in factors.T:
        first, second = sorted(mutual_info_score(factor, z) for z in binned)[:-3:-1]
        gaps.append((first - second) / mutual_info_score(factor, factor))
    return float(np.mean(gaps))


def mutual_information_gap_samples(
    means: np.ndarray, log_variances: np.ndarray, factors: np.ndarray, seed: int = 0
) -> float:
    """Returns the mutual information gap (MIG) of samples of q(z|x), about from 0 to 1.

    As `mutual_information_gap`, but between factors and samples of the latents. With one sample z
    of q(z|x) for each example, I(z; v) is the mean of log q(z|v) - log q(z). Both densities are
    mixtures of posteriors: of the examples with the factor's value v, and of all examples. The two
    variants are not comparable. Chen et al. 2018, "Isolating Sources of Disentanglement in VAEs",
    section 4.

    The given examples are taken as the whole population. If there are few of each value, the
    information of every latent is too high, because each sample is near its own posterior. Time
    grows with the square of n.

    Args:
        means: of q(z|x), a Gaussian with a diagonal covariance, `(n, latent_dim)`.
        log_variances: of q(z|x), natural logarithms, `(n, latent_dim)`.
        factors: ground truth, `(n, number of factors)`, integers.
        seed: of the samples.

    Raises:
        ValueError: as `separated_attribute_predictability`.
    """
    means, log_variances = checked("(n, latent_dim)", means=means, log_variances=log_variances)
    check_same_length(means=means, log_variances=log_variances)
    means, factors = _checked(means, factors, num_latents=2)
    noise = np.random.default_rng(seed).normal(size=means.shape)
    samples = means + np.exp(log_variances / 2) * noise
    # A column for each value of each factor, divided by the number of examples that have it.
    member = np.concatenate([np.eye(k.max() + 1)[k] for k in factors.T], axis=1)
    offsets = np.cumsum([0, *(factors.max(axis=0)[:-1] + 1)])
    member /= member.sum(axis=0)
    own = factors + offsets
    information = np.stack(
        [
            _information(*latent, member, own)
            for latent in zip(samples.T, means.T, log_variances.T, strict=True)
        ]
    )
    entropies = [mutual_info_score(factor, factor) for factor in factors.T]
    return float(np.mean(_gaps(information) / entropies))


def _information(
    samples: np.ndarray,
    means: np.ndarray,
    log_variances: np.ndarray,
    member: np.ndarray,
    own: np.ndarray,
) -> np.ndarray:
    """I(z; v) in nats of one latent and each factor, `(number of factors,)`."""
    total = np.zeros(own.shape[1])
    for block in gen_batches(len(samples), max(1, BLOCK // len(means))):
        z = samples[block, None]
        # Without the constant of the normal density, which is the same in both mixtures.
        log_density = -0.5 * ((z - means) ** 2 * np.exp(-log_variances) + log_variances)
        density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
        of_value = np.take_along_axis(density @ member, own[block], axis=1)
        total += np.sum(np.log(of_value / density.mean(axis=1, keepdims=True)), axis=0)
    return total / len(samples)


def _gaps(scores: np.ndarray) -> np.ndarray:
    """The difference of the two best latents' scores for each factor, of `(latents, factors)`."""
    second, first = np.sort(scores, axis=0)[-2:]
    return first - second


def _concentration(importance: np.ndarray) -> np.ndarray:
    """1 - entropy / its maximum of each row. A row of zeros counts as uniform."""
    total, size = importance.sum(axis=1, keepdims=True), importance.shape[1]
    return 1.0 - entropy(np.where(total > 0, importance, 1.0), base=size, axis=1)


def _groups(
    factors: np.ndarray, groups: int, size: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """A factor for each group, and the indices of examples that share a value of it."""
    num_factors = factors.shape[1]
    # Each half of the groups must have all factors.
    if groups < 2 * num_factors or size < 2:
        raise ValueError(
            f"{num_factors} factors need at least {2 * num_factors} groups of at least 2 examples, "
            f"got {groups} groups of {size}."
        )
    rng = np.random.default_rng(seed)
    labels = np.arange(groups) % num_factors
    values = factors[rng.integers(len(factors), size=groups), labels]
    order = np.argsort(factors, axis=0, kind="stable")
    counts = [np.bincount(factor) for factor in factors.T]
    drawn = np.empty((groups, size), "int64")
    for i, (k, value) in enumerate(zip(labels, values, strict=True)):
        start = counts[k][:value].sum()
        drawn[i] = order[start + rng.integers(counts[k][value], size=size), k]
    return labels, drawn


def _checked(
    latents: np.ndarray, factors: np.ndarray, num_latents: int = 1, num_factors: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Latents as float64, and the factors that vary, with values from 0."""
    (latents,) = checked("(n, latent_dim)", latents=latents)
    (factors,) = checked("(n, number of factors)", dtype="int64", factors=factors)
    check_same_length(latents=latents, factors=factors)
    if latents.shape[1] < num_latents:
        raise ValueError(f"latents must be at least {num_latents}, got {latents.shape[1]}.")
    values = [np.unique(factor, return_inverse=True)[1] for factor in factors.T]
    values = [value for value in values if value.max() > 0]
    if len(values) < num_factors:
        raise ValueError(
            f"at least {num_factors} of the factors must vary over the examples, got {len(values)}."
        )
    return latents, np.stack(values, axis=1)
