"""A plan's size in words, tables, pictures and numbers; every mistake is refused in one sentence."""

from __future__ import annotations

import json
import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from primeta.errors import BadInput
from primeta.experiments.size import Size, size_of
from primeta.experiments.size_words import WORDS, counted, lasting, of_customers
from primeta.show.result import plain

NBSP = "\u00a0"


def share(**changes) -> Size:
    return size_of(**{"kind": "share", "baseline": 0.08, "effect": 0.01, "per_week": 3000, **changes})


def mean(**changes) -> Size:
    return size_of(**{"kind": "mean", "baseline": 40, "sd": 30, "effect": 2, **changes})


def spaced(text: str) -> str:
    return text.replace(NBSP, " ").replace("\u202f", " ")


def test_size_matches_g_power_as_tested_by_spotify_confidence():
    # σ² 100, effect .3, power .85, two groups: 39,906 in all
    size = size_of(kind="mean", baseline=5, sd=10, effect=0.3, power=0.85)
    assert size.n_total == 39_906
    assert size.n_per_arm == 19_953
    assert 0.85 <= size.power < 0.8501


def test_a_relative_effect_is_a_part_of_the_baseline():
    assert mean(effect=0.05, relative=True).n_total == mean(effect=2).n_total
    assert mean(effect=0.05, relative=True).effect == pytest.approx(2)
    assert share(effect=-0.1, relative=True).effect == pytest.approx(-0.008)


def test_days_follow_from_the_inflow():
    size = share(per_week=3000)
    assert size.days == math.ceil(size.n_total / 3000 * 7)
    assert share(per_week=None).days is None
    assert mean(effect=30, per_week=10_000).days == 1


def test_arms_have_the_shares_asked_for_and_the_smallest_is_named():
    size = share(shares={"control": 0.2, "letter": 0.5, "push": 0.3})
    assert list(size.n_by_arm) == ["control", "letter", "push"]
    assert size.n_per_arm == size.n_by_arm["control"]
    assert size.n_total == sum(size.n_by_arm.values())
    for arm, part in (("letter", 0.5), ("push", 0.3)):
        assert size.n_by_arm[arm] / size.n_total == pytest.approx(part, abs=1e-4)
    assert list(mean(arms=4).n_by_arm) == ["control", "a", "b", "c"]
    assert len(set(mean(arms=4).n_by_arm.values())) == 1


def test_several_arms_share_the_level():
    # Bonferroni: 3 comparisons at level 95% are planned as one at 98.33%
    assert mean(arms=4).n_per_arm == mean(level=1 - 0.05 / 3).n_per_arm


def test_planned_looks_carry_their_bounds_and_what_they_save():
    # O'Brien–Fleming, five looks: bounds of ldbounds; at most 2.5% more customers, on average a fifth fewer
    size, fixed = mean(looks=5), mean()
    assert size.bounds == pytest.approx([4.877, 3.357, 2.680, 2.290, 2.031], abs=6e-4)
    assert fixed.bounds == pytest.approx([norm.isf(0.025)])
    assert size.n_total / fixed.n_total == pytest.approx(1.0247, abs=0.002)
    assert size.n_expected / fixed.n_total == pytest.approx(0.824, abs=0.003)


def test_an_anytime_test_of_ten_days_counts_on_ten_looks():
    long, short = mean(anytime=True), mean(anytime=True, per_week=8_000)
    assert long.looks == 30
    # the fewer looks need some customers more, so it ends a little later than it was counted on
    assert short.looks == 10
    assert 10 <= short.days <= 12
    assert short.n_total > long.n_total


def test_what_the_experiment_costs():
    # 1 point of conversion is worth 100 · .01 = 1 of money, a contact costs .4: the control forgoes .6 a head
    size = share(cost=0.4, value=100)
    assert size.contact_cost == pytest.approx(0.4 * size.n_by_arm["a"])
    assert size.holdout_cost == pytest.approx(0.6 * size.n_by_arm["control"])
    assert size.break_even == pytest.approx(0.004)
    assert "below-break-even" not in size.warnings
    assert "below-break-even" in share(cost=2, value=100).warnings
    # where down is good a unit up is worth less than nothing
    churn = share(effect=-0.01, value=-100, cost=0.4)
    assert churn.gain == pytest.approx(1)
    assert churn.break_even == pytest.approx(-0.004)
    assert "below-break-even" not in churn.warnings
    assert math.isnan(share().contact_cost)


