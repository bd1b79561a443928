"""The fitted model of credit: what it knows, how it is kept, what it foretells of each touch of a log."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from primeta.attention.alarm_score import PRIOR_ALARM, alarm_columns, alarm_scores
from primeta.attention.baselines import Baselines, foretold_by_beta, foretold_by_counts
from primeta.attention.credit_features import (
    DRIVE_NAMES,
    ONSET_NAMES,
    STACK_NAMES,
    WEAR_NAMES,
    WELCOME_NAMES,
    Known,
    Season,
    drive_columns,
    known_before,
    onset_columns,
    stack_columns,
    wear_columns,
    welcome_columns,
)
from primeta.attention.outcomes import TouchLog
from primeta.attention.records import PURPOSES
from primeta.stats.attention_filter import FilterParameters, run_filter, sigmoid, stream_of
from primeta.stats.attention_interval import interval_of, logit

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]
Used = Literal["state-space", "counts", "beta-binomial", "prior"]

NEVER_TUNED = 3.5
"""Score of an alarm before a log is known."""
CHUNK = 400_000
"""Touches worked on at once."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CreditModel:
    """Parameters that turn a customer's events into credit."""

    filter: FilterParameters
    welcome_covariance: Floats
    """Of `filter.welcome`."""
    drive: Floats
    """Coefficients of `DRIVE_NAMES` and channels."""
    stack: Floats
    """Coefficients of `STACK_NAMES`."""
    widen_at: tuple[float, ...]
    widen_by: tuple[float, ...]
    """How much wider than the filter thinks the true log-odds lie, at these foretold log-odds."""
    channels: tuple[str, ...]
    """Those with a level of their own beside the first."""
    season: Season
    used: Used
    baselines: Baselines | None = None
    alarm: Floats = field(default_factory=lambda: np.array(PRIOR_ALARM))
    """Coefficients of `ALARM_NAMES`: log-odds of a long silence."""
    alarm_above: float = NEVER_TUNED
    """Score (`alarm_score.alarm_scores`) at which blindness is said: at most 5% false alarms per 100 touches."""
    verdict: Mapping[str, Any] = field(default_factory=dict)
    """Of `credit_fit.CreditVerdict.as_dict()`; empty: not fitted."""

    @classmethod
    def prior(cls) -> CreditModel:
        """Of a base of which nothing is known: one touch in twelve welcomed, one in a thousand drives away."""
        welcome = np.zeros(len(WELCOME_NAMES))
        welcome[[0, 1, 2, 3, 4, 5, 6, 7]] = (-2.6, 0.5, -0.2, -0.5, -0.1, -0.15, -0.05, -0.05)
        onset = np.zeros(len(ONSET_NAMES))
        onset[[0, 1, 2, 3, 4, 5]] = (-4.6, -1.0, 0.5, 1.0, 0.2, 0.5)
        wear = np.zeros(len(WEAR_NAMES))
        wear[[0, 1, 2, 3]] = (-4.0, -1.0, 0.3, 0.6)
        drive = np.zeros(len(DRIVE_NAMES))
        drive[[0, 1, 2, 3, 5]] = (-6.9, -1.0, 0.5, 1.2, 0.2)
        stack = np.zeros(len(STACK_NAMES))
        stack[1] = 1.0
        return cls(
            filter=FilterParameters(
                welcome=welcome,
                onset=onset,
                wear=wear,
                spread=1.2,
                skew=0.0,
                drift=1 / 150,
                recovery=1 / 90,
                blind_at_start=0.12,
                blind_level=-4.0,
                lift=0.1,
                within=0.8,
            ),
            welcome_covariance=np.diag(np.where(welcome != 0, 0.04, 0.0)),
            drive=drive,
            stack=stack,
            widen_at=(0.0,),
            widen_by=(1.0,),
            channels=(),
            season=Season(first=0, values=()),
            used="prior",
        )

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        numbers = self.filter
        return {
            "filter": {
                name: (value.tolist() if isinstance(value, np.ndarray) else value)
                for name in FilterParameters.__slots__
                for value in (getattr(numbers, name),)
            },
            "welcome_covariance": self.welcome_covariance.tolist(),
            "drive": self.drive.tolist(),
            "stack": self.stack.tolist(),
            "widen_at": list(self.widen_at),
            "widen_by": list(self.widen_by),
            "channels": list(self.channels),
            "season": {"first": self.season.first, "values": list(self.season.values)},
            "used": self.used,
            "baselines": self.baselines.as_dict() if self.baselines else None,
            "alarm": self.alarm.tolist(),
            "alarm_above": self.alarm_above,
            "verdict": dict(self.verdict),
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> CreditModel:
        numbers: dict[str, Any] = {
            name: (np.array(value, dtype=float) if isinstance(value, list) else value)
            for name, value in kept["filter"].items()
        }
        return cls(
            filter=FilterParameters(**numbers),
            welcome_covariance=np.array(kept["welcome_covariance"], dtype=float),
            drive=np.array(kept["drive"], dtype=float),
            stack=np.array(kept["stack"], dtype=float),
            widen_at=tuple(kept["widen_at"]),
            widen_by=tuple(kept["widen_by"]),
            channels=tuple(kept["channels"]),
            season=Season(first=kept["season"]["first"], values=tuple(kept["season"]["values"])),
            used=kept["used"],
            baselines=Baselines.from_dict(kept["baselines"]) if kept["baselines"] else None,
            alarm=np.array(kept["alarm"], dtype=float),
            alarm_above=kept["alarm_above"],
            verdict=kept["verdict"],
        )

    def with_season(self, season: Season) -> CreditModel:
        return replace(self, season=season)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Foreseen:
    """Of each touch of a log, just before it; all (n,)."""

    welcome: Floats
    """Given that it does not drive away."""
    drive_away: Floats
    value: Floats
    """welcome × (1 − drive_away)."""
    low: Floats
    high: Floats
    blind: Floats
    alarm: Floats
    """Score of the blindness alarm, the highest since the last welcome: it goes off at `CreditModel.alarm_above`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Steps:
    """What lies under `Foreseen`, for those who fit it."""

    known: Known
    columns: Floats
    x: Floats
    raw: Floats
    """(n,) of the filter, before the last correction."""
    blind: Floats
    weights: Floats
    log_likelihood: Floats
    stood_blind: Floats
    stood_hope: Floats
    gap: Floats


def walk(model: CreditModel, log: TouchLog, *, keep_weights: bool = False, useful: bool = False) -> Steps:
    """The filter over a log that fits into memory.

    Args:
        useful: Foretell what would have come of a useful touch at each moment, instead of the one that was sent.
    """
    known = known_before(log)
    columns = welcome_columns(log, known, season=model.season.at(log.sent), known_channels=model.channels)
    moved = _moved(model, columns)
    if useful:
        columns = columns.copy()
        columns[:, 1:4] = 0.0
    x, onset, wear = _moved(model, columns)
    filtered = run_filter(
        stream_of(log.sequence, log.sent, log.welcomed, until=log.until, asked=log.asked),
        model.filter,
        x=moved[0],
        onset=moved[1],
        wear=moved[2],
        instead=(x, onset, wear) if useful else None,
        asked=log.asked,
        keep_weights=keep_weights,
    )
    return Steps(
        known=known,
        columns=columns,
        x=x,
        raw=filtered.chance,
        blind=filtered.blind,
        weights=filtered.weights,
        log_likelihood=filtered.log_likelihood,
        stood_blind=filtered.stood_blind,
        stood_hope=filtered.stood_hope,
        gap=filtered.gap,
    )


def _moved(model: CreditModel, columns: Floats) -> tuple[Floats, Floats, Floats]:
    """x, onset and wear of each touch (n,)."""
    return (
        columns @ model.filter.welcome,
        sigmoid(onset_columns(columns) @ model.filter.onset),
        sigmoid(wear_columns(columns) @ model.filter.wear),
    )


def foresee(model: CreditModel, log: TouchLog, *, intervals: bool = True, useful: bool = False) -> Foreseen:
    """What the model said before each touch, by what was known then.

    With `useful`, of a useful touch at the same moment: the customer's credit.

    Works through a log of any length, customer by customer, some 400,000 touches at a time.
    """
    parts = [_foresee(model, part, intervals, useful) for part in parts_of(log)]
    names = Foreseen.__slots__
    return Foreseen(
        **{name: np.concatenate([getattr(part, name) for part in parts] or [np.zeros(0)]) for name in names}
    )


def parts_of(log: TouchLog, most: int = CHUNK) -> list[TouchLog]:
    """The log cut between customers into parts of some `most` touches."""
    if log.touches <= most:
        return [log] if log.touches else []
    total = np.cumsum(np.bincount(log.customer, minlength=len(log.customers)))
    edges = [0]
    while edges[-1] < len(log.customers):
        reached = int(total[edges[-1] - 1]) if edges[-1] else 0
        edges.append(max(int(np.searchsorted(total, reached + most, side="right")), edges[-1] + 1))
    parts = (log.of_range(first, min(last, len(log.customers))) for first, last in itertools.pairwise(edges))
    return [part for part in parts if part.touches]


def _foresee(model: CreditModel, log: TouchLog, intervals: bool, useful: bool) -> Foreseen:
    steps = walk(model, log, keep_weights=intervals, useful=useful)
    if useful:
        log = replace(log, purpose=np.full(log.touches, PURPOSES.index("useful")))
    corrected = stack_columns(log, steps.known, steps.columns, raw=steps.raw, blind=steps.blind) @ model.stack
    welcome = sigmoid(corrected)
    drive = sigmoid(
        drive_columns(log, steps.known, steps.columns, logit=corrected, blind=steps.blind) @ model.drive
    )
    if model.used in ("counts", "beta-binomial") and model.baselines is not None:
        return _by_baseline(model, log, steps, intervals)
    low = high = np.full(log.touches, np.nan)
    if intervals:
        low, high = interval_of(
            steps.weights,
            model.filter.levels(),
            x=steps.x + corrected - logit(steps.raw),
            value=welcome,
            x_variance=np.einsum("ij,jk,ik->i", steps.columns, model.welcome_covariance, steps.columns),
            widen=np.interp(corrected, model.widen_at, model.widen_by),
        )
        low, high = low * (1 - drive), high * (1 - drive)
    return Foreseen(
        welcome=welcome,
        drive_away=drive,
        value=welcome * (1 - drive),
        low=low,
        high=high,
        blind=steps.blind,
        alarm=alarm_of(model, steps),
    )


def alarm_of(model: CreditModel, steps: Steps) -> Floats:
    """(n,) score of the blindness alarm at each touch."""
    columns = alarm_columns(steps.known, blind=steps.stood_blind, hope=steps.stood_hope, gap=steps.gap)
    return alarm_scores(columns, steps.known.unanswered, model.alarm)


def _by_baseline(model: CreditModel, log: TouchLog, steps: Steps, intervals: bool) -> Foreseen:
    from scipy.special import betaincinv

    baselines = model.baselines
    assert baselines is not None
    counts = model.used == "counts"
    told = (foretold_by_counts if counts else foretold_by_beta)(baselines, log)
    mass = baselines.counts_concentration if counts else baselines.beta_concentration
    low = high = np.full(log.touches, np.nan)
    if intervals:
        low, high = (betaincinv(told.good * mass, (1 - told.good) * mass, q) for q in (0.025, 0.975))
    return Foreseen(
        welcome=told.good / (1 - told.drive),
        drive_away=told.drive,
        value=told.good,
        low=low,
        high=high,
        blind=steps.blind,
        alarm=alarm_of(model, steps),
    )
