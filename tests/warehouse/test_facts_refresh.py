"""Facts kept by month: what a second run reads, and that no moment of it leaves a mixture."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow.parquet as pq
import pytest
from warehouse_workspace import START, random_company, write_company

from primeta.config import load_config
from primeta.errors import DiskFull
from primeta.facts import GRAINS
from primeta.warehouse.build_series import build_series
from primeta.warehouse.engine import open_warehouse
from primeta.warehouse.facts_store import load_facts, refresh_facts
from primeta.warehouse.metrics import available_metrics


def measure(config, *, cache=None, names=()):
    with open_warehouse(config) as warehouse:
        refreshed = refresh_facts(warehouse)
        metrics = available_metrics(warehouse, config)
        metrics = {name: metric for name, metric in metrics.items() if not names or name in names}
        return refreshed, {
            grain: build_series(warehouse, config, metrics, grain=grain, cache=cache) for grain in GRAINS
        }


def refresh(config):
    """The facts alone."""
    with open_warehouse(config) as warehouse:
        return refresh_facts(warehouse)


def assert_same(left, right):
    for grain in GRAINS:
        ours = {series.key: series for series in left[grain]}
        theirs = {series.key: series for series in right[grain]}
        assert ours.keys() == theirs.keys()
        for key, series in ours.items():
            for name in (
                "starts",
                "value",
                "se",
                "customers",
                "numerator",
                "denominator",
                "half_value",
                "half_se",
            ):
                # Exactly: not to rounding.
                np.testing.assert_array_equal(
                    getattr(series, name), getattr(theirs[key], name), err_msg=f"{key} {name}"
                )


@pytest.mark.slow
def test_days_added_run_by_run_give_exactly_what_one_run_gives(tmp_path):
    company = random_company(11, days=230)
    grown, whole = tmp_path / "grown", tmp_path / "whole"
    for day in (150, 157, 190, 231):
        config = write_company(company, grown, until=START + timedelta(days=day))
        _, step = measure(config, cache=grown / "cache")
    _, at_once = measure(write_company(company, whole))
    assert_same(step, at_once)


def test_a_second_run_reads_the_new_days_only(tmp_path):
    company = random_company(12, days=230)
    names = ("revenue_per_customer", "average_order_value")
    config = write_company(company, tmp_path, until=START + timedelta(days=223))
    first, series = measure(config, cache=tmp_path / "cache", names=names)
    assert sum(series["week"].rows_read.values()) >= first.rows_read["orders"]

    config = write_company(company, tmp_path)
    second, series = measure(config, cache=tmp_path / "cache", names=names)
    months = sorted(part.month for part in second.facts.parts["orders"])
    # 35 days before 2023-08-13, the last day of the first run, is 2023-07-09: July and August are read again
    assert months[-2:] == ["2023-07", "2023-08"]
    assert second.rows_read["orders"] == sum(
        p.rows for p in second.facts.parts["orders"] if p.month in months[-2:]
    )
    assert second.changed["orders"] == (months[-1],)
    weekly = series["week"]
    assert weekly.points_computed < 0.5 * sum(len(s.starts) for s in weekly if s.slice.code == "all")
    assert weekly.rows_read["orders"] <= sum(
        p.rows for p in second.facts.parts["orders"] if p.month in months[-2:]
    )

    third, series = measure(config, cache=tmp_path / "cache", names=names)
    assert third.facts_version == second.facts_version
    assert [entry.points_computed for entry in series.values()] == [0, 0, 0]
    assert [entry.rows_read for entry in series.values()] == [{}, {}, {}]


@pytest.mark.slow
def test_an_older_file_that_changed_rebuilds_its_month_alone(tmp_path):
    company = random_company(13, days=200)
    config = write_company(company, tmp_path)
    measure(config, cache=tmp_path / "cache")
    old = tmp_path / "orders" / "2023-02.parquet"
    table = pq.read_table(old)
    pq.write_table(table.slice(3), old)
    refreshed, series = measure(config, cache=tmp_path / "cache")
    assert refreshed.changed["orders"] == ("2023-02",)
    assert refreshed.rows_read["orders"] < 0.8 * sum(part.rows for part in refreshed.facts.parts["orders"])
    shutil.rmtree(tmp_path / "cache")
    _, rebuilt = measure(config)
    assert_same(series, rebuilt)


def test_a_file_that_went_takes_its_rows_along(tmp_path):
    company = random_company(14, days=150)
    config = write_company(company, tmp_path)
    refresh(config)
    (tmp_path / "orders" / "2023-03.parquet").unlink()
    refreshed = refresh(config)
    fresh = tmp_path / "fresh"
    with open_warehouse(config) as warehouse:
        assert refresh_facts(warehouse, fresh).facts.parts == refreshed.facts.parts


def test_orders_summed_from_lines_over_the_end_of_a_month_follow_their_lines(tmp_path):
    head = "order_id,product_id,customer_id,ordered_at,revenue\n"
    lines = {"2024-01": ["1,p,a,2024-01-31 23:59:00,5"], "2024-02": ["1,q,a,2024-02-01 00:01:00,7", "2,p,b,2024-02-09 10:00:00,1"],
             "2024-05": ["3,p,a,2024-05-01 10:00:00,2"]}  # fmt: skip
    (tmp_path / "primeta.toml").write_text('[tables.order_lines]\nfrom = "*.csv"\n', encoding="utf-8")
    for month, rows in lines.items():
        (tmp_path / f"{month}.csv").write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    config = load_config(tmp_path)
    with open_warehouse(config) as warehouse:
        refresh_facts(warehouse)
    # The second file loses the line that belongs to January's order
    (tmp_path / "2024-02.csv").write_text(head + lines["2024-02"][1] + "\n", encoding="utf-8")
    with open_warehouse(config) as warehouse:
        refreshed = refresh_facts(warehouse)
    with open_warehouse(config) as warehouse:
        fresh = refresh_facts(warehouse, tmp_path / "fresh")
    assert refreshed.changed["orders"] == ("2024-01",)
    assert refreshed.facts.parts == fresh.facts.parts


@pytest.mark.slow
def test_an_attribute_that_changed_moves_the_customer_through_all_history(tmp_path):
    company = random_company(15, days=120)
    config = write_company(company, tmp_path)
    measure(config, cache=tmp_path / "cache")
    customers = pq.read_table(tmp_path / "customers.parquet").to_pylist()
    customers[0]["region"] = "r0" if customers[0]["region"] == "r1" else "r1"
    import pyarrow as pa

    pq.write_table(pa.Table.from_pylist(customers), tmp_path / "customers.parquet")
    _, series = measure(config, cache=tmp_path / "cache")
    _, rebuilt = measure(config)
    assert_same(series, rebuilt)


def test_a_broken_cache_is_computed_again(tmp_path):
    config = write_company(random_company(16, days=90), tmp_path)
    _, before = measure(config, cache=tmp_path / "cache")
    for path in (tmp_path / "cache").iterdir():
        path.write_bytes(b"not what it was")
    _, after = measure(config, cache=tmp_path / "cache")
    assert_same(before, after)


def test_a_broken_manifest_means_reading_everything_again(tmp_path):
    config = write_company(random_company(17, days=60), tmp_path)
    first = refresh(config)
    (tmp_path / "facts" / "manifest.json").write_text("{", encoding="utf-8")
    second = refresh(config)
    assert second.facts.parts == first.facts.parts


def test_times_in_the_future_do_not_make_periods(tmp_path):
    company = random_company(18, days=90)
    company.orders.append(
        {**company.orders[0], "order_id": "later", "ordered_at": datetime(2099, 1, 1, tzinfo=UTC)}
    )
    config = write_company(company, tmp_path)
    now = START + timedelta(days=91)
    with open_warehouse(config) as warehouse:
        refreshed = refresh_facts(warehouse, now=now)
    assert refreshed.seen_until is not None
    assert refreshed.seen_until < now
    assert refreshed.facts.complete["orders"] <= now.date() + timedelta(days=1)


REFRESH = """
import sys
from primeta.config import load_config
from primeta.warehouse.engine import open_warehouse
from primeta.warehouse.facts_store import refresh_facts
config = load_config(sys.argv[1])
print("ready", flush=True)
with open_warehouse(config) as warehouse:
    refresh_facts(warehouse)
