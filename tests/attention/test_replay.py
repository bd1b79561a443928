"""`primeta attention replay` and `pm.attention`: what is found, what is refused, what is kept in the ledger."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from primeta.attention.door import attention
from primeta.attention.ledger import Event
from primeta.attention.promise_file import in_force
from primeta.attention.records import CampaignCredit, Cap, Policy, Promise
from primeta.attention.replay import read_policy
from primeta.attention.replay_credit import CreditReplay
from primeta.attention.replay_picture import credit_picture
from primeta.cli.app import run
from primeta.errors import BadInput, BadTable
from primeta.show.result import plain
from primeta.workspace import open_workspace

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
ROLLING = {
    "promise": "p1", "text": "At most two pushes a week.", "channel": "push", "purpose": None, "customers": "all",
    "max": 2, "window": "7d", "valid_from": "2026-01-01", "valid_to": None,
}  # fmt: skip


def log(*sent: str, **columns: list[Any]) -> dict[str, list[Any]]:
    count = len(sent)
    return {
        "message_id": [f"m{number}" for number in range(1, count + 1)],
        "customer_id": ["c1"] * count,
        "sent_at": list(sent),
        "channel": ["push"] * count,
        "campaign": ["spring"] * count,
        "purpose": ["offer"] * count,
        **columns,
    }


def broken(found: Any) -> list[str]:
    return [row.message_id for row in found.broken()]


def test_the_third_and_each_later_message_in_the_rolling_window_breaks():
    # a week after the first message, to the second, it no longer counts: (t − w, t]
    sent = ("2026-01-01T10:00:00", "2026-01-03T10:00:00", "2026-01-08T10:00:00", "2026-01-08T10:00:01")
    assert broken(attention(log(*sent), promises=[ROLLING], credit=False)) == ["m4"]
    # one microsecond earlier it does; the broken one counts too
    sent = ("2026-01-01T10:00:00", "2026-01-03T10:00:00", "2026-01-08T09:59:59.999999", "2026-01-10T09:59:59")
    assert broken(attention(log(*sent), promises=[ROLLING], credit=False)) == ["m3", "m4"]


def test_a_message_that_was_withheld_is_no_send():
    sent = ("2026-01-01T10:00:00", "2026-01-02T10:00:00", "2026-01-03T10:00:00")
    found = attention(log(*sent, withheld=[False, True, False]), promises=[ROLLING], credit=False)
    assert broken(found) == []
    assert found.log.withheld == 1


def test_sends_learnt_late_make_a_breach_that_could_not_be_known():
    sent = ("2026-01-01T10:00:00", "2026-01-02T10:00:00", "2026-01-03T10:00:00")
    late = ["2026-01-01T10:00:00", "2026-01-04T10:00:00", "2026-01-03T10:00:00"]
    (row,) = attention(log(*sent, learnt_at=late), promises=[ROLLING], credit=False).broken()
    assert (row.message_id, row.knowable) == ("m3", False)


def test_hours_are_those_where_the_customer_lives_on_the_day_the_clocks_change():
    # Berlin, 2026-03-29: 06:30 UTC was 07:30 the day before, and is 08:30 now
    sent = ("2026-03-28T06:30:00", "2026-03-29T06:30:00")
    found = attention(
        log(*sent),
        promises=[{"promise": "day", "hours": [8, 21]}],
        customers={"customer_id": ["c1"], "timezone": ["Europe/Berlin"]},
        credit=False,
    )
    assert broken(found) == ["m1"]


def test_a_text_without_a_checkable_meaning_is_never_counted_as_kept():
    found = attention(
        log("2026-01-01T10:00:00"), promises=[{"promise": "love", "text": "We love you."}], credit=False
    )
    (entry,) = found.promises
    assert (entry.state, entry.kept, entry.why_not) == ("unverifiable", None, "no-predicate")
    assert "not counted as kept" in found.line()
    assert "выполненными они не считаются" in found.line("ru")


def test_what_the_log_cannot_tell_is_not_checked():
    rows = log("2026-01-01T10:00:00")
    del rows["purpose"], rows["campaign"]
    promises = [
        {"promise": "a", "purposes_only": ["useful"]},
        {"promise": "b", "programmes_only": ["news"]},
        {"promise": "c", "personal_only": True},
        {"promise": "d", "channel": "push", "stop_within": "24h"},
    ]
    found = attention(rows, promises=promises, credit=False)
    assert [entry.why_not for entry in found.promises] == [
        "no-purpose",
        "no-programme",
        "no-personal",
        "no-purpose",
    ]
    assert broken(found) == []
    assert (
        attention(log("2026-01-01T10:00:00"), promises=promises, credit=False).promises[3].why_not
        == "no-opt-outs"
    )


def test_a_promise_that_is_not_due_yet_is_neither_kept_nor_broken():
    promise = {"promise": "gift", "deliver": "gift", "by": "2026-02-01"}
    (entry,) = attention(log("2026-01-01T10:00:00"), promises=[promise], credit=False).promises
    assert (entry.state, entry.kept) == ("pending", None)
    later = log("2026-01-01T10:00:00", "2026-02-02T10:00:00")
    (row,) = attention(later, promises=[promise], credit=False).broken()
    assert (row.message_id, row.at) == ("", datetime(2026, 2, 1, tzinfo=UTC))


def test_a_revised_promise_replaces_the_one_before():
    sent = [f"2026-01-{day:02d}T10:00:00" for day in range(1, 5)]
    newer = {**ROLLING, "version": 2, "max": 3, "valid_from": "2026-01-03"}
    assert broken(attention(log(*sent), promises=[newer, ROLLING], credit=False)) == ["m4"]


def test_rows_told_twice_are_one_message_and_contradicting_ones_are_refused():
    rows = log("2026-01-01T10:00:00", "2026-01-01T10:00:00", message_id=["m1", "m1"])
    found = attention(rows, promises=[{**ROLLING, "max": 1}], credit=False)
    assert (broken(found), found.log.duplicates, found.log.sends) == ([], 1, 1)
    with pytest.raises(
        BadTable, match=r"1 message ids stand on rows that contradict each other, such as 'm1'.*channel"
    ):
        attention({**rows, "channel": ["push", "email"]}, promises=[ROLLING], credit=False)


def test_a_draft_policy_stops_what_its_cap_forbids_and_what_it_stops_fills_no_cap():
    sent = [f"2026-01-{day:02d}T12:00:00" for day in range(1, 6)]
    reactions = {"message_id": ["m2"], "kind": ["clicked"], "happened_at": ["2026-01-02T12:05:00"]}
    policy = Policy(caps=(Cap(max=1, window=timedelta(days=2)),), quiet_hours=None, first_useful=0)
    found = attention(log(*sent), reactions, promises=[ROLLING], policy=policy, credit=False).policy
    assert found is not None
    # the 1st, 3rd and 5th go
    assert (found.stopped, found.by_rule["cap"], found.welcomes.value) == (2, 2, 1.0)
    assert found.broken == {"p1": (3, 1)}
    assert found.basis == "observational"


def test_the_other_rules_of_a_draft_policy():
    sent = ("2026-01-01T03:00:00", "2026-01-01T12:00:00", "2026-01-02T12:00:00")
    rows = log(*sent, purpose=["useful", "offer", "service"], cost=[1.0, 2.0, 4.0])
    found = attention(
        rows, promises=[], policy={"quiet_hours": [21, 9], "first_useful": 1}, credit=False
    ).policy
    assert found is not None
    assert found.by_rule == {"cap": 0, "quiet-hours": 1, "first-touches": 1}
    assert found.cost == 3.0


def test_a_policy_file_may_be_the_section_of_a_workspace(tmp_path: Path):
    file = tmp_path / "draft.toml"
    file.write_text('[attention]\npromises = "p.json"\nfirst_useful = 2\n')
    assert read_policy(file).first_useful == 2
    file.write_text("first_usefull = 2\n")
    with pytest.raises(BadInput, match=r"draft\.toml, first_usefull"):
        read_policy(file)
    with pytest.raises(BadInput, match="no such file"):
        read_policy(tmp_path / "none.toml")


def test_without_reactions_nothing_is_told_of_credit():
    document = attention(log("2026-01-01T10:00:00"), promises=[ROLLING]).as_dict()
    assert document["why_not"] == "no-reactions"
    assert document["campaigns"] == []
    assert document["blind_share"] != document["blind_share"]


def many(count: int = 60) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """Two campaigns to forty customers; every third message is clicked."""
    rows: dict[str, list[Any]] = {
        name: []
        for name in (
            "message_id",
            "customer_id",
            "sent_at",
            "channel",
            "campaign",
            "programme",
            "team",
            "purpose",
        )
    }
    clicks: dict[str, list[Any]] = {"message_id": [], "kind": [], "happened_at": []}
    for number in range(count * 40 // 10):
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=9 * number)
        told = (
            f"m{number:04d}", f"c{number % 40:02d}", at, "push", f"k{number % 2}", f"p{number % 2}", "crm",
            ("useful", "offer")[number % 2],
        )  # fmt: skip
        for name, value in zip(rows, told, strict=True):
            rows[name].append(value)
        if number % 3 == 0:
            for name, value in zip(clicks, (told[0], "clicked", at + timedelta(hours=1)), strict=True):
                clicks[name].append(value)
    return rows, clicks


@pytest.mark.slow
def test_credit_by_campaign_programme_and_team_is_the_same_when_repeated():
    rows, clicks = many()
    first, second = (attention(rows, clicks, promises=[ROLLING]) for _ in range(2))
    assert json.dumps(first.as_dict(), default=str) == json.dumps(second.as_dict(), default=str)
    document = first.as_dict()
    assert {row["campaign"] for row in document["campaigns"]} == {"k0", "k1"}
    assert {row["programme"] for row in document["programmes"]} == {"p0", "p1"}
    assert [row["team"] for row in document["teams"]] == ["crm"]
    assert all(row["low"] <= row["credit_spent"] <= row["high"] for row in document["campaigns"])
    assert {row["basis"] for row in document["campaigns"]} == {"observational"}
    assert 0 <= document["blind_share"] <= 1
    blind = first.blind_table()
    assert (blind is None) == (not document["blind_since"])


# The terminal


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "messages.csv").write_text(
        "message_id,customer_id,sent_at,channel,purpose\n"
        "m1,007,2026-01-01T10:00:00Z,push,offer\n"
        "m2,007,2026-01-02T10:00:00Z,push,offer\n"
        "m3,007,2026-01-03T10:00:00Z,push,offer\n"
    )
    (tmp_path / "promises.json").write_text(json.dumps([ROLLING]))
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    with pytest.raises(SystemExit) as left:
        run(["attention", "replay", *arguments])
    printed = capsys.readouterr()
    assert left.value.code == status, printed.err
    return printed.out if status == 0 else printed.err


def test_the_json_of_bare_files_shows_ids_as_they_were_given(files: Path, capsys):
    document = json.loads(
        told(capsys, "--messages", f"{files}/messages.csv", "--promises", f"{files}/promises.json", "--json")
    )
    assert document["broken"] == [
        {
            "promise": "p1", "customer_id": "007", "message_id": "m3", "at": "2026-01-03T10:00:00Z", "knowable": True
        }
    ]  # fmt: skip
    assert list(document)[:2] == ["broken", "promises"]
    assert document["scores"] == {"model": None, "counts": None, "beta_binomial": None}


def test_words_in_both_languages(files: Path, capsys):
    given = ("--messages", f"{files}/messages.csv", "--promises", f"{files}/promises.json")
    assert "Breaches: 1 (promises: 1, messages: 3)" in told(capsys, *given)
    assert "Нарушений: 1" in told(capsys, *given, "--language", "ru")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"max": None}, "max and window go together"),
        ({"window": "a week"}, "window: a span such as 24h"),
        ({"hours": [9, 9]}, "hours: two different hours"),
        ({"purpose": "advert"}, "purpose: one of service"),
        ({"purposes_only": []}, "purposes_only: at least one"),
        ({"deliver": "gift"}, "deliver and by go together"),
        ({"valid_to": "2025-01-01"}, "ends (valid_to) before it begins"),
        ({"maximum": 3}, "'maximum' is not known"),
    ],
)
def test_a_mistake_in_the_promises_is_told_with_its_place(
    files: Path, capsys, change: dict[str, Any], said: str
):
    (files / "promises.json").write_text(json.dumps([{**ROLLING, **change}]))
    words = told(
        capsys, "--messages", f"{files}/messages.csv", "--promises", f"{files}/promises.json", status=2
    )
    assert "promises.json, line 1" in words
    assert said in words


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give a workspace, or --messages"),
        (("--messages", "messages.csv"), "--promises FILE is missing"),
        (("--messages", "messages.csv", "--promises", "promises.json", "--record"), "name the workspace"),
        (("--messages", "messages.csv", "--promises", "promises.json", "--timezone", "Mars"), "no time zone"),
        (("--messages", "messages.csv", "--promises", "none.json"), "none.json"),
        (("--messages", "promises.json", "--promises", "promises.json"), "CSV"),
        (
            ("--messages", "messages.csv", "--promises", "promises.json", "--columns", "sent=at"),
            "no canonical column",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(files: Path, capsys, monkeypatch, arguments, said):
    monkeypatch.chdir(files)
    words = told(capsys, *arguments, status=2)
    assert said in words
    assert "Traceback" not in words


@pytest.fixture
def workspace(files: Path) -> Path:
    (files / "primeta.toml").write_text(
        '[workspace]\nname = "shop"\n\n[tables.messages]\nfrom = "messages.csv"\n\n'
        '[attention]\npromises = "promises.json"\n'
    )
    return files


def test_in_a_workspace_customers_are_pseudonyms_and_breaches_become_entries_once(workspace: Path, capsys):
    document = json.loads(told(capsys, str(workspace), "--record", "--json"))
    (row,) = document["broken"]
    assert row["customer_id"].startswith("C-")
    told(capsys, str(workspace), "--record", "--json")
    ws = open_workspace(workspace)
    from primeta.workspace.attention_ledger import customer_entries

    entries = customer_entries(ws, "007")
    assert [(entry.kind, entry.payload["message_id"]) for entry in entries] == [("broken", "m3")]
    assert entries[0].payload["code"]
    assert entries[0].payload["channel"] == "push"
    ws.close()


def test_a_column_that_is_not_mapped_cannot_be_checked(workspace: Path, capsys):
    (workspace / "promises.json").write_text(json.dumps([{"promise": "mine", "personal_only": True}]))
    document = json.loads(told(capsys, str(workspace), "--json", "--no-credit"))
    assert [(entry["state"], entry["why_not"]) for entry in document["promises"]] == [
        ("unverifiable", "no-personal")
    ]


def test_orders_that_stopped_messages_brought_are_told_from_the_lottery():
    # every message is drawn with 3/4; two thirds of those sent order, a fifth of the others
    rows = log(*["2026-01-01T12:00:00"] * 400)
    rows["customer_id"] = [f"c{number:03d}" for number in range(400)]
    rows["withheld"] = [number % 4 == 0 for number in range(400)]
    rows["probability"] = [0.75] * 400
    came = [number for number in range(400) if (number % 2 if number % 4 else number % 20 == 0)]
    orders = {
        "customer_id": [f"c{number:03d}" for number in came],
        "ordered_at": ["2026-01-02T12:00:00"] * len(came),
    }
    policy = Policy(caps=(Cap(max=0, window=timedelta(days=1)),), quiet_hours=None, first_useful=0)
    found = attention(rows, promises=[], policy=policy, orders=orders, credit=False).policy
    assert found is not None
    assert found.stopped == 300
    # 200 of 300 sent are odd: 2/3 ordered, of 100 withheld 20 did
    assert found.orders.value == pytest.approx(300 * (2 / 3 - 0.2))
    assert found.orders.low < found.orders.value < found.orders.high
    without = attention(rows, promises=[], policy=policy, credit=False).policy
    assert without is not None
    assert without.why_not == "no-orders"


def test_what_is_written_row_by_row_is_the_same_document():
    sent = [f"2026-01-{day:02d}T10:00:00" for day in range(1, 6)]
    for promises in ([ROLLING], []):
        found = attention(log(*sent), promises=promises, credit=False)
        out = io.StringIO()
        found.write_json(out)
        assert json.loads(out.getvalue()) == plain(found.as_dict())


@pytest.mark.parametrize("width", [360, 760])
def test_the_picture_shows_campaigns_with_their_intervals_and_escapes_names(width: int):
    rows = [
        CampaignCredit(
            campaign=name, programme="", team="", touches=5, credit_spent=spent, low=spent - 1, high=spent + 1,
            basis="observational", broken=0,
        )
        for name, spent in (("spring <b>", 2.0), ("news", -3.0))
    ]  # fmt: skip
    shown = credit_picture(rows, "ru", title="Кредит")
    assert "spring <b>: +2,0 (1,0…3,0); news: −3,0" in shown.description
    svg = shown.svg(width=width)
    assert "<b>" not in svg
    assert "news" in svg


def test_a_promise_of_which_no_message_is_one_is_not_called_kept():
    found = attention(log("2026-01-01T10:00:00"), promises=[{**ROLLING, "channel": "sms"}], credit=False)
    (entry,) = found.promises
    assert (entry.state, entry.kept, entry.why_not) == ("unverifiable", None, "no-messages")
    empty = {name: values[:0] for name, values in log("2026-01-01T10:00:00").items()}
    assert (
        attention(empty, {"message_id": [], "kind": [], "happened_at": []}, promises=[ROLLING]).credit.why_not
        == "no-sends"
    )


def test_columns_of_other_names_are_told_for_all_tables_or_for_one():
    rows = log("2026-01-01T10:00:00", "2026-01-02T10:00:00", "2026-01-03T10:00:00")
    rows["client"], rows["date"] = rows.pop("customer_id"), rows.pop("sent_at")
    names = {"customer_id": "client", "messages.sent_at": "date"}
    assert broken(attention(rows, promises=[ROLLING], columns=names, credit=False)) == ["m3"]
    with pytest.raises(BadTable, match="customer_id, sent_at not found"):
        attention(rows, promises=[ROLLING], credit=False)
    with pytest.raises(BadTable, match="no column 'day'"):
        attention(rows, promises=[ROLLING], columns={**names, "messages.sent_at": "day"}, credit=False)


def test_what_the_ledger_knows_of_one_customer_counts_in_a_workspace(workspace: Path, capsys):
    (workspace / "promises.json").write_text(json.dumps([{"promise": "stop", "stop_within": "1h"}]))
    ws = open_workspace(workspace)
    ws.record(
        [
            Event(
                key="1",
                kind="consent",
                customer_id="007",
                happened_at=datetime(2026, 1, 2, 12, tzinfo=UTC),
                payload={"processing": "marketing", "channel": "push", "state": "withdrawn"},
            ),
            Event(
                key="2",
                kind="promise",
                customer_id="007",
                happened_at=datetime(2026, 1, 1, tzinfo=UTC),
                payload={"name": "one-a-day", "version": 1, "text": "One a day.", "max": 1, "window": "2d"},
            ),
        ],
        now=NOW,
    )
    ws.close()
    document = json.loads(told(capsys, str(workspace), "--json", "--no-credit"))
    assert [(row["promise"], row["message_id"], row["knowable"]) for row in document["broken"]] == [
        ("one-a-day", "m2", True),
        ("one-a-day", "m3", True),
        # it was written into the ledger long after the message went out
        ("stop", "m3", False),
    ]


def test_versions_made_to_some_replace_the_older_ones_for_these():
    def made(version: int, customers: Any, since: int) -> Promise:
        return Promise(
            name="p", text="", version=version, customers=customers, max=1, window=timedelta(days=1),
            valid_from=datetime(2026, 1, since, tzinfo=UTC),
        )  # fmt: skip

    found = in_force([made(2, ("b",), 3), made(1, ("a", "b"), 1), made(3, "all", 9)])
    assert len(in_force([made(1, "all", 1), made(1, ("a",), 1)])) == 2
    assert [(one.version, one.customers, one.valid_to and one.valid_to.day) for one in found] == [
        (1, ("b",), 3),
        (1, ("a",), 9),
        (2, ("b",), 9),
        (3, "all", None),
    ]


def test_since_when_those_who_no_longer_look_have_been_silent():
    found = attention(log("2026-01-01T10:00:00"), promises=[ROLLING], credit=False)
    assert found.blind_table() is None
    told = replace(
        found, credit=CreditReplay(blind_share=0.4, blind_since={"2026-01": 0.25, "2026-02": 0.15})
    )
    table = told.blind_table("ru")
    assert table is not None
    assert table.rows == (("2026-01", "25,0%"), ("2026-02", "15,0%"))
    assert "40% of those still written to" in told.line()


def test_who_breaks_which_promise():
    sent = [f"2026-01-{day:02d}T10:00:00" for day in range(1, 6)]
    rows = log(*sent, team=["crm", "crm", "growth", "growth", "crm"])
    found = attention(rows, promises=[ROLLING], credit=False)
    assert [(row["team"], row["broken"], row["knowable"]) for row in found.broken_by()] == [
        ("growth", 2, 2),
        ("crm", 1, 1),
    ]
    (campaign,) = attention(
        rows, {"message_id": [], "kind": [], "happened_at": []}, promises=[ROLLING]
    ).credit.campaigns
    assert campaign.broken == 3


def test_what_came_as_promised_is_kept_customer_by_customer():
    rows = log("2026-01-01T10:00:00", "2026-01-02T10:00:00", "2026-01-03T10:00:00")
    rows["customer_id"], rows["campaign"] = ["c1", "c2", "c3"], ["gift", "gift", "spring"]
    promises = [{"promise": "gift", "deliver": "gift", "by": "2026-01-03"}, ROLLING]
    found = attention(rows, promises=promises, credit=False)
    # c3 was first written to after the promised time, so nothing was promised to him
    assert [
        (event.kind, event.customer_id, event.payload["promise"]) for event in found.events(by="test")
    ] == [
        ("kept", "c1", "gift"),
        ("kept", "c2", "gift"),
        ("kept", "", "p1"),
    ]
