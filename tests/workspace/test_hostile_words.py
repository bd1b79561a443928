"""What strangers send in does no harm: addresses that run, signs that cannot be seen, on both databases."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from collect_sites import NOW, answer, fetcher, site

from primeta.config import parse_config
from primeta.errors import BadInput
from primeta.store.database import Database
from primeta.workspace.collect import collect
from primeta.workspace.workspace import Workspace

NOTE = {"text": "Видела у конкурента", "origin": "outside", "by": "Анна", "now": NOW}


@pytest.fixture
def ws(state_url, tmp_path):
    path = tmp_path / "primeta.toml"
    path.write_text('[workspace]\nname = "shop"\n', encoding="utf-8")
    database = Database(state_url)
    database.migrate()
    yield Workspace(parse_config(path.read_text(encoding="utf-8"), path), database)
    database.close()


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "https://", "//x.example", "http://x.example/\njavascript:1",
     "http://x\0y", "http://x y", "http://" + "a" * 5000],
)  # fmt: skip
def test_what_is_no_address_of_the_web_stands_behind_no_note(ws, url):
    with pytest.raises(BadInput, match="http"):
        ws.log_signal(**NOTE, url=url)
    assert ws.notes() == ()


def test_names_and_headings_of_a_note_are_one_visible_line(ws):
    told = {**NOTE, "by": "Ан\0на\r\n\x07 Ким"}
    note = ws.log_signal(
        **told, subject="Цена\0\n" + "а" * 1000, source="га\x1bзета", url=" https://x.example/a "
    )
    assert (note.by, note.source, note.url) == ("Анна Ким", "газета", "https://x.example/a")
    assert note.subject.startswith("Цена а")
    assert len(note.subject) == 300
    assert ws.notes() == (note,)
    with pytest.raises(BadInput, match="name"):
        ws.log_signal(**{**NOTE, "by": "\0\x01"})


LONE = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1",
        "title": "\ud800",
        "items": [
            {
                "id": "1\ud800", "title": "Новость \ud83d", "content_text": "о доставке \0\udc00 и чае",
                "url": "http://x.example/\ud800", "date_published": "2026-03-09T00:00:00Z",
                "authors": [{"name": "\udfff\0"}], "tags": ["\ud800\0"],
            }
        ],
    }
).encode()  # fmt: skip
ROWS = (
    b"id,text,said_at,customer_id,score\n"
    b"1,tea was cold \xef\xbf\xbf \xe2\x80\xae,2026-03-01,c 1,5\n"
    b"2,=HYPERLINK(1),2090-01-01,c2,nan\n3,old but true,1900-01-01,c3,1e400\n"
)


def test_signs_that_no_database_keeps_are_taken_out(state_url, tmp_path):
    (tmp_path / "t.csv").write_bytes(ROWS)
    with site() as place:
        at = place.on("/feed.json", answer(LONE, content_type="application/feed+json"))
        path = tmp_path / "primeta.toml"
        path.write_text(
            '[workspace]\nname = "shop"\n[sources]\nspacing_seconds = 0\n'
            f'[sources.feed]\nat = "{at}"\nreader = "feed"\nkind = "law"\nallow = ["127.0.0.1"]\n'
            '[sources.t]\nat = "t.csv"\nkind = "support"\n',
            encoding="utf-8",
        )
        database = Database(state_url)
        database.migrate()
        ws = Workspace(parse_config(path.read_text(encoding="utf-8"), path), database)
        report = collect(ws, now=NOW, fetcher=fetcher(), sleep=lambda _: None)
    assert report.failed == ()
    told = [entry.first for entry in ws.reading(now=NOW).items]
    assert len(told) == 4
    for one in told:
        assert "\0" not in repr(one)
        f"{one}".encode()
        # What is dated in the future is known from when it came, and never later.
        assert one.published_at is None or one.published_at <= NOW
    assert {one.published_at for one in told} >= {datetime(2026, 3, 9, tzinfo=UTC), None}
    database.close()


def test_zero_bytes_in_a_table_are_told_as_such(tmp_path):
    from primeta.errors import BadTable
    from primeta.warehouse.files import read_table

    path = tmp_path / "t.csv"
    path.write_bytes(b"id,text\n" + b"1,tea was cold\n" * 20 + b"2\0,mi\0lk\n")
    with pytest.raises(BadTable, match="zero bytes"):
        read_table(path)
