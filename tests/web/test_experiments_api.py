"""Experiments over HTTP: the documents of `--json`, the verbs, audiences as files, and JSON only."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from browser import Browser
from fake import FakeWorkspace

from primeta.web.app import create_app
from primeta.workspace import Workspace, open_workspace
from primeta.workspace.create import create_workspace

API = "/api/v1"
PLAN = {
    "hypothesis": "A letter brings some back",
    "owner": "Anna Kim",
    "starts": "2026-11-23",
    "ends": "2027-01-04",
    "arms": {"control": 0.5, "letter": {"share": 0.5, "cost": 0.4}},
    "primary": "revenue_per_customer",
    "guardrails": {"average_order_value": "2%"},
}


def post(browser: Browser, path: str, **given):
    return browser.request("POST", API + path, json=given)


def test_the_list_and_one_experiment_are_the_documents_of_the_terminal(browser: Browser):
    listed = browser.get(f"{API}/experiments").json()["experiments"]
    by_name = {entry["name"]: entry for entry in listed}
    assert by_name["evening-push"]["status"] == "running"
    assert (by_name["reminder"]["waits"], by_name["reminder"]["look"]["state"]) == (True, "scale")
    one = browser.get(f"{API}/experiments/short-form").json()
    assert (one["share"], one["decision"]["state"], len(one["looks"])) == (0.05, "scale", 2)
    assert {"plan", "versions", "analysis", "steps", "gates", "lessons", "events"} <= set(one)
    assert "NaN" not in browser.get(f"{API}/experiments/evening-push").text


def test_the_newest_look_has_the_keys_of_analyse(browser: Browser):
    # DESIGN §6, `experiment analyse`: arms, checks, effects[], decisions[], decision {state, arm, why}.
    look = browser.get(f"{API}/experiments/reminder/look").json()
    assert {"arms", "checks", "effects", "decisions", "decision", "counts", "seen_until"} <= set(look)
    assert look["decision"]["state"] == "scale"
    assert browser.get(f"{API}/experiments/two-letters/look").status_code == 404


def test_the_size_of_a_plan(browser: Browser):
    size = browser.get(f"{API}/experiments/two-letters/size").json()
    assert size["metric"] == "revenue_per_customer.30d"
    assert size["size"]["n_total"] > 1000


def test_lessons_by_their_words(browser: Browser):
    assert len(browser.get(f"{API}/lessons").json()["lessons"]) == 1
    assert browser.get(f"{API}/lessons?q=zebra").json()["lessons"] == []


def test_an_experiment_is_declared_started_and_stopped(browser: Browser, workspace: FakeWorkspace):
    made = post(browser, "/experiments", name="new-letter", plan=PLAN, by="Anna Kim")
    assert made.status_code == 201, made.text
    assert (made.json()["status"], made.json()["plan"]["goals"][1]["margin"]) == (
        "draft",
        {"value": -0.02, "relative": True},
    )
    started = post(
        browser, "/experiments/new-letter/start", by="Oleg Petrov", revision=made.json()["revision"]
    )
    assert (started.status_code, started.json()["status"]) == (200, "running")
    late = post(browser, "/experiments/new-letter/stop", by="Anna Kim", revision=1)
    assert late.status_code == 409
    stopped = post(browser, "/experiments/new-letter/stop", by="Anna Kim", reason="no letters left")
    assert stopped.json()["status"] == "ended"


def test_a_wrong_plan_names_each_wrong_key(browser: Browser):
    answer = post(
        browser, "/experiments", name="x", plan={**PLAN, "primary": "revenu", "level": 95}, by="Anna"
    )
    assert answer.status_code == 400
    told = answer.json()["error"]
    assert "there is no metric 'revenu'" in told
    assert "level" in told


def test_a_running_plan_is_not_altered(browser: Browser, workspace: FakeWorkspace):
    answer = post(browser, "/experiments", name="reminder", plan=PLAN, by="Anna")
    assert answer.status_code == 409
    assert "kept beside it as version 2" in answer.json()["error"]
    assert workspace.experiment("reminder").version == 1


def test_deciding_rolling_out_and_learning(browser: Browser, monkeypatch):
    monkeypatch.setattr("primeta.workspace.rollout._was_looked_at", lambda _ws, _view: None)
    monkeypatch.setattr("primeta.workspace.rollout.data_guards", lambda _ws, now: {"doctor": ""})
    decided = post(browser, "/experiments/reminder/decide", state="scale", by="Anna")
    assert (decided.json()["status"], decided.json()["decision"]["arm"]) == ("decided", "letter")
    rolled = post(browser, "/experiments/reminder/rollout", by="Anna")
    assert rolled.json()["share"] == 0.05
    halted = post(browser, "/experiments/reminder/rollout", by="Anna", move="halt", reason="complaints")
    assert halted.json()["status"] == "halted"
    assert post(browser, "/experiments/reminder/rollout", by="Anna").status_code == 409
    opened = post(browser, "/experiments/reminder/rollout", by="Anna", move="reopen", reason="answered")
    assert opened.json()["status"] == "rolling"
    learnt = post(browser, "/experiments/reminder/lesson", by="Anna", text="Letters work after 40 days")
    assert learnt.json()["lessons"][0]["text"] == "Letters work after 40 days"


def test_the_certificate(browser: Browser, new: Browser):
    found = browser.get(f"{API}/certificate").json()
    assert [entry["ok"] for entry in found["metrics"]] == [True, False, None]
    assert new.get(f"{API}/certificate").status_code == 404


def test_only_json_from_this_site_changes_anything(browser: Browser, workspace: FakeWorkspace):
    for path in ("/experiments", "/experiments/reminder/start", "/experiments/reminder/stop", "/experiments/reminder/decide",
                 "/experiments/reminder/rollout", "/experiments/reminder/lesson", "/experiments/reminder/look"):  # fmt: skip
        form = browser.request("POST", API + path, data={"by": "Anna"})
        assert form.status_code == 403, path
        foreign = browser.request(
            "POST", API + path, json={"by": "Anna"}, headers={"Origin": "http://evil.example"}
        )
        assert foreign.status_code == 403, path
    assert len(workspace.experiment("reminder").events) == 4


def test_everything_is_described(browser: Browser):
    paths = browser.get(f"{API}/openapi.json").json()["paths"]
    for path in ("", "/{name}", "/{name}/look", "/{name}/size", "/{name}/audience", "/{name}/start", "/{name}/stop",
                 "/{name}/decide", "/{name}/rollout", "/{name}/lesson"):  # fmt: skip
        assert f"{API}/experiments{path}" in paths


# Over real customers


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Sixty customers with orders of a year, in a running experiment with a Cyrillic name."""
    place = tmp_path_factory.mktemp("audience") / "shop"
    create_workspace(place, name="Калина", language="ru", currency="RUB", timezone="Europe/Moscow")
    rows = "".join(f"{n},c{n % 60},2026-{1 + n % 10:02}-{1 + n % 28:02},{10 + n % 7}\n" for n in range(1200))
    (place / "orders.csv").write_text("order_id,customer_id,ordered_at,revenue\n" + rows, encoding="utf-8")
    settings = place / "primeta.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text + '\n[tables.orders]\nfrom = "orders.csv"\n', encoding="utf-8")
    workspace = open_workspace(place)
    plan = workspace.plan_experiment(
        "письмо", {**PLAN, "starts": "2026-09-01", "ends": "2026-10-15", "entry": "list"}
    )
    workspace.declare_experiment(plan, by="Анна", now=datetime(2026, 8, 20, tzinfo=UTC))
    workspace.start_experiment("письмо", by="Анна", now=datetime(2026, 9, 1, tzinfo=UTC))
    yield workspace
    workspace.close()


