"""Lapse: each customer's own rhythm, its states, the flow between them, and what a fixed number of days gets wrong."""

from __future__ import annotations

import csv
import itertools
import json
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import gamma, nbinom
from tests.reactivation.order_worlds import day, order_world

from primeta.errors import BadInput, BadTable
from primeta.reactivation.histories import open_log
from primeta.reactivation.lapse import STATES, lapse
from primeta.reactivation.rhythm import RETURN_DAYS, RhythmPrior, rhythm_prior
from primeta.show.result import plain

PRIOR = RhythmPrior(r=1.2, alpha=40.0, a=0.8, b=4.0)


@pytest.mark.parametrize("stages", [1, 3])
@pytest.mark.parametrize(("repeats", "last", "silent"), [(0, 0, 50), (4, 120, 90), (25, 700, 60)])
def test_silence_is_the_erlang_tail_averaged_over_his_own_rate(stages, repeats, last, silent):
    # the definition, by quadrature: P(gap > s) = ∫ Q(k, λs) gamma(λ; r + kx, alpha + t) dλ
    prior = RhythmPrior(r=1.2, alpha=40.0, a=0.8, b=4.0, regularity=stages)
    rate = gamma(1.2 + stages * repeats, scale=1 / (40.0 + last))
    expected = quad(
        lambda value: gamma.sf(silent, stages, scale=1 / value) * rate.pdf(value), 0, rate.ppf(1 - 1e-12)
    )[0]
    assert prior.silence(repeats, last, silent) == pytest.approx(expected, rel=1e-6)


def test_silence_of_poisson_timing_is_the_lomax_law_and_the_negative_binomial_at_zero():
    # ((alpha + t)/(alpha + t + s))^(r + x); the same as P(no event) of a negative binomial
    share = 160 / (160 + 30)
    assert PRIOR.silence(4, 120, 30) == pytest.approx(share**5.2, rel=1e-12)
    assert PRIOR.silence(4, 120, 30) == pytest.approx(nbinom.pmf(0, 5.2, share), rel=1e-12)


@given(
    repeats=st.integers(0, 600),
    reach=st.floats(0.5, 3000),
    level=st.sampled_from([0.01, 0.05, 0.2, 0.5]),
    stages=st.integers(1, 6),
)
@settings(max_examples=60, derandomize=True, deadline=None)
def test_the_day_of_lapse_is_where_the_silence_falls_to_its_level(repeats, reach, level, stages):
    prior = RhythmPrior(r=0.6, alpha=20.0, a=0.5, b=2.0, regularity=stages)
    last = reach if repeats else 0.0
    days = prior.silence_of(repeats, last, level)
    assert np.isfinite(days)
    assert days > 0
    assert prior.silence(repeats, last, days) == pytest.approx(level, rel=1e-6)
    gone = prior.gone_after(float(repeats), last, level)
    assert prior.p_return(repeats, last, gone + 1) <= level


def test_who_ordered_once_lapses_when_95_of_100_who_come_back_within_a_year_have():
    days = float(PRIOR.unlikely_after(0, 0, 0.05))
    beyond = PRIOR.silence(0, 0, RETURN_DAYS)
    still = (PRIOR.silence(0, 0, days) - beyond) / (1 - beyond)
    assert still == pytest.approx(0.05, abs=1e-9)
    assert days < RETURN_DAYS


@pytest.mark.parametrize("stages", [1, 3])
def test_of_pauses_of_customers_who_stay_one_in_twenty_outlasts_its_day_of_lapse(stages):
    # simulated, seeded: the prior is fitted on the log, pauses are followed to their end; band: 4 binomial errors
    world = order_world(2500, np.random.default_rng(stages), stages=stages)
    with open_log(world.table(until=730), until=day(730)) as log:
        found = log.collapse(log.build("base", log.until_day), log.until_day)
        prior = rhythm_prior(found, log_gaps=log.log_gaps(log.until_day))
    assert prior is not None
    assert prior.regularity == stages
    order = np.lexsort((world.offset, world.customer))
    who, when = np.unique(np.stack([world.customer, world.offset], axis=1)[order], axis=0).T
    same = who[1:] == who[:-1]
    first = np.concatenate([[True], ~same])
    start = np.repeat(when[first], np.diff(np.append(np.flatnonzero(first), len(who))))
    repeats = np.arange(len(who)) - np.repeat(
        np.flatnonzero(first), np.diff(np.append(np.flatnonzero(first), len(who)))
    )
    # pauses that begin in the first year, of customers who did not leave with that order and had come back before
    mine = (when < 365) & (world.left[who] > when + 1) & (repeats >= 1)
    limit = prior.unlikely_after(repeats[mine], (when - start)[mine], 0.05)
    following = np.append(np.where(same, when[1:], 10_000), 10_000)[mine]
    share = np.mean(following - when[mine] > limit)
    assert share == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / mine.sum()) + 0.005)


@pytest.fixture(scope="module")
def base():
    world = order_world(1500, np.random.default_rng(5))
    return world, lapse(world.table(until=730), until=day(730), weeks=6, keep_rows=True)


