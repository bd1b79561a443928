"""The public preview page of a channel: posts, forwards, replies, polls, link previews, older pages, and why it shows none."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from telegram_fixtures import page, post, text

from primeta.sources.identity import document_id
from primeta.sources.reading_words import explain_reading
from primeta.sources.records import Brought, Document, Source
from primeta.sources.telegram import read_telegram
from primeta.sources.telegram_page import read_page_here
from primeta.sources.telegram_text import telegram_form

SOURCE = Source(
    name="news", reader="telegram", kind="social", at="https://t.me/s/retail_news", owner="retail_news"
)
SEEN = datetime(2026, 4, 1, tzinfo=UTC)


def read(markup: str, *, url: str = "https://t.me/s/retail_news") -> Brought:
    return read_page_here(markup.encode(), source=SOURCE, url=url, seen_at=SEEN)


def one(inner: str, **options: str) -> Document:
    (document,) = read(page(post(101, inner, **options))).documents
    return document


FORWARDED = (
    '<div class="tgme_widget_message_forwarded_from accent_color">Forwarded from&nbsp;<{tag} class="tgme_widget_message_forwarded_from_name"'
    '{href}><span dir="auto">Деловой канал</span></{tag}></div>'
)
REPLY = """<a class="tgme_widget_message_reply user-color-default" href="https://t.me/Retail_News/99?single"><div class="tgme_widget_message_author accent_color">
<span class="tgme_widget_message_author_name" dir="auto">Кто-то</span></div><div class="tgme_widget_message_text js-message_reply_text" dir="auto">цитата</div></a>"""


def test_a_post_is_a_document() -> None:
    words = (
        'Скидки <b>кончились</b> <tg-emoji emoji-id="1"><i class="emoji" style="background-image:url()"><b>🔥</b></i></tg-emoji><br/>'
        '<a href="https://Shop.example/a?utm_source=tg" target="_blank" rel="noopener">отчёт</a> '
        '<a href="?q=%23розница">#розница</a>'
    )
    document = one(
        text(words), meta='<span class="tgme_widget_message_from_author" dir="auto">Анна</span>,&nbsp;'
    )
    assert document.text == "Скидки кончились 🔥\nотчёт #розница"
    assert document.links == ("https://shop.example/a",)
    assert document.url == "https://t.me/Retail_News/101"
    assert document.id == document_id("news", "retail_news/101")
    assert document.published_at == datetime(2026, 3, 3, 7, tzinfo=UTC)
    assert (document.author, document.owner) == ("Анна", "retail_news")
    assert document.attributes == {"views": "12300", "categories": "розница"}
    assert document.forwarded_from == ""


@pytest.mark.parametrize(
    ("tag", "href", "said", "links"),
    [
        ("a", ' href="https://t.me/business/55"', "business", ("https://t.me/business/55",)),
        ("span", "", "Деловой канал", ()),
        (
            "a",
            ' href="https://t.me/retail_news/7"',
            "",
            ("https://t.me/retail_news/7",),
        ),  # its own, told again
    ],
)
def test_a_forward_names_its_origin(tag: str, href: str, said: str, links: tuple[str, ...]) -> None:
    document = one(FORWARDED.format(tag=tag, href=href) + text("Да"))
    assert (document.forwarded_from, document.links, document.text) == (said, links, "Да")
    assert document.attributes.get("forwarded_name", "") == ("Деловой канал" if said == "business" else "")


def test_what_is_answered_to_is_not_what_is_said() -> None:
    document = one(REPLY + text("Да"))
    assert document.text == "Да"
    assert document.author == "Новости розницы"
    assert document.attributes["reply_to"] == document_id("news", "retail_news/99")


def test_a_text_within_a_text_is_read_once() -> None:
    assert (
        one(f'<div class="tgme_widget_message_text js-message_text">{text("Подпись")}</div>').text
        == "Подпись"
    )


def test_polls_files_albums_and_previews() -> None:
    option = (
        '<div class="tgme_widget_message_poll_option"><div class="tgme_widget_message_poll_option_percent">40%</div>'
        '<div class="tgme_widget_message_poll_option_value"><div class="tgme_widget_message_poll_option_text">{}</div></div></div>'
    )
    poll = one(
        '<div class="tgme_widget_message_poll js-poll"><div class="tgme_widget_message_poll_question">Нужны ли?</div>'
        f'<div class="tgme_widget_message_poll_options">{option.format("да")}{option.format("нет")}</div></div>'
    )
    assert poll.text == "Нужны ли?\n— да\n— нет"
    file = one(
        '<a class="tgme_widget_message_document_wrap" href="#"><div class="tgme_widget_message_document"><div class="tgme_widget_message_document_title accent_color"'
        ' dir="auto">Отчёт.pdf</div><div class="tgme_widget_message_document_extra" dir="auto">2 MB</div></div></a>'
    )
    assert (file.title, file.text, file.attributes["files"]) == ("Отчёт.pdf", "", "Отчёт.pdf")
    photo = '<a class="tgme_widget_message_photo_wrap grouped_media_wrap" href="https://t.me/Retail_News/10{}?single"></a>'
    album = one(
        f'<div class="tgme_widget_message_grouped_wrap js-message_grouped_wrap">{photo.format(1)}{photo.format(2)}</div>'
        + text("Подпись")
    )
    assert (album.text, album.attributes["media"]) == ("Подпись", "photo")
    preview = (
        '<a class="tgme_widget_message_link_preview" href="https://site.example/n?utm_medium=x"><div class="link_preview_site_name accent_color">S</div>'
        '<div class="link_preview_title" dir="auto">Заголовок</div><div class="link_preview_description" dir="auto">О чём</div></a>'
    )
    bare = one(text('<a href="https://site.example/n">https://site.example/n</a>') + preview)
    assert bare.text == "https://site.example/n\nЗаголовок\nО чём"
    assert bare.links == ("https://site.example/n",)
    said = one(text("Смотрите") + preview)
    assert (said.text, said.links) == ("Смотрите", ("https://site.example/n",))


def test_pictures_alone_and_service_messages_say_nothing() -> None:
    brought = read(
        page(
            post(101, '<a class="tgme_widget_message_photo_wrap" href="#"></a>'),
            post(102, text("Channel created"), classes="service_message"),
            post(103, text("Да")),
        )
    )
    assert [document.text for document in brought.documents] == ["Да"]
    assert [(trouble.code, trouble.values["entries"]) for trouble in brought.troubles] == [("empty", 1)]


def test_older_posts_are_followed_at_the_place_that_was_asked() -> None:
    posts = post(101, text("Да"))
    assert read(page(posts)).follow == ("https://t.me/s/Retail_News?before=101",)
    assert read(page(posts), url="").follow == ("https://t.me/s/Retail_News?before=101",)
    assert read(page(posts), url="http://127.0.0.1:8001/s/x").follow == (
        "http://127.0.0.1:8001/s/Retail_News?before=101",
    )
    assert read(page(posts, older="")).follow == ()
    assert read(
        page(posts, older='<a class="tme_messages_more" href="https://evil.example/?before=1x"></a>')
    ).follow == ("https://t.me/s/Retail_News?before=1",)


GROUP = """<html><body><div class="tgme_page"><div class="tgme_page_title"><span dir="auto">Разговоры</span></div>
<div class="tgme_page_extra">1 234 {}</div><div class="tgme_page_action"><a class="tgme_action_button_new" href="tg://resolve?domain=x">{}</a></div></div></body></html>"""
NOBODY = """<html><body><div class="tgme_page"><div class="tgme_icon_user"></div><div class="tgme_page_description">If you have <strong>Telegram</strong>,
you can contact <a class="tgme_username_link" href="tg://resolve?domain=x">@nobody_here</a> right away.</div></div></body></html>"""


@pytest.mark.parametrize(
    ("markup", "code", "what"),
    [
        (GROUP.format("members, 25 online", "View in Telegram"), "no-preview", "group"),
        (GROUP.format("subscribers", "View in Telegram"), "no-preview", "channel"),
        (GROUP.format("", "Send Message"), "no-preview", "person"),
        (NOBODY, "no-preview", "nobody"),
        (page(older="") + '<div class="tme_no_messages_found">No posts found</div>', "no-posts", None),
        ("<html><body>502 Bad Gateway</body></html>", "not-telegram", None),
        ("", "not-telegram", None),
    ],
)
def test_a_page_without_posts_says_why(markup: str, code: str, what: str | None) -> None:
    (trouble,) = read(markup).troubles
    assert (trouble.code, trouble.values.get("what")) == (code, what)
    for lang in ("en", "ru"):
        said = explain_reading(trouble, lang)
        assert said
        assert code == "not-telegram" or "etail_" in said


def test_it_is_told_apart_and_read_in_a_process_apart() -> None:
    whole = page(post(101, text("Да"))).encode()
    assert telegram_form(whole) == "page"
    assert [d.text for d in read_telegram(whole, source=SOURCE, seen_at=SEEN).documents] == ["Да"]
    assert telegram_form(b"<html>") == telegram_form(b'{"items": []}') == telegram_form(b"") == ""


def test_random_damage_neither_crashes_nor_hangs() -> None:
    rng = random.Random(7)
    whole = page(
        post(101, REPLY + text("Да<br>нет")), post(102, FORWARDED.format(tag="a", href="") + text("Два"))
    ).encode()
    for _ in range(60):
        broken = bytearray(whole)
        for _ in range(rng.randint(1, 5)):
            at = rng.randrange(len(broken))
            piece = rng.choice(
                (
                    b"<",
                    b">",
                    b'"',
                    b"</div>",
                    b"<div class='tgme_widget_message' data-post='a/1'>",
                    b"\xff",
                    b"<b>" * 99,
                )
            )
            broken[at : at + rng.choice((0, 1, 200))] = piece
        read_page_here(bytes(broken), source=SOURCE, seen_at=SEEN)
