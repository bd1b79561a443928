"""All rungs side by side: what is claimed, what is measured, who leads, whom we tried to bring back, in words and JSON."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_follow_up import drawn, follow_up

from primeta.reactivation import ladder_words
from primeta.reactivation.ladder import climb_ladder, heterogeneity
from primeta.reactivation.ladder_result import Ladder
from primeta.reactivation.ladder_sentences import Pen, segments, step, trap
from primeta.reactivation.records import Note, Rung, Rung4
from primeta.show.result import plain

RUNG_KEYS = {
    "rung", "arm", "n", "value_per_assigned", "revenue_per_assigned", "orders_per_assigned", "low", "high", "money",
    "window", "until", "observed", "modelled", "assumes", "why_not",
}  # fmt: skip


def short_winner():
    """Arm b sells at a discount now and loses its customers; arm a's customers buy again later."""
    rng = np.random.default_rng(5)
    n = 3000
    arm = np.arange(n) % 3
    comes = rng.random(n) < np.array([0.10, 0.16, 0.30])[arm]
    again = comes & (rng.random(n) < np.array([0.5, 0.9, 0.0])[arm])
    orders = []
    for who in np.flatnonzero(comes):
        deal = 0.2 if arm[who] == 2 else 0.0
        orders.append((int(who), float(rng.integers(0, 6)), 50.0, 50.0 * deal))
        if again[who]:
            orders += [(int(who), float(day), 120.0, 0.0) for day in (40, 60)]
    return follow_up(arm, orders, margin=0.5)


def rung(found, number: int, arm: str) -> Rung:
    return next(row for row in found.rungs if row.rung == number and row.arm == arm)


def test_rungs_by_hand():
    # 40 a side, margin .5: control 4 orders of 100, arm 10 orders of 100 less 10, on days 3 (6 of them) and 20
    arm = [0] * 40 + [1] * 40
    orders = [(who, 3.0, 100.0, 0.0) for who in range(4)]
    orders += [(40 + who, 3.0 if who < 6 else 20.0, 100.0, 10.0) for who in range(10)]
    found = climb_ladder(follow_up(arm, orders, arms=("control", "a"), margin=0.5, contact=(0.0, 1.0)), None)
    # 10 · (90 − 50) / 40 − 1; within 7 days 6 of them; less the control's 4 · 50 / 40
    assert rung(found, 0, "a").value_per_assigned == pytest.approx(9.0)
    assert rung(found, 1, "a").value_per_assigned == pytest.approx(5.0)
    second = rung(found, 2, "a")
    assert second.value_per_assigned == pytest.approx(4.0)
    assert second.revenue_per_assigned == pytest.approx(10 * 90 / 40 - 4 * 100 / 40)
    assert second.orders_per_assigned == pytest.approx(6 / 40)
    assert second.money == pytest.approx(160.0)
    assert second.control == pytest.approx(5.0)
    assert second.control_low < 5.0 < second.control_high
    assert second.away == pytest.approx(160.0 - 200.0)
    assert math.isnan(rung(found, 0, "a").low)
    assert rung(found, 4, "a").why_not == "not-modelled"
    assert found.best == {"rung1": "a", "rung2": "a", "rung3": "a", "rung4": None}


def test_the_winner_of_the_window_loses_later_and_the_line_says_so():
    found = climb_ladder(short_winner(), None)
    assert (found.best["rung1"], found.best["rung2"], found.best["rung3"]) == ("b", "b", "a")
    assert found.best_sure["rung3"]
    shown = Ladder(facts=found)
    assert shown.line("en").startswith("“b” wins the usual report; against the control “a” earns more: +")
    assert shown.line("ru").startswith(
        "В обычном отчёте побеждает «b», а против контроля больше приносит «a»: +"
    )
    assert shown.next_steps("en")[0][0] == "Go on with “a”; stop “b”"
    note = next(entry for entry in found.notes if entry.code == "overtakes")
    assert (note.values["arm"], note.values["other"]) == ("a", "b")
    assert 40 <= note.values["day"] <= 63


