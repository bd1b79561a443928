"""Mail as documents: headers in every set of characters, bodies, links without trackers, forwards, hostile structure."""

from __future__ import annotations

import base64
import random
import time
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.sources.html_text import anchors_of
from primeta.sources.identity import document_id
from primeta.sources.mail import read_mail, read_mails_here
from primeta.sources.mail_parts import MOST_PARTS, parts_of
from primeta.sources.mail_sender import house, site_of_address
from primeta.sources.mail_text import direct, web_version, without_footers
from primeta.sources.mail_words import decoded, header
from primeta.sources.reading_words import WORDS, explain_reading
from primeta.sources.records import Document, Source, Trouble

SOURCE = Source(name="letters", reader="mail", kind="agency", at="box.mbox", owner="letters")
SEEN = datetime(2026, 4, 1, tzinfo=UTC)
HEAD = "From: Shop <news@mail.shop.ru>\nDate: Tue, 3 Mar 2026 10:00:00 +0300\nMessage-ID: <1@shop.ru>\nSubject: News\n"


def mail(body: str | bytes, head: str = "") -> bytes:
    raw = body.encode() if isinstance(body, str) else body
    return (HEAD + head).encode() + b"\n" + raw


def web(markup: str) -> str:
    return web_version(anchors_of(markup))


def one(raw: bytes) -> Document:
    (document,), _ = read_mails_here([raw], source=SOURCE, seen_at=SEEN)
    assert document is not None
    return document


def html(body: str, head: str = "") -> Document:
    return one(mail(body, f"Content-Type: text/html; charset=utf-8\n{head}"))


def test_a_newsletter_is_a_document() -> None:
    letter = EmailMessage(policy=SMTP)
    letter["From"] = "Магазин «Ромашка» <news@mail.shop.co.uk>"
    letter["Subject"] = "Скидки кончились: что дальше? " + "Очень длинная тема письма " * 4
    letter["Date"] = "Tue, 03 Mar 2026 10:00:00 +0300"
    letter["Message-ID"] = "<abc@shop.co.uk>"
    letter["List-Id"] = "Новости <news.shop.co.uk>"
    letter.set_content("Ваш почтовый клиент не показывает HTML.")
    letter.add_alternative(
        """<html><body><p><a href="https://shop.co.uk/v/1?e=anna%40mail.ru&amp;n=5">Открыть письмо в браузере</a></p><h1>Скидки</h1>
        <p>Мы их <b>отменяем</b>. <a href="https://shop.co.uk/a?utm_campaign=x">Почему</a></p>
        <p>Вы получили это письмо, потому что подписаны. <a href="https://shop.co.uk/u/9f8e">Отписаться</a></p></body></html>""",
        subtype="html",
    )
    letter.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="Отчёт за март.pdf")
    document = one(letter.as_bytes())
    assert document.title.startswith("Скидки кончились: что дальше? Очень длинная тема письма Очень")
    assert document.text == "Скидки\nМы их отменяем. Почему"
    assert document.url == "https://shop.co.uk/v/1?n=5"
    assert document.links == ("https://shop.co.uk/a",)
    assert (document.author, document.owner) == ("Магазин «Ромашка»", "shop.co.uk")
    assert document.attributes == {"list": "news.shop.co.uk", "attachments": "Отчёт за март.pdf"}
    assert document.published_at == datetime(2026, 3, 3, 7, tzinfo=UTC)
    assert document.id == document_id("letters", "abc@shop.co.uk")


RUSSIAN = "Скидки кончились, клиенты уходят"


@pytest.mark.parametrize("really", ["utf-8", "windows-1251", "koi8-r", "cp866"])
@pytest.mark.parametrize(
    "told", ["", "us-ascii", "iso-8859-1", "utf-8", "windows-1251", "koi8-r", "nonsense"]
)
def test_russian_is_read_whatever_set_was_told(really: str, told: str) -> None:
    assert decoded(RUSSIAN.encode(really), told=told) == RUSSIAN
    head = f"Content-Type: text/plain; charset={told}\n" if told else ""
    assert one(mail(RUSSIAN.encode(really), head)).text == RUSSIAN
    assert header(RUSSIAN.encode(really)) == RUSSIAN


@pytest.mark.parametrize(
    "words", ["Café déjà fermé à Genève", "Größe: schöne Grüße aus Köln", "Señor, mañana más años"]
)
def test_western_words_stay_western(words: str) -> None:
    assert decoded(words.encode("latin-1"), told="iso-8859-1") == words


