"""What a draft policy stops, against the same said in plain Python on random small logs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from primeta.attention.consents import Mark, Slot
from primeta.attention.decide import decide
from primeta.attention.door import attention
from primeta.attention.fold import CustomerState, SeenTouch
from primeta.attention.records import Cap, Credit, Policy, Question

START = datetime(2026, 10, 23, tzinfo=UTC)
"""Two days before clocks go back in Berlin."""
LONG_AGO = START - timedelta(days=900)
MARKETING = ("useful", "offer", "press")
messages = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": st.sampled_from("ab"),
            "hour": st.integers(0, 24 * 5),
            "channel": st.sampled_from(["push", "email"]),
            "purpose": st.sampled_from(["service", *MARKETING]),
            "withheld": st.sampled_from([False, False, True]),
        }
    ),
    min_size=1,
    max_size=25,
)
caps = st.lists(
    st.builds(
        Cap,
        max=st.integers(0, 3),
        window=st.sampled_from([timedelta(hours=6), timedelta(days=1), timedelta(days=3)]),
        channel=st.sampled_from(["", "push"]),
        purposes=st.sampled_from([MARKETING, ("offer", "press")]),
    ),
    max_size=2,
)
policies = st.builds(
    Policy,
    caps=caps.map(tuple),
    quiet_hours=st.sampled_from([None, (21, 9), (2, 5)]),
    first_useful=st.integers(0, 2),
)


def oracle(rows: list[dict[str, Any]], policy: Policy) -> dict[str, int]:
    """Rule → messages stopped, one after the other."""
    went: list[dict[str, Any]] = []
    stopped = {"cap": 0, "quiet-hours": 0, "first-touches": 0}
    for row in sorted(rows, key=lambda row: (row["sent_at"], row["message_id"])):
        at, before = row["sent_at"], [one for one in went if one["customer_id"] == row["customer_id"]]
        rule, marketing = "", 0
        if row["withheld"]:
            continue
        if row["purpose"] != "service":
            hour = at.astimezone(ZoneInfo("Europe/Berlin")).hour
            first, last = policy.quiet_hours or (0, 0)
            quiet = first <= hour < last if first < last else first != last and (hour >= first or hour < last)
            marketing = sum(one["purpose"] != "service" for one in before)
            if quiet:
                rule = "quiet-hours"
        for cap in policy.caps:
            counted = [
                one
                for one in before
                if one["purpose"] in cap.purposes
                and cap.channel in ("", one["channel"])
                and at - cap.window < one["sent_at"]
            ]
            mine = row["purpose"] in cap.purposes and cap.channel in ("", row["channel"])
            if mine and not rule and len(counted) >= cap.max:
                rule = "cap"
        if not rule and row["purpose"] not in ("service", "useful") and marketing < policy.first_useful:
            rule = "first-touches"
        if rule:
            stopped[rule] += 1
        else:
            went.append(row)
    return stopped


def by_decide(rows: list[dict[str, Any]], policy: Policy) -> dict[str, int]:
    """The same, asking `decide` before each message as a sender would have."""
    ever = Mark(at=LONG_AGO, effective=LONG_AGO, state="given", proven=True)
    went: dict[str, list[SeenTouch]] = {}
    stopped = {"cap": 0, "quiet-hours": 0, "first-touches": 0}
    for row in sorted(rows, key=lambda row: (row["sent_at"], row["message_id"])):
        if row["withheld"]:
            continue
        seen = went.setdefault(row["customer_id"], [])
        state = CustomerState(
            customer_id=row["customer_id"],
            as_of=LONG_AGO,
            consents={("marketing", "", ""): Slot(given=(ever,))},
            first_touches=tuple(seen[:16]),
            touches=tuple(seen),
        )
        asked = Question(
            customer_id=row["customer_id"],
            channel=row["channel"],
            purpose=row["purpose"],
            at=row["sent_at"],
            message_id=row["message_id"],
        )
        full = Credit(
            value=1.0, low=1.0, high=1.0, welcome=1.0, drive_away=0.0, blind=0.0, level="press", model="prior",
            touches=1, as_of=row["sent_at"],
        )  # fmt: skip
        found = decide(
            asked, state, policy, (), full, now=row["sent_at"], zone="Europe/Berlin", explain=False
        )
        if found.allowed:
            seen.append(
                SeenTouch(
                    at=row["sent_at"],
                    message_id=row["message_id"],
                    channel=row["channel"],
                    purpose=row["purpose"],
                )
            )
        else:
            stopped[found.rule] += 1
    return stopped


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(log=messages, policy=policies)
def test_a_draft_policy_stops_what_plain_python_stops(log, policy):
    rows = [
        {**row, "message_id": f"m{number:02d}", "sent_at": START + row["hour"] * timedelta(hours=1)}
        for number, row in enumerate(log)
    ]
    names = ("message_id", "customer_id", "sent_at", "channel", "purpose", "withheld")
    found = attention(
        {name: [row[name] for row in rows] for name in names},
        promises=[],
        policy=policy,
        timezone="Europe/Berlin",
        credit=False,
    ).policy
    assert found is not None
    assert dict(found.by_rule) == oracle(rows, policy) == by_decide(rows, policy)
    assert found.stopped == sum(found.by_rule.values())


def test_rules_that_a_replay_leaves_out_are_named():
    # decide refuses by each of them; the replay stops nothing and says why
    at = START + timedelta(hours=12)
    given = {
        ("marketing", "", ""): Slot(
            given=(Mark(at=LONG_AGO, effective=LONG_AGO, state="given", proven=True),)
        )
    }
    low = Credit(
        value=0.0, low=0.0, high=0.1, welcome=0.0, drive_away=0.0, blind=0.9, level="useful", model="prior", touches=30,
        as_of=at,
    )  # fmt: skip
    policy = Policy(quiet_hours=None, first_useful=0)
    asked = Question(customer_id="a", channel="push", purpose="offer", at=at, message_id="m")
    refused = [
        decide(
            asked,
            CustomerState(customer_id="a", as_of=LONG_AGO, consents=consents),
            policy,
            (),
            credit,
            now=at,
            zone="UTC",
            explain=False,
        ).rule
        for consents, credit in (
            ({}, low),
            (given, low),
            (given, replace(low, level="press", rest_until=at + timedelta(days=9))),
        )
    ]
    log = {
        "message_id": ["m"],
        "customer_id": ["a"],
        "sent_at": [at],
        "channel": ["push"],
        "purpose": ["offer"],
    }
    found = attention(log, promises=[], policy=policy, credit=False).policy
    assert found is not None
    assert found.stopped == 0
    assert found.as_dict()["not_replayed"] == refused == ["no-consent", "level", "resting"]
