"""Disentanglement: how well latents stand for known factors, by five published scores.

They disagree by design: FactorVAE's and β-VAE's scores ask that no latent mixes factors, and allow
several latents for one; SAP and the mutual information gap ask that one latent alone tells a
factor; DCI has a number for each. A factor that does not vary is left out of every score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import entr
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, mutual_info_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

TREES, LEAF = 20, 10
# Of the densities that `mutual_information_gap_samples` holds at a time.
BLOCK = 1_000_000


@dataclass(frozen=True)
class DCI:
    """What `dci` finds, each from 0 to 1.

    Attributes:
        disentanglement: 1 if every latent that matters is important for one factor only.
        completeness: 1 if one latent only is important for every factor.
        informativeness: mean accuracy with which all latents together predict a factor in held-out
            examples.
    """

    disentanglement: float
    completeness: float
    informativeness: float


def factor_vae_score(
    codes: np.ndarray, factors: np.ndarray, votes: int = 2000, size: int = 64, seed: int = 0
) -> float:
    """The FactorVAE score, from about 1 / number of factors at chance to 1.

    In a group of examples that share one factor's value, the latent of least variance, in units of
    its variance over all examples, votes for that factor. The score is the accuracy of the majority
    rule from latents to factors that the first half of the votes makes, on the second half. Kim and
    Mnih 2018, "Disentangling by Factorising", section 4.

    Groups are drawn from the examples given, with replacement: the factors take turns, each with
    the value of an example at random and `size` examples that have it. The sample should hold many
    examples of each value.

    Args:
        codes: means of q(z|x), `(examples, latent_dim)`. Latents that do not vary never vote; those
            that hardly do (see `active_units`) do, unless they are left out.
        factors: ground truth, `(examples, number of factors)`, integers.
        votes: number of groups.
        size: number of examples in a group.
        seed: of the groups.

    Raises:
        ValueError: if shapes do not fit, a code is not finite, factors are no integers, fewer than
            two factors vary, or there are fewer votes than twice the factors or fewer than two
            examples in a group.
    """
    codes, factors = _checked(codes, factors, num_factors=2)
    labels, groups = _groups(factors, votes, size, seed)
    total = codes.var(axis=0)
    least = np.array([codes[group].var(axis=0) for group in groups])
    voted = np.divide(least, total, out=np.full_like(least, np.inf), where=total > 0).argmin(axis=1)
    half = votes // 2
    counts = np.zeros((codes.shape[1], factors.shape[1]), "int64")
    np.add.at(counts, (voted[:half], labels[:half]), 1)
    return float(np.mean(counts.argmax(axis=1)[voted[half:]] == labels[half:]))


def beta_vae_score(
    codes: np.ndarray, factors: np.ndarray, groups: int = 2000, size: int = 64, seed: int = 0
) -> float:
    """The β-VAE score, from about 1 / number of factors at chance to 1.

    From the mean absolute difference of the codes of pairs that share one factor's value, a linear
    classifier (logistic regression on standardized differences) tells which factor it is: its
    accuracy on the half of the groups that it has not seen. Higgins et al. 2017, "beta-VAE:
    Learning Basic Visual Concepts with a Constrained Variational Framework", section 3.

    Groups of pairs are drawn as in `factor_vae_score`; here all pairs of a group share one value.

    Args:
        codes: means of q(z|x), `(examples, latent_dim)`.
        factors: ground truth, `(examples, number of factors)`, integers.
        groups: number of groups, each one example of the classifier.
        size: number of pairs in a group.
        seed: of the groups.

    Raises:
        ValueError: as `factor_vae_score`.
    """
    codes, factors = _checked(codes, factors, num_factors=2)
    labels, drawn = _groups(factors, groups, 2 * size, seed)
    differences = np.array(
        [np.abs(codes[group[:size]] - codes[group[size:]]).mean(axis=0) for group in drawn]
    )
    half = groups // 2
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    classifier.fit(differences[:half], labels[:half])
    return float(classifier.score(differences[half:], labels[half:]))


def dci(codes: np.ndarray, factors: np.ndarray, seed: int = 0) -> DCI:
    """Disentanglement, completeness and informativeness.

    A random forest (20 trees, at least 10 examples in a leaf, every split over all latents)
    predicts each factor from all latents; how much each latent lowers the impurity is its
    importance. Disentanglement is 1 less the entropy of a latent's importances over factors, in
    units of log(number of factors), with the latents weighted by importance; completeness is 1 less
    the entropy of a factor's importances over latents, in units of log(latent_dim), the mean over
    the factors. Eastwood and Williams 2018, "A Framework for the Quantitative Evaluation of
    Disentangled Representations", section 2; there informativeness is an error, here the accuracy
    on the half of the examples held out.

    Args:
        codes: means of q(z|x), `(examples, latent_dim)`.
        factors: ground truth, `(examples, number of factors)`, integers.
        seed: of the forests and of the halves.

    Raises:
        ValueError: if shapes do not fit, a code is not finite, factors are no integers, or there
            are fewer than two latents or factors that vary.
    """
    codes, factors = _checked(codes, factors, num_latents=2, num_factors=2)
    seen, held_out, known, asked = train_test_split(
        codes, factors, test_size=0.5, random_state=seed
    )
    # Useless latents would earn importance where a split looks only at some latents, and where
    # leaves of few examples follow the noise.
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
    codes: np.ndarray, factors: np.ndarray, seed: int = 0
) -> float:
    """The SAP score: how much better the best latent alone tells a factor than the runner-up.

    The mean over factors of the gap in balanced accuracy, on the half of the examples held out,
    between the two best latents; thresholds on one latent (a tree with a leaf for each value of the
    factor) are the classifier. At most 1 - 1/v for a factor of v values, as the runner-up is right
    by chance. Kumar et al. 2018, "Variational Inference of Disentangled Latent Concepts from
    Unlabeled Observations", section 3, where factors are taken as categories.

    Args:
        codes: means of q(z|x), `(examples, latent_dim)`.
        factors: ground truth, `(examples, number of factors)`, integers.
        seed: of the halves.

    Raises:
        ValueError: if shapes do not fit, a code is not finite, factors are no integers, or there
            are fewer than two latents or no factor varies.
    """
    codes, factors = _checked(codes, factors, num_latents=2)
    seen, held_out, known, asked = train_test_split(
        codes, factors, test_size=0.5, random_state=seed
    )

    def accuracy(latent: int, factor: int) -> float:
        leaves = len(np.unique(known[:, factor]))
        tree = DecisionTreeClassifier(
            max_leaf_nodes=max(2, leaves), class_weight="balanced", random_state=seed
        )
        tree.fit(seen[:, [latent]], known[:, factor])
        return balanced_accuracy_score(asked[:, factor], tree.predict(held_out[:, [latent]]))

    found = np.array(
        [[accuracy(i, k) for k in range(factors.shape[1])] for i in range(codes.shape[1])]
    )
    return float(np.mean(_gaps(found)))


def mutual_information_gap(codes: np.ndarray, factors: np.ndarray, bins: int = 20) -> float:
    """The mutual information gap (MIG), between 0 and 1.

    For each factor, the mutual information with the latent that tells most about it, less that with
    the runner-up, in units of the factor's entropy; the mean over the factors. Chen et al. 2018,
    "Isolating Sources of Disentanglement in VAEs", equation 6; here in the variant of Locatello et
    al. 2019, on histograms of the means of q(z|x).

    Args:
        codes: means of q(z|x), `(examples, latent_dim)`.
        factors: ground truth, `(examples, number of factors)`, integers. A factor that does not
            vary is left out.
        bins: bins of equal width for each latent.

    Raises:
        ValueError: if shapes do not fit, there are fewer than two latents, or no factor varies.
    """
    codes, factors = _checked(codes, factors, num_latents=2)
    binned = np.stack([np.digitize(c, np.histogram(c, bins)[1][1:-1]) for c in codes.T])
    gaps = []
    for factor in factors.T:
        first, second = sorted(mutual_info_score(factor, code) for code in binned)[:-3:-1]
        gaps.append((first - second) / mutual_info_score(factor, factor))
    return float(np.mean(gaps))


def mutual_information_gap_samples(
    means: np.ndarray, log_variances: np.ndarray, factors: np.ndarray, seed: int = 0
) -> float:
    """The mutual information gap (MIG) of samples of q(z|x), about from 0 to 1.

    As `mutual_information_gap`, but between factors and latents drawn from their posteriors: with
    one sample z of q(z|x) for each example, I(z; v) is the mean of log q(z|v) - log q(z), where
    both are mixtures of the posteriors of all examples, those with the factor's value v and all.
    The two variants do not compare. Chen et al. 2018, "Isolating Sources of Disentanglement in
    VAEs", section 4.

    The examples given are taken for all there are: with few of each value the information of every
    latent is too high, as each sample is near its own posterior. Time grows with their square.

    Args:
        means: of q(z|x), a Gaussian with a diagonal covariance, `(examples, latent_dim)`.
        log_variances: of q(z|x), natural logarithms, `(examples, latent_dim)`.
        factors: ground truth, `(examples, number of factors)`, integers.
        seed: of the samples.

    Raises:
        ValueError: if shapes do not fit, a code is not finite, factors are no integers, or there
            are fewer than two latents or no factor varies.
    """
    if np.shape(means) != np.shape(log_variances):
        raise ValueError(
            "means and log_variances must be of one shape; got "
            f"{np.shape(means)} and {np.shape(log_variances)}."
        )
    means, _ = _checked(means, factors, num_latents=2)
    log_variances, factors = _checked(log_variances, factors, num_latents=2)
    noise = np.random.default_rng(seed).normal(size=means.shape)
    samples = means + np.exp(log_variances / 2) * noise
    # One column for each value of each factor, over the number of examples that have it.
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
    """I(z; v) in nats of one latent and every factor, `(number of factors,)`."""
    total, step = np.zeros(own.shape[1]), max(1, BLOCK // len(means))
    for i in range(0, len(samples), step):
        z = samples[i : i + step, None]
        # The constant of the normal density is the same in both mixtures.
        log_density = -0.5 * ((z - means) ** 2 * np.exp(-log_variances) + log_variances)
        density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
        of_value = np.take_along_axis(density @ member, own[i : i + step], axis=1)
        total += np.sum(np.log(of_value / density.mean(axis=1, keepdims=True)), axis=0)
    return total / len(samples)


def _gaps(scores: np.ndarray) -> np.ndarray:
    """The best latent's score less the runner-up's for every factor, of `(latents, factors)`."""
    second, first = np.sort(scores, axis=0)[-2:]
    return first - second


def _concentration(importance: np.ndarray) -> np.ndarray:
    """1 less the entropy of each row, over its maximum; a row of zeros counts as spread evenly."""
    total = importance.sum(axis=1, keepdims=True)
    even = np.full_like(importance, 1.0 / importance.shape[1])
    shares = np.divide(importance, total, out=even, where=total > 0)
    return 1.0 - entr(shares).sum(axis=1) / np.log(importance.shape[1])


def _groups(
    factors: np.ndarray, groups: int, size: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """A factor for each group, and the indices of examples with one value of it."""
    num_factors = factors.shape[1]
    # Each half of the groups has to hold every factor.
    if groups < 2 * num_factors or size < 2:
        raise ValueError(
            f"at least {2 * num_factors} groups of at least 2 examples are needed for "
            f"{num_factors} factors; got {groups} of {size}."
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
    codes: np.ndarray, factors: np.ndarray, num_latents: int = 1, num_factors: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Codes as float64, and the factors that vary with values from 0 on."""
    codes, factors = np.asarray(codes, "float64"), np.asarray(factors)
    if codes.ndim != 2 or factors.ndim != 2 or len(codes) != len(factors):
        raise ValueError(
            "codes (examples, latent_dim) and factors (examples, factors) must be as long; got "
            f"{codes.shape} and {factors.shape}."
        )
    if factors.dtype.kind not in "iu":
        raise ValueError(f"factors must be integers, got {factors.dtype}.")
    if not np.isfinite(codes).all():
        raise ValueError("codes hold values that are not finite.")
    if codes.shape[1] < num_latents:
        raise ValueError(f"at least {num_latents} latents are needed, got {codes.shape[1]}.")
    values = [np.unique(factor, return_inverse=True)[1] for factor in factors.T]
    values = [value for value in values if value.max(initial=0) > 0]
    if len(values) < num_factors:
        raise ValueError(
            f"at least {num_factors} of the factors must vary over the examples, {len(values)} do."
        )
    return codes, np.stack(values, axis=1)
