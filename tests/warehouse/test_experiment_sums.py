"""Sums of an experiment by arm, segment and day of entry, against plain Python; what is kept and what is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from naive_experiment import arriving, enters, first_rows, values
from test_exposures import ENDS, STARTS, entering, halves
from warehouse_workspace import START, random_company, write_company

from primeta.stats.moments import Moments
from primeta.warehouse.duck import connect
from primeta.warehouse.engine import open_warehouse
from primeta.warehouse.experiment_sums import View, experiment_sums, first_whole_day
from primeta.warehouse.exposures import enter
from primeta.warehouse.facts_store import refresh_facts
from primeta.warehouse.kept_sums import WHOLE, Cells, joined, load_kept, save_kept
from primeta.warehouse.metric import Measure
from primeta.warehouse.metrics import METRICS, declared_metrics
from primeta.warehouse.outcomes import Outcome, outcome_of, valued

# What a metric's sides are in an experiment (warehouse.outcomes); None: everybody assigned
SIDES = {
    "revenue_per_customer": ("revenue", None),
    "orders_per_customer": ("orders", None),
    "margin_per_customer": ("margin", None),
    "average_order_value": ("revenue", "orders"),
    "conversion": ("order", None),
    "retention_7": ("order", None),
    "churn": ("order", None),
    "reactivation_rate": ("order", None),
    "discount_share": ("discount", "list_price"),
    "items_per_order": ("items", "orders"),
    "categories_per_customer": ("categories", None),
    "visits_per_customer": ("visits", None),
    "open_rate": ("opened", "delivered"),
    "click_to_open": ("clicked", "opened"),
    "unsubscribe_rate": ("unsubscribed", "delivered"),
}
COVARIATE_DAYS = 28
UNCUT = (View(name=WHOLE),)
TODAY = date(2023, 4, 2)


class Made:
    """A small company with an experiment on it, in facts and in plain Python."""

    def __init__(self, folder, *, seed=1, zone="Europe/Moscow", entry="arrival", until=None, company=None):
        self.company = company or arriving(
            random_company(seed, days=90, customers=250, zone=zone), START.date(), 80
        )
        self.config = write_company(self.company, folder, zone=zone, until=until)
        self.file = folder / "in.parquet"
        self.spec = entering(entry=entry, attributes=("region", "age"))
        self.refresh()

    def refresh(self):
        with open_warehouse(self.config) as warehouse:
            self.facts = refresh_facts(warehouse).facts
        with connect() as connection:
            self.entered = enter(connection, self.facts, self.spec, file=self.file, today=TODAY, draw=halves)

    def people(self):
        came = first_rows(self.company)
        found = {}
        with connect() as connection:
            arms = dict(connection.execute(f"SELECT customer_id, arm FROM '{self.file}'").fetchall())
        rows = (*self.company.orders, *self.company.messages, *self.company.visits)
        for customer in sorted({row["customer_id"] for row in rows}):
            # a message that was withheld is no first row, but its customer is known
            if entry := enters(self.spec.entry, came.get(customer), STARTS, ENDS):
                found[customer] = (*entry, arms[customer])
        return found

    def sums(self, outcomes, *, views=UNCUT, kept=None, at_once=10**6):
        with connect() as connection:
            return experiment_sums(
                connection,
                self.facts,
                self.entered,
                [(outcome, views) for outcome in outcomes],
                kept=kept,
                at_once=at_once,
            )


def outcome(config, name, *, window_days=14, cap=None, covariate_days=COVARIATE_DAYS):
    found = outcome_of(
        declared_metrics(config)[name],
        config,
        name=name,
        window_days=window_days,
        cap=cap,
        covariate_days=covariate_days,
    )
    assert isinstance(found, Outcome)
    return found


def naive_columns(made, one, people, name, cap=None):
    """Customer → the columns of an outcome."""
    top, bottom = SIDES[name]
    above = values(made.company, people, top, edges=one.edges, before=one.covariate_days, cap=cap)
    below = (
        values(made.company, people, bottom, edges=one.edges, before=one.covariate_days) if bottom else None
    )
    found = {}
    for customer in people:
        blocks = above[customer][1:].copy()
        if name == "churn":
            # 1 in the first block, less his order wherever it falls
            blocks = -blocks
            blocks[0] += 1
        parts = [blocks]
        if below is not None:
            parts.append(below[customer][1:])
        if one.covariate_days:
            parts.append(above[customer][:1])
            if below is not None:
                parts.append(below[customer][:1])
        found[customer] = np.concatenate(parts)
    return found


def check(made, one, cells, name, *, value_of=lambda customer: "", cap=None):
    people = made.people()
    columns = naive_columns(made, one, people, name, cap)
    moments = cells.moments()
    assert cells.columns == one.columns
    seen = 0
    for a, arm in enumerate(made.entered.arms):
        for v, value in enumerate(cells.values):
            for c, day in enumerate(cells.days):
                rows = [
                    columns[customer]
                    for customer, (entered, _, drawn) in people.items()
                    if (entered, drawn, value_of(customer)) == (day, arm, value)
                ]
                seen += len(rows)
                assert moments.n[a, v, c] == len(rows)
                if rows:
                    wanted = Moments.of_rows(np.array(rows))
                    np.testing.assert_allclose(moments.mean[a, v, c], wanted.mean, atol=1e-9, err_msg=name)
                    np.testing.assert_allclose(
                        moments.scatter[a, v, c], wanted.scatter, atol=1e-6, err_msg=name
                    )
                    if one.kind == "mean":
                        whole = np.array(rows)[:, : one.blocks].sum(axis=1)
                        assert cells.third[a, v, c] == pytest.approx((whole**3).sum(), rel=1e-9, abs=1e-6)
    assert seen == len(people)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Made(tmp_path_factory.mktemp("sums"))


@pytest.mark.parametrize("name", SIDES)
def test_every_metric_equals_plain_python_by_arm_and_day_of_entry(made, name):
    one = outcome(made.config, name, window_days=7 if name == "retention_7" else 14)
    kept, work = made.sums([one])
    check(made, one, kept.cells[one.key, WHOLE], name)
    assert work.computed == len(made.entered.days)


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6),
    entry=st.sampled_from(["list", "arrival"]),
    names=st.lists(st.sampled_from(sorted(SIDES)), min_size=2, max_size=5, unique=True),
    window=st.integers(1, 45),
    before=st.integers(0, 30),
    at_once=st.sampled_from([29, 10**6]),
)
def test_any_metrics_windows_and_ranges_equal_plain_python(
    tmp_path_factory, seed, entry, names, window, before, at_once
):
    made = Made(tmp_path_factory.mktemp("any"), seed=seed, entry=entry)
    outcomes = [outcome(made.config, name, window_days=window, covariate_days=before) for name in names]
    kept, _ = made.sums(outcomes, at_once=at_once)
    for one in outcomes:
        check(made, one, kept.cells[one.key, WHOLE], one.name)


@given(order=st.permutations(range(6)), cut=st.integers(1, 5))
def test_days_that_are_joined_are_the_same_in_any_order(order, cut):
    rng = np.random.default_rng(1)
    whole = Cells(
        values=("n", "s"),
        days=tuple(STARTS + timedelta(days=day) for day in range(6)),
        keys=tuple("abcdef"),
        table=rng.random((2, 2, 6, 4)),
    )
    days = [whole.days[place] for place in order]
    back = joined([whole.only(days[:cut]), whole.only(days[cut:])])
    assert (back.days, back.keys, back.values) == (whole.days, whole.keys, whole.values)
    np.testing.assert_array_equal(back.table, whole.table)


def test_a_value_that_some_days_lack_has_no_customers_there():
    one = Cells(values=("n",), days=(STARTS,), keys=("a",), table=np.ones((2, 1, 1, 4)))
    two = Cells(values=("s",), days=(STARTS + timedelta(days=1),), keys=("b",), table=np.ones((2, 1, 1, 4)))
    both = joined([two, one])
    assert both.values == ("n", "s")
    assert both.table[:, :, :, 0].tolist() == [[[1, 0], [0, 1]]] * 2


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
@pytest.mark.parametrize("entry", ["list", "arrival"])
def test_days_are_cut_in_the_workspaces_zone(tmp_path, zone, entry):
    made = Made(tmp_path, seed=5, zone=zone, entry=entry)
    for name in ("revenue_per_customer", "conversion"):
        one = outcome(made.config, name)
        check(made, one, made.sums([one])[0].cells[one.key, WHOLE], name)


def test_all_together_in_small_ranges_and_in_one_are_the_same(made):
    outcomes = [
        outcome(made.config, name, window_days=days)
        for name, days in (("revenue_per_customer", 14), ("average_order_value", 10), ("churn", 30),
                           ("categories_per_customer", 7), ("open_rate", 7), ("items_per_order", 20))
    ]  # fmt: skip
    whole, _ = made.sums(outcomes)
    ranges, _ = made.sums(outcomes, at_once=37)
    for one in outcomes:
        check(made, one, whole.cells[one.key, WHOLE], one.name)
        np.testing.assert_allclose(
            ranges.cells[one.key, WHOLE].table, whole.cells[one.key, WHOLE].table, atol=1e-6
        )


def test_segments_and_strata_are_cut_as_plain_python_cuts_them(made):
    one = outcome(made.config, "revenue_per_customer")
    views = (View(name=WHOLE, attributes=("region", "age")), View(name="age", attributes=("age",)))
    kept, _ = made.sums([one], views=views)
    strata = lambda customer: f"region=r{int(customer) % 2}&age=a{int(customer) % 3}"  # noqa: E731
    check(made, one, kept.cells[one.key, WHOLE], one.name, value_of=strata)
    check(made, one, kept.cells[one.key, "age"], one.name, value_of=lambda c: f"a{int(c) % 3}")


def test_a_cap_counts_the_numerator_up_to_it_over_the_whole_window(made):
    one = outcome(made.config, "revenue_per_customer", cap=30.0)
    kept, _ = made.sums([one])
    check(made, one, kept.cells[one.key, WHOLE], one.name, cap=30.0)


def test_a_metric_of_the_teams_own_is_summed(made):
    metric = replace(
        declared_metrics(made.config)["average_order_value"],
        numerator=Measure(table="orders", sum="1", where="revenue > 25 AND NOT is_return"),
        denominator="base",
    )
    one = outcome_of(metric, made.config, name="big", window_days=14, covariate_days=7)
    kept, _ = made.sums([one])
    people = made.people()
    orders = [
        o
        for o in made.company.orders
        if o["revenue"] > 25 and not o["is_return"] and o["customer_id"] in people
    ]
    wanted = 0
    for order in orders:
        entered, since, _ = people[order["customer_id"]]
        days = (order["day"] - entered).days
        wanted += 0 <= days < 14 and not (days == 0 and since and order["ordered_at"] < since)
    moments = kept.cells[one.key, WHOLE].moments()
    assert (moments.n[..., None] * moments.mean[..., : one.blocks]).sum() == pytest.approx(wanted)


def test_money_is_what_the_valued_goals_bring_together(made):
    revenue = outcome(made.config, "revenue_per_customer", window_days=14)
    visits = outcome(made.config, "visits_per_customer", window_days=7)
    churn = outcome(made.config, "churn", window_days=10)
    money = valued([(revenue, 0.4), (visits, 2.0), (churn, -5.0)], name="money")
    assert money.edges == (0, 1, 3, 7, 10, 14)
    kept, _ = made.sums([money])
    people = made.people()
    parts = [
        (naive_columns(made, one, people, one.name), worth, one)
        for one, worth in ((revenue, 0.4), (visits, 2.0), (churn, -5.0))
    ]
    total = {c: sum(worth * columns[c][: one.blocks].sum() for columns, worth, one in parts) for c in people}
    moments = kept.cells[money.key, WHOLE].moments().merged(1).merged(1)
    blocks = slice(0, money.blocks)
    for a, arm in enumerate(made.entered.arms):
        mine = np.array([total[c] for c, (_, _, drawn) in people.items() if drawn == arm])
        assert moments.mean[a, blocks].sum() == pytest.approx(mine.mean())
        assert moments.scatter[a, blocks, blocks].sum() == pytest.approx(((mine - mine.mean()) ** 2).sum())


def test_a_metric_that_an_experiment_cannot_move_says_so(made):
    metric = replace(declared_metrics(made.config)["churn"], numerator="base", denominator="silent")
    assert outcome_of(metric, made.config, name="x", window_days=7) == "known-before"


def test_every_metric_of_primeta_has_a_meaning(made):
    for metric in METRICS:
        assert isinstance(outcome_of(metric, made.config, name=metric.name, window_days=30), Outcome)


# Times


def order(number, customer, at, *, revenue=10.0):
    moment = datetime.fromisoformat(at).astimezone(START.tzinfo)
    return {"order_id": f"x{number}", "customer_id": customer, "ordered_at": moment, "revenue": revenue,
            "discount": 0.0, "is_return": False, "day": date.fromisoformat(at[:10])}  # fmt: skip


def test_on_the_day_of_entry_only_what_comes_after_it_counts_where_times_are_known(tmp_path):
    company = random_company(1, days=90, customers=60)
    company.orders.clear()
    company.orders += [
        # assigned at noon: the order before does not count, the one after does
        order(1, "0001", "2023-02-03T09:00:00+03:00"),
        order(2, "0001", "2023-02-03T13:00:00+03:00"),
        # an order at midnight carries a day only: nobody knows that it was before
        order(3, "0002", "2023-02-03T00:00:00+03:00"),
        # at the very moment of assignment: money counts, as an event it does not
        order(4, "0003", "2023-02-03T12:00:00+03:00"),
        # an assignment without a time: the whole day counts
        order(5, "0004", "2023-02-03T00:30:00+03:00"),
    ]
    from test_exposures import assigned
    from test_exposures import row as assignment

    config = write_company(company, tmp_path)
    rows = [assignment(f"000{n}", "a", "2023-02-03 12:00") for n in (1, 2, 3)]
    rows += [assignment("0004", "a", "2023-02-03"), assignment("0005", "control", "2023-02-03")]
    entered = assigned(config, rows, entering(entry="table"), tmp_path / "in.parquet")
    with open_warehouse(config) as warehouse:
        facts = refresh_facts(warehouse).facts
    revenue, bought = outcome(config, "revenue_per_customer"), outcome(config, "conversion")
    with connect() as connection:
        kept, _ = experiment_sums(connection, facts, entered, [(revenue, UNCUT), (bought, UNCUT)])
    at = entered.arms.index("a")
    n = kept.cells[revenue.key, WHOLE].moments().n[at].sum()
    assert n == 4
    assert kept.cells[revenue.key, WHOLE].moments().mean[at, 0, 0, 0] * n == pytest.approx(40.0)
    assert kept.cells[bought.key, WHOLE].moments().mean[at, 0, 0, 0] * n == pytest.approx(3.0)


# What is kept


def test_days_whose_months_did_not_change_are_not_computed_again(tmp_path):
    company = arriving(random_company(1, days=150, customers=250), START.date(), 80)
    made = Made(tmp_path, company=company, until=START + timedelta(days=100))
    one = outcome(made.config, "revenue_per_customer", window_days=14)
    kept, first = made.sums([one])
    path = tmp_path / "kept.npz"
    save_kept(path, kept)
    assert (first.kept, first.computed) == (0, len(made.entered.days))
    _, again = made.sums([one], kept=load_kept(path))
    assert (again.kept, again.computed, again.rows) == (len(made.entered.days), 0, {})
    # fifty more days of facts: April grew, February and March are as they were
    write_company(company, tmp_path)
    made.refresh()
    later, third = made.sums([one], kept=load_kept(path))
    touched = [day for day in made.entered.days if (day + timedelta(days=13)).month >= 4]
    assert third.computed == len(touched)
    check(made, one, later.cells[one.key, WHOLE], one.name)


def test_a_changed_definition_is_computed_again_and_others_stay(made):
    one, two = outcome(made.config, "revenue_per_customer"), outcome(made.config, "visits_per_customer")
    kept, _ = made.sums([one, two])
    capped = outcome(made.config, "revenue_per_customer", cap=20.0)
    _, work = made.sums([capped, two], kept=kept)
    assert (work.computed, work.kept) == (len(made.entered.days),) * 2


def test_new_members_of_a_day_are_noticed(tmp_path):
    made = Made(tmp_path)
    one = outcome(made.config, "revenue_per_customer")
    kept, _ = made.sums([one])
    marks = list(made.entered.marks)
    marks[3] = "another"
    made.entered = replace(made.entered, marks=tuple(marks))
    _, work = made.sums([one], kept=kept)
    assert work.computed == 1


def test_a_file_that_is_cut_off_counts_as_missing(tmp_path, made):
    kept, _ = made.sums([outcome(made.config, "revenue_per_customer")])
    path = tmp_path / "kept.npz"
    save_kept(path, kept)
    whole = path.read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert load_kept(path) is None
    assert load_kept(tmp_path / "nothing.npz") is None
    path.write_bytes(whole)
    found = load_kept(path)
    assert found is not None
    assert found.cells.keys() == kept.cells.keys()
    for place, cells in kept.cells.items():
        np.testing.assert_array_equal(found.cells[place].table, cells.table)
        assert (found.cells[place].days, found.cells[place].keys) == (cells.days, cells.keys)


def test_too_many_segments_are_left_whole_and_counted(made, monkeypatch):
    monkeypatch.setattr("primeta.warehouse.experiment_sums.MOST_VALUES", 2)
    one = outcome(made.config, "revenue_per_customer")
    views = (
        View(name=WHOLE, attributes=("age",)),
        View(name="age", attributes=("age",)),
        View(name="region", attributes=("region",)),
    )
    kept, work = made.sums([one], views=views)
    assert work.too_many == {WHOLE: 3, "age": 3}
    assert {view for _, view in kept.cells} == {WHOLE, "region"}
    check(made, one, kept.cells[one.key, WHOLE], one.name)


def test_reactions_are_waited_for(made):
    orders, opened = outcome(made.config, "conversion"), outcome(made.config, "open_rate")
    complete = made.facts.complete
    assert first_whole_day(made.facts, orders, TODAY + timedelta(days=99)) == complete["orders"]
    # REACTION_DAYS: a reaction counts within 72 hours of its message
    assert first_whole_day(made.facts, opened, TODAY + timedelta(days=99)) == complete[
        "messages"
    ] - timedelta(days=3)
    assert first_whole_day(made.facts, orders, date(2023, 2, 2)) == date(2023, 2, 2)
