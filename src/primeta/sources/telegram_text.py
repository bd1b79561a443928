"""What a Telegram message says, whichever of three forms it came in, as a document."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from importlib.metadata import version
from typing import Literal
from urllib.parse import urlsplit

from primeta.facts import Provenance
from primeta.sources.html_text import one_line, tidy
from primeta.sources.identity import document_id
from primeta.sources.links import canonical_link
from primeta.sources.records import Document, Source, Trouble

LONGEST_TEXT = 100_000
"""Characters of one document; Telegram itself allows 4,096, and an album a few of these."""
MOST_LINKS = 200
MOST_FILES = 20
MOST_TAGS = 20
AHEAD = timedelta(days=2)
ALBUM_SIZE = 10
ALBUM_SECONDS = 1.0

Form = Literal["export", "page", "html", ""]
_NAME = r"[A-Za-z]\w{3,31}"
_CHANNEL = re.compile(
    rf"(?:https?://)?(?:www\.)?(?:t|telegram)\.me/(?:s/)?({_NAME})(?:[/?#].*)?|@({_NAME})", re.ASCII
)
_SUBDOMAIN = re.compile(rf"https?://({_NAME})\.t\.me(?:[/?#].*)?", re.ASCII)
_NOT_CHANNELS = frozenset({
    "joinchat", "addstickers", "addemoji", "addlist", "addtheme", "addstyle", "share", "proxy", "socks", "login", "invoice",
    "setlanguage", "confirmphone", "boost", "giftcode", "iv", "contact", "passport",
})  # fmt: skip
_TELEGRAM = re.compile(r"https?://(?:www\.)?(?:t\.me|telegram\.(?:me|dog))/")
_ACCOUNT = (
    b'"chats"',
    b'"personal_information"',
    b'"frequent_contacts"',
    b'"profile_pictures"',
    b'"left_chats"',
)
_TAG = re.compile(r"(?<![\w&/#])#(\w{2,64})")


@dataclass(slots=True, kw_only=True)
class Post:
    """One message as it was written."""

    number: str
    """Its id within the chat."""
    at: datetime | None
    text: str = ""
    links: tuple[str, ...] = ()
    """As written, in order."""
    author: str = ""
    forwarded_from: str = ""
    forwarded_name: str = ""
    """What the channel calls itself, where `forwarded_from` is its address."""
    reply_to: str = ""
    edited: datetime | None = None
    media: tuple[str, ...] = ()
    """`photo`, `video`, `file`, `poll` …"""
    files: tuple[str, ...] = ()
    """Names of files as their sender named them."""
    counts: dict[str, int] = field(default_factory=dict)
    """`views`, `reactions`."""
    sender: str = ""
    """Whose account it is, to find albums; not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """Where posts stand."""

    key: str
    """What never changes about it: the public name, else the number, else the title."""
    owner: str
    channel: str = ""
    """Its public name, without @; empty: posts have no address."""
    own_names: frozenset[str] = frozenset()
    """Under which it would be named as the source of a forward; lower case."""


def telegram_form(head: bytes) -> Form:
    """Which form of Telegram the beginning (some 64 KB) of a file or an answer is; empty for none of them."""
    text = head[:65_536].lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = text.decode("utf-16", "replace").encode("utf-8", "replace")
    if text[:1] == b"{":
        if b'"messages"' in text:
            return "export" if b'"type"' in text or b'"id"' in text else ""
        # Of a whole account long lists may stand before the chats.
        return "export" if any(key in text for key in _ACCOUNT) else ""
    if text[:1] == b"[":
        return "export" if b'"message"' in text and b'"date"' in text and b'"id"' in text else ""
    if b"tgme_" in text:
        return "page"
    if b"<" in text[:200] and (
        b"Exported Data" in text or b"chat_page" in text or b"CheckLocation()" in text
    ):
        return "html"
    return ""


def channel_of(address: str) -> str:
    """The public name that an address names (`https://t.me/s/NAME`, `t.me/NAME/5`, `@NAME`); empty where none."""
    address = address.strip()
    match = _CHANNEL.fullmatch(address)
    name = (match[1] or match[2]) if match else ""
    if not name and (match := _SUBDOMAIN.fullmatch(address)) and match[1].lower() != "www":
        name = match[1]
    return "" if name.lower() in _NOT_CHANNELS else name


def chat_of(source: Source, *, title: str, number: str = "", url: str = "", alone: bool = True) -> Chat:
    """The chat that a source reads.

    Args:
        title: As it calls itself.
        number: Telegram's own; empty where the form does not tell.
        alone: It is the only chat of the source; else what the source says of itself is not about this one.
    """
    title = one_line(title, longest=200)
    channel = ""
    if alone:
        channel = channel_of(url) or channel_of(source.at) or channel_of(source.owner)
    declared = source.owner if source.owner != source.name else ""
    owner = declared if alone and declared else title or channel or source.owner or source.name
    names = frozenset(name.lower().removeprefix("@") for name in (title, channel, owner) if name)
    return Chat(key=channel.lower() or number or title, owner=owner, channel=channel, own_names=names)


def documents_of(
    posts: Iterable[Post], chat: Chat, *, source: Source, seen_at: datetime, raw: str = "", told: str = ""
) -> tuple[list[Document], Counter[str]]:
    """The documents of posts in their order, each once, and how many were `empty`, `no-date`, `future-date`, `repeated`.

    Args:
        raw: Digest of the bytes that they were read from.
        told: Where these came from, for the provenance.
    """
    documents: dict[str, Document] = {}
    counts: Counter[str] = Counter()
    provenance = Provenance(source=told or source.at, seen_until=seen_at, code_version=_code_version())
    for post in posts:
        document = _document(post, chat, source=source, seen_at=seen_at)
        if document is None:
            counts["empty"] += 1
            continue
        if document.published_at is None:
            counts["future-date" if post.at is not None else "no-date"] += 1
        if document.id in documents:
            counts["repeated"] += 1
            before = documents[document.id].attributes.get("updated_at", "")
            if document.attributes.get("updated_at", "") <= before:
                continue
        documents[document.id] = replace(document, raw=raw, provenance=provenance)
    return list(documents.values()), counts


