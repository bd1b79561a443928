"""Customers who probably no longer look, out of a sample of the base: whose shades are worth looking at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from primeta.attention.credit_kept import kept_channels, unpack_credit
from primeta.stats.agreement import wilson_interval
from primeta.store.attention_state import sample_credits
from primeta.workspace.may_send import policy_in_force

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

BLIND_FROM = 0.5
"""More probable than not."""
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
    """The surest first, at most a few."""


def alarmed(ws: Workspace, *, now: datetime) -> Alarmed:
    """Who more probably than not no longer looks on a channel, by the credit that is kept; nothing is worked out.

    The sample is the beginning of the base in the order of pseudonyms. They are keyed hashes, so that it is as good as
    drawn by lot, and the same customers are looked at each time.
    """
    policy = policy_in_force(ws, now=now)
    with ws.database.read() as connection:
        rows = sample_credits(connection, many=SAMPLE)
    found: list[AlarmedCustomer] = []
    for pseudonym, kept in rows:
        surest: AlarmedCustomer | None = None
        for channel in kept_channels(kept):
            credit = unpack_credit(kept, channel=channel, policy=policy)
            # Whoever opted out is not written to anyway; a NaN is no alarm.
            if credit is None or credit.why_not or not credit.blind >= BLIND_FROM:
                continue
            if surest is None or credit.blind > surest.blind:
                surest = AlarmedCustomer(
                    customer=pseudonym, channel=channel, blind=credit.blind, touches=credit.touches
                )
        if surest is not None:
            found.append(surest)
    share = len(found) / len(rows) if rows else float("nan")
    low, high = wilson_interval(share, len(rows)) if rows else (float("nan"), float("nan"))
    found.sort(key=lambda entry: (-entry.blind, entry.customer))
    return Alarmed(
        looked_at=len(rows),
        share=share,
        low=low,
        high=high,
        customers=tuple(found[:SHOWN]),
    )