def test_revenue_per_buyer_is_shown_as_the_trap_it_is():
    found = climb_ladder(short_winner(), None)
    # per buyer the reminder's 50 beat the discount's 40; of all assigned the discount sells more within the window
    rows = {row.arm: row for row in found.trap}
    assert rows["a"].revenue_per_buyer == pytest.approx(50.0)
    assert rows["b"].revenue_per_buyer == pytest.approx(40.0)
    assert rows["b"].revenue_per_assigned > rows["a"].revenue_per_assigned
    assert "“a” looks best" in trap(found, "en")
    assert "«a»" in trap(found, "ru")
    document = Ladder(facts=found).as_dict()["trap"]
    assert (document["would_pick"], document["honest"]) == ("a", "b")


def test_purchases_only_pulled_forward_are_noticed():
    n = 1200
    arm = [0] * n + [1] * n
    orders = [(who, 50.0, 30.0, 0.0) for who in range(300)]
    orders += [(n + who, 5.0, 30.0, 0.0) for who in range(300)]
    found = climb_ladder(follow_up(arm, orders, arms=("control", "a")), None)
    note = next(entry for entry in found.notes if entry.code == "pulled-forward")
    assert (note.values["early"], note.values["later"]) == pytest.approx((0.25, -0.25))


def test_no_control_leaves_rungs_0_and_1_and_says_why():
    found = climb_ladder(
        follow_up([0] * 60, [(who, 3.0, 20.0, 2.0) for who in range(20)], arms=("mail",), control=""), None
    )
    assert math.isfinite(rung(found, 1, "mail").money)
    assert {row.why_not for row in found.rungs if row.rung >= 2} == {"no-control"}
    assert found.best == {"rung1": "mail", "rung2": None, "rung3": None, "rung4": None}
    assert "no control group" in Ladder(facts=found).line("en")
    assert "контрольной группы не было" in Ladder(facts=found).line("ru")


def test_an_arm_of_ten_is_no_number_and_does_not_hide_the_other():
    rng = np.random.default_rng(2)
    arm = np.array([0] * 400 + [1] * 400 + [2] * 10)
    orders = [(int(who), 4.0, 30.0, 0.0) for who in np.flatnonzero(rng.random(810) < 0.1 + 0.3 * (arm == 1))]
    found = climb_ladder(follow_up(arm, orders), None)
    assert rung(found, 2, "b").why_not == "small-arm"
    assert math.isnan(rung(found, 2, "b").value_per_assigned)
    assert found.best["rung2"] == "a"
    assert found.best_sure["rung2"]


def test_a_follow_up_shorter_than_the_window_is_no_number():
    found = climb_ladder(
        follow_up([0] * 50 + [1] * 50, [(60, 3.0, 9.0, 0.0)], arms=("control", "a"), followed=[20.0] * 100),
        None,
    )
    assert {row.why_not for row in found.rungs if row.rung <= 3} == {"short-follow-up"}
    assert found.best == dict.fromkeys(("rung1", "rung2", "rung3", "rung4"))
    assert "followed" in Ladder(facts=found).line("en")


def test_a_model_that_failed_its_test_leads_nobody():
    followed = short_winner()
    seen_only = [
        Rung(
            rung=4, arm=arm, n=1000, value_per_assigned=value, revenue_per_assigned=0.0, orders_per_assigned=0.0,
            low=value - 1, high=value + 1, money=1000 * value, window=90, observed=value, why_not="tail-failed",
        )
        for arm, value in (("a", 5.0), ("b", 1.0))
    ]  # fmt: skip
    found = climb_ladder(followed, Rung4(rungs=tuple(seen_only), why_not="tail-failed"))
    assert found.best["rung4"] is None
    assert math.isnan(rung(found, 4, "a").away)
    assert not found.climb[4].reached
    assert "model failed" in Ladder(facts=found).table("en").text() or "model failed" in step(
        found.climb[4], found, "en"
    )


def test_a_split_that_no_lottery_gives_is_said_first():
    # GrowthBook, REFERENCE: 1,000 against 1,200 where halves were planned, p = .00002
    arm = [0] * 1000 + [1] * 1200
    found = climb_ladder(
        follow_up(arm, [], arms=("control", "a"), shares={"control": 0.5, "a": 0.5}, contact=(0.0, 1.0)), None
    )
    assert found.sample_ratio_p == pytest.approx(0.000020079, abs=5e-9)
    assert Ladder(facts=found).line("en").startswith("The arms are not as large")
    assert Ladder(facts=found).as_dict()["checks"]["sample_ratio"]["ok"] is False