@pytest.fixture
def counter(shop: Workspace) -> Browser:
    return Browser(create_app(shop, now=lambda: datetime(2026, 10, 10, 9, tzinfo=UTC)))


def test_an_audience_is_a_file_for_a_sender_and_leaves_nothing_behind(
    counter: Browser, tmp_path: Path, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seen: set[str] = set()
    for arm in ("control", "letter"):
        answer = counter.get(f"{API}/experiments/письмо/audience?arm={arm}&format=csv")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/csv")
        # RFC 6266: a name that is not ASCII goes as UTF-8''.
        assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%D0%BF")
        listed = list(csv.DictReader(io.StringIO(answer.text)))
        assert {row["arm"] for row in listed} == {arm}
        mine = {row["customer_id"] for row in listed}
        assert not mine & seen
        seen |= mine
    # Sixty by ten: every fifth customer has ordered only since September, so is not there on the first day.
    assert len(seen) == 48
    whole = counter.get(f"{API}/experiments/письмо/audience?arm=letter&format=parquet")
    assert whole.content[:4] == whole.content[-4:] == b"PAR1"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("query", "status"), [("arm=nobody", 404), ("arm=letter&format=xlsx", 422), ("", 422)]
)
def test_an_audience_that_cannot_be(counter: Browser, query: str, status: int, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert counter.get(f"{API}/experiments/письмо/audience?{query}").status_code == status
    assert list(tmp_path.iterdir()) == []


def test_a_look_over_http_is_kept(counter: Browser):
    answer = post(counter, "/experiments/письмо/look")
    assert answer.status_code == 201, answer.text
    assert answer.json()["number"] == 1
    assert counter.get("/experiments/письмо").status_code == 200
    assert counter.get(f"{API}/experiments/письмо/look").json()["counts"]["control"] > 0


def test_the_page_of_a_real_experiment_shows_no_code(counter: Browser):
    import re

    from browser import Page

    text = " ".join(Page(counter.get("/experiments/письмо").text).texts)
    assert " nan" not in text.casefold()
    assert re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", text) == []
