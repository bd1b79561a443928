"""Strategies of two steps, of which the second depends on what the first brought: weighting, and with a model.

Each customer's first step is drawn; who does not answer gets a second one, drawn as well. A strategy says both:
"a, then b if silent". Who answered after a fits every strategy that begins with a.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from primeta.stats.doubly_robust import linear_predictions

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def weighted_influences(
    outcome: Floats,
    first: Ints,
    second: Ints,
    first_probability: Floats,
    second_probability: Floats,
    strategies: Sequence[tuple[int, int]],
) -> Floats:
    """(n, S) influences of each strategy's normalised weighted mean; their mean is the value.

    Args:
        second: (n,) second action, −1 for who had none (he answered, or his first step has no second).
        strategies: Pairs of first and second action; second −1: the first step has no second at all.
    Source:
        Murphy (2005), "An experimental design for the development of adaptive treatment strategies", eq. 5;
        Nahum-Shani et al. (2012), weights for embedded strategies.
    """
    found = np.full((len(outcome), len(strategies)), np.nan)
    for at, (a, b) in enumerate(strategies):
        weight = _weight(first, second, first_probability, second_probability, a, b)
        total = weight.sum()
        if total > 0:
            mean = float(weight @ outcome) / total
            found[:, at] = mean + weight * (len(outcome) / total) * (outcome - mean)
    return found


def augmented_influences(
    outcome: Floats,
    first: Ints,
    second: Ints,
    first_probability: Floats,
    second_probability: Floats,
    features: Floats,
    strategies: Sequence[tuple[int, int]],
    *,
    fold: Ints,
) -> Floats:
    """(n, S) doubly robust influences of each strategy's value: both models are made on the other folds.

    The second model is of the outcome of the silent after a, by second action; the first is of that outcome for all
    who began with a, where the silent stand at what the second model says for b.

    Source:
        Zhang, Tsiatis, Laber & Davidian (2013), "Robust estimation of optimal dynamic treatment regimes", eq. 3;
        Orellana, Rotnitzky & Robins (2010).
    """
    n = len(outcome)
    seconds = int(second.max(initial=-1)) + 1
    found = np.full((n, len(strategies)), np.nan)
    later: dict[int, Floats] = {}
    for at, (a, b) in enumerate(strategies):
        begun = first == a
        if b >= 0 and a not in later:
            later[a] = linear_predictions(
                outcome, np.where(begun, second, -1), features, actions=seconds, fold=fold
            )
        silent = begun & (second >= 0)
        expected = np.where(silent, later[a][:, b], outcome) if b >= 0 else outcome
        if not np.isfinite(expected[begun]).all():
            continue
        # A model of a pseudo-outcome: the silent weigh as all silent do, whatever they got next.
        start = linear_predictions(expected, np.where(begun, 0, -1), features, actions=1, fold=fold)[:, 0]
        value = start + np.where(begun, (expected - start) / first_probability, 0.0)
        if b >= 0:
            right = silent & (second == b)
            both = first_probability * np.where(right, second_probability, 1.0)
            value = value + np.where(right, (outcome - later[a][:, b]) / both, 0.0)
        found[:, at] = value
    return found


def _weight(
    first: Ints, second: Ints, first_probability: Floats, second_probability: Floats, a: int, b: int
) -> Floats:
    weight = np.where(first == a, 1.0 / first_probability, 0.0)
    if b < 0:
        return weight
    silent = second >= 0
    return weight * np.where(
        silent, np.where(second == b, 1.0 / np.where(silent, second_probability, 1.0), 0.0), 1.0
    )
