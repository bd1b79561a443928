"""Health of the base: levels as may-send gives them, states that add up, moves that lead from one month to the next."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.attention.account import ratio
from primeta.attention.credit_levels import HARSHER, level_by
from primeta.attention.credit_model import CreditModel, foresee
from primeta.attention.health import NEW, STATES, Health, health_of, levels_by, month_ends, wilson
from primeta.attention.outcomes import TouchLog, days_of, with_asked
from primeta.attention.records import PURPOSES, Policy
from primeta.attention.report_words import in_month, nth_of

JANUARY = days_of(datetime(2026, 1, 1, tzinfo=UTC))


def a_log(customers: int = 40, days: int = 120, *, seed: int = 3) -> TouchLog:
    """Two channels, a message every four days; the second half of the customers begins later, some leave."""
    rng = np.random.default_rng(seed)
    who, where, when = [], [], []
    for customer in range(customers):
        begins = 0 if customer < customers // 2 else rng.uniform(20, 60)
        for channel in (0, 1):
            times = np.sort(rng.uniform(begins, days, size=max(int((days - begins) / 4), 2)))
            who += [customer] * len(times)
            where += [channel] * len(times)
            when += times.tolist()
    n = len(who)
    glad, left = rng.random(n) < 0.15, rng.random(n) < 0.004
    return TouchLog(
        customers=tuple(f"c{number:03d}" for number in range(customers)),
        channels=("email", "push"),
        customer=np.array(who),
        channel=np.array(where),
        sent=JANUARY + np.array(when),
        purpose=rng.integers(1, len(PURPOSES), n),
        welcomed=np.where(glad, rng.uniform(0, 2, n), np.nan),
        drove=np.where(left, rng.uniform(0, 1, n), np.nan),
        until=JANUARY + days,
    )


@lru_cache(maxsize=1)
def found() -> Health:
    return health_of(CreditModel.prior(), a_log(), policy=Policy())


@given(
    value=st.floats(0, 1),
    below=st.floats(0, 1),
    drive=st.floats(0, 0.2),
    sell_at=st.sampled_from([math.nan, 0.03]),
    press_at=st.sampled_from([math.nan, 0.2]),
    loss=st.sampled_from([math.nan, 900.0]),
    useful=st.sampled_from([{}, {"useful": 4.0}]),
)
@settings(max_examples=200, deadline=None)
def test_levels_of_many_are_those_of_each(value, below, drive, sell_at, press_at, loss, useful):
    policy = Policy(
        sell_at=sell_at,
        press_at=press_at,
        loss_of_customer=loss,
        gain_per_touch={} if math.isnan(loss) else useful | {"offer": 9.0, "press": 12.0},
        cost_per_message={"push": 0.01},
    )
    low = value * below
    drives = {purpose: min(drive * times, 1.0) for purpose, times in HARSHER.items()}
    one = level_by(value, low, drives, policy, channel="push")
    many = levels_by(np.array([value]), np.array([low]), np.array([drive]), policy, channel="push")
    assert STATES[int(many[0])] == one


def test_a_customer_of_whom_nothing_is_known_gets_useful_messages():
    nothing = np.array([math.nan])
    assert STATES[int(levels_by(nothing, nothing, nothing, Policy())[0])] == "useful"


def test_states_of_a_channel_add_up_to_its_customers():
    for entry in found().standings:
        assert sum(share.value for share in entry.states.values()) == pytest.approx(1)
        for share in (*entry.states.values(), entry.blind, entry.credit):
            assert 0 <= share.low <= share.value <= share.high <= 1


def test_the_level_of_those_who_no_longer_look_is_rough_and_months_are_compared_without_its_error():
    for entry in found().standings:
        wide, steady = entry.blind, entry.blind_steady
        assert wide.value == steady.value
        assert wide.low <= steady.low <= steady.high <= wide.high
        if 0.05 < wide.value < 0.95:
            # at least as wide as the error of its log-odds, .6, makes it
            odds = math.log(wide.value / (1 - wide.value))
            assert wide.low <= 1 / (1 + math.exp(-odds + 1.95 * 0.6))
            assert wide.high >= 1 / (1 + math.exp(-odds - 1.95 * 0.6))


def test_moves_lead_from_one_month_to_the_next():
    health = found()
    for channel in ("", *health.channels):
        rows = [entry for entry in health.standings if entry.channel == channel]
        for before, after in pairwise(rows):
            moves = [m for m in health.moves if m.month == after.month and m.channel == channel]
            for state in STATES:
                came = sum(m.customers for m in moves if m.now == state)
                went = sum(m.customers for m in moves if m.was == state)
                assert came == pytest.approx(after.states[state].value * after.customers)
                assert went == pytest.approx(before.states[state].value * before.customers)
            new = sum(m.customers for m in moves if m.was == NEW)
            assert new == pytest.approx(after.customers - before.customers)


def test_who_was_driven_away_on_a_channel_has_opted_out_there():
    # of the log itself: pairs whose last opt-out came after their last welcome
    log, health = a_log(), found()
    for place, channel in enumerate(log.channels):
        gone = 0
        for customer in range(len(log.customers)):
            rows = (log.customer == customer) & (log.channel == place)
            left = np.nanmax(np.append((log.sent + log.drove)[rows], -np.inf))
            glad = np.nanmax(np.append((log.sent + log.welcomed)[rows], -np.inf))
            gone += left > glad
        last = [entry for entry in health.standings if entry.channel == channel][-1]
        assert last.states["gone"].value * last.customers == pytest.approx(gone)


def test_a_part_of_the_customers_stands_for_all():
    half = health_of(CreditModel.prior(), a_log(), policy=Policy(), share=0.5)
    assert [entry.customers for entry in half.standings] == [
        2 * entry.customers for entry in found().standings
    ]
    assert [entry.states for entry in half.standings] == [entry.states for entry in found().standings]


def test_the_same_log_gives_the_same_health():
    assert health_of(CreditModel.prior(), a_log(), policy=Policy()) == found()


def test_asking_at_the_ends_of_months_changes_no_forecast():
    log, model = a_log(), CreditModel.prior()
    alone = foresee(model, log, intervals=False).value
    first = np.flatnonzero(np.concatenate([[True], log.sequence[1:] != log.sequence[:-1]]))
    asked, rows = with_asked(
        log, customer=log.customer[first], channel=log.channel[first], at=np.full(len(first), JANUARY + 59.0)
    )
    together = foresee(model, asked, intervals=False).value
    assert np.delete(together, rows) == pytest.approx(alone, abs=1e-12)


def test_a_short_running_month_belongs_to_the_one_before():
    zone = ZoneInfo("Europe/Moscow")
    last = days_of(datetime(2026, 3, 4, 9, tzinfo=UTC))
    names, ends = month_ends(days_of(datetime(2025, 12, 28, tzinfo=UTC)), last, zone)
    # December has four days only; March's four days go to February
    assert names == ["2026-01", "2026-02"]
    assert ends[-1] == last
    assert ends[0] == days_of(datetime(2026, 1, 31, 21, tzinfo=UTC))


def test_a_year_and_a_month_are_looked_at_at_most():
    names, _ = month_ends(JANUARY - 900, JANUARY + 20, ZoneInfo("UTC"))
    assert len(names) == 13


def test_new_customers_are_counted_in_their_month():
    # 20 of 40 begin between day 20 and 60: January has a part, those of the first month are no beginners
    rows = found().starters
    assert {entry.month for entry in rows} <= {"2026-02", "2026-03"}
    assert all(0 < entry.customers <= 20 for entry in rows)


def test_wilson_of_one_in_ten():
    # Wilson's interval of 1 of 10, as in Newcombe (1998), method 3: .0179 to .4042
    found = wilson(1, 10)
    assert (found.low, found.high) == pytest.approx((0.0179, 0.4042), abs=5e-5)
    assert wilson(0, 20).low == 0
    assert math.isnan(wilson(0, 0).value)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), min_size=2, max_size=30))
def test_the_interval_of_a_broken_share_is_that_of_a_ratio_over_customers(pairs):
    pairs = [(min(broken, checked), checked) for broken, checked in pairs]
    b, c = (np.array(column, float) for column in zip(*pairs, strict=True))
    share = ratio(b.sum(), c.sum(), (b * b).sum(), (b * c).sum(), (c * c).sum())
    value = b.sum() / c.sum()
    assert share.value == pytest.approx(value)
    if 0 < value < 1:
        # delta method, written out: residuals of the ratio, customer by customer
        error = np.sqrt(np.square(b - value * c).sum()) / c.sum()
        assert share.high == pytest.approx(min(value + 1.959963984540054 * error, 1))


@pytest.mark.parametrize(
    ("share", "word"),
    [(0.33, "third"), (0.2, "fifth"), (0.1, "tenth"), (0.5, "second"), (0.4, ""), (0.05, "")],
)
def test_a_share_is_said_in_words_only_where_it_is_near(share: float, word: str):
    assert nth_of(share, "en") == word


def test_a_month_after_its_preposition():
    assert in_month("2026-03", "ru") == "марте\u00a02026"
