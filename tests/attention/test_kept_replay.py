"""The kept replay: what it counts against plain Python, when it is stale, drafts, the erased, the terminal."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from primeta.cli.app import run
from primeta.errors import BadInput, NotFound
from primeta.store.keys import keys_of
from primeta.store.schema import attention_replays
from primeta.workspace import open_workspace
from primeta.workspace.attention_kept import keep_drafts, keep_fresh
from primeta.workspace.attention_replay import replay_workspace
from primeta.workspace.workspace import Workspace

NOW = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
TOML = """
[workspace]
name = "Kalina"
timezone = "Europe/Moscow"

[tables.messages]
from = "messages.csv"

[tables.reactions]
from = "reactions.csv"

[attention]
promises = "promises.json"
loss_of_customer = 100
"""
PROMISES = [
    {"promise": "few", "text": "At most one offer in three days", "channel": "push", "purpose": "offer", "max": 1, "window": "3d"},
    {"promise": "day", "text": "Only by day", "hours": [9, 21]},
    {"promise": "love", "text": "With love"},
]  # fmt: skip


def sends() -> list[dict[str, Any]]:
    rng = random.Random(7)
    rows = [
        {
            "message_id": f"m{number:03d}",
            "customer_id": f"secret-{rng.randrange(12)}",
            "sent_at": datetime(2026, 8, 20, tzinfo=UTC) + timedelta(minutes=rng.randrange(60 * 24 * 60)),
            "channel": rng.choice(["push", "email"]),
            "purpose": rng.choice(["offer", "useful"]),
            "campaign": rng.choice(["autumn", "50% off", ""]),
            "cost": 0.5,
        }
        for number in range(180)
    ]
    return sorted(rows, key=lambda row: row["sent_at"])


def reactions() -> list[tuple[str, str, datetime]]:
    """Every fifth is clicked an hour later, every fortieth drives away; one a month later."""
    rows = [(row["message_id"], "clicked", row["sent_at"] + timedelta(hours=1)) for row in sends()[::5]]
    rows += [
        (row["message_id"], "unsubscribed", row["sent_at"] + timedelta(hours=2)) for row in sends()[3::40]
    ]
    rows.append((sends()[1]["message_id"], "clicked", sends()[1]["sent_at"] + timedelta(days=30)))
    return rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("kept")
    (made / "primeta.toml").write_text(TOML, encoding="utf-8")
    (made / "promises.json").write_text(json.dumps(PROMISES), encoding="utf-8")
    heads = list(sends()[0])
    lines = [",".join(heads)] + [
        ",".join(row[name].isoformat() if name == "sent_at" else str(row[name]) for name in heads)
        for row in sends()
    ]
    (made / "messages.csv").write_text("\n".join(lines), encoding="utf-8")
    lines = ["message_id,kind,happened_at"] + [
        f"{name},{kind},{at.isoformat()}" for name, kind, at in reactions()
    ]
    (made / "reactions.csv").write_text("\n".join(lines), encoding="utf-8")
    ws = open_workspace(made)
    ws.keep_replay(now=NOW, by="test")
    ws.close()
    return made


@pytest.fixture
def ws(folder: Path):
    opened = open_workspace(folder)
    yield opened
    opened.close()


def month(at: datetime) -> str:
    return f"{at + timedelta(hours=3):%Y-%m}"  # Moscow


def over_one_in_three_days() -> list[dict[str, Any]]:
    """Offers by push that another one came before within (t − 3 days, t]."""
    found, last = [], {}
    for row in sends():
        if row["channel"] == "push" and row["purpose"] == "offer":
            before = last.get(row["customer_id"])
            if before is not None and before > row["sent_at"] - timedelta(days=3):
                found.append(row)
            last[row["customer_id"]] = row["sent_at"]
    return found


def test_a_promise_is_counted_by_month_and_by_who_breaks_it(ws: Workspace):
    reports = ws.attention_reports()
    assert reports is not None
    (entry,) = (one for one in reports.promises.promises if one.check.promise.name == "few")
    offers = [row for row in sends() if row["channel"] == "push" and row["purpose"] == "offer"]
    broken = over_one_in_three_days()
    assert (entry.check.checked, entry.check.broken) == (len(offers), len(broken))
    assert entry.share.value == pytest.approx(len(broken) / len(offers))
    assert {one.month: one.checked for one in entry.months} == Counter(
        month(row["sent_at"]) for row in offers
    )
    told = {one.month: one.broken for one in entry.months if one.broken}
    assert told == Counter(month(row["sent_at"]) for row in broken)
    by = {one.name: one.broken for one in entry.breakers if one.kind == "campaign"}
    assert by == Counter(row["campaign"] for row in broken)
    assert [one.message_id for one in entry.newest] == [row["message_id"] for row in reversed(broken)][:8]
    assert [one.broken for one in entry.worst] == sorted(
        Counter(row["customer_id"] for row in broken).values(), reverse=True
    )[:8]


def test_what_cannot_be_checked_is_never_kept(ws: Workspace):
    reports = ws.attention_reports()
    assert reports is not None
    (entry,) = (one for one in reports.promises.promises if one.check.promise.name == "love")
    document = next(one for one in reports.promises.as_dict()["promises"] if one["promise"] == "love")
    assert entry.check.state == "unverifiable"
    assert document["kept"] is None
    assert "never counted as kept" in reports.promises.line("en")


def test_campaigns_are_counted_as_plain_python_does(ws: Workspace):
    reports = ws.attention_reports()
    assert reports is not None
    glad = {
        name
        for name, kind, at in reactions()
        if kind == "clicked" and at - sent_at(name) <= timedelta(days=3)
    }
    left = {name for name, kind, _ in reactions() if kind == "unsubscribed"}
    rows = {row.sent.name: row.sent for row in reports.campaigns.of_kind("campaign")}
    assert set(rows) == {"autumn", "50% off", ""}
    for name, sent in rows.items():
        mine = [row for row in sends() if row["campaign"] == name]
        assert sent.messages == len(mine)
        assert sent.customers == len({row["customer_id"] for row in mine})
        assert sent.cost == pytest.approx(0.5 * len(mine))
        assert sent.welcomed == len([row for row in mine if row["message_id"] in glad])
        assert sent.opt_outs == len([row for row in mine if row["message_id"] in left])
        assert sum(week.messages for week in sent.weeks) == len(mine)
        assert all(week.week.weekday() == 0 for week in sent.weeks)
    # money: 100 for a customer, as the file says
    row = reports.campaigns.of_kind("campaign")[0]
    assert row.money.value == pytest.approx(100 * row.credit)


def sent_at(name: str) -> datetime:
    return next(row["sent_at"] for row in sends() if row["message_id"] == name)


def test_no_customers_id_is_kept(ws: Workspace):
    kept = ws.kept_replay()
    assert kept is not None
    assert "secret-" not in json.dumps(kept.document)
    assert "C-" in json.dumps(kept.document)


def test_it_is_stale_when_promises_change_and_fresh_when_they_do_not(ws: Workspace, folder: Path):
    assert not ws.replay_state(now=NOW).stale
    assert not keep_fresh(ws, now=NOW, by="watch")
    (folder / "promises.json").write_text(json.dumps(PROMISES[:2]), encoding="utf-8")
    try:
        assert ws.replay_state(now=NOW).stale
    finally:
        (folder / "promises.json").write_text(json.dumps(PROMISES), encoding="utf-8")
    assert not ws.replay_state(now=NOW).stale


def test_what_was_learnt_from_the_same_facts_is_not_learnt_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shutil.copytree(folder, tmp_path / "shop")
    with closing(open_workspace(tmp_path / "shop")) as ws:
        first = ws.keep_replay(now=NOW, by="test")

        def never(*_: Any, **__: Any) -> None:
            raise AssertionError("learnt again")

        monkeypatch.setattr("primeta.attention.credit_fit.fit_credit", never)
        monkeypatch.setattr("primeta.attention.replay_credit.fit_credit", never)
        assert json.dumps(ws.keep_replay(now=LATER, by="test").document) == json.dumps(first.document)
        ws.ask_replay({"caps": [{"max": 2, "window": "7d"}]}, by="anna", now=LATER)
        keep_drafts(ws, now=LATER, by="job")
        (draft,) = ws.kept_replays()[:1]
        assert draft.document is not None
        assert draft.document["policy"]["credit"] is not None


def test_a_draft_waits_and_is_replayed_once(ws: Workspace):
    draft = ws.ask_replay({"caps": [{"max": 1, "window": "7d"}]}, by="anna", now=NOW)
    assert draft.document is None
    assert keep_drafts(ws, now=NOW, by="job") == 1
    done = ws.kept_replay(draft=draft.id)
    assert done is not None
    assert done.document is not None
    assert done.document["policy"]["stopped"] > 0
    assert ws.ask_replay({"caps": [{"max": 1, "window": "7d"}]}, by="oleg", now=NOW).id == draft.id
    assert keep_drafts(ws, now=NOW, by="job") == 0
    assert ws.kept_replay() is not None
    with pytest.raises(NotFound, match="no replay 'd-none'"):
        ws.kept_replay(draft="d-none")
    with pytest.raises(BadInput, match="not known"):
        ws.ask_replay({"cap": 3}, by="anna", now=NOW)


def test_the_erased_leave_the_examples_of_every_replay_and_the_counts_stay(folder: Path, tmp_path: Path):
    shutil.copytree(folder, tmp_path / "shop")
    worst = over_one_in_three_days()[-1]["customer_id"]
    with closing(open_workspace(tmp_path / "shop")) as ws:
        ws.keep_replay(now=NOW, by="test")
        pseudonym = keys_of(ws.database, now=NOW).pseudonym(worst)
        before = ws.attention_reports()
        assert before is not None
        assert pseudonym in json.dumps(before.promises.as_dict(), default=str)
        ws.erase(worst, now=LATER, by="test", reason="asked")
        # This process has read the replay before: what it holds is not shown any more either.
        again = ws.attention_reports()
        assert again is not None
        assert pseudonym not in repr(again)
        assert pseudonym not in stored(ws)
        assert [one.check.broken for one in again.promises.promises] == [
            one.check.broken for one in before.promises.promises
        ]


def test_whoever_is_erased_while_a_replay_is_worked_out_stands_in_no_example(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shutil.copytree(folder, tmp_path / "shop")
    worst = over_one_in_three_days()[-1]["customer_id"]
    found = []
    with closing(open_workspace(tmp_path / "shop")) as ws:

        def meanwhile(ws: Workspace, **options: Any):
            told = replay_workspace(ws, **options)
            if not found:
                ws.erase(worst, now=LATER, by="test", reason="asked")
            found.append(told)
            return told

        monkeypatch.setattr("primeta.workspace.attention_kept.replay_workspace", meanwhile)
        ws.keep_replay(now=LATER, by="test")
        assert len(found) == 2
        assert keys_of(ws.database, now=NOW).pseudonym(worst) not in stored(ws)


def stored(ws: Workspace) -> str:
    """Every document of a replay that the state keeps."""
    with ws.database.read() as connection:
        return json.dumps(list(connection.scalars(select(attention_replays.c.document))))


@pytest.mark.parametrize(
    ("verb", "key"), [("health", "standings"), ("promises", "promises"), ("campaigns", "campaigns")]
)
def test_the_terminal_prints_what_is_kept(
    folder: Path, capsys: pytest.CaptureFixture[str], verb: str, key: str
):
    with pytest.raises(SystemExit, match="0"):
        run(["attention", verb, str(folder), "--json"])
    assert json.loads(capsys.readouterr().out)[key]
    with pytest.raises(SystemExit, match="0"):
        run(["attention", verb, str(folder), "--language", "ru"])
    assert capsys.readouterr().out.strip()