WARNED = {
    "longer-than-a-year": {"per_week": 100},
    "shorter-than-a-week": {"per_week": 50_000},
    "few-events": {"baseline": 0.001, "effect": 0.03},
    "small-arm": {"baseline": 0.3, "effect": 0.3},
    "effect-large": {"effect": 0.05},
    "below-break-even": {"cost": 2, "value": 100},
    "more-looks-than-useful": {"looks": 30},
}


@pytest.mark.parametrize("code", WARNED)
@pytest.mark.parametrize("lang", ["en", "ru"])
def test_a_plan_that_cannot_answer_says_so(code, lang):
    size = share(**WARNED[code])
    assert code in size.warnings
    said = size.cautions(lang)[size.warnings.index(code)]
    assert said
    assert "{" not in said
    assert "cannot tell" not in said
    assert "сказать нельзя" not in said
    assert bool(re.search("[а-яё]", said)) == (lang == "ru")


def test_an_ordinary_plan_has_nothing_to_warn_of():
    assert share().warnings == ()
    assert mean().warnings == ()


def test_more_looks_than_days_are_too_many():
    assert "more-looks-than-useful" in mean(looks=10, per_week=10_000).warnings
    assert "more-looks-than-useful" not in mean(looks=10).warnings


def test_the_words_in_english():
    assert spaced(share().line()) == (
        "To see a rise from 8% to 9% (+1 pts), 24,412 customers are needed: 12,206 in each of 2 arms. "
        "At 3,000 a week that takes 57 days. If the effect is that large, the test shows it with probability 80%."
    )
    assert "at most" in share(looks=5).line()
    assert "looked at every day" in share(anytime=True).line()
    assert (
        "control 12,089, a 48,356"
        in share(effect=-0.01, anytime=True, shares={"control": 0.2, "a": 0.8}).line()
    )


def test_the_words_in_russian():
    assert spaced(share().line("ru")) == (
        "Чтобы увидеть рост с 8% до 9% (+1 п. п.), понадобится 24 412 клиентов: по 12 206 в каждой из 2 веток. "
        "При 3 000 в неделю это 57 дней. Если эффект и правда такой, тест покажет его с вероятностью 80%."
    )
    assert spaced(share(effect=-0.01).line("ru")).startswith("Чтобы увидеть падение с 8% до 7% (−1 п. п.)")
    assert "не больше" in share(anytime=True).line("ru")


def test_russian_nouns_agree_with_their_numbers():
    # CLDR plural forms of Russian
    told = [spaced(counted(n, "day", "ru")) for n in (1, 3, 5, 11, 21, 112)]
    assert told == ["1 день", "3 дня", "5 дней", "11 дней", "21 день", "112 дней"]
    assert [spaced(of_customers(n, "ru")) for n in (1, 2, 11, 101)] == [
        "1 клиента",
        "2 клиентов",
        "11 клиентов",
        "101 клиента",
    ]
    assert spaced(lasting(3650, "ru")) == "примерно 10 лет"
    assert spaced(lasting(3650, "en")) == "about 10 years"


def test_both_languages_have_the_same_words_with_the_same_figures():
    assert WORDS["en"].keys() == WORDS["ru"].keys()
    for code, text in WORDS["en"].items():
        plainly = {name.removesuffix("_of") for name in re.findall(r"{(\w+)}", WORDS["ru"][code])}
        assert plainly == set(re.findall(r"{(\w+)}", text)), code


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_the_table_shows_shorter_and_longer_tests(lang):
    timed, bare = share().table(lang), mean().table(lang)
    assert len(timed.heads) == 4
    assert len(bare.heads) == 3
    assert 3 <= len(timed.rows) <= 5
    assert all(len(row) == 4 for row in timed.rows)
    assert {"en": "Weeks", "ru": "Недель"}[lang] == timed.heads[0].text


@pytest.mark.parametrize("lang", ["en", "ru"])
@pytest.mark.parametrize(
    "size",
    [
        share(),
        share(effect=-0.02, per_week=200),
        mean(anytime=True, effect=-3),
        share(baseline=0.001, effect=0.03, looks=3, cost=1, value=2),
    ],
    ids=["share", "fall", "anytime", "tiny"],
)
def test_the_picture_is_svg_with_the_plan_as_its_name(size, lang):
    for width in (760, 360):
        root = ElementTree.fromstring(size.picture(lang).svg(width=width))
        assert root.get("aria-label") == size.line(lang)
        texts = [element.text for element in root.iter() if element.text]
        assert size.effect_text(size.effect, lang) in texts
    assert "<figure>" in size._repr_html_()


