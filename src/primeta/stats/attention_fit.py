"""The parameters of the attention filter, by the likelihood of what came after each touch, one step ahead.

The gradient comes from one backward pass (Fisher's identity: expected scores under the smoothed hidden states), so
that its cost does not grow with the number of parameters; normal priors keep a tiny log sane.

Source: Cappé, Moulines & Rydén (2005), ch. 10, eq. 10.29 ff.; Byrd, Lu, Nocedal & Zhu (1995) for the search.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.stats.attention_filter import (
    AT_START,
    BLIND,
    GRID,
    LEVELS,
    MARK,
    SILENT,
    TOUCH,
    WELCOME_EARLY,
    WELCOME_LATE,
    WIDTH,
    FilterParameters,
    Stream,
    drift_modes,
    drifted,
    lifted,
    likelihood,
    sigmoid,
    touched,
)

Floats = npt.NDArray[np.floating[Any]]

SKEW_MOST = 0.3
SCALARS = ("spread", "skew", "drift", "recovery", "blind_at_start", "blind_level", "lift")
SCALAR_PRIORS = {
    "spread": (0.0, 0.5),
    "skew": (0.0, 1.0),
    "drift": (-5.0, 1.0),
    "recovery": (-4.5, 1.0),
    "blind_at_start": (-2.0, 1.0),
    "blind_level": (-4.0, 1.0),
    "lift": (-2.0, 1.0),
}
"""Mean and sd on the scale of the search: logarithms of spread, drift (a customer changes within five months) and
recovery (three months), log-odds of blind_at_start and lift."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """Touches to learn from."""

    stream: Stream
    x: Floats
    """(n, p) what is known at each touch, for welcome."""
    onset: Floats
    """(n, q) for going blind."""
    wear: Floats
    """(n, r) for wearing down."""
    within: float


def unpacked(theta: Floats, *, sizes: tuple[int, int, int], within: float) -> FilterParameters:
    """Parameters from the vector that is searched."""
    p, q, r = sizes
    scalar = dict(zip(SCALARS, theta[p + q + r :].tolist(), strict=True))
    return FilterParameters(
        welcome=theta[:p].copy(),
        onset=theta[p : p + q].copy(),
        wear=theta[p + q : p + q + r].copy(),
        spread=float(np.exp(scalar["spread"])),
        skew=SKEW_MOST * float(np.tanh(scalar["skew"])),
        drift=float(np.exp(scalar["drift"])),
        recovery=float(np.exp(scalar["recovery"])),
        blind_at_start=float(sigmoid(np.array(scalar["blind_at_start"]))),
        blind_level=scalar["blind_level"],
        lift=float(sigmoid(np.array(scalar["lift"]))),
        within=within,
    )


def likelihood_and_scores(theta: Floats, sample: Sample) -> tuple[Floats, Floats]:
    """Log likelihood of each sequence and its gradient in `theta`.

    Returns:
        (S,) and (S, len(theta)), sequences in the order of their numbers.
    """
    sizes = (sample.x.shape[1], sample.onset.shape[1], sample.wear.shape[1])
    p, q, r = sizes
    parameters = unpacked(theta, sizes=sizes, within=sample.within)
    stream = sample.stream
    x = sample.x @ parameters.welcome
    onset = sigmoid(sample.onset @ parameters.onset)
    wear = sigmoid(sample.wear @ parameters.wear)
    levels = parameters.levels()
    values, right, left = drift_modes()
    steps = len(stream.bounds) - 1
    before: list[Floats] = []
    state = np.tile(parameters.start(), (stream.sequences, 1))
    score = np.zeros(stream.sequences)
    for step in range(steps):
        rows = slice(stream.bounds[step], stream.bounds[step + 1])
        active = rows.stop - rows.start
        kind, which = stream.kind[rows], stream.touch[rows]
        before.append(state[:active].copy())
        now = drifted(state[:active], stream.gap[rows], parameters) if step else state[:active].copy()
        sent = np.flatnonzero(kind == TOUCH)
        now[sent] = touched(now[sent], onset[which[sent]], wear[which[sent]])
        told = np.flatnonzero(kind != TOUCH)
        if len(told):
            weight = now[told] * likelihood(kind[told], sigmoid(levels + x[which[told], None]), sample.within)
            total = weight.sum(axis=1)
            score[told] += np.log(total)
            weight /= total[:, None]
            happy = kind[told] >= WELCOME_EARLY
            weight[happy] = lifted(weight[happy], parameters.lift)
            now[told] = weight
        state[:active] = now

    touches = len(x)
    by_x, by_onset, by_wear = np.zeros(touches), np.zeros(touches), np.zeros(touches)
    by_level = np.zeros((stream.sequences, WIDTH))
    by_drift, by_recovery, by_lift = (np.zeros(stream.sequences) for _ in range(3))
    back = np.ones((stream.sequences, WIDTH))
    for step in range(steps - 1, -1, -1):
        rows = slice(stream.bounds[step], stream.bounds[step + 1])
        active = rows.stop - rows.start
        kind, which, gap = stream.kind[rows], stream.touch[rows], stream.gap[rows]
        first = before[step]
        moved = drifted(first, gap, parameters) if step else first
        ahead = back[:active].copy()
        sent = np.flatnonzero(kind == TOUCH)
        if len(sent):
            index = which[sent]
            now, behind = moved[sent], ahead[sent]
            worn = touched(now, np.zeros(len(sent)), wear[index])
            by_onset[index] = np.einsum(
                "ij,ij->i", worn[:, :LEVELS], behind[:, BLIND, None] - behind[:, :LEVELS]
            )
            middle = behind.copy()
            middle[:, :LEVELS] += onset[index, None] * (behind[:, BLIND, None] - behind[:, :LEVELS])
            below = np.concatenate([middle[:, :1], middle[:, : LEVELS - 1]], axis=1) - middle[:, :LEVELS]
            by_wear[index] = np.einsum("ij,ij->i", now[:, :LEVELS], below)
            middle[:, :LEVELS] += wear[index, None] * below
            ahead[sent] = middle
        told = np.flatnonzero(kind != TOUCH)
        if len(told):
            index, what = which[told], kind[told]
            hope = sigmoid(levels + x[index, None])
            like = likelihood(what, hope, sample.within)
            weight = moved[told] * like
            total = weight.sum(axis=1)
            weight /= total[:, None]
            behind = ahead[told]
            happy = np.flatnonzero(what >= WELCOME_EARLY)
            if len(happy):
                above = np.zeros((len(happy), WIDTH))
                above[:, : LEVELS - 1] = behind[happy, 1:LEVELS] - behind[happy, : LEVELS - 1]
                by_lift[told[happy]] += np.einsum("ij,ij->i", weight[happy], above)
                behind[happy] += parameters.lift * above
            quiet = sample.within * hope * (1 - hope) / (1 - sample.within * hope)
            slope = np.where(
                (what == MARK)[:, None],
                -quiet,
                np.where((what == SILENT)[:, None], quiet - hope, 1 - hope),
            )
            slope = np.where((what == WELCOME_LATE)[:, None], 1 - hope + quiet, slope)
            pull = weight * behind * slope
            by_x[index] += pull.sum(axis=1)
            by_level[told] += pull
            ahead[told] = like * behind / total[:, None]
        if step:
            stay = np.exp(-parameters.recovery * gap)
            mode = np.exp(parameters.drift * gap[:, None] * values)
            spectral = first[:, :LEVELS] @ right
            onward = ahead[:, :LEVELS] @ left.T
            by_drift[:active] += gap * np.einsum("ij,ij,j->i", spectral * mode, onward, values)
            to_levels = ahead[:, :LEVELS] @ AT_START
            by_recovery[:active] += first[:, BLIND] * gap * stay * (to_levels - ahead[:, BLIND])
            earlier = np.empty_like(ahead)
            earlier[:, :LEVELS] = (onward * mode) @ right.T
            earlier[:, BLIND] = stay * ahead[:, BLIND] + (1 - stay) * to_levels
            ahead = earlier
        back[:active] = ahead

    scores = np.zeros((stream.sequences, len(theta)))
    owner = np.empty(touches, dtype=np.int64)
    for step in range(steps):
        rows = slice(stream.bounds[step], stream.bounds[step + 1])
        owner[stream.touch[rows]] = np.arange(rows.stop - rows.start)
    _add(scores[:, :p], owner, sample.x, by_x)
    _add(scores[:, p : p + q], owner, sample.onset, by_onset * onset * (1 - onset))
    _add(scores[:, p + q : p + q + r], owner, sample.wear, by_wear * wear * (1 - wear))
    shape = GRID + parameters.skew * (GRID**2 - 1) / 2
    rest = scores[:, p + q + r :]
    rest[:, 0] = by_level[:, :LEVELS] @ (parameters.spread * shape)
    bend = SKEW_MOST * (1 - (parameters.skew / SKEW_MOST) ** 2)
    rest[:, 1] = by_level[:, :LEVELS] @ (parameters.spread * (GRID**2 - 1) / 2) * bend
    rest[:, 2] = by_drift * parameters.drift
    rest[:, 3] = by_recovery * parameters.recovery
    at_start = parameters.blind_at_start
    rest[:, 4] = (back[:, BLIND] - back[:, :LEVELS] @ AT_START) * at_start * (1 - at_start)
    rest[:, 5] = by_level[:, BLIND]
    rest[:, 6] = by_lift * parameters.lift * (1 - parameters.lift)
    return score[stream.rank], scores[stream.rank]


def _add(target: Floats, owner: npt.NDArray[np.int64], columns: Floats, weight: Floats) -> None:
    """Sums of weight × columns by owner, into target (S, columns)."""
    for at in range(columns.shape[1]):
        target[:, at] = np.bincount(owner, weights=weight * columns[:, at], minlength=len(target))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FilterFit:
    """What was found."""

    parameters: FilterParameters
    theta: Floats
    covariance: Floats
    """Of theta, of the sandwich over sequences."""
    log_likelihood: float
    """Per resolved touch, without the prior."""
    converged: bool


def fit_filter(
    sample: Sample, *, prior_mean: Floats, prior_sd: Floats, start: Floats | None = None, rounds: int = 60
) -> FilterFit:
    """The mode of likelihood × prior.

    Args:
        prior_mean, prior_sd: (p + q + r + 7,); sd 0 holds a parameter fixed.
        start: Where the search begins; default: the prior's mean.
    """
    from scipy.optimize import minimize

    sizes = (sample.x.shape[1], sample.onset.shape[1], sample.wear.shape[1])
    free = prior_sd > 0
    theta = np.array(prior_mean if start is None else start, dtype=float)
    resolved = max(int((sample.stream.kind != TOUCH).sum() - (sample.stream.kind == MARK).sum()), 1)

    def objective(searched: Floats) -> tuple[float, Floats]:
        full = theta.copy()
        full[free] = searched
        value, scores = likelihood_and_scores(full, sample)
        off = (full[free] - prior_mean[free]) / prior_sd[free]
        gradient = scores.sum(axis=0)[free] - off / prior_sd[free]
        return -(value.sum() - 0.5 * off @ off) / resolved, -gradient / resolved

    reach = [(m - 6 * s, m + 6 * s) for m, s in zip(prior_mean[free], prior_sd[free], strict=True)]
    found = minimize(
        objective,
        theta[free],
        jac=True,
        method="L-BFGS-B",
        bounds=reach,
        options={"maxiter": rounds, "maxfun": int(rounds * 1.3) + 5, "ftol": 1e-8, "gtol": 2e-6},
    )
    theta[free] = found.x
    value, scores = likelihood_and_scores(theta, sample)
    covariance = np.zeros((len(theta), len(theta)))
    # with the information equality the sandwich over sequences is the inverse of the outer product of their scores;
    # the prior adds its own information
    inner = scores[:, free].T @ scores[:, free] + np.diag(1 / prior_sd[free] ** 2)
    covariance[np.ix_(free, free)] = np.linalg.pinv(inner)
    return FilterFit(
        parameters=unpacked(theta, sizes=sizes, within=sample.within),
        theta=theta,
        covariance=covariance,
        log_likelihood=float(value.sum()) / resolved,
        converged=bool(found.success),
    )
