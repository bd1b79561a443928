"""Every rule of the decision, reached by a case of its own, up and down, with margins absolute and relative."""

from __future__ import annotations

import ast
import inspect
import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeta.experiments import decide as decided
from primeta.experiments.decide import Money, decide
from primeta.experiments.records import NAN, Amount, ArmDecision, Effect, SampleRatio, Verdict
from primeta.experiments.words import told

SOUND = SampleRatio(
    counts={"control": 500, "a": 500}, planned={"control": 0.5, "a": 0.5}, p=0.9, always_p=1.0, ok=True
)
BROKEN = replace(SOUND, counts={"control": 500, "a": 700}, p=1e-8, always_p=1e-6, ok=False)


def effect(
    low: float,
    high: float,
    *,
    arm: str = "a",
    metric: str = "revenue",
    role: str = "primary",
    good: str = "up",
    smallest: Amount | None = None,
    beyond: tuple[float, float] | None = None,
    why_not: str = "",
) -> Effect:
    """A row whose deciding interval is (low, high); its control's mean is 10, so 10% is 1."""
    middle = (low + high) / 2
    if beyond is None and smallest is not None:
        amount = smallest.value * 10 if smallest.relative else smallest.value
        beyond = low - amount, high - amount
    return Effect(
        metric=metric, arm=arm, n_control=500, n_arm=500, control_mean=10.0, arm_mean=10 + middle,
        difference=middle, se=(high - low) / 4, low=low, high=high, p=0.5, p_adjusted=0.5, lift=middle / 10,
        lift_low=low / 10, lift_high=high / 10, lift_method="delta", always_low=low, always_high=high,
        decision_low=low, decision_high=high, level=0.95, role=role, good=good, smallest=smallest,
        beyond_low=beyond[0] if beyond else NAN, beyond_high=beyond[1] if beyond else NAN, why_not=why_not,
    )  # fmt: skip


def guard(low: float, high: float, margin: Amount, **what) -> Effect:
    good = "up" if margin.value < 0 else "down"
    return effect(low, high, metric="retention", role="guardrail", good=good, smallest=margin, **what)


def money(low: float, high: float) -> dict[str, Money]:
    return {"a": Money(value=(low + high) / 2, low=low, high=high)}


def ask(
    *effects: Effect,
    ratio: SampleRatio = SOUND,
    money: dict[str, Money] | None = None,
    ended: bool = False,
    **more,
) -> tuple[tuple[ArmDecision, ...], Verdict]:
    worth = money or {}
    return decide(
        effects, ratio=ratio, money=worth, basis="measured" if worth else "no-value", ended=ended, **more
    )


UNKNOWN = effect(NAN, NAN, why_not="no-variance")
AHEAD = effect(NAN, NAN, why_not="not-seen-yet")
GAIN, LOSS, OPEN = effect(0.2, 1.0), effect(-1.0, -0.2), effect(-0.4, 0.6)
MATTERS = Amount(0.5)
MARGIN, PERCENT = Amount(-0.5), Amount(-0.05, relative=True)
HELD = ArmDecision(arm="a", state="scale", rule="shown", figures={"metric": "revenue"})

CASES: list[tuple[str, str, dict]] = [
    ("invalid", "sample-ratio", {"effects": [GAIN], "ratio": BROKEN}),
    ("invalid", "primary-unknown", {"effects": [UNKNOWN]}),
    ("invalid", "primary-unknown", {"effects": [AHEAD], "ended": True}),
    ("continue", "not-seen-yet", {"effects": [AHEAD]}),
    ("continue", "before-end", {"effects": [GAIN], "waits": "before-end"}),
    (
        "continue",
        "between-looks",
        {
            "effects": [GAIN],
            "waits": "between-looks",
            "waiting": {"look": 2, "looks": 5, "n": 800},
        },
    ),
    ("scale", "shown", {"effects": [OPEN], "waits": "between-looks", "held": {"a": HELD}}),
    ("harm", "primary-harm", {"effects": [LOSS]}),
    ("harm", "guardrail-harm", {"effects": [GAIN, guard(-1.4, -0.6, MARGIN)]}),
    ("harm", "guardrail-harm", {"effects": [GAIN, guard(-1.4, -0.6, PERCENT)]}),
    ("harm", "guardrail-harm", {"effects": [GAIN, guard(0.6, 1.4, Amount(0.5))]}),
    ("harm", "money-lost", {"effects": [GAIN], "money": money(-2.0, -0.1)}),
    ("scale", "shown", {"effects": [GAIN]}),
    ("scale", "shown", {"effects": [GAIN, guard(-0.4, 0.2, MARGIN)], "money": money(0.1, 2.0)}),
    ("scale", "shown", {"effects": [GAIN, guard(-0.2, 0.4, Amount(0.05, relative=True))]}),
    ("scale", "shown", {"effects": [effect(0.2, 1.0, smallest=MATTERS)]}),
    ("futile", "too-small", {"effects": [effect(0.1, 0.4, smallest=MATTERS)]}),
    ("futile", "too-small", {"effects": [effect(0.1, 0.4, smallest=Amount(0.05, relative=True))]}),
    ("futile", "effect-ruled-out", {"effects": [effect(-0.3, 0.4, smallest=MATTERS)]}),
    ("continue", "primary-open", {"effects": [OPEN]}),
    ("continue", "primary-open", {"effects": [effect(-0.4, 0.6, smallest=MATTERS)]}),
    ("continue", "guardrail-open", {"effects": [GAIN, guard(-0.8, 0.2, MARGIN)]}),
    ("continue", "guardrail-open", {"effects": [GAIN, guard(NAN, NAN, MARGIN, beyond=(NAN, NAN))]}),
    ("continue", "money-open", {"effects": [GAIN], "money": money(-0.1, 2.0)}),
    ("continue", "money-open", {"effects": [GAIN], "money": money(NAN, NAN)}),
    ("futile", "primary-open-at-end", {"effects": [OPEN], "ended": True}),
    ("futile", "guardrail-open-at-end", {"effects": [GAIN, guard(-0.8, 0.2, PERCENT)], "ended": True}),
    ("futile", "money-open-at-end", {"effects": [GAIN], "money": money(-0.1, 2.0), "ended": True}),
]


