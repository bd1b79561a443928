"""From a workspace to its channels: each subject once, whatever fails, and the calendar's feed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from delivery_servers import http_service
from icalendar import Calendar

from primeta.cli.deliver import calendar as calendar_verb
from primeta.cli.deliver import deliver as deliver_verb
from primeta.config import parse_config
from primeta.errors import BadInput, Locked, NotFound
from primeta.store.database import Database
from primeta.store.deliveries import claim, load_deliveries
from primeta.store.signals import Run, save_run
from primeta.workspace import Workspace
from primeta.workspace.feed import is_calendar_token
from primeta.workspace.lock import only_one

# Monday of week 47, 9:30 in Moscow; the facts end with week 46.
NOW = datetime(2026, 11, 16, 6, 30, tzinfo=UTC)
WORKSPACE = '[workspace]\nname = "Калина"\nlanguage = "ru"\ncurrency = "RUB"\ntimezone = "Europe/Moscow"\n'


@pytest.fixture
def service():
    with http_service() as found:
        yield found


@pytest.fixture
def make(state_url, tmp_path):
    made: list[Workspace] = []

    def workspace(channels: str) -> Workspace:
        path = tmp_path / "primeta.toml"
        path.write_text(WORKSPACE + channels, encoding="utf-8")
        database = Database(state_url)
        database.migrate()
        made.append(Workspace(parse_config(path.read_text(encoding="utf-8"), path), database))
        with database.write() as connection:
            save_run(
                connection,
                Run(
                    seen_until=datetime(2026, 11, 15, 21, tzinfo=UTC),
                    facts_version="f",
                    promise_start=date(2026, 1, 1),
                    watched=10,
                    finished_at=NOW,
                    summary={},
                ),
            )
        return made[-1]

    yield workspace
    for ws in made:
        ws.close()


def channel(service, name: str = "team", more: str = "") -> str:
    return f'[delivery.{name}]\nto = "json://{service.host}/{name}"\n{more}\n'


def decided(ws: Workspace, name: str, due: date) -> str:
    trend = ws.new_trend(name=name, by="Анна", now=NOW - timedelta(days=30))
    ws.decide(
        trend.id, answer="observe", criteria="чек вырос на 3%", due=due, owner="Анна", by="Анна",
        now=NOW - timedelta(days=30),
    )  # fmt: skip
    return trend.id


def go(ws: Workspace, **options):
    return ws.deliver(**({"now": NOW, "env": {}, "pause": lambda _: None} | options))


def states(found) -> list[tuple[str, str]]:
    return [(entry.what, entry.state) for entry in found.outcomes]


def test_the_digest_of_a_week_goes_out_once(make, service):
    ws = make(channel(service))
    assert states(go(ws)) == [("digest", "delivered"), ("reviews", "nothing")]
    assert states(go(ws)) == [("digest", "already"), ("reviews", "nothing")]
    (asked,) = service.asked
    assert asked.json["title"] == "Калина, неделя\xa046"
    assert "Решений ничто не ждёт" in asked.json["message"]
    (kept,) = load_deliveries_of(ws)
    assert (kept.subject, kept.state, kept.tries) == ("digest 2026-W46", "delivered", 1)
    assert states(go(ws, again=True, what="digest")) == [("digest", "delivered")]
    assert len(service.asked) == 2


def load_deliveries_of(ws: Workspace):
    with ws.database.read() as connection:
        return load_deliveries(connection)


def test_one_message_tells_all_reviews_that_are_due(make, service):
    ws = make(channel(service, more='what = ["reviews"]'))
    decided(ws, "Ужин после работы", date(2026, 11, 16))
    decided(ws, "Чек за порцию", date(2026, 11, 11))
    decided(ws, "Потом", date(2026, 11, 17))
    assert states(go(ws)) == [("reviews", "delivered")]
    told = service.asked[0].json["message"]
    # 11 November is five days before 16 November; the longest overdue comes first.
    assert told.index("Чек за порцию") < told.index("Ужин после работы")
    assert (
        "решение: наблюдаем; срок: 11\xa0ноября\xa02026, просрочено дней: 5; получилось, если: чек вырос на 3%"
        in told
    )
    assert "Потом" not in told
    # The next day brings the third one alone; a week later the late ones are told again.
    go(ws, now=NOW + timedelta(days=1))
    assert "Потом" in service.asked[1].json["message"]
    assert "Чек за порцию" not in service.asked[1].json["message"]
    go(ws, now=NOW + timedelta(days=2))
    assert "Чек за порцию" in service.asked[2].json["message"]
    assert "Ужин" not in service.asked[2].json["message"]


def test_a_failing_channel_does_not_stop_the_others_and_is_tried_again(make, service):
    bad = '[delivery.bad]\nto = "tgram://${NOT_SET}/5"\n'
    with http_service() as shaky:
        shaky.answers = [(503, "")]
        ws = make(bad + channel(shaky, "shaky") + channel(service))
        found = go(ws, what="digest")
        assert [entry.state for entry in found.outcomes] == ["refused", "deferred", "delivered"]
        assert not found.ok
        assert found.outcomes[0].reason("ru").startswith("в окружении нет NOT_SET;")
        assert "неполадки" in found.outcomes[1].reason("ru")
        shaky.answers = [(200, "")]
        found = go(ws, what="digest")
        assert [entry.state for entry in found.outcomes] == ["refused", "delivered", "already"]
    assert len(service.asked) == 1


def test_a_dry_run_sends_and_writes_nothing_but_finds_a_wrong_address(make, service):
    ws = make('[delivery.bad]\nto = "nosuch://${X}/5"\n' + channel(service))
    found = go(ws, dry_run=True, what="digest", env={"X": "y"})
    assert [(entry.state, entry.why) for entry in found.outcomes] == [("refused", "service"), ("planned", "")]
    assert service.asked == []
    assert load_deliveries_of(ws) == ()


def test_what_was_broken_off_by_a_kill_is_not_sent_twice(make, service):
    ws = make(channel(service))
    with ws.database.write() as connection:
        # A process claimed it an hour ago and died: nobody knows whether it arrived.
        claim(connection, "team", "digest 2026-W46", now=NOW - timedelta(hours=1))
    found = go(ws, what="digest")
    assert states(found) == [("digest", "unclear")]
    assert "--again" in found.outcomes[0].reason("en")
    assert service.asked == []
    assert states(go(ws, what="digest", again=True)) == [("digest", "delivered")]


def test_two_deliveries_do_not_run_at_once(make, service):
    ws = make(channel(service))
    with only_one(ws.folder / "delivery.lock", "a delivery"), pytest.raises(Locked, match="a delivery runs"):
        go(ws)
    assert service.asked == []


def test_a_new_channel_waits_for_its_hour_and_missed_hours_are_one_delivery(make, service):
    ws = make(channel(service, more='every = "day"\nat = "09:00"'))
    due = lambda now: ws.deliver_due(now=now, env={}).outcomes  # noqa: E731
    assert due(NOW) == ()
    # 8:59 of the next day in Moscow, then 9:00.
    assert due(datetime(2026, 11, 17, 5, 59, tzinfo=UTC)) == ()
    assert [entry.state for entry in due(datetime(2026, 11, 17, 6, 0, tzinfo=UTC))] == [
        "delivered",
        "nothing",
    ]
    assert due(datetime(2026, 11, 17, 6, 1, tzinfo=UTC)) == ()
    decided(ws, "Ужин", date(2026, 11, 18))
    # The machine slept for three days: one message, not three.
    assert [entry.state for entry in due(datetime(2026, 11, 20, 12, 0, tzinfo=UTC))] == [
        "already",
        "delivered",
    ]
    assert len(service.asked) == 2


def test_what_was_put_off_is_tried_again_before_the_next_hour(make, service):
    ws = make(channel(service, more='what = ["digest"]'))
    service.answers = [(503, "")]
    ws.deliver(now=NOW, env={}, pause=lambda _: None)
    ws.deliver_due(now=NOW + timedelta(minutes=1), env={})
    asked = len(service.asked)
    assert asked == 3
    service.answers = [(200, "")]
    (outcome,) = ws.deliver_due(now=NOW + timedelta(minutes=11), env={}).outcomes
    assert outcome.state == "delivered"


def test_without_channels_or_with_a_wrong_name_it_says_what_to_do(make, service):
    with pytest.raises(BadInput, match=r"add a section such as \[delivery.team\]"):
        go(make(""))
    with pytest.raises(NotFound, match="declares team"):
        go(make(channel(service)), to="nobody")


def test_the_feed_holds_reviews_whose_identity_stays(make):
    ws = make("")
    trend = decided(ws, "Ужин после работы", date(2026, 12, 31))

    def event():
        return next(iter(Calendar.from_ical(ws.calendar(now=NOW)).walk("VEVENT")))

    before = event()
    assert before["summary"] == "Подвести итоги: Ужин после работы"
    assert "Получилось, если: чек вырос на 3%" in before["description"]
    ws.decide(
        trend, answer="experiment", criteria="+3%", due=date(2027, 2, 1), owner="Анна", by="Анна", now=NOW
    )
    after = event()
    assert after["uid"] == before["uid"]
    assert after["dtstart"].dt == date(2027, 2, 1)
    assert after["sequence"] > before["sequence"]
    assert after["dtstamp"].dt > before["dtstamp"].dt


def test_the_secret_of_the_feed_can_be_changed_and_its_entries_stay_the_same(make):
    ws = make("")
    decided(ws, "Ужин", date(2026, 12, 31))
    content = ws.calendar(now=NOW)
    token = ws.calendar_token(now=NOW, by="Анна")
    assert len(token) >= 32
    assert ws.calendar_token(now=NOW, by="Анна") == token
    other = ws.calendar_token(now=NOW, by="Анна", new=True)
    assert other != token
    assert not is_calendar_token(ws, token)
    assert not is_calendar_token(ws, "")
    assert not is_calendar_token(ws, "токен")
    assert is_calendar_token(ws, other)
    assert ws.calendar(now=NOW) == content


def test_the_verb_writes_the_calendar_and_tells_its_address(tmp_path, capsys):
    (tmp_path / "primeta.toml").write_text(WORKSPACE, encoding="utf-8")
    calendar_verb(tmp_path, out=tmp_path / "reviews.ics", json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["entries"] == []
    assert document["path"].startswith("/calendar/")
    assert document["path"].endswith(".ics")
    assert (tmp_path / "reviews.ics").read_bytes().startswith(b"BEGIN:VCALENDAR\r\n")
    calendar_verb(tmp_path, new_token=True, json=True)
    assert json.loads(capsys.readouterr().out)["path"] != document["path"]


def test_the_verb_prints_one_document_and_its_status_says_whether_all_arrived(
    tmp_path, service, capsys, monkeypatch
):
    (tmp_path / "primeta.toml").write_text(
        WORKSPACE
        + channel(service, more='what = ["reviews"]')
        + '[delivery.bad]\nto = "tgram://${NOT_SET}/5"\n',
        encoding="utf-8",
    )
    monkeypatch.delenv("NOT_SET", raising=False)
    assert deliver_verb(tmp_path, json=True) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is True
    assert [entry["why"] for entry in document["deliveries"]] == ["no-reviews", "no-week", "no-reviews"]
    database = Database(f"sqlite:///{tmp_path / 'state.sqlite'}")
    ws = Workspace(
        parse_config((tmp_path / "primeta.toml").read_text(encoding="utf-8"), tmp_path / "primeta.toml"),
        database,
    )
    decided(ws, "Ужин", date(2026, 11, 1))
    ws.close()
    assert deliver_verb(tmp_path, to="bad", language="en") == 2
    assert "NOT_SET" in capsys.readouterr().out
    assert "NOT_SET" not in os.environ


@pytest.mark.slow
def test_killed_while_sending_it_sends_nothing_twice(tmp_path, service):
    (tmp_path / "primeta.toml").write_text(WORKSPACE + channel(service), encoding="utf-8")
    path = tmp_path / "primeta.toml"
    ws = Workspace(
        parse_config(path.read_text(encoding="utf-8"), path),
        Database(f"sqlite:///{tmp_path / 'state.sqlite'}"),
    )
    ws.database.migrate()
    decided(ws, "Ужин", date(2026, 11, 1))
    arrived, go_on = threading.Event(), threading.Event()

    def slowly(asked) -> tuple[int, str]:
        arrived.set()
        go_on.wait(30)
        return 200, ""

    service.answer = slowly
    command = [sys.executable, "-m", "primeta", "deliver", str(tmp_path), "--what", "reviews", "--json"]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    assert arrived.wait(60)
    # While it sends, a second one is told so and ends.
    second = subprocess.run(command, capture_output=True, text=True)
    assert second.returncode == 2
    assert "a delivery runs already" in second.stderr
    first.kill()
    first.wait()
    go_on.set()
    service.answer = None
    third = subprocess.run(command, capture_output=True, text=True)
    assert [entry["state"] for entry in json.loads(third.stdout)["deliveries"]] == ["unclear"]
    assert third.returncode == 2
    assert len(service.asked) == 1
    ws.close()
