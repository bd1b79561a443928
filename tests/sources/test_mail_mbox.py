"""Mailboxes: where mails begin, going on in one that grew, starting anew in one that was rewritten, portions, one bad mail."""

from __future__ import annotations

import io
import json
import mailbox
import random
import tracemalloc
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

import primeta.sources.mail
from primeta.sources.mail import read_mail, read_mails_here
from primeta.sources.mail_mbox import mails_of
from primeta.sources.records import Brought, Source, Trouble

SOURCE = Source(name="letters", reader="mail", kind="agency", at="box.mbox", owner="letters")
SEEN = datetime(2026, 4, 1, tzinfo=UTC)


def mail(number: int, body: str = "", *, ends: str = "\n") -> bytes:
    whole = (
        f"From news@shop.ru Tue Mar  3 10:00:00 2026\nFrom: news@shop.ru\nSubject: Письмо {number}\nMessage-ID: <{number}@shop.ru>\n"
        f"Date: Tue, 3 Mar 2026 10:00:00 +0300\n\n{body or f'Текст {number}'}\n\n"
    )
    return whole.replace("\n", ends).encode()


def read(raw: bytes | Path, position: Mapping[str, object] | None = None, *, most: int = 5_000) -> Brought:
    return read_mail(raw, source=SOURCE, seen_at=SEEN, position=position, most=most)


