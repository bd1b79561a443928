"""Credit learnt from a log: fitted on some customers, corrected on others, judged on third ones later in time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.attention.alarm_score import (
    LONG_SILENCES,
    PRIOR_ALARM,
    alarm_columns,
    alarm_scores,
    silent_next,
)
from primeta.attention.alarm_threshold import followed, threshold_of
from primeta.attention.baselines import fit_baselines, foretold_by_beta, foretold_by_counts
from primeta.attention.blindness import first_of_sequence
from primeta.attention.credit_features import (
    CHANNELS_KNOWN,
    STACK_NAMES,
    WELCOME_NAMES,
    drive_columns,
    known_before,
    onset_columns,
    season_of,
    stack_columns,
    wear_columns,
    welcome_columns,
)
from primeta.attention.credit_model import (
    CreditModel,
    Steps,
    Used,
    foresee,
    walk,
)
from primeta.attention.outcomes import TouchLog
from primeta.attention.records import PURPOSES
from primeta.stats.attention_filter import (
    FIRST_DAYS,
    drifted,
    sigmoid,
    stream_of,
    touched,
)
from primeta.stats.attention_fit import SCALAR_PRIORS, SCALARS, Sample, fit_filter
from primeta.stats.attention_interval import logit
from primeta.stats.penalised_logit import fit_logit
from primeta.stats.probability_scores import (
    Difference,
    area_under_curve,
    brier_scores,
    calibration_line,
    clustered_difference,
    log_scores,
)

Floats = npt.NDArray[np.floating[Any]]
Flags = npt.NDArray[np.bool_]

LEARNT, CORRECTED, JUDGED = 0.6, 0.2, 0.2
"""Shares of customers who are fitted on, corrected on, judged on."""
EARLY = 0.7
"""Share of touches before the day from which is judged."""
DRIVE_PRIORS = {
    "level": (0.0, 3.0), "service": (-1.0, 0.7), "offer": (0.5, 0.5), "press": (1.3, 0.7),
    "recent 1": (0.1, 0.15), "recent 7": (0.2, 0.15), "recent 30": (0.0, 0.15), "selling 7": (0.1, 0.15),
    "pressing 1": (0.1, 0.2), "pressing 7": (0.2, 0.2), "other channels 7": (0.0, 0.15), "broken": (0.3, 0.3),
    "first": (0.2, 0.5), "tenure": (0.0, 0.15), "unanswered": (0.0, 0.15), "welcomed 7": (0.0, 0.2),
    "welcomed 30": (-0.1, 0.2), "drove 30": (0.5, 0.5), "log-odds of welcome": (-0.1, 0.15), "blind": (-0.5, 0.5),
}  # fmt: skip
"""Mean and sd of the coefficients of being driven away."""
LEAST_WELCOMES = 30
LEAST_CUSTOMERS = 20
"""With fewer welcomes to learn from, or customers, nothing is fitted: the prior stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """How well one way foretells, on customers and days that it was not fitted on."""

    log_score: float
    brier: float
    intercept: float
    slope: float
    drive_auc: float
    """Of ranking the touches that drove away; NaN where none did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditVerdict:
    """Which way is used and why."""

    used: Used
    marks: Mapping[str, Marks]
    """`model`, `counts`, `beta_binomial`."""
    better_than: Mapping[str, Difference]
    """Mean log score of the model less that of each rival, by customer."""
    touches: int
    """Judged."""
    customers: int
    why_not: str = ""
    learnt_from: int = 0
    """Touches of the customers drawn that the filter was fitted on; no more for a larger log."""

    @property
    def scores(self) -> dict[str, float]:
        """Mean log scores by name; NaN where nothing could be judged."""
        return {
            name: self.marks[name].log_score if name in self.marks else float("nan")
            for name in ("model", "counts", "beta_binomial")
        }

    def as_dict(self) -> dict[str, Any]:
        """JSON-able: what is not known is None."""
        return {
            "used": self.used,
            "marks": {
                name: {key: _known(getattr(mark, key)) for key in Marks.__slots__}
                for name, mark in self.marks.items()
            },
            "better_than": {
                name: {"mean": _known(entry.mean), "error": _known(entry.error)}
                for name, entry in self.better_than.items()
            },
            "touches": self.touches,
            "customers": self.customers,
            "learnt_from": self.learnt_from,
            "why_not": self.why_not,
        }


def _known(number: float) -> float | None:
    return number if np.isfinite(number) else None


def fit_credit(
    log: TouchLog,
    *,
    rng: np.random.Generator,
    sample: int = 100_000,
    rounds: int = 60,
    progress: Callable[[str], None] | None = None,
) -> tuple[CreditModel, CreditVerdict]:
    """Parameters by the likelihood of what came after each touch, corrected and judged on other customers.

    Args:
        sample: Touches that the filter is fitted on; the rest of the steps use some multiples of it.
        rounds: Of the search.
    """
    told = progress or (lambda _: None)
    whole = log.closed
    cut = float(np.quantile(log.sent[whole], EARLY)) if whole.any() else log.until
    early = log.before(cut).settled()
    if int(early.good.sum()) < LEAST_WELCOMES or len(log.customers) < LEAST_CUSTOMERS:
        verdict = CreditVerdict(
            used="prior", marks={}, better_than={}, touches=0, customers=0, why_not="too-few-welcomes"
        )
        return replace(CreditModel.prior(), verdict=verdict.as_dict()), verdict
    season = season_of(log)
    draw = rng.random(len(log.customers))
    learn = draw < LEARNT
    told("filter")
    channels = _channels(log)
    fitted_on = _some(early, learn, sample, rng)
    model = _fit_filter(fitted_on, CreditModel.prior(), season=season, channels=channels, rounds=rounds)
    told("driving away")
    model = _fit_drive(_some(early, learn, 8 * sample, rng), model)
    told("correction")
    model = _correct(_some(early, draw < LEARNT + CORRECTED, 6 * sample, rng), model)
    model = _fit_alarm(_some(log, draw < 1, 3 * sample, rng), model, rng=rng)
    told("rivals")
    rivals = _some(early, learn, 8 * sample, rng)
    model = replace(model, baselines=fit_baselines(rivals, rivals.closed))
    told("verdict")
    judged = _some(log, draw >= LEARNT + CORRECTED, 4 * sample, rng)
    verdict = replace(judge(model, judged, after=cut), learnt_from=fitted_on.touches)
    model = replace(model, used=verdict.used, verdict=verdict.as_dict())
    return model, verdict


LEAST_SILENCES = 40
"""Touches that begin a long silence, and as many that do not, from which its log-odds are learnt."""


def _fit_alarm(log: TouchLog, model: CreditModel, *, rng: np.random.Generator) -> CreditModel:
    """Log-odds of a long silence, then the threshold of the alarm, by scores of customers from each other's half."""
    steps = walk(model, log)
    columns = alarm_columns(steps.known, blind=steps.stood_blind, hope=steps.stood_hope, gap=steps.gap)
    half = (rng.random(len(log.customers)) < 0.5)[log.customer]
    unanswered = steps.known.unanswered
    score = alarm_scores(columns, unanswered, model.alarm)
    for touches in LONG_SILENCES:
        silent = silent_next(log.welcomed, log.sequence, touches)
        rows = (silent >= 0) & log.closed
        if min((silent[rows] == 1).sum(), (silent[rows] == 0).sum()) >= LEAST_SILENCES:
            for own in (half, ~half):
                others = _silence_odds(columns[rows & ~own], silent[rows & ~own])
                score[own] = alarm_scores(columns[own], unanswered[own], others)
            model = replace(model, alarm=_silence_odds(columns[rows], silent[rows]))
            break
    signs = followed(log, steps.known)
    return replace(model, alarm_above=threshold_of(score, signs, steps.blind, first_of_sequence(log)))


