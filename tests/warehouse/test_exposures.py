"""Who enters an experiment, when and in which arm, against plain Python; what was written down stays."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from hashlib import md5
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from naive_experiment import arriving, enters, first_rows
from warehouse_workspace import START, random_company, write_company

from primeta.errors import BadInput, BadTable
from primeta.warehouse.duck import connect, run
from primeta.warehouse.engine import open_warehouse
from primeta.warehouse.exposures import Drawn, Entering, enter
from primeta.warehouse.facts_store import refresh_facts

STARTS, ENDS = date(2023, 2, 1), date(2023, 3, 1)
ZONE = ZoneInfo("Europe/Moscow")


def halves(_connection, _table, kept):
    """Half and half by the first 13 hexadecimal digits of md5(salt:id) over 2^52 (DESIGN §7)."""
    return Drawn("CASE WHEN bucket < 0.5 THEN 'control' ELSE 'a' END", "bucket('test', customer_id)", kept)


def arm_of(customer):
    return "control" if int(md5(f"test:{customer}".encode()).hexdigest()[:13], 16) / 2**52 < 0.5 else "a"


def entering(**changes):
    given = {
        "experiment": "test",
        "entry": "arrival",
        "starts": STARTS,
        "ends": ENDS,
        "arms": ("control", "a"),
    }
    return Entering(**{**given, **changes})


@pytest.fixture
def world(tmp_path):
    company = arriving(random_company(1, days=90, customers=400), START.date(), 80)
    return company, write_company(company, tmp_path)


def facts_of(config):
    with open_warehouse(config) as warehouse:
        return refresh_facts(warehouse).facts


def people_in(file):
    rows = pq.read_table(file).to_pylist()
    return {row["customer_id"]: row for row in rows if row["arm"] is not None}


def entered_of(config, spec, file, *, today=date(2023, 4, 2), draw=halves):
    facts = facts_of(config)
    with connect() as connection:
        return enter(connection, facts, spec, file=file, today=today, draw=draw)


@pytest.mark.parametrize("entry", ["list", "arrival"])
def test_customers_enter_on_the_days_that_plain_python_finds(world, tmp_path, entry):
    company, config = world
    found = entered_of(config, entering(entry=entry), tmp_path / "in.parquet")
    came = first_rows(company)
    wanted = {c: when for c in came if (when := enters(entry, came[c], STARTS, ENDS)) is not None}
    assert 0 < len(wanted) < len(came)
    got = people_in(found.file)
    assert {c: row["entered"] for c, row in got.items()} == {c: day for c, (day, _) in wanted.items()}
    assert all(row["arm"] == arm_of(c) for c, row in got.items())
    for customer, row in got.items():
        since = wanted[customer][1]
        assert row["since"] == (None if since is None else since.astimezone(UTC).replace(tzinfo=None))
    assert found.total == len(wanted)
    assert found.by_arm == {arm: sum(arm_of(c) == arm for c in wanted) for arm in ("control", "a")}
    assert set(found.days) == {day for day, _ in wanted.values()}


def test_a_registration_before_the_first_row_is_the_day_that_counts(world, tmp_path):
    company, config = world
    came = first_rows(company)
    late = [c for c, (day, _) in came.items() if STARTS < day < ENDS][:2]
    path = config.folder / "customers.parquet"
    rows = pq.read_table(path).to_pylist()
    for row in rows:
        registered = {late[0]: "2022-12-01 10:00", late[1]: f"{STARTS} 10:00"}.get(row["customer_id"])
        row["registered_at"] = registered
    pq.write_table(pa.Table.from_pylist(rows), path)
    got = people_in(entered_of(config, entering(), tmp_path / "in.parquet").file)
    assert (got[late[0]]["entered"], got[late[0]]["since"]) == (STARTS, None)
    assert got[late[1]]["entered"] == STARTS
    # 10:00 in Moscow is 07:00 UTC
    assert f"{got[late[1]]['since']}" == "2023-02-01 07:00:00"


def test_nothing_is_written_before_the_first_day_and_arrivals_wait_for_theirs(world, tmp_path):
    company, config = world
    file = tmp_path / "in.parquet"
    assert entered_of(config, entering(), file, today=date(2023, 1, 31)).total == 0
    assert not file.exists()
    early = entered_of(config, entering(), file, today=date(2023, 2, 10))
    came = first_rows(company)
    due = {c for c, (day, _) in came.items() if day <= date(2023, 2, 10)}
    assert set(people_in(file)) == due
    assert early.total == len(due)
    # asked again for a later day, those who have come since are added
    assert entered_of(config, entering(), file).total == sum(day < ENDS for day, _ in came.values())
    # and for the earlier day it is as it was
    assert entered_of(config, entering(), file, today=date(2023, 2, 10)).by_arm == early.by_arm


def test_whoever_is_in_stays_in_though_his_attributes_change(world, tmp_path):
    _, config = world
    file = tmp_path / "in.parquet"
    spec = entering(entry="list", population="region = 'r1'", attributes=("age",))
    before = entered_of(config, spec, file)
    assert all(int(c) % 2 == 1 for c in people_in(file))
    path = config.folder / "customers.parquet"
    rows = [{**row, "region": "r0", "age": "old"} for row in pq.read_table(path).to_pylist()]
    pq.write_table(pa.Table.from_pylist(rows), path)
    after = entered_of(config, spec, file)
    assert (after.by_arm, after.marks) == (before.by_arm, before.marks)
    assert {row["attribute_age"] for row in people_in(file).values()} == {"a0", "a1", "a2"}


def test_new_customers_are_added_and_nobody_else_is_touched(tmp_path):
    company = arriving(random_company(2, days=90, customers=400), START.date(), 80)
    file = tmp_path / "in.parquet"
    config = write_company(company, tmp_path / "w", until=START + timedelta(days=45))
    # an export of that day lists nobody who has not come yet
    path = config.folder / "customers.parquet"
    there = {c for c, (_, at) in first_rows(company).items() if at < START + timedelta(days=45)}
    rows = [row for row in pq.read_table(path).to_pylist() if row["customer_id"] in there]
    pq.write_table(pa.Table.from_pylist(rows), path)
    spec = entering(entry="arrival", attributes=("region",))
    entered_of(config, spec, file, today=date(2023, 2, 16))
    first = people_in(file)
    config = write_company(company, tmp_path / "w")
    second = people_in(entered_of(config, spec, file).file)
    assert first.items() <= second.items()
    came = first_rows(company)
    wanted = {c: when[0] for c in came if (when := enters("arrival", came[c], STARTS, ENDS))}
    assert {c: row["entered"] for c, row in second.items()} == wanted


def test_who_is_not_drawn_is_counted_and_stays_outside(world, tmp_path):
    _, config = world

    def some(_connection, _table, _kept):
        return Drawn(
            "CASE WHEN bucket < 0.25 THEN 'a' WHEN bucket < 0.5 THEN 'control' END",
            "bucket('test', customer_id)",
        )

    found = entered_of(config, entering(entry="list"), tmp_path / "in.parquet", draw=some)
    everybody = entered_of(config, entering(entry="list"), tmp_path / "all.parquet")
    assert found.total + found.outside == everybody.total
    assert 0 < found.total < everybody.total


def test_what_a_draw_keeps_is_handed_to_the_next_one(world, tmp_path):
    _, config = world
    seen = []

    def draw(connection, table, kept):
        seen.append((run(connection, f"SELECT count(*) FROM {table}")[0][0], kept))
        return Drawn("'a'", "bucket('test', customer_id)", kept or {"cuts": [0.5]})

    file = tmp_path / "in.parquet"
    entered_of(config, entering(), file, today=STARTS, draw=draw)
    entered_of(config, entering(), file, draw=draw)
    (first, nothing), (_, kept) = seen
    assert first > 0
    assert (nothing, kept) == (None, {"cuts": [0.5]})


def test_nobody_enters_after_a_stop(world, tmp_path):
    _, config = world
    file = tmp_path / "in.parquet"
    entered_of(config, entering(), file)
    stopped = entered_of(config, entering(ends=date(2023, 2, 8)), file)
    assert max(stopped.days) == date(2023, 2, 7)


def test_a_population_that_cannot_be_read_says_what_there_is(world, tmp_path):
    _, config = world
    with pytest.raises(BadInput, match=r"population = .*city.*the customers have .*region"):
        entered_of(config, entering(population="city = 'Perm'"), tmp_path / "in.parquet")
    with pytest.raises(BadInput, match=r"no attribute 'city'.*region"):
        entered_of(config, entering(attributes=("city",)), tmp_path / "in.parquet")


def test_another_versions_file_is_not_made_anew(world, tmp_path):
    _, config = world
    file = tmp_path / "in.parquet"
    pq.write_table(pa.table({"customer_id": ["1"]}), file)
    with pytest.raises(BadTable, match="not written by this version"):
        entered_of(config, entering(), file)


# Assignments made elsewhere


def assigned(config, rows, spec, file, *, today=date(2023, 4, 2)):
    path = config.folder / "assignments.parquet"
    pq.write_table(pa.Table.from_pylist([{"experiment": "test", **row} for row in rows]), path)
    text = config.path.read_text(encoding="utf-8")
    if "tables.assignments" not in text:
        config.path.write_text(
            text + '\n[tables.assignments]\nfrom = "assignments.parquet"\n', encoding="utf-8"
        )
    from primeta.config import load_config

    config = load_config(config.folder)
    with open_warehouse(config) as warehouse:
        facts = refresh_facts(warehouse).facts
        view = warehouse.clean("assignments")
        return enter(warehouse.connection, facts, spec, file=file, today=today, draw=halves, assignments=view)


def row(customer, arm, at):
    return {"customer_id": customer, "arm": arm, "assigned_at": at}


def test_the_table_says_who_entered_when_and_what_does_not_count_is_counted(world, tmp_path):
    _, config = world
    rows = [
        row("0001", "a", "2023-02-03 09:00"),
        row("0001", "a", "2023-02-02 09:00"),
        row("0002", "control", "2023-02-03"),
        row("0003", "control", "2023-01-31 23:59"),
        row("0004", "a", "2023-03-01 00:00"),
        row("0005", "a", "2023-05-01 00:00"),
        row("nobody knows", "control", "2023-02-04 12:00"),
        {**row("0006", "a", "2023-02-03"), "experiment": "another"},
    ]
    found = assigned(config, rows, entering(entry="table", attributes=("region",)), tmp_path / "in.parquet")
    got = people_in(found.file)
    assert set(got) == {"0001", "0002", "nobody knows"}
    # the earliest time counts; 09:00 in Moscow is 06:00 UTC; midnight is a day without a time
    assert (got["0001"]["entered"], str(got["0001"]["since"])) == (date(2023, 2, 2), "2023-02-02 06:00:00")
    assert (got["0002"]["entered"], got["0002"]["since"]) == (date(2023, 2, 3), None)
    assert (got["0001"]["attribute_region"], got["nobody knows"]["attribute_region"]) == ("r1", None)
    assert found.notes == {"before-start": 1, "after-end": 1, "in-future": 1}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row("1", "a", "2023-02-03"), row("1", "control", "2023-02-04")], "customer 1 stands in two arms, a and control"),
        ([row("1", "A", "2023-02-03")], "arm 'A' .customer 1, 1 rows. is none of control, a. Is it 'a'?"),
        ([row("1", "", "2023-02-03")], "arm '' .customer 1"),
    ],
)  # fmt: skip
def test_a_table_that_contradicts_itself_is_refused(world, tmp_path, rows, message):
    _, config = world
    with pytest.raises(BadTable, match=message):
        assigned(config, rows, entering(entry="table"), tmp_path / "in.parquet")


def test_an_arm_that_changes_between_looks_is_refused_and_names_the_customer(world, tmp_path):
    _, config = world
    file = tmp_path / "in.parquet"
    assigned(
        config,
        [row("0001", "a", "2023-02-03"), row("0002", "a", "2023-02-03")],
        entering(entry="table"),
        file,
    )
    with pytest.raises(
        BadTable, match="customer 0002 was in the arm a at an earlier look and is in control now"
    ):
        assigned(
            config,
            [row("0001", "a", "2023-02-03"), row("0002", "control", "2023-02-03")],
            entering(entry="table"),
            file,
        )
    # whoever vanishes from the table was assigned all the same
    found = assigned(config, [row("0001", "a", "2023-02-03")], entering(entry="table"), file)
    assert found.by_arm == {"control": 0, "a": 2}


def test_a_message_of_its_own_campaign_before_the_assignment_is_counted(tmp_path):
    company = random_company(3, days=90, customers=60)
    for at, message in enumerate(company.messages):
        message["campaign"] = "Test " if at % 2 else "other"
    config = write_company(company, tmp_path / "w")
    customers = sorted({message["customer_id"] for message in company.messages})
    entry = datetime(2023, 2, 10, 12, tzinfo=ZONE)
    rows = [row(c, "a" if at % 2 else "control", "2023-02-10 12:00") for at, c in enumerate(customers)]
    found = assigned(config, rows, entering(entry="table"), tmp_path / "in.parquet")
    touched = {
        m["customer_id"]
        for at, m in enumerate(company.messages)
        if at % 2 and not m["withheld"] and m["sent_at"] < entry
    }
    assert len(touched) > 5
    assert found.notes == {"touched-before": len(touched)}
