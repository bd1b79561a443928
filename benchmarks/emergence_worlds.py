"""Simulated panels in which each owner speaks of everything as often as before, and topics planted into them.

None is drawn from the model that judges them: owners differ by a gamma law with shape .4, rates follow Zipf, and time
brings threads, shocks of a week, wandering, seasons, growth and new owners.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from primeta.signals.texts.panel import Panel

Form = Literal[
    "plain",
    "bursty",
    "threads",
    "shocks",
    "wandering",
    "wandering far",
    "yearly",
    "growing",
    "new-owners",
    "open-words",
]
FORMS: tuple[Form, ...] = (
    "plain",
    "bursty",
    "threads",
    "shocks",
    "wandering",
    "wandering far",
    "yearly",
    "growing",
    "new-owners",
    "open-words",
)
PROMISE = 52


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Planted:
    """A topic put into a world."""

    candidate: int
    onset: int
    owners: int
    weekly: float
    """Stories a week over all its owners."""


def quiet(
    rng: np.random.Generator,
    *,
    form: Form,
    candidates: int = 2000,
    owners: int = 20,
    weeks: int = 156,
    stories: float = 40.0,
) -> npt.NDArray[Any]:
    """(C, O, W) counts and, as the last candidate, (O, W) volumes."""
    size = stories * rng.gamma(1.5, 1 / 1.5, owners)
    volume = np.maximum(rng.poisson(size[:, None] * rng.gamma(10, 0.1, (owners, weeks))), 0).astype(float)
    if form == "growing":
        volume = rng.poisson(size[:, None] * np.exp(np.linspace(-1, 1, weeks))).astype(float)
    if form == "new-owners":
        begin = np.where(np.arange(owners) % 2, rng.integers(0, weeks - 10, owners), 0)
        volume = volume * (np.arange(weeks)[None, :] >= begin[:, None])
    share = 1 / np.arange(1, candidates + 1) ** 1.05
    share *= 3 / share.sum()
    if form == "open-words":
        # most of the vocabulary is met rarely or never before: a Zipf tail without an end in the window
        share = share**1.5
        share *= 1 / share.sum()
    taste = rng.gamma(0.4, 2.5, (candidates, owners))
    mean = np.minimum(share[:, None] * taste, 0.5)[:, :, None] * volume[None, :, :]
    week = np.arange(weeks)
    if form in {"wandering", "wandering far"}:
        sd = 0.4 if form == "wandering" else 0.8
        log_rate = np.empty((candidates, weeks))
        log_rate[:, 0] = rng.normal(0, sd, candidates)
        for at in range(1, weeks):
            log_rate[:, at] = 0.95 * log_rate[:, at - 1] + rng.normal(
                0, sd * np.sqrt(1 - 0.95**2), candidates
            )
        mean *= np.exp(log_rate)[:, None, :]
    if form == "yearly":
        peak = rng.integers(0, 52, candidates)
        near = np.abs((week[None, :] - peak[:, None] + 26) % 52 - 26) <= 2
        seasonal = (rng.random(candidates) < 0.2)[:, None]
        mean *= np.where(near & seasonal, 15.0, 1.0)[:, None, :]
    if form == "shocks":
        shock = np.where(rng.random((candidates, weeks)) < 0.02, rng.gamma(1, 10, (candidates, weeks)), 1.0)
        mean *= shock[:, None, :]
    if form == "bursty":
        mean *= rng.gamma(0.3, 1 / 0.3, mean.shape)
    if form == "threads":
        counts = rng.poisson(mean / 3)
        return np.concatenate([counts + rng.negative_binomial(np.maximum(counts, 1e-9), 1 / 3), volume[None]])
    return np.concatenate([rng.poisson(mean), volume[None]])


def plant(
    counts: npt.NDArray[Any], rng: np.random.Generator, *, topics: int, promise: int = PROMISE
) -> tuple[npt.NDArray[Any], list[Planted]]:
    """`topics` new candidates that somebody begins to speak of within the promise, for good."""
    owners, weeks = counts.shape[1:]
    there = np.flatnonzero(counts[-1, :, weeks - promise - 10] > 0)
    rows, known = [], []
    for at in range(topics):
        onset = int(rng.integers(weeks - promise + 2, weeks - 16))
        several = int(min(rng.choice([2, 3, 5, 8]), there.size))
        weekly = float(rng.choice([1.0, 2.0, 4.0, 8.0]))
        who = rng.choice(there, several, replace=False)
        row = np.zeros((owners, weeks))
        row[who, onset:] = rng.poisson(weekly / several, (several, weeks - onset))
        rows.append(row)
        known.append(Planted(candidate=counts.shape[0] - 1 + at, onset=onset, owners=several, weekly=weekly))
    return np.concatenate([counts[:-1], np.array(rows), counts[-1:]]), known


def panel(counts: npt.NDArray[Any]) -> Panel:
    """As `emerge` takes it."""
    body, volume = counts[:-1].astype(np.int64), counts[-1].astype(np.int64)
    candidate, owner, week = np.nonzero(body)
    weeks = volume.shape[1]
    return Panel(
        weeks=tuple(date(2023, 1, 2) + timedelta(days=7 * at) for at in range(weeks)),
        owners=tuple(f"owner {at}" for at in range(volume.shape[0])),
        origins=("outside",) * volume.shape[0],
        volume=np.maximum(volume, body.max(axis=0)),
        candidate=candidate,
        owner=owner,
        week=week,
        stories=body[candidate, owner, week],
        candidates=body.shape[0],
    )
