"""Declaring an experiment: from the file, from Python, from a form; every complaint names its key and line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.config import EXPERIMENT_KEYS, Config, parse_config
from primeta.errors import BadConfig, BadInput, NotFound
from primeta.experiments import declare
from primeta.experiments.declare import (
    basis_of,
    check_plan,
    plan_from,
    plan_from_texts,
    plan_of,
    problems_in,
    texts_of,
)
from primeta.experiments.population import population_problem
from primeta.experiments.records import Amount, Arm, Goal, Plan

HEAD = """\
[workspace]
margin = 0.25

[metrics.basket_visits]
numerator = "visits"
denominator = "base"

[experiments.autumn_offer]
"""
EXAMPLE = """\
hypothesis = "10% off wins back the evening shop"
owner = "Anna Kim"
starts = 2026-12-01
ends = 2027-01-12
population = "age = '35-44'"
primary = "revenue_per_customer"
smallest_effect = "2%"
metrics = ["orders_per_customer", "retention_30", "average_order_value:90"]
planned_n = 40000
segments = ["age"]

[experiments.autumn_offer.arms]
control = { share = 0.5 }
ten = { share = 0.5, cost = 1.2, what = "10% off in a push" }

[experiments.autumn_offer.guardrails]
average_order_value = "-2%"
unsubscribe_rate = "5%"

