"""A page of HTML told in a messenger: the few tags that it knows, cut into pieces that it takes.

Telegram's HTML mode knows b, i, u, s, a, code, pre, blockquote and no lists or tables
(core.telegram.org/bots/api#html-style) and takes 4,096 characters a message.
"""

from __future__ import annotations

import re
from html import escape, unescape
from html.parser import HTMLParser

INLINE = {
    "b": "b",
    "strong": "b",
    "i": "i",
    "em": "i",
    "u": "u",
    "ins": "u",
    "s": "s",
    "del": "s",
    "code": "code",
}
BLOCKS = frozenset(
    [
        "p",
        "div",
        "section",
        "article",
        "header",
        "footer",
        "ul",
        "ol",
        "li",
        "table",
        "thead",
        "tbody",
        "tr",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "pre",
        "blockquote",
        "caption",
        "dl",
        "dt",
        "dd",
        "figure",
        "figcaption",
        "hr",
    ]
)
HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6", "caption"))
UNSEEN = frozenset(("style", "script", "head", "title", "template", "svg", "noscript"))
TAG = re.compile(r"<(/?)([a-z]+)([^>]*)>")


class _Reducer(HTMLParser):
    """Paragraphs of a page; a row of a table becomes one line, in which each cell follows its head."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.paragraphs: list[str] = []
        self.now = ""
        self.open: list[str] = []
        self.unseen = 0
        self.head_row = False
        self.cells: list[str] | None = None
        self.rows: list[str] | None = None
        self.heads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in UNSEEN:
            self.unseen += 1
        if self.unseen:
            return
        if tag == "table":
            self._end()
            self.rows, self.heads = [], []
        elif tag == "tr":
            self.cells, self.head_row = [], True
            self._drop()
        elif tag in ("td", "th"):
            self._drop()
            self.head_row = self.head_row and tag == "th"
        elif tag == "br":
            self.now += "\n"
        elif tag in INLINE:
            self._begin(INLINE[tag], f"<{INLINE[tag]}>")
        elif tag == "a":
            href = dict(attrs).get("href") or ""
            if href.startswith(("https://", "http://", "mailto:")):
                self._begin("a", f'<a href="{escape(href)}">')
        elif tag in BLOCKS and self.cells is None:
            self._end()
            if tag in HEADINGS:
                self._begin("b", "<b>")
            elif tag == "li":
                self.now = "• "

    def handle_endtag(self, tag: str) -> None:
        if tag in UNSEEN:
            self.unseen = max(0, self.unseen - 1)
            return
        if self.unseen:
            return
        if tag in ("td", "th") and self.cells is not None:
            self._close_all()
            self.cells.append(_tidy(self.now))
            self._drop()
        elif tag == "tr" and self.cells is not None:
            if self.head_row and self.cells:
                self.heads = self.cells
            elif self.rows is not None and any(self.cells):
                self.rows.append(_row(self.heads, self.cells))
            self.cells = None
            self._drop()
        elif tag == "table":
            if self.rows:
                self.paragraphs.append("\n".join(self.rows))
            self.rows, self.cells = None, None
            self._drop()
        elif tag in INLINE or tag == "a":
            self._close(INLINE.get(tag, "a"))
        elif tag in BLOCKS and self.cells is None:
            self._end()

    def handle_data(self, data: str) -> None:
        if not self.unseen:
            self.now += escape(re.sub(r"[ \t\r\n]+", " ", data), quote=False)

    def close(self) -> None:
        super().close()
        self._end()

    def _begin(self, tag: str, text: str) -> None:
        if tag not in self.open:
            self.open.append(tag)
            self.now += text

    def _close(self, tag: str) -> None:
        """Close a tag and those opened within it: Telegram refuses crossed ones."""
        while tag in self.open:
            self.now += f"</{self.open.pop()}>"

    def _drop(self) -> None:
        """Text between the cells of a table belongs to none of them."""
        self.now, self.open = "", []

    def _close_all(self) -> None:
        while self.open:
            self.now += f"</{self.open.pop()}>"

    def _end(self) -> None:
        self._close_all()
        text = _tidy(self.now)
        self.now = ""
        if TAG.sub("", text).strip("• "):
            self.paragraphs.append(text)


def _row(heads: list[str], cells: list[str]) -> str:
    """`• Dinner – decision: observe; due: 31 Dec 2026`; an empty cell is left out."""
    named = [
        f"{heads[number]}: {cell}" if number < len(heads) and heads[number] else cell
        for number, cell in enumerate(cells)
        if number and cell
    ]
    return f"• {cells[0]}" + (" – " + "; ".join(named) if named else "")


def _tidy(text: str) -> str:
    return re.sub(r" *\n *", "\n", re.sub(r" {2,}", " ", text)).strip()


def messenger_html(page: str) -> str:
    """The page in Telegram's HTML, paragraphs apart by an empty line; whatever else stood in it is text."""
    reducer = _Reducer()
    reducer.feed(page)
    reducer.close()
    return "\n\n".join(reducer.paragraphs)


