"""Stories: who spoke first, and who only repeated it, so that a thousand reposts count as one origin.

Reasons to join two texts are kept as pairs and links; stories are read off all of them at once, strongest first. So
the answer depends on what is known, not on the order in which it came, and a link that turns out to be a signature
joins nobody any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

from primeta.signals.texts.boilerplate import Boilerplate
from primeta.signals.texts.contradiction import contradict
from primeta.signals.texts.duplicates import SAME, Copied, CopyIndex
from primeta.signals.texts.plain_words import normal_form, words
from primeta.signals.texts.records import Copy, Story
from primeta.signals.texts.same_event import EventReader, SameEvent, Told, rare_pairs
from primeta.signals.texts.separate_voices import (
    Speaker,
    circle,
    is_template,
    is_voice,
    may_repeat,
    speaker_of,
)
from primeta.sources.records import Document

LINK_DAYS = 14
"""A page that is cited for longer is a place (a shop, a channel, a manual), not a piece of news."""

OWN_USES = 2
"""An owner who cites a page under more of his texts signs with it."""

ROUND_UP = 3
"""A text with more links tells of many things: it joins nobody by a link."""

CITED_DAYS = 5
"""«По данным X»: texts further apart go back to different words of X."""

ALIKE = 0.3
"""Share of words from which two texts that name one source, or a text and that source's own, are of one thing."""

CHECKED = 6
"""Earliest members of each side that are held against each other before two stories become one."""

_STRENGTH: Mapping[Copy, int] = {
    "exact": 0, "forward": 1, "near": 2, "template": 2, "shared-link": 3, "shared-owner": 4, "same-event": 5,
}  # fmt: skip
_BEYOND = {"near", "same-event", "shared-owner", "shared-link"}
"""Reasons that contradiction overrules; the same words and a forward stay copies whatever a reader adds."""

_NAME = r"[«\"“@]?([A-ZА-ЯЁ@][\w.&+-]*(?:[ -][A-ZА-ЯЁ][\w.&+-]*){0,2})[»\"”]?"
_CITED = re.compile(
    r"(?:(?i:источник|source|via|h/t|forwarded from|переслано (?:от|из)|репост|автор|оригинал)\s*[:—-]?\s+"
    r"|(?i:по (?:данным|информации|сообщению|словам|версии|оценке)|со ссылкой на|как (?:сообщ|пиш)\w+|(?:сообщает|пишет|передаёт|передает)|"
    r"according to|as reported by|reported by|citing|reports)\s+)(?:(?i:агентств\w+|издани\w+|газет\w+|телеграм-канал\w*|канал\w*|the)\s+)?"
    + _NAME
)  # fmt: skip
_TELEGRAM = re.compile(r"(?:https?://)?t\.me/(?:s/)?([A-Za-z]\w{3,})(?:/(\d+))?")


@dataclass(frozen=True, slots=True)
class _Known:
    id: str
    source: str
    owner: str
    at: datetime
    text: str
    """Title and text, without boilerplate, the first 2,000 characters."""
    length: int
    links: tuple[str, ...]
    url: str
    cited: tuple[str, ...]
    forwarded: str
    speaker: Speaker


def cited_sources(text: str) -> tuple[str, ...]:
    """Whom the text names as its source («Источник: РБК», «по данным Росстата», "via Reuters"), in a normal form."""
    return tuple(dict.fromkeys(_short(found[1]) for found in _CITED.finditer(text[:2000])))


@lru_cache(maxsize=100_000)
def _short(name: str) -> str:
    # «по данным Росстата» and «сообщает Росстат» name one: usual forms, without signs.
    return " ".join(words(name.strip("@.,"))) or normal_form(name)


def story_link(url: str) -> str:
    """A link that can mark a story, without scheme, `www.` and a closing slash; empty for a site's or channel's front."""
    post = _TELEGRAM.match(url)
    if post:
        return f"t.me/{post[1].lower()}/{post[2]}" if post[2] else ""
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return ""
    path = parts.path.rstrip("/")
    if not host or (path.count("/") <= 1 and len(path) < 8 and not parts.query):
        return ""
    return f"{host}{path}" + (f"?{parts.query}" if parts.query else "")


def story_links(one: Document) -> tuple[str, tuple[str, ...]]:
    """The text's own address and what it cites, as `story_link` spells them; a customer's links mark no story."""
    if is_voice(one) and not one.forwarded_from:
        return "", ()
    posts = [f"https://t.me/{m[1]}/{m[2]}" for m in _TELEGRAM.finditer(one.text[:2000]) if m[2]]
    return story_link(one.url), tuple(dict.fromkeys(filter(None, map(story_link, (*one.links, *posts)))))