@settings(max_examples=25, deadline=None)
@given(
    baseline=st.floats(0.01, 0.9),
    part=st.floats(-0.5, 0.5).filter(lambda part: abs(part) > 0.02),
    level=st.floats(0.8, 0.99),
    power=st.floats(0.5, 0.95),
    arms=st.integers(2, 5),
    design=st.sampled_from([{}, {"looks": 3}, {"anytime": True}]),
    per_week=st.none() | st.integers(50, 10**6),
)
def test_any_plan_reaches_its_power_and_can_be_told(baseline, part, level, power, arms, design, per_week):
    if not 0 < baseline * (1 + part) < 1:
        return
    size = share(
        baseline=baseline, effect=part, relative=True, level=level, power=power, arms=arms,
        per_week=per_week, **design,
    )  # fmt: skip
    assert size.power >= power
    assert size.n_expected <= size.n_total
    known = [seen.effect for seen in size.curve if math.isfinite(seen.effect)]
    # the longer, the smaller, but never the other sign
    assert known == sorted(known, key=abs, reverse=True)
    assert all(math.copysign(1, effect) == math.copysign(1, part) for effect in known)
    document = json.loads(json.dumps(plain(size.as_dict()), allow_nan=False))
    assert document["days"] == size.days
    for lang in ("en", "ru"):
        assert "{" not in size.line(lang) + size.table(lang).text() + "".join(size.remarks(lang))
        assert "nan" not in size.table(lang).text()


def test_the_curve_passes_through_the_plan():
    size = mean()
    here = min(size.curve, key=lambda seen: abs(seen.customers - size.n_total))
    assert here.customers == size.n_total
    assert here.effect == pytest.approx(2, rel=1e-3)
    quarter = min(size.curve, key=lambda seen: abs(seen.customers - size.n_total / 4))
    # noise falls with the root of the customers
    assert quarter.effect == pytest.approx(2 * math.sqrt(size.n_total / quarter.customers), rel=0.01)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"baseline": 0.0}, "write 4% as .04"),
        ({"baseline": 8}, "between 0 and 1, not 8"),
        ({"effect": 0.95}, "outside 0 to 1"),
        ({"effect": -0.08}, "outside 0 to 1"),
        ({"effect": 0}, "effect of 0"),
        ({"effect": math.nan}, "effect: a number"),
        ({"kind": "mean"}, "--sd"),
        ({"kind": "mean", "sd": 0}, "above 0, not 0"),
        ({"kind": "ratio", "sd": -1}, "above 0, not -1"),
        ({"kind": "median"}, "share, mean, ratio"),
        ({"level": 95}, "write 95% as .95"),
        ({"level": 1.0}, "the level"),
        ({"power": 80}, "write 80% as .8"),
        ({"power": 0.02}, "what chance alone"),
        ({"looks": 5, "anytime": True}, "exclude each other"),
        ({"looks": 0}, "whole number from 1"),
        ({"looks": 501}, "to 500"),
        ({"arms": 1}, "at least 2 arms"),
        ({"shares": {"control": 0.3, "a": 0.6}}, "sum to 0.9"),
        ({"shares": {"control": 0.0, "a": 1.0}}, "control has 0"),
        ({"shares": {"control": 1.0}}, "at least 2 arms"),
        ({"shares": {"control": 0.5, "a": 0.5}, "arms": 3}, "3 arms"),
        ({"per_week": 0}, "a week"),
        ({"variance_kept": 0}, "covariate"),
        ({"variance_kept": 1.2}, "covariate"),
        ({"cost": -1}, "cost"),
        ({"value": 0}, "value of 0"),
        ({"effect": 1e-9}, "trillion"),
    ],
)
def test_what_cannot_be_a_plan_is_refused(changes, says):
    with pytest.raises(BadInput, match=re.escape(says)):
        share(**changes)


def test_what_the_answer_is_worth_takes_belief_value_and_customers():
    given = {"kind": "share", "baseline": 0.08, "effect": 0.02, "value": 30.0, "cost": 0.4}
    size = size_of(**given, belief=(0.01, 0.02), customers_after=500_000)
    assert size.worth is not None
    # It pays from .4 / 30: at a belief of .01 ± .02 the truth decides for sending with probability Φ(−1/6) = .434.
    assert 0 < size.worth.of_test < size.worth.of_truth
    assert size.worth.without == 0
    assert any("worth" in remark for remark in size.remarks("en"))
    assert size.as_dict()["worth_of_test"] == size.worth.of_test
    small = size_of(**given, belief=(0.01, 0.02), customers_after=100)
    assert "not-worth-knowing" in small.warnings
    assert size_of(**given).worth is None
    for wrong in ({"belief": (0.01, 0.0), "customers_after": 10}, {"belief": (0.01, 0.02)}):
        with pytest.raises(BadInput):
            size_of(**given, **wrong)
