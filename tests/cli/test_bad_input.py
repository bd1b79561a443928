"""Bad input on the command line: one clear message, exit status 2, no traceback, nothing half-written."""

from __future__ import annotations

import json
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ORDERS = "order_id;customer_id;ordered_at;revenue\n"


@pytest.fixture
def refused(primeta) -> Callable[..., None]:
    def call(*arguments: str, says: tuple[str, ...]) -> None:
        is_refusal(primeta(*arguments), says)

    return call


def is_refusal(done: Any, says: tuple[str, ...]) -> None:
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    for part in says:
        assert part in done.stderr


def workspace(folder: Path, orders: str | bytes, *, extra: str = "") -> Path:
    folder.mkdir()
    content = orders.encode() if isinstance(orders, str) else orders
    (folder / "orders.csv").write_bytes(content)
    (folder / "primeta.toml").write_text(
        f'[workspace]\nname = "shop"\n[tables.orders]\nfrom = "orders.csv"\n{extra}', encoding="utf-8"
    )
    return folder


def some_orders(weeks: int = 60, customers: int = 40) -> str:
    """Each customer buys once a week for a sum that depends on who he is."""
    import datetime

    first = datetime.date(2025, 1, 6)
    lines = [
        f"o{week}-{who};c{who};{first + datetime.timedelta(days=7 * week + who % 7)};{10 + who % 9 + week % 3}"
        for week in range(weeks)
        for who in range(customers)
    ]
    return ORDERS + "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", ("empty",)),
        ("week,orders\n", ("no rows",)),
        ("week,orders\n1,ten\n2,eleven\n3,12\n", ("orders", "ten")),
        ("week,orders,orders\n1,2,3\n", ("two columns", "orders")),
        ("week,orders\n1,2\n2,inf\n3,4\n", ("orders", "row")),
    ],
    ids=["empty", "header-only", "words", "duplicated-column", "infinity"],
)
def test_detect_refuses_a_file_that_cannot_be_a_series(refused, tmp_path, content, says):
    path = tmp_path / "series.csv"
    path.write_text(content)
    refused("detect", str(path), "--value", "orders", says=says)


def test_detect_names_a_missing_file_and_a_missing_column(refused, tmp_path):
    refused("detect", str(tmp_path / "gone.csv"), "--value", "x", says=("gone.csv", "no such file"))
    path = tmp_path / "series.csv"
    path.write_text("week,orders\n1,2\n2,3\n")
    refused("detect", str(path), "--value", "revenue", says=("revenue", "week, orders"))


@pytest.mark.parametrize(
    "values", [["5"], ["5"] * 60, ["", "", "7"]], ids=["one-point", "constant", "almost-all-missing"]
)
def test_detect_says_nothing_changed_or_cannot_tell_and_never_invents(primeta, tmp_path, values):
    path = tmp_path / "series.csv"
    path.write_text("week,orders\n" + "".join(f"{n},{value}\n" for n, value in enumerate(values)))
    done = primeta("detect", str(path), "--value", "orders", "--json")
    assert done.returncode == 0, done.stderr
    (series,) = json.loads(done.stdout)["series"]
    assert series["changes"] == []


def test_a_folder_that_is_no_workspace(refused, tmp_path):
    for verb in ("watch", "signals", "trends", "digest", "doctor", "serve"):
        refused(verb, str(tmp_path), says=("primeta.toml", "primeta init"))


def test_an_unknown_verb_and_an_unknown_option(refused, tmp_path):
    refused("wacth", says=("wacth",))
    refused("watch", str(tmp_path), "--fast", says=("--fast",))


@pytest.mark.parametrize(
    ("orders", "says"),
    [
        ("", ("orders.csv", "empty")),
        (ORDERS, ("no dated row",)),
        ("order_id,customer_id,when,revenue\n1,2,2025-01-06,3\n", ("ordered_at",)),
    ],
    ids=["empty", "no-rows", "missing-column"],
)
def test_watch_refuses_facts_that_are_none(refused, tmp_path, orders, says):
    folder = workspace(tmp_path / "shop", orders)
    refused("watch", str(folder), says=says)
    assert not list(folder.rglob("*.tmp"))


@pytest.mark.slow
def test_one_customer_is_watched_without_inventing_noise(primeta, tmp_path):
    folder = workspace(tmp_path / "shop", some_orders(customers=1), extra="[slices]\nsmallest = 1\n")
    done = primeta("watch", str(folder), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["signals"] == {}


def test_a_cyrillic_file_in_cp1251_with_semicolons_is_read(primeta, tmp_path):
    text = some_orders().replace("order_id;customer_id;ordered_at;revenue", "номер;клиент;дата;сумма")
    columns = (
        'columns = { order_id = "номер", customer_id = "клиент", ordered_at = "дата", revenue = "сумма" }\n'
    )
    folder = workspace(tmp_path / "shop", text.encode("cp1251"), extra=columns + "[slices]\nsmallest = 1\n")
    done = primeta("watch", str(folder), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["watched"] > 0


@pytest.mark.slow
def test_a_full_disk_is_said_and_leaves_nothing_half_written(primeta, tmp_path):
    folder = workspace(tmp_path / "shop", some_orders(weeks=80, customers=200))

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8_192, 8_192))

    command = [sys.executable, "-m", "primeta", "watch", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=small_files, timeout=120)
    is_refusal(done, ("room",))
    assert not list(folder.rglob("*.tmp"))
    after = primeta("watch", str(folder), "--json")
    assert after.returncode == 0, after.stderr


def test_a_state_of_a_newer_version_is_refused(refused, primeta, tmp_path):
    folder = workspace(tmp_path / "shop", some_orders())
    assert primeta("trends", str(folder)).returncode == 0
    connection = sqlite3.connect(folder / "state.sqlite")
    connection.execute("update alembic_version set version_num = '9999'")
    connection.commit()
    connection.close()
    refused("trends", str(folder), says=("newer Primeta", "9999"))


def test_a_state_that_is_no_database(refused, tmp_path):
    folder = workspace(tmp_path / "shop", some_orders())
    (folder / "state.sqlite").write_text("hello " * 500)
    refused("trends", str(folder), says=("no Primeta state",))


def test_a_decision_about_nothing_and_a_day_that_is_none(refused, primeta, tmp_path):
    folder = workspace(tmp_path / "shop", some_orders())
    answer = ("--answer", "observe", "--criteria", "+2%", "--owner", "Anna")
    refused("decide", str(folder), "x", *answer, "--due", "2027-01-18", says=("no trend 'x'",))
    made = primeta("trend", "new", str(folder), "Dinner after work").stdout.strip()
    refused("decide", str(folder), made, *answer, "--due", "soon", says=("--due", "2026-12-31"))
    refused("trend", "edit", str(folder), made, "colour", says=("FIELD=VALUE",))


def test_init_touches_nothing_that_exists(refused, tmp_path):
    folder = workspace(tmp_path / "shop", some_orders())
    before = (folder / "primeta.toml").read_text()
    refused("init", str(folder), says=("workspace already",))
    assert (folder / "primeta.toml").read_text() == before
