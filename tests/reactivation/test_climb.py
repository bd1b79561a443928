"""Which rung was reached, what is missing, and how to get it, in numbers."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest
from small_follow_up import drawn, follow_up

from primeta.reactivation.climb import climb, followed_by_all, hold_out
from primeta.reactivation.ladder import climb_ladder
from primeta.reactivation.ladder_sentences import step
from primeta.reactivation.records import Rung, Rung4
from primeta.stats.sample_size import Rules, power_at

LANGUAGES = ("en", "ru")


def past_campaign(n: int = 4000, **given):
    """A mailing without a control: a fifth comes back, with a code that takes 10%."""
    rng = np.random.default_rng(3)
    orders = [
        (int(who), float(rng.integers(0, 12)), float(rng.gamma(4.0, 25.0)), 0.0)
        for who in np.flatnonzero(rng.random(n) < 0.2)
    ]
    orders = [(who, day, listed, 0.1 * listed) for who, day, listed, _ in orders]
    return follow_up([0] * n, orders, arms=("mail",), control="", margin=0.4, contact=(0.5,), **given)


def test_a_past_campaign_without_control_stands_on_rung_1():
    found = climb_ladder(past_campaign(), None)
    assert [entry.reached for entry in found.climb] == [True, True, False, False, False]
    assert [entry.missing for entry in found.climb[2:]] == ["no-control"] * 3
    assert found.climb[2].how == "hold-out"
    for lang in LANGUAGES:
        told = step(found.climb[2], found, lang)
        assert str(found.climb[2].values["control"]) in told.replace(",", "").replace("\u00a0", "")
        assert "{" not in told


def test_the_control_asked_for_has_the_power_that_is_promised():
    followed = past_campaign()
    found = climb_ladder(followed, None)
    values = found.climb[2].values
    moments = followed.window[0, 0]
    spread = math.sqrt(moments.scatter[0, 0] / (moments.n - 1))
    control, total = values["control"], values["of"]
    got = power_at(
        values["effect"],
        sd=(spread, spread),
        n=(control, total - control),
        rules=Rules(level=0.95, power=0.8),
    )
    # the size is rounded up to what a person would write
    assert got.power + 2e-3 >= 0.8
    assert got.power < 0.87
    # what the campaign costs a customer: half a rouble and the discount, since rung 1 claims less than ten times that
    costs = 0.5 + moments.mean[6]
    claim = found.rungs[1].value_per_assigned
    assert values["effect"] == pytest.approx(max(costs, 0.1 * claim), rel=1e-6)
    assert values["basis"] == "cost"


def test_where_half_is_not_enough_several_campaigns_are_asked_for():
    found = climb_ladder(past_campaign(n=200), None)
    how, values = hold_out(past_campaign(n=200), {1: [row for row in found.rungs if row.rung == 1]})
    assert how == "hold-half"
    assert values["needed"] > 200
    assert values["control"] == 100


def test_a_campaign_too_small_to_know_is_told_a_tenth():
    how, values = hold_out(follow_up([0] * 20, [], arms=("mail",), control=""), {})
    assert how == "hold-out-any"
    assert values["of"] == 20


def test_time_is_what_is_missing():
    # everybody followed 31 days: the window of 30 has passed and no week after it; rung 3 asks for 90
    rng = np.random.default_rng(1)
    found = climb_ladder(drawn(rng, n=300, followed=31.0), None)
    third = found.climb[3]
    assert (third.reached, third.missing, third.how) == (False, "short-follow-up", "wait-untouched")
    assert third.values == {"until": date(2026, 8, 29), "days": 90}
    assert "29 Aug 2026" in step(third, found, "en").replace("\u00a0", " ")
    assert "29 августа 2026" in step(third, found, "ru").replace("\u00a0", " ")


def test_how_long_everybody_was_followed():
    assert followed_by_all(follow_up([0] * 40, [], arms=("control",), followed=[90.0] * 39 + [23.0])) == 21


def test_an_arm_of_ten_is_told_how_many_are_needed():
    found = climb_ladder(follow_up([0] * 50 + [1] * 10, [], arms=("control", "a")), None)
    second = found.climb[2]
    assert (second.missing, second.how) == ("small-arm", "more-customers")
    assert second.values == {"least": 30, "smallest": 10, "arm": "a"}


def test_what_a_reached_rung_would_have_seen():
    found = climb_ladder(drawn(np.random.default_rng(1), n=3000), None)
    second = found.climb[2]
    half = max((row.high - row.low) / 2 for row in found.rungs if row.rung == 2)
    # 80% power at two sides of 5%: (1.96 + .842) standard errors
    assert second.values["detectable"] == pytest.approx(half * 2.8016 / 1.96, rel=2e-3)


def test_waiting_for_the_horizon_has_a_date_and_a_price():
    followed = drawn(np.random.default_rng(1), n=900, followed=60.0)
    row = Rung(
        rung=4, arm="a", n=300, value_per_assigned=5.0, revenue_per_assigned=0.0, orders_per_assigned=0.0, low=4.0,
        high=6.0, money=1500.0, window=90, observed=3.5, modelled=1.5,
    )  # fmt: skip
    found = climb_ladder(followed, Rung4(rungs=(row,)))
    last = found.climb[4]
    assert last.reached
    assert last.how == "wait-seen"
    # everybody was followed to the edge at 56: 34 days more; 300 of the control · 1.5 each
    assert last.values["until"] == date(2026, 8, 3)
    assert last.values["cost"] == pytest.approx(450.0)
    for lang in LANGUAGES:
        assert "450" in step(last, found, lang)


def test_rungs_that_were_never_reckoned_are_not_reached():
    followed = follow_up([0] * 50 + [1] * 50, [], arms=("control", "a"))
    assert not any(entry.reached for entry in climb(followed, ()))