def word(text: str, charset: str) -> str:
    return f"=?{charset}?B?{base64.b64encode(text.encode(charset)).decode()}?="


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        # RFC 2047, section 8
        ("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"),
        ("(=?ISO-8859-1?Q?a?= b)", "(a b)"),
        ("=?ISO-8859-1?Q?a_b?=", "a b"),
        ("=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>", "Keith Moore <moore@cs.utk.edu>"),
        ("=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?=", "Keld Jørn Simonsen"),
        # a letter cut in two between two words
        ("=?utf-8?B?0KHQutC40LTQutC4INA=?=\r\n =?utf-8?B?utC+0L3Rhw==?=", "Скидки конч"),
        (word("Скидки", "windows-1251") + " " + word("дня", "koi8-r"), "Скидкидня"),
        ("=?win-1251?Q?=D1=EA=E8=E4=EA=E8?=", "Скидки"),
        ("Re: =?utf-8?q?=D0=94=D0=B0?=!", "Re: Да!"),
        ("=?utf-8*ru?q?=D0=94=D0=B0?=", "Да"),
        ("=?utf-8?B?0JTQsA?=", "Да"),  # its padding is lost
        ("=?utf-8?B?!!!?=", ""),
        ("=?nonsense?B?0JTQsA==?=", "Да"),
        ("=?utf-8?X?0JTQsA==?=", "=?utf-8?X?0JTQsA==?="),
    ],
)
def test_encoded_words_are_read(raw: str, said: str) -> None:
    assert header(raw.encode()) == said


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_make_a_header(raw: bytes) -> None:
    header(raw)
    header(b"=?utf-8?B?" + raw + b"?= =?koi8-r?Q?" + raw + b"?=")


def test_names_of_files_in_pieces_and_sets_are_put_together() -> None:
    head = "Content-Type: multipart/mixed; boundary=b\n"
    body = (
        "--b\nContent-Type: text/plain\n\nx\n--b\nContent-Type: application/pdf\nContent-Disposition: attachment;\n"
        " filename*0*=utf-8''%D0%9E%D1%82;\n filename*1*=%D1%87%D1%91%D1%82;\n filename*2=\" 1.pdf\"\n\n\n--b\n"
        'Content-Type: application/zip; name="=?koi8-r?B?'
        + base64.b64encode("Счёт.zip".encode("koi8-r")).decode()
        + '?="\n\n\n--b--\n'
    )
    assert one(mail(body, head)).attributes["attachments"] == "Отчёт 1.pdf, Счёт.zip"


def test_html_is_read_unless_it_says_far_less() -> None:
    both = "--b\nContent-Type: text/plain; charset=utf-8\n\n{}\n--b\nContent-Type: text/html; charset=utf-8\n\n{}\n--b--\n"
    head = "Content-Type: multipart/alternative; boundary=b\n"
    assert (
        one(mail(both.format("plain https://x.example/very/long/address", "<p>rich words"), head)).text
        == "rich words"
    )
    assert (
        one(mail(both.format("plain words " * 9, "<img src=x>"), head)).text == ("plain words " * 9).strip()
    )


def test_plain_text_is_read_as_people_wrote_it() -> None:
    flowed = "Content-Type: text/plain; format=flowed\n"
    assert one(mail("One \nline.\n\n Two\n", flowed)).text == "One line.\nTwo"
    said = "Согласна.\n\nOn Tue, 3 Mar 2026, Ann wrote:\n> Скидки?\n> Да\n\n-- \nAnna, Shop\n+7 900"
    assert one(mail(said)).text == "Согласна."
    assert one(mail("> only a quote")).text == "> only a quote"
    assert one(mail("See https://a.example/x?utm_source=1. And (https://b.example/y).")).links == (
        "https://a.example/x",
        "https://b.example/y",
    )


def test_a_footer_goes_and_a_text_about_unsubscribing_stays() -> None:
    text = (
        "Клиенты стали чаще отписываться от рассылок: мы спросили почему, и вот что они ответили нам в марте. "
        * 4
    )
    assert without_footers(f"{text}\nОтписаться от рассылки\nUnsubscribe") == text
    assert without_footers("Отписаться") == "Отписаться"