"""


@pytest.mark.slow
def test_killed_at_any_moment_the_facts_are_those_before_or_those_after(tmp_path):
    company = random_company(19, days=230, customers=60)
    half, whole = START + timedelta(days=120), None
    parts = {}
    for name, until in (("before", half), ("after", whole)):
        config = write_company(company, tmp_path / name, until=until)
        with open_warehouse(config) as warehouse:
            parts[name] = refresh_facts(warehouse).facts.parts
    rng = np.random.default_rng(19)
    seen = set()
    for attempt in range(14):
        folder = tmp_path / f"killed{attempt}"
        shutil.copytree(tmp_path / "before", folder)
        write_company(company, folder)
        process = subprocess.Popen(
            [sys.executable, "-c", REFRESH, str(folder)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(float(rng.uniform(0, 1.2)))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        facts = load_facts(folder / "facts")
        assert facts is not None
        seen.add("after" if facts.parts == parts["after"] else "before")
        assert facts.parts in (parts["before"], parts["after"])
        for entries in facts.parts.values():
            for part in entries:
                assert pq.read_metadata(facts.path(part)).num_rows == part.rows
        assert pq.read_metadata(facts.customers_path).num_rows == facts.customers
        with open_warehouse(write_company(company, folder)) as warehouse:
            assert refresh_facts(warehouse).facts.parts == parts["after"]
    assert "before" in seen


@pytest.mark.slow
def test_a_full_disk_is_one_clear_message_and_the_facts_stay(tmp_path):
    company = random_company(20, days=120, customers=200)
    config = write_company(company, tmp_path, until=START + timedelta(days=60))
    with open_warehouse(config) as warehouse:
        before = refresh_facts(warehouse).facts
    config = write_company(company, tmp_path)
    pid = os.fork()
    if pid == 0:
        # In a child: a limit on the size of files cannot be lifted again.
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        status = 3
        try:
            with open_warehouse(config) as warehouse:
                refresh_facts(warehouse)
        except DiskFull as error:
            status = 0 if "no room" in str(error) else 4
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    after = load_facts(tmp_path / "facts")
    assert after == before
    assert not list((tmp_path / "facts").rglob(".*"))
    assert (
        json.loads((tmp_path / "facts" / "manifest.json").read_text(encoding="utf-8"))["version"]
        == before.version
    )
