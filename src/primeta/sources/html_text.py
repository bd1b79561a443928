"""HTML as plain text with paragraphs and links, and HTML that is safe to show.

The text is read from a stream of tags, without a tree: nothing nests, nothing is tried twice, and what it costs
grows with the length alone. (A browser's tree building does not: unclosed formatting tags are opened again in each
paragraph, and each end tag walks up all that is open.)
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from primeta.sources.links import canonical_link

DEEPEST = 200
"""Tags open at once beyond which HTML is shown as its text: no page that people write nests so."""
LONGEST_TAG = 262_144
"""Characters; pictures inside `src` are the longest that occur."""
MOST_LINKS = 2_000
LARGEST_SHOWN = 524_288
"""Characters of HTML that are still shown as HTML."""
MOST_FORMATTING = 10
"""`<b>`, `<font>` … open at once: a browser opens each of them again in every paragraph."""
MOST_QUOTES = 1_000
"""Within one tag."""

_NAME = re.compile(r"<(/?)([A-Za-z][^\s/>]*)")
_ATTRIBUTE = re.compile(r"""([^\s=/>"']+)(?:\s{0,64}=\s{0,64}("[^"]*"|'[^']*'|[^\s>"']*))?""")
_END = re.compile(r"""[>"']""")
_WORDS = re.compile(r"[^\S\n]+")
_FEW_TAGS = re.compile(r"<[A-Za-z/!?][^<>]*>")

_DROPPED = frozenset({"script", "style", "template", "iframe", "noembed", "noframes", "applet", "title"})
"""What stands between their tags is not text that anybody reads."""
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "br", "center", "dd", "details", "dialog",
    "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3",
    "h4", "h5", "h6", "header", "hr", "html", "legend", "li", "main", "menu", "nav", "ol", "optgroup",
    "option", "p", "pre", "search", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul",
})  # fmt: skip
_APART = frozenset({"td", "th", "img", "input", "button", "select", "video", "audio"})
"""Words on either side are two words, on one line."""
_ALONE = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr", "p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option",
    "optgroup", "colgroup", "caption", "html", "head", "body",
})  # fmt: skip
"""Nothing stays open behind them: void, or closed by what follows."""