@pytest.mark.parametrize(
    ("link", "said"),
    [
        (
            "https://r.mailer.example/c?url=https%3A%2F%2Fshop.ru%2Fa%3Futm_source%3Dx&s=1",
            "https://shop.ru/a",
        ),
        ("https://www.google.com/url?q=https://shop.ru/a&sa=D", "https://shop.ru/a"),
        (
            "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fshop.ru%2Fa&data=05",
            "https://shop.ru/a",
        ),
        ("https://urldefense.com/v3/__https://shop.ru/a__;!!abc$", "https://shop.ru/a"),
        ("https://t.example/link?u=aHR0cHM6Ly9zaG9wLnJ1L2E=", "https://shop.ru/a"),
        ("https://shop.ru/a?email=anna@mail.ru&id=7", "https://shop.ru/a?id=7"),
        ("https://shop.ru/unsubscribe?id=7", ""),
        ("https://shop.ru/a?q=скидки", "https://shop.ru/a?q=%D1%81%D0%BA%D0%B8%D0%B4%D0%BA%D0%B8"),
        ("mailto:a@b.ru", ""),
        ("javascript:alert(1)", ""),
    ],
)
def test_a_link_leads_past_the_tracker(link: str, said: str) -> None:
    assert direct(link) == said


@pytest.mark.parametrize(
    "words",
    [
        "View in browser", "View this email in your browser", "Read online version", "web version", "Открыть в браузере",
        "Веб-версия", "Посмотреть письмо на сайте", "версия для браузера",
    ],
)  # fmt: skip
def test_the_web_version_is_the_address(words: str) -> None:
    assert web(f'<a class="x" href="https://w.example/1">\n<span>{words}</span></A>') == "https://w.example/1"
    assert html(f'<p>Текст<p><a href="https://w.example/1">{words}</a>').url == "https://w.example/1"
    assert (
        web('<p>Письмо не отображается? Откройте его в браузере <a href="https://w.example/2">здесь</a>')
        == "https://w.example/2"
    )
    assert web('<a href="https://w.example/1">Подробнее</a>') == ""


@pytest.mark.parametrize(
    "marker",
    [
        "---------- Forwarded message ---------", "Begin forwarded message:", "-------- Пересланное сообщение --------",
        "-----Original Message-----", "-------- Пересылаемое сообщение --------", "Начало переадресованного сообщения:",
    ],
)  # fmt: skip
def test_a_mail_forwarded_in_its_text_names_its_origin(marker: str) -> None:
    words = (
        f"Смотрите\n\n{marker}\nОт: Rival <hello@news.rival.com>\nTo: me\nDate: x\nSubject: y\n\nБез скидок\n"
    )
    raw = mail(words).replace(b"Subject: News", b"Subject: Fwd: Re: News")
    document = one(raw)
    assert (document.forwarded_from, document.title, document.text) == (
        "rival.com",
        "News",
        "Смотрите\nБез скидок",
    )
    assert document.owner == "shop.ru"


OUTLOOK = "Смотрите\n\n________________________________\nОт: Rival <hello@news.rival.com>\nОтправлено: 3 марта 2026 г. 10:00\nКому: Anna\nТема: Без скидок\n\nБез скидок\n"
YANDEX = (
    'Смотрите\n\n-------- Пересылаемое сообщение--------\n10.03.2026, 12:00, "Rival" <hello@news.rival.com>:\n\nБез скидок\n\n'
    "-------- Завершение пересылаемого сообщения --------\n"
)


@pytest.mark.parametrize("words", [OUTLOOK, YANDEX])
def test_forwards_of_outlook_and_yandex_name_their_origin(words: str) -> None:
    document = one(mail(words).replace(b"Subject: News", "Subject: FW: Без скидок".encode()))
    assert (document.forwarded_from, document.text) == ("rival.com", "Смотрите\nБез скидок")
    # An answer quotes in the same way; it forwards nobody.
    if words is OUTLOOK:
        assert one(mail(words).replace(b"Subject: News", b"Subject: RE: x")).forwarded_from == ""


@pytest.mark.parametrize(
    "head",
    [
        "X-Mozilla-Status: 0009",
        "X-Status: D",
        "X-IMAP: 123 45",
        "X-Gmail-Labels: Opened,Spam",
        "X-Gmail-Labels: " + "=?UTF-8?Q?=D0=A1=D0=BF=D0=B0=D0=BC?=",
    ],
)
def test_what_was_thrown_away_is_left_out(head: str) -> None:
    documents, counts = read_mails_here(
        [mail("x", head + "\n"), mail("y", "X-Mozilla-Status: 0001\n")], source=SOURCE, seen_at=SEEN
    )
    assert documents[0] is None
    assert documents[1] is not None
    assert counts == {"thrown-away": 1}


def test_a_signature_is_no_attachment() -> None:
    body = "--b\nContent-Type: text/plain\n\nx\n--b\nContent-Type: application/pkcs7-signature; name=smime.p7s\n\nAA==\n--b--\n"
    assert one(mail(body, "Content-Type: multipart/signed; boundary=b\n")).attributes == {}