def _silence_odds(columns: Floats, silent: npt.NDArray[np.integer[Any]]) -> Floats:
    """(7,) coefficients of `ALARM_NAMES`."""
    prior = np.array(PRIOR_ALARM)
    sd = np.concatenate([[10.0], np.full(len(prior) - 1, 2.0)])
    found, _ = fit_logit(columns, silent.astype(float), prior_mean=prior, prior_sd=sd)
    return found


def _channels(log: TouchLog) -> tuple[str, ...]:
    """The most used channels but the first, which is the level of all."""
    count = np.bincount(log.channel, minlength=len(log.channels))
    order = sorted(range(len(log.channels)), key=lambda code: (-count[code], log.channels[code]))
    return tuple(log.channels[code] for code in order[1:CHANNELS_KNOWN])


def _some(log: TouchLog, chosen: Flags, most: int, rng: np.random.Generator) -> TouchLog:
    """Of the chosen customers as many, drawn at random, as have some `most` touches together."""
    count = np.bincount(log.customer, minlength=len(log.customers))
    order = rng.permutation(np.flatnonzero(chosen & (count > 0)))
    keep = np.zeros(len(log.customers), dtype=bool)
    keep[order[: int(np.searchsorted(np.cumsum(count[order]), most)) + 1]] = True
    return log.of_customers(keep)


