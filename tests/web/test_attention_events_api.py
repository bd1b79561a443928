"""Events over HTTP: kept once whatever is delivered twice or out of order; a wish in a reply pauses marketing at once."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from browser import Browser

from primeta.attention.fold import fold
from primeta.errors import Locked
from primeta.store.attention_state import load_state
from primeta.store.ledger import load_entries
from primeta.web.app import create_app
from primeta.workspace import open_workspace

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
TELL = "/api/v1/attention/events"
ASK = {"customer": "c1", "channel": "push", "purpose": "useful"}
CONSENT = {
    "key": "shop-1",
    "kind": "consent",
    "customer_id": "c1",
    "happened_at": "2026-11-01T10:00:00Z",
    "payload": {"processing": "marketing", "channel": "", "state": "given", "text": "yes", "surface": "app"},
}
TOUCH = {
    "key": "shop-2",
    "kind": "touch",
    "customer_id": "c1",
    "happened_at": "2026-11-20T10:00:00Z",
    "payload": {"message_id": "m1", "channel": "push", "purpose": "useful"},
}
REPLY = {
    "key": "shop-3",
    "kind": "reaction",
    "customer_id": "c1",
    "happened_at": "2026-11-26T09:00:00Z",
    "payload": {"message_id": "m1", "kind": "replied", "channel": "push", "text": "не пишите мне больше"},
}
OPT_OUT = {
    "key": "shop-4",
    "kind": "reaction",
    "customer_id": "c1",
    "happened_at": "2026-11-25T09:00:00Z",
    "payload": {"message_id": "m1", "kind": "unsubscribed", "channel": "push"},
}


class Telling(Browser):
    def post(self, told, **options):
        return self.request("POST", TELL, json=told, **options)

    def rule(self) -> str:
        return self.request("POST", "/api/v1/attention/may-send", json=ASK).json()["rule"]


@pytest.fixture
def ws(tmp_path, state_url):
    (tmp_path / "primeta.toml").write_text(
        f'[workspace]\nname = "Team"\n[state]\nurl = "{state_url}"\n[attention]\nquiet_hours = [21, 9]\n'
    )
    found = open_workspace(tmp_path)
    yield found
    found.close()


@pytest.fixture
def site(ws):
    return Telling(create_app(ws, now=lambda: NOW))


def test_a_reply_with_a_wish_pauses_marketing_at_once(site, ws):
    assert site.post({"events": [CONSENT, TOUCH]}).json()["written"] == 2
    assert site.rule() == "allowed"
    found = site.post(REPLY)
    assert found.status_code == 200
    told = found.json()
    assert (told["status"], told["wishes"][0]["means"]) == ("written", "stop-all")
    assert site.rule() == "wish"
    assert ws.wishes(now=NOW, by="test").waiting[0].sentence == "не пишите мне больше"
    # The reply itself is not kept, only the sentence with the wish.
    with ws.database.read() as connection:
        (reaction,) = (e for e in load_entries(connection, "c1") if e.kind == "reaction")
    assert "text" not in reaction.payload


def test_a_ticket_is_read_and_only_its_wish_is_kept(site, ws):
    ticket = {
        "key": "ticket-9",
        "kind": "text",
        "customer_id": "c1",
        "happened_at": "2026-11-26T09:00:00Z",
        "payload": {"text": "Where is my order? And stop texting me."},
    }
    told = site.post(ticket).json()
    assert (told["status"], told["number"]) == ("read", None)
    assert told["wishes"][0]["channels"] == ["sms"]
    # Delivered again, nothing is found anew.
    assert site.post(ticket).json()["wishes"] == []
    with ws.database.read() as connection:
        (wish,) = load_entries(connection, "c1")
    assert wish.payload["sentence"] == "And stop texting me."
    assert wish.payload["found_in"] == "ticket-9"


def test_deliveries_come_twice_and_in_any_order(site, ws):
    """Every order of four events, the whole delivery told twice: one state."""
    four = [CONSENT, TOUCH, REPLY, OPT_OUT]
    states = []
    for place, order in enumerate(itertools.permutations(four)):
        who = f"p{place}"
        mine = [{**event, "customer_id": who, "key": f"{who}-{event['key']}"} for event in order]
        first = site.post({"events": mine}).json()
        assert (first["written"], first["wishes"]) == (4, 1)
        again = site.post({"events": mine[::-1]}).json()
        assert (again["written"], again["known"], again["wishes"]) == (0, 4, 0)
        with ws.database.read() as connection:
            state = load_state(connection, who)
            assert state is not None
            assert fold(load_entries(connection, who), customer_id=who) == state
        states.append(
            (
                state.standing("marketing", "push", at=NOW).given,
                len(state.touches),
                [wish.means for wish in state.pending],
            )
        )
    assert set(map(str, states)) == {str((False, 1, ["stop-all"]))}


def test_twice_in_one_delivery_is_one_entry(site):
    told = site.post({"events": [TOUCH, TOUCH]}).json()
    assert [event["status"] for event in told["events"]] == ["written", "known"]
    assert {event["number"] for event in told["events"]} == {1}
    other = {**TOUCH, "payload": {**TOUCH["payload"], "channel": "sms"}}
    assert site.post(other).json()["status"] == "both"


def test_some_are_refused_and_the_rest_is_kept(site):
    wrong = {**TOUCH, "key": "w", "payload": {"channel": "push"}}
    forged = {**TOUCH, "key": "f", "kind": "wish-confirmed", "payload": {"wish": "w", "verdict": "released"}}
    found = site.post({"events": [wrong, CONSENT, 7, forged]})
    assert found.status_code == 207
    told = found.json()
    assert (told["written"], told["refused"]) == (1, 3)
    assert [event["status"] for event in told["events"]] == ["refused", "written", "refused", "refused"]
    assert "message_id is missing" in told["events"][0]["error"]
    assert "not told from outside" in told["events"][3]["error"]
    assert site.post(wrong).status_code == 422


def test_future_times_and_missing_ones_are_told(site, ws):
    ahead = {**CONSENT, "happened_at": "2027-05-01T00:00:00Z"}
    assert [note["code"] for note in site.post(ahead).json()["notes"]] == ["future"]
    site.post(TOUCH)
    assert site.rule() != "allowed"
    bare = {
        "kind": "reaction",
        "customer_id": "c1",
        "payload": {"message_id": "m1", "kind": "unsubscribed", "ip": "x"},
        "vendor": 1,
    }
    told = site.request("POST", TELL + "?language=ru", json=bare).json()
    assert [note["code"] for note in told["notes"]] == ["no-time", "left-out", "no-key", "left-out"]
    assert told["notes"][0]["text"].startswith("Время не указано")
    assert site.rule() == "opted-out"
    # What allows needs its time.
    timeless = {name: value for name, value in CONSENT.items() if name != "happened_at"}
    assert site.post({**timeless, "key": "t"}).status_code == 422


def test_a_clock_that_goes_backwards_is_told(ws):
    clock = [NOW]
    site = Telling(create_app(ws, now=lambda: clock[0]))
    assert site.post(CONSENT).json()["clock_behind"] is False
    clock[0] = NOW - timedelta(hours=3)
    assert site.post(TOUCH).json()["clock_behind"] is True
    assert ws.verify_ledger(now=NOW).ok


def test_events_without_a_key_take_those_of_sync(site, ws):
    bare = {name: value for name, value in TOUCH.items() if name != "key"}
    assert site.post(bare).json()["key"] == "touch:m1"
    assert site.post(bare).json()["status"] == "known"
    unnamed = {name: value for name, value in CONSENT.items() if name != "key"}
    assert [site.post(unnamed).json()["status"] for _ in range(2)] == ["written", "known"]


def test_what_is_no_delivery_is_refused_in_words(site, monkeypatch):
    post = lambda body, **headers: site.request(  # noqa: E731
        "POST", TELL, content=body, headers={"content-type": "application/json", **headers}
    )
    assert post(b"{").status_code == 400
    assert post(b"[" * 100_000).status_code == 400
    assert post(b"[]").status_code == 422
    assert post(b'{"events": 7}').status_code == 422
    assert post(b'{"events": []}').json()["written"] == 0
    assert post(b"{}", origin="http://elsewhere.example").status_code == 403
    assert (
        site.request("POST", TELL, content=b"{}", headers={"content-type": "text/plain"}).status_code == 403
    )
    assert site.post({"events": [1] * 10_001}).status_code == 413
    monkeypatch.setattr("primeta.web.api_attention_events.MOST_BYTES", 1_000)
    assert post(b" " * 2_000).status_code == 413

    def locked(*_args, **_more):
        raise Locked("another process holds the state")

    monkeypatch.setattr("primeta.workspace.attention_events.append_all", locked)
    monkeypatch.setattr("primeta.web.api_attention_events.MOST_BYTES", 100_000)
    assert site.post(TOUCH).status_code == 503
