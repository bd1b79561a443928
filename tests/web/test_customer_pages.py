"""Pages of a customer's shade: nothing but the pseudonym, every step a link, every mark one click, nothing unescaped."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from browser import Browser, Page

from primeta.attention.ledger import Event
from primeta.store.keys import keys_of
from primeta.store.ledger import append_all
from primeta.web.app import create_app
from primeta.workspace import open_workspace
from primeta.workspace.attention_sync import sync

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PLACE = "/attention/customers"
TOML = """
[workspace]
name = "Tea <shop>"
timezone = "UTC"
[attention]
promises = "promises.json"
[tables.customers]
from = "customers.csv"
[tables.messages]
from = "messages.csv"
"""
PROMISES = [{"promise": "one", "text": "One <push> a week", "channel": "push", "max": 1, "window": "7d"}]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory):
    """One customer with an id that would stand out, and three messages, one of them hostile."""
    folder: Path = tmp_path_factory.mktemp("shade")
    (folder / "primeta.toml").write_text(TOML)
    (folder / "promises.json").write_text(json.dumps(PROMISES))
    (folder / "customers.csv").write_text(
        "customer_id,registered_at\nivan@secret.example,2026-09-01T00:00:00Z\n"
    )
    (folder / "messages.csv").write_text(
        "message_id,customer_id,sent_at,channel,purpose,programme,title,text\n"
        "m:1/a,ivan@secret.example,2026-11-24T10:00:00Z,push,useful,welcome,Good morning,Text one\n"
        "m2,ivan@secret.example,2026-11-25T10:00:00Z,push,offer,sales,<script>alert(1)</script>,Text two\n"
        "m3,ivan@secret.example,2026-11-25T11:00:00Z,email,offer,sales,A letter,Text three\n"
    )
    workspace = open_workspace(folder)
    workspace.first_days(
        now=NOW, registered_from=NOW.date().replace(month=9, day=1), registered_to=NOW.date()
    )
    sync(workspace, now=NOW, by="test")
    notice = Event(
        key="c1",
        kind="consent",
        customer_id="ivan@secret.example",
        happened_at=NOW - 30 * DAY,
        payload={
            "processing": "marketing",
            "channel": "",
            "state": "given",
            "text": "Yes",
            "surface": "shop",
        },
    )
    append_all(workspace.database, [notice], now=NOW)
    yield workspace
    workspace.database.close()


@pytest.fixture(scope="module")
def who(shop) -> str:
    return keys_of(shop.database, now=NOW).pseudonym("ivan@secret.example")


@pytest.fixture
def visitor(shop) -> Browser:
    return Browser(create_app(shop, now=lambda: NOW + HOUR))


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_every_page_is_whole_in_both_languages_and_shows_no_id(visitor, who, lang):
    for path in (
        PLACE,
        f"{PLACE}/first-days",
        f"{PLACE}/{who}",
        f"{PLACE}/{who}?at=2026-11-25T12:00&known=today",
    ):
        answer = visitor.get(f"{path}{'&' if '?' in path else '?'}lang={lang}")
        assert answer.status_code == 200, path
        page = Page(answer.text)
        assert page.unbalanced == []
        assert "secret.example" not in answer.text
        assert "<script>alert" not in answer.text
        assert 'style="' not in answer.text


def test_the_shade_is_drawn_with_what_stood_behind_it(visitor, who):
    text = visitor.get(f"{PLACE}/{who}?at=2026-11-25T12:00").text
    assert text.index("&lt;script&gt;") < text.index("Good morning") < text.index("A letter")
    assert "One &lt;push&gt; a week" in text
    assert "broke a promise" in text
    assert "25 Nov 2026" in text.replace("\xa0", " ")


def test_each_day_is_a_link_and_walking_moves_the_moment(visitor, who):
    text = visitor.get(f"{PLACE}/{who}?at=2026-11-25T10:30").text
    links = re.findall(rf'href="({PLACE}/{who}\?at=[^"]+)"', text)
    day_before = next(link for link in links if "2026-11-24T10" in link)
    earlier = visitor.get(day_before).text
    assert "Good morning" in earlier
    assert "A letter" not in earlier


def test_a_real_id_is_looked_up_by_a_form_and_the_address_shows_the_pseudonym(visitor, who):
    visitor.get(PLACE)
    answer = visitor.send(PLACE, {"customer": "ivan@secret.example"}, follow=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{PLACE}/{who}")
    unknown = visitor.send(PLACE, {"customer": "petr@secret.example"})
    assert unknown.status_code == 404
    assert "petr@secret.example" not in unknown.text
    assert visitor.request("POST", PLACE, data={"customer": "ivan@secret.example"}).status_code == 403


def test_one_click_marks_a_message_and_a_second_takes_it_back(visitor, who, shop):
    visitor.get(PLACE)
    fields = {"by": "Anna", "at": "2026-11-25T12:00", "mark": "no:m2", "note:m2": "<i>too loud</i>"}
    answer = visitor.send(f"{PLACE}/{who}/marks", fields)
    assert answer.status_code == 200
    assert 'aria-pressed="true"' in answer.text
    assert "&lt;i&gt;too loud&lt;/i&gt;" in answer.text
    assert [mark.mark for _, mark in shop.touch_marks(now=NOW).marks] == ["no"]
    listed = visitor.get(f"{PLACE}?lang=en").text
    assert "would wait" in listed.lower()
    # an id with a colon and a slash is a message like any other
    visitor.send(f"{PLACE}/{who}/marks", {"by": "Anna", "at": "", "mark": "yes:m:1/a"})
    assert len(shop.touch_marks(now=NOW).marks) == 2
    for message in ("m2", "m:1/a"):
        visitor.send(f"{PLACE}/{who}/marks", {"by": "Anna", "at": "", "mark": f":{message}"})
    assert shop.touch_marks(now=NOW).marks == ()


def test_who_marks_without_a_name_is_asked_for_it(visitor, who, shop):
    visitor.get(PLACE)
    answer = visitor.send(f"{PLACE}/{who}/marks", {"by": "", "at": "", "mark": "no:m2"})
    assert answer.status_code == 400
    assert "Say who you are" in answer.text
    assert shop.touch_marks(now=NOW).marks == ()


def test_a_wrong_time_or_customer_is_said_and_nothing_breaks(visitor, who):
    assert visitor.get(f"{PLACE}/{who}?at=yesterday").status_code == 400
    future = visitor.get(f"{PLACE}/{who}?at=2030-01-01T00:00")
    assert future.status_code == 400
    assert "future" in future.text
    assert visitor.get(f"{PLACE}/C-0000-0000-0000").status_code == 404


def test_the_same_over_http(visitor, who, shop):
    view = visitor.get(f"/api/v1/attention/customers/{who}?at=2026-11-25T12:00").json()
    assert [entry["message_id"] for entry in view["shade"]] == ["m2", "m:1/a"]
    assert view["shade"][0]["broke"] == ["one"]
    found = visitor.get(
        "/api/v1/attention/first-days?registered_from=2026-09-01&registered_to=2026-09-30"
    ).json()
    assert (found["customers"], found["nothing"], found["typical"]) == (1, 1, None)
    told = {"customer": who, "message_id": "m2", "mark": "neutral", "by": "Boris"}
    assert visitor.request("POST", "/api/v1/attention/marks", json=told).status_code == 201
    marks = visitor.get("/api/v1/attention/marks").json()
    assert [(mark["reviewer"], mark["mark"], mark["customer"]) for mark in marks["marks"]] == [
        ("Boris", "neutral", who)
    ]
    assert "secret.example" not in json.dumps([view, found, marks])
    assert visitor.request("POST", "/api/v1/attention/marks", json={**told, "mark": ""}).status_code == 201
    assert shop.touch_marks(now=NOW).marks == ()


def test_without_messages_the_pages_say_what_belongs_here(tmp_path):
    (tmp_path / "primeta.toml").write_text('[workspace]\nname = "Empty"\n')
    workspace = open_workspace(tmp_path)
    empty = Browser(create_app(workspace, now=lambda: NOW))
    for path in (PLACE, f"{PLACE}/first-days"):
        answer = empty.get(path)
        assert answer.status_code == 200
        assert "No messages are mapped yet." in answer.text
    workspace.database.close()