def test_a_mail_attached_to_a_mail_is_its_origin() -> None:
    inner = EmailMessage()
    inner["From"] = "Rival <hello@rival.com>"
    inner["Subject"] = "Без скидок"
    inner.set_content("Мы отменяем скидки https://rival.com/a")
    outer = EmailMessage()
    outer["From"] = "anna@ourfirm.ru"
    outer["Subject"] = "Fwd: Без скидок"
    outer["Message-ID"] = "<2@ourfirm.ru>"
    outer.set_content("Смотрите")
    outer.add_attachment(inner)
    document = one(outer.as_bytes())
    assert (document.forwarded_from, document.owner) == ("rival.com", "ourfirm.ru")
    assert document.text == "Смотрите\nМы отменяем скидки https://rival.com/a"
    assert document.links == ("https://rival.com/a",)


@pytest.mark.parametrize(
    ("address", "owner"),
    [
        ("news@mail.shop.ru", "shop.ru"), ("a@shop.co.uk", "shop.co.uk"), ("a@e.shop.com.tr", "shop.com.tr"), ("a@shop.ru", "shop.ru"),
        ("anna@substack.com", "anna.substack.com"), ("anna@gmail.com", "anna@gmail.com"), ("x@co.ru", "co.ru"), ("", ""), ("x", ""),
    ],
)  # fmt: skip
def test_the_owner_is_the_house_of_the_sender(address: str, owner: str) -> None:
    assert site_of_address(address) == owner
    assert house("a.b.example.org") == "example.org"


def test_an_owner_that_a_person_named_counts() -> None:
    source = Source(name="letters", reader="mail", kind="agency", at="box.mbox", owner="Агентство")
    (document,), _ = read_mails_here([mail("x")], source=source, seen_at=SEEN)
    assert document is not None
    assert document.owner == "Агентство"


def test_a_list_speaks_where_its_members_write_from_everywhere() -> None:
    raw = mail("x", "List-Id: CRM people <crm.lists.guild.org>\n").replace(
        b"news@mail.shop.ru", b"ann@gmail.com"
    )
    assert one(raw).owner == "guild.org"
    carried = mail("x", "List-Id: 1234 <1234.list-id.mcsv.net>\n").replace(
        b"news@mail.shop.ru", b"ann@gmail.com"
    )
    assert one(carried).owner == "ann@gmail.com"


def test_the_date_is_the_senders_else_the_servers_else_none() -> None:
    received = "Received: from a by b; Wed, 4 Mar 2026 09:00:00 +0300 (MSK)\n"
    raw = mail("x", received)
    assert one(raw).published_at == datetime(2026, 3, 3, 7, tzinfo=UTC)
    broken = raw.replace(b"Date: Tue, 3 Mar 2026 10:00:00 +0300", b"Date: yesterday")
    assert one(broken).published_at == datetime(2026, 3, 4, 6, tzinfo=UTC)
    (document,), counts = read_mails_here([mail("x").replace(b"2026", b"2036")], source=SOURCE, seen_at=SEEN)
    assert document is not None
    assert document.published_at is None
    assert counts == {"future-date": 1}


def test_reports_of_delivery_and_automatic_replies_are_left_out() -> None:
    report = mail("--b\n\nfailed\n--b--", "Content-Type: multipart/report; boundary=b\n")
    away = mail("I am away", "Auto-Submitted: auto-replied\n")
    documents, counts = read_mails_here([report, away], source=SOURCE, seen_at=SEEN)
    assert documents == [None, None]
    assert counts == {"automatic": 2}


def test_broken_structure_is_read_as_far_as_it_goes() -> None:
    head = "Content-Type: multipart/mixed; boundary=b\n"
    assert one(mail("--b\nContent-Type: text/plain\n\nno end", head)).text == "no end"
    assert one(mail("no boundary at all", head)).text == "no boundary at all"
    lost = "--=_abc123\nContent-Type: text/plain\n\nfound\n--=_abc123--\n"
    assert one(mail(lost, "Content-Type: multipart/mixed\n")).text == "found"
    assert (
        one(
            mail("0JTQsA=", "Content-Transfer-Encoding: base64\nContent-Type: text/plain; charset=utf-8\n")
        ).text
        == "Да"
    )
    assert one(
        mail("=D0=94=D0=B0=D0=B4=D0=B0=D0", "Content-Transfer-Encoding: quoted-printable\n")
    ).text.startswith("Дада")
    assert one(mail("<!DOCTYPE html><p>a<p>b", "Content-Type: text/plain\n")).text == "a\nb"
    assert one(mail("x").replace(b"\n", b"\r\n")).text == "x"


