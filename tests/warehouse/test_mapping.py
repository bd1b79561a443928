# ruff: noqa: DTZ001
"""From a team's own columns to canonical ones: ids, times in their zone, money, returns, derived orders.

The facts hold times in UTC without saying so in each, hence datetimes without a zone below.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from primeta.config import load_config
from primeta.errors import BadConfig, BadTable, Locked, NotFound
from primeta.warehouse.engine import open_warehouse
from primeta.warehouse.times import strptime_format


def workspace(folder, toml, **files):
    for name, content in files.items():
        path = folder / name.replace("__", ".")
        if isinstance(content, pa.Table):
            pq.write_table(content, path)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / "primeta.toml").write_text(toml, encoding="utf-8")
    return load_config(folder)


def rows_of(config, table):
    with open_warehouse(config) as warehouse:
        found = warehouse.table(table).to_pyarrow().to_pylist()
    return sorted(found, key=lambda row: str(row.get("order_id") or row))


ORDERS = '[workspace]\ntimezone = "Europe/Moscow"\n[tables.orders]\nfrom = "o.csv"\n'


def test_ids_lose_the_point_zero_of_a_float_and_keep_their_zeros(tmp_path):
    text = "order_id,customer_id,ordered_at,revenue\n001,17850.0,2024-01-01,5\n2,ABC,2024-01-02,6\n3,abc,2024-01-03,7\n"
    rows = rows_of(workspace(tmp_path, ORDERS, o__csv=text), "orders")
    assert [row["order_id"] for row in rows] == ["001", "2", "3"]
    assert [row["customer_id"] for row in rows] == ["17850", "ABC", "abc"]


def test_float_ids_of_parquet_lose_the_point_zero_and_nan_is_unknown(tmp_path):
    table = pa.table({"order_id": [1, 2], "customer_id": [17850.0, float("nan")],
                      "ordered_at": [datetime(2024, 1, 1), datetime(2024, 1, 2)], "revenue": [1.0, 2.0]})  # fmt: skip
    config = workspace(tmp_path, ORDERS.replace("o.csv", "o.parquet"), o__parquet=table)
    # The order without a customer cannot be counted by customer: the doctor reports it
    assert [row["customer_id"] for row in rows_of(config, "orders")] == ["17850"]


def test_an_order_at_half_past_eleven_in_moscow_belongs_to_that_moscow_day(tmp_path):
    text = "order_id,customer_id,ordered_at,revenue\n1,a,2024-03-31 23:30:00,5\n2,a,2024-04-01 00:30:00,5\n"
    config = workspace(tmp_path, ORDERS, o__csv=text)
    # Moscow is UTC+3 all year
    assert [row["ordered_at"] for row in rows_of(config, "orders")] == [
        datetime(2024, 3, 31, 20, 30), datetime(2024, 3, 31, 21, 30),
    ]  # fmt: skip
    with open_warehouse(config) as warehouse:
        days = warehouse.connection.execute(
            f"SELECT day FROM {warehouse.clean('orders')} ORDER BY 1"
        ).fetchall()
    assert [day for (day,) in days] == [date(2024, 3, 31), date(2024, 4, 1)]


def test_the_days_on_which_clocks_change_are_cut_at_local_midnight(tmp_path):
    # New York 2024: to summer time on 10 March (UTC−5 → −4), back on 3 November (−4 → −5)
    moments = ["2024-03-10 04:59:59+00", "2024-03-10 05:00:00+00", "2024-03-11 03:59:59+00", "2024-03-11 04:00:00+00",
               "2024-11-03 03:59:59+00", "2024-11-03 04:00:00+00", "2024-11-04 04:59:59+00", "2024-11-04 05:00:00+00"]  # fmt: skip
    lines = "".join(f"{at},a,{moment},1\n" for at, moment in enumerate(moments))
    toml = ORDERS.replace("Europe/Moscow", "America/New_York")
    config = workspace(tmp_path, toml, o__csv=f"order_id,customer_id,ordered_at,revenue\n{lines}")
    with open_warehouse(config) as warehouse:
        view = warehouse.clean("orders")
        days = [
            day
            for (day,) in warehouse.connection.execute(f"SELECT day FROM {view} ORDER BY order_id").fetchall()
        ]
    expected = [date(2024, 3, 9), *[date(2024, 3, 10)] * 2, date(2024, 3, 11),
                date(2024, 11, 2), *[date(2024, 11, 3)] * 2, date(2024, 11, 4)]  # fmt: skip
    assert days == expected


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moments=st.lists(st.datetimes(datetime(2001, 2, 3), datetime(2030, 12, 30)), min_size=1, max_size=6),
    form=st.sampled_from(["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%d.%m.%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S",
                          "%d.%m.%Y %H:%M", "%d.%m.%y %H:%M", "%Y%m%d"]),
    zone=st.sampled_from(["UTC", "Asia/Yekaterinburg", "Asia/Tokyo"]),
)  # fmt: skip
def test_times_as_people_write_them_become_the_same_moment_in_utc(tmp_path, moments, form, zone):
    moments = [moment.replace(microsecond=0) for moment in moments]
    text = "".join(f"{at:03d},a,{moment.strftime(form)},1\n" for at, moment in enumerate(moments))
    toml = ORDERS.replace("Europe/Moscow", zone)
    config = workspace(tmp_path, toml, o__csv=f"order_id,customer_id,ordered_at,revenue\n{text}")
    expected = [
        datetime.strptime(moment.strftime(form), form)
        .replace(tzinfo=ZoneInfo(zone))
        .astimezone(ZoneInfo("UTC"))
        for moment in moments
    ]
    found = [row["ordered_at"] for row in rows_of(config, "orders")]
    assert found == [moment.replace(tzinfo=None) for moment in expected]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # 25 can only be a day
        (["25/12/2024", "03/04/2024"], [datetime(2024, 12, 25), datetime(2024, 4, 3)]),
        (["12/25/2024", "03/04/2024"], [datetime(2024, 12, 25), datetime(2024, 3, 4)]),
        (["1735689600", "1735776000"], [datetime(2025, 1, 1), datetime(2025, 1, 2)]),
        (["1735689600000", "1735776000000"], [datetime(2025, 1, 1), datetime(2025, 1, 2)]),
        (["20241231", "20250101"], [datetime(2024, 12, 31), datetime(2025, 1, 1)]),
        (["2024-12-31T10:00:00Z", "2024-12-31T10:00:00+03:00"], [datetime(2024, 12, 31, 10), datetime(2024, 12, 31, 7)]),
    ],
)  # fmt: skip
def test_day_month_order_numbers_and_zones_are_told_from_the_values(tmp_path, values, expected):
    text = "".join(f"{at},a,{value},1\n" for at, value in enumerate(values))
    config = workspace(
        tmp_path,
        ORDERS.replace("Europe/Moscow", "UTC"),
        o__csv=f"order_id,customer_id,ordered_at,revenue\n{text}",
    )
    assert [row["ordered_at"] for row in rows_of(config, "orders")] == expected


def test_a_date_format_in_the_file_decides(tmp_path):
    text = "order_id,customer_id,ordered_at,revenue\n1,a,03/04/2024 10:05,1\n"
    config = workspace(
        tmp_path, ORDERS.replace("Europe/Moscow", "UTC") + 'date_format = "mm/dd/yyyy HH:MM"\n', o__csv=text
    )
    assert rows_of(config, "orders")[0]["ordered_at"] == datetime(2024, 3, 4, 10, 5)


@pytest.mark.parametrize(
    ("form", "expected"),
    [("dd.mm.yyyy", "%d.%m.%Y"), ("mm/dd/yyyy HH:MM:SS", "%m/%d/%Y %H:%M:%S"), ("yyyy-mm-dd hh:mm", "%Y-%m-%d %H:%M"), ("%d %m", "%d %m")],
)  # fmt: skip
def test_formats_in_the_words_of_spreadsheets(form, expected):
    assert strptime_format(form) == expected


LINES = """[tables.order_lines]
from = "l.csv"
columns = { ordered_at = "at", revenue = "quantity * price" }
"""


def test_orders_are_summed_from_lines_and_returns_stand_alone(tmp_path):
    text = (
        "order_id,product_id,customer_id,at,quantity,price\n"
        "1,p,a,2024-01-01 10:00:00,2,1.25\n1,q,a,2024-01-01 10:00:00,1,0.1\n"
        "1,q,a,2024-01-09 10:00:00,-1,0.1\n2,p,b,2024-01-02 11:00:00,1,3\n"
    )
    config = workspace(tmp_path, LINES, l__csv=text)
    with open_warehouse(config) as warehouse:
        assert warehouse.tables() == ("orders", "order_lines")
        view = warehouse.clean("orders")
        rows = warehouse.connection.execute(
            f"SELECT order_id, customer_id, revenue, is_return, day FROM {view} ORDER BY day"
        ).fetchall()
    assert rows == [
        ("1", "a", Decimal("2.6000"), False, date(2024, 1, 1)),
        ("2", "b", Decimal("3.0000"), False, date(2024, 1, 2)),
        ("1", "a", Decimal("-0.1000"), True, date(2024, 1, 9)),
    ]


def test_a_condition_of_the_team_marks_returns_and_turns_their_sign(tmp_path):
    toml = ORDERS + "returns = \"starts_with(order_id, 'R')\"\n"
    text = "order_id,customer_id,ordered_at,revenue\n1,a,2024-01-01,5\nR1,a,2024-01-02,5\n"
    config = workspace(tmp_path, toml, o__csv=text)
    assert [row["revenue"] for row in rows_of(config, "orders")] == [Decimal("5.0000"), Decimal("-5.0000")]


def test_cp1251_with_semicolons_and_russian_headers(tmp_path):
    text = "Номер;Клиент;Дата;Сумма\n00017;Иванов;31.12.2024 23:59;1 250,50\n".encode("cp1251")
    toml = (
        ORDERS
        + "columns = { order_id = 'Номер', customer_id = 'Клиент', ordered_at = 'Дата', revenue = 'Сумма' }\n"
    )
    row = rows_of(workspace(tmp_path, toml, o__csv=text), "orders")[0]
    assert (row["order_id"], row["customer_id"], row["revenue"]) == ("00017", "Иванов", Decimal("1250.5000"))
    assert row["ordered_at"] == datetime(2024, 12, 31, 20, 59)


def test_a_table_of_a_database_and_sql_are_sources_too(tmp_path):
    connection = duckdb.connect(str(tmp_path / "shop.duckdb"))
    connection.execute(
        "CREATE TABLE sales AS SELECT 1 AS order_id, 'a' AS customer_id, DATE '2024-01-01' AS ordered_at, 5 AS revenue"
    ).fetchall()
    connection.close()
    toml = '[warehouse]\nurl = "duckdb://shop.duckdb"\n[tables.orders]\nfrom = "sales"\n'
    assert rows_of(workspace(tmp_path, toml), "orders")[0]["customer_id"] == "a"
    toml = "[tables.orders]\nsql = \"select * from 'o.csv' where revenue > 1\"\n"
    text = "order_id,customer_id,ordered_at,revenue\n1,a,2024-01-01,1\n2,b,2024-01-01,2\n"
    assert [row["order_id"] for row in rows_of(workspace(tmp_path, toml, o__csv=text), "orders")] == ["2"]


@pytest.mark.parametrize(
    ("toml", "error", "message"),
    [
        ('[tables.orders]\nfrom = "nothing.csv"\n', BadConfig, r"primeta\.toml, line 2: \[tables\.orders\] from: there is no file"),
        ('[tables.orders]\nfrom = "x/*.parquet"\n', BadConfig, r"line 2.*no file matches"),
        ('[tables.orders]\nfrom = "sales"\n', BadConfig, r"line 2.*is no file .*names no database"),
        ('[tables.orders]\nfrom = "o.csv"\ncolumns = { revenue = "paid" }\n', BadConfig, r"line 3.*no column 'paid'.*has order_id"),
        ('[tables.orders]\nfrom = "o.csv"\ncolumns = { revenue = "sum(" }\n', BadConfig, r"line 3.*is no SQL expression"),
        ('[tables.orders]\nfrom = "o.csv"\nwhere = "paid > 1"\n', BadConfig, r"line 3.*where.*no column 'paid'"),
        ('[tables.orders]\nsql = "select * frm x"\n', BadConfig, r"line 2.*sql"),
        ('[warehouse]\nurl = "oracle://x"\n[tables.orders]\nfrom = "o.csv"\n', BadConfig, r"line 2.*this version reads DuckDB"),
        ('[warehouse]\nurl = "duckdb://no.duckdb"\n[tables.orders]\nfrom = "o.csv"\n', BadConfig, "line 2.*there is no file"),
        ('[tables.orders]\nfrom = "bare.csv"\n', BadTable, r"orders: customer_id, ordered_at, revenue not found.*has order_id, x"),
        ('[tables.visits]\nfrom = "o.csv"\n', NotFound, "the table orders is not mapped"),
    ],
)  # fmt: skip
def test_bad_mappings_name_their_line_and_what_there_is(tmp_path, toml, error, message):
    config = workspace(
        tmp_path,
        toml,
        o__csv="order_id,customer_id,ordered_at,revenue\n1,a,2024-01-01,1\n",
        bare__csv="order_id,x\n1,2\n",
    )
    with open_warehouse(config) as warehouse, pytest.raises(error, match=f"(?s){message}"):
        warehouse.table("orders")


def test_a_database_that_another_process_writes_to_is_locked(tmp_path):
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); c.execute('CREATE TABLE sales (x INT)').fetchall(); print('held', flush=True); sys.stdin.read()"
    path = tmp_path / "shop.duckdb"
    process = subprocess.Popen(
        [sys.executable, "-c", hold, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        toml = '[warehouse]\nurl = "duckdb://shop.duckdb"\n[tables.orders]\nfrom = "sales"\n'
        with (
            open_warehouse(workspace(tmp_path, toml)) as warehouse,
            pytest.raises(Locked, match="another process"),
        ):
            warehouse.table("orders")
    finally:
        process.communicate("")