_FORMATTING = frozenset({
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plain:
    """What a person reads of a piece of HTML."""

    text: str
    """One line a paragraph."""
    links: tuple[str, ...]
    """Where it leads to, canonical, in order, each once."""


class _Tag(NamedTuple):  # made once a tag: a dataclass costs three times as much
    name: str
    closes: bool
    inside: str
    """Its attributes as written."""


def plain_of(markup: str, *, base: str = "") -> Plain:
    """Text, one line a paragraph, and links of HTML of any quality.

    Args:
        markup: A fragment or a whole page; no size is refused, the cost is linear.
        base: Address against which its relative links are resolved.
    """
    pieces: list[str] = []
    links: dict[str, None] = {}
    kept = 0  # depth of <pre>
    for piece in _pieces(markup):
        if isinstance(piece, str):
            text = html.unescape(piece)
            pieces.append(text if kept else text.replace("\n", " ").replace("\r", " "))
            continue
        if piece.name == "pre":
            kept = max(0, kept + (-1 if piece.closes else 1))
        if piece.name in _BLOCKS:
            pieces.append("\n")
        elif piece.name in _APART:
            pieces.append(" ")
        if piece.closes:
            continue
        if piece.name in ("a", "area") and len(links) < MOST_LINKS:
            if link := canonical_link(_attribute(piece, "href"), base=base):
                links[link] = None
        elif piece.name == "base" and (link := canonical_link(_attribute(piece, "href"), base=base)):
            base = link
    return Plain(text=tidy("".join(pieces)), links=tuple(links))


class Anchor(NamedTuple):
    """A link as it stands in a text."""

    href: str
    """As written."""
    words: str
    """On one line, the first 500 characters."""
    before: str
    """The last 200 characters of text in front of it."""


def anchors_of(markup: str) -> Iterator[Anchor]:
    """The links of HTML with their words, in order; the cost is linear."""
    href = before = words = ""
    opened = False
    for piece in _pieces(markup):
        if isinstance(piece, str):
            if opened:
                words += html.unescape(piece[:2_000])[: 500 - len(words)] if len(words) < 500 else ""
            else:
                before = (before + html.unescape(piece[-400:]))[-200:]
            continue
        if piece.name in _BLOCKS or piece.name in _APART:
            words += " " if opened and len(words) < 500 else ""
            before = f"{before} "[-200:]
        if piece.name != "a":
            continue
        if opened:
            yield Anchor(href, " ".join(tidy(words).split()), before)
            before = (before + words)[-200:]
        opened, words = not piece.closes, ""
        href = _attribute(piece, "href") if opened else ""
    if opened:
        yield Anchor(href, " ".join(tidy(words).split()), before)


def tidy(text: str) -> str:
    """Plain text with single spaces, no empty lines, and no characters that are seen by nobody."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_UNSEEN)
    lines = (_WORDS.sub(" ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def one_line(text: object, *, longest: int = 200) -> str:
    """A name as plain text on one line; empty for what is no text."""
    return " ".join(tidy(text[: 4 * longest]).split())[:longest] if isinstance(text, str) else ""


def safe_html(markup: str, *, base: str = "") -> str:
    """HTML that may be put on a page: no script, style, form, frame or event, no picture that reports who looked.

    Links open as `nofollow noopener noreferrer`, relative ones resolved against `base`, or dropped without one. What
    is huge or leaves a heap of tags open becomes its plain text: the sanitiser builds a browser's tree.
    """
    if not _tree_is_cheap(markup):
        return "".join(f"<p>{html.escape(line)}</p>" for line in plain_of(markup).text.split("\n") if line)
    import nh3

    base = canonical_link(base)
    return nh3.clean(
        markup,
        tags=_SHOWN,
        clean_content_tags=set(_DROPPED),
        attributes={"a": {"href", "title"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer",
        url_relative=("rewrite_with_base", base) if base else "deny",
    )


_SHOWN = {
    "a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "dd", "del", "div", "dl", "dt",
    "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "ins", "kbd", "li",
    "mark", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strong", "sub", "sup", "table",
    "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul", "var",
}  # fmt: skip
_UNSEEN: dict[int, int | None] = dict.fromkeys(
    (
        *range(0x09), 0x0B, *range(0x0E, 0x20), 0x7F, 0xAD, 0x034F, 0x200B, 0x200C, 0x200E, 0x200F,
        *range(0x202A, 0x202F), 0x2060, *range(0x2066, 0x206A), 0xFEFF,
        *range(0xD800, 0xE000),  # halves of a pair: no text can be written with them
    )
)  # fmt: skip
_UNSEEN |= {0x0C: 0x20, 0x2028: 0x0A, 0x2029: 0x0A, 0x85: 0x0A}


def _attribute(tag: _Tag, wanted: str) -> str:
    for match in _ATTRIBUTE.finditer(tag.inside):
        if match[1].lower() == wanted and match[2]:
            value = match[2]
            if value[0] in "\"'":
                value = value[1:-1]
            return html.unescape(value)
    return ""


def _tree_is_cheap(markup: str) -> bool:
    """Whether a browser's tree of it stays about as large as the text.

    An end tag takes away only what stands open under its own name, so never fewer tags are counted than are open.
    """
    if len(markup) > LARGEST_SHOWN:
        return False
    opened: dict[str, int] = {}
    depth = formatting = 0
    for piece in _pieces(markup):
        if isinstance(piece, str) or piece.name in _ALONE:
            continue
        if piece.closes:
            if not opened.get(piece.name):
                continue
            step = -1
        else:
            step = 1
        opened[piece.name] = opened.get(piece.name, 0) + step
        depth += step
        formatting += step * (piece.name in _FORMATTING)
        if depth > DEEPEST or formatting > MOST_FORMATTING:
            return False
    return True


def _pieces(markup: str) -> Iterator[str | _Tag]:
    """Text (entities as written) and tags, in order; comments, declarations and what `_DROPPED` holds are left out."""
    at, size = 0, len(markup)
    failures = 0
    wrapped = False
    comments = True  # whether one can still end
    endless: set[str] = set()
    while at < size:
        start = markup.find("<", at)
        if start < 0:
            text = markup[at:]
            yield text.replace("]]&gt;", "").replace("]]>", "") if wrapped else text
            return
        if start > at:
            text = markup[at:start]
            yield text.replace("]]&gt;", "").replace("]]>", "") if wrapped else text
        if markup.startswith("<!--", start):
            # A comment that does not end hides up to the next `>` only: a browser would hide all the rest.
            end = markup.find("-->", start + 4) if comments else -1
            comments = end >= 0
            at = end + 3 if comments else _behind(markup, ">", start)
            continue
        if markup.startswith("<![CDATA[", start):
            wrapped, at = True, start + 9  # wrapped twice: what is inside is the HTML
            continue
        if markup[start + 1 : start + 2] in ("!", "?"):
            end = markup.find(">", start)
            if end < 0:
                yield html.escape(markup[start:])
                return
            at = end + 1
            continue
        name = _NAME.match(markup, start, start + 200)
        if name is None:
            yield "<"
            at = start + 1
            continue
        end = _tag_end(markup, name.end())
        if end < 0:
            # A tag without an end: a few are looked past, then what is left is no HTML and is stripped in one go.
            failures += 1
            if failures > 20:
                yield _FEW_TAGS.sub(" ", markup[start:])
                return
            end = markup.find(">", start)
            if end < 0:
                return
            at = end + 1
            continue
        tag = _Tag(name[2].lower(), bool(name[1]), markup[name.end() : end])
        at = end + 1
        if tag.name in _DROPPED and not tag.closes and not tag.inside.endswith("/"):
            if tag.name not in endless:
                end = _after(markup, tag.name, at)
                if end >= 0:
                    at = end
                    continue
                endless.add(tag.name)
            if tag.name in ("script", "style"):
                return
            continue
        yield tag


def _tag_end(markup: str, at: int) -> int:
    """Where the tag ends whose name ended at `at`; −1 where it does not within `LONGEST_TAG`."""
    limit = min(len(markup), at + LONGEST_TAG)
    end = markup.find(">", at, limit)
    if end < 0 or (markup.find('"', at, end) < 0 and markup.find("'", at, end) < 0):
        return end
    for _ in range(MOST_QUOTES):
        if (mark := _END.search(markup, at, limit)) is None:
            return -1
        if mark[0] == ">":
            return mark.start()
        # A quote only quotes behind `=`; an apostrophe astray does not swallow the page.
        if markup[max(0, mark.start() - 32) : mark.start()].rstrip()[-1:] == "=":
            close = markup.find(mark[0], mark.end(), limit)
            if close < 0:
                return -1
            at = close + 1
        else:
            at = mark.end()
    return -1


def _after(markup: str, name: str, at: int) -> int:
    """Behind the end tag of an element that is dropped; −1 where it has none."""
    match = re.compile(rf"</{name}(?=[\s/>])[^>]*>?", re.IGNORECASE).search(markup, at)
    return -1 if match is None else match.end()


def _behind(markup: str, mark: str, at: int) -> int:
    """Behind the next `mark`; the end of all where there is none."""
    end = markup.find(mark, at)
    return len(markup) if end < 0 else end + len(mark)