def test_every_customer_stands_in_one_state_and_alive_is_as_often_as_said(base):
    world, found = base
    assert sum(found.states.values()) == found.customers == len(found.rows)
    rows = found.rows.to_pydict()
    alive = np.array([world.left[int(name)] > 730 for name in rows["customer_id"]])
    said = np.array(rows["p_alive"])
    # the sum of n independent events of known probability: 4 standard errors
    assert alive.sum() == pytest.approx(said.sum(), abs=4 * np.sqrt((said * (1 - said)).sum()) + 15)
    shares = [alive[np.array(rows["state"]) == state].mean() for state in STATES]
    assert shares == sorted(shares, reverse=True)


def test_the_rows_agree_with_their_own_dates(base):
    _, found = base
    for row in found.rows.to_pylist():
        if row["state"] in ("lapsed", "gone"):
            assert row["last_order"] < row["lapsed_at"] <= found.until
            if row["orders"] > 1:
                assert row["silence_probability"] <= 0.05
        else:
            assert row["lapsed_at"] is None


def test_the_flow_of_the_last_week_ends_in_the_states_of_the_last_day(base):
    _, found = base
    last = max(move.week for move in found.flow)
    assert last == found.until - timedelta(days=6)
    ends = dict.fromkeys(STATES, 0)
    for move in found.flow:
        if move.week == last:
            ends[move.went] += move.customers
    assert ends == found.states


def test_each_week_begins_where_the_week_before_ended(base):
    _, found = base
    weeks = sorted({move.week for move in found.flow})
    for before, after in itertools.pairwise(weeks):
        for state in STATES:
            ended = sum(m.customers for m in found.flow if m.week == before and m.went == state)
            begun = sum(m.customers for m in found.flow if m.week == after and m.came == state)
            assert ended == begun


def test_nothing_later_than_the_day_is_looked_at(base):
    world, found = base
    again = lapse(world.table(), until=day(730), weeks=6)
    assert dict(again.states) == dict(found.states)
    assert again.prior == found.prior
    assert again.flow == found.flow


def test_a_fixed_number_of_days_calls_slow_customers_lapsed_who_then_order(base):
    _, found = base
    rule = found.fixed
    assert rule.called == rule.in_rhythm + rule.both
    assert rule.own_called == rule.missed + rule.both
    early = lapse(base[0].table(), until=day(730), days=30, weeks=0).fixed
    assert early.in_rhythm_share > rule.in_rhythm_share
    # those within their rhythm come back more often than those beyond it
    assert early.in_rhythm_ordered / early.in_rhythm > 2 * early.both_ordered / early.both


def test_a_result_speaks_both_languages_and_json(base):
    _, found = base
    document = json.loads(json.dumps(plain(found.as_dict()), allow_nan=False))
    assert set(document["states"]) == set(STATES)
    assert {"week", "from", "to", "customers"} == set(document["flow"][0])
    for lang in ("en", "ru"):
        assert found.line(lang)
        assert found.table(lang).text()
        assert found.flow_table(lang).rows
        assert found.picture(lang).svg().startswith("<svg")
    assert "{" not in found.line("ru") + found.table("ru").text()


def test_rows_are_written_for_an_experiment(tmp_path, base):
    world, found = base
    out = tmp_path / "lapsed.csv"
    lapse(world.table(until=730), until=day(730), weeks=0, out=out)
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == found.customers
    assert {
        "customer_id",
        "state",
        "rhythm_days",
        "last_order",
        "lapsed_at",
        "silence_probability",
        "p_alive",
    } <= set(rows[0])
    assert [path.name for path in tmp_path.iterdir()] == ["lapsed.csv"]


def test_a_base_that_never_comes_back_has_no_rhythm():
    rows = {"customer_id": [str(n) for n in range(60)], "ordered_at": ["2026-01-05"] * 60}
    found = lapse(rows, until="2026-06-01")
    assert found.why_not == "no-rhythm"
    assert "Cannot tell" in found.line()
    assert plain(found.as_dict())["rhythm_days"]["p50"] is None
    assert found.picture().svg()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"silence": 0.3}, "silence < cooling"),
        ({"days": 0}, "days from 1"),
        ({"until": "2026-13-01"}, "2026-13-01"),
        ({"timezone": "Mars"}, "Mars"),
        ({"out": "x.xlsx"}, ".csv or .parquet"),
        ({"columns": {"client": "x"}}, "client"),
    ],
)
def test_options_that_cannot_be_are_refused(options, words):
    with pytest.raises(BadInput, match=words.replace(".", r"\.")):
        lapse({"customer_id": ["a"], "ordered_at": ["2026-01-05"]}, **options)


def test_a_log_without_its_columns_is_refused_by_name():
    with pytest.raises(BadTable, match="ordered_at not found"):
        lapse({"customer_id": ["a"], "when": ["2026-01-05"]})
    with pytest.raises(BadTable, match="none is an order"):
        lapse({"customer_id": ["a"], "ordered_at": ["2026-01-05"]}, until=date(2020, 1, 1))


def test_only_one_state_is_written_where_asked(base):
    world, found = base
    kept = lapse(world.table(until=730), until=day(730), weeks=0, only="lapsed", keep_rows=True)
    assert kept.rows.num_rows == found.states["lapsed"]
    assert set(kept.rows["state"].to_pylist()) == {"lapsed"}
