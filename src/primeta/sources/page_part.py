"""The part of a page that is watched for change, as cards and lines, without what is there for machines or adverts.

A card is one of several alike that stand side by side (a product, a tariff, a row of a table): it is compared with the
card of the same name, wherever it stands now.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from primeta.sources.html_text import plain_of, tidy

MOST_LINES = 20_000
DEEPEST = 120
STRUCK = ("⟪", "⟫")
"""Stand around what is struck through: the price before the discount."""

UNNAMED = "¤"
"""The currency of a price that names none."""
_BARE = re.compile(r"\d[\d .,]{0,14}")
_CURRENCY = re.compile(r"[₽$€£¥₸₴]|руб|\b(?:usd|eur|rub|gbp|kzt)\b", re.I)
_NOT_TEXT = (
    "script, style, noscript, template, iframe, svg, canvas, object, input, select, textarea, [hidden]"
)
_AROUND = (
    "nav, footer, header nav, aside, [role=navigation], [role=contentinfo], [role=banner], [role=search]"
)
"""Left out where no part was named."""
_STRUCK = "del, s, strike"
_STRUCK_CLASS = re.compile(
    r"(?:^|[\s_-])(?:old|was|strike|striked|crossed|strikethrough|before|oldprice|old_price|priceold)(?:$|[\s_-])",
    re.I,
)
_PRICED_CLASS = re.compile(r"price|cost|цена|oldprice", re.I)
_ADVERT = re.compile(
    r"(?:^|[\s_-])(?:ad|ads|adv|adfox|advert|adverts|advertisement|advertising|adsbygoogle|banner|banners|sponsor|"
    r"sponsored|promoted|yandex[_-]?rtb|yandex[_-]?direct|begun|teaser|cookie|cookies|gdpr|recommend|recommended|"
    r"recommendations|related|similar|recently|viewed|captcha|recaptcha|chat-widget|social-share|share-buttons)"
    r"(?:$|[\s_-])",
    re.I,
)  # fmt: skip
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_TITLES = "h1, h2, h3, h4, h5, h6, [itemprop=name], [class*=title], [class*=name], strong, b, a"
_INLINE = frozenset({
    "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img", "ins", "kbd",
    "mark", "nobr", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
    "label", "button", "td", "th", "br", "dt",
})  # fmt: skip
_CARDS = frozenset({"div", "li", "article", "section", "tr", "a", "dd", "figure", "details"})


@dataclass(frozen=True, slots=True)
class NoPart:
    """The selector finds nothing, or is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A card, or the lines between two headings."""

    name: str
    """What it is called; of lines, their heading; may be empty."""
    lines: tuple[str, ...]
    card: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is watched."""

    title: str
    """Of the page."""
    language: str
    """`ru`, where most of its letters are Cyrillic; else `en`."""
    blocks: tuple[Block, ...]
    links: tuple[str, ...] = field(default=())


def tree_of(markup: str) -> Any:
    """A browser's tree of the page."""
    from selectolax.lexbor import LexborHTMLParser

    return LexborHTMLParser(markup)


def declared_title(tree: Any) -> str:
    """What stands in `<title>`."""
    node = tree.css_first("title")
    return " ".join(tidy(node.text(deep=True)).split()) if node is not None else ""


def cleaned(tree: Any, *, select: str) -> list[Any] | NoPart:
    """The nodes that are watched, outermost only, with scripts, adverts and what is hidden taken out of the tree."""
    try:
        found = tree.css(select) if select else ([tree.body] if tree.body is not None else [])
    except Exception:  # noqa: BLE001 — the library's error for a selector that is none has no common base
        return NoPart()
    if not found:
        return NoPart()
    _take_out(tree, _NOT_TEXT)
    if not select:
        _take_out(tree, _AROUND)
    for node in tree.css("[class], [id], [style]"):
        marks = f"{node.attributes.get('class') or ''} {node.attributes.get('id') or ''}"
        if node.tag in ("html", "body", "main"):
            continue
        if _ADVERT.search(marks) or _HIDDEN.search(node.attributes.get("style") or ""):
            node.decompose()
    found = tree.css(select) if select else ([tree.body] if tree.body is not None else [])
    if not found:
        return NoPart()
    inner = {node.mem_id for outer in found for node in outer.css("*") if node.mem_id != outer.mem_id}
    return [node for node in found if node.mem_id not in inner]


def part_of(markup: str, *, select: str, url: str) -> Part | NoPart:
    """What is watched of a page."""
    tree = tree_of(markup)
    title = declared_title(tree)
    found = cleaned(tree, select=select)
    if isinstance(found, NoPart):
        return found
    _mark_bare_prices(tree)
    _mark_struck(tree)
    walk = _Walk()
    for node in found:
        walk.into(node, 0)
    walk.end()
    text = "".join(line for block in walk.blocks for line in block.lines)
    letters = sum(letter.isalpha() for letter in text)
    cyrillic = sum("\u0400" <= letter <= "\u04ff" for letter in text)
    links = dict.fromkeys(link for node in found for link in plain_of(node.html or "", base=url).links)
    return Part(
        title=title,
        language="ru" if cyrillic * 2 > letters else "en",
        blocks=tuple(walk.blocks),
        links=tuple(links),
    )


