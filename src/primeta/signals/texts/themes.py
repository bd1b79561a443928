"""What many voices speak of: clusters of words that stand together, found openly and named by their own terms.

A theme is led by one term: a thing that shops know beforehand (`themes_words`), or a word or pair that many use and that
others follow. Its id follows from that term, so that it stays the same from run to run. A voice may have several
themes, or none.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from primeta.signals.texts.boilerplate import sentences
from primeta.signals.texts.plain_words import lemma, normal_form
from primeta.signals.texts.terms import TermReader, tokens, word_code
from primeta.signals.texts.terms_shown import shown, written_forms
from primeta.signals.texts.themes_words import CONCEPTS, GENERIC, OTHER

MOST = 20
"""Themes that are given."""
FEWEST = 5
"""Voices of a theme …"""
SMALLEST = 0.004
"""… and their share of all."""
ALONE = 0.03
"""Share from which a word that no other follows is a theme by itself."""
COMMON = 0.3
"""A word that more than this share uses tells voices apart no more; things known beforehand may."""
FOLLOWS = 0.5
"""A term follows a leader where at least this share of its voices has the leader too …"""
LIFT = 2.0
"""… that is so many times as often as by chance …"""
SURE = 4.0
"""… and so many standard deviations of a Poisson count more: words that are rare meet by luck."""
INSIDE = 0.9
"""A term so much of which lies within a leader's voices follows it in any case."""
STRONG = 0.6
"""Share from which having the follower alone is enough to belong to the theme."""
SAME = 0.7
"""Jaccard's coefficient of their voices from which two themes are one."""
VARIANTS = 5
"""A text of six words or more that came with so many different numbers of documents and nothing else is a program's."""
UNDER = 0.25
"""Share of a source's different texts under which a sentence stands that nobody wrote for one of them."""
_WIDEST = 3_000
"""Terms that are looked at, the commonest."""
_TERMS = 6
_READ = 400
"""Voices of a theme that are looked through for how its terms are written."""

Bools = npt.NDArray[np.bool_]
_DIGITS = re.compile(r"\d+(?:·\d+)*")
_NUMBERED = re.compile(r"[№#]\s?\w{0,4}\d|\d{4}")
"""Numbers of orders and cases; «жду 3 дня» is what people write too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceTheme:
    """What voices are told to belong by."""

    id: str
    terms: tuple[str, ...]
    """As people write them, the leader first."""
    things: frozenset[str]
    """Of `themes_words`; empty for what was found."""
    codes: frozenset[int]
    """Of `terms`: a voice that has one of them belongs."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoundThemes:
    """Themes of n voices, the largest first."""

    themes: tuple[VoiceTheme, ...]
    members: Bools
    """(n, themes)."""
    templates: Bools
    """(n,) texts that a program wrote: they belong to none."""

    def of(self, texts: Sequence[str], sources: Sequence[str]) -> Bools:
        """(m, themes) which of other voices belong, told by the same terms."""
        return _members(self.themes, *_read(_prepared(texts, sources)[0]))


def find_themes(texts: Sequence[str], sources: Sequence[str], *, most: int = MOST) -> FoundThemes:
    """The themes of n voices.

    Args:
        texts: (n,) as customers wrote them, in Russian and English.
        sources: (n,) where each came from: what a source repeats under its texts is left out.
        most: Themes at most.
    Returns:
        No theme where there are fewer than ten voices.
    """
    left, templates = _prepared(texts, sources)
    none = FoundThemes(themes=(), members=np.zeros((len(texts), 0), dtype=bool), templates=templates)
    if len(texts) < 2 * FEWEST:
        return none
    things, terms, codes = _read(left)
    speaking = int((~templates).sum())
    needed = max(FEWEST, int(np.ceil(SMALLEST * speaking)))
    names = sorted(set(CONCEPTS.values()))
    open_terms = _open_terms(terms, codes, needed=needed, speaking=speaking)
    both = sparse.hstack([things, terms[:, open_terms]], format="csr", dtype=np.float32)
    together = np.asarray((both.T @ both).todense(), dtype=np.float64)
    keys: list[str | int] = [*names, *(int(codes[at]) for at in open_terms)]
    found = _clusters(together, keys, needed=needed, speaking=speaking)
    themes: list[VoiceTheme] = []
    kept: list[Bools] = []
    for leader, followers, strong in found:
        key = keys[leader]
        theme = VoiceTheme(
            id=_identity(key),
            terms=(),
            things=frozenset([key]) if isinstance(key, str) else frozenset(),
            codes=frozenset()
            if isinstance(key, str)
            else frozenset({key, *(keys[at] for at in strong if isinstance(keys[at], int))}),  # type: ignore[arg-type]
        )
        member = _members([theme], things, terms, codes)[:, 0]
        if member.sum() < needed or any(_jaccard(member, other) >= SAME for other in kept):
            continue
        told = _named(
            theme, [keys[at] for at in followers], [left[int(at)] for at in np.flatnonzero(member)[:_READ]]
        )
        if not told:
            continue
        themes.append(VoiceTheme(id=theme.id, terms=told, things=theme.things, codes=theme.codes))
        kept.append(member)
    order = sorted(range(len(themes)), key=lambda at: (-int(kept[at].sum()), themes[at].id))[:most]
    return FoundThemes(
        themes=tuple(themes[at] for at in order),
        members=np.stack([kept[at] for at in order], axis=1) if order else none.members,
        templates=templates,
    )


