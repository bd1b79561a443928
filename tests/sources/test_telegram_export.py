"""Telegram Desktop's JSON export: what a message says, several chats, files of any size, files that are damaged."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from primeta.sources.identity import document_id
from primeta.sources.reading_words import explain_reading
from primeta.sources.records import Brought, Document, Source
from primeta.sources.telegram import read_telegram
from primeta.sources.telegram_export import read_export_here, read_telegram_export
from primeta.sources.telegram_text import channel_of, cited, telegram_form

SOURCE = Source(name="news", reader="telegram", kind="social", at="exports/result.json", owner="news")
SEEN = datetime(2026, 4, 1, tzinfo=UTC)
AT = 1772521200  # 2026-03-03 07:00:00 UTC: date -d @1772521200


def message(number: int, words: Any = "", **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "type": "message",
        "date": "2026-03-03T10:00:00",
        "date_unixtime": str(AT + 60 * number),
        "from": "Новости",
        "from_id": "channel77",
        "text": words,
    } | more


def chat(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "Новости", "type": "public_channel", "id": 77} | more | {"messages": list(messages)}


def raw(whole: Any) -> bytes:
    return json.dumps(whole, ensure_ascii=False, indent=1).encode()


def read(whole: Any, *, source: Source = SOURCE, **options: Any) -> Brought:
    given = whole if isinstance(whole, bytes) else raw(whole)
    return read_export_here(given, source=source, seen_at=SEEN, **options)


def one(*messages: dict[str, Any], **options: Any) -> Document:
    (document,) = read(chat(*messages), **options).documents
    return document


def codes(brought: Brought) -> list[str]:
    return [trouble.code for trouble in brought.troubles]


def test_a_message_is_a_document() -> None:
    words = [
        "Скидки ",
        {"type": "bold", "text": "кончились"},
        ".\n",
        {"type": "text_link", "text": "отчёт", "href": "https://Shop.example/a?utm_source=tg&id=7"},
        " ",
        {"type": "link", "text": "shop.example/b"},
        " ",
        {"type": "hashtag", "text": "#розница"},
    ]
    document = one(message(5, words, edited_unixtime=str(AT + 900), author="Анна", reply_to_message_id=3))
    assert document.text == "Скидки кончились.\nотчёт shop.example/b #розница"
    assert document.links == ("https://shop.example/a?id=7", "https://shop.example/b")
    assert document.published_at == datetime(2026, 3, 3, 7, 5, tzinfo=UTC)
    assert (document.author, document.owner, document.url) == ("Анна", "Новости", "")
    assert document.attributes == {
        "categories": "розница",
        "updated_at": "2026-03-03T07:15:00Z",
        "reply_to": document_id("news", "77/3"),
    }
    assert document.id == document_id("news", "77/5")
    assert len(document.raw) == 64


def test_marked_pieces_stand_in_text_entities_when_the_text_is_plain() -> None:
    pieces = [
        {"type": "plain", "text": "См. "},
        {"type": "text_link", "text": "тут", "href": "https://a.example/"},
    ]
    document = one(message(1, "См. тут", text_entities=pieces))
    assert (document.text, document.links) == ("См. тут", ("https://a.example/",))


def test_a_post_has_an_address_where_the_public_name_is_known() -> None:
    for at, url in (
        ("https://t.me/s/retail_news", ""),
        ("x.json", "https://t.me/retail_news"),
        ("@retail_news", ""),
    ):
        source = Source(name="news", reader="telegram", kind="social", at=at, owner="retail_news")
        document = one(message(5, "Да"), source=source, url=url)
        assert document.url == "https://t.me/retail_news/5"
        assert document.id == document_id("news", "retail_news/5")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"forwarded_from": "Деловой канал", "forwarded_from_id": "channel9"}, "Деловой канал"),
        ({"forwarded_from": None, "forwarded_from_id": "channel9"}, "channel9"),
        ({"forwarded_from": "Новости"}, ""),  # its own, told again
        ({}, ""),
    ],
)
def test_a_forward_names_the_owner_of_the_original(given: Mapping[str, Any], said: str) -> None:
    assert one(message(5, "Да", **given)).forwarded_from == said


def test_polls_files_songs_places_and_buttons_are_read() -> None:
    poll = {"question": "Нужны ли скидки?", "closed": False, "total_voters": 3, "answers": [
        {"text": "да", "voters": 2, "chosen": False}, {"text": "нет", "voters": 1, "chosen": True}]}  # fmt: skip
    whole = chat(
        message(1, poll=poll),
        message(2, file="files/1.pdf", file_name="Отчёт.pdf", mime_type="application/pdf"),
        message(3, "С песней", file="a.mp3", media_type="audio_file", performer="Группа", title="Песня"),
        message(4, "Тут", place_name="Магазин", address="Тверская, 1"),
        message(5, "Жмите", inline_bot_buttons=[[{"type": "url", "text": "Туда", "data": "https://b.example/x"}]]),
        message(6, "Фото", photo="(File not included. Change data exporting settings to download.)",
                reactions=[{"type": "emoji", "count": 4, "emoji": "👍"}, {"type": "emoji", "count": 1, "emoji": "👎"}]),
        message(7, file="big.xlsx (File exceeds maximum size. Change data exporting settings to download.)"),
        message(8, photo="photos/8.jpg"),
        message(9, file="sticker.webp", media_type="sticker", sticker_emoji="🙂"),
    )  # fmt: skip
    brought = read(whole)
    said = [(document.title, document.text, dict(document.attributes)) for document in brought.documents]
    assert said == [
        ("", "Нужны ли скидки?\n— да\n— нет", {"media": "poll"}),
        ("Отчёт.pdf", "", {"media": "file", "files": "Отчёт.pdf"}),
        ("", "С песней", {"media": "audio", "files": "Группа — Песня"}),
        ("", "Тут\nМагазин, Тверская, 1", {"media": "place"}),
        ("", "Жмите", {}),
        ("", "Фото", {"media": "photo", "reactions": "5"}),
        ("big.xlsx", "", {"media": "file", "files": "big.xlsx"}),
    ]
    assert brought.documents[4].links == ("https://b.example/x",)
    assert [(trouble.code, trouble.values["entries"]) for trouble in brought.troubles] == [("empty", 2)]


def test_service_messages_are_left_out() -> None:
    whole = chat(
        {"id": 1, "type": "service", "action": "create_channel"},
        {"id": 2, "type": "unsupported"},
        message(3, "Да"),
    )
    assert [document.text for document in read(whole).documents] == ["Да"]


def test_pictures_sent_together_are_one_document() -> None:
    at = {"date_unixtime": str(AT)}
    album = [
        message(1, "", photo="1.jpg", **at),
        message(2, "Подпись", photo="2.jpg", **at),
        message(3, "", photo="3.jpg", **at),
    ]
    later = message(4, "Иное", photo="4.jpg", date_unixtime=str(AT + 30))
    documents = read(chat(*album, later)).documents
    assert [(document.text, document.id) for document in documents] == [
        ("Подпись", document_id("news", "77/1")),
        ("Иное", document_id("news", "77/4")),
    ]


def test_a_time_without_a_zone_is_taken_for_utc_and_said() -> None:
    old = message(1, "Да")
    del old["date_unixtime"]
    brought = read(chat(old))
    assert brought.documents[0].published_at == datetime(2026, 3, 3, 10, tzinfo=UTC)
    assert codes(brought) == ["no-zone"]


@pytest.mark.parametrize("said", ["0", "x", "99999999999999999999", None, [], "-5"])
def test_a_time_that_is_none_is_none(said: Any) -> None:
    brought = read(chat(message(1, "Да", date_unixtime=said, date="")))
    assert brought.documents[0].published_at is None
    assert codes(brought) == ["no-date"]


def account(*chats: dict[str, Any]) -> dict[str, Any]:
    return {
        "about": "…",
        "personal_information": {"first_name": "А", "bio": '} ] "messages": ['},
        "contacts": {"list": [{"name": "x"}]},
        "chats": {"about": "…", "list": list(chats)},
        "left_chats": {"about": "…", "list": [chat(message(9, "Ушли"), name="Старый", id=5)]},
    }


def test_of_a_whole_account_only_channels_and_groups_are_read() -> None:
    whole = account(
        chat(message(1, "Тайна"), name="Мама", type="personal_chat", id=1),
        chat(message(1, "Заметка"), name="", type="saved_messages", id=2),
        chat(message(1, "Раз"), name="Первый", id=3),
        chat(message(1, "Два"), name="Второй", type="private_supergroup", id=4),
    )
    brought = read(
        whole, source=Source(name="n", reader="telegram", kind="social", at="@some_channel", owner="n")
    )
    assert [(document.owner, document.text) for document in brought.documents] == [
        ("Первый", "Раз"),
        ("Второй", "Два"),
        ("Старый", "Ушли"),
    ]
    assert all(document.url == "" for document in brought.documents)
    assert [(trouble.code, trouble.values["entries"]) for trouble in brought.troubles] == [
        ("private-chats", 2)
    ]


def test_it_is_told_by_its_first_bytes() -> None:
    assert telegram_form(raw(account())) == telegram_form(raw(chat())) == "export"
    contacts = {"about": "…", "profile_pictures": [{"photo": "x"}] * 9_000, "chats": {"list": []}}
    assert telegram_form(raw(contacts)) == "export"
    assert telegram_form(raw([message(1, "Да")])) == "export"
    assert [d.text for d in read([message(1, "Да")]).documents] == ["Да"]
    assert telegram_form(b'{"version": "https://jsonfeed.org/version/1.1", "items": []}') == ""
    assert telegram_form(b"[1, 2]") == ""


def test_a_single_private_chat_was_chosen_by_a_person() -> None:
    assert [d.text for d in read(chat(message(1, "Верните деньги"), type="bot_chat")).documents] == [
        "Верните деньги"
    ]


def test_a_file_is_read_in_portions_that_together_are_the_whole(tmp_path: Path) -> None:
    at = {"date_unixtime": str(AT), "photo": "x.jpg"}
    first = chat(
        *[message(n, f"Сообщение {n} ☂") for n in range(1, 8)],
        message(8, "Альбом", **at),
        message(9, "", **at),
        name="A",
        id=1,
    )
    path = tmp_path / "result.json"
    path.write_bytes(raw(account(first, chat(message(1, "Другой"), name="B", id=2))))
    whole = read_export_here(path, source=SOURCE, seen_at=SEEN)
    assert whole.position == {}
    for most in (1, 2, 3, 8):
        documents: list[Document] = []
        position: Mapping[str, object] = {}
        for _ in range(20):
            brought = read_export_here(path, source=SOURCE, seen_at=SEEN, most=most, position=position)
            documents += brought.documents
            position = json.loads(json.dumps(brought.position))
            if not position.get("more"):
                break
        assert documents == list(whole.documents)
    path.write_bytes(raw(account(chat(message(1, "Новая выгрузка"), name="A", id=1))))
    again = read_export_here(
        path,
        source=SOURCE,
        seen_at=SEEN,
        position={"offset": 900, "stack": ["root", "messages"], "chat": {}, "before": "x"},
    )
    assert [document.text for document in again.documents] == ["Новая выгрузка", "Ушли"]


def test_of_a_file_that_breaks_off_what_stands_before_is_read() -> None:
    whole = raw(chat(*[message(n, f"Сообщение {n}") for n in range(1, 5)]))
    ends = [whole.index(f"Сообщение {n}".encode()) for n in range(1, 5)]
    for size in range(len(whole)):
        brought = read(whole[:size])
        assert {"cut-short", "not-telegram"} & set(codes(brought))
        assert len(brought.documents) <= sum(size > end for end in ends)
        assert len(brought.documents) >= sum(size > end for end in ends) - 1


def test_a_damaged_message_costs_only_itself() -> None:
    whole = raw(chat(*[message(n, f"Сообщение {n}") for n in range(1, 6)]))
    for broken in (
        whole.replace('Сообщение 3"'.encode(), b'x" y "z"'),
        whole.replace('Сообщение 3"'.encode(), b"[[[[{" * 5_000),
        whole.replace('Сообщение 3"'.encode(), b'\xff\\q"'),
    ):
        brought = read(broken)
        assert [d.text[-1] for d in brought.documents] == ["1", "2", "4", "5"]
        assert codes(brought) == ["ill-formed-messages"]


def test_half_characters_and_odd_types_do_no_harm() -> None:
    odd = [
        b'"\\ud83d"',
        b"null",
        b'[1, null, {}, [[]], {"text": 5}]',
        b"{}",
        b"1e999",
        b"NaN",
        b"true",
        b'"\xed\xa0\xbd"',
    ]
    for value in odd:
        for key in (
            "text",
            "from",
            "id",
            "poll",
            "forwarded_from",
            "reactions",
            "file",
            "date_unixtime",
            "media_type",
            "edited",
        ):
            given = raw(chat(message(1, "Да", file_name="f.txt"), message(2, "Нет")))
            whole = given.replace(
                b'"type": "message"', b'"type": "message", "%s": %s' % (key.encode(), value), 1
            )
            brought = read(whole)
            for document in brought.documents:
                json.dumps([document.text, document.author, document.title], ensure_ascii=False).encode()
            assert "Нет" in [document.text for document in brought.documents]


def test_an_export_saved_again_in_utf_16_is_read() -> None:
    whole = "\ufeff" + raw(chat(message(1, "Да"), message(2, "Нет"))).decode()
    assert [d.text for d in read(whole.encode("utf-16-le")).documents] == ["Да", "Нет"]
    assert [d.text for d in read(whole.encode()).documents] == ["Да", "Нет"]


def test_random_damage_neither_crashes_nor_hangs() -> None:
    rng = random.Random(5)
    whole = raw(
        account(
            chat(*[message(n, f"Сообщение {n}", poll={"question": "?", "answers": []}) for n in range(1, 9)])
        )
    )
    for _ in range(150):
        broken = bytearray(whole)
        for _ in range(rng.randint(1, 5)):
            at = rng.randrange(len(broken))
            broken[at : at + rng.choice((0, 1, 40))] = rng.choice(
                (b'"', b"{", b"]", b"\xff", b"\\", b"[[[[", b"}}", b"")
            )
        read(bytes(broken))


def test_what_is_no_export_is_told_in_both_languages() -> None:
    for nothing in (b"", b"   ", b"hello", b"\xff\xfe"):
        brought = read(nothing)
        assert codes(brought) == ["not-telegram"]
        assert "result.json" in explain_reading(brought.troubles[0], "ru")
    assert codes(read_telegram(b"<p>x</p>", source=SOURCE, seen_at=SEEN)) == ["not-telegram"]
    assert codes(read_telegram(Path("no/such/file.json"), source=SOURCE, seen_at=SEEN)) == ["unreadable"]


def test_it_is_read_in_a_process_apart(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(raw(chat(message(1, "Да"))))
    assert telegram_form(path.read_bytes()) == "export"
    assert [d.text for d in read_telegram(path, source=SOURCE, seen_at=SEEN).documents] == ["Да"]
    assert [
        d.text
        for d in read_telegram_export(raw(chat(message(1, "Да"))), source=SOURCE, seen_at=SEEN).documents
    ] == ["Да"]


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://t.me/s/retail_news", "retail_news"), ("t.me/retail_news/15?single", "retail_news"), ("@retail_news", "retail_news"),
        ("https://telegram.me/Retail", "Retail"), ("https://retail.t.me", "retail"), ("https://t.me/+AbCd", ""), ("https://t.me/c/15/3", ""),
        ("https://t.me/joinchat/AAA", ""), ("https://t.me.evil.example/retail", ""), ("result.json", ""), ("", ""),
    ],
)  # fmt: skip
def test_the_public_name_of_a_channel(address: str, name: str) -> None:
    assert channel_of(address) == name


def test_one_post_has_one_address() -> None:
    for link in ("t.me/s/Retail/5", "https://telegram.me/Retail/5?single", "http://t.me/Retail/5/"):
        assert cited(link) == "https://t.me/Retail/5"
