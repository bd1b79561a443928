"""The JSON API: the documents of `--json`, OpenAPI, errors as JSON."""

from __future__ import annotations

from browser import Browser
from fake import FakeWorkspace


def test_signals_carry_the_keys_that_scripts_rely_on(browser: Browser):
    # DESIGN §6: signals[] {id, about, slice, since, direction, observed, expected, low, high, e_value, grade, origin}
    listed = browser.get("/api/v1/signals").json()["signals"]
    assert {
        "id",
        "about",
        "slice",
        "since",
        "direction",
        "observed",
        "expected",
        "low",
        "high",
        "e_value",
        "grade",
        "origin",
    } <= set(listed[0])
    assert listed[-1]["observed"] is None


def test_trends_carry_the_keys_that_scripts_rely_on(browser: Browser):
    # DESIGN §6: trends[] {id, name, type, grade, origins, weeks, months, quarters, filters, money {…}, decision, due, owner}
    listed = browser.get("/api/v1/trends").json()["trends"]
    first = listed[0]
    assert {
        "id",
        "name",
        "type",
        "grade",
        "origins",
        "weeks",
        "months",
        "quarters",
        "filters",
        "money",
        "decision",
        "due",
        "owner",
    } <= set(first)
    assert {"p10", "p50", "p90", "basis"} <= set(first["money"])
    # What cannot be told is null, never 0.
    assert first["filters"]["compliance"]["score"] is None
    assert browser.get("/api/v1/trends/t-1").json() == first


def test_the_doctor_and_a_metric_over_time(browser: Browser):
    rules = browser.get("/api/v1/doctor").json()["rules"]
    assert {"rule", "table", "rows", "share", "money", "example", "action", "before", "after"} <= set(
        rules[0]
    )
    series = browser.get("/api/v1/metrics/items_per_order?slice=all&grain=week").json()
    assert set(series["points"][0]) == {"start", "observed", "se", "customers", "expected", "low", "high"}
    assert browser.get("/api/v1/metrics/items_per_order?grain=century").status_code == 422


def test_people_act_over_the_api(browser: Browser, workspace: FakeWorkspace):
    note = browser.request(
        "POST",
        "/api/v1/log",
        json={"text": "Heard", "origin": "voice", "by": "Anna", "happened_at": "2026-11-15", "trend": "t-1"},
    )
    assert note.status_code == 201
    assert note.json()["id"] in workspace.trend("t-1").signals
    made = browser.request("POST", "/api/v1/trends", json={"name": "Paper", "by": "Anna", "signals": ["s-4"]})
    assert made.status_code == 201
    decided = browser.request(
        "POST", f"/api/v1/trends/{made.json()['id']}/decisions",
        json={"answer": "observe", "criteria": "3 of 4 weeks", "due": "2027-01-01", "owner": "Anna", "by": "Anna"},
    )  # fmt: skip
    assert decided.json()["decision"] == "observe"
    edited = browser.request(
        "PATCH", "/api/v1/trends/t-1", json={"changes": {"risks": "none"}, "by": "Anna", "version": 3}
    )
    assert edited.json()["version"] == 4
    late = browser.request(
        "PATCH", "/api/v1/trends/t-1", json={"changes": {"risks": "x"}, "by": "Anna", "version": 3}
    )
    assert late.status_code == 409
    assert "meanwhile" in late.json()["error"]


def test_errors_are_json_with_a_reason(browser: Browser):
    missing = browser.get("/api/v1/trends/none")
    assert missing.status_code == 404
    assert "none" in missing.json()["error"]
    assert browser.get("/api/v1/nowhere").json() == {"error": "there is nothing at this address"}


def test_a_wrong_body_is_told_field_by_field(browser: Browser):
    answer = browser.request("POST", "/api/v1/log", json={"text": "Heard", "origin": "rumour", "by": "Anna"})
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("body.origin: Input should be 'voice', 'outside'")


def test_openapi_describes_the_api_and_not_the_pages(browser: Browser):
    document = browser.get("/api/v1/openapi.json").json()
    assert set(document["paths"]) >= {"/api/v1/signals", "/api/v1/trends", "/api/v1/doctor", "/api/v1/log"}
    assert all(path.startswith("/api/v1/") for path in document["paths"])
