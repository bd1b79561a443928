"""`attention filter`: the same rows with the answer to each, and kept states read by the hot way say the same."""

from __future__ import annotations

import csv
import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.attention.consents import Mark, Slot
from primeta.attention.decide import decide
from primeta.attention.fold import CustomerState, SeenTouch, Wish
from primeta.attention.records import Cap, Credit, Policy, Question
from primeta.cli.app import run
from primeta.errors import BadInput, BadTable
from primeta.store.attention_hot import hot_state
from primeta.store.attention_state import pack, unpack
from primeta.store.schema import attention_states
from primeta.workspace import open_workspace

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
YES = Mark(at=NOW - timedelta(days=99), effective=NOW - timedelta(days=99), state="given", proven=True)
NO = replace(YES, at=NOW - timedelta(days=9), effective=NOW - timedelta(days=9), state="withdrawn")
CHANNELS = st.sampled_from(["push", "email", ""])


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["marketing", "service"]), CHANNELS, st.just("")), st.booleans(), max_size=4
    ),
    st.lists(
        st.tuples(st.integers(1, 60 * 1440), CHANNELS, st.sampled_from(["service", "useful", "offer"])),
        max_size=24,
    ),
    st.booleans(),
    st.sampled_from(["service", "useful", "offer", "press"]),
)
@settings(max_examples=60, deadline=None)
def test_what_is_read_the_hot_way_is_answered_like_the_whole_state(slots, seen, wishes, purpose):
    touches = tuple(
        sorted(
            SeenTouch(at=NOW - timedelta(minutes=ago), message_id=f"m{n}", channel=channel, purpose=sort)
            for n, (ago, channel, sort) in enumerate(seen)
        )
    )
    state = CustomerState(
        customer_id="c",
        as_of=NOW - timedelta(days=1),
        consents={where: Slot(given=(YES,), no=NO if no else None) for where, no in slots.items()},
        first_touches=touches[:16],
        touches=touches[-20:],
        wishes={"w": Wish(key="w", at=NOW, means="stop-all")} if wishes else {},
    )
    policy = Policy(quiet_hours=(18, 9), caps=(Cap(max=2, window=timedelta(days=7)),))
    credit = Credit(
        value=0.3, low=0.2, high=0.4, welcome=0.3, drive_away=0.0, blind=0.1, level="sell", model="prior", touches=1, as_of=NOW
    )  # fmt: skip
    question = Question(customer_id="c", channel="push", purpose=purpose, at=NOW)  # type: ignore[arg-type]
    since = NOW - timedelta(days=7)
    hot = hot_state(pack(state), channel="push", since=since, first_useful=policy.first_useful)
    hot = hot or unpack(pack(state))
    whole, quick = (decide(question, of, policy, (), credit, now=NOW, explain=False) for of in (state, hot))
    assert (quick.allowed, quick.rule, quick.earliest) == (whole.allowed, whole.rule, whole.earliest)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "primeta.toml").write_text(
        '[workspace]\nname = "Team"\n[attention]\nquiet_hours = [21, 9]\nfirst_useful = 0\nsell_at = 0.0\n'
    )
    ws = open_workspace(tmp_path)
    draw = random.Random(3)
    rows = []
    for n in range(50):
        no = NO if draw.random() < 0.3 else None
        state = CustomerState(
            customer_id=f"{n:03}", as_of=NOW, consents={("marketing", "", ""): Slot(given=(YES,), no=no)}
        )
        rows.append(
            {
                "customer_id": f"{n:03}",
                "number": 1,
                "state": pack(state),
                "zone": "Asia/Tokyo" if n % 2 else None,
                "pseudonym": f"p{n}",
            }
        )
    with ws.database.write() as connection:
        connection.execute(attention_states.insert(), rows)
    ws.close()
    return tmp_path


