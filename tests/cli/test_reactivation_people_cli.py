"""`primeta reactivation interviews`, `farms` and `sources` in a terminal: JSON keys, files, one message for bad input."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

AT = datetime(2025, 3, 1, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("people")
    names = [f"c{at:03d}" for at in range(80)]
    orders = [(name, AT - timedelta(days=50 + at), 100.0, 0.0, None) for at, name in enumerate(names)]
    orders += [(name, AT + timedelta(days=5), 80.0, 20.0, "BACK") for name in names[::3]]
    columns = ("customer_id", "ordered_at", "revenue", "discount", "promo_code")
    tables = {
        "orders": pa.table(dict(zip(columns, zip(*orders)))),
        "assignments": pa.table(
            {
                "customer_id": names,
                "arm": ["control", "letter"] * 40,
                "assigned_at": [AT] * 80,
            }
        ),
        "customers": pa.table({"customer_id": names, "source": ["ads"] * 45 + ["friends"] * 35}),
        "identities": pa.table(
            {"customer_id": names, "kind": ["phone"] * 80, "value_hash": ["one"] * 15 + names[15:]}
        ),
        "spend": pa.table({"source": ["ads"], "day": [AT - timedelta(days=200)], "money": [900.0]}),
    }
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet")
    return folder


def test_interviews_prints_groups_and_calls_and_writes_the_list(primeta, files, tmp_path):
    out = tmp_path / "calls.csv"
    done = primeta(
        "reactivation", "interviews", "--orders", str(files / "orders.parquet"), "--assignments",
        str(files / "assignments.parquet"), "--control", "control", "--until", "2025-07-01", "--each", "3",
        "--out", str(out), "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert {"groups", "calls", "by_us", "left_out", "notes", "why_not"} <= set(document)
    assert {call["call"][0] for call in document["calls"]} == {"A", "B", "C", "D"}
    assert out.read_text().startswith("call,customer_id,stratum")


@pytest.mark.parametrize(
    ("lang", "words"), [("en", "Do not tell which group"), ("ru", "Не говорите человеку")]
)
def test_the_guide_needs_no_table(primeta, lang, words):
    done = primeta("reactivation", "interviews", "--guide", "--language", lang)
    assert done.returncode == 0
    assert words in done.stdout


def test_farms_prints_the_keys_that_scripts_rely_on(primeta, files):
    done = primeta(
        "reactivation", "farms", "--orders", str(files / "orders.parquet"), "--identities",
        str(files / "identities.parquet"), "--until", "2025-07-01", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    keys = {
        "clusters",
        "bursts",
        "wide",
        "share_of_customers",
        "share_of_orders",
        "share_of_discount",
        "effects",
    }
    assert keys <= set(document)
    (cluster,) = document["clusters"]
    assert {"cluster", "customers", "orders", "discount", "codes", "reasons", "first", "last"} <= set(cluster)
    assert cluster["customers"] == 15


def test_sources_prints_the_keys_that_scripts_rely_on(primeta, files):
    done = primeta(
        "reactivation", "sources", "--orders", str(files / "orders.parquet"), "--customers",
        str(files / "customers.parquet"), "--spend", str(files / "spend.parquet"), "--until", "2025-07-01",
        "--margin", ".5", "--horizon", "90d", "--returns", "30d", "60d", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    ads = document["sources"][0]
    assert (ads["source"], ads["customers"], ads["cost"]) == ("ads", 45, 20.0)
    assert [told["days"] for told in ads["returns"]] == [30, 60]
    assert document["sources"][1]["cost"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("interviews",), "give --orders and --assignments"),
        (("farms",), "give --orders and --identities"),
        (("sources",), "give --orders and --customers"),
        (("farms", "DIR", "--margin", ".4"), "give a workspace or files, not both: DIR and --margin"),
        (("interviews", "DIR", "--experiment", "x", "--until", "2025-01-01"), "not both: DIR and --until"),
        (("sources", "DIR", "--spend", "s.csv"), "not both: DIR and --spend"),
    ],
)
def test_bad_input_is_one_message_and_status_two(primeta, arguments, message):
    done = primeta("reactivation", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
