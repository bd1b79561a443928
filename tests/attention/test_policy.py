"""A policy is what its keys say, survives the state, and one that never allows anything is found out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.attention.policy import impossible, policy_from, policy_values, seal_of, span_of
from primeta.attention.records import Cap, Policy, Promise
from primeta.errors import BadInput

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)

CAPS = st.builds(
    Cap,
    max=st.integers(0, 100),
    window=st.sampled_from(
        [timedelta(hours=1), timedelta(minutes=90), timedelta(days=7), timedelta(days=60)]
    ),
    channel=st.sampled_from(["", "push", "email"]),
    purposes=st.sampled_from([("useful", "offer", "press"), ("offer",)]),
    strict=st.booleans(),
)


@given(
    st.builds(
        Policy,
        caps=st.lists(CAPS, max_size=3).map(tuple),
        quiet_hours=st.sampled_from([None, (21, 9), (0, 24)]),
        first_useful=st.integers(0, 16),
        holdout=st.floats(0, 0.5),
        sell_at=st.one_of(st.just(float("nan")), st.floats(0, 1)),
        service_programmes=st.lists(st.sampled_from(["a", "б", ""]), max_size=2).map(tuple),
        default=st.sampled_from(["refuse", "allow-service", "allow"]),
    )
)
@settings(max_examples=25, deadline=None)
def test_a_policy_written_and_read_again_says_the_same(policy):
    again = policy_from(policy_values(policy))
    assert repr(again) == repr(replace(policy, version=1))
    assert seal_of(again) == seal_of(policy)


def test_spans():
    assert [span_of(text) for text in ("30m", "24h", "7d", "2w")] == [
        timedelta(minutes=30), timedelta(hours=24), timedelta(days=7), timedelta(days=14),
    ]  # fmt: skip
    for wrong in ("7", "-1d", "0d", 7, None, "a week"):
        with pytest.raises(ValueError, match="span"):
            span_of(wrong)


@pytest.mark.parametrize(
    ("policy", "promises", "rule"),
    [
        (Policy(quiet_hours=(0, 24)), (), "quiet-hours"),
        (Policy(caps=(Cap(max=0, window=timedelta(days=1)),)), (), "cap"),
        (Policy(quiet_hours=(21, 9)), (Promise(name="night", text="", hours=(22, 8)),), "promise night"),
        (Policy(quiet_hours=None), (Promise(name="p", text="", purposes_only=("service",)),), "promise p"),
        (
            Policy(quiet_hours=None),
            (Promise(name="p", text="", max=0, window=timedelta(days=1)),),
            "promise p",
        ),
    ],
)
def test_a_policy_that_never_allows_anything_is_found_out_and_its_rules_are_named(policy, promises, rule):
    assert rule in impossible(policy, promises, now=NOW)


@pytest.mark.parametrize(
    ("policy", "promises"),
    [
        (Policy(), ()),
        # One hour of the day is left.
        (Policy(quiet_hours=(13, 12)), ()),
        (Policy(caps=(Cap(max=0, window=timedelta(days=1), channel="sms"),)), ()),
        (Policy(), (Promise(name="p", text="", programmes_only=("news",), personal_only=True),)),
        (Policy(), (Promise(name="p", text="", channels_only=("email",)),)),
        (Policy(), (Promise(name="p", text="", max=0, window=timedelta(days=1), customers=("7",)),)),
    ],
)
def test_a_strict_policy_that_allows_something_passes(policy, promises):
    assert impossible(policy, promises, now=NOW) == ""


def test_a_key_that_is_wrong_is_named():
    for values, said in (
        ({"caps": [{"max": 1}]}, "cap 1: window"),
        ({"caps": [{"max": 1, "window": "7d", "purposes": ["service"]}]}, "service has no caps"),
        ({"caps": 3}, "a list such as"),
        ({"first_useful": 99}, "0 to 16"),
        ({"priority": ["spam"]}, "priority"),
        ({"gain_per_touch": {"spam": 1}}, "no purpose"),
        ({"quiet_hours": [21]}, "two hours"),
        ({"sell_at": "high"}, "a number"),
    ):
        with pytest.raises(BadInput, match=said):
            policy_from(values)