def told_at(one: Document) -> datetime:
    """When the text was there: as it says, but not after it was seen."""
    return one.seen_at if one.published_at is None else min(one.published_at, one.seen_at)


def named_sources(one: Document) -> tuple[str, ...]:
    """Whom the text names as its source or forwards, in a normal form; a customer's only where it says it forwards."""
    if is_voice(one) and not one.forwarded_from:
        return ()
    named = cited_sources(f"{one.title}\n{one.text}".strip())
    return tuple(dict.fromkeys((*named, *([_short(one.forwarded_from)] if one.forwarded_from else []))))


def source_name(owner: str) -> str:
    """An owner as texts that name him are compared with."""
    return _short(owner)


@dataclass(slots=True)
class StoryIndex:
    """Documents and the reasons to join them; grows, and merges with another."""

    _known: dict[str, _Known] = field(default_factory=dict)
    _pairs: dict[tuple[str, str], tuple[Copy, float]] = field(default_factory=dict)
    _against: dict[tuple[str, str], bool] = field(default_factory=dict)

    def add(self, documents: Iterable[Document], *, left: Mapping[str, str] | None = None) -> None:
        """Put documents in; a repeated id changes nothing.

        Args:
            left: Id → what boilerplate leaves of title and text.
        """
        for one in documents:
            if one.id in self._known:
                continue
            whole = f"{one.title}\n{one.text}".strip()
            kept = (left or {}).get(one.id, whole)
            url, links = story_links(one)
            self._known[one.id] = _Known(
                one.id, one.source, one.owner, told_at(one), kept[:2000], len(kept), links, url,
                () if is_voice(one) and not one.forwarded_from else cited_sources(whole), one.forwarded_from, speaker_of(one, kept),
            )  # fmt: skip

    def join(self, copies: Iterable[Copied | SameEvent]) -> None:
        """Remember why pairs of texts are one story; the strongest reason of a pair stays."""
        for pair in copies:
            if isinstance(pair, Copied):
                self._pair(pair.earlier, pair.later, pair.how, pair.share)
            elif pair.same:
                self._pair(pair.first, pair.second, "same-event", pair.score)

    def merge(self, other: StoryIndex) -> None:
        """Take in what another index knows."""
        for name, one in other._known.items():
            self._known.setdefault(name, one)
        for (first, second), (how, share) in other._pairs.items():
            self._pair(first, second, how, share)

    def _pair(self, first: str, second: str, how: Copy, share: float) -> None:
        key = (min(first, second), max(first, second))
        new = (how, round(share, 6))
        old = self._pairs.get(key)
        if first != second and (old is None or _rank(new) < _rank(old)):
            self._pairs[key] = new

    def pair(self, first: str, second: str, how: Copy, share: float = 1.0) -> None:
        """Remember why two documents are one story."""
        self._pair(first, second, how, share)

    def how_cited(self, name: str, origin: str) -> Copy:
        """What a text is that cites another by its address: a forward where it says so, else a shared link."""
        one, other = self._known[name], self._known[origin]
        return "forward" if _is_forward(one, other, other.url) else "shared-link"

    def stories(self, *, marked: bool = True) -> tuple[Story, ...]:
        """All documents as stories, by the time of their first; a text that repeats nobody is a story of one.

        Args:
            marked: Join by shared links and named sources too; else by the pairs alone that were told.
        """
        reasons = dict(self._pairs)
        for key, new in self._marked() if marked else ():
            if not self._possible(*key, new[0]):
                continue
            if key not in reasons or _rank(new) < _rank(reasons[key]):
                reasons[key] = new
        groups = _Groups(list(self._known))
        why: dict[str, list[tuple[int, str, str, Copy]]] = {}
        inside: dict[str, list[tuple[str, Copy]]] = {}
        known: list[tuple[str, str, Copy, float]] = [
            (*key, *new) for key, new in reasons.items() if self._possible(*key, new[0])
        ]
        for first, second, how, _ in sorted(known):
            if how == "exact":
                self._unite(groups, first, second, how, why)
        # Texts of the same words are one from here on: whichever of them was compared, the earliest stands for all.
        face: dict[str, str] = {}
        for group in groups.members.values():
            face |= dict.fromkeys(group, min(group, key=self._when))
        order = sorted(
            (entry for entry in known if entry[2] != "exact"),
            key=lambda entry: (
                _rank((entry[2], entry[3])),
                sorted((face[entry[0]], face[entry[1]])),
                entry[:2],
            ),
        )
        for first, second, how, share in order:
            if how == "near" and share < SAME:
                longer = max((first, second), key=lambda name: (self._known[name].length, name))
                inside.setdefault(face[longer], []).append((second if longer == first else first, how))
                continue
            self._unite(groups, first, second, how, why)
        for longer, parts in sorted(inside.items()):
            # A digest that holds several stories belongs to none of them.
            if len({groups.root(part) for part, _ in parts}) == 1:
                self._unite(groups, longer, parts[0][0], "near", why)
        return self._told(groups, why)

    def _possible(self, first: str, second: str, how: Copy) -> bool:
        if first not in self._known or second not in self._known:
            return False
        one, other = self._known[first], self._known[second]
        days = abs((one.at - other.at).total_seconds()) / 86_400
        return may_repeat(one.speaker, other.speaker, days=days, how=how)

    def _unite(
        self,
        groups: _Groups,
        first: str,
        second: str,
        how: Copy,
        why: dict[str, list[tuple[int, str, str, Copy]]],
    ) -> None:
        one, other = groups.root(first), groups.root(second)
        if one != other:
            if how in _BEYOND and self._clash(groups.members[one], groups.members[other]):
                return
            groups.unite(one, other)
        if is_template(self._known[first].speaker, self._known[second].speaker, how):
            how = "template"
        for name, twin in ((first, second), (second, first)):
            why.setdefault(name, []).append((_STRENGTH[how], self._known[twin].at.isoformat(), twin, how))

    def _clash(self, left: list[str], right: list[str]) -> bool:
        """Whether members of two groups contradict each other: «выросла» must not join «на 20%» with «на 30%»."""
        mine, theirs = ([*sorted(side, key=self._when)][:CHECKED] for side in (left, right))
        return any(self._opposed(one, other) for one in mine for other in theirs)

    def _opposed(self, one: str, other: str) -> bool:
        key = (min(one, other), max(one, other))
        if key not in self._against:
            first, second = self._known[key[0]].text, self._known[key[1]].text
            self._against[key] = contradict(first, second)
        return self._against[key]

    def _when(self, name: str) -> tuple[datetime, str]:
        return self._known[name].at, name

    def _told(
        self, groups: _Groups, why: Mapping[str, list[tuple[int, str, str, Copy]]]
    ) -> tuple[Story, ...]:
        found: list[Story] = []
        for members in groups.members.values():
            order = sorted(members, key=self._when)
            first = self._known[order[0]]
            found.append(
                Story(
                    first=first.id,
                    owner=first.forwarded or first.owner,
                    members=tuple(order),
                    why={name: min(why[name])[3] for name in order[1:] if name in why},
                )
            )
        return tuple(sorted(found, key=lambda story: self._when(story.first)))

    def _marked(self) -> Iterable[tuple[tuple[str, str], tuple[Copy, float]]]:
        yield from self._by_link()
        yield from self._by_source()

    def _by_link(self) -> Iterable[tuple[tuple[str, str], tuple[Copy, float]]]:
        citing: dict[str, list[_Known]] = {}
        own: dict[str, _Known] = {}
        for one in sorted(self._known.values(), key=lambda known: (known.at, known.id)):
            if one.url and one.url not in own:
                own[one.url] = one
            for link in one.links:
                citing.setdefault(link, []).append(one)
        for link, all_there in citing.items():
            uses: dict[str, int] = {}
            for one in all_there:
                uses[one.owner] = uses.get(one.owner, 0) + 1
            there = [one for one in all_there if len(one.links) <= ROUND_UP and uses[one.owner] <= OWN_USES]
            origin = own.get(link)
            if origin is not None:
                for one in there:
                    if one.id != origin.id and abs(one.at - origin.at) <= timedelta(days=LINK_DAYS):
                        yield _edge(
                            origin, one, "forward" if _is_forward(one, origin, link) else "shared-link"
                        )
            if len(there) > 1 and there[-1].at - there[0].at <= timedelta(days=LINK_DAYS):
                for one in there[1:]:
                    yield _edge(
                        there[0], one, "shared-owner" if one.owner == there[0].owner else "shared-link"
                    )

    def _by_source(self) -> Iterable[tuple[tuple[str, str], tuple[Copy, float]]]:
        naming: dict[str, list[tuple[_Known, bool]]] = {}
        for one in self._known.values():
            for name in dict.fromkeys(
                (*one.cited, *filter(None, [_short(one.forwarded)] if one.forwarded else []))
            ):
                naming.setdefault(name, []).append((one, False))
        for one in self._known.values():
            name = _short(one.owner)
            if name in naming:
                naming[name].append((one, True))
        bags: dict[str, frozenset[str]] = {}

        def bag(one: _Known) -> frozenset[str]:
            if one.id not in bags:
                bags[one.id] = frozenset(words(one.text))
            return bags[one.id]

        for there in naming.values():
            there.sort(key=lambda entry: (entry[0].at, entry[0].id, entry[1]))
            for place, (one, its_own) in enumerate(there):
                for other, other_own in there[place + 1 : place + 60]:
                    if other.at - one.at > timedelta(days=CITED_DAYS):
                        break
                    # Two texts of the source itself are not copies for being its own.
                    if (its_own and other_own) or one.id == other.id:
                        continue
                    mine, theirs = bag(one), bag(other)
                    if not mine or not theirs:
                        continue
                    share = len(mine & theirs) / min(len(mine), len(theirs))
                    if share >= ALIKE and len(mine & theirs) >= 3 and not self._opposed(one.id, other.id):
                        yield _edge(one, other, "forward")


