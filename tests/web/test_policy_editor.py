"""Rules of sending in the browser and over HTTP: a draft in real fields, replayed, switched on, undone; two writers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from browser import Browser
from sqlalchemy import select, update

from primeta.attention.ledger import Event
from primeta.attention.policy import policy_from, policy_values
from primeta.attention.policy_words import changes, rules
from primeta.attention.records import Policy
from primeta.config import ATTENTION_POLICY_KEYS
from primeta.errors import BadInput, Conflict, Refused
from primeta.store.ledger import append_all
from primeta.store.schema import attention_policies
from primeta.web.app import create_app
from primeta.web.attention_policy_form import Rows, changed_rows, fields, form_of_policy, policy_keys
from primeta.web.forms import Form
from primeta.web.reader import Reader
from primeta.workspace import open_workspace
from primeta.workspace.attention_kept import keep_drafts
from primeta.workspace.attention_policy import (
    ask_draft_replay,
    policy_book,
    save_policy_draft,
    switch_back,
    switch_on,
)

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
QUESTION = {"customer": "c1", "channel": "push", "purpose": "useful", "explain": False}
EDIT = "/attention/policy/edit"


class Asking(Browser):
    def post(self, path: str, values: dict[str, str]):
        return self.send(path, values, follow=False)

    def may_send(self) -> dict[str, object]:
        return self.request("POST", "/api/v1/attention/may-send", json=QUESTION).json()


def made(folder, *, messages: bool = False):
    text = '[workspace]\nname = "Team"\n[attention]\nquiet_hours = [21, 9]\n'
    if messages:
        rows = ["message_id,customer_id,sent_at,channel,purpose,campaign"]
        rows += [
            f"m{n},c{n % 3},2026-11-{n % 9 + 1:02d}T1{n % 9}:00:00Z,push,offer,k{n % 2}" for n in range(40)
        ]
        (folder / "messages.csv").write_text("\n".join(rows) + "\n")
        text += '[tables.messages]\nfrom = "messages.csv"\n'
    (folder / "primeta.toml").write_text(text)
    return open_workspace(folder)


@pytest.fixture
def ws(tmp_path):
    ws = made(tmp_path)
    yield ws
    ws.close()


@pytest.fixture
def site(ws):
    given = {"processing": "marketing", "channel": "", "state": "given", "text": "yes", "surface": "app"}
    touch = {"message_id": "m0", "channel": "push", "purpose": "useful"}
    events = [
        Event(key="k", kind="consent", customer_id="c1", happened_at=NOW - timedelta(days=9), payload=given),
        Event(key="t", kind="touch", customer_id="c1", happened_at=NOW - timedelta(days=2), payload=touch),
    ]
    append_all(ws.database, events, now=NOW - timedelta(days=1))
    return Asking(create_app(ws, now=lambda: NOW))


def form_on(site: Browser) -> dict[str, str]:
    """The fields of the editor as the browser would send them."""
    page = site.get(EDIT).text
    found = dict(re.findall(r'<input [^>]*name="([\w-]+)"[^>]*value="([^"]*)"', page))
    found |= dict(re.findall(r'<textarea [^>]*name="([\w-]+)"[^>]*>([^<]*)<', page))
    for name, body in re.findall(r'<select id="[^"]*" name="([\w-]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', body)
        found[name] = chosen[1] if chosen else ""
    checked = re.findall(
        r'<input type="(?:radio|checkbox)"(?: id="[^"]*")? name="([\w-]+)" value="([^"]*)" checked', page
    )
    ticks = re.findall(r'<input type="(?:radio|checkbox)"(?: id="[^"]*")? name="([\w-]+)"', page)
    found = {
        name: value for name, value in found.items() if name not in ticks and name not in ("act", "lang")
    }
    return found | dict(checked)


def saved(site: Browser, **changed: str):
    values = form_on(site) | {"by": "Anna"} | changed
    return site.post(EDIT, values)


ONE_A_WEEK = {
    "rows": "1.0",
    "cap-max-1": "1",
    "cap-window-1": "7",
    "cap-unit-1": "d",
    "cap-useful-1": "on",
    "cap-strict-1": "on",
}


def test_a_draft_holds_for_the_next_question_once_it_is_switched_on_and_its_undo_too(site, ws):
    assert site.may_send()["allowed"] is True
    assert saved(site, **ONE_A_WEEK).status_code == 303
    # A draft changes nothing that is sent.
    assert site.may_send()["allowed"] is True
    page = site.get("/attention/policy").text
    assert "At most 1 in any 7 days: useful." in page
    assert "Switch on without a replay" in page
    number = str(policy_book(ws, now=NOW).read)
    refused = site.post("/attention/policy/switch", {"number": number, "by": "Anna", "reason": ""})
    assert refused.status_code == 400
    assert site.may_send()["allowed"] is True
    done = site.post(
        "/attention/policy/switch", {"number": number, "by": "Anna", "reason": "customers complain"}
    )
    assert done.status_code == 303
    told = site.may_send()
    assert (told["allowed"], told["rule"], told["policy"]) == (False, "cap", 2)
    page = site.get("/attention/policy").text
    assert "switched on without a replay: customers complain" in page
    back = site.post("/attention/policy/back", {"version": "1", "read": "2", "by": "Boris"})
    assert back.status_code == 303
    assert site.may_send()["allowed"] is True
    assert "the return of version 1" in site.get("/attention/policy").text


def test_two_people_who_edit_at_once_are_told_and_lose_no_text(site):
    mine = form_on(site) | {"by": "Anna", **ONE_A_WEEK}
    assert saved(site, **{**ONE_A_WEEK, "by": "Boris", "cap-max-1": "2"}).status_code == 303
    late = site.post(EDIT, mine)
    assert late.status_code == 409
    assert "Boris saved the draft on" in late.text
    assert re.search(r'name="cap-max-1"[^>]*value="1"', late.text)
    again = dict(mine, read=re.search(r'name="read" value="(\d+)"', late.text)[1])
    assert site.post(EDIT, again).status_code == 303


def test_every_complaint_stands_beside_its_field_and_the_text_stays(site):
    wrong = {
        "rows": "2.1", "cap-max-1": "many", "cap-window-1": "7", "cap-unit-1": "d", "cap-useful-1": "on",
        "cap-max-2": "2", "cap-window-2": "5000", "cap-unit-2": "d", "cap-offer-2": "on",
        "quiet-from": "21", "quiet-to": "", "sell_at": "120%", "gain-offer": "5", "cost-channel-1": "sms",
        "priority-2": "service", "holdout": "0,6 x", "first_useful": "1,5", "by": "",
    }  # fmt: skip
    answer = saved(site, **wrong)
    assert answer.status_code == 400
    named = set(re.findall(r'id="wrong-f-([\w-]+)"', answer.text))
    assert named == {
        "cap-max-1", "cap-window-2", "quiet-to", "sell_at", "loss_of_customer", "cost-money-1", "priority-1", "holdout",
        "first_useful", "by",
    }  # fmt: skip
    assert 'value="many"' in answer.text
    assert 'value="0,6 x"' in answer.text


def test_rules_that_allow_nothing_are_refused_with_the_rule_that_does_it(site, ws):
    none = {"cap-offer-1": "on", "cap-press-1": "on", "cap-max-1": "0"}
    answer = saved(site, **ONE_A_WEEK | none)
    assert answer.status_code == 400
    assert "It is refused by: caps" in answer.text
    with pytest.raises(BadInput, match="refused by: cap"):
        save_policy_draft(ws, {"caps": [{"max": 0, "window": "7d"}]}, by="Anna", now=NOW)


def test_rows_are_added_and_removed_without_a_script(site):
    more = saved(site, act="more-caps")
    assert 'name="cap-max-1"' in more.text
    assert 'name="rows" value="1.0"' in more.text
    form = Form(values={f"cap-max-{n}": str(n) for n in (1, 2, 3)})
    rows = changed_rows(form, Rows(caps=3, costs=0), "less-caps-1")
    assert (rows.caps, form.values["cap-max-1"], form.values["cap-max-2"]) == (2, "2", "3")
    assert changed_rows(form, rows, "less-caps-9") == rows


def test_what_the_form_shows_of_a_policy_it_reads_again_in_both_languages():
    keys = {
        "caps": [
            {"max": 3, "window": "7d", "channel": "push", "purposes": ["offer", "press"], "strict": False},
            {"max": 1, "window": "36h", "purposes": ["press"]},
        ],
        "quiet_hours": False, "first_useful": 0, "sell_at": 0.035, "gain_per_touch": {"offer": 2.5},
        "loss_of_customer": 1200.5, "cost_per_message": {"": 0.004, "push": 0.01}, "holdout": 0.125,
        "priority": ["service", "offer", "useful", "press"], "channels": ["push", "email"],
        "service_programmes": ["order"], "default": "refuse", "rest_when_blind": False,
    }  # fmt: skip
    policy = policy_from(keys)
    # Else saving the form would silently put a key back.
    assert set(keys) | {"useful_after_broken", "press_at"} == set(ATTENTION_POLICY_KEYS)
    for lang in ("en", "ru"):
        reader = Reader(lang=lang, theme="", zone=None, currency="EUR")  # type: ignore[arg-type]
        form, rows = form_of_policy(policy, reader=reader)
        given = Form(values={name: form.values.get(name, "") for name in fields(rows)})
        read = policy_keys(given, rows, reader)
        assert given.errors == {}
        assert policy_values(policy_from(read)) == policy_values(policy)


def test_a_replayed_draft_is_switched_on_without_a_reason_and_stands_beside_the_rules_in_force(tmp_path):
    ws = made(tmp_path, messages=True)
    draft = save_policy_draft(
        ws, {"caps": [{"max": 1, "window": "7d"}], "first_useful": 0}, by="Anna", now=NOW
    )
    with pytest.raises(Refused, match="replay it first"):
        switch_on(ws, draft.number, by="Anna", now=NOW)
    ask_draft_replay(ws, by="Anna", now=NOW)
    assert not policy_book(ws, now=NOW).ready
    keep_drafts(ws, now=NOW, by="job")
    book = policy_book(ws, now=NOW)
    assert book.ready
    told = book.replay.document["policy"]
    # 40 messages to 3 customers within 9 days: one a week leaves at most 2 to each, by hand.
    assert told["sends"] - told["stopped"] <= 6
    assert {row["whose"] for row in told["by"]} == {"purpose", "campaign"}
    assert sum(row["stopped"] for row in told["by"] if row["whose"] == "campaign") == told["stopped"]
    # In force are the first useful touches: no offer of the log would have gone.
    assert book.beside.document["policy"]["stopped"] == 40
    page = Asking(create_app(ws, now=lambda: NOW)).get("/attention/policy").text
    assert "The draft would have stopped" in page
    assert "cannot tell" in page
    assert "orders are not mapped" in page
    assert switch_on(ws, draft.number, by="Anna", now=NOW).policy.version == 2
    # What was replayed before is not of these rules any more.
    save_policy_draft(ws, {"first_useful": 2}, by="Anna", now=NOW)
    assert not policy_book(ws, now=NOW).ready
    ws.close()


def test_what_was_changed_last_holds_file_or_page(tmp_path):
    ws = made(tmp_path)
    draft = save_policy_draft(ws, {"first_useful": 5}, by="Anna", now=NOW)
    switch_on(ws, draft.number, by="Anna", now=NOW, without_replay="a trial")
    assert policy_book(ws, now=NOW).differs
    ws.close()
    # The file is read again and says what it said: the page's version holds.
    ws = open_workspace(tmp_path)
    assert policy_book(ws, now=NOW).in_force.policy.first_useful == 5
    ws.close()
    (tmp_path / "primeta.toml").write_text('[workspace]\nname = "Team"\n[attention]\nfirst_useful = 7\n')
    ws = open_workspace(tmp_path)
    book = policy_book(ws, now=NOW)
    assert (book.in_force.origin, book.in_force.policy.first_useful, book.differs) == ("file", 7, False)
    ws.close()


def test_a_version_that_an_older_release_kept_is_still_the_same(ws):
    draft = save_policy_draft(ws, {"first_useful": 5}, by="Anna", now=NOW)
    switch_on(ws, draft.number, by="Anna", now=NOW, without_replay="a trial")
    with ws.database.write() as connection:
        # As a release without the key would have kept it.
        for row in connection.execute(select(attention_policies)).mappings().all():
            older = {key: value for key, value in row["policy"].items() if key != "rest_when_blind"}
            connection.execute(
                update(attention_policies)
                .where(attention_policies.c.version == row["version"])
                .values(policy=older, seal="of that release")
            )
    book = policy_book(ws, now=NOW)
    assert (len(book.versions), book.in_force.policy.first_useful) == (2, 5)


def test_a_draft_that_was_begun_from_an_older_version_cannot_be_switched_on(ws):
    draft = save_policy_draft(ws, {"first_useful": 1}, by="Anna", now=NOW)
    with pytest.raises(Conflict, match="look at it first"):
        switch_on(ws, draft.number + 1, by="Anna", now=NOW, without_replay="why not")
    switch_on(ws, draft.number, by="Anna", now=NOW, without_replay="a trial")
    with pytest.raises(Conflict, match="put version 2 in force"):
        save_policy_draft(ws, {"first_useful": 2}, by="Boris", now=NOW, base=1)
    with pytest.raises(Conflict, match="put version 2 in force"):
        switch_back(ws, 1, read=1, by="Boris", now=NOW)
    with pytest.raises(Refused, match="says already"):
        save_policy_draft(ws, {"first_useful": 1}, by="Boris", now=NOW)
    with pytest.raises(BadInput, match="who you are"):
        save_policy_draft(ws, {"first_useful": 3}, by=" ", now=NOW)


def test_the_same_over_the_api(site):
    def post(**body):
        return site.request("POST", "/api/v1/attention/policy", json={"by": "Anna", **body})

    made_ = post(act="draft", policy={"caps": [{"max": 1, "window": "7d"}]})
    assert made_.status_code == 200
    number = made_.json()["draft"]["number"]
    assert made_.json()["draft"]["ready"] is False
    assert post(act="draft", policy={"caps": 3}).status_code == 400
    assert post(act="draft", policy={"first_useful": 1}, read=0).status_code == 409
    assert post(act="switch-on", number=number).status_code == 409
    done = post(act="switch-on", number=number, without_replay="tested elsewhere").json()
    assert (done["in_force"]["version"], done["in_force"]["note"]) == (2, "tested elsewhere")
    assert site.may_send()["rule"] == "cap"
    assert post(act="switch-back", version=1).json()["in_force"]["version"] == 3
    assert site.request("GET", "/api/v1/attention/policy").json()["draft"] is None


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_every_part_of_a_policy_has_a_sentence_and_a_change_shows_only_what_changed(lang):
    policy = Policy()
    assert all(rule.title and all(rule.sentences) for rule in rules(policy, lang))
    assert changes(policy, policy, lang) == ()
    other = policy_from({"caps": [{"max": 2, "window": "24h"}], "default": "refuse"})
    assert [change.code for change in changes(policy, other, lang)] == ["caps", "default"]
    # 24 hours are a rolling window and no calendar day.
    said = " ".join(changes(policy, other, lang)[0].after)
    assert ("24 hours" if lang == "en" else "24 часа") in said
