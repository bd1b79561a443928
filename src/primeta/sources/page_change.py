"""What is different between two versions of a watched part: prices, percents, lines, cards; never their order."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher

from primeta.sources.page_noise import names_today, steady, without_dates
from primeta.sources.page_part import Block, Part
from primeta.sources.page_prices import Price, Tag, tag_of, without_numbers, words_of

ALIKE = 0.55
"""Share of words in common (Ratcliff–Obershelp) from which a new line is an old one reworded."""
MOST_COMPARED = 250
"""Lines on each side between which reworded ones are looked for."""
KEPT_SHARE = 0.1
"""Fewer lines in common, and the page was written anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceMove:
    """A price, its struck price or its discount that changed."""

    name: str
    was: Tag
    now: Tag


@dataclass(frozen=True, slots=True, kw_only=True)
class LineMove:
    """A line in other words, or with other figures."""

    where: str
    was: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A line or a card that came or went."""

    where: str
    """Its heading."""
    lines: tuple[str, ...]
    card: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """All that is different."""

    prices: tuple[PriceMove, ...] = ()
    lines: tuple[LineMove, ...] = ()
    added: tuple[Piece, ...] = ()
    removed: tuple[Piece, ...] = ()
    rewritten: bool = False

    @property
    def any(self) -> bool:
        return bool(self.prices or self.lines or self.added or self.removed)

    def counts(self) -> dict[str, str]:
        """How many of each, as a document's attributes."""
        found = {
            "prices": len(self.prices),
            "lines": len(self.lines),
            "added": len(self.added),
            "removed": len(self.removed),
        }
        return {f"change_{name}": str(number) for name, number in found.items() if number}


def change_of(old: Part, new: Part, *, now: datetime) -> Change:
    """The difference of two versions.

    Cards are compared with the card of the same name, lines with lines wherever they stand; what `page_noise` knows
    to differ at every load is left out, and so is a line that only shows another date where the new one is
    today's.

    Args:
        now: When the new version was fetched.
    """
    gone, came, pairs = _cards(old, new)
    diff = _Diff(now)
    for before, after in pairs:
        diff.card(before, after)
    diff.loose(*_loose(old, new))
    # A card that was a few lines before (or the other way round) has only been set otherwise.
    gone, came = diff.reset(gone, came)
    left_gone, left_came = diff.reworded_cards(gone, came)
    added = [Piece(where="", lines=block.lines, card=True) for block in left_came]
    removed = [Piece(where="", lines=block.lines, card=True) for block in left_gone]
    added += [Piece(where=where, lines=(line,), card=False) for where, line in diff.came]
    removed += [Piece(where=where, lines=(line,), card=False) for where, line in diff.gone]
    return Change(
        prices=tuple(diff.prices),
        lines=tuple(diff.lines),
        added=tuple(added),
        removed=tuple(removed),
        rewritten=_rewritten(old, new),
    )


def _cards(old: Part, new: Part) -> tuple[list[Block], list[Block], list[tuple[Block, Block]]]:
    """Cards that went, cards that came, and those of one name."""
    before: dict[str, list[Block]] = defaultdict(list)
    for block in old.blocks:
        if block.card:
            before[steady(block.name)].append(block)
    came: list[Block] = []
    pairs: list[tuple[Block, Block]] = []
    for block in new.blocks:
        if not block.card:
            continue
        rivals = before.get(steady(block.name))
        if not rivals:
            came.append(block)
            continue
        # Of several with one name, the one that is the same, else the first.
        own = _keys(block)
        best = next((rival for rival in rivals if _keys(rival) == own), rivals[0])
        rivals.remove(best)
        pairs.append((best, block))
    return [block for blocks in before.values() for block in blocks], came, pairs


def _keys(block: Block) -> Counter[str]:
    keys = Counter(steady(line) for line in block.lines)
    del keys[""]
    return keys


def _loose(old: Part, new: Part) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """(heading, line) of what stands in no card, without what both have."""
    both: list[list[tuple[str, str]]] = []
    for part in (old, new):
        both.append([(block.name, line) for block in part.blocks if not block.card for line in block.lines])
    return _only(*both)