def answer(case: dict) -> tuple[tuple[ArmDecision, ...], Verdict]:
    more = dict(case)
    return ask(*more.pop("effects"), **more)


@pytest.mark.parametrize(("state", "rule", "case"), CASES, ids=[f"{s} {r}" for s, r, _ in CASES])
def test_each_rule_fires_in_its_case(state, rule, case):
    (decision,), verdict = answer(case)
    assert (decision.state, decision.rule) == (state, rule)
    assert (verdict.state, verdict.rule) == (state, rule)
    assert verdict.arm == ("a" if state == "scale" else "")


@pytest.mark.parametrize(("state", "rule", "case"), CASES, ids=[f"{s} {r}" for s, r, _ in CASES])
def test_a_metric_that_is_good_when_it_falls_is_decided_as_its_mirror(state, rule, case):
    def turned(one: Effect) -> Effect:
        amount = one.smallest and Amount(-one.smallest.value, one.smallest.relative)
        return replace(
            one,
            good="down" if one.good == "up" else "up",
            smallest=amount,
            difference=-one.difference,
            decision_low=-one.decision_high,
            decision_high=-one.decision_low,
            beyond_low=-one.beyond_high,
            beyond_high=-one.beyond_low,
        )

    (decision,), verdict = answer({**case, "effects": [turned(one) for one in case["effects"]]})
    assert (decision.state, decision.rule, verdict.state) == (state, rule, state)


def test_no_rule_is_without_a_case_and_words_in_both_languages():
    """The rules are the texts given to `concluded` in the module; the end adds `-at-end`."""
    calls = [
        node
        for node in ast.walk(ast.parse(inspect.getsource(decided)))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "concluded"
    ]
    written = {
        call.args[1].value for call in calls if isinstance(call.args[1], ast.Constant)
    }  # fmt: skip
    reached = {rule for _, rule, _ in CASES}
    assert written
    assert written <= reached
    for (_, rule, case), lang in itertools.product(CASES, ("en", "ru")):
        (decision,), _ = answer(case)
        text = told(
            rule,
            decision.figures,
            lang,
            money=(decision.money_per_customer, decision.low, decision.high),
            currency="USD",
            labels={"revenue": "Revenue", "retention": "Retention"},
            shares=frozenset(),
        )
        assert text
        assert "{" not in text
        assert "nan" not in text.lower()


# The order of the questions


def test_nothing_is_believed_of_a_broken_lottery():
    for effects in ([GAIN], [LOSS], [AHEAD], [effect(0.1, 0.4, smallest=MATTERS)]):
        (decision,), _ = ask(*effects, ratio=BROKEN, money=money(1.0, 2.0), waits="before-end")
        assert (decision.state, decision.figures["p"]) == ("invalid", BROKEN.p)


def test_harm_is_told_before_gain():
    broken = guard(-1.4, -0.6, MARGIN)
    (decision,), _ = ask(GAIN, broken, money=money(1.0, 2.0), ended=True)
    assert (decision.state, decision.rule) == ("harm", "guardrail-harm")
    assert decision.figures["guardrail"] == "retention"
    (decision,), _ = ask(LOSS, broken)
    assert decision.rule == "primary-harm"


def test_one_broken_guardrail_of_many_is_enough_and_one_open_one_holds_up():
    fine = guard(-0.2, 0.4, MARGIN)
    (decision,), _ = ask(GAIN, fine, replace(guard(-1.4, -0.6, MARGIN), metric="visits"))
    assert decision.figures["guardrail"] == "visits"
    (decision,), _ = ask(GAIN, fine, replace(guard(-0.8, 0.2, MARGIN), metric="visits"))
    assert (decision.state, decision.figures["guardrail"]) == ("continue", "visits")
    assert decision.figures["margin"] == -0.5


