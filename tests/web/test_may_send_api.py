"""May-send over HTTP: the plain route beside the API refuses like it, answers like the desk, and has a default."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from browser import Browser

from primeta.attention.ledger import Event
from primeta.errors import Locked
from primeta.store.ledger import append_all
from primeta.web.app import create_app
from primeta.workspace import open_workspace
from primeta.workspace.may_send import Desk

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
ASK = "/api/v1/attention/may-send"
QUESTION = {"customer": "c1", "channel": "push", "purpose": "useful"}


class Asking(Browser):
    def post(self, path, **options):
        return self.request("POST", path, **options)


@pytest.fixture
def site(tmp_path):
    (tmp_path / "primeta.toml").write_text(
        '[workspace]\nname = "Team"\n[attention]\nquiet_hours = [21, 9]\ncaps = [{ max = 1, window = "7d" }]\n'
    )
    ws = open_workspace(tmp_path)
    given = {"processing": "marketing", "channel": "", "state": "given", "text": "yes", "surface": "app"}
    event = Event(
        key="k", kind="consent", customer_id="c1", happened_at=NOW - timedelta(days=9), payload=given
    )
    append_all(ws.database, [event], now=NOW - timedelta(days=8))
    yield Asking(create_app(ws, now=lambda: NOW))
    ws.close()


def test_one_question_has_the_fixed_keys(site):
    found = site.post(ASK, json=QUESTION)
    assert found.status_code == 200
    assert found.json()["allowed"] is True
    night = site.post(ASK, json={**QUESTION, "at": "2026-11-26T23:00:00Z", "language": "ru"}).json()
    assert (night["allowed"], night["rule"], night["earliest"]) == (
        False,
        "quiet-hours",
        "2026-11-27T09:00:00Z",
    )
    assert night["reason"] == "У клиента тихие часы: с 21:00 до 9:00 (UTC)."
    assert night["flips"][0] == {"change": "wait-until", "to": "2026-11-27T09:00:00Z"}
    assert set(night["credit"]) >= {"value", "low", "high"}
    # Where he lives it is day.
    assert site.post(ASK, json={**QUESTION, "at": "2026-11-26T23:00:00Z", "zone": "Pacific/Auckland"}).json()[
        "allowed"
    ]
    assert found.headers["x-content-type-options"] == "nosniff"
    assert found.headers["cache-control"] == "no-store"


def test_many_questions_are_answered_in_their_order(site):
    questions = [
        {**QUESTION, "customer": who, "purpose": purpose}
        for who in ("c1", "x")
        for purpose in ("useful", "press", "service", "spam")
    ]
    answers = site.post(ASK, json={"questions": questions}).json()["answers"]
    assert [one["rule"] for one in answers] == [
        "allowed", "first-touches", "allowed", "unknown-purpose",
        "unknown-customer", "unknown-customer", "allowed", "unknown-purpose",
    ]  # fmt: skip


def test_reserve_confirm_release(site):
    message = {**QUESTION, "message_id": "m1"}
    place = "/api/v1/attention/"
    held = site.post(place + "reserve", json=message).json()
    assert (held["state"], held["expires_at"]) == ("reserved", "2026-11-26T12:15:00Z")
    second = site.post(place + "reserve", json={**QUESTION, "message_id": "m2"}).json()
    assert (second["state"], second["answer"]["rule"]) == ("refused", "cap")
    assert (
        site.post(place + "release", json={"customer": "", "message_id": "m1"}).json()["state"] == "released"
    )
    assert site.post(place + "reserve", json={**QUESTION, "message_id": "m2"}).json()["state"] == "reserved"
    assert site.post(place + "confirm", json={**QUESTION, "message_id": "m2"}).json()["state"] == "confirmed"
    assert site.post(ASK, json=QUESTION).json()["rule"] == "cap"
    assert (
        site.post(place + "reserve", json={**message, "customer": "c9", "message_id": "m2"}).status_code
        == 409
    )
    assert site.post(place + "reserve", json=QUESTION).status_code == 400


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"content": b"{"}, 400),
        ({"content": b"[1]"}, 422),
        ({"content": b'{"customer": 5}'}, 422),
        ({"content": b'{"customer": "c1", "at": "soon"}'}, 422),
        ({"content": b'{"questions": [{"customer": 1}]}'}, 422),
    ],
)
def test_bad_requests_are_told_in_one_message(site, sent, status):
    found = site.post(ASK, headers={"content-type": "application/json"}, **sent)
    assert found.status_code == status
    assert found.json()["error"]


def test_foreign_hosts_origins_forms_and_methods_are_refused(site):
    assert site.post(ASK, json=QUESTION, headers={"host": "evil.example"}).status_code == 421
    assert site.post(ASK, json=QUESTION, headers={"origin": "http://evil.example"}).status_code == 403
    assert site.post(ASK, data={"customer": "c1"}).status_code == 403
    assert site.get(ASK).status_code == 405


def test_where_the_state_does_not_answer_the_declared_default_is_told(site, monkeypatch):
    assert site.post(ASK, json=QUESTION).status_code == 200

    def locked(self, question, **more):
        raise Locked("another process holds the state")

    monkeypatch.setattr(Desk, "answer", locked)
    found = site.post(ASK, json=QUESTION)
    assert found.status_code == 503
    assert found.json()["default"]["useful"]["allowed"] is False
    service = site.post(ASK, json={**QUESTION, "purpose": "service"}).json()
    assert (service["default"]["service"]["allowed"], service["default"]["service"]["rule"]) == (
        True,
        "default",
    )


def test_openapi_describes_the_addresses_that_the_framework_does_not_see(site):
    found = site.get("/api/v1/openapi.json").json()
    for verb in ("may-send", "reserve", "confirm", "release"):
        assert found["paths"][f"/api/v1/attention/{verb}"]["post"]["summary"]
    assert {"customer", "channel", "purpose"} <= set(found["components"]["schemas"]["Asked"]["properties"])
    assert "/api/v1/trends" in found["paths"]


def test_one_of_several_messages_gets_the_slot(site):
    wanting = [
        {**QUESTION, "message_id": "a", "value": 1},
        {**QUESTION, "message_id": "b", "value": 2},
        {**QUESTION, "message_id": "c", "purpose": "press"},
        {**QUESTION, "message_id": "d", "value": 9, "deadline": "2026-11-26T11:00:00Z"},
    ]
    answers = site.post(ASK, json={"questions": wanting, "choose": True}).json()["answers"]
    assert [(one["why"], one["behind"]) for one in answers] == [
        ("value", "b"), ("chosen", ""), ("refused", "b"), ("past-deadline", "b"),
    ]  # fmt: skip
    two = [QUESTION, {**QUESTION, "customer": "x"}]
    assert site.post(ASK, json={"questions": two, "choose": True}).status_code == 400