def asked(**more) -> Question:
    return Question(customer_id="", channel="push", purpose="useful", at=NOW, **more)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_rows_stay_and_each_has_its_answer(folder, ending):
    ids = [f"{n:03}" for n in range(60)]
    table = pa.table({"client": ids, "города": ["Тверь, 1"] * 60, "timezone": ["", *["Europe/Moscow"] * 59]})
    audience = folder / f"audience.{ending}"
    if ending == "parquet":
        pq.write_table(table, audience)
    else:
        with audience.open("w", newline="") as file:
            csv.writer(file).writerows([table.schema.names, *zip(*table.to_pydict().values(), strict=True)])
    ws = open_workspace(folder)
    found = ws.filter_audience(
        audience, asked(), out=folder / "out.csv", now=NOW, columns="customer_id=client"
    )
    desk = ws.desk(now=NOW)
    one_by_one = [
        desk.answer(replace(asked(), customer_id=one), now=NOW, zone="Europe/Moscow") for one in ids
    ]
    desk.close()
    ws.close()
    rows = list(csv.DictReader((folder / "out.csv").read_text().splitlines()))
    assert [row["client"] for row in rows] == ids
    assert {row["города"] for row in rows} == {"Тверь, 1"}
    assert [row["rule"] for row in rows] == [answer.rule for answer in one_by_one]
    assert [row["allowed"] == "true" for row in rows] == [answer.allowed for answer in one_by_one]
    assert (found.customers, found.allowed) == (60, sum(answer.allowed for answer in one_by_one))
    assert found.rules["unknown-customer"] == 10
    assert "60" in found.line("en")
    assert found.table("ru").rows


def test_files_that_cannot_be_used_are_told_and_leave_nothing_behind(folder):
    ws = open_workspace(folder)
    (folder / "a.csv").write_text("client\n1\n")
    (folder / "b.csv").write_text("customer_id,rule\n1,x\n")
    for name, error, said in (
        ("a", BadTable, "no column customer_id"),
        ("b", BadTable, "column rule already"),
    ):
        with pytest.raises(error, match=said):
            ws.filter_audience(folder / f"{name}.csv", asked(), out=folder / "out.csv", now=NOW)
    with pytest.raises(BadInput, match=r"\.csv or \.parquet"):
        ws.filter_audience(folder / "a.csv", asked(), out=folder / "out.xlsx", now=NOW)
    ws.close()
    assert not [path for path in folder.iterdir() if "out" in path.name]


def test_the_terminal_writes_the_file_and_counts_rules(folder, capsys):
    (folder / "a.csv").write_text("customer_id\n001\n999\n")
    arguments = ["--audience", str(folder / "a.csv"), "--channel", "push", "--purpose", "offer", "--json"]
    with pytest.raises(SystemExit) as left:
        run(["attention", "filter", str(folder), *arguments, "--out", str(folder / "out.parquet")])
    assert left.value.code == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["customers"], found["rules"]["unknown-customer"]) == (2, 1)
    kept = pq.read_table(folder / "out.parquet")
    assert kept.schema.names == ["customer_id", "allowed", "rule", "earliest"]
    assert kept.schema.field("earliest").type == pa.timestamp("ms", tz="UTC")


@pytest.mark.slow
def test_two_processes_write_what_one_writes(folder):
    with (folder / "a.csv").open("w") as file:
        file.write("customer_id\n")
        file.writelines(f"{n % 60:03}\n" for n in range(90_000))
    ws = open_workspace(folder)
    for many in (1, 2):
        ws.filter_audience(folder / "a.csv", asked(), out=folder / f"out-{many}.csv", now=NOW, processes=many)
    ws.close()
    assert (folder / "out-1.csv").read_bytes() == (folder / "out-2.csv").read_bytes()


def test_what_a_killed_run_left_behind_is_removed_by_the_next(folder):
    (folder / "a.csv").write_text("customer_id\n001\n")
    # 4194305 is beyond the largest process number of Linux (2^22).
    left, foreign = folder / ".out.csv.4194305.part", folder / ".out.csv.notes.part"
    left.write_text("half")
    foreign.write_text("somebody's")
    ws = open_workspace(folder)
    ws.filter_audience(folder / "a.csv", asked(), out=folder / "out.csv", now=NOW)
    ws.close()
    assert not left.exists()
    assert foreign.exists()