def _fit_filter(
    log: TouchLog, start: CreditModel, *, season: Any, channels: tuple[str, ...], rounds: int
) -> CreditModel:
    known = known_before(log)
    columns = welcome_columns(log, known, season=season.at(log.sent), known_channels=channels)
    delay = log.welcomed[np.isfinite(log.welcomed)]
    within = float(np.clip((delay <= FIRST_DAYS).sum() + 8, 1, None) / (len(delay) + 10))
    share = float((log.good.sum() + 1) / (log.closed.sum() + 12))
    extra = len(columns[0]) - len(WELCOME_NAMES)
    mean = np.concatenate([start.filter.welcome, np.zeros(extra), start.filter.onset, start.filter.wear])
    mean[0] = float(logit(np.array([min(share / 0.8, 0.95)]))[0]) - 0.3
    sd = np.concatenate(
        [
            [1.5, 1.0, 1.0, 1.0, *[0.3] * 8, 0.5, 0.3, 0.3, 0.5, 0.3, 0.5, 0.3],
            np.full(extra, 0.7),
            [1.0, 0.7, 0.7, 0.7, 0.3, 0.5],
            [1.0, 0.7, 0.7, 0.7],
        ]
    )
    mean = np.concatenate([mean, [SCALAR_PRIORS[name][0] for name in SCALARS]])
    sd = np.concatenate([sd, [SCALAR_PRIORS[name][1] for name in SCALARS]])
    fit = fit_filter(
        Sample(
            stream=stream_of(log.sequence, log.sent, log.welcomed, until=log.until),
            x=columns,
            onset=onset_columns(columns),
            wear=wear_columns(columns),
            within=within,
        ),
        prior_mean=mean,
        prior_sd=sd,
        rounds=rounds,
    )
    size = columns.shape[1]
    return replace(
        start,
        filter=fit.parameters,
        welcome_covariance=fit.covariance[:size, :size],
        channels=channels,
        season=season,
        used="state-space",
    )


def _fit_drive(log: TouchLog, model: CreditModel) -> CreditModel:
    steps = walk(model, log)
    columns = drive_columns(log, steps.known, steps.columns, logit=logit(steps.raw), blind=steps.blind)
    rows = log.closed
    drove = np.isfinite(log.drove)[rows].astype(float)
    # opt-outs are rare: what is known of people elsewhere speaks until there are some hundreds
    mean = np.zeros(columns.shape[1])
    mean[: len(DRIVE_PRIORS)] = [entry[0] for entry in DRIVE_PRIORS.values()]
    sd = np.full(columns.shape[1], 0.3)
    sd[: len(DRIVE_PRIORS)] = [entry[1] for entry in DRIVE_PRIORS.values()]
    eta = columns[rows] @ mean
    mean[0] = float(np.log((drove.sum() + 0.1) / (np.exp(eta).sum() + 100)))
    found, _ = fit_logit(columns[rows], drove, prior_mean=mean, prior_sd=sd)
    return replace(model, drive=found)


def _correct(log: TouchLog, model: CreditModel) -> CreditModel:
    """The last correction of log-odds, and how much wider they lie than the filter thinks."""
    steps = walk(model, log, keep_weights=True)
    columns = stack_columns(log, steps.known, steps.columns, raw=steps.raw, blind=steps.blind)
    rows = log.closed & ~np.isfinite(log.drove)
    mean = np.zeros(len(STACK_NAMES))
    mean[1] = 1.0
    sd = np.array([0.3, 0.15, *[0.2] * 5, 0.5, 0.7, 0.7, 0.7])
    stack, _ = fit_logit(columns[rows], log.good[rows].astype(float), prior_mean=mean, prior_sd=sd)
    at, by = spread_ratios(log, model, steps, columns @ stack)
    return replace(model, stack=stack, widen_at=at, widen_by=by)


SPREAD_GROUPS = 3
SPREAD_LEAST, SPREAD_MOST = 0.5, 4.0
"""Bounds of the ratio of variances."""
PAIR_DAYS = (7.0, 35.0)
"""Between the two touches: long enough for what an answer itself sets off to fade, short enough for people to be as
they were."""
SPREAD_PRIOR = 0.3
"""How far the ratio of variances is thought to lie from 1 before the log is asked."""


