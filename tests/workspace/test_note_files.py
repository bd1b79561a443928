"""Photos and papers of a note: told by their bytes, kept, given back; what could run is not taken."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

import pytest
from collect_sites import NOW, fetcher, opened, still, workspace_at

sys.path.insert(0, str(Path(__file__).parents[1] / "sources"))

from pdf_files import pdf

from primeta.cli.app import run
from primeta.errors import BadInput, NotFound
from primeta.store.documents import documents_after
from primeta.workspace.documents import note_document
from primeta.workspace.note_files import LARGEST, media_of

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
PAPER = pdf(
    [["# Push in 2026", "Next spring the platform will ask every customer for consent to push messages."]]
)


def archive(*names: str) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return whole.getvalue()


@pytest.fixture
def ws(tmp_path):
    return opened(workspace_at(tmp_path))


def logged(ws, *files, **more):
    told = {
        "text": "Отчёт о пушах",
        "origin": "outside",
        "source": "Агентство Ромашка",
        "by": "Анна",
        "now": NOW,
    }
    return ws.log_signal(files=files, **{**told, **more})


@pytest.mark.parametrize(
    ("content", "media"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0" + bytes(20), "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"\0\0\0\x18ftypheic", "image/heic"),
        (PAPER, "application/pdf"),
        ("Клиенты просят меньше писем".encode(), "text/plain"),
        ("Клиенты просят меньше писем".encode("cp1251"), "text/plain"),
        (
            archive("[Content_Types].xml", "word/document.xml"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        # What could run, or do something in a browser
        (archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), ""),
        (archive("run.exe"), ""),
        (b"MZ\x90\0\x03" + bytes(60), ""),
        (b"\x7fELF\x02\x01" + bytes(60), ""),
        (b"#!/bin/sh\nrm -rf /", ""),
        (b"<html><script>alert(1)</script></html>", ""),
        (b'<?xml version="1.0"?><svg onload="alert(1)"/>', ""),
        (b"\n\n <svg/onload=alert(1)>", ""),
    ],
)
def test_a_file_is_what_its_bytes_say(content, media):
    assert media_of(content) == media


def test_files_are_kept_with_the_note_and_given_back(ws, tmp_path):
    note = logged(ws, ("../../фото витрины.exe", PNG), ("again.png", PNG), ("report.pdf", PAPER))
    assert logged(ws, ("фото витрины.exe", PNG), ("report.pdf", PAPER)).id == note.id
    (kept,) = ws.notes()
    assert kept == note
    assert [(file.name, file.media) for file in note.files] == [
        ("фото витрины.exe", "image/png"),
        ("report.pdf", "application/pdf"),
    ]
    assert ws.note_file(note.id, note.files[1].digest) == (note.files[1], PAPER)
    assert [file["name"] for file in note_document(note)["files"]] == ["фото витрины.exe", "report.pdf"]
    with pytest.raises(NotFound):
        ws.note_file("n-0", note.files[1].digest)
    # Without files it is another note; with the same words alone it stays one.
    assert logged(ws).id != note.id
    assert len(list((tmp_path / "raw" / "notes").rglob("*.gz"))) == 2


def test_the_text_of_papers_is_a_document_of_whom_the_note_names(ws, tmp_path):
    note = logged(
        ws, ("report.pdf", PAPER), ("calls.txt", "Клиенты просят меньше писем".encode()), origin="competitor"
    )
    with ws.database.read() as connection:
        paper, calls = (entry.document for entry in documents_after(connection, 0, 10))
    assert "consent to push" in paper.text
    assert (paper.owner, paper.kind, paper.source) == ("Агентство Ромашка", "competitor", "notes")
    assert (calls.title, calls.text) == ("Отчёт о пушах: calls.txt", "Клиенты просят меньше писем")
    assert calls.attributes == {"note": note.id, "file": "calls.txt"}
    # The next collection counts them in, and asks nobody for them.
    still(tmp_path / "data")
    ws = opened(
        workspace_at(tmp_path, more='[sources.tickets]\nat = "data"\nreader = "table"\nkind = "support"\n')
    )
    assert ws.collect(now=NOW, fetcher=fetcher(), sleep=lambda _: None).new == 60
    with ws.database.read() as connection:
        assert len(documents_after(connection, 0, 100)) == 62


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ([("a.txt", b"")], "a.txt is empty"),
        ([("setup.png", b"MZ" + bytes(90))], "setup.png is of a kind that is not taken"),
        ([("a.txt", b"x" * (LARGEST + 1))], "larger than 20 MB"),
        ([(f"{i}.txt", b"%d" % i) for i in range(11)], "at most 10"),
    ],
)
def test_what_is_not_taken_leaves_no_note(ws, tmp_path, files, why):
    with pytest.raises(BadInput, match=why):
        logged(ws, *files)
    assert ws.notes() == ()
    assert not (tmp_path / "raw").exists()


def test_the_terminal_takes_files(ws, tmp_path, capsys):
    (tmp_path / "photo.png").write_bytes(PNG)
    for place, status in ((tmp_path / "photo.png", 0), (tmp_path / "no.png", 2)):
        with pytest.raises(SystemExit) as left:
            run(
                [
                    "log",
                    str(tmp_path),
                    "Витрина конкурента",
                    "--origin",
                    "competitor",
                    "--file",
                    str(place),
                    "--json",
                ]
            )
        assert (left.value.code or 0) == status
    told = capsys.readouterr()
    assert '"name": "photo.png"' in told.out
    assert "there is no file" in told.err


def test_a_note_that_is_written_while_a_collector_works_is_counted_in(tmp_path, monkeypatch):
    from primeta.signals.texts.kept_stories import KeptStories
    from primeta.workspace import collect_stories

    monkeypatch.setattr(collect_stories, "SAVED_FROM", 1)
    told = "Клиенты просят писать им реже и только про то что они уже заказывали"
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text(f"id,text,said_at\n1,{told},2026-03-01\n", encoding="utf-8")
    more = '[sources.tickets]\nat = "data"\nreader = "table"\nkind = "community"\n'
    ws = opened(workspace_at(tmp_path, more=more))
    write = collect_stories.StoryKeeper.tell

    def meanwhile(self, documents):
        found = write(self, documents)
        logged(opened(tmp_path), ("calls.txt", told.encode()), happened_at=NOW.date())
        return found

    with monkeypatch.context() as patched:
        patched.setattr(collect_stories.StoryKeeper, "tell", meanwhile)
        ws.collect(now=NOW, fetcher=fetcher(), sleep=lambda _: None)
    with ws.database.read() as connection:
        entries = {entry.document.source: entry for entry in documents_after(connection, 0, 10)}
    assert entries["notes"].story == entries["tickets"].document.id
    kept, mark = KeptStories.load(tmp_path / collect_stories.FILE)
    assert (len(kept), mark) == (2, max(entry.number for entry in entries.values()))
