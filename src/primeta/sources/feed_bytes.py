"""The bytes of a feed as text that a parser may be given: right encoding, no entities that grow, nothing too large."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

LARGEST = 16 * 2**20
"""Bytes of one feed; the largest that were seen in the wild are podcasts of some 10 MB."""
DEEPEST = 250
"""Elements open at once."""
MOST_ATTRIBUTES = 1_000
"""Within one tag: feedparser compares each with each."""
MOST_GROWTH = 2 * 2**20
"""Characters that the entities which a feed declares may add."""

_BOMS = (
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
)
_OPENINGS = (
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00<\x00", "utf-16-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x4c\x6f\xa7\x94", "cp037"),
)
_DECLARED = re.compile(
    rb"""^\s{0,64}<\?xml[^>]{0,200}?encoding\s{0,9}=\s{0,9}["']([A-Za-z0-9._:-]{1,40})["']"""
)
_DECLARATION = re.compile(r"^\s{0,64}<\?xml[^>]{0,400}>")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "iso-8859-1": "cp1252", "latin-1": "cp1252", "latin1": "cp1252",
          "us-ascii": "utf-8", "ascii": "utf-8", "shift_jis": "cp932", "euc-kr": "cp949", "ks_c_5601-1987": "cp949",
          "u16": "utf-16", "iso-10646-ucs-2": "utf-16", "iso-10646-ucs-4": "utf-32"}  # fmt: skip
"""What is really used under the name: the wider set that holds it."""
_NOT_TEXT = frozenset({"zlib", "bz2", "hex", "base64", "uu", "quopri", "rot13", "punycode", "idna", "undefined",
                       "unicode_escape", "raw_unicode_escape", "mbcs", "oem", "utf-7"})  # fmt: skip
_TAG = re.compile(r"<!--|<!\[CDATA\[|<(/?)([A-Za-z_][^\s<>/]{0,80})[^<>]*?(/?)>")
_CLOSING = {"<!--": "-->", "<![CDATA[": "]]>"}
_LEFT_OPEN = frozenset({
    "br", "hr", "img", "input", "p", "li", "td", "tr", "th", "dd", "dt", "option", "wbr",
})  # fmt: skip
"""Tags of HTML that people leave open, in feeds that hold it unescaped."""
_ENTITY = re.compile(r"""<!ENTITY\s+([A-Za-z_][\w.-]{0,60})\s+("[^"<>]{0,2000}"|'[^'<>]{0,2000}')\s*>""")
_REFERENCE = re.compile(r"&#(?:[xX]0*([0-9A-Fa-f]+)|0*(\d+))")
_CHARACTER = re.compile(r"&#(?:\d{1,7}|x[0-9A-Fa-f]{1,6});")


@dataclass(frozen=True, slots=True)
class Readable:
    """A feed that may be parsed."""

    text: str
    encoding: str
    odd: str = ""
    """What was wrong with it and has been put right: `encoding`, `entities`; empty where nothing was."""


def encoding_of(raw: bytes, *, told: str = "") -> tuple[str, str]:
    """The text and the encoding that it is in.

    A byte order mark decides, then the server, then the declaration; but bytes that are good UTF-8 with letters beyond
    ASCII are UTF-8, whatever single-byte set was declared, because no real text in such a set decodes so by accident.
    What fits nothing that was said is UTF-8, else Cyrillic or Western by its letters.
    """
    for mark, encoding in _BOMS:
        if raw.startswith(mark):
            return raw[len(mark) :].decode(encoding, "replace"), encoding
    for opening, encoding in _OPENINGS:
        if raw.startswith(opening) and (text := _decoded(raw, encoding)) is not None:
            return text, encoding
    declared = _DECLARED.match(raw[:400])
    named = [_named(told), _named(declared[1].decode("ascii") if declared else "")]
    if b"\0" not in raw[:400]:  # what can be read as ASCII is in no such set, whoever says so
        named = [name for name in named if not name.startswith(("utf-16", "utf-32"))]
    if not any(_multibyte(name) for name in named) and (text := _decoded(raw, "utf-8")) is not None:
        return text, "utf-8"
    for encoding in (*named, "utf-8"):
        if encoding and (text := _decoded(raw, encoding)) is not None:
            return text, encoding
    # A few broken bytes in a feed that says and otherwise is UTF-8: they alone are lost.
    text = raw.decode("utf-8", "replace")
    lost = text.count("\ufffd")
    if sum(1 for letter in text if letter > "\x7f") - lost >= 2 * lost:
        return text, "utf-8"
    encoding = likely_encoding(raw)
    return raw.decode(encoding, "replace"), encoding


def readable(raw: bytes, *, told: str = "") -> Readable | str:
    """What a parser may be given, or the code of the trouble: `too-large`, `bomb`.

    Of a document type only entities remain that stand for plain text and together add at most `MOST_GROWTH`
    characters; external ones, parameter entities and entities within entities are taken out, so nothing is fetched and
    nothing multiplies. Elements nested deeper than `DEEPEST` and tags with more than
    `MOST_ATTRIBUTES` make it a bomb.
    """
    if len(raw) > LARGEST:
        return "too-large"
    text, encoding = encoding_of(raw, told=told)
    text = _NOT_IN_XML.sub("", _DECLARATION.sub("", text, count=1)).lstrip("\ufeff \t\r\n")
    text = _REFERENCE.sub(_that_exists, text)
    entities, text = _without_doctype(text)
    odd = ""
    if entities:
        growth = sum(text.count(f"&{name};") * len(value) for name, value in entities.items())
        if growth > MOST_GROWTH:
            return "bomb"
        for name, value in entities.items():
            text = text.replace(f"&{name};", value)
        odd = "entities"
    if _is_tangled(text):
        return "bomb"
    declared = _DECLARED.match(raw[:400])
    if (
        declared
        and not raw.isascii()
        and _named(declared[1].decode("ascii")).split("-")[0] != encoding.split("-")[0]
    ):
        odd = odd or "encoding"
    return Readable(text, encoding, odd)