def _only(
    old: Sequence[tuple[str, str]], new: Sequence[tuple[str, str]]
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """What each side has more of, first under the same heading, then anywhere."""

    def less(
        lines: Sequence[tuple[str, str]], others: Sequence[tuple[str, str]], placed: bool
    ) -> list[tuple[str, str]]:
        there: Counter[tuple[str, str]] = Counter(
            (steady(where) if placed else "", steady(line)) for where, line in others
        )
        left: list[tuple[str, str]] = []
        for where, line in lines:
            key = (steady(where) if placed else "", steady(line))
            if not key[1]:
                continue
            if there[key]:
                there[key] -= 1
            else:
                left.append((where, line))
        return left

    placed_old, placed_new = less(old, new, True), less(new, old, True)
    return less(placed_old, placed_new, False), less(placed_new, placed_old, False)


class _Diff:
    def __init__(self, now: datetime) -> None:
        self._now = now
        self.prices: list[PriceMove] = []
        self.lines: list[LineMove] = []
        self.gone: list[tuple[str, str]] = []
        self.came: list[tuple[str, str]] = []

    def card(self, before: Block, after: Block) -> None:
        """One card against its former self."""
        gone, came = _only(
            [(before.name, line) for line in before.lines], [(after.name, line) for line in after.lines]
        )
        was, now = tag_of(*before.lines), tag_of(*after.lines)
        if _money(was) != _money(now):
            self.prices.append(PriceMove(name=after.name, was=was, now=now))
            # The lines that say the price have been told by that.
            gone = [(where, line) for where, line in gone if not _only_price(line)]
            came = [(where, line) for where, line in came if not _only_price(line)]
            told = Counter(without_numbers(line) for _, line in came)
            same = Counter(without_numbers(line) for _, line in gone) & told
            if _money(tag_of(*(line for _, line in gone))) != _money(tag_of(*(line for _, line in came))):
                gone = [pair for pair in gone if without_numbers(pair[1]) not in same]
                came = [pair for pair in came if without_numbers(pair[1]) not in same]
        self._pair(gone, came, money=False)

    def loose(self, gone: list[tuple[str, str]], came: list[tuple[str, str]]) -> None:
        """Lines that stand in no card."""
        self._pair(gone, came, money=True)

    def reset(self, gone: list[Block], came: list[Block]) -> tuple[list[Block], list[Block]]:
        """Cards without those whose every line was, or is now, a line outside of cards."""
        left: list[list[Block]] = []
        for blocks, lines in ((gone, self.came), (came, self.gone)):
            kept: list[Block] = []
            for block in blocks:
                there = Counter(steady(line) for _, line in lines)
                if own := _keys(block):
                    if own <= there:
                        for at in range(len(lines) - 1, -1, -1):
                            key = steady(lines[at][1])
                            if own[key] > 0:
                                own[key] -= 1
                                del lines[at]
                    else:
                        kept.append(block)
            left.append(kept)
        return left[0], left[1]

    def reworded_cards(self, gone: list[Block], came: list[Block]) -> tuple[list[Block], list[Block]]:
        """Cards that were given another name are told as changed; the rest is returned."""
        if len(gone) > MOST_COMPARED or len(came) > MOST_COMPARED:
            return gone, came
        left_came = list(came)
        left_gone: list[Block] = []
        for before in gone:
            # Alike in what is not money: cards of a shop all have a price and a button.
            likeness = [
                SequenceMatcher(None, _words(before), _words(after), autojunk=False).ratio()
                for after in left_came
            ]
            best = max(range(len(left_came)), key=lambda at: likeness[at], default=-1)
            named = best >= 0 and (
                SequenceMatcher(
                    None, before.name.split(), left_came[best].name.split(), autojunk=False
                ).ratio()
                >= ALIKE
            )
            if best < 0 or likeness[best] < ALIKE or not named:
                left_gone.append(before)
                continue
            self.card(before, left_came.pop(best))
        return left_gone, left_came

    def _pair(self, gone: list[tuple[str, str]], came: list[tuple[str, str]], *, money: bool) -> None:
        gone, came = self._same(gone, came, key=without_dates, keep=self._dated, money=money)
        gone, came = self._same(gone, came, key=without_numbers, keep=None, money=money)
        if len(gone) <= MOST_COMPARED and len(came) <= MOST_COMPARED:
            gone, came = self._alike(gone, came, money=money)
        self.gone += gone
        self.came += came

    def _dated(self, was: str, now: str) -> bool:
        """Whether a change of dates alone is a change: not where the new one is today's."""
        return not names_today(now, self._now)

    def _same(
        self,
        gone: list[tuple[str, str]],
        came: list[tuple[str, str]],
        *,
        key: Callable[[str], str],
        keep: Callable[[str, str], bool] | None,
        money: bool,
    ) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Pair lines of one `key`, those under the same heading first."""
        before: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for pair in gone:
            before[key(pair[1])].append(pair)
        left: list[tuple[str, str]] = []
        for where, line in came:
            rivals = before.get(key(line))
            if not rivals or not key(line).strip("@#$% "):
                left.append((where, line))
                continue
            best = next((rival for rival in rivals if steady(rival[0]) == steady(where)), rivals[0])
            rivals.remove(best)
            if keep is None or keep(best[1], line):
                self._move(where, best[1], line, money=money)
        return [pair for pairs in before.values() for pair in pairs], left

    def _alike(
        self, gone: list[tuple[str, str]], came: list[tuple[str, str]], *, money: bool
    ) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        scored = sorted(
            (
                (ratio, -at, -to)
                for at, (_, was) in enumerate(gone)
                for to, (_, now) in enumerate(came)
                if (ratio := _ratio(was, now)) >= ALIKE
            ),
            reverse=True,
        )
        taken_gone: set[int] = set()
        taken_came: set[int] = set()
        for _, at, to in scored:
            if -at in taken_gone or -to in taken_came:
                continue
            taken_gone.add(-at)
            taken_came.add(-to)
            self._move(came[-to][0], gone[-at][1], came[-to][1], money=money)
        return (
            [pair for at, pair in enumerate(gone) if at not in taken_gone],
            [pair for to, pair in enumerate(came) if to not in taken_came],
        )

    def _move(self, where: str, was: str, now: str, *, money: bool) -> None:
        old, new = tag_of(was), tag_of(now)
        # A line in which only the price is new is told as a price; in other words too, as a line.
        same_words = without_numbers(was) == without_numbers(now) or words_of(was) == words_of(now)
        if money and same_words and (old.prices or new.prices) and _money(old) != _money(new):
            self.prices.append(PriceMove(name=words_of(now) or where, was=old, now=new))
            return
        self.lines.append(LineMove(where=where, was=was, now=now))


def _ratio(was: str, now: str) -> float:
    a, b = steady(was).split(), steady(now).split()
    if not a or not b or min(len(a), len(b)) / max(len(a), len(b)) < ALIKE / (2 - ALIKE):
        return 0.0  # they cannot be alike enough, by their lengths
    common = sum((Counter(a) & Counter(b)).values())
    if 2 * common / (len(a) + len(b)) < ALIKE:
        return 0.0
    return SequenceMatcher(None, a, b, autojunk=False).ratio()


def _words(block: Block) -> list[str]:
    return [word for line in block.lines for word in words_of(line).casefold().split()]


def _money(tag: Tag) -> tuple[tuple[float, ...], tuple[float, ...], tuple[str, ...]]:
    def values(prices: Sequence[Price]) -> tuple[float, ...]:
        return tuple(sorted(round(price.value, 2) for price in prices))

    return values(tag.prices), values(tag.struck), tuple(sorted(tag.percents))


def _only_price(line: str) -> bool:
    """Whether a line says a price or percent and at most two words more («от», «выгода»)."""
    tag = tag_of(line)
    return bool(tag.prices or tag.struck or tag.percents) and len(words_of(line).split()) <= 2


def _rewritten(old: Part, new: Part) -> bool:
    before = Counter(key for block in old.blocks for line in block.lines if (key := steady(line)))
    after = Counter(key for block in new.blocks for line in block.lines if (key := steady(line)))
    most = max(before.total(), after.total())
    return most >= 10 and (before & after).total() < math.ceil(KEPT_SHARE * most)