def titles(brought: Brought) -> list[str]:
    return [document.title.removeprefix("Письмо ") for document in brought.documents]


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most tests read in this process, for speed."""

    def call(reader, *arguments, seconds=0.0, **options):
        return reader(*arguments, **options)

    monkeypatch.setattr(primeta.sources.mail, "apart", call)


def test_a_mailbox_that_python_wrote_is_read(tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "box")
    for number in range(3):
        letter = EmailMessage()
        letter["From"], letter["Subject"], letter["Message-ID"] = "a@shop.ru", f"{number}", f"<{number}>"
        letter.set_content("Текст\n\nFrom here on it is harder.\n\nFrom 10:30 in 2026 we open.\n")
        box.add(letter)
    box.close()
    brought = read(tmp_path / "box")
    assert titles(brought) == ["0", "1", "2"]
    assert "harder" in brought.documents[0].text


def test_a_line_of_text_that_begins_with_from_does_not_begin_a_mail() -> None:
    body = "Цены:\n\nFrom 10 roubles.\n\nFrom Tuesday 10:00 2026 on\nwe close."
    assert titles(read(mail(1, body) + mail(2))) == ["1", "2"]
    assert "we close" in read(mail(1, body)).documents[0].text


@pytest.mark.parametrize(
    "first",
    ["From - Tue Mar 03 10:00:00 2026", "From 1234567890@xxx Tue Mar 03 07:00:00 +0000 2026", "From ???@???"],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_mailboxes_of_other_programs_are_read(first: str, ends: str) -> None:
    raw = b"".join(
        mail(n, ends=ends).replace(b"From news@shop.ru Tue Mar  3 10:00:00 2026", first.encode())
        for n in (1, 2, 3)
    )
    assert titles(read(raw)) == ["1", "2", "3"]


@pytest.mark.parametrize("filler", [0, 1, 1_023, 2**20 - 700, 2**20 - 300, 2**20, 2**20 + 50])
def test_a_mail_may_begin_anywhere_in_what_is_read_at_once(filler: int) -> None:
    raw = mail(1, "x" * filler) + mail(2) + mail(3, "y" * 2**20) + mail(4)
    found = list(mails_of(io.BytesIO(raw)))
    assert len(found) == 4
    assert sum(mail.size for mail in found) == len(raw)


def test_a_mailbox_that_grew_is_read_on(tmp_path: Path) -> None:
    path = tmp_path / "box"
    path.write_bytes(mail(1) + mail(2))
    first = read(path)
    assert titles(first) == ["1", "2"]
    position = json.loads(json.dumps(first.position))
    assert titles(read(path, position)) == []
    assert read(path, position).position == position
    path.write_bytes(path.read_bytes() + mail(3))
    grown = read(path, position)
    assert titles(grown) == ["3"]
    path.write_bytes(path.read_bytes() + mail(4) + mail(5))
    assert titles(read(path, grown.position)) == ["4", "5"]


def test_a_mailbox_that_was_rewritten_is_read_anew_with_the_same_ids() -> None:
    first = read(mail(1) + mail(2) + mail(3))
    again = read(mail(2) + mail(3) + mail(4), first.position)
    assert titles(again) == ["2", "3", "4"]
    assert [document.id for document in again.documents[:2]] == [
        document.id for document in first.documents[1:]
    ]
    assert titles(read(mail(1), first.position)) == ["1"]  # shorter than what was read


def test_a_mail_that_was_still_being_written_is_read_again() -> None:
    whole = mail(1) + mail(2, "Начало и конец")
    half = whole[: whole.index(" и конец".encode())]
    first = read(half)
    assert first.documents[1].text == "Начало"
    again = read(whole, first.position)
    assert [document.text for document in again.documents] == ["Начало и конец"]
    assert again.documents[0].id == first.documents[1].id


@pytest.mark.parametrize(
    "position",
    [{"offset": "x"}, {"offset": -1, "last": -5}, {"offset": 10**9, "last": 0}, {"offset": 5, "last": 9}, {}],
)
def test_a_position_that_is_none_is_forgotten(position: dict[str, object]) -> None:
    assert titles(read(mail(1), position)) == ["1"]


def test_a_large_mailbox_comes_in_portions() -> None:
    raw = b"".join(mail(n) for n in range(130))
    portions = [read(raw, most=40)]
    while portions[-1].position.get("more"):
        portions.append(read(raw, portions[-1].position, most=40))
    assert [title for portion in portions for title in titles(portion)] == [str(n) for n in range(130)]
    assert len(portions) == 3


def test_the_same_mail_twice_is_one_document() -> None:
    brought = read(mail(1) + mail(1))
    assert titles(brought) == ["1"]
    assert [(t.code, t.values["entries"]) for t in brought.troubles] == [("repeated", 1)]


def test_a_huge_mail_costs_its_beginning_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("primeta.sources.mail_mbox.LARGEST_MAIL", 2**20)
    monkeypatch.setattr("primeta.sources.mail.LARGEST_MAIL", 2**20)
    path = tmp_path / "box"
    path.write_bytes(mail(1) + mail(2, "Начало\n" + "x" * (30 * 2**20)) + mail(3))
    tracemalloc.start()
    try:
        brought = read(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert titles(brought) == ["1", "2", "3"]
    assert [(t.code, t.values["entries"]) for t in brought.troubles] == [("large-mails", 1)]
    assert peak < 24 * 2**20


def test_one_mail_that_cannot_be_read_costs_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def call(reader, raws, *, seconds=0.0, **options):
        if any(b"bad" in raw for raw in raws):
            return Trouble(code="too-slow", values={"reason": "reading", "seconds": seconds})
        return reader(raws, **options)

    monkeypatch.setattr(primeta.sources.mail, "apart", call)
    brought = read(b"".join(mail(n, "bad" if n == 3 else "") for n in range(7)))
    assert titles(brought) == ["0", "1", "2", "4", "5", "6"]
    assert [trouble.code for trouble in brought.troubles] == ["too-slow"]


def test_random_damage_neither_crashes_nor_hangs() -> None:
    rng = random.Random(9)
    whole = mail(1) + mail(2, "From x\n\nFrom y 10:00 2026\n") + mail(3)
    position = read(whole).position
    for _ in range(80):
        broken = bytearray(whole)
        for _ in range(rng.randint(1, 5)):
            at = rng.randrange(len(broken))
            broken[at : at + rng.choice((0, 1, 90))] = rng.choice(
                (b"\nFrom ", b"\n\n", b"\r", b"\xff", b"From a@b Tue Mar 3 10:00:00 2026\n")
            )
        read(bytes(broken), rng.choice((None, position)))


def test_it_is_read_in_a_process_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert titles(read(mail(1) + mail(2))) == ["1", "2"]
    documents, _ = read_mails_here([mail(1)], source=SOURCE, seen_at=SEEN)
    assert documents[0] is not None