class _Walk:
    """Gathers blocks in the order of the page."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._heading = ""
        self._loose: list[str] = []
        self._lines = 0

    def into(self, node: Any, depth: int) -> None:
        children = list(node.iter(include_text=True))
        elements = [child for child in children if child.tag != "-text"]
        if depth > DEEPEST or all(_is_inline(child) for child in elements):
            self._take(node)
            return
        alike = Counter(_kind(child) for child in elements if _may_be_card(child))
        written: list[str] = []  # text that stands between elements
        for child in children:
            if child.tag == "-text" or _is_inline(child):
                written.append(child.html or "")
                continue
            self._add("".join(written))
            written = []
            if child.tag in _HEADINGS:
                self.end()
                self._heading = " ".join(_text(child).split())[:200]
                self._add(child.html or "")
            elif _may_be_card(child) and alike[_kind(child)] > 1 and self._is_card(child):
                self._card(child)
            else:
                self.into(child, depth + 1)
        self._add("".join(written))

    def end(self) -> None:
        """What was gathered since the last heading is a block."""
        if self._loose:
            self.blocks.append(Block(name=self._heading, lines=tuple(self._loose), card=False))
        self._loose = []

    def _is_card(self, node: Any) -> bool:
        """Two lines or more, words in them, and no cards inside."""
        lines = plain_of(node.html or "").text.split("\n")
        if len(lines) < 2 or len(lines) > 60 or not any(letter.isalpha() for letter in "".join(lines)):
            return False
        for inner in node.css("*"):
            if inner.mem_id == node.mem_id:
                continue
            nested = Counter(_kind(child) for child in inner.iter() if _may_be_card(child))
            alike = {kind for kind, number in nested.items() if number > 1}
            if alike and any(
                _kind(child) in alike and plain_of(child.html or "").text.count("\n") >= 1
                for child in inner.iter()
            ):
                return False
        return True

    def _card(self, node: Any) -> None:
        self.end()
        lines = [line for line in plain_of(node.html or "").text.split("\n") if line]
        if not lines or self._lines + len(lines) > MOST_LINES:
            return
        self._lines += len(lines)
        named = (" ".join(_text(found).split()) for found in node.css(_TITLES))
        name = next((each for each in named if _is_name(each)), "")
        name = name or next((line for line in lines if _is_name(line)), lines[0])
        self.blocks.append(Block(name=name[:200], lines=tuple(lines), card=True))

    def _take(self, node: Any) -> None:
        self._add(node.html or "")

    def _add(self, markup: str) -> None:
        if not markup:
            return
        lines = [line for line in plain_of(markup).text.split("\n") if line]
        lines = lines[: max(0, MOST_LINES - self._lines)]
        self._lines += len(lines)
        self._loose += lines


def _is_inline(node: Any) -> bool:
    """Whether it stands within a line: a link around a whole card does not."""
    return node.tag in _INLINE and not any(
        inner.tag not in _INLINE for inner in node.css("*") if inner.mem_id != node.mem_id
    )


def _may_be_card(node: Any) -> bool:
    return node.tag in _CARDS or "-" in node.tag.strip("-")  # elements of the site's own: <product-card>


def _is_name(text: str) -> bool:
    """Words, and not a price: «Кофе 250 г» is a name, «499 ₽» is none."""
    letters = sum(letter.isalpha() for letter in text)
    return letters >= 3 and not re.search(r"[₽$€£]|руб", text)


def _kind(node: Any) -> str:
    classes = (node.attributes.get("class") or "").split()
    # Later classes tell states ("active", "sale"), which a card may win or lose.
    return f"{node.tag}.{classes[0] if classes else ''}"


def _text(node: Any) -> str:
    return plain_of(node.html or "").text


def _take_out(tree: Any, selector: str) -> None:
    for node in tree.css(selector):
        if node.tag not in ("html", "body"):
            node.decompose()


def _mark_bare_prices(tree: Any) -> None:
    """Give a sign to numbers that the page marks up as prices and whose currency it only draws."""
    for node in tree.css("[class*=price], [class*=Price], [itemprop=price]"):
        text = " ".join(_text(node).split())
        if not _BARE.fullmatch(text) or (node.parent is not None and _CURRENCY.search(_text(node.parent))):
            continue
        inner = [child for child in node.css("*") if child.mem_id != node.mem_id]
        if not inner:
            node.replace_with(f" {text}{UNNAMED} ")


def _mark_struck(tree: Any) -> None:
    struck = list(tree.css(_STRUCK))
    for node in tree.css("[class]"):
        marks = node.attributes.get("class") or ""
        if _STRUCK_CLASS.search(marks) and _PRICED_CLASS.search(marks):
            struck.append(node)
    done: set[int] = set()
    for node in struck:
        if node.mem_id in done or not (text := " ".join(_text(node).split())):
            continue
        if STRUCK[0] in text or len(text) > 60 or not any(letter.isdigit() for letter in text):
            continue
        done.update(inner.mem_id for inner in node.css("*"))
        node.replace_with(f" {STRUCK[0]}{text}{STRUCK[1]} ")