def counted(counts: Counter[str]) -> list[Trouble]:
    """Numbers as troubles, by code."""
    return [
        Trouble(code=code, values={"entries": number}) for code, number in sorted(counts.items()) if number
    ]


def album(posts: Sequence[Post]) -> Post:
    """Pictures that were sent in one go: one post, under the number of the first."""
    first = posts[0]
    if len(posts) == 1:
        return first
    texts = list(dict.fromkeys(post.text for post in posts if post.text.strip()))
    counts: dict[str, int] = {}
    for post in posts:
        for name, number in post.counts.items():
            counts[name] = max(counts.get(name, 0), number)
    return replace(
        first,
        text="\n".join(texts),
        links=tuple(dict.fromkeys(link for post in posts for link in post.links)),
        media=tuple(kind for post in posts for kind in post.media),
        files=tuple(dict.fromkeys(name for post in posts for name in post.files)),
        edited=max((post.edited for post in posts if post.edited is not None), default=None),
        reply_to=next((post.reply_to for post in posts if post.reply_to), ""),
        counts=counts,
    )


def belongs(post: Post, group: Sequence[Post]) -> bool:
    """Whether a post is a further picture of an album: exports do not say so, but its ids, second and sender do."""
    if not group or len(group) >= ALBUM_SIZE:
        return False
    last = group[-1]
    if not (post.number.isdecimal() and last.number.isdecimal() and int(post.number) == int(last.number) + 1):
        return False
    if not ({"photo", "video", "file", "audio"} & set(post.media) and last.media) or post.at is None:
        return False
    first = group[0]
    near = last.at is not None and abs((post.at - last.at).total_seconds()) <= ALBUM_SECONDS
    same = (post.sender, post.author, post.forwarded_from) == (
        first.sender,
        first.author,
        first.forwarded_from,
    )
    return near and same and "poll" not in last.media


def whole_link(link: str) -> str:
    """A link as people write it (`site.com/page`, `@name` stays out) with its scheme."""
    link = link.strip()
    if "://" in link[:12] or not link:
        return link
    if link.startswith("//"):
        return "https:" + link
    return f"https://{link}" if re.match(r"[\w-]+(?:\.[\w-]+)+(?:[/:?#]|\Z)", link) else ""


@cache
def _code_version() -> str:
    return version("primeta")  # reads a file each time


def _document(post: Post, chat: Chat, *, source: Source, seen_at: datetime) -> Document | None:
    """The document of a post; None where it says nothing."""
    text = tidy(post.text[: 2 * LONGEST_TEXT])[:LONGEST_TEXT]
    files = [name for name in dict.fromkeys(one_line(name) for name in post.files) if name][:MOST_FILES]
    url = f"https://t.me/{chat.channel}/{post.number}" if chat.channel and post.number.isdecimal() else ""
    links = dict.fromkeys(filter(None, (cited(link) for link in post.links)))
    links.pop(url, None)
    if not text and not files and not links:
        return None
    forwarded = one_line(post.forwarded_from)
    if forwarded.lower().removeprefix("@") in chat.own_names:
        forwarded = ""
    attributes: dict[str, str] = {}
    if tags := dict.fromkeys(tag for tag in _TAG.findall(text) if not tag.isdecimal()):
        attributes["categories"] = ", ".join(list(tags)[:MOST_TAGS])
    if post.edited is not None and post.at is not None and post.edited > post.at:
        attributes["updated_at"] = post.edited.isoformat().replace("+00:00", "Z")
    if media := dict.fromkeys(post.media):
        attributes["media"] = ", ".join(media)
    if files:
        attributes["files"] = ", ".join(files)
    if post.reply_to:
        attributes["reply_to"] = document_id(source.name, f"{chat.key}/{post.reply_to}")
    if forwarded and post.forwarded_name and post.forwarded_name != forwarded:
        attributes["forwarded_name"] = one_line(post.forwarded_name)
    attributes |= {name: str(number) for name, number in post.counts.items()}
    published = post.at if post.at is not None and post.at <= seen_at + AHEAD else None
    return Document(
        id=document_id(source.name, f"{chat.key}/{post.number}"),
        source=source.name,
        owner=chat.owner,
        kind=source.kind,
        published_at=published,
        seen_at=seen_at,
        title="" if text else ", ".join(files),
        text=text,
        url=url,
        author=one_line(post.author),
        language=source.language,
        links=tuple(links)[:MOST_LINKS],
        forwarded_from=forwarded,
        attributes=attributes,
    )


def cited(link: str) -> str:
    """A link in one spelling; Telegram's own addresses of a post (`/s/`, `?single`, `telegram.me`) become one."""
    link = canonical_link(whole_link(link))
    if _TELEGRAM.match(link):
        parts = urlsplit(link)
        path = parts.path.removeprefix("/s/") if parts.path.startswith("/s/") else parts.path[1:]
        if post := re.fullmatch(rf"({_NAME})/(\d+)/?", path, re.ASCII):
            return f"https://t.me/{post[1]}/{post[2]}"
        if channel := re.fullmatch(rf"({_NAME})/?", path, re.ASCII):
            return f"https://t.me/{channel[1]}"
    return link