def _is_forward(one: _Known, origin: _Known, link: str) -> bool:
    return bool(one.forwarded) or link.startswith("t.me/") or _short(origin.owner) in one.cited


def _edge(one: _Known, other: _Known, how: Copy) -> tuple[tuple[str, str], tuple[Copy, float]]:
    return (min(one.id, other.id), max(one.id, other.id)), (how, 1.0)


def _rank(reason: tuple[Copy, float]) -> tuple[int, float]:
    return _STRENGTH[reason[0]], -reason[1]


class _Groups:
    """Union-find whose groups list their members."""

    def __init__(self, names: Sequence[str]) -> None:
        self._parent = {name: name for name in names}
        self.members = {name: [name] for name in names}

    def root(self, name: str) -> str:
        while self._parent[name] != name:
            self._parent[name] = self._parent[self._parent[name]]
            name = self._parent[name]
        return name

    def unite(self, one: str, other: str) -> None:
        if len(self.members[one]) < len(self.members[other]):
            one, other = other, one
        self._parent[other] = one
        self.members[one].extend(self.members.pop(other))


@dataclass(slots=True)
class Stories:
    """The whole way from documents to stories, kept between batches."""

    boilerplate: Boilerplate = field(default_factory=Boilerplate)
    copies: CopyIndex = field(default_factory=lambda: CopyIndex(checked=False))
    index: StoryIndex = field(default_factory=StoryIndex)
    reader: EventReader | None = None
    """None: events told in other words are not looked for (a million short texts, a test)."""
    _days: dict[str, Told] = field(default_factory=dict)

    def add(self, documents: Sequence[Document]) -> tuple[Story, ...]:
        """Put a batch in and tell all stories as they now stand."""
        fresh = [
            one for one in {one.id: one for one in documents}.values() if one.id not in self.index._known
        ]
        by_source: dict[tuple[str, bool], list[str]] = {}
        for one in fresh:
            whole = f"{one.title}\n{one.text}".strip()
            by_source.setdefault((one.source, is_voice(one)), []).append(whole)
        for (source, voices), texts in by_source.items():
            self.boilerplate.add(source, texts, voices=voices)
        left = {
            one.id: self.boilerplate.left(one.source, f"{one.title}\n{one.text}".strip()) for one in fresh
        }
        self.index.add(fresh, left=left)
        self.index.join(
            self.copies.add(
                [one.id for one in fresh],
                [left[one.id] for one in fresh],
                circles=[circle(one, left[one.id]) for one in fresh],
            )
        )
        stories = self.index.stories()
        if self.reader is None:
            return stories
        self._days |= {one.id: _told(one, left[one.id]) for one in fresh}
        # One text speaks for its story: copies need not be read again.
        firsts = [self._days[story.first] for story in stories if story.first in self._days]
        new = {one.id for one in fresh}
        pairs = [
            pair for pair in rare_pairs(firsts) if firsts[pair[0]].id in new or firsts[pair[1]].id in new
        ]
        self.index.join(self.reader.judge(firsts, pairs))
        return self.index.stories()


def _told(one: Document, left: str) -> Told:
    at = one.seen_at if one.published_at is None else min(one.published_at, one.seen_at)
    text = left.removeprefix(one.title).strip() if one.title else left
    return Told(id=one.id, title=one.title, text=text, day=at.timestamp() / 86400)


def find_stories(documents: Sequence[Document], *, reader: EventReader | None = None) -> tuple[Story, ...]:
    """Stories of a list of documents.

    Args:
        reader: Reads doubtful pairs for the same event in other words; None leaves that out.
    """
    return Stories(reader=reader).add(documents)
