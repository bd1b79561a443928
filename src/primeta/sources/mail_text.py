"""What a mail says: its text without quotes and footers, where it leads, where it can be read in a browser, whom it forwards."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from primeta.sources.html_text import Anchor, Plain, anchors_of, one_line, plain_of, tidy
from primeta.sources.links import canonical_link
from primeta.sources.mail_parts import Parts, Text

LONGEST_TEXT = 500_000
MOST_LINKS = 200
MOST_ANCHORS = 5_000
MOST_UNWRAPPED = 3
"""Redirectors inside redirectors."""

_WEB_VERSION = re.compile(
    r"(?:view|read|open|see|click|display)\b.{0,40}\b(?:in|on|as)\b.{0,20}\b(?:browser|web ?page|web|online)\b|\bview online\b|"
    r"(?:web|online|browser)[- ]version|web[- ]?view|view (?:this )?(?:e-?mail|message|newsletter) (?:online|in)|"
    r"(?:откр|посмотр|прочита|чита)\w*.{0,40}(?:в браузер|на сайт|онлайн)\w*|(?:веб|онлайн)[- ]?верси|верси\w+ (?:для|в) (?:браузер|интернет)\w*",
    re.IGNORECASE,
)
_HERE = re.compile(
    r"(?:click )?here|(?:нажмите )?(?:здесь|сюда)|(?:по )?(?:этой )?ссылк[ае]|браузере?", re.IGNORECASE
)
_LEAVE = re.compile(
    r"unsubscri|opt[-_ ]?out|manage (?:your )?(?:preferences|subscription)|(?:email|subscription|update)[-_ ](?:your )?preferences|"
    r"list-manage\S{0,40}/unsub|отпи[сш]|управл\w+ (?:подписк|рассылк)|настро\w+ (?:подписк|рассылк|уведомлен)",
    re.IGNORECASE,
)
_FOOTER = re.compile(
    r"unsubscribe|you(?:'re| are) receiving this|you received this (?:e-?mail|message|newsletter)|manage (?:your )?(?:preferences|subscription)|"
    r"update your (?:email )?preferences|no longer (?:wish|want) to receive|to stop receiving|add us to your address book|"
    r"отпи(?:са|сыва|ши)|вы получили это (?:письмо|сообщение)|вы получаете (?:это|эти|эту|наш)|это письмо (?:отправлено|пришло)|"
    r"управлять (?:подпиской|рассылкой)|настроить (?:подписку|рассылку)|не хотите (?:больше )?получать",
    re.IGNORECASE,
)
_LONGEST_FOOTER = 300
"""Characters of a line; a longer one speaks of unsubscribing, it does not offer it."""
_WROTE = re.compile(
    r"^(?:On\b.{5,200}\bwrote|.{5,200}\b(?:пишет|писал|писала|написал|написала)(?:\(а\))?|Le\b.{5,200}\ba écrit|Am\b.{5,200}\bschrieb.{0,60}):$",
    re.IGNORECASE,
)
_ORIGINAL = re.compile(r"^\W*(?:Original Message|Исходное сообщение|Original-Nachricht)\W*$", re.IGNORECASE)
_FORWARDED = re.compile(
    r"^\W{0,20}(?:Forwarded message|Begin forwarded message|Original Message|Пересланное сообщение|Пересылаемое сообщение|"
    r"Пересылаемое письмо|Начало переадресованного (?:сообщения|письма)|Начало переадресованного сообщения|Исходное сообщение|"
    r"Переадресованное сообщение|Конец пересылаемого сообщения)\b[^\n]{0,80}$",
    re.IGNORECASE | re.MULTILINE,
)
_FROM_LINE = re.compile(
    r"^\W{0,4}(?:From|От кого|От|Von|De)\s{0,3}:\s{0,5}([^\n]{0,200}?)[<\[(]?(?:mailto:)?([\w.+-]{1,64}@[\w.-]{3,255})[>\])]?\W*$",
    re.IGNORECASE | re.MULTILINE,
)
_DATED_FROM = re.compile(
    r"^\d{1,2}\.\d{1,2}\.\d{4},[^\n<]{0,120}<(?:mailto:)?([\w.+-]{1,64}@[\w.-]{3,255})>:?[ \t]*$",
    re.MULTILINE,
)
"""As Yandex names whom it forwards: «10.03.2026, 12:00, "Имя" <a@b.ru>:»."""
_BLOCK = re.compile(
    r"^\W{0,4}(?:From|От кого|От|Von|De)\s{0,3}:[^\n]{0,300}@[^\n]{0,100}\n(?:\W{0,4}(?:Sent|Date|To|Cc|Subject|Reply-To|Отправлено|Дата|Кому|"
    r"Копия|Тема)\s{0,3}:[^\n]{0,500}(?:\n|\Z)){2}",
    re.IGNORECASE | re.MULTILINE,
)
"""As Outlook quotes a mail: its headers, without a word of what they are."""
_END_OF_FORWARD = re.compile(
    r"^[^\w\n]{0,40}(?:Конец|Завершение) пересылаемого (?:сообщения|письма)[^\w\n]{0,40}$\n?",
    re.IGNORECASE | re.MULTILINE,
)
_IS_FORWARD = re.compile(r"^\s*(?:fwd?|fw|пересл|пер|wg|tr)(?:\[\d{1,3}\])?\s?:", re.IGNORECASE)
_HEAD_LINE = re.compile(
    r"^\W{0,4}(?:From|To|Cc|Date|Sent|Subject|Reply-To|От кого|От|Кому|Копия|Дата|Отправлено|Тема)\s{0,3}:",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"^\s*(?:(?:fwd?|fw|пересл|пер|re|отв|ha|wg|aw|tr)(?:\[\d{1,3}\])?\s?:\s*)+", re.IGNORECASE
)
_ADDRESS = re.compile(r"""\bhttps?://[^\s<>"«»]{3,4000}""", re.IGNORECASE)
_INSIDE = frozenset({
    "url", "u", "q", "to", "target", "redirect", "redirect_url", "redirecturl", "redirect_to", "link", "dest", "destination", "goto", "r",
    "href", "lnk", "rurl", "l",
})  # fmt: skip
_DEFENSE = re.compile(r"https?://urldefense\.com/v3/__(https?:/{1,2}.{3,3000}?)__;", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said:
    """What a mail says."""

    text: str
    links: tuple[str, ...]
    web: str = ""
    """Where it can be read in a browser."""
    original: str = ""
    """The address of whom it forwards within its text; empty where it forwards nobody."""
    original_name: str = ""


def said(parts: Parts) -> Said:
    """Text, links and origin of a mail without what is nested in it."""
    texts: list[str] = []
    links: dict[str, None] = {}
    web = ""
    for same in parts.texts[:50]:
        plain, chosen = _best(same)
        texts.append(plain.text)
        for one in same:
            if one.markup:
                anchors = list(islice(anchors_of(one.words), MOST_ANCHORS))
                web = web or web_version(anchors)
                if one is chosen:
                    plain = Plain(plain.text, _leading(anchors))
        for link in plain.links:
            links.setdefault(link)
        if sum(map(len, texts)) > 2 * LONGEST_TEXT:
            break
    text = "\n".join(texts)
    text, original, name = _forwarded(text, parts.first("subject"))
    return Said(
        text=without_footers(_without_quotes(text)).strip()[:LONGEST_TEXT],
        links=tuple(links)[:MOST_LINKS],
        web=web,
        original=original,
        original_name=name,
    )


def _forwarded(text: str, subject: str) -> tuple[str, str, str]:
    """Text without the headers of a mail that is quoted whole in it, that mail's sender and his name; empty without."""
    block = _BLOCK.search(text[:50_000]) if _IS_FORWARD.match(subject) else None
    mark = _FORWARDED.search(text[:50_000])
    if mark is not None:
        begins, at = mark.start(), mark.end()
    elif block is not None:
        begins, at = block.start(), block.start()
    else:
        return text, "", ""
    dated = _DATED_FROM.search(text, at, at + 400)
    sender = None if dated else _FROM_LINE.search(text, at, at + 1_500)
    if dated is None and sender is None:
        return text, "", ""
    if dated is not None:
        address, name, at = dated[1], "", dated.end()
    else:
        assert sender is not None
        address, name = sender[2], one_line(sender[1].strip(" \"'<[("))
    rest = _END_OF_FORWARD.sub("", text[at:]).split("\n")
    while rest and (not rest[0].strip() or _HEAD_LINE.match(rest[0])):
        rest.pop(0)
    own = text[:begins].rstrip("_-—– \n")
    return "\n".join(filter(None, (own, _without_marks(rest)))), address.lower().rstrip("."), name


def bare_subject(subject: str) -> str:
    """A subject without «Fwd:», «Re:», «Пересл.:»."""
    return _SUBJECT.sub("", subject) or subject


def without_footers(text: str) -> str:
    """Text without the lines that offer to unsubscribe or to open the mail in a browser."""
    lines = text.split("\n")
    kept = [
        line
        for line in lines
        if len(line) > _LONGEST_FOOTER
        or not (_FOOTER.search(line) or (len(line) < 120 and _WEB_VERSION.search(line)))
    ]
    return "\n".join(kept) if any(line.strip() for line in kept) else text


def web_version(anchors: Iterable[Anchor]) -> str:
    """The address behind «view in browser», «веб-версия» …; empty where none is offered."""
    for anchor in anchors:
        offered = _WEB_VERSION.search(anchor.words) or (
            _HERE.fullmatch(anchor.words) and _WEB_VERSION.search(f"{anchor.before[-150:]} {anchor.words}")
        )
        if offered and (link := direct(anchor.href)):
            return link
    return ""


def direct(link: str) -> str:
    """A link in one spelling, past redirectors that carry their aim in the address, without the reader's own address.

    Empty where it is no http address or only serves to unsubscribe.
    """
    for _ in range(MOST_UNWRAPPED):
        if match := _DEFENSE.match(link):
            link = re.sub(r"\A(https?):/(?!/)", r"\1://", match[1])
            continue
        aim = _aim(link)
        if not aim or aim == link:
            break
        link = aim
    link = canonical_link(link)
    if not link or _LEAVE.search(link):
        return ""
    parts = urlsplit(link)
    if "@" in parts.query or "%40" in parts.query:
        kept = [pair for pair in parts.query.split("&") if "@" not in pair and "%40" not in pair]
        link = urlunsplit((parts.scheme, parts.netloc, parts.path, "&".join(kept), parts.fragment))
    return link


def _aim(link: str) -> str:
    """Where a redirector says that it leads to, plainly or in base64."""
    try:
        parts = urlsplit(link)
        pairs = parse_qsl(parts.query, max_num_fields=50)
    except ValueError:
        return ""
    for name, value in pairs:
        if name.lower() not in _INSIDE:
            continue
        if re.match(r"https?://[^/\s]+\.[^/\s]+", value, re.IGNORECASE):
            return value
        if re.match(r"https?%3A", value, re.IGNORECASE):
            return unquote(value)
        if value.startswith("aHR0c") and len(value) < 4_000:
            try:
                plain = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode("ascii")
            except (binascii.Error, ValueError):
                continue
            if re.match(r"https?://[^/\s]+", plain):
                return plain
    return ""


def _best(same: Sequence[Text]) -> tuple[Plain, Text | None]:
    """Of texts that say the same, the one to read: HTML, unless it says far less than the plain one. Links of HTML are
    left to others."""
    plain = next((text for text in same if not text.markup), None)
    markup = next((text for text in same if text.markup), None)
    if markup is not None:
        read = plain_of(markup.words)
        if plain is None:
            return read, markup
        bare = _ADDRESS.sub("", plain.words)
        if 2 * len(read.text) >= len(" ".join(bare.split())) or len(read.text) > 2_000:
            return read, markup
    if plain is None:
        return Plain("", ()), None
    words = _unflowed(plain) if plain.flowed else plain.words
    parts = re.split(r"^-- ?\r?$", words, maxsplit=1, flags=re.MULTILINE)
    body = parts[0] if parts[0].strip() else "".join(parts)
    found = _ADDRESS.findall(body[:LONGEST_TEXT])[: 5 * MOST_LINKS]
    links = (direct(link.rstrip(".,;:!?)]}'")) for link in found)
    return Plain(tidy(body), tuple(dict.fromkeys(filter(None, links)))), plain


def _leading(anchors: Iterable[Anchor]) -> tuple[str, ...]:
    """Where the links of HTML lead, but those that unsubscribe."""
    found: dict[str, None] = {}
    for anchor in anchors:
        if not _LEAVE.search(anchor.words) and (link := direct(anchor.href)):
            found.setdefault(link)
        if len(found) >= MOST_LINKS:
            break
    return tuple(found)


def _unflowed(text: Text) -> str:
    """Lines that end in a space go on in the next (RFC 3676)."""
    pieces: list[str] = []
    going = False
    for line in text.words.replace("\r\n", "\n").split("\n"):
        quoted = line.startswith(">")
        stuffed = line[1:] if line.startswith(" ") else line
        if not going or quoted:
            pieces.append("\n")
        going = stuffed.endswith(" ") and stuffed != "-- " and not quoted
        pieces.append(stuffed[:-1] if going and text.delete_space else stuffed)
    return "".join(pieces)


def _without_marks(lines: Sequence[str]) -> str:
    """A forwarded text whose every line may be quoted."""
    quoted = sum(1 for line in lines if line.startswith(">"))
    if 2 * quoted > len(lines):
        return "\n".join(line.lstrip("> ") for line in lines)
    return "\n".join(lines)


def _without_quotes(text: str) -> str:
    """Text without what it answers to; as it is where nothing else would be left."""
    lines = text.split("\n")
    kept: list[str] = []
    for line in lines:
        if line.startswith(">"):
            continue
        if _ORIGINAL.match(line) and kept:
            break
        kept.append(line)
    kept = (
        [line for line in kept if not (len(line) < 260 and _WROTE.match(line))]
        if len(kept) < len(lines)
        else kept
    )
    return "\n".join(kept) if any(line.strip() for line in kept) else text
