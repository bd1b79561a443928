"""A customer as he sees us, the first days of new ones, and what reviewers think: over a real workspace."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from primeta.attention.ledger import Event
from primeta.errors import BadInput, NotFound
from primeta.show.result import plain
from primeta.store.keys import keys_of
from primeta.store.ledger import append_all, rebuild_states
from primeta.workspace import Workspace, open_workspace
from primeta.workspace.attention_sync import sync

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PROMISE = [
    {"promise": "two", "text": "At most two pushes a week", "channel": "push", "max": 2, "window": "7d"}
]
TOML = """
[workspace]
name = "Tea <shop>"
timezone = "UTC"
{tables}
[attention]
promises = "promises.json"
"""
TABLES = """
[tables.customers]
from = "customers.csv"
[tables.messages]
from = "messages.csv"
[tables.reactions]
from = "reactions.csv"
"""


def workspace_in(folder: Path, *, tables: str = "") -> Workspace:
    (folder / "promises.json").write_text(json.dumps(PROMISE))
    (folder / "primeta.toml").write_text(TOML.format(tables=tables))
    return open_workspace(folder)


def touch(
    number: int, at: datetime, *, customer: str = "ivan", channel: str = "push", **more: object
) -> Event:
    told = {"message_id": f"m{number}", "channel": channel, "purpose": "offer", "programme": "sales", **more}
    return Event(key=f"t{number}", kind="touch", customer_id=customer, happened_at=at, payload=told)


def consent(key: str, state: str, at: datetime) -> Event:
    told = {
        "processing": "marketing",
        "channel": "",
        "state": state,
        "text": "Yes",
        "surface": "shop",
        "version": "3",
    }
    return Event(key=key, kind="consent", customer_id="ivan", happened_at=at, payload=told)


@pytest.fixture
def ws(tmp_path: Path):
    opened = workspace_in(tmp_path)
    yield opened
    opened.database.close()


def told(ws: Workspace, *events: Event, at: datetime = NOW) -> str:
    append_all(ws.database, events, now=at)
    return keys_of(ws.database, now=NOW).pseudonym("ivan")


def test_the_shade_shows_the_newest_first_with_what_stood_behind_each(ws):
    decision = Event(
        key="d",
        kind="decision",
        customer_id="ivan",
        happened_at=NOW - 2 * DAY,
        payload={"allowed": True, "rule": "allowed", "message_id": "m2", "policy": 1},
    )
    who = told(
        ws,
        touch(1, NOW - 3 * DAY, title="Old <b>", text="Text"),
        touch(2, NOW - 2 * DAY, title="New"),
        touch(3, NOW - DAY, channel="email", campaign="may"),
        touch(4, NOW - HOUR),
        decision,
    )
    view = ws.customer_view(who, now=NOW)
    assert [lying.came.message_id for lying in view.shade] == ["m4", "m2", "m1"]
    assert [lying.broke for lying in view.shade] == [("two",), (), ()]
    assert (view.shade[1].came.decision.rule, view.shade[1].came.title) == ("allowed", "New")
    assert [lying.came.campaign for lying in view.mailbox] == ["may"]
    assert (view.unread, view.came, view.customer) == (4, 4, who)
    assert [(entry.promise.name, entry.broken) for entry in view.promises] == [("two", 1)]
    assert [entry.channel for entry in view.channels] == ["email", "push"]
    assert all(entry.credit.low <= entry.credit.value <= entry.credit.high for entry in view.channels)


def test_what_he_looked_at_is_gone_from_the_shade_and_listed_below_it(ws):
    opened = Event(
        key="r",
        kind="reaction",
        customer_id="ivan",
        happened_at=NOW - DAY,
        payload={"message_id": "m1", "kind": "opened"},
    )
    who = told(ws, touch(1, NOW - 2 * DAY), touch(2, NOW - HOUR), opened)
    view = ws.customer_view(who, now=NOW)
    assert [[lying.came.message_id for lying in listed] for listed in (view.shade, view.gone)] == [
        ["m2"],
        ["m1"],
    ]
    assert [lying.came.seen_by for lying in view.gone] == ["opened"]
    assert view.unread == 1
    before = ws.customer_view(who, now=NOW, at=NOW - DAY - HOUR)
    assert [len(before.shade), len(before.gone)] == [1, 0]


def test_what_came_long_ago_is_only_counted(ws):
    who = told(ws, touch(1, NOW - 60 * DAY), touch(2, NOW - DAY))
    view = ws.customer_view(who, now=NOW)
    assert (len(view.shade), view.older["shade"], view.unread) == (1, 1, 2)


def test_consent_is_shown_as_it_was_known_then_and_as_it_is_known_today(ws):
    told(ws, consent("c1", "given", NOW - 30 * DAY), touch(1, NOW - 20 * DAY), at=NOW - 20 * DAY)
    # signed on paper ten days ago, typed in today
    who = told(ws, consent("c2", "withdrawn", NOW - 10 * DAY))
    at = NOW - 5 * DAY
    then = ws.customer_view(who, now=NOW, at=at)
    today = ws.customer_view(who, now=NOW, at=at, known="today")
    assert [entry.standing.state for entry in then.consents] == ["given"]
    assert [entry.standing.state for entry in today.consents] == ["withdrawn"]
    assert then.known == "then"
    assert then.consents[0].standing.mark.version == "3"


def test_before_the_ledger_begins_all_that_is_known_is_shown_and_said(ws):
    who = told(ws, consent("c1", "given", NOW - 30 * DAY), touch(1, NOW - 20 * DAY))
    view = ws.customer_view(who, now=NOW, at=NOW - 5 * DAY)
    assert (view.known, view.ledger_since) == ("today", NOW)
    assert [entry.standing.state for entry in view.consents] == ["given"]
    assert "26 Nov 2026" in view.line("en").replace("\xa0", " ")


def test_a_time_without_a_zone_is_by_his_own_clock(ws):
    who = told(ws, touch(1, datetime(2026, 11, 20, 10, tzinfo=UTC)))
    with ws.database.write() as connection:
        connection.execute(text("update attention_states set zone = 'Asia/Vladivostok'"))
    # 20:00 in Vladivostok is 10:00 UTC
    view = ws.customer_view(who, now=NOW, at=datetime(2026, 11, 20, 20))  # noqa: DTZ001
    assert view.shade[0].local.strftime("%H:%M") == "20:00"
    assert ws.customer_view(who, now=NOW, at=datetime(2026, 11, 20, 19, 59)).shade == ()  # noqa: DTZ001


def test_wrong_questions_are_answered_clearly(ws):
    who = told(ws, touch(1, NOW - DAY))
    with pytest.raises(BadInput, match="future"):
        ws.customer_view(who, now=NOW, at=NOW + DAY)
    with pytest.raises(NotFound, match="pseudonym"):
        ws.customer_view("C-0000-0000-0000", now=NOW)
    with pytest.raises(NotFound, match="nothing is known"):
        ws.customer_view("stranger", now=NOW, is_id=True)


def test_a_customer_is_found_by_id_or_by_pseudonym_in_any_spelling(ws):
    who = told(ws, touch(1, NOW - DAY))
    assert ws.find_customer(" ivan ", now=NOW) == who
    assert ws.find_customer(who.lower(), now=NOW) == who
    with pytest.raises(NotFound):
        ws.find_customer("petr", now=NOW)


def test_rebuilt_states_keep_the_pseudonym(ws):
    who = told(ws, touch(1, NOW - DAY))
    with ws.database.write() as connection:
        connection.execute(text("delete from attention_states"))
        rebuild_states(connection, ["ivan"])
    assert ws.find_customer("ivan", now=NOW) == who


def test_the_document_and_the_words_hold_no_id(ws):
    who = told(ws, touch(1, NOW - DAY, title="Hello"), consent("c1", "given", NOW - DAY))
    view = ws.customer_view(who, now=NOW)
    for said in (json.dumps(plain(view.as_dict())), view.table("en").text(), view.table("ru").text()):
        assert "ivan" not in said
        assert who in said


# Marks


def test_marks_are_kept_one_a_reviewer_and_add_up_beside_the_interval(ws):
    who = told(ws, touch(1, NOW - 3 * DAY, campaign="may"), touch(2, NOW - DAY, campaign="may"))
    ws.mark_touch(who, "m1", "yes", by="Anna", now=NOW)
    ws.mark_touch(who, "m1", "no", by="Anna", now=NOW, note="on second thought")
    ws.mark_touch(who, "m1", "no", by="Boris", now=NOW)
    ws.mark_touch(who, "m2", "yes", by="Boris", now=NOW)
    ws.mark_touch(who, "m2", "neutral", by="Clara", now=NOW)
    ws.mark_touch(who, "m2", "", by="Clara", now=NOW)
    found = ws.touch_marks(now=NOW)
    (group,) = found.of("campaign")
    assert (group.name, group.touches, group.reviewers, group.yes, group.no, group.neutral) == (
        "may", 2, 2, 1, 2, 0,
    )  # fmt: skip
    # one message of two would be waited for; Wilson of 1/2 is 9.5% to 90.5%
    assert (group.share, group.low, group.high) == pytest.approx((0.5, 0.0945, 0.9055), abs=1e-4)
    assert [mark.note for _, mark in found.marks if mark.reviewer == "Anna"] == ["on second thought"]
    assert len(ws.customer_view(who, now=NOW).shade[1].marks) == 2


def test_marks_are_exported_with_the_pseudonym(ws, tmp_path):
    who = told(ws, touch(1, NOW - DAY))
    ws.mark_touch(who, "m1", "yes", by="Anna", now=NOW)
    found = ws.touch_marks(now=NOW)
    found.write(tmp_path / "marks.csv")
    (row,) = csv.DictReader((tmp_path / "marks.csv").read_text().splitlines())
    assert (row["customer"], row["message_id"], row["mark"], row["programme"]) == (who, "m1", "yes", "sales")
    assert found.as_dict()["marks"][0]["customer"] == who


def test_only_messages_that_went_to_him_can_be_marked(ws):
    who = told(ws, touch(1, NOW - DAY), touch(2, NOW - DAY, customer="petr"))
    with pytest.raises(NotFound):
        ws.mark_touch(who, "m2", "yes", by="Anna", now=NOW)
    with pytest.raises(BadInput):
        ws.mark_touch(who, "m1", "maybe", by="Anna", now=NOW)
    with pytest.raises(BadInput):
        ws.mark_touch(who, "m1", "yes", by=" ", now=NOW)


def test_no_marks_is_said_in_words(ws):
    found = ws.touch_marks(now=NOW)
    assert found.groups == ()
    assert "Nobody" in found.line("en")


# Over the facts


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    with path.open("w", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def shop(tmp_path: Path):
    """Three who registered in August, one in July, one in November whose days are not over."""
    start = datetime(2026, 8, 3, tzinfo=UTC)
    people = [
        ("a", start),
        ("b", start),
        ("c", start + DAY),
        ("old", start - 31 * DAY),
        ("new", NOW - 3 * DAY),
    ]
    write(
        tmp_path / "customers.csv",
        [{"customer_id": who, "registered_at": at.isoformat()} for who, at in people],
    )
    rows = []

    def send(who: str, at: datetime, programme: str, purpose: str) -> None:
        rows.append(
            {
                "message_id": f"m{len(rows)}",
                "customer_id": who,
                "sent_at": at.isoformat(),
                "channel": "push",
                "programme": programme,
                "purpose": purpose,
                "title": f"Title {len(rows)}",
                "text": "Text",
                "withheld": "false",
            }
        )

    for who, first in (("a", start), ("b", start)):
        send(who, first + HOUR, "welcome", "useful")
        send(who, first + 2 * DAY, "sales", "offer")
    send("a", start + 3 * DAY, "sales", "offer")
    send("a", start + 4 * DAY, "sales", "press")
    # after the thirty days and before registration nothing counts
    send("a", start + 31 * DAY, "sales", "offer")
    send("old", start - 30 * DAY, "welcome", "useful")
    send("new", NOW - 2 * DAY, "welcome", "useful")
    write(tmp_path / "messages.csv", rows)
    clicks = [{"message_id": "m1", "kind": "clicked", "happened_at": (start + 2 * DAY + HOUR).isoformat()}]
    clicks.append({"message_id": "m3", "kind": "unsubscribed", "happened_at": (start + 3 * DAY).isoformat()})
    write(tmp_path / "reactions.csv", clicks)
    opened = workspace_in(tmp_path, tables=TABLES)
    yield opened
    opened.database.close()


def test_the_first_days_are_those_of_the_last_month_whose_days_are_over(shop):
    found = shop.first_days(now=NOW)
    assert (found.registered_from, found.registered_to) == (date(2026, 8, 1), date(2026, 8, 31))
    told = found.found
    assert (told.customers, told.nothing) == (3, 1)
    # a received 4, b 2, c nothing
    assert told.at_least == pytest.approx({1: 2 / 3, 2: 2 / 3, 3: 1 / 3, 4: 1 / 3})
    assert [(week.median, week.p90) for week in told.weeks[:2]] == [(2, 4), (0, 0)]
    assert [(entry.programme, entry.first_day) for entry in told.programmes] == [("welcome", 1), ("sales", 3)]
    assert [entry.reached for entry in told.programmes] == pytest.approx([2 / 3, 2 / 3])
    assert (told.first_sale, told.sold_by_day[1], told.sold_by_day[2]) == (3, 0, pytest.approx(2 / 3))
    assert told.useful_before == 1
    assert told.opted_out == pytest.approx(1 / 3)
    # the third and the fourth push of a within a week
    assert [(entry.promise, entry.broken, entry.share) for entry in told.promises] == [
        ("two", 2, pytest.approx(1 / 3))
    ]
    keys = keys_of(shop.database, now=NOW)
    # nearest to the other two lies b: it differs from a by two messages, from c by two
    assert found.typical.customer == keys.pseudonym("b")
    assert (found.most.customer, found.most.messages) == (keys.pseudonym("a"), 4)
    assert all(found.line(lang) and found.table(lang).text() for lang in ("en", "ru"))


def test_the_days_of_registration_may_be_named(shop):
    found = shop.first_days(
        now=NOW, registered_from=date(2026, 11, 1), registered_to=date(2026, 11, 30), days=10
    )
    assert (found.found.customers, found.whole) == (1, False)
    with pytest.raises(NotFound):
        shop.first_days(now=NOW, registered_from=date(2026, 1, 1), registered_to=date(2026, 1, 2))
    with pytest.raises(BadInput):
        shop.first_days(now=NOW, days=0)
    with pytest.raises(BadInput):
        shop.first_days(now=NOW, registered_from=date(2026, 1, 1))


def test_texts_and_the_welcome_share_come_from_the_facts(shop):
    shop.first_days(now=NOW)
    sync(shop, now=NOW, by="test")
    who = shop.find_customer("a", now=NOW)
    view = shop.customer_view(who, now=NOW, at=datetime(2026, 8, 7, 12, tzinfo=UTC))
    assert [lying.came.title for lying in view.shade] == ["Title 5", "Title 4", "Title 0"]
    assert view.shade[0].came.text == "Text"
    shop.mark_touch(who, "m4", "no", by="Anna", now=NOW)
    (sales,) = shop.touch_marks(now=NOW).of("programme")
    # of five messages of sales one was clicked
    assert (sales.sent, sales.welcome) == (5, pytest.approx(1 / 5))


def test_a_customer_of_the_tables_is_shown_before_any_sync(shop):
    view = shop.customer_view("a", now=NOW, at=datetime(2026, 8, 7, 12, tzinfo=UTC), is_id=True)
    assert [lying.came.message_id for lying in view.shade] == ["m5", "m4", "m0"]
    assert [lying.came.title for lying in view.shade] == ["Title 5", "Title 4", "Title 0"]


def test_those_who_no_longer_look_are_named_by_pseudonym_and_their_share_has_an_interval(ws):
    from primeta.attention.credit_kept import pack_credit
    from primeta.attention.records import Credit, Policy
    from primeta.store.attention_state import save_credit

    told(ws, *(touch(number, NOW - DAY, customer=f"c{number}") for number in range(4)))

    def kept(blind: float, why_not: str = "") -> bytes:
        credit = Credit(
            value=0.1, low=0.0, high=0.2, welcome=0.1, drive_away=0.0, blind=blind, level="useful",
            model="state-space", touches=5, as_of=NOW, why_not=why_not,
        )  # fmt: skip
        return pack_credit({"push": credit}, policy=Policy(), at=NOW)

    with ws.database.write() as connection:
        save_credit(
            connection,
            {"c0": kept(0.9), "c1": kept(0.2), "c2": kept(0.95, "opted-out"), "c3": kept(0.6)},
            at=NOW,
        )
    found = ws.alarmed_customers(now=NOW)
    keys = keys_of(ws.database, now=NOW)
    assert [entry.customer for entry in found.customers] == [keys.pseudonym("c0"), keys.pseudonym("c3")]
    # Wilson of 2 of 4: 15.0% to 85.0%
    assert (found.looked_at, found.share, found.low, found.high) == pytest.approx(
        (4, 0.5, 0.15, 0.85), abs=1e-3
    )