def test_arms_that_differed_before_the_campaign_are_noticed():
    n = np.array([[400.0, 400.0]])
    before = {
        "revenue": n * np.array([[10.0, 14.0]]),
        "revenue²": n * (np.array([[10.0, 14.0]]) ** 2 + 100.0),
    }
    found = climb_ladder(
        follow_up([0] * 400 + [1] * 400, [(1, 2.0, 9.0, 0.0)], arms=("control", "a"), before=before), None
    )
    assert found.balance["revenue"] == pytest.approx((10.0, 14.0))
    # z = 4 / sqrt(2 · 100 / 400) = 5.66
    assert found.balance_p["revenue"] == pytest.approx(1.5e-8, rel=0.1)
    assert any(entry.code == "unbalanced" for entry in found.notes)


def test_segments_tell_whom_we_tried_to_bring_back():
    rng = np.random.default_rng(8)
    n = 4000
    arm, kind = np.arange(n) % 2, (np.arange(n) // 2) % 4
    # only the fourth kind is won back
    comes = rng.random(n) < 0.1 + 0.25 * ((arm == 1) & (kind == 3))
    orders = [(int(who), 4.0, 30.0, 0.0) for who in np.flatnonzero(comes)]
    found = climb_ladder(
        follow_up(
            arm,
            orders,
            arms=("control", "a"),
            segment=kind,
            segments=("bad", "far", "new", "price"),
            by="cause",
        ),
        None,
    )
    assert [part.segment for part in found.segments] == ["bad", "far", "new", "price"]
    row = next(entry for entry in found.differs if entry.rung == 2)
    assert row.p < 1e-6
    assert row.segments == ("price",)
    for part in found.segments:
        mine = rung(part, 2, "a")
        assert mine.p_adjusted >= mine.p
        assert mine.segment == part.segment
    assert any("price" in sentence for sentence in segments(found, "en"))
    assert any("price" in sentence for sentence in segments(found, "ru"))
    document = Ladder(facts=found).as_dict()
    assert document["segments"][3]["segment"] == "price"
    assert "p_adjusted" in document["segments"][3]["rungs"][0]
    assert "p_adjusted" not in document["rungs"][0]


def test_cochrans_q():
    # Cochran (1954) by hand: effects 1, 2, 6 with se 1: mean 3, Q = 4 + 1 + 9 = 14 on 2 df, p = exp(−7)
    rows = np.array([[1.0, 1.0, 100.0], [2.0, 1.0, 100.0], [6.0, 1.0, 100.0]])
    overall, alone = heterogeneity(rows)
    assert overall == pytest.approx(math.exp(-7))
    # the third against the mean of the others, 1.5: z = 4.5 / sqrt(1.5)
    assert alone[2] == pytest.approx(2.386e-4, rel=1e-3)


@pytest.mark.slow
def test_segments_that_do_not_differ_are_left_alone():
    # 100 draws with one effect for all: at most 5% are to name a segment (binomial, .999: 13)
    named = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        found = climb_ladder(
            drawn(rng, n=1800, segment=np.arange(1800) // 3 % 4, segments=("p", "q", "r", "s"), by="kind"),
            None,
        )
        named += any(row.segments for row in found.differs if row.rung == 2)
    assert named <= 13


def test_json_has_the_promised_keys_and_holds_no_nan():
    found = Ladder(facts=climb_ladder(short_winner(), None))
    document = found.as_dict()
    text = json.dumps(plain(document))
    assert "NaN" not in text
    for row in document["rungs"]:
        assert row.keys() >= RUNG_KEYS
    assert document["behaviour"][0].keys() >= {"arm", "metric", "difference", "low", "high"}
    assert document["returners"][0].keys() >= {
        "arm", "self_share", "induced_share", "induced_low", "induced_high", "needless_discount", "needless_low",
        "needless_high", "needless_bounds",
    }  # fmt: skip
    assert set(document["best"]) == {"rung1", "rung2", "rung3", "rung4"}
    assert document["climb"][0].keys() >= {"rung", "reached", "missing", "how"}
    assert json.loads(text)["rungs"][0]["low"] is None
    assert json.loads(text)["rungs"][0]["why_not"] is None


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_every_part_has_words(lang):
    shown = Ladder(facts=climb_ladder(short_winner(), None))
    parts = [
        shown.line(lang),
        shown.lead(lang),
        shown.table(lang).text(),
        shown.behaviour_table(lang).text(),
        shown.returners_table(lang).text(),
        *shown.steps(lang),
        *(f"{heading}. {why}" for heading, why in shown.next_steps(lang)),
        *shown.remarks(lang),
    ]
    for part in parts:
        assert "{" not in part
        assert "nan" not in part.lower().split()
    assert "tail-" not in "".join(parts)
    picture = shown.picture(lang)
    for width in (360, 760):
        assert picture.svg(width=width).startswith("<svg")


@pytest.mark.parametrize(
    "table",
    [name for name in dir(ladder_words) if name.isupper() and isinstance(getattr(ladder_words, name), dict)],
)
def test_every_code_is_said_in_both_languages(table):
    for code, entry in getattr(ladder_words, table).items():
        assert set(entry) == {"en", "ru"}, code
        assert all(entry.values()), code
        assert "покупател" not in entry["ru"].lower(), code
        assert "!" not in entry["ru"] + entry["en"], code


@pytest.mark.parametrize(
    ("days", "ru", "en"),
    [
        (1, "1 день", "1 day"),
        (21, "21 день", "21 days"),
        (22, "22 дня", "22 days"),
        (30, "30 дней", "30 days"),
        (147, "21 неделю", "21 weeks"),
        (252, "36 недель", "36 weeks"),
        (365, "365 дней", "365 days"),
    ],
)
def test_spans_are_written_as_people_say_them(days, ru, en):
    assert Pen("ru").span(days).replace("\u00a0", " ") == ru
    assert Pen("en").span(days).replace("\u00a0", " ") == en


def test_money_without_a_currency_is_a_bare_number():
    assert (
        str(Pen("en").money(1_060_000.0, 550_000.0, 1_560_000.0, sign=True))
        == "+1.06m (0.55\u00a0to\u00a01.56)"
    )
    assert str(Pen("ru", "RUB").money(314_000.0)) == "314\u00a0тыс.\u00a0₽"
    assert Pen("en", "RUB").span_of_money(171_000.0, 434_000.0) == "₽171k to ₽434k"


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.booleans())
def test_whatever_is_drawn_the_ladder_answers(seed: int, late: bool):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(60, 700))
    followed = rng.choice([5.0, 33.0, 60.0, 90.0], n)
    found = climb_ladder(drawn(rng, n=n, followed=followed, late=late), None)
    shown = Ladder(facts=found)
    for row in found.rungs:
        assert math.isfinite(row.value_per_assigned) or row.why_not
        if math.isfinite(row.low):
            assert row.low <= row.value_per_assigned <= row.high
    for lang in ("en", "ru"):
        assert shown.line(lang)
        assert shown.next_steps(lang)
    json.dumps(plain(shown.as_dict()), allow_nan=False)