def test_hostile_structure_is_bounded() -> None:
    head = "Content-Type: multipart/mixed; boundary=b\n"
    many = "--b\nContent-Type: text/plain\n\nx\n" * 10_000
    deep = (
        "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(5_000)) + "\nend"
    )
    mails = "Content-Type: message/rfc822\n\n" * 20_000
    begun = time.process_time()
    for raw in (
        mail(many, head), (HEAD + deep).encode(), (HEAD + mails).encode(), mail(b"x" * 2_000_000), mail("x", "X: " + "y" * 2_000_000 + "\n"),
        mail("x", "X-A: b\n" * 20_000), mail("<a href=" * 50_000, "Content-Type: text/html\n"), mail(b"=" * 1_000_000, "Content-Type: text/html\n"),
        mail("<a " + "href='" * 50_000, "Content-Type: text/html\n"), mail("x", "Content-Type: text/plain" + "; a=b" * 100_000 + "\n"),
        mail("x", "Subject: " + "=?utf-8?B?" * 20_000 + "\n"), mail("--b\n" * 100_000, head), mail("a \n" * 50_000, "Content-Type: text/plain; format=flowed\n"),
        mail("Begin forwarded message:\nFrom: a@b.ru\n" + "-\n" * 50_000), mail("From: a@b.ru\n" * 10_000, "X: y\n").replace(b"Subject: ", b"Subject: Fwd: "),
        mail("<a>" + "<p>" * 30_000, "Content-Type: text/html\n"), mail("https://" * 50_000), mail("https://a.ru/?u=https://" * 9_000),
    ):  # fmt: skip
        read_mails_here([raw], source=SOURCE, seen_at=SEEN)
    assert time.process_time() - begun < 10
    _, counts = read_mails_here([mail(many, head)], source=SOURCE, seen_at=SEEN)
    assert counts["many-parts"] == 1
    assert len(parts_of(mail(many, head)).texts) < MOST_PARTS + 2


def test_random_damage_neither_crashes_nor_hangs() -> None:
    rng = random.Random(8)
    letter = EmailMessage()
    letter["From"] = "Анна <anna@shop.ru>"
    letter["Subject"] = "Скидки"
    letter.set_content("Текст " * 30)
    letter.add_alternative('<p><a href="https://x.ru/u?url=https%3A%2F%2Fy.ru">тут</a>', subtype="html")
    letter.add_attachment(b"x" * 99, maintype="application", subtype="pdf", filename="Отчёт.pdf")
    whole = letter.as_bytes()
    for _ in range(150):
        broken = bytearray(whole)
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(broken))
            piece = rng.choice(
                (
                    b"\n",
                    b"\n\n",
                    b"--",
                    b"\xff",
                    b"=",
                    b"=?utf-8?B?",
                    b";",
                    b'"',
                    b"<",
                    b"boundary=",
                    b"charset=idna",
                    b"%",
                )
            )
            broken[at : at + rng.choice((0, 1, 60))] = piece
        read_mails_here([bytes(broken)], source=SOURCE, seen_at=SEEN)


def test_what_is_no_mail_is_told_in_both_languages(tmp_path: Path) -> None:
    outlook = read_mail(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99, source=SOURCE, seen_at=SEEN)
    page = read_mail(b"<html>", source=SOURCE, seen_at=SEEN)
    missing = read_mail(tmp_path / "none.eml", source=SOURCE, seen_at=SEEN)
    assert [t.code for t in (*outlook.troubles, *page.troubles, *missing.troubles)] == [
        "not-mail",
        "not-mail",
        "unreadable",
    ]
    assert "Outlook" in explain_reading(outlook.troubles[0], "ru")
    assert ".eml" in explain_reading(page.troubles[0], "en")
    assert read_mail(b"\n", source=SOURCE, seen_at=SEEN).troubles == ()
    for code in (
        "large-mails",
        "many-parts",
        "automatic",
        "private-chats",
        "no-zone",
        "ill-formed-messages",
        "cut-short",
    ):
        assert code in WORDS
        for lang in ("en", "ru"):
            assert "3" in explain_reading(Trouble(code=code, values={"entries": 3}), lang)


def test_a_saved_mail_is_read_in_a_process_apart(tmp_path: Path) -> None:
    path = tmp_path / "one.eml"
    path.write_bytes(mail("Да"))
    brought = read_mail(path, source=SOURCE, seen_at=SEEN)
    assert [d.text for d in brought.documents] == ["Да"]
    assert brought.position == {}
    apple = b"%d\n" % len(mail("Да")) + mail("Да") + b"<?xml version='1.0'?><plist></plist>"
    assert [d.text for d in read_mail(apple, source=SOURCE, seen_at=SEEN).documents] == ["Да"]
