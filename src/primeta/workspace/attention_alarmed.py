"""Customers who probably no longer look, out of a sample of the base: whose shades are worth looking at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from primeta.attention.credit_kept import kept_channels, unpack_credit
from primeta.stats.agreement import wilson_interval
from primeta.store.attention_state import sample_credits
from primeta.workspace.may_send import Desk

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

SAMPLE = 2_000
SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmedCustomer:
    """One customer on the channel where it is surest."""

    customer: str
    """His pseudonym."""
    channel: str
    blind: float
    touches: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarmed:
    """What a sample shows."""

    looked_at: int
    """Customers in the sample whose credit is known."""
    share: float
    low: float
    high: float
    customers: tuple[AlarmedCustomer, ...]
    """Those over the threshold of the alarm, the surest first, at most a few."""


def alarmed(ws: Workspace, *, now: datetime) -> Alarmed:
    """Who is over the threshold of the blindness alarm, by the credit that is kept; nothing is worked out.

    The sample is the beginning of the base in the order of pseudonyms. They are keyed hashes, so that it is as good as
    drawn by lot, and the same customers are looked at each time.
    """
    from primeta.attention.blindness import alarm_scores

    desk = Desk(ws, now=now)
    try:
        model, policy = desk.model(), desk.policy
    finally:
        desk.close()
    with ws.database.read() as connection:
        rows = sample_credits(connection, many=SAMPLE)
    found: list[tuple[float, AlarmedCustomer]] = []
    for pseudonym, kept in rows:
        surest: tuple[float, AlarmedCustomer] | None = None
        for channel in kept_channels(kept):
            credit = unpack_credit(kept, channel=channel, policy=policy)
            if credit is None or credit.why_not or not np.isfinite(credit.blind):
                continue
            score = float(alarm_scores(np.array([credit.blind]), np.array([credit.welcome]))[0])
            if score >= model.alarm_above and (surest is None or score > surest[0]):
                told = AlarmedCustomer(
                    customer=pseudonym, channel=channel, blind=credit.blind, touches=credit.touches
                )
                surest = (score, told)
        if surest is not None:
            found.append(surest)
    share = len(found) / len(rows) if rows else float("nan")
    low, high = wilson_interval(share, len(rows)) if rows else (float("nan"), float("nan"))
    found.sort(key=lambda entry: (-entry[0], entry[1].customer))
    return Alarmed(
        looked_at=len(rows),
        share=share,
        low=low,
        high=high,
        customers=tuple(entry[1] for entry in found[:SHOWN]),
    )