def _prepared(texts: Sequence[str], sources: Sequence[str]) -> tuple[list[str], Bools]:
    """Texts without what their source repeats; empty where a program wrote them. And which those are."""
    variants: defaultdict[str, set[str]] = defaultdict(set)
    masked: dict[int, str] = {}
    for row, text in enumerate(texts):
        if _NUMBERED.search(text):
            plain = normal_form(text)
            mask = _DIGITS.sub("0", plain)
            if mask.count(" ") >= 5:
                masked[row] = mask
                if len(variants[mask]) < VARIANTS:
                    variants[mask].add(plain)
    templates = np.zeros(len(texts), dtype=bool)
    templates[[row for row, mask in masked.items() if len(variants[mask]) >= VARIANTS]] = True
    written: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for text, source, is_template in zip(texts, sources, templates, strict=True):
        if not is_template:
            written[source][text] = None
    under = {source: _repeated(list(said)) for source, said in written.items()}
    return [
        "" if is_template else _without(text, under[source])
        for text, source, is_template in zip(texts, sources, templates, strict=True)
    ], templates


def _repeated(texts: Sequence[str]) -> frozenset[str]:
    """Sentences of four words or more that stand under so many different texts: signatures, automatic lines.

    News repeat a sentence by rote; customers say the same short things of themselves («Где мой заказ?»), so it takes
    more here than in `boilerplate`.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        parts = sentences(text)
        if len(parts) > 1:
            counts.update({mask for part in parts if (mask := _mask(part)).count(" ") >= 3})
    return frozenset(
        mask for mask, number in counts.items() if number >= FEWEST and number >= UNDER * len(texts)
    )


def _without(text: str, repeated: frozenset[str]) -> str:
    parts = sentences(text) if repeated else []
    return "\n".join(part for part in parts if _mask(part) not in repeated) if len(parts) > 1 else text


@lru_cache(maxsize=50_000)
def _mask(text: str) -> str:
    return _DIGITS.sub("0", normal_form(text))


def _read(texts: Sequence[str]) -> tuple[Any, Any, npt.NDArray[np.uint64]]:
    """(n, things) and (n, terms) 0/1, and the terms' codes; words of known things are no terms."""
    names = sorted(set(CONCEPTS.values()))
    place = {name: at for at, name in enumerate(names)}
    rows: list[int] = []
    columns: list[int] = []
    for row, text in enumerate(texts):
        there = {name for token in tokens(text) if (name := thing_of(token))}
        rows += [row] * len(there)
        columns += [place[name] for name in there]
    things = sparse.csr_matrix(
        (np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=(len(texts), len(names))
    )
    read = TermReader().read(texts)
    codes, column = np.unique(read.codes, return_inverse=True)
    row = np.repeat(np.arange(len(texts)), np.diff(read.ends, prepend=0))
    terms = sparse.csr_matrix(
        (np.ones(len(row), dtype=np.float32), (row, column)), shape=(len(texts), len(codes))
    )
    return things, terms, codes


@lru_cache(maxsize=200_000)
def thing_of(token: str) -> str:
    """The thing that a written word stands for; empty where it is none of `themes_words`."""
    if len(token) < 2 or not token[0].isalpha():
        return ""
    low = token.lower().replace("ё", "е")
    if low in OTHER:
        return ""
    return CONCEPTS.get(low) or CONCEPTS.get(lemma(low), "")


@lru_cache(maxsize=1)
def _not_terms() -> frozenset[int]:
    """Codes of words that lead nothing: what every voice has, and what stands for a known thing."""
    return frozenset(word_code(word) & ~15 | 1 for word in (*GENERIC, *CONCEPTS))


def _open_terms(terms: Any, codes: npt.NDArray[np.uint64], *, needed: int, speaking: int) -> list[int]:
    """Columns of the terms that may lead or follow, the commonest first."""
    number = np.asarray(terms.sum(axis=0)).ravel()
    barred = np.isin(codes, np.array(sorted(_not_terms()), dtype=np.uint64))
    usable = np.flatnonzero(
        (number >= max(3, needed // 2)) & (number <= max(needed, COMMON * speaking)) & ~barred
    )
    order = np.lexsort((codes[usable], -number[usable]))
    return [int(at) for at in usable[order][:_WIDEST]]


def _clusters(
    together: npt.NDArray[np.float64], keys: Sequence[str | int], *, needed: int, speaking: int
) -> list[tuple[int, list[int], list[int]]]:
    """(leader, its followers the closest first, those that are enough by themselves); known things first."""
    number = np.diag(together).copy()
    order = sorted(range(len(keys)), key=lambda at: (isinstance(keys[at], int), -number[at], str(keys[at])))
    led = np.zeros(len(keys), dtype=bool)
    found: list[tuple[int, list[int], list[int]]] = []
    for leader in order:
        if number[leader] < needed or (led[leader] and isinstance(keys[leader], int)):
            continue
        joint = together[leader]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(number > 0, joint / number, 0.0)
            lift = np.where(number > 0, share * speaking / number[leader], 0.0)
        chance = number * number[leader] / speaking
        often = (
            (share >= FOLLOWS) & (lift >= LIFT) & (joint - chance >= SURE * np.sqrt(chance)) & (joint >= 3)
        )
        # Of a leader that most voices have, nothing can be said twice as often.
        follows = often | ((share >= INSIDE) & (number >= FEWEST))
        follows[leader] = False
        known = isinstance(keys[leader], str)
        single = np.array([isinstance(key, int) and key % 2 == 1 for key in keys])
        if not known:
            # Only what is rarer follows, and known things follow nobody.
            follows &= np.array([isinstance(key, int) for key in keys])
            follows &= number <= number[leader]
            alone = not (follows & single).any() and keys[leader] % 2 == 1  # type: ignore[operator]
            if alone and number[leader] < ALONE * speaking:
                continue
        closeness = joint * np.log(np.maximum(lift, 1.0))
        followers = sorted(np.flatnonzero(follows).tolist(), key=lambda at: (-closeness[at], str(keys[at])))
        led[follows] = True
        strong = [] if known else [int(at) for at in followers if share[at] >= STRONG and single[at]]
        found.append((leader, [int(at) for at in followers], strong))
    return found


def _members(themes: Sequence[VoiceTheme], things: Any, terms: Any, codes: npt.NDArray[np.uint64]) -> Bools:
    names = {name: at for at, name in enumerate(sorted(set(CONCEPTS.values())))}
    members = np.zeros((things.shape[0], len(themes)), dtype=bool)
    for at, theme in enumerate(themes):
        for name in theme.things:
            members[things[:, [names[name]]].nonzero()[0], at] = True
        wanted = np.flatnonzero(np.isin(codes, np.array(sorted(theme.codes), dtype=np.uint64)))
        if len(wanted):
            members[terms[:, wanted].nonzero()[0], at] = True
    return members


def _named(theme: VoiceTheme, followers: Sequence[str | int], texts: Sequence[str]) -> tuple[str, ...]:
    """The terms as people write them, the leader's first."""
    reader = TermReader()
    own: list[str] = []
    if theme.things:
        forms: dict[str, Counter[str]] = defaultdict(Counter)
        for text in texts:
            for token in tokens(text):
                if thing_of(token) in theme.things:
                    forms[lemma(token.lower().replace("ё", "е"))][token] += 1
        often = sorted(forms.items(), key=lambda entry: (-entry[1].total(), entry[0]))
        for cyrillic in (True, False):
            mine = [entry for entry in often if ("\u0400" <= entry[0][0] <= "\u04ff") == cyrillic]
            own += [shown(Counter({form.lower(): n for form, n in entry[1].items()})) for entry in mine[:2]]
        totals = {
            shown(Counter({f.lower(): n for f, n in each.items()})): each.total() for each in forms.values()
        }
        own.sort(key=lambda term: -totals.get(term, 0))
    wanted = [key for key in followers if isinstance(key, int)][: 3 * _TERMS]
    written = written_forms([*theme.codes, *wanted], texts, reader=reader)
    ranked = sorted(theme.codes, key=lambda code: (-written[code].total(), code))
    own += [term for code in ranked if (term := shown(written[code]))]
    if not own or (not theme.things and all(_is_generic(word) for word in own[0].split())):
        return ()
    rest = [
        term
        for code in wanted
        if code not in theme.codes
        and (term := shown(written[code]))
        and not any(_is_generic(word) for word in term.split())
    ]
    own = own[:3] if theme.things else _joined(own)
    return tuple(dict.fromkeys([*own, *_joined(rest)]))[:_TERMS]


def _is_generic(word: str) -> bool:
    return lemma(word.lower().replace("ё", "е")) in GENERIC


def _joined(terms: Sequence[str]) -> list[str]:
    """Without those that stand word for word in another: «режим» beside «тихий режим» says nothing more."""
    kept: list[str] = []
    low = [f" {term.lower()} " for term in terms]
    for place, term in enumerate(terms):
        longer = any(low[place] in other and len(other) > len(low[place]) for other in low)
        if not longer and term not in kept:
            kept.append(term)
    return kept


def _identity(key: str | int) -> str:
    if isinstance(key, str):
        return f"theme-{key}"
    return "theme-" + hashlib.sha256(str(key).encode()).hexdigest()[:10]


def _jaccard(first: Bools, second: Bools) -> float:
    either = int((first | second).sum())
    return int((first & second).sum()) / either if either else 0.0
