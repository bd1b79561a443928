"""Farms: clusters by what accounts share, bursts of new accounts, effects with and without them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import primeta as pm
from primeta.errors import BadInput, BadTable
from primeta.reactivation.farm_bursts import Kind, burst_p, find_bursts
from primeta.reactivation.farm_clusters import burst_p as stretch_p
from primeta.reactivation.farm_clusters import components, densest
from primeta.show.result import plain
from primeta.worlds.reactivation import simulate_reactivation
from primeta.worlds.reactivation_tables import farm_of, tables_of

START = datetime(2025, 1, 1, 12, tzinfo=UTC)


def base(**more):
    """Forty honest customers who came evenly; a farm of six on one device within two days; a family of four."""
    orders, identities, customers = [], [], []
    for n in range(40):
        customers.append((f"h{n:02d}", START + timedelta(days=5 * n), "search"))
        identities.append((f"h{n:02d}", "phone", f"p{n}"))
        orders += [(f"h{n:02d}", START + timedelta(days=5 * n + k * 20), 100.0, 0.0, None) for k in range(3)]
    for n in range(6):
        customers.append((f"z{n}", START + timedelta(days=90, hours=6 * n), "partner"))
        identities.append((f"z{n}", "device", "d-farm"))
        orders.append((f"z{n}", START + timedelta(days=90, hours=6 * n), 80.0, 20.0, "FIRST20"))
    identities += [(f"h{n:02d}", "address", "a-family") for n in (1, 11, 21, 31)]
    tables = {
        "orders": pa.table(
            dict(zip(("customer_id", "ordered_at", "revenue", "discount", "promo_code"), zip(*orders)))
        ),
        "identities": pa.table(dict(zip(("customer_id", "kind", "value_hash"), zip(*identities)))),
        "customers": pa.table(dict(zip(("customer_id", "registered_at", "source"), zip(*customers)))),
        "until": date(2025, 12, 1),
    }
    return {**tables, **more}


def test_a_farm_needs_a_second_reason_and_a_family_has_none():
    found = pm.farms(**base())
    farm, family = found.clusters
    assert (farm.customers, farm.orders, farm.discount) == (6, 6, 120.0)
    assert set(farm.reasons) == {"shares", "codes", "burst"}
    assert farm.farm
    assert family.customers == 4
    assert family.reasons == ("shares",)
    assert not family.farm
    # by hand: 6 of 46 customers, 6 of 126 orders, all of the discounts
    assert found.share("customers") == pytest.approx(6 / 46)
    assert found.share("orders") == pytest.approx(6 / 126)
    assert found.share("discount") == 1.0


@pytest.mark.parametrize("word", ["cancelled", "Canceled ", "отменён", "отказ", "void"])
def test_a_cancelled_order_counts_nowhere_whatever_word_says_so_and_a_return_stays(word: str):
    given = base()
    orders = given["orders"]
    status = ["paid"] * len(orders)
    more = pa.table(
        {
            "customer_id": ["h00", "h00"],
            "ordered_at": [START + timedelta(days=200)] * 2,
            "revenue": [500.0, -30.0],
            "discount": [70.0, -20.0],
            "promo_code": pa.nulls(2, pa.string()),
            "status": [word, word],
        }
    )
    orders = pa.concat_tables([orders.append_column("status", pa.array(status)), more])
    found = pm.farms(**{**given, "orders": orders})
    # as without the order; the return takes its 20 of discount back
    assert found.orders == pm.farms(**given).orders
    assert found.discount == 120.0 - 20.0


def test_no_word_accuses_and_no_page_names_a_customer():
    found = pm.farms(**base())
    for lang in ("en", "ru"):
        text = found.line(lang) + found.table(lang).text()
        assert "fraud" not in text.lower()
        assert "мошен" not in text.lower()
        assert "z0" not in text
    assert "z0" not in json.dumps(plain(found.as_dict()))
    assert found.clusters[0].cluster == "g1"


def test_a_value_that_too_many_share_joins_nobody_and_is_told():
    given_ = base()
    shop = pa.table(
        {"customer_id": [f"h{n:02d}" for n in range(40)], "kind": ["phone"] * 40, "value_hash": ["shop"] * 40}
    )
    given_["identities"] = pa.concat_tables([given_["identities"], shop])
    found = pm.farms(**given_, wide=30)
    assert [(wide.kind, wide.accounts) for wide in found.wide] == [("phone", 40)]
    assert len(found.clusters) == 2
    # below the threshold the shop's phone joins all forty: the size is shown, and large
    assert max(cluster.customers for cluster in pm.farms(**given_, wide=50).clusters) == 40


def test_the_exported_file_names_each_account(tmp_path):
    out = tmp_path / "farms.parquet"
    pm.farms(**base(), out=out)
    rows = pq.read_table(out)
    assert rows["customer_id"].to_pylist() == [f"z{n}" for n in range(6)]
    assert set(rows["cluster"].to_pylist()) == {"g1"}


@given(
    edges=st.lists(st.tuples(st.integers(0, 11), st.integers(0, 7)), max_size=25),
    order=st.randoms(use_true_random=False),
)
@settings(max_examples=60, derandomize=True, deadline=None)
def test_components_are_those_of_a_plain_union_and_no_order_matters(edges, order):
    parent = list(range(20))

    def root(at: int) -> int:
        while parent[at] != at:
            at = parent[at]
        return at

    for account, value in edges:
        parent[root(account)] = root(12 + value)
    order.shuffle(edges)
    account, value = (np.array([edge[at] for edge in edges], dtype=np.int64) for at in (0, 1))
    label = components(account, value, accounts=12, values=8)
    for one in range(12):
        for other in range(12):
            assert (label[one] == label[other]) == (root(one) == root(other))


def test_the_densest_three_days_are_found():
    # 10.0, 10.5 and 12.9 lie within three days of 10.0; 13.0 does not
    assert densest(np.array([1.0, 13.0, 10.0, 10.5, 12.9, np.nan])) == (3, 10.0)
    assert densest(np.array([np.nan]))[0] == 0


def test_the_bound_of_a_stretch_is_bonferroni_over_its_beginnings():
    # 4 of 6: each of 6 may begin, at least 3 of the 5 others follow (binomial tail, scipy)
    assert stretch_p(4, 6, 0.01) == pytest.approx(6 * stats.binom.sf(2, 5, 0.01))
    assert stretch_p(1, 6, 0.01) == 1.0


def test_a_burst_is_the_exact_comparison_of_two_poisson_rates():
    # 12 on the day, 1 on each of 52 days around it, others 9 a day: binomial(64, 10/(10 + 520)), scipy
    counts = np.ones(57, dtype=np.int64)
    counts[28] = 12
    others = np.full(57, 9, dtype=np.int64)
    p, expected = burst_p(counts, others, 28)
    assert p == pytest.approx(stats.binom.sf(11, 64, 10 / 530))
    assert expected == pytest.approx(1.0)


def test_a_rush_of_everybody_is_no_burst():
    counts, others = np.ones(57, dtype=np.int64), np.full(57, 9, dtype=np.int64)
    counts[28], others[28] = 12, 119
    assert burst_p(counts, others, 28)[0] > 0.1


def test_where_accounts_come_by_chance_bursts_are_as_rare_as_promised():
    # 200 bases of 6 keys over 120 days at 2 a day each: at most 5% may report one; binomial band at 1 in 10,000
    rng = np.random.default_rng(8)
    keys: list[tuple[Kind, str]] = [("code", f"k{at}") for at in range(6)]
    reported = 0
    for _ in range(200):
        counts = rng.poisson(2.0, (6, 120))
        found = find_bursts(
            counts, np.zeros_like(counts), counts.sum(axis=0), keys, first_day=20_000, error=0.05
        )
        reported += bool(found)
    assert reported <= stats.binom.ppf(1 - 1e-4, 200, 0.05)


def test_new_accounts_with_one_code_on_one_day_are_named_though_they_share_nothing():
    given_ = base()
    late = START + timedelta(days=150)
    names = [f"n{n:02d}" for n in range(25)]
    given_["orders"] = pa.concat_tables(
        [
            given_["orders"],
            pa.table(
                {
                    "customer_id": names,
                    "ordered_at": [late + timedelta(minutes=n) for n in range(25)],
                    "revenue": [80.0] * 25,
                    "discount": [20.0] * 25,
                    "promo_code": ["HELLO"] * 25,
                }
            ),
        ],
        promote_options="permissive",
    )
    found = pm.farms(**given_)
    (burst,) = [burst for burst in found.bursts if burst.name == "HELLO"]
    assert (burst.kind, burst.day, burst.accounts, burst.only_codes) == ("code", late.date(), 25, 25)
    # named, and counted in no share
    assert found.share("customers") == pytest.approx(6 / 71)
    assert "HELLO" in found.bursts_table("ru").text()


def test_bad_input_is_one_message():
    with pytest.raises(BadInput, match="--smallest 1"):
        pm.farms(**base(), smallest=1)
    with pytest.raises(BadInput, match="no time zone is called 'Mars/1'"):
        pm.farms(**base(), timezone="Mars/1")
    with pytest.raises(BadInput, match="--error 2"):
        pm.farms(**base(), error=2)
    with pytest.raises(BadInput, match="--control needs --assignments"):
        pm.farms(**base(), control="control")
    with pytest.raises(BadTable, match="value_hash not found"):
        pm.farms(**base(identities=pa.table({"customer_id": ["a"], "kind": ["phone"]})))


def test_identities_of_strangers_are_said_to_tell_nothing():
    strangers = pa.table({"customer_id": ["x1", "x2"], "kind": ["phone"] * 2, "value_hash": ["p", "p"]})
    found = pm.farms(**base(identities=strangers))
    assert found.why_not == "no-identities"
    assert found.as_dict()["clusters"] == []
    assert "Cannot tell" in found.line()
    assert "Сказать нельзя" in found.line("ru")


def world_files(seed: int, customers: int):
    world = simulate_reactivation("farms", seed=seed, customers=customers)
    return world, tables_of(world)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_farms_of_a_world_are_found_and_honest_customers_are_let_alone(seed, tmp_path):
    world, tables = world_files(seed, 6_000)
    out = tmp_path / "farms.parquet"
    pm.farms(
        tables["orders"], tables["identities"], customers=tables["customers"], until=world.until, out=out
    )
    farm, names = farm_of(world), np.array(world.customer_ids)
    sizes = np.bincount(farm[farm >= 0])
    # a last farm of fewer than four accounts is below what is looked at
    truth = {name for name, own in zip(names, farm) if own >= 0 and sizes[own] >= 4}
    assert set(pq.read_table(out)["customer_id"].to_pylist()) == truth


@pytest.mark.slow
def test_effects_stand_side_by_side_with_and_without_them():
    world, tables = world_files(4, 4_000)
    found = pm.farms(
        tables["orders"],
        tables["identities"],
        customers=tables["customers"],
        until=world.until,
        assignments=tables["assignments"],
        control="control",
        margin=0.4,
        promo_code={"discount": "BACK20"},
    )
    rows = {(row.rung, row.arm): row for row in found.effects}
    assert {rung for rung, _ in rows} == {0, 1, 2, 3, 4}
    own = rows[2, "discount"]
    assert own.everybody.n - own.without.n > 0
    assert own.without.low < own.without.value_per_assigned < own.without.high
    assert found.split_clusters > 0
    assert set(found.as_dict()["effects"][0]) == {"rung", "arm", "with", "without"}
