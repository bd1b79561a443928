"""What may-send refuses because of a promise is what a replay finds broken when it is sent all the same, and nothing else."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from primeta.attention.consents import Mark, Slot
from primeta.attention.decide import decide
from primeta.attention.door import attention
from primeta.attention.fold import CustomerState, SeenTouch
from primeta.attention.promise_file import promises_from
from primeta.attention.records import Policy, Question

START = datetime(2026, 3, 1, tzinfo=UTC)
ALWAYS = START - timedelta(days=900)
YES = Mark(at=ALWAYS, effective=ALWAYS, state="given", proven=True)
PROMISES = [
    {"promise": "weekly", "text": "Two a week", "channel": "push", "max": 2, "window": "7d"},
    {"promise": "offers", "text": "One offer a day", "purpose": "offer", "max": 1, "window": "24h"},
    {"promise": "day", "text": "By day", "hours": [9, 21]},
    {"promise": "night", "text": "Letters by night", "channel": "email", "hours": [20, 12]},
    {"promise": "useful", "text": "Useful only", "channel": "email", "purposes_only": ["useful"],
     "valid_from": "2026-03-10", "valid_to": "2026-03-20"},
    {"promise": "news", "text": "News only", "customers": ["c1"], "programmes_only": ["news"]},
]  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_sent_all_the_same_the_refused_are_the_broken(seed):
    draw = random.Random(seed)
    zones = {"c0": "Europe/Moscow", "c1": "America/New_York", "c2": "Asia/Kolkata"}
    log = sorted(
        (START + timedelta(seconds=draw.randrange(30 * 86400)), draw.choice(sorted(zones)), f"m{n}")
        for n in range(90)
    )
    promises = promises_from(PROMISES)
    seen: dict[str, list[SeenTouch]] = {name: [] for name in zones}
    rows: dict[str, list[object]] = {
        name: [] for name in ("message_id", "customer_id", "sent_at", "channel", "purpose", "programme")
    }
    refused: set[tuple[str, str]] = set()
    for at, customer, message in log:
        channel, purpose = draw.choice(["push", "email"]), draw.choice(["useful", "offer"])
        programme = draw.choice(["news", "sale"])
        state = CustomerState(
            customer_id=customer,
            as_of=ALWAYS,
            consents={("marketing", "", ""): Slot(given=(YES,))},
            first_touches=tuple(seen[customer][:16]),
            touches=tuple(seen[customer]),
        )
        asked = Question(
            customer_id=customer,
            channel=channel,
            purpose=purpose,  # type: ignore[arg-type]
            at=at,
            programme=programme,
            message_id=message,
        )
        for promise in promises:
            policy = Policy(quiet_hours=None, first_useful=0)
            found = decide(asked, state, policy, [promise], None, now=at, zone=zones[customer], explain=False)
            if found.rule == "promise":
                refused.add((promise.name, message))
        seen[customer].append(
            SeenTouch(at=at, message_id=message, channel=channel, purpose=purpose, programme=programme)
        )
        for name, value in zip(rows, (message, customer, at, channel, purpose, programme), strict=True):
            rows[name].append(value)
    customers = {"customer_id": list(zones), "timezone": list(zones.values())}
    replayed = attention(rows, promises=PROMISES, customers=customers, credit=False)
    assert {(broken.promise, broken.message_id) for broken in replayed.broken()} == refused
    assert refused
