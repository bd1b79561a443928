"""Certificates: the sums behind the splits, what is planted, the verdicts, and that chance decides none of them."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from primeta.errors import BadInput
from primeta.experiments import certify as module
from primeta.experiments.certificate import Certificate, clopper_pearson
from primeta.experiments.certify import Asked, Sample, certify
from primeta.experiments.certify_words import WORDS
from primeta.experiments.decide import decide
from primeta.experiments.evaluate import Looking, Measured, effects_of, sample_ratio
from primeta.experiments.records import Amount
from primeta.show.result import plain
from primeta.stats.effects import influence
from primeta.stats.moments import Moments, stacked

QUICK = Asked(splits=400, looks=0)


def of(name="money", x=None, y=None, before=None, **more) -> Sample:
    x = np.asarray(x, dtype=float)
    known = np.empty((len(x), 0)) if before is None else np.asarray(before, dtype=float).reshape(len(x), -1)
    return Sample(name=name, numerator=x, denominator=y, before=known, **{"smallest": 0.02, **more})


def money(n=3_000, seed=1, **more) -> Sample:
    """Orders that repeat themselves, each of a lognormal sum."""
    rng = np.random.default_rng(seed)
    habit = rng.gamma(2.0, 1.0, n)
    now, before = rng.poisson(habit) * rng.lognormal(3, 0.6, n), rng.poisson(habit) * 20.0
    return of("money", now, None, before, **more)


def share(p=0.1, n=3_000, seed=2, **more) -> Sample:
    rng = np.random.default_rng(seed)
    return of("share", rng.random(n) < p, None, None, share=True, **more)


def basket(n=3_000, seed=3, **more) -> Sample:
    """Revenue over orders."""
    rng = np.random.default_rng(seed)
    orders = rng.poisson(1.5, n).astype(float)
    return of("basket", orders * rng.lognormal(3, 0.4, n), orders, orders, **more)


# The exact interval


def test_the_exact_interval_is_the_published_one():
    # Clopper & Pearson (1934): 0 of 10 gives (0, .3085), 5 of 10 gives (.1871, .8129)
    assert clopper_pearson(0, 10, 0.95) == pytest.approx((0, 0.3085), abs=5e-5)
    assert clopper_pearson(5, 10, 0.95) == pytest.approx((0.1871, 0.8129), abs=5e-5)
    assert all(math.isnan(bound) for bound in clopper_pearson(0, 0, 0.95))


@settings(deadline=None)
@given(trials=st.integers(1, 5000), part=st.floats(0, 1), level=st.floats(0.5, 0.9999))
def test_the_exact_interval_is_scipys(trials, part, level):
    happened = round(part * trials)
    peer = stats.binomtest(happened, trials).proportion_ci(level, method="exact")
    assert clopper_pearson(happened, trials, level) == pytest.approx((peer.low, peer.high), abs=1e-9)


# The sums of a split


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), ratio=st.booleans(), large=st.sampled_from([0.0, 1e7]))
def test_moments_from_column_sums_are_those_of_the_rows(seed, ratio, large):
    rng = np.random.default_rng(seed)
    rows = rng.gamma(1.0, 5.0, (40, 4 if ratio else 2)) + large
    copy = rows[:, 0] * 1.3
    columns = module._Columns(rows, [copy])
    arm = rng.random(40) < 0.5
    sums, n = columns.table[:, arm].sum(axis=1), np.float64(arm.sum())
    for place, numerator in ((None, rows[:, 0]), (0, copy)):
        got = columns.moments(n, sums, copy=place)
        expected = Moments.of_rows(np.column_stack([numerator, rows[:, 1:]])[arm])
        assert got.mean == pytest.approx(expected.mean, rel=1e-9)
        assert got.scatter == pytest.approx(expected.scatter, rel=1e-6, abs=1e-6 * (1 + large * 1e-6))


@pytest.mark.parametrize("size", [500, 2_000])
def test_every_split_deals_each_customer_into_one_arm_by_a_coin(size):
    # 2,000 of 2,000 customers: everybody; 500 of 2,000: four groups
    metric = module._Metric(of("x", np.arange(2_000.0) + 1), replace(QUICK, share=0.2))
    runs = module._Runs(metric, size, replace(QUICK, share=0.2), math.inf, (), looks=0)
    columns, _ = runs._columns(np.random.default_rng(0))
    deal = runs._dealt_whole if size == 2_000 else runs._dealt_in_groups
    n, sums = deal(np.random.default_rng(0), columns, 200)
    assert n.shape == (200, 2, 1)
    assert n[:, 1].mean() == pytest.approx(0.2 * size, rel=0.02)
    if size == 2_000:
        assert (n.sum(axis=1) == 2_000).all()
        assert sums.sum(axis=1)[:, 0] == pytest.approx(np.tile(columns.table.sum(axis=1), (200, 1)))
    else:
        # four groups at a time hold all customers but for those left over: here none
        assert n.sum(axis=(1, 2)).reshape(50, 4).sum(axis=1).tolist() == [2_000] * 50


# What is planted


@pytest.mark.parametrize("effect", [0.3, -0.3])
def test_a_planted_share_stays_a_share_and_moves_by_exactly_the_effect(effect):
    metric = module._Metric(share(good="down" if effect < 0 else "up"), QUICK)
    moved = metric.planted(effect, np.random.default_rng(1), math.inf)
    assert set(np.unique(moved)) <= {0.0, 1.0}
    assert moved.mean() == pytest.approx(metric.value * (1 + effect), abs=1 / metric.n)


@pytest.mark.parametrize("effect", [0.3, -0.3])
def test_a_planted_ratio_of_counts_never_has_more_than_its_whole(effect):
    rng = np.random.default_rng(4)
    sent = rng.poisson(4, 2_000).astype(float)
    opened = rng.binomial(sent.astype(int), 0.4)
    metric = module._Metric(of("open", opened, sent, share=True), QUICK)
    moved = metric.planted(effect, np.random.default_rng(1), math.inf)
    assert (moved <= sent).all()
    assert (moved >= 0).all()
    assert np.array_equal(moved, np.rint(moved))
    assert moved.sum() / sent.sum() == pytest.approx(metric.value * (1 + effect), rel=1e-3)


def test_a_planted_count_stays_whole_and_money_is_multiplied():
    counted = module._Metric(of("orders", np.random.default_rng(5).poisson(2.0, 1_000)), QUICK)
    moved = counted.planted(0.1, np.random.default_rng(1), math.inf)
    assert np.array_equal(moved, np.rint(moved))
    assert moved.sum() == pytest.approx(counted.x.sum() * 1.1, abs=1)
    paid = module._Metric(money(), QUICK)
    assert paid.planted(0.1, np.random.default_rng(1), 50.0) == pytest.approx(np.minimum(paid.x * 1.1, 50.0))


# The decision that is certified is the one that is made


@pytest.mark.parametrize("good", ["up", "down"])
def test_scale_is_said_exactly_where_the_decision_says_it(good):
    sample = money(n=400, good=good, smallest=0.2)
    asked = replace(QUICK, splits=300)
    metric = module._Metric(sample, asked)
    smallest = module._promise(metric, metric.way * 0.2, (200, 200), math.inf, asked)
    runs = module._Runs(metric, 400, asked, math.inf, (smallest, smallest), looks=0)
    columns, truths = runs._columns(np.random.default_rng(0))
    n, sums = runs._dealt_whole(np.random.default_rng(3), columns, 300)
    counts = runs._read(columns, n[:, :, 0], sums[:, :, 0], truths)

    said = 0
    for split in range(300):
        arms = columns.moments(n[split, :, 0], sums[split, :, 0])
        measured = Measured(
            name="money",
            kind="mean",
            influence=influence(arms, covariates=[1]),
            role="primary",
            good=good,
            smallest=Amount(metric.way * 0.2, relative=True),
            covariates=1,
        )
        effects = effects_of(
            [measured], arms=["control", "a"], control="control", level=0.95, looking=Looking(how="fixed")
        )
        ratio = sample_ratio({"control": 1, "a": 1}, {"control": 0.5, "a": 0.5})
        _, verdict = decide(effects, ratio=ratio, money={}, basis="no-value", ended=True)
        said += verdict.state == "scale"
    assert counts.scaled == said > 0


# Verdicts


def test_ordinary_metrics_hold_and_the_figures_lie_where_theory_puts_them():
    found = certify([money(), share(), basket()], Asked(splits=1_000, looks=10, seed=4))
    assert found.ok
    for entry in found.metrics:
        assert (entry.verdict, entry.n_from, entry.why_not) == ("holds", 500, "")
        for rung in entry.rungs:
            # 99.9% band of 1,000 splits around 5%, 95% and 80%
            assert 0.028 < rung.false_positives < 0.075
            assert 0.925 < rung.coverage < 0.973
            assert rung.power == pytest.approx(rung.power_promised, abs=0.05)
            assert rung.power_promised == pytest.approx(0.8, abs=0.005)
            assert rung.wrong_scale < 0.045
        top = entry.top
        assert top is not None
        # 10 looks at the ordinary interval: 19% wrong (Armitage, McPherson & Rowe 1969); always-valid at most 5%
        assert 0.14 < top.peeking_wrong < 0.25
        assert top.always_wrong < 0.05
    kept = found.metrics[0].top.variance_kept
    x, before = money().numerator, money().before[:, 0]
    # Deng et al. (2013): CUPED leaves 1 − ρ² of the variance
    assert kept == pytest.approx(1 - np.corrcoef(x, before)[0, 1] ** 2, abs=1e-3)


def test_a_rare_event_in_a_small_arm_is_wrong_too_often_and_the_exit_is_no():
    # 2 in a thousand in an arm of 300: often none at all there, and the interval then knows no noise
    sample = share(p=0.004, n=3_000, good="down", smallest=0.5)
    found = certify([sample], Asked(splits=1_000, share=0.1, looks=0))
    assert not found.ok
    (entry,) = found.metrics
    assert entry.verdict == "false-positives"
    assert entry.n_from is None
    assert entry.top.fp_low > 0.05
    assert "no: " in found.verdict(entry, "en")
    assert "нет: " in found.verdict(entry, "ru")


def test_a_few_whales_are_named_with_the_cap_that_helps():
    rng = np.random.default_rng(6)
    x = rng.lognormal(3, 0.5, 4_000)
    x[:4] *= 3_000
    found = certify([of("revenue", x)], Asked(splits=1_000, share=0.1, looks=0))
    (entry,) = found.metrics
    assert (entry.verdict, entry.ok) == ("cap", False)
    # The four whales are the upper thousandth of four thousand.
    assert entry.capped_at < x[:4].min()
    assert entry.capped_at == pytest.approx(np.quantile(x, entry.cap_quantile))
    assert entry.n_from in (400, 500)
    capped = certify([of("revenue", np.minimum(x, entry.capped_at))], Asked(splits=1_000, share=0.1, looks=0))
    assert capped.ok


@pytest.mark.parametrize(
    ("sample", "why_not"),
    [
        (of("x", np.ones(1_000)), "no-variance"),
        (of("x", np.zeros(1_000)), "no-events"),
        (of("x", np.arange(1_000.0), np.zeros(1_000)), "no-denominator"),
        (of("x", np.arange(150.0)), "too-few-customers"),
        (of("x", -np.arange(1_000.0)), "no-mean"),
        (of("x", np.arange(1_000.0), None, np.arange(1_000.0) * 2 + 1), "no-noise"),
    ],
)
def test_what_cannot_be_certified_says_why_and_has_no_numbers(sample, why_not):
    found = certify([sample], QUICK)
    (entry,) = found.metrics
    assert (entry.why_not, entry.ok, entry.rungs) == (why_not, None, ())
    document = entry.as_dict()
    assert document["false_positives"] is None
    assert document["power"] is None
    assert not found.ok
    for lang in ("en", "ru"):
        assert "{" not in found.table(lang).text()


def test_one_metric_that_cannot_be_told_does_not_fail_the_others():
    found = certify([share(), of("x", np.zeros(500))], QUICK)
    assert found.ok
    assert [entry.ok for entry in found.metrics] == [True, None]


def test_the_verdict_of_small_sizes_is_told_apart():
    good = certify([money()], QUICK).metrics[0]
    small, top = good.rungs
    bad = replace(small, failed=("power", "coverage"))
    fields = {"name": "x", "base": 3_000, "about": {}, "good": "up"}
    below = type(good).of(rungs=(bad, top), **fields)
    assert (below.verdict, below.n_from, below.ok) == ("holds-from", 1_500, True)
    with_cap = type(good).of(rungs=(bad.with_cap(90.0, 0.99), top), **fields)
    assert (with_cap.verdict, with_cap.capped_at) == ("holds-from", 90.0)
    neither = type(good).of(rungs=(small, replace(top, failed=("power",))), **fields)
    assert (neither.verdict, neither.n_from, neither.ok) == ("power", None, False)


# Repeatable


def test_the_same_seed_gives_the_same_certificate_whatever_stands_beside():
    alone = certify([money()], QUICK)
    beside = certify([share(), money()], QUICK)
    # The intervals' level depends on how much is asked in all; what was counted does not.
    counted = ("false_positives", "coverage", "power", "wrong_scale", "effect", "variance_kept")
    for one, two in zip(alone.metrics[0].rungs, beside.metrics[1].rungs, strict=True):
        assert [getattr(one, name) for name in counted] == [getattr(two, name) for name in counted]
    assert plain(certify([money()], QUICK).as_dict()) == plain(alone.as_dict())
    other = certify([money()], replace(QUICK, seed=1))
    assert other.metrics[0].rungs[0].false_positives != alone.metrics[0].rungs[0].false_positives


def test_cores_do_not_matter(monkeypatch):
    threaded = plain(certify([basket()], QUICK).as_dict())
    monkeypatch.setattr(module, "each", lambda pieces, work: [work(*piece) for piece in reversed(pieces)])
    assert plain(certify([basket()], QUICK).as_dict()) == threaded


def test_progress_tells_every_size_and_comes_to_its_end():
    told: list[tuple[int, int]] = []
    certify([money(), share()], QUICK, progress=lambda done, total: told.append((done, total)))
    # Two sizes for each metric, and the hash.
    assert told[0] == (0, 5)
    assert told[-1] == (5, 5)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


# The hash


def test_the_hash_deals_like_a_coin_and_repeated_ids_are_seen():
    def certified(name_of):
        sample = replace(share(), units=lambda places: [name_of(int(place)) for place in places])
        return certify([sample], QUICK).hashed

    fair = certified(lambda place: f"c{place}")
    assert fair.ok
    assert (fair.salts, fair.customers) == (300, 3_000)
    # Thirty customers behind each id move together: arms as uneven as thirty times fewer coins make them.
    assert not certified(lambda place: f"c{place // 30}").ok


# What is shown


def test_a_certificate_survives_json():
    found = replace(
        certify([money(about={"label": {"en": "Money", "ru": "Деньги"}}), of("x", np.zeros(500))], QUICK),
        window_days=28,
        currency="RUB",
        at="2026-11-16T00:00:00Z",
    )
    document = json.loads(json.dumps(plain(found.as_dict())))
    again = Certificate.of_dict(document)
    assert plain(again.as_dict()) == document
    for lang in ("en", "ru"):
        assert again.table(lang).text() == found.table(lang).text()
        assert again.line(lang) == found.line(lang)


def test_both_languages_have_the_same_words_and_none_is_left_unfilled():
    assert WORDS["en"].keys() == WORDS["ru"].keys()
    found = certify([money(about={"label": {"en": "Money", "ru": "Деньги"}})], Asked(splits=200, looks=5))
    entry = found.metrics[0]
    whole = replace(entry, capped_at=900.0, cap_quantile=0.99, n_from=2_000)
    for lang in ("en", "ru"):
        for code in (
            "holds", "holds-from", "cap", "false-positives", "coverage", "power", "scale", "always", "few-answers",
        ):  # fmt: skip
            text = found.verdict(replace(whole, verdict=code), lang)
            assert text
            assert "{" not in text
        every = (*found.remarks(lang), found.ladder(lang, metric="money").text(), found.line(lang))
        assert not any("{" in text for text in every)
    bad = replace(found, metrics=(replace(entry, verdict="power"),))
    assert "«Деньги»" in bad.line("ru")
    assert "“Money”" in bad.line("en")


def test_the_picture_says_its_numbers_and_draws():
    picture = certify([money(), share()], QUICK).picture("ru")
    assert "money: " in picture.description
    assert "<svg" in picture.svg(width=360)


@pytest.mark.parametrize(
    "wrong", [{"splits": 10}, {"seed": -1}, {"share": 0.0}, {"level": 1.0}, {"looks": -1}, {"most": 10}]
)
def test_a_number_that_cannot_be_is_refused(wrong):
    with pytest.raises(BadInput):
        certify([money()], Asked(**wrong))
    with pytest.raises(BadInput):
        certify([], QUICK)


def test_means_of_split_arms_are_those_of_the_analyser():
    # The whole way once more: an interval of `_Runs` against `effects_of` on the same arms.
    sample = basket()
    metric = module._Metric(sample, QUICK)
    columns = module._Columns(metric.rows(metric.x), ())
    rng = np.random.default_rng(8)
    arm = rng.random(metric.n) < 0.5
    rows = metric.rows(metric.x)
    arms = stacked([Moments.of_rows(rows[~arm]), Moments.of_rows(rows[arm])])
    measured = Measured(name="basket", kind="ratio", influence=influence(arms, denominator=1, covariates=[2]))
    (effect,) = effects_of([measured], arms=["c", "a"], control="c", level=0.95, looking=Looking(how="fixed"))
    n = np.array([[float((~arm).sum()), float(arm.sum())]])
    sums = np.stack([columns.table[:, ~arm].sum(axis=1), columns.table[:, arm].sum(axis=1)])[None]
    runs = module._Runs(metric, metric.n, QUICK, math.inf, (), looks=0)
    low, high = runs._gap(columns.moments(n, sums), covariates=True).t_bounds(0.95)
    assert (low[0], high[0]) == pytest.approx((effect.low, effect.high), rel=1e-9)
