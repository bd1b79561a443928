"""Assignment: nobody moves, nobody is in two experiments, and what cannot be drawn is refused in plain words."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from primeta.cli.app import build, run
from primeta.errors import BadInput, BadTable
from primeta.experiments.assignment import (
    HOLDOUT_SALT,
    Lottery,
    assign,
    assign_ids,
    lottery_of,
    parse_arms,
    parse_share,
    parse_slots,
)
from primeta.experiments.audience import assign_file
from primeta.experiments.cuts import Cuts, place_cuts, read_cuts, stratum_key
from primeta.experiments.ids import unit_text, value_text
from primeta.experiments.imported import read_assignments
from primeta.experiments.records import Arm, Goal, Plan
from primeta.stats.buckets import bucket, growthbook_v2
from primeta.warehouse.buckets import DIALECTS, bucket_sql

ARMS = {"control": 0.2, "a": 0.4, "b": 0.4}
IDS = [f"клиент-{n}" if n % 3 else f"{n:07d}" for n in range(20_000)]


def lottery(salt="осень", **given) -> Lottery:
    return Lottery(salt=salt, arms=tuple(given.pop("arms", ARMS).items()), **given)


def arms_of(salt="осень", ids=IDS, **given):
    return assign_ids(lottery(salt, **given), ids)[0]


def taking_part(arms) -> np.ndarray:
    return np.array([arm is not None for arm in arms])


# What the draw promises


def test_the_arm_is_the_published_formula():
    # DESIGN §7: int(md5(salt:unit) hex [:13], 16) / 2^52 against shares added up in the order given
    arms, drawn = assign_ids(lottery("s"), ["007"])
    expected = int(hashlib.md5(b"s:007").hexdigest()[:13], 16) / 2**52
    assert drawn.tolist() == [expected]
    assert arms.tolist() == ["control" if expected < 0.2 else "a" if expected < 0.2 + 0.4 else "b"]


ID = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1, max_size=20)
SALT = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1).filter(str.strip)
SHARES = st.lists(st.integers(1, 50), min_size=2, max_size=5).map(
    lambda weights: {f"arm {at}": weight / sum(weights) for at, weight in enumerate(weights)}
)


@given(SALT, SHARES, st.lists(ID, min_size=1), st.lists(ID), st.sampled_from(["md5", "fnv1a"]))
def test_growth_of_the_base_moves_nobody(salt, shares, first, later, hash):
    draw = lottery(salt, arms=shares, hash=hash)
    before = dict(zip(first, assign_ids(draw, first)[0]))
    after = dict(zip([*later, *first], assign_ids(draw, [*later, *first])[0]))
    assert all(after[unit] == arm for unit, arm in before.items())


@given(SALT, SHARES, st.lists(ID, min_size=1), st.floats(0.01, 1), st.floats(0.01, 1))
def test_raising_the_ramp_lets_in_and_moves_nobody(salt, shares, ids, one, other):
    low, high = sorted((one, other))
    few = assign_ids(lottery(salt, arms=shares, ramp=low), ids)[0]
    many = assign_ids(lottery(salt, arms=shares, ramp=high), ids)[0]
    everybody = assign_ids(lottery(salt, arms=shares), ids)[0]
    assert all(arm is None or arm == later for arm, later in zip(few, many))
    assert all(arm is None or arm == later for arm, later in zip(many, everybody))


@given(st.floats(0.01, 0.99), SALT, SALT, SALT)
@settings(max_examples=30, deadline=None)
def test_two_experiments_in_disjoint_slots_share_nobody_and_leave_nobody_out(cut, layer, one, other):
    first = taking_part(arms_of(one, ids=IDS[:500], layer=layer, slots=(0, cut)))
    second = taking_part(arms_of(other, ids=IDS[:500], layer=layer, slots=(cut, 1)))
    assert not (first & second).any()
    assert (first | second).all()


def test_the_holdout_is_in_no_experiment_whatever_its_salt_hash_or_layer():
    held = np.array([bucket(HOLDOUT_SALT, unit) < 0.05 for unit in IDS])
    for given_ in (
        {},
        {"salt": "другой"},
        {"hash": "fnv1a"},
        {"layer": "l", "slots": (0.2, 0.9)},
        {"ramp": 0.5},
    ):
        assert not taking_part(arms_of(**{"salt": "осень", **given_}, holdout=0.05))[held].any()
    assert (taking_part(arms_of(holdout=0.05)) == ~held).all()


def test_growthbook_users_get_the_variation_of_their_sdk():
    arms, drawn = assign_ids(lottery("exp-1", hash="fnv1a"), IDS)
    assert drawn.tolist() == [growthbook_v2("exp-1", unit) for unit in IDS]
    # GrowthBook's chooseVariation over getBucketRanges of .2, .4, .4
    ranges = {"control": (0, 0.2), "a": (0.2, 0.2 + 0.4), "b": (0.2 + 0.4, 1)}
    assert all(ranges[arm][0] <= n < ranges[arm][1] for arm, n in zip(arms, drawn))


@pytest.mark.parametrize("hash", ["md5", "fnv1a"])
def test_shares_come_out_as_planned(hash):
    for salt in ("a", "b", "c"):
        counts = Counter(arms_of(salt, ids=[str(n) for n in range(100_000)], hash=hash))
        # six tests: one false alarm in a thousand
        assert stats.chisquare([counts[name] for name in ARMS], [20_000, 40_000, 40_000]).pvalue > 1.7e-4


def test_arm_ramp_layer_and_holdout_say_nothing_about_each_other():
    ids = [str(n) for n in range(100_000)]
    arms, drawn = assign_ids(lottery("x"), ids)
    for sieve in ({"ramp": 0.3}, {"layer": "x", "slots": (0.0, 0.3)}, {"holdout": 0.3}):
        inside = taking_part(assign_ids(lottery("x", **sieve), ids)[0])
        table = [
            [np.count_nonzero((arms == name) & (inside == side)) for name in ARMS] for side in (True, False)
        ]
        assert stats.chi2_contingency(table).pvalue > 1e-3
        assert abs(drawn[inside].mean() - 0.5) < 4 * math.sqrt(1 / 12 / inside.sum())
    other = assign_ids(lottery("y"), ids)[0]
    table = [[np.count_nonzero((arms == one) & (other == two)) for one in ARMS] for two in ARMS]
    assert stats.chi2_contingency(table).pvalue > 1e-3


# Ids


@pytest.mark.parametrize(
    ("given_", "text"),
    # DESIGN §4: leading zeros kept, an integral float loses its ".0", null or empty is unknown, case matters
    [
        ("007", "007"),
        ("12.0", "12"),
        (12.0, "12"),
        (np.float64(7), "7"),
        (12, "12"),
        (1.5, "1.5"),
        ("1.50", "1.50"),
        ("v1.0", "v1.0"),
        ("A", "A"),
        ("a", "a"),
        (" x\u00a0", "x"),
        (None, ""),
        ("", ""),
        ("  ", ""),
        (float("nan"), ""),
    ],
)
def test_an_id_is_text(given_, text):
    assert unit_text(given_) == text


@settings(max_examples=40, deadline=None)  # each with a list of ids
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=6), min_size=1))
def test_ids_are_the_same_text_in_python_and_in_sql(texts):
    units = [text for text in texts if unit_text(text)]
    if units:
        table = assign({"id": units}, unit="id", salt="s", arms=ARMS)
        assert table.column("id").to_pylist() == [unit_text(unit) for unit in units]
        assert table.column("bucket").to_pylist() == assign_ids(lottery("s"), units)[1].tolist()


@pytest.mark.parametrize(
    "array",
    [
        pa.array([7.0, 8.5, 1e20]),
        pa.array([7, 8], type=pa.int32()),
        pa.array([7, 8], type=pa.uint64()),
        pa.array(["7", "8", "7"]).dictionary_encode(),
        pa.array(["7", "8"], type=pa.large_string()),
        pa.array([7, 8], type=pa.decimal128(10, 0)),
    ],
    ids=["float", "int", "uint64", "dictionary", "large", "decimal"],
)
def test_the_type_of_the_id_changes_nothing(array):
    found = assign(pa.table({"id": array}), unit="id", salt="s", arms=ARMS)
    assert found.column("bucket").to_pylist() == [
        bucket("s", unit_text(value if not hasattr(value, "as_integer_ratio") else float(value)))
        for value in array.to_pylist()
    ]


def test_bytes_without_the_mark_of_text_are_text():
    found = assign(pa.table({"id": pa.array(["клиент-7".encode()])}), unit="id", salt="s", arms=ARMS)
    assert found.column("id").to_pylist() == ["клиент-7"]
    assert found.column("bucket").to_pylist() == [bucket("s", "клиент-7")]


# Exact balance


def strata_of(n: int, names: int, seed: int = 1) -> list[str]:
    weights = 1 / np.arange(1, names + 1)
    drawn = np.random.default_rng(seed).choice(names, size=n, p=weights / weights.sum())
    return [f"region {at}" for at in drawn]


def placed(draw: Lottery, ids, regions) -> Cuts:
    arms, drawn = assign_ids(draw, ids)
    inside = taking_part(arms)
    keys = np.array([stratum_key(("region",), (region,)) for region in regions], dtype=object)
    return place_cuts(draw, strata=keys[inside], drawn=drawn[inside])


@given(
    SALT,
    SHARES,
    st.lists(
        st.tuples(ID, st.sampled_from("абв")), min_size=1, max_size=60, unique_by=lambda entry: entry[0]
    ),
    st.lists(st.tuples(ID, st.sampled_from("абвг")), max_size=30),
    st.floats(0.3, 1),
)
def test_strata_are_split_as_planned_and_later_customers_move_nobody(salt, shares, listed, later, ramp):
    draw = lottery(salt, arms=shares, strata=("region",), ramp=ramp)
    ids, regions = zip(*listed)
    cuts = placed(draw, ids, regions)
    arms = assign_ids(draw, ids, strata={"region": regions}, cuts=cuts)[0]
    for region in set(regions):
        counts = Counter(arm for arm, of in zip(arms, regions) if of == region and arm is not None)
        for name, share in shares.items():
            # its share of n, rounded down or up
            assert abs(counts[name] - share * counts.total()) < 1 + 1e-9
    everybody = [*listed, *(entry for entry in later if entry[0] not in ids)]
    more_ids, more_regions = zip(*everybody)
    again = assign_ids(
        draw, more_ids, strata={"region": more_regions}, cuts=Cuts.of(json.loads(json.dumps(cuts.as_dict())))
    )
    assert again[0].tolist()[: len(ids)] == arms.tolist()


def test_the_whole_list_is_balanced_too_and_its_shares_are_exact_where_they_can_be():
    regions = strata_of(len(IDS), 60)
    draw = lottery(strata=("region",))
    arms = assign_ids(draw, IDS, strata={"region": regions}, cuts=placed(draw, IDS, regions))[0]
    counts = Counter(arms)
    for name, share in ARMS.items():
        # sixty roundings, each off by less than one; by the golden ratio they cancel
        assert abs(counts[name] - share * len(IDS)) < 6
    tens = assign_ids(
        draw, IDS[:1000], strata={"region": ["one"] * 1000}, cuts=placed(draw, IDS[:1000], ["one"] * 1000)
    )
    assert Counter(tens[0]) == {"control": 200, "a": 400, "b": 400}


def test_a_unit_alone_in_its_stratum_still_has_each_arm_with_its_planned_probability():
    # Rounding alone would give a lone customer the same arm always: that is no lottery.
    n = 4_000
    found = Counter()
    for at in range(n):
        draw = lottery(f"salt {at}", strata=("region",))
        found.update(
            assign_ids(draw, ["one"], strata={"region": ["x"]}, cuts=placed(draw, ["one"], ["x"]))[0]
        )
    assert stats.chisquare([found[name] for name in ARMS], [0.2 * n, 0.4 * n, 0.4 * n]).pvalue > 1e-3


def test_later_customers_of_a_stratum_get_the_planned_shares_on_average():
    regions = strata_of(2_000, 3)
    draw = lottery(strata=("region",))
    cuts = placed(draw, IDS[:2_000], regions)
    for points in cuts.points.values():
        # between units, as near to the plan as the list allows: its spread is √(p(1 − p)/n)
        assert points == pytest.approx((0.2, 0.6), abs=0.1)
    later = [f"new {n}" for n in range(50_000)]
    arms = assign_ids(draw, later, strata={"region": ["region 0"] * len(later)}, cuts=cuts)[0]
    low, high = cuts.points["region=region 0"]
    assert stats.binomtest(Counter(arms)["a"], len(later), high - low).pvalue > 1e-3


def test_growthbooks_few_buckets_are_parted_where_they_can_be():
    regions = ["x"] * len(IDS)
    draw = lottery(strata=("region",), hash="fnv1a")
    arms = assign_ids(draw, IDS, strata={"region": regions}, cuts=placed(draw, IDS, regions))[0]
    # ten thousand buckets for twenty thousand ids: two a bucket, seldom more than eight
    assert abs(Counter(arms)["control"] - 4_000) <= 8


def test_strata_that_nobody_could_balance_are_refused():
    with pytest.raises(BadInput, match="1,001 strata"):
        place_cuts(lottery(), strata=[str(n) for n in range(1001)], drawn=np.linspace(0, 0.99, 1001))


# The table


def test_a_table_keeps_its_columns_and_their_order():
    table = pa.table(
        {"x": range(5), "id": ["b", "a", "c", "a", "d"], "when": [datetime(2026, 1, 1, tzinfo=UTC)] * 5}
    )
    found = assign(table, unit="id", salt="s", arms=ARMS)
    assert found.column_names == ["x", "id", "when", "arm", "bucket"]
    assert found.column("x").to_pylist() == list(range(5))
    assert found.schema.field("x").type == pa.int64()
    arms = found.column("arm").to_pylist()
    assert arms[1] == arms[3]


def test_rows_keep_their_order_over_many_row_groups(tmp_path):
    n = 400_000
    file, out = tmp_path / "in.parquet", tmp_path / "out.parquet"
    pq.write_table(
        pa.table({"id": [str((n * 7919 + at) % n) for at in range(n)], "at": range(n)}),
        file,
        row_group_size=9_999,
    )
    assign_file(file, unit="id", lottery=lottery("s"), out=out)
    found = pq.read_table(out)
    assert found.column("at").to_pylist() == list(range(n))
    assert found.column("bucket").to_numpy()[:1000].tolist() == [
        bucket("s", unit) for unit in found.column("id").to_pylist()[:1000]
    ]


def test_python_frame_and_file_agree(tmp_path):
    (tmp_path / "in.csv").write_text(
        "id,n\n" + "".join(f"{unit},{at}\n" for at, unit in enumerate(IDS)), "utf-8"
    )
    options = {"layer": "l", "slots": (0.1, 0.9), "holdout": 0.05, "ramp": 0.7}
    arms, drawn = assign_ids(lottery(**options), IDS)
    from_table = assign({"id": IDS}, unit="id", salt="осень", arms=ARMS, **options)
    from_path = assign(tmp_path / "in.csv", unit="id", salt="осень", arms=ARMS, **options)
    assign_file(tmp_path / "in.csv", unit="id", lottery=lottery(**options), out=tmp_path / "out.parquet")
    for found in (from_table, from_path, pq.read_table(tmp_path / "out.parquet")):
        assert found.column("arm").to_pylist() == arms.tolist()
        assert found.column("bucket").to_pylist() == drawn.tolist()


def test_a_plan_is_drawn_by_its_own_salt_and_shares():
    plan = Plan(
        name="осень",
        hypothesis="h",
        arms=tuple(Arm(name=name, share=share) for name, share in ARMS.items()),
        control="control",
        goals=(Goal(metric="revenue_per_customer", window_days=30, role="primary"),),
        starts=date(2026, 1, 1),
        ends=date(2026, 2, 1),
        owner="o",
        ramp=0.5,
    )
    assert lottery_of(plan) == lottery(ramp=0.5)
    assert assign_ids(plan, IDS)[0].tolist() == arms_of(ramp=0.5).tolist()


# What a person writes


def test_shares_in_the_ways_people_write_them():
    assert parse_arms("control=.2, a=40% ,b=2/5") == {"control": 0.2, "a": 0.4, "b": 0.4}
    assert parse_arms("control=1/3,a=1/3,b=1/3")["b"] == 1 / 3
    assert parse_share("12.5%", "ramp") == 0.125
    assert parse_slots("0:50%") == (0.0, 0.5)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("control=.2,a=.4", r"sum to 0.6, not to 1.*control=0.333333, a=0.666667"),
        ("control=.5,a=.5000001", "sum to 1.0000001"),
        ("control=1", "1 arm was given"),
        ("control=.5,control=.5", "two arms are called 'control'"),
        ("control=0,a=1", "control: its share must be above 0"),
        ("control=-.5,a=1.5", "control: its share must be above 0"),
        ("control,a=.5", "'control' is not NAME=SHARE"),
        ("=.5,a=.5", "is not NAME=SHARE"),
        ("control=.5,", "'' is not NAME=SHARE"),
        ("control=half,a=.5", "'half' is no share"),
        ("control=1/0,a=.5", "'1/0' is no share"),
        ("control=nan,a=.5", "'nan' is no share"),
        ("control=0,2,a=0,8", "'2' is not NAME=SHARE.*decimal point"),
    ],
)
def test_arms_that_cannot_be_drawn_are_refused(text, says):
    with pytest.raises(BadInput, match=says):
        parse_arms(text)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"salt": " "}, "salt is empty"),
        ({"ramp": 0.0}, "ramp is the share"),
        ({"ramp": 1.1}, "ramp is the share"),
        ({"holdout": 1.0}, "holdout is the share"),
        ({"holdout": -0.1}, "holdout is the share"),
        ({"slots": (0.0, 0.5)}, "belong to a layer"),
        ({"layer": "l", "slots": (0.5, 0.5)}, "slots are two numbers"),
        ({"layer": "l", "slots": (0.5, 1.5)}, "slots are two numbers"),
        ({"hash": "sha1"}, "expected one of md5, fnv1a"),
    ],
)
def test_lotteries_that_cannot_be_drawn_are_refused(options, says):
    with pytest.raises(BadInput, match=says):
        lottery(**{"salt": "s", **options})


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"id": ["a", None, "b", ""]}, r"row 2 of the data \(2 such rows in all\): id is null or empty"),
        ({"id": ["a", "  "]}, "row 2 of the data: id is null or empty"),
        ({"id": [1.0, float("nan")]}, "row 2 of the data: id is null"),
        ({"customer": ["a"]}, "no column 'id' .*it has customer"),
        ({"id": ["a"], "arm": ["x"]}, "has a column arm already"),
        ({"id": ["a"], "Bucket": ["x"]}, "has a column Bucket already"),
    ],
)
def test_tables_that_cannot_be_assigned_are_refused(table, says):
    with pytest.raises(BadTable, match=says):
        assign(table, unit="id", salt="s", arms=ARMS)


def test_ids_in_python_are_refused_like_those_of_a_table():
    with pytest.raises(BadInput, match="id 2 of 3 is null or empty"):
        assign_ids(lottery(), ["a", None, ""])


# The command


@pytest.fixture
def command(capsys):
    def call(*arguments):
        with pytest.raises(SystemExit) as left:
            run(["experiment", "assign", *map(str, arguments)])
        told = capsys.readouterr()
        return int(left.value.code or 0), told.out, told.err

    return call


@pytest.fixture
def listed(tmp_path):
    file = tmp_path / "list.csv"
    file.write_text(
        'customer_id;region;x\n007;Север;1.50\n12.0;юг;"a;b"\nc3;юг;\nЖ1;Север;2\n007;Север;9\n', "utf-8"
    )
    return file


USUAL = ("--unit", "customer_id", "--salt", "s", "--arms", "control=.2,a=.4,b=.4")


def read(path: Path, delimiter=";") -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def test_a_csv_file_keeps_every_cell(command, listed):
    out = listed.with_name("out.csv")
    status, said, told = command(listed, *USUAL, "--out", out)
    assert status == 0
    assert "Customers: 4; control" in said
    assert "Rows that repeat a customer: 1" in told
    rows = read(out)
    assert [list(row.values())[:3] for row in rows] == [
        ["007", "Север", "1.50"],
        ["12", "юг", "a;b"],
        ["c3", "юг", ""],
        ["Ж1", "Север", "2"],
        ["007", "Север", "9"],
    ]
    assert [float(row["bucket"]) for row in rows] == [bucket("s", row["customer_id"]) for row in rows]
    assert rows[0]["arm"] == rows[4]["arm"]


def test_the_document_for_scripts(command, listed):
    status, said, _ = command(
        listed, *USUAL, "--out", listed.with_name("out.parquet"), "--ramp", "50%", "--json"
    )
    found = json.loads(said)
    assert status == 0
    assert (found["rows"], found["units"]) == (5, 4)
    assert sum(found["counts"].values()) + found["outside"] == 4
    assert found["planned"] == ARMS
    assert set(found["checks"]["sample_ratio"]) == {"p", "ok"}
    table = pq.read_table(listed.with_name("out.parquet"))
    # ids are text, other columns get their types
    assert table.schema.field("customer_id").type == pa.string()
    assert table.column("customer_id").to_pylist()[0] == "007"
    assert (
        Counter(dict(zip(table["customer_id"].to_pylist(), table["arm"].to_pylist())).values())[None]
        == found["outside"]
    )


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".csv.gz", ".parquet"])
def test_one_audience_a_file(command, listed, ending):
    folder = listed.with_name("audiences")
    status, said, _ = command(
        listed, *USUAL, "--out", listed.with_name(f"out{ending}"), "--split", folder, "--json"
    )
    assert status == 0
    files = json.loads(said)["files"]
    assert set(files) == set(ARMS)
    from primeta.warehouse.files import read_table

    whole = read_table(listed.with_name(f"out{ending}"), text=["customer_id"])
    for name in ARMS:
        part = read_table(files[name], text=["customer_id"]) if Path(files[name]).stat().st_size else None
        expected = [
            unit
            for unit, arm in zip(whole["customer_id"].to_pylist(), whole["arm"].to_pylist())
            if arm == name
        ]
        assert (part["customer_id"].to_pylist() if part else []) == expected
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{name}{ending}" for name in ARMS)


def test_cut_points_are_kept_and_used_again(command, listed):
    cuts, out = listed.with_name("cuts.json"), listed.with_name("out.csv")
    halves = ("--unit", "customer_id", "--salt", "s", "--arms", "control=.5,a=.5", "--cuts", cuts)
    status, _, told = command(listed, *halves, "--strata", "region", "--out", out)
    assert status == 0
    assert "Cut points are kept in" in told
    first = {row["customer_id"]: row["arm"] for row in read(out)}
    # two customers a region, one in each arm
    assert Counter(first.values()) == {"control": 2, "a": 2}
    kept = cuts.read_text("utf-8")
    listed.write_text(listed.read_text("utf-8") + "new;юг;\nalso;запад;\n", "utf-8")
    status, _, told = command(listed, *halves, "--out", out)
    assert status == 0
    assert "Rows in strata that" in told
    later = {row["customer_id"]: row["arm"] for row in read(out)}
    assert {unit: later[unit] for unit in first} == first
    assert cuts.read_text("utf-8") == kept
    assert read_cuts(cuts).strata == ("region",)


def test_words_in_russian(command, listed):
    status, said, told = command(listed, *USUAL, "--out", listed.with_name("o.csv"), "--language", "ru")
    assert status == 0
    assert said.startswith("Клиентов: 4; control")
    assert "Строк с повторным клиентом: 1" in told


def refused(answer, *says):
    status, said, told = answer
    assert status == 2, said + told
    assert said == ""
    assert "Traceback" not in told
    for part in says:
        assert part in told


def test_bad_input_is_refused_and_nothing_is_left_behind(command, listed):
    out = listed.with_name("out.csv")
    before = sorted(listed.parent.iterdir())
    refused(command(listed, *USUAL, "--out", listed), "is the file that is read")
    refused(command(listed, *USUAL, "--out", listed.with_name("o.xlsx")), "by its ending")
    refused(command(listed, *USUAL, "--out", listed.parent / "no" / "o.csv"), "there is no folder")
    refused(
        command(listed, *USUAL[2:], "--unit", "id", "--out", out), "no column 'id'", "customer_id, region, x"
    )
    refused(command(listed, *USUAL[:4], "--arms", "control=.2,a=.4", "--out", out), "sum to 0.6")
    refused(command(listed, *USUAL, "--out", out, "--slots", "0-5"), "FROM:TO")
    refused(command(listed, *USUAL, "--out", out, "--strata", "region"), "--cuts")
    refused(
        command(listed, *USUAL, "--out", out, "--strata", "city", "--cuts", out.with_name("c.json")), "'city'"
    )
    refused(command(listed, *USUAL, "--out", out, "--cuts", out.with_name("c.json")), "no strata are named")
    refused(command(listed.with_name("gone.csv"), *USUAL, "--out", out), "no such file")
    refused(
        command(listed, *USUAL[:4], "--arms", "a/b=.5,c=.5", "--out", out, "--split", out.with_name("s")),
        "'a/b'",
    )
    assert sorted(listed.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("customer_id,x\n", ("no rows",)),
        ("customer_id,x\na,1\n,2\n,3\n", ("row 2", "2 such rows", "customer_id is null or empty")),
        ("customer_id,arm\na,1\n", ("has a column arm already",)),
        ("customer_id,x\na,1,2\n", ("line 2", "3 values")),
        ("", ("empty",)),
    ],
    ids=["header-only", "no-id", "arm-there", "too-many-values", "empty"],
)
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_files_that_cannot_be_assigned(command, tmp_path, content, says, ending):
    file = tmp_path / "list.csv"
    file.write_text(content, "utf-8")
    refused(command(file, *USUAL, "--out", tmp_path / f"out.{ending}"), *says)
    assert [path.name for path in tmp_path.iterdir()] == ["list.csv"]


def test_cut_points_of_another_lottery_are_refused(command, listed):
    cuts, out = listed.with_name("cuts.json"), listed.with_name("out.csv")
    command(listed, *USUAL, "--strata", "region", "--cuts", cuts, "--out", out)
    refused(
        command(listed, *USUAL[:4], "--arms", "control=.5,a=.5", "--cuts", cuts, "--out", out),
        "placed for arms",
    )
    refused(
        command(listed, *USUAL[:2], "--salt", "t", *USUAL[4:], "--cuts", cuts, "--out", out),
        "placed for salt s",
    )
    refused(
        command(listed, *USUAL, "--strata", "x", "--cuts", cuts, "--out", out), "placed for strata region"
    )
    cuts.write_text("{}")
    refused(command(listed, *USUAL, "--cuts", cuts, "--out", out), "cuts.json", "no cut points")


@pytest.mark.parametrize("hash", ["md5", "fnv1a"])
def test_a_customer_in_two_strata_is_named(command, listed, hash):
    listed.write_text(listed.read_text("utf-8") + "c3;Север;\n", "utf-8")
    answer = command(
        listed,
        *USUAL,
        "--strata",
        "region",
        "--cuts",
        listed.with_name("c.json"),
        "--out",
        listed.with_name("o.csv"),
    )
    refused(answer, "c3", "region=Север and region=юг")


def test_a_file_of_another_encoding_comes_out_in_utf8(command, tmp_path):
    file, out = tmp_path / "list.csv", tmp_path / "out.csv"
    rows = "".join(f"{n};Покупатель из города Пермь\n" for n in range(20))
    file.write_bytes(("id;имя\n" + rows).encode("cp1251"))
    status, *_ = command(file, "--unit", "id", "--salt", "s", "--arms", "control=.5,a=.5", "--out", out)
    assert status == 0
    assert read(out)[0]["имя"] == "Покупатель из города Пермь"


def test_a_full_disk_leaves_nothing_half_written(tmp_path):
    file, out = tmp_path / "in.parquet", tmp_path / "out.parquet"
    pq.write_table(pa.table({"id": [str(n) for n in range(300_000)]}), file)
    out.write_bytes(b"as it was")
    limit = "import resource,sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
    code = (
        limit
        + "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nfrom primeta.cli.app import run\n"
    )
    words = [
        "experiment",
        "assign",
        str(file),
        "--unit",
        "id",
        "--salt",
        "s",
        "--arms",
        "c=.5,a=.5",
        "--out",
        str(out),
    ]
    done = subprocess.run([sys.executable, "-c", f"{code}run({words!r})"], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "no room left" in done.stderr
    assert out.read_bytes() == b"as it was"
    assert sorted(os.listdir(tmp_path)) == ["in.parquet", "out.parquet"]


def test_the_page_names_all_options():
    text = (Path(__file__).parents[2] / "docs" / "how-to" / "experiment-assign.md").read_text("utf-8")
    for argument in build()["experiment"]["assign"].assemble_argument_collection():
        for name in argument.names:
            if name.startswith("--") or not name.startswith("-"):
                assert f"`{name}`" in text, name


def test_the_keys_of_the_document_are_documented():
    page = (Path(__file__).parents[2] / "docs" / "reference" / "json.md").read_text("utf-8")
    part = page.partition("## experiment assign\n")[2].partition("\n## ")[0]
    assert {*assign_document(), "sample_ratio", "p", "ok"} <= set(re.findall(r"\w+", part))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_page_shows_the_expression_that_is_used(dialect):
    text = (Path(__file__).parents[2] / "docs" / "methods" / "assignment.md").read_text("utf-8")
    assert bucket_sql("salt", "unit", dialect=dialect) in text


def assign_document():
    from primeta.experiments.audience import Assigned
    from primeta.experiments.evaluate import sample_ratio

    return Assigned(
        source=Path("a"),
        out=Path("b"),
        unit="id",
        lottery=lottery(),
        rows=1,
        units=1,
        ratio=sample_ratio({"control": 1, "a": 0, "b": 0}, ARMS),
    ).as_dict()


# Made elsewhere

ROWS = {
    "experiment": ["e"] * 4,
    "customer_id": ["1", "2", "3", "4"],
    "arm": ["a", "b", "a", "b"],
    "assigned_at": ["2026-01-01 10:00"] * 4,
}


def test_assignments_made_elsewhere_become_the_canonical_table(tmp_path):
    file = tmp_path / "as.csv"
    file.write_text(
        "exp,id,arm,when,probability,who\ne,007,a,26.11.2026 10:00,.5,x\ne,8.0,control,27.11.2026 11:00,.5,y\n"
        "e,8,control,27.11.2026 11:00,.5,y\n"
    )
    found = read_assignments(
        file,
        columns={"experiment": "exp", "customer_id": "id", "assigned_at": "when"},
        timezone="Europe/Moscow",
    )
    # Moscow is three hours ahead of UTC; a row that is there twice is one
    assert found.to_pylist() == [
        {
            "experiment": "e",
            "customer_id": "007",
            "arm": "a",
            "assigned_at": datetime(2026, 11, 26, 7, tzinfo=UTC),
            "probability": 0.5,
        },
        {
            "experiment": "e",
            "customer_id": "8",
            "arm": "control",
            "assigned_at": datetime(2026, 11, 27, 8, tzinfo=UTC),
            "probability": 0.5,
        },
    ]


def test_the_experiment_may_be_named_and_a_customer_may_come_again():
    rows = {name: values for name, values in ROWS.items() if name != "experiment"}
    rows["customer_id"], rows["arm"] = ["1", "1", "2", "2"], ["a", "a", "b", "b"]
    rows["assigned_at"] = ["2026-01-01", "2026-03-01", "2026-01-01", "2026-01-01"]
    found = read_assignments(rows, experiment="winback")
    assert found.column("experiment").unique().to_pylist() == ["winback"]
    assert found.column("customer_id").to_pylist() == ["1", "1", "2"]


def test_stages_are_drawn_apart():
    rows = {**ROWS, "customer_id": ["1", "1", "2", "2"], "stage": ["first", "second"] * 2}
    assert read_assignments(rows).num_rows == 4


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (
            {"customer_id": ["1", "2", "2", "1"]},
            r"customer 1 stands in two arms of e, a and b \(2 such customers",
        ),
        ({"arm": ["a", None, "", " "]}, r"row 2 of the data \(3 such rows in all\): arm is empty"),
        ({"customer_id": ["1", "", "3", "4"]}, "row 2 of the data: customer_id is empty"),
        (
            {"assigned_at": ["2026-01-01", "вчера", "x", "2026-01-01"]},
            r"row 2 .*\(2 such.*assigned_at is 'вчера'",
        ),
        ({"probability": [0.5, 0.5, 1.2, 0]}, "row 3 of the data .*probability is '1.2'"),
        ({"discount": ["1", "", "many", "2"]}, "row 3 of the data: discount is 'many'; a number"),
        ({"delay_days": ["1", "x", "3", "2"]}, "row 2 of the data: delay_days is 'x'"),
    ],
)
def test_assignments_that_contradict_are_refused(changed, says):
    with pytest.raises(BadTable, match=says):
        read_assignments({**ROWS, **changed})


def test_missing_columns_and_misspelt_arms_are_named():
    with pytest.raises(BadTable, match="assigned_at not found; it has experiment, customer_id, arm"):
        read_assignments({name: ROWS[name] for name in ("experiment", "customer_id", "arm")})
    with pytest.raises(BadTable, match=r"row 2 of the data.*arm 'b' is none of a, B\. Is it 'B'\?"):
        read_assignments(ROWS, arms=("a", "B"))
    with pytest.raises(BadTable, match="'id' is no column of assignments"):
        read_assignments(ROWS, columns={"id": "customer_id"})
    with pytest.raises(BadTable, match="no column 'who'"):
        read_assignments(ROWS, columns={"customer_id": "who"})


def test_values_as_text_are_those_of_the_facts():
    # warehouse.mapping.canonical_value of a text: a text keeps its ".0", a float loses it
    assert [value_text(value) for value in ("2.0", 2.0, None, " a ", 3)] == ["2.0", "2", "", "a", "3"]
