"""`primeta collect`: what is due is asked, kept, read and written once; what fails says so and stops nothing else."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from collect_sites import NOW, answer, documents_of, feed, fetcher, opened, site, still, web, workspace_at
from local_sites import in_turn

from primeta.config import parse_config
from primeta.errors import BadConfig, BadInput, Locked, NotFound
from primeta.sources.fetching import raw_store
from primeta.store.database import Database
from primeta.store.documents import count_documents, documents_after, load_documents
from primeta.workspace import Workspace
from primeta.workspace.lock import only_one

TICKETS = '[sources.tickets]\nat = "data/*.csv"\nkind = "support"\n'


@pytest.fixture
def quiet():
    """No waiting for files to settle."""
    return {"fetcher": fetcher(), "sleep": lambda _: None}


def test_feeds_and_files_become_documents_with_their_stories(tmp_path, quiet):
    still(tmp_path / "data")
    with web(4) as place:
        ws = opened(workspace_at(tmp_path, place, feeds=4, more=TICKETS))
        report = ws.collect(now=NOW, **quiet)
    # Four feeds of 12, the common text in two of them, 60 tickets
    assert (report.asked, report.new, report.failed, report.copies) == (5, 4 * 12 + 2 + 60, (), 1)
    with ws.database.read() as connection:
        found = documents_after(connection, 0, 1000)
        assert count_documents(connection) == 110
        assert load_documents(connection, [found[3].document.id, "d-0", found[1].document.id]) == (
            found[3].document,
            found[1].document,
        )
    (copy,) = (entry for entry in found if entry.why)
    first = next(entry.document for entry in found if entry.document.id == copy.story)
    # feed3 told the common text three hours before feed0
    assert (copy.why, copy.document.source, first.source) == ("exact", "feed0", "feed3")
    assert first.language == "ru"
    views = {view.source.name: view for view in ws.source_views(now=NOW)}
    assert (views["feed0"].documents, views["feed0"].stories, views["feed0"].health) == (13, 12, "well")
    assert views["tickets"].last_week == sum(views["tickets"].weekly) == 60


def test_a_second_collection_asks_nobody_before_the_hour_and_then_brings_nothing_twice(tmp_path, quiet):
    still(tmp_path / "data")
    with web() as place:
        ws = opened(workspace_at(tmp_path, place, more=TICKETS))
        ws.collect(now=NOW, **quiet)
        before = documents_of(tmp_path)
        soon = ws.collect(now=NOW + timedelta(hours=1), **quiet)
        assert (soon.asked, soon.waiting) == (0, 4)
        later = ws.collect(now=NOW + timedelta(hours=7), **quiet)
    assert (later.asked, later.new, later.same) == (4, 0, 4)
    assert documents_of(tmp_path) == before


def test_an_unchanged_feed_is_not_sent_again(tmp_path, quiet):
    content = feed(("1", "Новость о доставке и возврате", NOW))
    with site() as place:
        place.on("/feed0.xml", in_turn(answer(content, etag='"a"'), answer(status=304)))
        ws = opened(workspace_at(tmp_path, place, feeds=1))
        ws.collect(now=NOW, **quiet)
        report = ws.collect(now=NOW + timedelta(hours=7), **quiet)
        assert place.headers[-1]["if-none-match"] == '"a"'
    assert (report.asked, report.new, report.same) == (1, 0, 1)


def test_a_source_that_is_gone_stops_and_one_that_is_away_is_tried_later_and_later(tmp_path, quiet):
    with site() as place:
        place.on("/feed0.xml", answer(status=410))
        place.on("/feed1.xml", answer(status=500))
        place.on("/feed2.xml", answer(feed(("1", "Новость о доставке", NOW))))
        ws = opened(workspace_at(tmp_path, place))
        report = ws.collect(now=NOW, **quiet)
        assert [(name, trouble.code) for name, trouble in report.failed] == [
            ("feed0", "gone"),
            ("feed1", "server-error"),
        ]
        assert report.new == 1
        gone, away, well = ws.source_views(now=NOW)
        assert (gone.health, gone.next_at) == ("stopped", None)
        assert all("410" in gone.why(lang) for lang in ("en", "ru"))
        assert (away.health, away.failures, well.health) == ("failing", 1, "well")
        assert away.next_at - NOW < timedelta(minutes=20)
        waits = []
        for _ in range(9):
            now = ws.source_views(now=NOW)[1].next_at
            asked = ws.collect(now=now, names=["feed1"], **quiet)
            assert asked.asked == 1
            waits.append(ws.source_views(now=NOW)[1].next_at - now)
        # Twice as long each time (a tenth more or less), up to a day
        assert all(after > 1.5 * before for before, after in pairwise(waits[:6]))
        assert timedelta(hours=21) < waits[-1] < timedelta(hours=27)
        # Gone for good: only a person's word asks it again
        assert ws.collect(now=NOW + timedelta(days=9), names=["feed0"], **quiet).asked == 0
        place.on("/feed0.xml", answer(feed(("1", "Лента вернулась на место", NOW))))
        assert ws.collect(now=NOW + timedelta(days=9), names=["feed0"], force=True, **quiet).new == 1
        assert ws.source_views(now=NOW)[0].health == "well"


def test_a_pause_that_a_host_asks_for_is_kept(tmp_path, quiet):
    with site() as place:
        place.on("/feed0.xml", answer(status=429, retry_after="7200"))
        ws = opened(workspace_at(tmp_path, place, feeds=1))
        ws.collect(now=NOW, **quiet)
    (view,) = ws.source_views(now=NOW)
    assert view.trouble.code == "busy"
    assert view.next_at >= NOW + timedelta(hours=2)


def test_a_source_that_moved_for_good_is_read_there_and_says_so(tmp_path, quiet):
    content = feed(("1", "Новость о доставке и возврате", NOW))
    with site() as place:
        place.on("/feed0.xml", answer(status=301, location="/new.xml"))
        place.on("/new.xml", answer(content))
        ws = opened(workspace_at(tmp_path, place, feeds=1))
        assert ws.collect(now=NOW, **quiet).new == 1
        ws.collect(now=NOW + timedelta(hours=7), **quiet)
        assert place.seen[-1] == "/new.xml"
        (view,) = ws.source_views(now=NOW)
        assert (view.health, [part.code for part in view.part_troubles]) == ("well", ["moved"])
        # The new place has gone: the old one is asked again.
        place.on("/feed0.xml", answer(content))
        place.on("/new.xml", answer(status=404))
        ws.collect(now=NOW + timedelta(hours=14), **quiet)
        ws.collect(now=NOW + timedelta(hours=15), **quiet)
        assert place.seen[-1] == "/feed0.xml"
        assert ws.source_views(now=NOW)[0].health == "well"


def test_a_feed_without_end_is_given_up_and_takes_no_room(tmp_path, quiet):
    def endless(handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(400):
            handler.wfile.write(b"<item>" * 20_000)

    with site() as place:
        place.on("/feed0.xml", endless)
        place.on("/feed1.xml", answer(feed(("1", "Новость о доставке", NOW))))
        ws = opened(workspace_at(tmp_path, place, feeds=2))
        report = ws.collect(now=NOW, **quiet)
    assert ([trouble.code for _, trouble in report.failed], report.new) == (["too-large"], 1)
    assert sum(path.stat().st_size for path in (tmp_path / "raw").rglob("*") if path.is_file()) < 10_000


def test_a_page_instead_of_a_feed_stops_only_a_source_that_was_never_read(tmp_path, quiet):
    page = answer(b"<!doctype html><html><head><title>Log in</title></head><body>Wi-Fi</body></html>")
    with site() as place:
        place.on("/feed0.xml", page)
        place.on("/feed1.xml", in_turn(answer(feed(("1", "Новость о доставке", NOW))), page))
        ws = opened(workspace_at(tmp_path, place, feeds=2))
        ws.collect(now=NOW, **quiet)
        ws.collect(now=NOW + timedelta(hours=7), **quiet)
        first, second = ws.source_views(now=NOW)
        assert (first.health, second.health) == ("stopped", "failing")
        for hours in (14, 21):
            ws.collect(now=NOW + timedelta(hours=hours), **quiet)
        assert ws.source_views(now=NOW)[1].health == "stopped"


def test_only_changed_files_are_read_and_rows_that_were_added(tmp_path, quiet):
    still(tmp_path / "data")
    ws = opened(workspace_at(tmp_path, more=TICKETS))
    ws.collect(now=NOW, **quiet)
    still(tmp_path / "data", name="more.csv", start=100, rows=5)
    with (tmp_path / "data" / "tickets.csv").open("a", encoding="utf-8") as file:
        file.write("t900,Курьер не нашёл склад и вернул заказ,2026-03-10 08:00:00,c1\n")
    report = ws.collect(now=NOW, force=True, **quiet)
    assert report.new == 6
    os.utime(tmp_path / "data" / "more.csv")
    assert ws.collect(now=NOW, force=True, **quiet).same == 1


def test_a_file_that_is_being_written_is_left_for_the_next_time(tmp_path, quiet):
    still(tmp_path / "data")
    ws = opened(workspace_at(tmp_path, more=TICKETS))

    def somebody_writes(_: float) -> None:
        with (tmp_path / "data" / "tickets.csv").open("a", encoding="utf-8") as file:
            file.write("t901,Ещё одна строка о доставке,2026-03-10 08:00:00,c1\n")

    report = ws.collect(now=NOW, fetcher=quiet["fetcher"], sleep=somebody_writes)
    assert (report.new, report.failed) == (0, ())
    (view,) = ws.source_views(now=NOW)
    assert [part.code for part in view.part_troubles] == ["being-written"]
    assert ws.collect(now=NOW, force=True, **quiet).new == 61


def test_a_file_that_is_missing_or_leads_out_of_its_folder(tmp_path, quiet):
    outside = tmp_path / "outside"
    still(outside)
    home = workspace_at(tmp_path / "home", more=TICKETS)
    ws = opened(home)
    report = ws.collect(now=NOW, **quiet)
    assert [trouble.code for _, trouble in report.failed] == ["no-file"]
    (home / "data").mkdir()
    (home / "data" / "linked.csv").symlink_to(outside / "tickets.csv")
    ws.collect(now=NOW, force=True, **quiet)
    (view,) = ws.source_views(now=NOW)
    assert view.trouble is not None
    assert (view.documents, view.health, view.trouble.code) == (0, "failing", "outside")
    still(home / "data", name="own.csv")
    ws.collect(now=NOW, force=True, **quiet)
    (view,) = ws.source_views(now=NOW)
    assert (view.documents, view.health, [part.code for part in view.part_troubles]) == (
        60,
        "well",
        ["outside"],
    )


def test_an_entry_that_was_corrected_is_renewed_and_keeps_when_it_was_first_seen(tmp_path, quiet):
    told = [
        feed(("1", "Новость о доставке и возврате", NOW)),
        feed(("1", "Новость о доставке, возврате и комиссии", NOW + timedelta(hours=3))),
    ]
    with site() as place:
        place.on("/feed0.xml", in_turn(answer(told[0]), answer(told[1])))
        ws = opened(workspace_at(tmp_path, place, feeds=1))
        ws.collect(now=NOW, **quiet)
        report = ws.collect(now=NOW + timedelta(hours=7), **quiet)
    assert report.new == 0
    with ws.database.read() as connection:
        (entry,) = documents_after(connection, 0, 10)
    assert entry.document.title.endswith("комиссии")
    assert (entry.document.seen_at, entry.document.published_at) == (NOW, NOW)


def test_a_source_is_taken_over_when_its_declaration_changes(tmp_path, quiet):
    with web() as place:
        ws = opened(workspace_at(tmp_path, place, feeds=2))
        ws.collect(now=NOW, **quiet)
        text = (tmp_path / "primeta.toml").read_text().replace("owner1", "somebody else")
        (tmp_path / "primeta.toml").write_text(text)
        ws = opened(tmp_path)
        ws.collect(now=NOW + timedelta(minutes=1), **quiet)
        assert {row[2] for row in documents_of(tmp_path)} == {"owner0", "somebody else"}
        # One that is declared no longer keeps its documents and is not asked.
        ws = opened(workspace_at(tmp_path, place, feeds=1))
        assert ws.collect(now=NOW, force=True, **quiet).asked == 1
        found = ws.source_list(now=NOW)
    assert ([view.source.name for view in found.views], found.gone) == (["feed0"], (("feed1", 12),))
    assert "feed1" in found.table("ru").text()


def test_no_room_on_the_disk_leaves_everything_whole_and_says_so(tmp_path, quiet, monkeypatch):
    with web(2) as place:
        ws = opened(workspace_at(tmp_path, place, feeds=2))

        def full(path: Path, packed: bytes) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(raw_store, "_write", full)
            report = ws.collect(now=NOW, **quiet)
        assert [trouble.code for _, trouble in report.failed] == ["disk-full", "disk-full"]
        assert documents_of(tmp_path) == []
        assert "места" in ws.source_views(now=NOW)[0].why("ru")
        assert ws.collect(now=NOW, force=True, **quiet).new == 25


def test_what_was_kept_and_not_written_down_is_read_the_next_time(tmp_path, quiet, monkeypatch):
    first = feed(("1", "Новость о доставке и возврате", NOW))
    second = feed(("2", "Новость о комиссии и подписке", NOW))
    with site() as place:
        place.on("/feed0.xml", in_turn(answer(first), answer(second)))
        ws = opened(workspace_at(tmp_path, place, feeds=1))
        write = Database.write

        def dies(self: Database):
            if (tmp_path / "raw" / "feed0").exists():
                raise KeyboardInterrupt
            return write(self)

        with monkeypatch.context() as patched:
            patched.setattr(Database, "write", dies)
            with pytest.raises(KeyboardInterrupt):
                ws.collect(now=NOW, **quiet)
        assert documents_of(tmp_path) == []
        # The feed has moved on meanwhile: what only the first fetch saw is not lost.
        assert ws.collect(now=NOW, **quiet).new == 2


def test_one_collector_at_a_time(tmp_path, quiet):
    with web(1) as place:
        ws = opened(workspace_at(tmp_path, place, feeds=1))
        with (
            only_one(tmp_path / "collect.lock", "a collector"),
            pytest.raises(Locked, match=str(os.getpid())),
        ):
            ws.collect(now=NOW, **quiet)


def test_names_that_nobody_declared(tmp_path, quiet):
    ws = opened(workspace_at(tmp_path))
    with pytest.raises(BadInput, match="declares no source"):
        ws.collect(now=NOW, **quiet)
    ws = opened(workspace_at(tmp_path, more=TICKETS))
    with pytest.raises(NotFound, match="declares tickets"):
        ws.collect(now=NOW, names=["ticket"], **quiet)


def test_a_paused_source_is_asked_only_by_name(tmp_path, quiet):
    still(tmp_path / "data")
    ws = opened(workspace_at(tmp_path, more=TICKETS + "paused = true\n"))
    assert ws.collect(now=NOW, **quiet).asked == 0
    assert ws.collect(now=NOW, force=True, **quiet).asked == 0
    assert ws.source_views(now=NOW)[0].health == "paused"
    assert ws.collect(now=NOW, force=True, names=["tickets"], **quiet).new == 60


def test_a_source_that_used_to_speak_and_does_not_is_quiet(tmp_path, quiet):
    with web(1) as place:
        ws = opened(workspace_at(tmp_path, place, feeds=1))
        items = [
            (f"w{week}", f"Новость недели {week} о доставке", NOW - timedelta(weeks=week))
            for week in range(6)
        ]
        place.on("/feed0.xml", answer(feed(*items)))
        ws.collect(now=NOW, **quiet)
        assert ws.source_views(now=NOW)[0].health == "well"
        later = ws.source_views(now=NOW + timedelta(days=36))[0]
    assert later.health == "quiet"
    assert ws.source_list(now=NOW + timedelta(days=36)).line("ru") == "Источников: 1 (молчат: 1)."


def test_wrong_declarations_name_their_line(tmp_path):
    ws = opened(workspace_at(tmp_path, more='[sources.a]\nat = "x.csv"\nkind = "suport"\n'))
    with pytest.raises(
        BadConfig, match=r"primeta\.toml, line 7: \[sources\.a\] kind: one of .*'suport' was given"
    ):
        ws.source_list(now=NOW)


def test_what_was_kept_is_read_again_with_better_code(tmp_path, quiet, monkeypatch):
    still(tmp_path / "data")
    with web(2) as place:
        ws = opened(workspace_at(tmp_path, place, feeds=2, more=TICKETS))
        from primeta.sources import feed as reader

        whole = reader.read_feed

        def worse(*arguments, **options):
            found = whole(*arguments, **options)
            return replace(
                found, documents=tuple(replace(one, title=one.title[:5]) for one in found.documents[1:])
            )

        with monkeypatch.context() as patched:
            patched.setattr(reader, "read_feed", worse)
            ws.collect(now=NOW, **quiet)
        before = {row[0]: row for row in documents_of(tmp_path)}
        report = ws.reread(now=NOW + timedelta(days=1))
        # Of each feed one entry that was missed; the others (11, and 12 with the common text) read better now.
        assert (report.things, report.new, report.changed, report.failed) == (3, 2, 23, ())
        after = {row[0]: row for row in documents_of(tmp_path)}
        assert set(before) < set(after)
        again = opened(workspace_at(tmp_path / "calm", place, feeds=2, more=TICKETS))
        still(tmp_path / "calm" / "data")
        again.collect(now=NOW, **quiet)
    assert documents_of(tmp_path) == documents_of(tmp_path / "calm")
    assert ws.reread(now=NOW, names=["tickets"]).changed == 0
    with pytest.raises(NotFound, match="there are: feed0, feed1, tickets"):
        ws.reread(now=NOW, names=["feed9"])


def test_the_worker_asks_only_when_a_source_is_due(tmp_path, monkeypatch):
    from primeta.web import serve

    with web(1) as place:
        ws = opened(workspace_at(tmp_path, place, feeds=1))
        for hours, asked in ((0, 1), (1, 1), (7, 2)):
            monkeypatch.setattr(serve, "clock", lambda hours=hours: NOW + timedelta(hours=hours))
            serve.collect_quietly(ws, fetcher())
            assert place.seen.count("/feed0.xml") == asked
        # Somebody else collects: not this time.
        monkeypatch.setattr(serve, "clock", lambda: NOW + timedelta(hours=20))
        with only_one(tmp_path / "collect.lock", "a collector"):
            serve.collect_quietly(ws, fetcher())
        assert place.seen.count("/feed0.xml") == 2


def test_a_reader_that_falls_over_stops_only_its_own_source(tmp_path, quiet, monkeypatch):
    from primeta.sources import table

    still(tmp_path / "data")
    with web(1) as place:
        text = (
            TICKETS
            + f'[sources.after]\nat = "{place.url("/feed0.xml")}"\nkind = "agency"\nallow = ["127.0.0.1"]\n'
        )
        ws = opened(workspace_at(tmp_path, more=text))

        def falls(*_arguments, **_options):
            raise RuntimeError("list index out of range")

        with monkeypatch.context() as patched:
            patched.setattr(table, "table_batches", falls)
            report = ws.collect(now=NOW, **quiet)
        assert ([(name, trouble.code) for name, trouble in report.failed], report.new) == (
            [("tickets", "defect")],
            13,
        )
        assert "list index out of range" in ws.source_views(now=NOW)[0].why("ru")
        # What was kept when the reader fell is read with the rest, once.
        assert ws.collect(now=NOW, force=True, **quiet).new == 60


def test_either_database_keeps_what_was_collected(state_url, tmp_path, quiet):
    still(tmp_path / "data")
    with web(1) as place:
        path = workspace_at(tmp_path, place, feeds=1, more=TICKETS) / "primeta.toml"
        database = Database(state_url)
        database.migrate()
        ws = Workspace(parse_config(path.read_text(encoding="utf-8"), path), database)
        assert ws.collect(now=NOW, **quiet).new == 13 + 60
        assert ws.collect(now=NOW, force=True, **quiet).same == 2
        assert [view.last_week for view in ws.source_views(now=NOW)] == [13, 60]
        assert ws.reread(now=NOW).changed == 0
        note = ws.log_signal(
            text="Звонки", origin="voice", by="Анна", now=NOW, files=[("a.txt", "Пишите пореже".encode())]
        )
        assert ws.notes() == (note,)
    database.close()