def test_money_says_so_where_it_is_not_known():
    (decision,), _ = ask(GAIN)
    assert decision.basis == "no-value"
    assert math.isnan(decision.money_per_customer)
    assert math.isnan(decision.low)
    (decision,), _ = ask(GAIN, money=money(0.5, 1.5))
    assert (decision.money_per_customer, decision.low, decision.high) == (1.0, 0.5, 1.5)
    assert decision.basis == "measured"


def test_bounds_at_exactly_nothing_show_nothing():
    (decision,), _ = ask(effect(0.0, 1.0))
    assert decision.state == "continue"
    (decision,), _ = ask(effect(-1.0, 0.0))
    assert decision.state == "continue"
    (decision,), _ = ask(GAIN, guard(-0.5, 0.2, MARGIN))
    assert decision.rule == "guardrail-open"
    (decision,), _ = ask(effect(-0.2, 0.5, smallest=MATTERS))
    assert decision.rule == "primary-open"


def test_what_a_planned_look_decided_holds_in_between_but_for_going_on():
    for state, rule in (("harm", "primary-harm"), ("futile", "effect-ruled-out"), ("scale", "shown")):
        held = replace(HELD, state=state, rule=rule)
        (decision,), _ = ask(LOSS, waits="between-looks", held={"a": held})
        assert decision == held
    going_on = replace(HELD, state="continue", rule="primary-open")
    (decision,), _ = ask(LOSS, waits="between-looks", held={"a": going_on})
    assert (decision.state, decision.rule) == ("continue", "between-looks")
    # a look that may decide does not ask what an earlier one said
    (decision,), _ = ask(LOSS, held={"a": HELD})
    assert decision.rule == "primary-harm"


# The whole test

STATES = {
    "scale": GAIN,
    "harm": LOSS,
    "continue": OPEN,
    "futile": effect(-0.3, 0.4, smallest=MATTERS),
    "invalid": UNKNOWN,
}


@pytest.mark.parametrize(
    ("arms", "expected"),
    [
        (("scale", "harm"), "scale"),
        (("scale", "continue"), "scale"),
        (("continue", "harm"), "continue"),
        (("continue", "futile"), "continue"),
        (("invalid", "continue"), "invalid"),
        (("harm", "futile"), "futile"),
        (("harm", "harm"), "harm"),
    ],
)
def test_the_test_stops_when_every_arm_has(arms, expected):
    rows = [replace(STATES[state], arm=name) for name, state in zip("ab", arms)]
    decisions, verdict = ask(*rows)
    assert [entry.state for entry in decisions] == list(arms)
    assert verdict.state == expected
    if expected == "scale":
        assert verdict.figures["open"] == [name for name, state in zip("ab", arms) if state == "continue"]


def test_of_several_arms_the_best_is_scaled_by_money_and_without_it_by_the_metric():
    rows = [replace(effect(0.2, 1.0), arm="a"), replace(effect(0.4, 1.4), arm="b")]
    assert ask(*rows)[1].arm == "b"
    worth = {"a": Money(value=2.0, low=1.0, high=3.0), "b": Money(value=1.0, low=0.5, high=1.5)}
    assert ask(*rows, money=worth)[1].arm == "a"
    falling = [replace(row, good="down") for row in (effect(-1.0, -0.2), effect(-1.4, -0.4, arm="b"))]
    assert ask(*falling)[1].arm == "b"


# Properties

BOUND = st.floats(-5, 5)


@given(BOUND, BOUND, BOUND, BOUND, st.booleans(), st.booleans(), st.sampled_from([None, 0.5]))
def test_scaled_only_where_everything_is_shown(a, b, c, d, ended, priced, matters):
    low, high = sorted((a, b))
    guard_low, guard_high = sorted((c, d))
    primary = effect(low, high, smallest=Amount(matters) if matters else None)
    worth = money(low - 0.1, high - 0.1) if priced else None
    (decision,), verdict = ask(primary, guard(guard_low, guard_high, MARGIN), ended=ended, money=worth)
    shown = low > 0 and guard_low > -0.5 and (not priced or low > 0.1) and not (matters and high < matters)
    assert (decision.state == "scale") == shown
    assert verdict.state == decision.state
    if decision.state == "harm":
        assert high < 0 or guard_high < -0.5 or (priced and high < 0.1)
    assert decision.state != "continue" or not ended


@given(BOUND, BOUND, st.floats(0, 2), st.floats(0, 2))
def test_a_wider_interval_decides_no_more(a, b, below, above):
    """Whatever is concluded from a wide interval is concluded from a narrower one inside it."""
    low, high = sorted((a, b))
    (narrow,), _ = ask(effect(low, high, smallest=MATTERS))
    (wide,), _ = ask(effect(low - below, high + above, smallest=MATTERS))
    if wide.state in ("scale", "harm") and narrow.state != "futile":
        assert narrow.state == wide.state
    if wide.state == "futile":
        assert narrow.state in ("futile", "harm")