def messenger_text(page: str) -> str:
    """The page as plain text of a chat: tables become lines, an address follows its link."""
    reduced = re.sub(r'<a href="([^"]*)">(.*?)</a>', r"\2 (\1)", messenger_html(page))
    return unescape(TAG.sub("", reduced))


def length(text: str) -> int:
    """As messengers count: UTF-16 units, so that a sign outside the basic plane is two."""
    return len(text.encode("utf-16-le")) // 2


def pieces(text: str, limit: int, *, tags: bool = False) -> tuple[str, ...]:
    """Cut a text at paragraphs, else lines, sentences, words; each piece at most `limit` long.

    Args:
        tags: The text is messenger HTML: a tag that is open at a cut is closed and opened again.
    """
    room = limit - (200 if tags else 0)
    found: list[str] = []
    now = ""
    for paragraph in text.split("\n\n"):
        for number, part in enumerate(_fitting(paragraph, room)):
            joined = f"{now}\n\n{part}" if now and number == 0 else part
            if now and (number > 0 or length(joined) > room):
                found.append(now)
                joined = part
            now = joined
    found = [piece for piece in (piece.strip() for piece in (*found, now)) if piece]
    return tuple(_balanced(found, limit) if tags else found)


def _fitting(paragraph: str, room: int) -> list[str]:
    """One paragraph in parts that fit; it stays whole where it can."""
    parts: list[str] = []
    while length(paragraph) > room:
        cut = _cut(paragraph, room)
        parts.append(paragraph[:cut].rstrip())
        paragraph = paragraph[cut:].lstrip()
    return [*parts, paragraph]


def _cut(text: str, room: int) -> int:
    """The best place to cut: after a line, a sentence, a word; never inside a tag, an entity or a letter."""
    end, used = 0, 0
    for letter in text:
        used += 2 if ord(letter) > 0xFFFF else 1
        if used > room:
            break
        end += 1
    head = text[:end]
    for pattern in (r"\n", r"(?<=[.!?…;])\s", r"\s"):
        places = [found.end() for found in re.finditer(pattern, head) if not _inside(head, found.start())]
        if places and places[-1] > end // 3:
            return places[-1]
    while end > 1 and _inside(text, end):
        end -= 1
    return max(end, 1)


def _inside(text: str, place: int) -> bool:
    """Whether a cut there would break a tag or an entity."""
    before = text[:place]
    return before.rfind("<") > before.rfind(">") or bool(re.search(r"&#?\w{0,10}$", before))


def _balanced(found: list[str], limit: int) -> list[str]:
    carried: list[tuple[str, str]] = []
    made: list[str] = []
    for piece in found:
        piece = "".join(whole for _, whole in carried) + piece
        carried = []
        for match in TAG.finditer(piece):
            if not match[1]:
                carried.append((match[2], match[0]))
            elif carried and carried[-1][0] == match[2]:
                carried.pop()
        piece += "".join(f"</{name}>" for name, _ in reversed(carried))
        if length(piece) > limit:
            # Only a link longer than the reserve gets here: its text is worth more than its address.
            piece, carried = TAG.sub("", piece), []
        made.append(piece)
    return made
