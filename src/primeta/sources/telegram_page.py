"""The public preview of a Telegram channel (`https://t.me/s/NAME`), which anybody may read without an account."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from primeta.sources.apart import apart
from primeta.sources.feed_bytes import encoding_of
from primeta.sources.feed_dates import time_of
from primeta.sources.html_text import plain_of
from primeta.sources.links import canonical_link
from primeta.sources.records import Brought, Source, Trouble
from primeta.sources.telegram_html import bytes_of, inside
from primeta.sources.telegram_text import Post, channel_of, chat_of, cited, counted, documents_of

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

LARGEST = 8 * 2**20
MOST_POSTS = 500
"""A page has some twenty."""
SECONDS = 20.0

_POST = re.compile(r"(\w{3,64}|c/\d{1,19})/(\d{1,19})")
_COUNT = re.compile(r"(\d{1,9})(?:[.,](\d{1,3}))?\s?([KMBКМ]?)", re.IGNORECASE)
_TIMES = {"": 1, "k": 1_000, "к": 1_000, "m": 1_000_000, "м": 1_000_000, "b": 1_000_000_000}
_BEFORE = re.compile(r"[?&]before=(\d{1,19})")
_KINDS = (
    ("photo", ".tgme_widget_message_photo_wrap"), ("video", ".tgme_widget_message_video_player"),
    ("video", ".tgme_widget_message_roundvideo_player"), ("voice", ".tgme_widget_message_voice_player"),
    ("sticker", ".tgme_widget_message_sticker_wrap"), ("place", ".tgme_widget_message_location_wrap"),
    ("poll", ".tgme_widget_message_poll"), ("invoice", ".tgme_widget_message_invoice"),
    ("game", ".tgme_widget_message_game"),
)  # fmt: skip


def read_telegram_page(
    raw: bytes | Path,
    *,
    source: Source,
    media: str = "",
    encoding: str = "",
    url: str = "",
    seen_at: datetime,
    position: Mapping[str, object] | None = None,
) -> Brought:
    """The posts of a preview page, oldest first as they stand there; `follow` is the page of older posts.

    Returns:
        Never an exception. Troubles: `too-large`, `too-slow`, `bomb`, `unreadable`, `not-telegram`, `no-preview` (with
        `what`: `group`, `channel`, `person`, `nobody`), `no-posts`; beside documents `empty`, `no-date`, `future-date`,
        `repeated`.
    """
    whole = bytes_of(raw, largest=LARGEST)
    if isinstance(whole, Trouble):
        return Brought(troubles=(whole,))
    read = apart(
        read_page_here, whole, source=source, encoding=encoding, url=url, seen_at=seen_at, seconds=SECONDS
    )
    return Brought(troubles=(read,)) if isinstance(read, Trouble) else read


def read_page_here(
    raw: bytes, *, source: Source, encoding: str = "", url: str = "", seen_at: datetime
) -> Brought:
    """`read_telegram_page` in this process, without limits on time and memory: for bytes that are trusted."""
    from selectolax.lexbor import LexborHTMLParser

    text, _ = encoding_of(raw, told=encoding)
    page = LexborHTMLParser(text)
    messages = page.css(".tgme_widget_message[data-post]")
    name = _channel(page, messages, url=url, source=source)
    if not messages:
        return Brought(troubles=(_why_none(page, name),))
    title = inside(page.css_first(".tgme_channel_info_header_title")) or inside(
        page.css_first(".tgme_widget_message_owner_name")
    )
    address = f"https://t.me/{name}" if name else url
    chat = chat_of(source, title=title, url=address)
    documents, counts = documents_of(
        _posts(messages[-MOST_POSTS:]),
        chat,
        source=source,
        seen_at=seen_at,
        raw=hashlib.sha256(raw).hexdigest(),
        told=url,
    )
    older = _older(page)
    follow = (
        urljoin(canonical_link(url) or "https://t.me/", f"/s/{name}?before={older}") if older and name else ""
    )
    return Brought(
        documents=tuple(documents), troubles=tuple(counted(counts)), follow=(follow,) if follow else ()
    )


def _channel(page: LexborHTMLParser, messages: list[LexborNode], *, url: str, source: Source) -> str:
    """The public name, as the page spells it."""
    for message in messages[:1]:
        if match := _POST.fullmatch(message.attributes.get("data-post") or ""):
            return "" if match[1].startswith("c/") else match[1]
    for selector in (".tgme_channel_info_header_username a[href]", "a.tgme_username_link[href]"):
        if (link := page.css_first(selector)) and (name := channel_of(link.attributes.get("href") or "")):
            return name
    return channel_of(url) or channel_of(source.at)


def _posts(messages: list[LexborNode]) -> Iterator[Post]:
    for message in messages:
        classes = (message.attributes.get("class") or "").split()
        match = _POST.fullmatch(message.attributes.get("data-post") or "")
        if match is None or "service_message" in classes:
            continue
        yield _post(message, match[2])


def _post(message: LexborNode, number: str) -> Post:
    post = Post(number=number, at=None)
    if (reply := message.css_first(".tgme_widget_message_reply")) is not None:
        if match := re.search(r"/(\d{1,19})(?:\?|\Z)", reply.attributes.get("href") or ""):
            post.reply_to = match[1]
        reply.decompose()  # it holds a text and an author of its own
    links: list[str] = []
    if (origin := message.css_first(".tgme_widget_message_forwarded_from_name")) is not None:
        link = cited(origin.attributes.get("href") or "")
        name = inside(origin)
        post.forwarded_from, post.forwarded_name = channel_of(link) or name, name
        if link:
            links.append(link)
    texts: list[str] = []
    for node in message.css(".tgme_widget_message_text"):
        if not _within(node, "tgme_widget_message_text", "tgme_widget_message_link_preview"):
            plain = plain_of(node.html or "")
            texts.append(plain.text)
            links += plain.links
    kinds = [kind for kind, selector in _KINDS if message.css_first(selector) is not None]
    files: list[str] = []
    for node in message.css(".tgme_widget_message_document_title")[:10]:
        song = inside(node.parent.css_first(".tgme_widget_message_document_extra")) if node.parent else ""
        audio = _within(node, "tgme_widget_message_audio") or (
            node.parent is not None and node.parent.parent is not None
            and node.parent.parent.css_first(".audio") is not None
        )  # fmt: skip
        kinds.append("audio" if audio else "file")
        files.append(f"{song} — {inside(node)}" if audio and song else inside(node))
    if (poll := message.css_first(".tgme_widget_message_poll")) is not None:
        texts.append(inside(poll.css_first(".tgme_widget_message_poll_question"), longest=1_000))
        for option in poll.css(".tgme_widget_message_poll_option_text")[:100]:
            texts.append(f"— {inside(option, longest=1_000)}")
    if (preview := message.css_first("a.tgme_widget_message_link_preview[href]")) is not None:
        if link := canonical_link(preview.attributes.get("href") or ""):
            links.append(link)
        if not re.sub(r"https?://\S+", "", "".join(texts)).strip():
            # A bare link: what the page behind it says of itself is what the post says.
            texts += [
                inside(preview.css_first(f".link_preview_{part}"), longest=2_000)
                for part in ("title", "description")
            ]
    for button in message.css("a.tgme_widget_message_inline_button[href]")[:20]:
        links.append(button.attributes.get("href") or "")
    post.text = "\n".join(text for text in texts if text)
    post.links = tuple(links)
    post.media, post.files = tuple(dict.fromkeys(kinds)), tuple(files)
    post.at = _time(message)
    post.author = inside(message.css_first(".tgme_widget_message_from_author")) or inside(
        message.css_first(".tgme_widget_message_owner_name")
        or message.css_first(".tgme_widget_message_author_name")
    )
    if number_of := _count(inside(message.css_first(".tgme_widget_message_views"))):
        post.counts["views"] = number_of
    reactions = [
        _count(re.sub(r"[^\d.,KMBКМ]", "", inside(node))) for node in message.css(".tgme_reaction")[:100]
    ]
    if total := sum(reactions):
        post.counts["reactions"] = total
    return post


def _time(message: LexborNode) -> datetime | None:
    for selector in (".tgme_widget_message_date time[datetime]", "time[datetime]"):
        if (node := message.css_first(selector)) is not None:
            return time_of(node.attributes.get("datetime") or "")
    return None


def _within(node: LexborNode, *classes: str) -> bool:
    """Whether it stands inside an element with one of the classes, up to the message."""
    above = node.parent
    for _ in range(30):
        if above is None:
            return False
        names = (above.attributes.get("class") or "").split()
        if "tgme_widget_message" in names:
            return False
        if set(classes) & set(names):
            return True
        above = above.parent
    return False


def _count(said: str) -> int:
    """«12.3K» as 12300; 0 where it is no number."""
    match = _COUNT.fullmatch(said.strip())
    if match is None:
        return 0
    return round(float(f"{match[1]}.{match[2] or 0}") * _TIMES[match[3].lower()])


def _older(page: LexborHTMLParser) -> str:
    """The number before which older posts are to be asked for."""
    for link in page.css(".js-messages_more, .tme_messages_more, link[rel=prev]"):
        before = link.attributes.get("data-before") or ""
        if before.isdecimal() and len(before) < 20:
            return before
        if match := _BEFORE.search(link.attributes.get("href") or ""):
            return match[1]
    return ""


def _why_none(page: LexborHTMLParser, name: str) -> Trouble:
    """Why a page shows no post: the channel is empty, shows none to strangers, is a group, a person or nobody."""
    values: dict[str, object] = {"reason": "reading", "name": name}
    if (
        page.css_first(".tgme_channel_info") is not None
        or page.css_first(".tgme_channel_history") is not None
    ):
        said = inside(page.css_first(".tme_no_messages_found, .tgme_channel_history"), longest=300)
        return Trouble(code="no-posts", values=values | ({"said": said} if said else {}))
    if page.css_first(".tgme_widget_message_error") is not None:
        return Trouble(code="no-posts", values=values)
    if page.css_first(".tgme_page") is None and page.css_first("[class^=tgme_]") is None:
        return Trouble(code="not-telegram", values={"reason": "reading"}, permanent=True)
    extra = inside(page.css_first(".tgme_page_extra")).lower()
    action = inside(page.css_first(".tgme_action_button_new")).lower()
    if "subscriber" in extra or "подписчик" in extra or "view channel" in action:
        what = "channel"
    elif "member" in extra or "участник" in extra or "join" in action or "view in telegram" in action:
        what = "group"
    elif page.css_first(".tgme_page_title") is not None:
        what = "person"
    else:
        what = "nobody"
    return Trouble(code="no-preview", values=values | {"what": what}, permanent=True)