def spread_ratios(
    log: TouchLog, model: CreditModel, steps: Steps, corrected: Floats
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """How much wider the true probabilities lie around the foretold than the filter thinks, as ratios of sds.

    Two touches of one purpose to one customer, one to five weeks apart: if the foretold probability is off, it is off for both in the
    same direction, so that the mean product of both errors, the second foretold without the first's outcome, is the
    variance of what is not known. It is held against what the filter expects of the same products, in thirds of
    touches by foretold probability. Any forecast of the second will do that does not look at the first's outcome, save
    for the first's effect on x, which is no sign of what customers are like.

    Returns:
        Log-odds in the middle of each third and its ratio.
    """
    first, second = _same_purpose_pairs(log)
    if len(first) < 300:
        return (0.0,), (1.0,)
    levels = model.filter.levels()
    x = steps.x + corrected - logit(steps.raw)
    onset = sigmoid(onset_columns(steps.columns) @ model.filter.onset)
    wear = sigmoid(wear_columns(steps.columns) @ model.filter.wear)
    hope = sigmoid(levels + x[first, None])
    weights = steps.weights[first]
    expected = np.einsum("ij,ij->i", weights, hope)
    outcome = log.good[first].astype(float)
    gap = log.sent[second] - log.sent[first]
    tilted = weights * np.where(outcome[:, None] > 0, hope, 1 - hope)
    tilted /= tilted.sum(axis=1)[:, None]
    follow = sigmoid(levels + x[second, None])
    then, knowing = (
        np.einsum("ij,ij->i", touched(drifted(start, gap, model.filter), onset[second], wear[second]), follow)
        for start in (weights, tilted)
    )
    scale = np.sqrt(expected * (1 - expected) * then * (1 - then)) + 1e-3
    seen = (outcome - expected) * (log.good[second] - then) / scale
    thought = (outcome - expected) * (knowing - then) / scale
    edges = np.quantile(expected, np.arange(1, SPREAD_GROUPS) / SPREAD_GROUPS)
    group = np.digitize(expected, edges)
    middles, ratios = [], []
    for number in range(SPREAD_GROUPS):
        rows = group == number
        base = float(thought[rows].mean()) if rows.any() else 0.0
        if base <= 0:
            continue
        ratio = float(seen[rows].mean()) / base
        error = (
            clustered_difference(seen[rows] - ratio * thought[rows], log.customer[first[rows]]).error / base
        )
        # a normal prior around 1 keeps it there where the log says little
        settled = (ratio / error**2 + 1 / SPREAD_PRIOR**2) / (1 / error**2 + 1 / SPREAD_PRIOR**2)
        middles.append(float(np.median(logit(expected[rows]))))
        ratios.append(float(np.sqrt(np.clip(settled, SPREAD_LEAST, SPREAD_MOST))))
    return (tuple(middles), tuple(ratios)) if ratios else ((0.0,), (1.0,))


def _same_purpose_pairs(log: TouchLog) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Touches and the first of the same purpose on the same channel a week or more later, both over."""
    if not log.touches:
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing
    order = np.lexsort((np.arange(log.touches), log.purpose, log.sequence))
    key = (log.sequence * len(PURPOSES) + log.purpose)[order]
    day = log.sent[order] - log.sent.min()
    line = key * (float(day.max()) + 10 * PAIR_DAYS[1]) + day
    later = np.searchsorted(line, line + PAIR_DAYS[0])
    other = order[np.minimum(later, len(order) - 1)]
    settled = log.closed & ~np.isfinite(log.drove)
    fits = (
        (later < len(order))
        & (log.sequence[other] == log.sequence[order])
        & (log.purpose[other] == log.purpose[order])
        & (log.sent[other] - log.sent[order] <= PAIR_DAYS[1])
        & settled[order]
        & settled[other]
    )
    return order[fits], other[fits]


def judge(model: CreditModel, log: TouchLog, *, after: float) -> CreditVerdict:
    """The model beside both rivals on touches later than the day `after`, one step ahead."""
    assert model.baselines is not None
    rows = log.closed & (log.sent > after)
    good, drove = log.good[rows].astype(float), np.isfinite(log.drove)[rows].astype(float)
    own = foresee(replace(model, used="state-space"), log, intervals=False)
    ways = {"model": (own.value[rows], own.drive_away[rows])}
    for name, foretold in (
        ("counts", foretold_by_counts(model.baselines, log)),
        ("beta_binomial", foretold_by_beta(model.baselines, log)),
    ):
        ways[name] = (foretold.good[rows], foretold.drive[rows])
    if len(good) < 50 or not 0 < good.sum() < len(good):
        return CreditVerdict(
            used="state-space",
            marks={},
            better_than={},
            touches=len(good),
            customers=0,
            why_not="too-few-later",
        )
    marks: dict[str, Marks] = {}
    score: dict[str, Floats] = {}
    for name, (chance, drive) in ways.items():
        score[name] = log_scores(chance, good)
        intercept, slope = calibration_line(chance, good)
        marks[name] = Marks(
            log_score=float(score[name].mean()),
            brier=float(brier_scores(chance, good).mean()),
            intercept=intercept,
            slope=slope,
            drive_auc=area_under_curve(drive, drove),
        )
    better = {
        name: clustered_difference(score["model"] - score[name], log.customer[rows])
        for name in ("counts", "beta_binomial")
    }
    used: Used = "state-space"
    if not all(entry.clear for entry in better.values()):
        rival = max(("counts", "beta_binomial"), key=lambda name: marks[name].log_score)
        used = "counts" if rival == "counts" else "beta-binomial"
    return CreditVerdict(
        used=used,
        marks=marks,
        better_than=better,
        touches=int(rows.sum()),
        customers=len(np.unique(log.customer[rows])),
        why_not="" if used == "state-space" else "not-better",
    )