def unscrambled(text: str) -> str:
    """Text whose UTF-8 bytes somebody read as windows-1251 or Western («РџСЂРёРІРµС‚»), put right; else as it is.

    Only where the whole of it, letters beyond ASCII at least four, turns into good UTF-8: real words do not.
    """
    if sum(1 for letter in text[:10_000] if letter > "\x7f") < 4:
        return text
    for encoding in ("cp1251", "cp1252", "latin-1"):
        try:
            better = text.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
        if len(better) < len(text):
            return better
    return text


def _that_exists(reference: re.Match[str]) -> str:
    """A reference to a character as it is, where there is such a character; feedparser fails on others."""
    digits, base = (reference[1], 16) if reference[1] else (reference[2], 10)
    code = int(digits, base) if len(digits) < 9 else 0
    exists = 0 < code < 0xD800 or 0xDFFF < code < 0x110000
    return reference[0] if exists else "&#65533"


def _decoded(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except (UnicodeError, LookupError, ValueError, AssertionError):
        return None


def _named(name: str) -> str:
    """Python's name for a set of characters; empty where there is none."""
    name = name.strip().strip("\"'").lower()
    name = _WIDER.get(name, name)
    try:
        found = codecs.lookup(name).name if name else ""
    except (LookupError, ValueError):
        return ""
    return "" if found in _NOT_TEXT else found


def _multibyte(name: str) -> bool:
    return name.startswith(("utf-16", "utf-32", "iso2022", "hz"))


def likely_encoding(raw: bytes) -> str:
    """windows-1251, KOI8-R, cp866 or windows-1252: by which of them the letters look like words."""
    sample = raw[:200_000]
    best = max(("cp1251", "koi8-r", "cp866"), key=lambda encoding: likeness(sample, encoding))
    beyond = sum(1 for byte in sample if byte >= 0x80)
    return best if likeness(sample, best) > 0.35 * beyond else "cp1252"


def likeness(sample: bytes, encoding: str) -> float:
    """How much bytes look like Russian words in a set of characters: its frequent letters, less capitals inside words."""
    text = sample.decode(encoding, "replace")
    often = sum(text.count(letter) for letter in "оеаинтсрвл")
    inside = len(re.findall(r"[а-яё][А-ЯЁ]", text))
    return often - 2 * inside


def _without_doctype(text: str) -> tuple[dict[str, str], str]:
    """The plain entities that are declared, and the text without any document type, wherever it hides."""
    entities: dict[str, str] = {}
    kept: list[str] = []
    at = 0
    while True:
        start = text.find("<!", at)
        if start < 0:
            kept.append(text[at:])
            return entities, "".join(kept)
        if text.startswith("<!--", start) or text.startswith("<![CDATA[", start):
            closing = "-->" if text.startswith("<!--", start) else "]]>"
            end = text.find(closing, start + 4)
            end = len(text) if end < 0 else end + 3
            kept.append(text[at:end])
            at = end
            continue
        if (
            not text[start + 2 : start + 9]
            .upper()
            .startswith(("DOCTYPE", "ENTITY", "ATTLIST", "ELEMENT", "NOTATIO"))
        ):
            kept.append(text[at : start + 2])
            at = start + 2
            continue
        kept.append(text[at:start])
        at = _declaration_end(text, start)
        for match in _ENTITY.finditer(text, start, at):
            value = match[2][1:-1]
            if "&" not in _CHARACTER.sub("", value) and "%" not in value:
                entities.setdefault(match[1], value)


def _declaration_end(text: str, start: int) -> int:
    """Behind `<!DOCTYPE … [ … ]>`; quotes and comments inside do not end it."""
    depth = 0
    for match in re.compile(r"""[<>\[\]]|"[^"]*"|'[^']*'|<!--""").finditer(text, start, start + LARGEST):
        token = match[0]
        if token in ("[", "<"):
            depth += 1
        elif token in ("]", ">"):
            depth -= 1
            if depth <= 0:
                return match.end()
    return len(text)


def _is_tangled(text: str) -> bool:
    """Whether more than `DEEPEST` elements are open at once, or a tag has more than `MOST_ATTRIBUTES`.

    An end tag closes all that were forgotten inside it.
    """
    opened: list[str] = []
    count: dict[str, int] = {}
    at = 0
    while (match := _TAG.search(text, at)) is not None:
        at = match.end()
        if closing := _CLOSING.get(match[0]):
            end = text.find(closing, at)
            at = len(text) if end < 0 else end
            continue
        if match[0].count("=") > MOST_ATTRIBUTES:
            return True
        name = match[2]
        if name.lower() in _LEFT_OPEN or match[3]:
            continue
        if not match[1]:
            opened.append(name)
            count[name] = count.get(name, 0) + 1
            if len(opened) > DEEPEST:
                return True
        elif count.get(name):
            while (last := opened.pop()) != name:
                count[last] -= 1
            count[name] -= 1
    return False
