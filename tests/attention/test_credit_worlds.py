"""Credit learnt in small simulated worlds: rivals, verdict, alarms, campaigns."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from primeta.attention.alarm_score import peaks_since_welcome
from primeta.attention.alarm_threshold import (
    Followed,
    followed,
    threshold_by_filter,
    threshold_by_signs,
    threshold_of,
)
from primeta.attention.baselines import windows_before
from primeta.attention.blindness import (
    alarms_of,
    blind_share,
    credits_at,
    segment_alarms,
)
from primeta.attention.campaign_credit import AFTER_DAYS, Lottery, campaign_credit, credit_flow
from primeta.attention.credit_features import known_before, season_of
from primeta.attention.credit_fit import fit_credit
from primeta.attention.credit_model import CreditModel, foresee, parts_of
from primeta.attention.credit_rest import rest_days
from primeta.attention.outcomes import TouchLog, time_of, with_asked
from primeta.errors import BadInput
from primeta.worlds.attention import AttentionWorld, simulate_attention

FIRST_DAY = 20_000.0


def log_of(world: AttentionWorld) -> TouchLog:
    went = np.flatnonzero(~world.withheld)
    went = went[np.lexsort((world.sent[went], world.channel[went], world.customer[went]))]
    return TouchLog(
        customers=tuple(f"c{number}" for number in range(world.customers)),
        channels=("email", "push"),
        customer=world.customer[went],
        channel=world.channel[went],
        sent=world.sent[went] + FIRST_DAY,
        purpose=world.purpose[went],
        welcomed=world.welcomed[went],
        drove=world.drove[went],
        until=world.days + FIRST_DAY,
        campaign=world.campaign[went].astype(object),
    )


@lru_cache(maxsize=4)
def small(form: str = "model") -> tuple[AttentionWorld, TouchLog]:
    world = simulate_attention(form, customers=160, seed=3, weeks=20)
    return world, log_of(world)


@lru_cache(maxsize=1)
def fitted():
    return fit_credit(small()[1], rng=np.random.default_rng(1), sample=1500, rounds=5)


def test_the_same_seed_gives_the_same_world_and_unknown_forms_are_refused():
    one, other = (simulate_attention("shade", customers=20, seed=9, weeks=6) for _ in range(2))
    np.testing.assert_array_equal(one.sent, other.sent)
    np.testing.assert_array_equal(one.welcomed, other.welcomed)
    with pytest.raises(BadInput, match="model, habit, shade"):
        simulate_attention("other", customers=20, seed=1)


@pytest.mark.parametrize("form", ["model", "habit", "shade"])
def test_the_true_probabilities_of_a_world_are_those_that_it_is_drawn_from(form):
    world = simulate_attention(form, customers=400, seed=2, weeks=12)
    live = ~world.withheld
    drive, welcome = world.drive_away[live], (1 - world.drive_away[live]) * world.welcome[live]
    for happened, chance in (
        (np.isfinite(world.welcomed[live]), welcome),
        (np.isfinite(world.drove[live]), drive),
    ):
        error = np.sqrt((chance * (1 - chance)).sum())
        assert abs(happened.sum() - chance.sum()) < 4 * error


def test_windows_count_touches_and_known_welcomes_as_by_hand():
    _, log = small()
    found = windows_before(log)
    rng = np.random.default_rng(0)
    sequence = log.sequence
    for row in rng.integers(0, log.touches, 60):
        mine = np.flatnonzero(sequence == sequence[row])
        now = log.sent[row]
        for place, days in enumerate((1.0, 7.0, 30.0)):
            assert found[row, place] == ((log.sent[mine] >= now - days) & (mine < row)).sum()
            glad = log.sent[mine] + log.welcomed[mine]
            assert found[row, 3 + place] == ((glad >= now - days) & (glad <= now)).sum()


def test_parts_of_a_log_foretell_what_the_whole_does():
    _, log = small()
    model = CreditModel.prior()
    parts = parts_of(log, most=2500)
    assert len(parts) > 2
    whole = foresee(model, log)
    np.testing.assert_allclose(
        np.concatenate([foresee(model, part).value for part in parts]), whole.value, atol=1e-12
    )
    assert ((whole.low <= whole.value) & (whole.value <= whole.high)).all()


def test_asking_for_credit_changes_nothing_else():
    _, log = small()
    model = CreditModel.prior()
    rng = np.random.default_rng(4)
    rows = rng.integers(0, log.touches, 50)
    asked, places = with_asked(
        log, customer=log.customer[rows], channel=log.channel[rows], at=log.sent[rows] + rng.uniform(0, 9, 50)
    )
    told = foresee(model, asked)
    np.testing.assert_allclose(np.delete(told.value, places), foresee(model, log).value, atol=1e-12)


def test_a_log_cut_at_a_day_knows_nothing_of_later():
    _, log = small()
    day = FIRST_DAY + 70
    cut = log.before(day)
    early = log.sent <= day
    model = CreditModel.prior()
    np.testing.assert_allclose(foresee(model, cut).value, foresee(model, log).value[early], atol=1e-12)
    assert np.nanmax(cut.sent + cut.welcomed) <= day


def test_a_season_of_many_welcomes_shows_only_after_their_outcomes_are_known():
    n = 4000
    sent = FIRST_DAY + np.sort(np.random.default_rng(1).uniform(0, 100, n))
    welcomed = np.where((sent > FIRST_DAY + 50) & (np.arange(n) % 2 == 0), 0.1, np.nan)
    welcomed[(sent <= FIRST_DAY + 50) & (np.arange(n) % 10 == 0)] = 0.1
    log = TouchLog(
        customers=tuple(map(str, range(n))), channels=("a",), customer=np.arange(n), channel=np.zeros(n, dtype=int),
        sent=sent, purpose=np.ones(n, dtype=int), welcomed=welcomed, drove=np.full(n, np.nan), until=FIRST_DAY + 100,
    )  # fmt: skip
    season = season_of(log)
    before, after = season.at(np.array([FIRST_DAY + 53, FIRST_DAY + 90]))
    # 560 touches in a fortnight, .1 and .5 of them welcomed against .3 in all, 20 welcomes added to both
    assert before == pytest.approx(np.log((56 + 20) / (168 + 20)), abs=0.1)
    assert after == pytest.approx(np.log((280 + 20) / (168 + 20)), abs=0.1)


def test_a_log_with_too_few_welcomes_keeps_the_prior_and_says_so():
    world = simulate_attention("model", customers=5, seed=1, weeks=4)
    model, verdict = fit_credit(log_of(world), rng=np.random.default_rng(0))
    assert model.used == verdict.used == "prior"
    assert verdict.why_not == "too-few-welcomes"
    assert all(np.isnan(score) for score in verdict.scores.values())


def test_welcomes_whose_silent_neighbours_are_not_known_yet_do_not_count():
    # three days of touches, two days of waiting: only those of the first two are settled
    n = 2000
    rng = np.random.default_rng(8)
    sent = FIRST_DAY + np.sort(rng.uniform(0, 3, n))
    log = TouchLog(
        customers=tuple(map(str, range(n))), channels=("a",), customer=np.arange(n), channel=np.zeros(n, dtype=int),
        sent=sent, purpose=np.ones(n, dtype=int), welcomed=np.where(rng.random(n) < 0.1, 0.01, np.nan),
        drove=np.full(n, np.nan), until=FIRST_DAY + 5,
    )  # fmt: skip
    assert log.closed.sum() == (sent <= FIRST_DAY + 2).sum() == log.settled().touches
    model, verdict = fit_credit(log, rng=np.random.default_rng(1))
    assert verdict.why_not == "too-few-welcomes"
    assert model.used == "prior"


def test_a_fit_is_judged_beside_both_rivals_on_later_days_of_other_customers():
    model, verdict = fitted()
    assert set(verdict.marks) == {"model", "counts", "beta_binomial"}
    assert verdict.scores["model"] > verdict.scores["counts"]
    assert 0 < verdict.customers < 60
    assert verdict.used == model.used
    assert model.verdict["touches"] == verdict.touches


def test_the_same_log_and_seed_give_the_same_model():
    again, _ = fit_credit(small()[1], rng=np.random.default_rng(1), sample=1500, rounds=5)
    assert again.as_dict() == fitted()[0].as_dict()


def test_where_the_model_is_no_better_the_better_rival_is_used():
    from primeta.attention.credit_fit import judge

    model, _ = fitted()
    log = small()[1]
    blunt = replace(model, stack=np.zeros(len(model.stack)))
    worse = judge(blunt, log, after=FIRST_DAY + 90)
    best = max(("counts", "beta_binomial"), key=lambda name: worse.marks[name].log_score)
    assert worse.used == best.replace("_", "-")
    assert worse.why_not == "not-better"
    told = foresee(replace(model, used=worse.used), log)
    assert ((told.low <= told.value) & (told.value <= told.high)).all()


def test_one_silence_gives_one_peak_that_a_welcome_ends():
    blind = np.array([0.1, 0.6, 0.4, 0.2, 0.3])
    assert peaks_since_welcome(blind, np.array([0, 1, 2, 0, 1])).tolist() == pytest.approx(
        [0.1, 0.6, 0.6, 0.2, 0.3]
    )


def test_the_filters_threshold_is_the_lowest_with_so_few_false_alarms():
    # 1,000 sequences of two touches; a crossing is false with 1 − b
    blind = np.random.default_rng(2).beta(1, 6, 2000)
    starts = np.tile([True, False], 1000)
    bar = threshold_by_filter(blind, blind, starts, false_per_touch=0.02)

    def rate(at: float) -> float:
        before = np.where(starts, 0, np.concatenate([[0], blind[:-1]]))
        crossed = (blind >= at) & (before < at)
        return (1 - blind[crossed]).sum() / (1 - blind).sum()

    assert rate(bar) <= 0.02 < rate(bar - 0.02)


def followed_log(welcomes: list[float], touches: int = 40) -> TouchLog:
    """One customer; `welcomes`: which of his touches were welcomed."""
    welcomed = np.full(touches, np.nan)
    welcomed[welcomes] = 0.1
    return TouchLog(
        customers=("a",), channels=("push",), customer=np.zeros(touches, dtype=int),
        channel=np.zeros(touches, dtype=int), sent=FIRST_DAY + np.arange(touches, dtype=float),
        purpose=np.ones(touches, dtype=int), welcomed=welcomed, drove=np.full(touches, np.nan),
        until=FIRST_DAY + touches + 3,
    )  # fmt: skip


def test_an_alarm_is_shown_to_be_false_by_a_welcome_within_twenty_touches():
    log = followed_log([0, 30])
    signs = followed(log, known_before(log))
    # of touches 11 to 30 the 30th is among the twenty; touch 31 has nine after it and no welcome
    assert signs.shown[[10, 11, 30, 31]].tolist() == [False, True, True, False]
    # before touch 1: one welcome of one touch, and five touches at the base's rate of 2 in 40
    usual = (1 + 5 * 2 / 40) / (1 + 5)
    assert signs.share[10] == pytest.approx(1 - (1 - 0.2 * usual) ** 20, rel=0.02)
    # the last silence began with touch 31; both sums fade with 120 days
    sent = np.exp(-(31 - np.arange(31)) / 120).sum()
    glad = np.exp(-30.9 / 120) + np.exp(-0.9 / 120)
    assert signs.share[39] == pytest.approx(0.2 * (glad + 5 * 2 / 40) / (sent + 5), rel=0.01)


def test_the_threshold_by_signs_keeps_false_alarms_where_people_look_at_a_fifth_of_their_rate():
    # 40,000 silences of two touches; looking, each shows with its share; the filter knows nothing
    rng = np.random.default_rng(6)
    n = 40_000
    score, share = rng.normal(size=n), rng.uniform(0.2, 0.6, n)
    looks = rng.random(n) < 1 / (1 + np.exp(3 * score))
    signs = Followed(shown=np.repeat(looks & (rng.random(n) < share), 2), share=np.repeat(share, 2))
    each = np.column_stack([np.full(n, -9.0), score]).ravel()
    starts, opinion = np.tile([True, False], n), np.full(2 * n, 0.5)
    bar = threshold_by_signs(each, signs, opinion, starts, false_per_touch=0.005)
    # 200 of the 40,000 touches that the filter takes for looked at; the bound keeps a little below
    assert 130 < (looks & (score >= bar)).sum() <= 200
    # without its bound the count allows more; where the filter wants to go lower still it goes so far
    assert threshold_by_signs(each, signs, opinion, starts, false_per_touch=0.005, sure=None) <= bar


def test_where_the_log_is_too_short_for_signs_the_filter_is_believed():
    # 2,000 touches allow one false alarm: no bound of a count that is divided by its share is so low
    blind = np.random.default_rng(2).beta(1, 6, 2000)
    starts = np.tile([True, False], 1000)
    none = Followed(shown=np.zeros(2000, dtype=bool), share=np.full(2000, 0.2))
    assert threshold_of(blind, none, blind, starts) == threshold_by_filter(blind, blind, starts)


def test_credit_of_the_whole_base_and_its_alarms():
    _, log = small()
    model = replace(CreditModel.prior(), alarm_above=0.0)
    at = time_of(log.until)
    base = credits_at(model, log, at)
    assert len(base.customer) == len(np.unique(log.sequence))
    assert 0 < blind_share(base) < 0.6
    alarms = alarms_of(model, log, base, at)
    assert alarms
    assert np.mean([alarm.probability for alarm in alarms]) > blind_share(base)
    assert all(14 <= alarm.rest_days <= 30 for alarm in alarms)
    assert "без ответа" in alarms[0].line("ru")
    assert alarms[0].as_dict()["unanswered"] == alarms[0].unanswered
    quiet = known_before(
        with_asked(log, customer=base.customer, channel=base.channel, at=np.full(len(base.gone), log.until))[
            0
        ]
    )
    assert base.unanswered.max() <= quiet.unanswered.max()


def test_rest_lasts_until_blindness_is_no_likelier_than_not():
    # ln(.8 / .5) / .02 = 23.5 days; the first rest has 14 to 30
    assert rest_days(0.8, 0.02) == pytest.approx(23.5, abs=0.1)
    assert rest_days(0.2, 0.01) == 14
    assert rest_days(0.99, 1e-9) == 30


def segments(falls: bool, seed: int) -> list:
    rng = np.random.default_rng(seed)
    people, weeks = 400, 40
    customer = np.repeat(np.arange(people), weeks)
    week = np.tile(np.arange(weeks), people)
    chance = np.where(falls & (customer % 4 == 0) & (week >= 20), 0.06, 0.15)
    n = len(customer)
    log = TouchLog(
        customers=tuple(map(str, range(people))), channels=("push",), customer=customer,
        channel=np.zeros(n, dtype=int), sent=FIRST_DAY + 7.0 * week + rng.uniform(0, 7, n),
        purpose=np.ones(n, dtype=int), welcomed=np.where(rng.random(n) < chance, 0.1, np.nan),
        drove=np.full(n, np.nan), until=FIRST_DAY + 7 * weeks + 3,
    )  # fmt: skip
    return list(segment_alarms(log, [str(number % 4) for number in range(people)]))


def test_a_segment_that_goes_blind_is_seen_and_the_others_are_not():
    told = {row.segment: row for row in segments(True, 1)}
    assert told["0"].alarm_week is not None
    assert 20 - 12 <= told["0"].alarm_week <= 20 - 12 + 8
    assert [told[name].alarm_week for name in "123"] == [None] * 3
    assert told["0"].observed < told["0"].expected


def test_segments_without_change_rarely_alarm():
    # an error of 5% for each set of four: 3 of 12 or more has probability .02
    assert (
        sum(any(row.alarm_week is not None for row in segments(False, seed)) for seed in range(100, 112)) <= 2
    )


def test_spent_credit_adds_up_to_what_customers_have_less():
    _, log = small()
    # Two weeks on, so that of every campaign it can be told.
    log = replace(log, until=log.until + AFTER_DAYS)
    model = CreditModel.prior()
    flow = credit_flow(model, log)
    rows = campaign_credit(model, log, flow=flow)
    assert sum(row.credit_spent for row in rows) == pytest.approx(float((flow.before - flow.after).sum()))
    assert sum(row.touches for row in rows) == log.touches
    assert {row.basis for row in rows} == {"observational"}
    # from before each touch to before the next one: the ends of a chain meet
    same = np.flatnonzero(np.diff(log.sequence) == 0)
    gone = np.isfinite(log.drove)
    clear = same[~(np.cumsum(gone) - gone > 0)[same + 1] & ~gone[same]]
    np.testing.assert_allclose(flow.after[clear], flow.before[clear + 1], atol=1e-12)


def test_of_a_campaign_of_the_last_two_weeks_it_is_too_early_to_tell():
    _, log = small()
    model = CreditModel.prior()
    rows = campaign_credit(model, log)
    for row in rows:
        mine = log.sent[log.campaign.astype(str) == row.campaign]
        young = float((mine > log.until - AFTER_DAYS).mean())
        assert (row.why_not == "too-early") == (young > 0.5)
        assert np.isnan(row.credit_spent) == np.isnan(row.low) == np.isnan(row.high) == (young > 0.5)
    assert {row.why_not for row in rows} == {"", "too-early"}
    assert [bool(row.why_not) for row in rows] == sorted(bool(row.why_not) for row in rows)


def test_only_campaigns_that_were_drawn_are_spoken_of_causally():
    world, log = small()
    drawn = np.flatnonzero(np.isfinite(world.probability) & (world.campaign < 12))
    lottery = Lottery(
        customer=world.customer[drawn],
        channel=world.channel[drawn],
        at=world.sent[drawn] + FIRST_DAY,
        campaign=np.full(len(drawn), "4", dtype=object),
        sent=~world.withheld[drawn],
        probability=world.probability[drawn],
    )
    rows = {row.campaign: row for row in campaign_credit(CreditModel.prior(), log, lottery=lottery)}
    assert rows["4"].basis == "randomised"
    assert rows["4"].low < rows["4"].credit_spent < rows["4"].high
    assert {row.basis for name, row in rows.items() if name != "4"} == {"observational"}