[experiments.autumn_offer.caps]
revenue_per_customer = 1000
"""
VALUES = {
    "hypothesis": "x",
    "owner": "Anna",
    "starts": date(2026, 12, 1),
    "ends": date(2027, 1, 12),
    "primary": "revenue_per_customer",
    "arms": {"control": 0.5, "ten": 0.5},
}


def config_of(tmp_path: Path, body: str = EXAMPLE, head: str = HEAD) -> Config:
    path = tmp_path / "primeta.toml"
    path.write_text(head + body, encoding="utf-8")
    return parse_config(head + body, path)


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Config:
    return config_of(tmp_path_factory.mktemp("shop"))


def made(config: Config, **changes) -> Plan:
    return plan_from(config, "autumn_offer", {**VALUES, **changes})


# What is read


def test_a_section_of_the_file_becomes_the_whole_plan(config):
    assert plan_of(config, "autumn_offer", attributes=("age", "city")) == Plan(
        name="autumn_offer",
        hypothesis="10% off wins back the evening shop",
        owner="Anna Kim",
        starts=date(2026, 12, 1),
        ends=date(2027, 1, 12),
        population="age = '35-44'",
        control="control",
        arms=(
            Arm(name="control", share=0.5),
            Arm(name="ten", share=0.5, cost=1.2, what="10% off in a push"),
        ),
        goals=(
            # The workspace keeps .25 of the list price: so much is one unit of revenue worth.
            Goal(
                metric="revenue_per_customer",
                window_days=30,
                role="primary",
                smallest=Amount(0.02, relative=True),
                value=0.25,
                cap=1000,
            ),
            Goal(
                metric="average_order_value",
                window_days=30,
                role="guardrail",
                margin=Amount(-0.02, relative=True),
            ),
            # Fewer people who unsubscribe is good: without a sign, it may not rise by more.
            Goal(
                metric="unsubscribe_rate",
                window_days=30,
                role="guardrail",
                margin=Amount(0.05, relative=True),
            ),
            Goal(metric="orders_per_customer", window_days=30),
            Goal(metric="retention_30", window_days=30),
            Goal(metric="average_order_value", window_days=90),
        ),
        planned_n=40_000,
        segments=("age",),
    )


def test_what_is_left_out_has_its_default(config):
    plan = made(config)
    assert (plan.entry, plan.design, plan.looks, plan.level, plan.power) == (
        "arrival",
        "anytime",
        1,
        0.95,
        0.8,
    )
    assert (plan.control, plan.primary.window_days, plan.covariate_days) == ("control", 30, 28)
    # "the smallest effect that matters" of the metric itself
    assert plan.primary.smallest == Amount(0.02, relative=True)
    other = made(config, arms={"nothing": 0.5, "ten": 0.5})
    assert other.control == "nothing"


@pytest.mark.parametrize(
    ("primary", "value"),
    [
        ("revenue_per_customer", 0.25),  # the workspace's margin
        ("margin_per_customer", 1.0),
        ("average_order_value", None),  # money of an order is no money of a customer
        ("orders_per_customer", None),
        ("retention_30", None),
    ],
)
def test_money_of_a_unit_is_known_only_for_money_per_customer(config, primary, value):
    assert made(config, primary=primary).primary.value == value
    assert made(config, primary=primary, value=-3).primary.value == -3


def test_money_is_unknown_without_a_margin(tmp_path):
    config = config_of(tmp_path, head="[experiments.autumn_offer]\n")
    assert plan_from(config, "x", VALUES).primary.value is None


@pytest.mark.parametrize(
    ("metric", "given_", "expected"),
    [
        ("orders_per_customer", "2%", Amount(0.02, relative=True)),
        ("orders_per_customer", "+2%", Amount(0.02, relative=True)),
        ("orders_per_customer", 0.1, Amount(0.1)),
        ("churn", "2%", Amount(-0.02, relative=True)),  # down is good: what matters lies below zero
        ("churn", -0.01, Amount(-0.01)),
        ("churn", "−1%", Amount(-0.01, relative=True)),
        (
            "basket_visits",
            "-2%",
            Amount(-0.02, relative=True),
        ),  # neither is good: the sign says which is meant
    ],
)
def test_the_smallest_effect_points_where_it_is_good(config, metric, given_, expected):
    assert made(config, primary=metric, smallest_effect=given_).primary.smallest == expected


@pytest.mark.parametrize(
    ("metric", "given_", "expected"),
    [
        ("orders_per_customer", "-2%", Amount(-0.02, relative=True)),
        ("orders_per_customer", "2%", Amount(-0.02, relative=True)),
        ("orders_per_customer", 0.02, Amount(-0.02)),
        ("churn", "+0.1%", Amount(0.001, relative=True)),
        ("churn", "0.1%", Amount(0.001, relative=True)),
        ("basket_visits", "-2%", Amount(-0.02, relative=True)),
        ("basket_visits", "+2%", Amount(0.02, relative=True)),
    ],
)
def test_a_guardrails_margin_is_how_much_worse_it_may_get(config, metric, given_, expected):
    plan = made(config, guardrails={metric: given_})
    (guard,) = (goal for goal in plan.goals if goal.role == "guardrail")
    assert guard.margin == expected


def test_retention_brings_its_own_window(config):
    plan = made(config, primary="retention_90", window_days=14, metrics=["retention_7", "conversion"])
    assert [(goal.metric, goal.window_days) for goal in plan.goals] == [
        ("retention_90", 90),
        ("retention_7", 7),
        ("conversion", 14),
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.5", 0.5),
        ("50%", 0.5),
        ("50 %", 0.5),
        ("1/2", 0.5),
        ("0,5", 0.5),
    ],
)
def test_a_share_is_read_as_people_write_it(config, text, value):
    assert made(config, arms={"control": text, "ten": 0.5}).arms[0].share == value


@pytest.mark.parametrize(
    ("text", "value"), [("40 000", 40_000), ("40\u00a0000", 40_000), ("40000", 40_000), ("0", 0)]
)
def test_a_number_is_read_as_people_write_it(config, text, value):
    assert made(config, planned_n=text).planned_n == value


# What is refused


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("primary = \"revenue_per_customer\"", "primary = \"revenu_per_customer\"", ("line 14: ", "primary", "did you mean revenue_per_customer")),
        ("hypothesis = \"10% off wins back the evening shop\"", "", ("line 8: ", "hypothesis", "missing")),
        ("hypothesis = \"10% off wins back the evening shop\"", "hypothesis = '  '", ("line 9: ", "empty")),
        ("ends = 2027-01-12", "ends = 2026-12-01", ("line 12: ", "before anybody can enter")),
        ("ends = 2027-01-12", "ends = 'soon'", ("line 12: ", "a day such as", "soon")),
        ("ends = 2027-01-12", "ends = 2027-01-12T00:00:00", ("line 12: ", "a day such as")),
        ("ten = { share = 0.5, cost", "ten = { share = 0.6, cost", ("line 20: ", "sum to 1.1", "control 0.5, ten 0.6")),
        ("ten = { share = 0.5, cost = 1.2", "ten = { share = 0.5, cost = -1.2", ("line 22: ", "ten", "cost")),
        ("ten = { share = 0.5, cost", "ten = { cost", ("line 22: ", "share is missing")),
        ("control = { share = 0.5 }\n", "", ("arms", "two arms or more")),
        ("control = { share = 0.5 }", "kontrol = { share = 0.5 }\nthird = { share = 0.1 }", ("sum to 1.1",)),
        ("owner = \"Anna Kim\"", "owner = \"Anna Kim\"\ncontrol = 'contrl'", ("line 11: ", "none of the arms control, ten", "did you mean control")),
        ("average_order_value = \"-2%\"", "average_order_value = \"+2%\"", ("line 25: ", "forbids an improvement", '"2%"')),
        ("average_order_value = \"-2%\"", "average_order_value = 0", ("line 25: ", "some room")),
        ("average_order_value = \"-2%\"", "basket_visits = \"2%\"", ("line 25: ", "neither good nor bad")),
        ("average_order_value = \"-2%\"", "revenue_per_customer = \"-2%\"", ("line 25: ", "primary metric too")),
        ("average_order_value = \"-2%\"", "average_order_valu = \"-2%\"", ("line 25: ", "did you mean average_order_value")),
        ("revenue_per_customer = 1000", "revenue_per_customer = 0", ("line 29: ", "a cap is above 0")),
        ("revenue_per_customer = 1000", "churn = 1000", ("line 29: ", "no metric of this experiment")),
        ("\"retention_30\", \"average", "\"retention_30:60\", \"average", ("line 16: ", "30 days ahead by itself")),
        ("\"retention_30\", \"average", "\"retention_30\", \"retention_30\", \"average", ("line 16: ", "retention_30.30d is there twice")),
        ("average_order_value:90", "average_order_value:900", ("line 16: ", "1 to 730")),
        ("average_order_value:90", "average_order_value:soon", ("line 16: ", "a number was expected")),
        ("smallest_effect = \"2%\"", "smallest_effect = \"-2%\"", ("line 15: ", "good when it goes up")),
        ("smallest_effect = \"2%\"", "smallest_effect = 0", ("line 15: ", "above zero")),
        ("smallest_effect = \"2%\"", "smallest_effect = \"two\"", ("line 15: ", "'two")),
        ("planned_n = 40000", "planned_n = 0.5", ("line 17: ", "whole number")),
        ("planned_n = 40000", "planned_n = true", ("line 17: ", "a number was expected")),
        ("planned_n = 40000", "level = 95", ("line 17: ", "write 0.95")),
        ("planned_n = 40000", "level = 0.2", ("line 17: ", "above 0.5")),
        ("planned_n = 40000", "power = 1", ("line 17: ", "below 1")),
        ("planned_n = 40000", "looks = 3", ("line 17: ", "only with design")),
        ("planned_n = 40000", "design = 'sequential'", ("looks", "2 to 100")),
        ("planned_n = 40000", "design = 'bayes'", ("line 17: ", "fixed, sequential, anytime")),
        ("planned_n = 40000", "layer = 'push'\nslots = [0.5, 0.5]", ("line 18: ", "the first below the second")),
        ("planned_n = 40000", "slots = [0.0, 0.5]", ("line 17: ", "name it")),
        ("planned_n = 40000", "slots = [0.5]", ("line 17: ", "two shares")),
        ("planned_n = 40000", "holdout = 1", ("line 17: ", "below 1")),
        ("planned_n = 40000", "ramp = 0", ("line 17: ", "above 0")),
        ("planned_n = 40000", "covariate_days = 400", ("line 17: ", "0 to 365")),
        ("planned_n = 40000", "window_days = 0", ("line 17: ", "1 to 730")),
        ("planned_n = 40000", "entry = 'table'", ("line 17: ", "[tables.assignments]")),
        ("planned_n = 40000", "hash = 'sha'", ("line 17: ", "md5, fnv1a")),
        ("segments = [\"age\"]", "segments = [\"agee\"]", ("line 18: ", "did you mean age")),
        ("segments = [\"age\"]", "segments = \"\"\nstrata = [\"age\", \"age\"]", ("line 19: ", "age is there twice")),
        ("age = '35-44'", "age = '35-44'; drop table customers", ("line 13: ", "semicolon")),
        ("age = '35-44'", "age in (select age from orders)", ("line 13: ", "a query was given")),
        ("age = '35-44'", "agee = '35-44'", ("line 13: ", "did you mean age")),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_its_line(tmp_path, old, new, told):
    assert old in EXAMPLE
    config = config_of(tmp_path, EXAMPLE.replace(old, new, 1))
    with pytest.raises(BadConfig) as error:
        plan_of(config, "autumn_offer", attributes=("age", "city"))
    for part in told:
        assert part in str(error.value)


def test_all_that_is_wrong_is_said_at_once(tmp_path):
    body = EXAMPLE.replace('owner = "Anna Kim"', "owner = 3").replace("planned_n = 40000", "looks = 'many'")
    body = body.replace('primary = "revenue', 'primary = "revenu')
    with pytest.raises(BadConfig) as error:
        plan_of(config_of(tmp_path, body), "autumn_offer")
    assert [line.partition(":")[0] for line in str(error.value).splitlines()] == [
        "primeta.toml, line 10",
        "primeta.toml, line 17",
        "primeta.toml, line 14",
    ]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("hypothesi = 'x'", ("line 9", "not known")),
        ("arms = 3", ("line 9", "a section [experiments.autumn_offer.arms] was expected")),
        ("arms = { ten = { shar = 0.5 } }", ("line 9", "shar", "share")),
        ("[experiments.autumn_offer.arms.ten]\nshar = 0.5", ("line 10", "shar")),
    ],
)
def test_a_key_that_is_not_known_is_refused_when_the_file_is_read(tmp_path, body, told):
    with pytest.raises(BadConfig) as error:
        config_of(tmp_path, body)
    for part in told:
        assert part in str(error.value)


def test_an_experiment_that_is_not_there_is_not_found(config):
    with pytest.raises(NotFound, match="autumn_offer"):
        plan_of(config, "spring_offer")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"arms": [Arm(name="control", share=0.5), Arm(name="control", share=0.5)]}, "there twice"),
        ({"arms": {"control": 0.333, "a": 0.333, "b": 0.333}}, "a third is written as 1/3"),
        ({"arms": {"control": 1.0, "a": 0.0}}, "above 0 and below 1"),
        ({"arms": {"control": 0.5, "a/b": 0.5}}, "short name"),
        ({"arms": "control"}, "name = value was expected"),
        ({"colour": "red"}, "not known"),
        ({"metric": ["churn"]}, "did you mean metrics"),
        ({"smallest_effect": "2000%"}, "more than tenfold"),
        ({"planned_n": "1,000"}, "two ways"),
        ({"value": float("nan")}, "a number was expected"),
    ],
)
def test_python_is_told_the_same(config, changes, told):
    with pytest.raises(BadInput, match=told) as error:
        made(config, **changes)
    assert str(error.value).startswith("experiment autumn_offer: ")


@pytest.mark.parametrize("name", ["", "a b", "a.b", "../x", "x" * 65, "-x"])
def test_a_name_is_fit_for_a_file_and_an_address(config, name):
    with pytest.raises(BadInput, match="name: letters"):
        plan_from(config, name, VALUES)


def test_a_name_may_be_russian(config):
    assert plan_from(config, "осень_2026", VALUES).name == "осень_2026"


def test_three_equal_arms_are_written_as_thirds(config):
    plan = made(config, arms={"control": "1/3", "a": "1/3", "b": "1/3"})
    assert sum(arm.share for arm in plan.arms) == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize(
    ("goals", "told"),
    [
        ((), "exactly one metric decides"),
        ((Goal(metric="churn", window_days=30, role="primary", smallest=Amount(0.02)),), "turn the sign"),
        ((Goal(metric="churn", window_days=30, role="primary", margin=Amount(0.02)),), "only a guardrail"),
        (
            (
                Goal(metric="churn", window_days=30, role="primary"),
                Goal(metric="open_rate", window_days=30, role="guardrail"),
            ),
            "worse it may get is missing",
        ),
        (
            (
                Goal(metric="churn", window_days=30, role="primary"),
                Goal(metric="open_rate", window_days=30, role="guardrail", margin=Amount(0.1)),
            ),
            "forbids an improvement",
        ),
    ],
)
def test_a_plan_made_by_hand_is_held_against_the_same_rules(config, goals, told):
    from dataclasses import replace

    with pytest.raises(BadInput, match=told):
        check_plan(config, replace(made(config), goals=goals))


def test_a_plan_that_was_read_passes_the_check_of_those_made_by_hand(config):
    check_plan(config, plan_of(config, "autumn_offer"), attributes=("age",))


# Population


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "age = '35-44'",
        "age in ('35-44', '45-54') and city <> 'Пермь'",
        "lower(city) like 'м%' or city is null",
        "registered_at >= timestamp '2026-01-01'",
        "try_cast(age as integer) > 30",
    ],
)
def test_a_condition_over_attributes_is_taken(condition):
    assert population_problem(condition, ("age", "city")) == ""
    assert population_problem(condition) == ""


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("true; drop table customers", "semicolon"),
        ("exists (select 1)", "a query was given"),
        ("age = 'x') or (true", "the engine says"),
        ("true) order by (1", "the engine says"),
        ("age = 'x' order by 1", "the engine says"),
        ("true -- ", "the engine says"),
        ("age", "true or false was expected"),
        ("sum(age) > 1", "aggregates"),
        ("nosuch(age) = 1", "nosuch"),
        ("orders.age = 'x'", "write the attribute alone"),
        ("town = 'Perm'", "they have age, city"),
        ("agee = '1'", "did you mean age"),
        # Whoever is asked twice must answer the same: no chance, no clock.
        ("random() < 0.5", "the same answer on every day"),
        ("registered_at > now()", "the same answer on every day"),
        ("registered_at > current_date", "the same answer on every day"),
        ("age(registered_at) > interval 3 day", "the same answer on every day"),
    ],
)
def test_what_is_no_condition_is_refused(condition, told):
    assert told in population_problem(condition, ("age", "city"))


# A form


def test_a_form_is_read_and_shown_again(config):
    texts = {
        "hypothesis": "Ужин",
        "owner": "Анна",
        "starts": "2026-12-01",
        "ends": "2027-01-12",
        "primary": "orders_per_customer",
        "smallest_effect": "1,5%",
        "arms": "control; 50%\n\nten; 50%; 1,2; 10% off; or not",
        "guardrails": "average_order_value = -2%\nunsubscribe_rate:14 = 0,1%",
        "caps": "average_order_value = 10 000",
        "metrics": "churn, visits_per_customer:90\nitems_per_order",
        "level": "95%",
        "layer": "push",
        "slots": "0 – 50%",
        "population": "",
    }
    plan = plan_from_texts(config, "dinner", texts)
    assert plan.arms == (
        Arm(name="control", share=0.5),
        Arm(name="ten", share=0.5, cost=1.2, what="10% off; or not"),
    )
    assert [(goal.name, goal.role, goal.margin, goal.cap) for goal in plan.goals] == [
        ("orders_per_customer.30d", "primary", None, None),
        ("average_order_value.30d", "guardrail", Amount(-0.02, relative=True), 10_000),
        ("unsubscribe_rate.14d", "guardrail", Amount(0.001, relative=True), None),
        ("churn.30d", "secondary", None, None),
        ("visits_per_customer.90d", "secondary", None, None),
        ("items_per_order.30d", "secondary", None, None),
    ]
    assert (plan.level, plan.slots) == (0.95, (0.0, 0.5))
    assert plan.primary.smallest == Amount(0.015, relative=True)
    assert problems_in(config, "dinner", texts) == ()
    assert plan_from_texts(config, "dinner", texts_of(plan)) == plan


def test_a_form_with_mistakes_says_which_fields(config):
    found = problems_in(
        config,
        "dinner",
        {
            "owner": "Anna",
            "arms": "control\nten; half",
            "guardrails": "churn",
            "looks": "two",
            "primary": "churn",
        },
    )
    keys = [(problem.key, problem.part) for problem in found]
    assert set(keys) == {
        ("arms", ""),
        ("guardrails", ""),
        ("looks", ""),
        ("hypothesis", ""),
        ("starts", ""),
        ("ends", ""),
    }
    with pytest.raises(BadInput, match="a line such as"):
        plan_from_texts(config, "dinner", {"arms": "control"})


SHARES = st.lists(st.integers(1, 50), min_size=2, max_size=5).map(
    lambda parts: tuple(part / sum(parts) for part in parts)
)
AMOUNTS = st.tuples(st.floats(0.0001, 9), st.booleans())


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_plan_shown_as_a_form_is_read_back_as_the_same_plan(config, data):
    draw = data.draw
    shares = draw(SHARES)
    words = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12)

    def amount(sign: int) -> Amount:
        size, relative = draw(AMOUNTS)
        return Amount(sign * size, relative=relative)

    plan = Plan(
        name="x",
        hypothesis=draw(words),
        owner=draw(words),
        starts=date(2026, 12, 1),
        ends=date(2026, 12, 1 + draw(st.integers(1, 30))),
        arms=tuple(
            Arm(name=f"arm {place}", share=share, cost=draw(st.floats(0, 1e6)), what=draw(st.sampled_from(["", "a; b", "c"])))
            for place, share in enumerate(shares)
        ),
        control="arm 1",
        goals=(
            Goal(
                metric="churn",
                window_days=draw(st.integers(1, 730)),
                role="primary",
                smallest=amount(-1),
                value=draw(st.floats(-1e6, 1e6)),
            ),
            Goal(metric="orders_per_customer", window_days=30, role="guardrail", margin=amount(-1), cap=draw(st.floats(1e-3, 1e6))),
            Goal(metric="unsubscribe_rate", window_days=30, role="guardrail", margin=amount(1)),
            Goal(metric="retention_30", window_days=30),
        ),
        level=draw(st.floats(0.51, 0.999)),
        power=draw(st.floats(0.1, 0.99)),
        planned_n=draw(st.integers(0, 10**9)),
        layer="push",
        slots=(0.25, draw(st.floats(0.3, 1))),
        holdout=draw(st.floats(0, 0.5)),
        ramp=draw(st.floats(0.01, 1)),
        design=draw(st.sampled_from(["fixed", "anytime"])),
        segments=("age", "city"),
        population=draw(st.sampled_from(["", "age = '35-44'"])),
    )  # fmt: skip
    check_plan(config, plan)
    assert plan_from_texts(config, "x", texts_of(plan)) == plan


# What it rests on


def test_the_definitions_of_the_metrics_are_kept_with_the_plan(config):
    basis = basis_of(config, plan_of(config, "autumn_offer"))
    assert set(basis.metrics) == {
        "revenue_per_customer",
        "average_order_value",
        "unsubscribe_rate",
        "orders_per_customer",
        "retention_30",
    }
    assert basis.metrics["revenue_per_customer"].numerator == "revenue"
    assert basis.margin is None
    # margin_per_customer is made of the workspace's margin where orders carry none.
    assert basis_of(config, made(config, primary="margin_per_customer")).margin == 0.25


def test_every_key_can_be_shown_in_a_form(config):
    assert tuple(texts_of(made(config))) == EXPERIMENT_KEYS
    assert set(declare._EXPECTED) == set(declare.REQUIRED)
