"""Rung 4 by segment: models of their own, refusals of their own, and what the whole says beforehand."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from benchmarks.reactivation_worlds import campaign_of, follow_up
from scipy.stats import binom, norm

from primeta.reactivation import ladder_words, tail
from primeta.reactivation.estimates import of_segment
from primeta.reactivation.ladder import climb_ladder
from primeta.reactivation.ladder_result import Ladder
from primeta.reactivation.records import FollowUp, Rung
from primeta.reactivation.tail import LEAST_RETURNERS, MOST_SEGMENTS, Learnt, rung_four
from primeta.stats.moments import Moments
from primeta.stats.multiplicity import adjusted_holm
from primeta.worlds.reactivation import simulate_reactivation
from primeta.worlds.reactivation_truth import truth_of
from primeta.worlds.reactivation_types import SETTINGS


def joined(parts: Sequence[FollowUp], names: Sequence[str]) -> FollowUp:
    """Customers of several worlds as the segments of one campaign."""

    def tables(field: str) -> dict[str, np.ndarray]:
        return {
            name: np.concatenate([getattr(part, field)[name] for part in parts])
            for name in getattr(parts[0], field)
        }

    def moments(field: str) -> Moments:
        own = [getattr(part, field) for part in parts]
        return Moments(
            *(np.concatenate([getattr(m, name) for m in own]) for name in ("n", "mean", "scatter"))
        )

    tails = [part.tail for part in parts]
    halves = [one.halfway or {} for one in tails]
    columns = ("arm", "bucket", "followed", "returned_at", "later", "last", "count")
    return replace(
        parts[0],
        campaign=replace(parts[0].campaign, by="kind", shares={}),
        segments=tuple(names),
        n=np.concatenate([part.n for part in parts]),
        at_risk=np.concatenate([part.at_risk for part in parts]),
        sums=tables("sums"),
        window=moments("window"),
        seen=moments("seen"),
        traits_n=np.concatenate([part.traits_n for part in parts]),
        traits=tables("traits"),
        traits_squared=tables("traits_squared"),
        discounts=tuple(
            (
                np.concatenate([part.discounts[arm][0] for part in parts]),
                np.concatenate([part.discounts[arm][1] for part in parts]),
                np.repeat(np.arange(len(parts)), [len(part.discounts[arm][0]) for part in parts]),
            )
            for arm in range(len(parts[0].arms))
        ),
        tail=replace(
            tails[0],
            segment=np.repeat(np.arange(len(parts)), [len(one.count) for one in tails]),
            **{name: np.concatenate([getattr(one, name) for one in tails]) for name in columns},
            halfway={name: np.concatenate([one[name] for one in halves]) for name in halves[0]},
        ),
    )


def two_kinds(seed: int, customers: int) -> FollowUp:
    """Some whom the arms win back, and some on whom no arm does anything."""
    worlds = [simulate_reactivation(name, seed=seed, customers=customers) for name in ("plain", "aa")]
    asked = campaign_of(worlds[0])
    return joined([follow_up(world, asked) for world in worlds], ["moved", "unmoved"])


def rung4(rungs: Sequence[Rung], arm: str) -> Rung:
    return next(rung for rung in rungs if rung.rung == 4 and rung.arm == arm)


@pytest.fixture(scope="module")
def split():
    return two_kinds(41, 3_000)


@pytest.fixture(scope="module")
def told(split):
    return rung_four(split)


@pytest.fixture(scope="module")
def facts(split, told):
    return climb_ladder(split, told)


@pytest.fixture(scope="module")
def all_seen():
    world = simulate_reactivation("plain", seed=5, customers=1_500)
    asked = campaign_of(world, full=True)
    others = simulate_reactivation("plain", seed=6, customers=600)
    return joined([follow_up(world, asked), follow_up(others, asked)], ["many", "few"])


def test_each_segment_has_its_own_seen_and_modelled_money(told, facts):
    for place, part in enumerate(facts.segments):
        for arm in ("discount", "reminder"):
            mine = rung4(part.rungs, arm)
            assert mine.why_not == ""
            assert mine.segment == part.segment
            assert mine.value_per_assigned == pytest.approx(mine.observed + mine.modelled)
            # the interval is Welch's, widened to one side where arms are lopsided
            error = told.segments[place].errors[arm]
            assert (mine.high - mine.low) / 2 == pytest.approx(1.96 * error, rel=0.03)
        assert part.checks
        assert all(check.ok for check in part.checks)
        assert any(row.rung == 4 for row in part.between)
        assert part.best["rung4"] is not None
        assert part.climb[4].reached


def test_a_segment_has_what_its_customers_alone_would_give(split, told):
    alone = rung_four(replace(of_segment(split, 0), campaign=replace(split.campaign, by="")))
    for rung, mine in zip(alone.rungs, told.segments[0].rungs, strict=True):
        assert (mine.value_per_assigned, mine.low, mine.high) == pytest.approx(
            (rung.value_per_assigned, rung.low, rung.high)
        )


def test_p_is_adjusted_over_all_segments_and_arms_of_the_rung(facts):
    rungs = [rung for part in facts.segments for rung in part.rungs if rung.rung == 4]
    assert len(rungs) == 4
    assert [rung.p_adjusted for rung in rungs] == pytest.approx(
        adjusted_holm(np.array([rung.p for rung in rungs])).tolist()
    )
    assert all(rung.p_adjusted >= rung.p for rung in rungs)


def test_a_difference_between_segments_is_asked_of_rung_4_too(split, told, facts):
    rows = {row.arm: row for row in facts.differs if row.rung == 4}
    assert set(rows) == {"discount", "reminder"}
    for arm, row in rows.items():
        # Cochran (1954) with two segments: z² of their difference
        a, b = (rung4(part.rungs, arm).value_per_assigned for part in told.segments)
        z = (a - b) / np.hypot(*(part.errors[arm] for part in told.segments))
        assert row.p == pytest.approx(2 * norm.sf(abs(z)))


def test_where_segments_differ_to_the_horizon_the_sentence_names_the_model(split, told):
    # a hundredth of the error, as ten thousand times as many customers would bring it, leaves no doubt
    sure = [
        replace(part, errors={arm: error / 100 for arm, error in part.errors.items()})
        for part in told.segments
    ]
    found = climb_ladder(split, replace(told, segments=tuple(sure)))
    assert all(row.segments == ("moved", "unmoved") for row in found.differs if row.rung == 4)
    shown = Ladder(facts=found)
    assert any("partly by the model" in line for line in shown.remarks("en"))
    assert any("часть — по модели" in line for line in shown.remarks("ru"))


def test_json_tells_each_segments_own_test_of_the_tail(facts):
    document = Ladder(facts=facts).as_dict()
    for part in document["segments"]:
        assert {row["arm"] for row in part["tail_checks"]} >= {"control", "reminder", "discount"}
        assert part["rungs"][-1]["modelled"] is not None


def test_where_all_is_seen_segments_add_up_to_the_whole(all_seen):
    found = climb_ladder(all_seen, rung_four(all_seen))
    for arm in ("discount", "reminder"):
        whole = rung4(found.rungs, arm)
        parts = [rung4(part.rungs, arm) for part in found.segments]
        assert all(rung.why_not == "" and rung.modelled == 0 for rung in [whole, *parts])
        brought = [rung.n * (rung.value_per_assigned + rung.control) for rung in (whole, *parts)]
        assert sum(brought[1:]) == pytest.approx(brought[0])
        assert sum(rung.n for rung in parts) == whole.n
    # rung 3 sees the same days of the same customers; its sentence is not said twice
    assert len([line for line in Ladder(facts=found).remarks("en") if line.startswith("By kind")]) <= 2


def test_a_split_into_one_is_the_whole(all_seen):
    one = replace(of_segment(all_seen, 0), segments=("many",))
    found = climb_ladder(one, rung_four(one))
    for arm in ("discount", "reminder"):
        whole, mine = rung4(found.rungs, arm), rung4(found.segments[0].rungs, arm)
        assert whole.why_not == mine.why_not == ""
        assert (whole.segment, mine.segment) == ("", "many")
        assert mine.value_per_assigned == whole.value_per_assigned


def test_a_small_segment_says_why_and_gives_what_was_seen(split, monkeypatch):
    few = follow_up(simulate_reactivation("plain", seed=1, customers=900), replace(split.campaign, by=""))
    ten = follow_up(simulate_reactivation("plain", seed=2, customers=60), replace(split.campaign, by=""))
    parts = [of_segment(split, 0), few, ten]
    # the time for models is spent on none of them
    monkeypatch.setattr(tail, "MOST_SEGMENTS", 0)
    told = tail._of_segments(joined(parts, ["large", "few", "ten"]), rung_four(few), Learnt())
    assert [part.why_not for part in told] == ["many-segments", "tail-untested", "small-arm"]
    for part in told[:2]:
        for rung in part.rungs:
            assert np.isnan(rung.modelled)
            assert rung.value_per_assigned == rung.observed
            assert rung.low < rung.observed < rung.high
        assert part.errors == {}
    assert all(np.isnan(rung.value_per_assigned) for rung in told[2].rungs)


def test_what_failed_for_all_is_not_believed_in_a_part(split, told):
    learnt = Learnt(timing=1, failed={1: "tail-failed"}, missed={0: 0.5, 2: 0.5})
    found, _ = tail._answer(of_segment(split, 0), learnt)
    before = {rung.arm: rung for rung in told.segments[0].rungs}
    refused, wider = found.rungs
    assert (refused.why_not, wider.why_not) == ("tail-failed", "")
    assert np.isnan(refused.modelled)
    assert wider.high - wider.low > 1.2 * (before[wider.arm].high - before[wider.arm].low)
    assert wider.value_per_assigned == pytest.approx(before[wider.arm].value_per_assigned)


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_the_table_marks_what_was_only_seen_and_says_why(split, facts, lang):
    part = facts.segments[0]
    seen_only = tuple(
        replace(rung, why_not="many-segments", modelled=np.nan) if rung.rung == 4 else rung
        for rung in part.rungs
    )
    shown = Ladder(facts=replace(facts, segments=(replace(part, rungs=seen_only), facts.segments[1])))
    table = shown.segment_table(lang)
    assert len(table.rows) == 2 * 2 * 3
    marked = [row for row in table.rows if ladder_words.WORDS["seen-only"][lang] in row[4]]
    assert [row[:2] for row in marked] == [("moved", "4")] * 2
    assert table.note == f"moved, 4: {ladder_words.WHY_NOT['many-segments'][lang]}"


def test_numbers_in_words_are_those_that_decide():
    for lang in ("en", "ru"):
        assert str(MOST_SEGMENTS) in ladder_words.WHY_NOT["many-segments"][lang]
        assert str(LEAST_RETURNERS) in ladder_words.WHY_NOT["tail-untested"][lang]


@pytest.mark.slow
def test_intervals_of_segments_cover_each_ones_own_truth():
    # the band is binomial, at .2%; intervals of a world share its control
    truth = {segment: truth_of(SETTINGS[name]) for segment, name in (("moved", "plain"), ("unmoved", "aa"))}
    held = {segment: [] for segment in truth}
    refused = 0
    for seed in range(16):
        told = rung_four(two_kinds(700_000 + seed, 3_000))
        for segment, part in zip(truth, told.segments, strict=True):
            for rung in part.rungs:
                refused += bool(rung.why_not)
                if not rung.why_not:
                    value = truth[segment].value(rung.arm, days=365)
                    held[segment].append(rung.low <= value <= rung.high)
    # 2 × 2 intervals of each of 16 runs
    assert refused <= 0.1 * 64
    for segment, inside in held.items():
        assert sum(inside) >= binom.ppf(0.002, len(inside), 0.95), segment
