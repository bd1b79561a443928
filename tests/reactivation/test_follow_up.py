"""What a follow-up counts, on logs small enough to be counted by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from primeta.reactivation.door import campaign_of, follow_given
from primeta.reactivation.normality import lapsed_again, norm_of, normal
from primeta.reactivation.records import TOTALS, Campaign, FollowUp
from primeta.reactivation.rhythm import RhythmPrior

UNTIL = "2026-03-31"
START = "2026-01-01"
ASSIGNED = {"customer_id": ["a", "b", "c", "d"], "arm": ["none", "none", "mail", "mail"]}


def question(**changed: Any) -> Campaign:
    given: dict[str, Any] = {
        "until": UNTIL,
        "control": "none",
        "window": "14d",
        "horizon": "84d",
        "margin": 0.4,
    }
    return campaign_of(**{**given, **changed})


def table(*rows: tuple[Any, ...], names: str = "order_id customer_id ordered_at revenue discount promo_code"):
    columns = names.split()
    return {name: [row[at] if at < len(row) else None for row in rows] for at, name in enumerate(columns)}


def counted(orders: Any, *, assigned: Any = None, ask: dict[str, Any] | None = None, **more: Any) -> FollowUp:
    assigned = assigned or {**ASSIGNED, "assigned_at": [START] * 4}
    return follow_given(orders, assigned, question(**(ask or {})), **more)


def codes(found: FollowUp) -> dict[str, dict[str, Any]]:
    return {note.code: dict(note.values) for note in found.notes}


def total(found: FollowUp, measure: str) -> list[float]:
    """By arm: control, mail."""
    return found.sums[measure].sum(axis=(0, 2, 3)).tolist()


def test_orders_returns_and_money_of_an_order():
    # money = revenue − .6 × (revenue + discount): 100 − .6·120 = 28; the return −50 with −10: −50 + .6·60 = −14
    found = counted(
        table(
            ("1", "a", "2025-12-31 23:59:59", 70, 0),
            ("2", "a", "2026-01-01", 100, 20),
            ("3", "a", "2026-01-05 10:00", -50, -10),
            ("4", "c", "2026-02-10", 60, 0),
        )
    )
    assert found.arms == ("none", "mail")
    assert total(found, "orders") == [1, 1]
    assert total(found, "revenue") == [50, 60]
    assert total(found, "list_price") == [60, 60]
    assert total(found, "money") == pytest.approx([14, 24])
    assert total(found, "first_returns") == [1, 1]
    assert total(found, "first_money") == pytest.approx([28, 24])
    assert total(found, "discounted_orders") == [1, 0]
    # the order of 10 February is on day 40: in the block of days 35 to 42
    assert found.edges[:8] == (0, 7, 14, 21, 28, 35, 42, 49)
    assert found.edges[-1] == 84
    assert found.sums["orders"][0, 1].sum(axis=0).tolist()[5] == 1
    # 1 January to the end of 31 March are 90 days: everybody lived through the horizon
    assert found.seen_days == 84
    assert found.at_risk.sum() == 4 * 12
    window = dict(zip(TOTALS, found.window.mean[0, 0].tolist(), strict=True))
    assert window["money"] == pytest.approx(7)
    assert window["returned"] == 0.5
    assert window["orders"] == 0.5
    assert found.before["orders"].tolist() == [[1, 0]]
    assert found.before["revenue"].tolist() == [[70, 0]]


def test_margin_of_the_orders_counts_where_they_have_one_and_may_be_negative():
    orders = table(
        ("1", "a", "2026-01-02", 100, 0, -5), ("2", "c", "2026-01-02", 100, 0, None),
        names="order_id customer_id ordered_at revenue discount margin",
    )  # fmt: skip
    assert total(counted(orders), "money") == pytest.approx([-5, 40])


def test_annual_discount_goes_back_to_the_assignment():
    # a year's rate of 10%: 73 days later money is worth 1.1^(−73/365) = 1.1^−.2
    found = counted(table(("1", "a", "2026-03-15", 100, 0)), ask={"annual_discount": 0.1})
    assert total(found, "present")[0] == pytest.approx(40 * 1.1**-0.2)


def test_a_customer_counts_in_a_block_only_if_he_was_followed_through_it():
    # d came on 20 March: 12 days to the end of 31 March cover one block of 7; his order on day 8 lies in no block
    found = counted(
        table(("1", "d", "2026-03-22", 10, 0), ("2", "d", "2026-03-28", 30, 0)),
        assigned={**ASSIGNED, "assigned_at": [START] * 3 + ["2026-03-20"]},
    )
    assert found.at_risk.sum(axis=(0, 2))[1].tolist() == [2, *[1] * 11]
    assert total(found, "revenue") == [0, 10]
    # two in each arm: half of each lived through everything
    assert found.seen_days == 84
    assert found.window.n.tolist() == [[2, 1]]
    tail = found.tail
    assert sorted(tail.followed.tolist()) == [7, 84, 84, 84]
    assert tail.halfway is not None
    assert tail.halfway["followed"].tolist() == (tail.followed / 2).tolist()


def test_the_state_at_the_end_and_at_half():
    # assigned on day 0, ordered on days 10, 20 and 60 of 84; at day 42 the last one had not come yet
    found = counted(
        table(("1", "c", "2026-01-11", 10), ("2", "c", "2026-01-21", 10), ("3", "c", "2026-03-02", 50))
    )
    back = int(np.flatnonzero(found.tail.later)[0])
    tail = found.tail
    assert (tail.returned_at[back], tail.later[back], tail.last[back]) == (10, 2, 50)
    assert tail.halfway is not None
    halfway = {name: float(column[back]) for name, column in tail.halfway.items()}
    assert halfway == pytest.approx(
        {"followed": 42, "returned_at": 10, "later": 1, "last": 10, "then_orders": 1, "then_present": 20}
    )
    assert tail.count.sum() == 4


def test_later_orders_gaps_and_discounts():
    found = counted(
        table(
            ("1", "c", "2026-01-11", 90, 10),
            ("2", "c", "2026-01-21", 50, 0),
            ("3", "c", "2026-03-02", 30, 10),
        )
    )
    traits = {name: float(values[0, 1].sum()) for name, values in found.traits.items()}
    assert traits["later_orders"] == 2
    assert traits["gaps"] == 2
    assert traits["gap_days"] == 50
    assert traits["later_discounted"] == 1
    assert (traits["later_list_price"], traits["later_discount"]) == (90, 10)
    assert found.traits_squared["gap_days"][0, 1].sum() == 2500


def test_lines_are_summed_by_order_and_rows_written_twice_count_once():
    rows = (
        ("1", "a", "2026-01-03", 10, 1), ("1", "a", "2026-01-03", 20, 2), ("1", "a", "2026-01-09", -5, 0),
        ("2", "c", "2026-01-03", 10, 0), ("2", "c", "2026-01-03", 10, 0),
    )  # fmt: skip
    found = counted(table(*rows))
    assert total(found, "orders") == [1, 1]
    assert total(found, "revenue") == [25, 10]
    assert codes(found)["orders-twice"] == {"rows": 1}
    # a receipt may well list the same product twice
    lines = {**table(*rows), "product_id": ["x"] * 5}
    del lines["promo_code"]
    alone = counted(None, lines=lines)
    assert total(alone, "orders") == [1, 1]
    assert total(alone, "revenue") == [25, 20]


def test_orders_without_ids_are_orders_by_themselves():
    orders = table(("a", "2026-01-03", 10), ("a", "2026-01-03", 10), names="customer_id ordered_at revenue")
    assert total(counted(orders), "orders") == [2, 0]


def test_a_code_counts_by_arm_and_claims_orders():
    found = counted(
        table(
            ("1", "a", "2026-01-12", 90, 10, "BACK"), ("2", "c", "2026-01-12", 90, 10, " back "),
            ("3", "d", "2026-01-12", 80, 20, "OTHER"),
        ),
        ask={"promo_code": {"mail": "Back"}},
    )  # fmt: skip
    # the control has no code of its own: everyday discounts are all it has
    assert total(found, "code_discount") == [10, 10]
    assert found.has_code == (False, True)
    # day 11 is past the 7 days of attribution: only the code claims it
    assert total(found, "attributed_orders") == [0, 1]
    assert [sorted(discount.tolist()) for discount, _, _ in found.discounts] == [[10], [0, 10]]


def test_orders_are_attributed_to_messages_and_messages_cost():
    messages = table(
        ("m1", "c", "2026-01-01 09:00", "winback", 0.5, False), ("m2", "d", "2026-01-01 09:00", "winback", 0.5, True),
        ("m3", "d", "2026-01-02 09:00", "spring", 9, False),
        names="message_id customer_id sent_at campaign cost withheld",
    )  # fmt: skip
    orders = table(("1", "a", "2026-01-02", 10), ("2", "c", "2026-01-05", 10), ("3", "d", "2026-01-05", 10))
    assigned = {**ASSIGNED, "assigned_at": [START] * 4, "experiment": ["winback"] * 4}
    found = counted(orders, assigned=assigned, messages=messages)
    # d's own message was withheld, the other one is another campaign's
    assert total(found, "attributed_orders") == [0, 1]
    assert total(found, "contact") == [0, 0.5]
    assert found.contamination["campaigns"].tolist() == [0, 0.5]
    assert found.window.mean[0, 1, TOTALS.index("money")] == pytest.approx((4 + 4 - 0.5) / 2)
    # an open by a machine is none; a click on 4 January reaches to 11 January
    reactions = table(
        ("m1", "opened", "2026-01-01 09:01", True), ("m1", "clicked", "2026-01-04", False),
        names="message_id kind happened_at machine",
    )  # fmt: skip
    late = table(("2", "c", "2026-01-10", 10), ("3", "c", "2026-01-02", 10))
    clicked = counted(late, assigned=assigned, messages=messages, reactions=reactions)
    assert total(clicked, "attributed_orders") == [0, 1]
    # without the campaign's name any message after the assignment counts, and a note says so
    unnamed = counted(orders, messages={name: messages[name] for name in ("customer_id", "sent_at")})
    assert total(unnamed, "attributed_orders") == [0, 2]
    assert "messages-any" in codes(unnamed)


def test_contact_costs_once_each_where_messages_carry_none():
    found = counted(table(("1", "a", "2026-01-02", 10)), ask={"contact_cost": {"mail": 0.25}})
    assert total(found, "contact") == [0, 0.5]
    assert found.window.mean[0, 1, TOTALS.index("money")] == -0.25


def test_other_experiments_at_the_same_time_are_counted():
    assigned = {
        "experiment": ["x", "x", "x", "x", "y", "y"],
        "customer_id": ["a", "b", "c", "d", "c", "d"],
        "arm": [*ASSIGNED["arm"], "t", "t"],
        # y met c in the middle of his follow-up, and d a year before it
        "assigned_at": [START] * 4 + ["2026-02-01", "2025-01-01"],
    }
    found = counted(table(("1", "a", "2026-01-02", 10)), assigned=assigned, ask={"experiment": "x"})
    assert found.contamination["experiments"].tolist() == [0, 0.5]
    assert found.contamination["share"].tolist() == [0, 0.5]
    assert found.campaign.name == "x"


def test_segments_are_those_of_the_first_assignment():
    assigned = {
        "customer_id": ["a", "b", "c", "d", "c"],
        "arm": [*ASSIGNED["arm"], "mail"],
        "assigned_at": [START] * 4 + ["2026-02-01"],
        "value": ["low", "high", "low", None, "high"],
    }
    found = counted(table(("1", "c", "2026-01-02", 10)), assigned=assigned, ask={"by": "value"})
    assert found.segments == ("?", "high", "low")
    assert found.n.sum(axis=2).tolist() == [[0, 1], [1, 0], [1, 1]]
    assert codes(found)["assigned-again"] == {"customers": 1}
    assert codes(found)["by-changes"] == {"customers": 1, "by": "value"}
    assert found.sums["orders"].sum(axis=(2, 3)).tolist() == [[0, 0], [0, 0], [0, 1]]


def test_visits_and_categories():
    visits = table(
        ("c", "2025-12-30", "shoes"), ("c", "2026-01-01", "shoes"), ("c", "2026-01-02", "hats"),
        ("c", "2026-02-20", None),
        names="customer_id happened_at category",
    )  # fmt: skip
    lines = table(
        ("1", "p1", "hats", 5), ("1", "p2", "hats", 5), ("2", "p3", "belts", 5), ("3", "p4", "ties", -5),
        names="order_id product_id category revenue",
    )  # fmt: skip
    orders = table(("1", "c", "2026-01-03", 10), ("2", "c", "2026-01-20", 5), ("3", "c", "2026-02-01", -5))
    found = counted(orders, visits=visits, lines=lines)
    traits = {name: float(values[0, 1].sum()) for name, values in found.traits.items()}
    assert traits["categories"] == 2
    assert traits["categories_viewed"] == 2
    assert traits["visits"] == 3
    # three visits within seven days before the order of 3 January, none before that of 20 January
    assert (traits["visits_before"], traits["visited_orders"]) == (3, 2)
    assert total(found, "visits") == [0, 3]


def test_what_is_left_out_is_noted():
    found = counted(
        table(
            ("1", "a", "2026-01-02", 10, None, "paid"), ("2", "a", "2026-01-03", 10, None, "Cancelled"),
            ("3", None, "2026-01-03", 25, None, "paid"), ("4", "guest", "2026-01-03", 25, None, "paid"),
            ("5", "c", "2026-04-02", 10, None, "paid"), ("6", "c", "2026-01-02", 0, None, "paid"),
            names="order_id customer_id ordered_at revenue discount status",
        ),
        ask={"margin": None},
    )  # fmt: skip
    assert total(found, "revenue") == [10, 0]
    assert total(found, "money") == [10, 0]
    notes = codes(found)
    assert notes["cancelled-orders"] == {"orders": 1}
    assert notes["orders-without-customer"] == {"orders": 2, "revenue": 50}
    assert notes["orders-after-until"] == {"orders": 1, "until": date(2026, 3, 31)}
    assert notes["orders-of-nothing"] == {"orders": 1}
    assert {"no-discounts", "money-is-revenue", "no-rhythm"} <= notes.keys()
    assert notes["log-ends-early"] == {"last": date(2026, 1, 2), "until": date(2026, 3, 31)}


def test_a_day_ends_in_the_zone():
    # In Vladivostok (UTC+10) 31 March ends at 14:00 UTC
    orders = table(("1", "a", "2026-03-31 13:59Z", 10), ("2", "c", "2026-03-31 14:01Z", 10))
    here = {"timezone": "Asia/Vladivostok", "horizon": "90d"}
    found = counted(orders, ask=here)
    # both were assigned at midnight there: 90 days to the end
    assert found.at_risk[..., -1].sum() == 4
    assert total(found, "orders") == [1, 0]


def test_whole_numbers_and_their_texts_are_the_same_customers():
    orders = {"customer_id": [7, 8], "ordered_at": ["2026-01-02"] * 2, "revenue": [1, 2]}
    texts = {"customer_id": ["7.0", "8"], "arm": ["none", "mail"], "assigned_at": [START] * 2}
    assert total(counted(orders, assigned=texts), "revenue") == [1, 2]
    # "007" is another customer than 7
    zeros = {"customer_id": ["007", "8"], "arm": ["none", "mail"], "assigned_at": [START] * 2}
    assert total(counted(orders, assigned=zeros), "revenue") == [0, 2]


def test_no_control_still_counts():
    found = counted(table(("1", "c", "2026-01-02", 10)), ask={"control": ""})
    assert found.arms == ("mail", "none")
    assert not found.has_control


# Normality

# gamma(2, 30 days) between customers: 2/30 orders a day on average
PRIOR = RhythmPrior(r=2.0, alpha=30.0, a=1.0, b=3.0)


def norm():
    # 25 loyal customers with five orders in 90 days: nine tenths had a discount share up to .2
    return norm_of(
        PRIOR,
        gaps=np.full(25, 4.0),
        gap_days=np.full(25, 90.0),
        shares=np.where(np.arange(25) < 23, 0.2, 0.9),
        orders=np.full(25, 5.0),
    )


def is_normal(**changed: float) -> bool:
    given = {
        "earlier_orders": 5.0, "earlier_gap_days": 90.0, "later_orders": 3.0, "days_since": 60.0, "discount_share": 0.1,
    } | changed  # fmt: skip
    columns = {name: np.array([value]) for name, value in given.items()}
    return bool(normal(norm(), **columns, lapsed=np.array([False]))[0])


def test_normal_is_who_goes_on_as_before():
    assert norm().discount_share == pytest.approx(0.2)
    assert is_normal()
    # he must have ordered again, without living on discounts
    assert not is_normal(later_orders=0)
    assert not is_normal(discount_share=0.5)


def test_so_few_orders_are_unlikely_below_the_tenth_of_the_negative_binomial():
    # rate gamma(6, 120): in T days N is negative binomial with p = 120 / (120 + T), P(N <= 1) = p^6 (1 + 6 (1 − p))
    def few(days: float) -> float:
        p = 120 / (120 + days)
        return p**6 * (1 + 6 * (1 - p))

    assert few(98) > 0.1 > few(120)
    assert is_normal(later_orders=1, days_since=98)
    assert not is_normal(later_orders=1, days_since=120)
    # without a history the rate of loyal customers is asked, here the same gamma(6, 120)
    assert is_normal(earlier_orders=0, earlier_gap_days=0, later_orders=1, days_since=98)
    assert not is_normal(earlier_orders=0, earlier_gap_days=0, later_orders=1, days_since=120)


def test_lapsed_again_by_his_own_rhythm():
    # P(silence > s) = (120 / (120 + s))^6 is .05 at s = 120 (.05^(−1/6) − 1) = 77.7 days
    silent = lapsed_again(
        norm(), gaps=np.full(2, 4.0), gap_days=np.full(2, 90.0), silent_days=np.array([77.0, 78.5])
    )
    assert silent.tolist() == [False, True]


def test_with_few_loyal_customers_discounts_are_held_against_nobody():
    few = norm_of(
        PRIOR, gaps=np.full(5, 4.0), gap_days=np.full(5, 90.0), shares=np.zeros(5), orders=np.full(5, 5.0)
    )
    assert few.loyal == 5
    assert np.isinf(few.discount_share)


def test_normal_customers_are_counted_from_the_log():
    # forty customers ordered every twenty days or so, five times, and fell silent; of the mailed twenty
    # ten go on ordering as before, five order once and no more, five take a discount each time
    customers = [f"c{at:02d}" for at in range(40)]
    rows: list[tuple[Any, ...]] = []
    for at, customer in enumerate(customers):
        for step in range(5):
            day = np.datetime64("2025-06-01") + step * (16 + at % 9)
            rows.append((f"{customer}-{step}", customer, str(day), 50, 0))
    for at, customer in enumerate(customers[20:]):
        for step in range(1 if 10 <= at < 15 else 4):
            day = np.datetime64("2026-01-03") + step * 21
            rows.append((f"{customer}+{step}", customer, str(day), 50, 10 if at >= 15 else 0))
    assigned = {"customer_id": customers, "arm": ["none"] * 20 + ["mail"] * 20, "assigned_at": [START] * 40}
    found = counted(table(*rows), assigned=assigned)
    by_arm = {name: values[0].sum(axis=-1).tolist() for name, values in found.traits.items()}
    assert by_arm["returned"] == [0, 20]
    assert by_arm["normal"] == [0, 10]
    assert by_arm["lapsed_again"] == [0, 5]
    assert "no-rhythm" not in codes(found)
    assert found.before["orders"].tolist() == [[100, 100]]