def test_a_note_without_words_stands_as_its_code():
    found = climb_ladder(short_winner(), None)
    shown = Ladder(facts=replace(found, notes=(Note("never-heard-of", {}),)))
    assert shown.remarks("ru")[0] == "never-heard-of"


def test_every_code_that_a_follow_up_or_a_tail_gives_has_words():
    folder = Path(ladder_words.__file__).parent
    sources = [
        path.read_text(encoding="utf-8")
        for pattern in ("follow_up*.py", "tail*.py", "ladder.py", "climb.py", "returners.py", "estimates.py")
        for path in folder.glob(pattern)
    ]
    text = "\n".join(sources)
    assert set(re.findall(r'Note\(\s*"([\w-]+)"', text)) <= set(ladder_words.NOTES)
    reasons = set(re.findall(r'(?:unknown\(|why_not=|return |= )"([a-z]+(?:-[a-z]+)+)"', text))
    reasons |= set(re.findall(r'_no_answer\(\w+, "([\w-]+)"', text))
    told = set(ladder_words.WHY_NOT) | set(ladder_words.STEPS)
    assert reasons <= told, reasons - told
    (assumed,) = re.findall(r"^ASSUMES = \(([^)]*)\)", text, re.MULTILINE)
    assert set(re.findall(r'"([\w-]+)"', assumed)) <= set(ladder_words.ASSUMES)
