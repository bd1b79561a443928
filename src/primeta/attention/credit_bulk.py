"""Credit of many customers at once: the same figures as one by one (`credit.credit_of`), by the filter over a whole log.

A customer alone takes milliseconds, for each message he ever got; thousands together take microseconds a message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from primeta.attention.blindness import with_probe
from primeta.attention.credit import CreditEvent, credit_of, days_of, in_order, state_of, time_of
from primeta.attention.credit_levels import level_by
from primeta.attention.credit_model import CreditModel, foresee
from primeta.attention.outcomes import WITHIN, TouchLog
from primeta.attention.records import PURPOSES, Credit, Policy

PROBED = ("useful", "offer", "press")


def credits_of_many(
    events: Mapping[str, Sequence[CreditEvent]], *, model: CreditModel, policy: Policy, now: datetime
) -> dict[str, dict[str, Credit]]:
    """Credit now of each customer on each channel on which he was written to.

    Of whom the alarm has gone off is worked out alone: how long he rests depends on every touch since.

    Args:
        events: Of each customer, in any order, each told as often as it may; later ones than `now` are left out.
    """
    found: dict[str, dict[str, Credit]] = {customer: {} for customer in events}
    log, touches = _log(events, now=now)
    if not log.touches:
        return found
    day = days_of(now)
    probed, rows = with_probe(log, day)
    told = {}
    for purpose in PROBED:
        asking = probed.purpose.copy()
        asking[rows] = PURPOSES.index(purpose)
        told[purpose] = foresee(model, replace(probed, purpose=asking), intervals=purpose == "useful")
    useful = told["useful"]
    start = np.concatenate([[0], rows[:-1] + 1])
    glad = np.maximum.reduceat(
        np.where(np.isfinite(probed.welcomed), probed.sent + probed.welcomed, -np.inf), start
    )
    alarmed = useful.alarm[rows] >= model.alarm_above - 1e-6
    alone = {log.customers[who] for who in np.unique(probed.customer[rows[alarmed]]).tolist()}
    drove = np.maximum.reduceat(
        np.where(np.isfinite(probed.drove), probed.sent + probed.drove, -np.inf), start
    )
    for place, row in enumerate(rows.tolist()):
        customer = log.customers[int(probed.customer[row])]
        if customer in alone:
            continue
        channel = log.channels[int(probed.channel[row])]
        value, low = float(useful.value[row]), float(useful.low[row])
        gone = bool(np.isfinite(drove[place]) and drove[place] >= glad[place])
        drives = {purpose: float(told[purpose].drive_away[row]) for purpose in PROBED}
        level = "none" if gone else level_by(value, low, drives, policy, channel=channel)
        if touches[customer] < policy.first_useful and level in ("sell", "press"):
            level = "useful"
        found[customer][channel] = Credit(
            value=value,
            low=low,
            high=float(useful.high[row]),
            welcome=float(useful.welcome[row]),
            drive_away=drives["useful"],
            blind=float(useful.blind[row]),
            level=level,
            model=model.used,
            touches=int(row - start[place]),
            as_of=time_of(day),
            why_not="opted-out" if gone else "",
        )
    for customer in alone:
        found[customer] = credits_of_one(events[customer], model=model, policy=policy, now=now)
    return found


def credits_of_one(
    events: Iterable[CreditEvent], *, model: CreditModel, policy: Policy, now: datetime
) -> dict[str, Credit]:
    """One customer's credit now on each channel on which he was written to."""
    state = state_of(events, model=model, until=now)
    return {
        channel: credit_of(state, model=model, channel=channel, at=max(now, state.as_of), policy=policy)
        for channel in state.channels
    }


def _log(events: Mapping[str, Sequence[CreditEvent]], *, now: datetime) -> tuple[TouchLog, dict[str, int]]:
    """What was sent and what came of it, in the order that the filter needs; touches of each customer in all."""
    customers, channels = tuple(events), sorted({event.channel for told in events.values() for event in told})
    place_of = {channel: place for place, channel in enumerate(channels)}
    within = WITHIN.total_seconds() / 86_400
    columns: list[tuple[int, int, float, int, float, float, str]] = []
    broken: list[tuple[int, float]] = []
    kept: list[tuple[int, float]] = []
    many: dict[str, int] = {}
    for who, (customer, told) in enumerate(events.items()):
        ordered = in_order(told, until=now)
        rows: dict[tuple[str, str], list[float]] = {}
        of: list[tuple[CreditEvent, list[float]]] = []
        for event in ordered:
            when = days_of(event.at)
            key = (event.channel, event.message_id)
            if event.kind == "touch":
                rows[key] = [when, np.nan, np.nan]
                of.append((event, rows[key]))
            elif event.kind in ("welcomed", "drove-away"):
                row = rows.get(key)
                at = 1 if event.kind == "welcomed" else 2
                if row is not None and np.isnan(row[at]) and when - row[0] <= within:
                    row[at] = when - row[0]
            else:
                (broken if event.kind == "broken" else kept).append((who, when))
        many[customer] = len(of)
        columns += [
            (
                who,
                place_of[event.channel],
                row[0],
                PURPOSES.index(event.purpose),
                row[1],
                row[2],
                event.message_id,
            )
            for event, row in of
        ]
    columns.sort(key=lambda row: (row[0], row[1], row[2], row[6]))
    who, where, sent, purpose, welcomed, drove, message = zip(*columns, strict=True) if columns else ((),) * 7
    return TouchLog(
        customers=customers,
        channels=tuple(channels),
        customer=np.array(who, dtype=np.int64),
        channel=np.array(where, dtype=np.int64),
        sent=np.array(sent, dtype=float),
        purpose=np.array(purpose, dtype=np.int64),
        welcomed=np.array(welcomed, dtype=float),
        drove=np.array(drove, dtype=float),
        until=days_of(now),
        message_id=np.array(message, dtype=object),
        broken_customer=np.array([who for who, _ in broken], dtype=np.int64),
        broken_at=np.array([at for _, at in broken], dtype=float),
        kept_customer=np.array([who for who, _ in kept], dtype=np.int64),
        kept_at=np.array([at for _, at in kept], dtype=float),
    ), many
