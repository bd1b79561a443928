"""Whether two texts that look alike say different things: turned round, in other numbers, of others, not yet so.

Embeddings and shingles take "works" and "does not work", 20% and 30% for the same; here they are compared word by
word. A difference that shows is a reason to keep two texts apart; none is no proof that they say the same.
"""

# Lists of words are easier to read, and to add to, as a text.
# ruff: noqa: SIM905

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from primeta.signals.texts import plain_words, polarity_words, quantities

Code = Literal[
    "negation", "direction", "number", "unit", "currency", "date", "who", "roles", "modality", "question"
]

RELATED = 0.45
"""Cosine of two sentences' sets of words from which polarity and numbers with units are compared."""

CLOSE = 0.62
"""… from which names, modality, tense and bare numbers are compared too: the sentences differ in a few words."""

HEAD = 1_500
"""Characters of a text that are compared: its claim stands at its head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why two texts are not copies, with the words or numbers that show it."""

    code: Code
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class _Word:
    key: str
    """Usual form; of English words without a closing e, so that fine and fined meet."""
    surface: str
    noun: bool
    name: bool
    loose_case: bool
    """Its form tells not whether it is subject or object."""
    before: str
    """The preposition that it follows, if any."""
    tense: str


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    plain: tuple[str, ...]
    words: tuple[_Word, ...]
    content: frozenset[str]
    names: dict[str, str]
    signs: dict[str, frozenset[int]]
    said: dict[str, str]
    """Opposites and where they stand, as written."""
    denied: frozenset[str]
    hedges: frozenset[str]
    """Words of what is possible, planned, wished."""
    opening: str
    """The first word where it may name somebody, though no dictionary says so."""
    quantities: tuple[quantities.Quantity, ...]
    moments: frozenset[quantities.Moment]
    modal: bool
    future: bool
    question: bool
    passive: bool
    titled: bool


_SENTENCE = re.compile(r"(?<=[.!?…])[\s\n]+(?=[«\"“A-ZА-ЯЁ\d—])|\n+")
_WORD = re.compile(r"[^\W\d_]+(?:[’'][^\W\d_]+)?|[.,;:!?«»\"“”()—]")
_CONTRACTED = {"can't": "can not", "won't": "will not", "shan't": "shall not", "ain't": "is not"}
_PREPOSITIONS = frozenset(
    "в во на с со к ко у о об от из за для до при над под про через между против по после перед "
    "to in into at by for with from of on about against over under near through between after before".split()
)
_DETERMINERS = frozenset("the a an my our your their his her this that these those".split())
_AUXILIARIES = frozenset("be have do will would can could shall should may might must get".split())
_COMMON_STARTS = frozenset(
    "report breaking update exclusive video photo watch opinion analysis demand support revenue retention conversion "
    "shipping delivery cashback consent prices sales results reviews returns tickets customers shares nobody everyone "
    "everybody there open active mails points fines push why how what when who which one two three four no all some "
    "most many average new last next only even just more less police government scientist researcher".split()
)
_KINDS = frozenset(
    "банк компания сервис власть маркетплейс ритейлер сеть глава магазин оператор платформа регулятор министерство суд "
    "ведомство корпорация бренд стартап агентство производитель разработчик соцсеть мессенджер "
    "bank company firm service authority marketplace retailer chain head store shop operator platform regulator "
    "ministry court agency giant startup brand maker watchdog carmaker".split()
)
_CURRENCY_WORDS = frozenset(
    "доллар долл евро рубль руб тенге юань иена фунт процент п usd eur rub gbp jpy dollar euro yen yuan pound percent "
    "ruble million billion thousand trillion млн млрд тыс трлн миллион миллиард тысяча percentage point раз times"
    " am pm утро вечер год час минута секунда день сутки неделя месяц hour minute second day week month year".split()
)


def contradictions(first: str, second: str, *, at_least: float = RELATED) -> tuple[Reason, ...]:
    """Why the two texts do not say the same thing, sentence by matching sentence.

    Args:
        first, second: Titles, comments or articles; of long ones the first 1,500 characters are compared.
        at_least: How alike two sentences must be to be held against each other, 0–1.
    Returns:
        Reasons, one of a code at most; empty where nothing speaks against their being copies.
    """
    if first == second:
        return ()
    left, right = _sentences(first[:HEAD]), _sentences(second[:HEAD])
    found: dict[Code, Reason] = {}
    for one in left:
        other, share = _closest(one, right)
        if other is None or share < at_least:
            continue
        back, _ = _closest(other, left)
        if back is not one:
            continue
        for reason in _compare(one, other, close=share >= CLOSE):
            found.setdefault(reason.code, reason)
    return tuple(found.values())


def contradict(first: str, second: str) -> bool:
    """Whether anything keeps the two texts apart."""
    return bool(contradictions(first, second))


def _closest(one: _Sentence, others: Sequence[_Sentence]) -> tuple[_Sentence | None, float]:
    best, share = None, 0.0
    for other in others:
        here = _overlap(one, other)
        if here > share:
            best, share = other, here
    return best, share


def _overlap(one: _Sentence, other: _Sentence) -> float:
    if one.plain == other.plain:
        return 1.0
    names = _shared_names(one, other)
    shared = len(one.content & other.content) + names
    # Names that differ are what is looked for, so they count only where nothing else is there to count.
    bare = not (one.content and other.content)
    mine = len(one.content) + (len(one.names) if bare else names)
    theirs = len(other.content) + (len(other.names) if bare else names)
    if not mine or not theirs:
        return 0.0
    share = shared / math.sqrt(mine * theirs)
    return min(share, 0.3) if shared < 2 and max(mine, theirs) > 3 else min(share, 1.0)


def _shared_names(one: _Sentence, other: _Sentence) -> int:
    return sum(_named_in(name, other) for name in one.names)


def _named_in(name: str, sentence: _Sentence) -> bool:
    if name in sentence.names or name in sentence.content:
        return True
    # Spanish and Spain, German and Germany are one place.
    adjective = any(key.endswith(("ish", "an", "ese")) for key in (name, *sentence.names))
    if adjective and len(name) >= 4 and any(len(key) >= 4 and key[:3] == name[:3] for key in sentence.names):
        return True
    stem = name[: max(4, len(name) - 2)]
    return len(name) >= 4 and any(
        word.key.startswith(stem) and abs(len(word.key) - len(name)) <= 2 for word in sentence.words
    )


@lru_cache(maxsize=65_536)
def _sentences(text: str) -> tuple[_Sentence, ...]:
    text = plain_words.readable(text)
    text = re.sub(r"\b([Nn])o[ -]one\b", r"\1obody", text)
    text = re.sub(r"\b(has|have|had) yet to\b", r"\1 not", text)
    text = re.sub(r"(?:https?://|www\.)\S+|[#@]\w+|\((?:[\w-]+\.)+[a-z]+/\S*\)", " ", text)
    return tuple(_read(part) for part in _SENTENCE.split(text) if re.search(r"\w", part))


def _key(word: str) -> str:
    usual = plain_words.lemma(word)
    return usual.rstrip("e") if usual.isascii() and len(usual) > 3 else usual


@lru_cache(maxsize=1)
def _lexicon() -> tuple[dict[str, tuple[tuple[str, int], ...]], frozenset[str], frozenset[str]]:
    def keyed(word: str) -> str:
        return word.rstrip("e") if word.isascii() and len(word) > 3 else word

    signs = {keyed(word): entries for word, entries in polarity_words.opposites().items()}
    return (
        signs,
        frozenset(keyed(word) for word in polarity_words.MODAL),
        frozenset(keyed(word) for word in polarity_words.STOPS_WHAT_FOLLOWS),
    )


def _read(text: str) -> _Sentence:
    russian = bool(re.search("[а-яё]", text, re.IGNORECASE))
    moments, rest = quantities.moments(text)
    numbers = quantities.quantities(rest, russian=russian)
    raw = _WORD.findall(re.sub(r"([^\W\d_]+)n[’']t\b", _open_contraction, rest))
    lower = [word.lower().replace("’", "'").replace("ё", "е").removesuffix("'s") for word in raw]
    keys = [_key(word) if word[0].isalpha() else word for word in lower]
    capital = [word[0].isupper() and len(word) > 1 for word in raw]
    inner = [up for up, word in zip(capital[1:], raw[1:], strict=True) if len(word) > 3 and word[0].isalpha()]
    titled = not russian and len(inner) > 3 and sum(inner) > 0.6 * len(inner)
    signs, modal_words, stoppers = _lexicon()
    denied_at = _denied(lower, keys, stoppers)
    words: list[_Word] = []
    content: set[str] = set()
    names: dict[str, str] = {}
    told: dict[str, set[int]] = {}
    said: dict[str, str] = {}
    denied: set[str] = set()
    hedges: set[str] = set()
    opening = ""
    modal = future = False
    start = True
    before = ""
    idle = _idle(lower, keys)
    for at, (word, low, key) in enumerate(zip(raw, lower, keys, strict=True)):
        if not word[0].isalpha():
            start = start or word in ".!?:"
            before = before if word in '«"“' else ""
            continue
        if low in _PREPOSITIONS and low not in ("до", "после", "перед", "after", "before"):
            before = low
        part, grammemes, loose = "", frozenset(), True
        if not low.isascii() and "а" <= low[0] <= "я":
            _, part, grammemes, loose = plain_words.russian(low)
        if low in modal_words or key in modal_words:
            modal = True
            hedges.add(key)
            if at in denied_at:
                denied.add(key)
        if (
            low
            in (
                "will",
                "ll",
                "будет",
                "будут",
                "буду",
                "likely",
                "expected",
                "expects",
                "ожидается",
                "ожидают",
            )
            or "futr" in grammemes
            or (
                low == "to"
                and at
                and (titled or (at <= 3 and capital[at - 1]))
                and keys[at - 1] not in ("want", "plan", "fail", "refus")
            )
        ):
            future = True
        entries = (
            ()
            if at in idle or (capital[at] and not start and not titled)
            else signs.get(key, signs.get(low, ()))
        )
        if entries and not (key == "mor" and len(keys) > at + 1 and keys[at + 1] in ("expensiv", "costly")):
            for name, sign in entries:
                told.setdefault(name, set()).add(-sign if at in denied_at else sign)
                said.setdefault(
                    name, word if at not in denied_at else f"не {word}" if russian else f"not {word}"
                )
                content.add(f"~{name}")
            words.append(_Word(key, low, part == "NOUN", False, loose, before, ""))
        elif (
            (
                key in plain_words.STOP
                or low in plain_words.STOP
                or low in _PREPOSITIONS
                or key in _AUXILIARIES
            )
            or low in polarity_words.NOT_RU
            or low in polarity_words.NOT_EN
            or low in quantities.WORDS
            or key in _CURRENCY_WORDS
            or low in _CURRENCY_WORDS
            or low in modal_words
            or key in modal_words
        ):
            start = False
            continue
        else:
            if at == 0 and len(word) > 1 and capital[at] and (part == "NOUN" or not russian) and not titled:
                opening = word
            name = _is_name(
                word, low, key, raw, at, start=start, titled=titled, grammemes=grammemes, russian=russian
            )
            tense = (
                "future" if "futr" in grammemes else "past" if "past" in grammemes and part != "PRTF" else ""
            )
            if not russian and low.endswith("ed"):
                tense = "past"
            if name:
                names[key] = word
            else:
                content.add(key)
            if at in denied_at:
                denied.add(key)
            words.append(_Word(key, low, part == "NOUN", name, loose, before, tense))
        before = ""
        start = False
    return _Sentence(
        text=text,
        plain=tuple(plain_words.tokens(text)),
        words=tuple(words),
        content=frozenset(content),
        names=names,
        signs={name: frozenset(sides) for name, sides in told.items()},
        said=said,
        denied=frozenset(denied),
        hedges=frozenset(hedges),
        opening=opening,
        quantities=numbers,
        moments=moments,
        modal=modal,
        future=future,
        question=text.rstrip(' »"”)').endswith("?"),
        passive=_is_passive(lower, keys),
        titled=titled,
    )


def _open_contraction(match: re.Match[str]) -> str:
    whole = match.group().lower().replace("’", "'")
    return _CONTRACTED.get(whole, f"{match[1]} not")


def _idle(lower: Sequence[str], keys: Sequence[str]) -> frozenset[int]:
    """Where a word of direction only bounds a number or belongs to a phrase: "more than 5", «до 20%», «не более»."""
    found = set()
    for at, word in enumerate(lower):
        after = lower[at + 1] if at + 1 < len(lower) else ""
        behind = lower[at - 1] if at else ""
        if (
            (word in ("more", "less", "fewer", "higher", "lower") and after == "than")
            or (word in ("more", "less") and behind == "no" and after != "than")
            or (word in ("most", "least") and behind in ("at", "the"))
            or (word in ("up", "down") and after == "to")
            or (word in ("более", "менее", "больше", "меньше"))
            or (word == "до" and after in ("", "конца", "процент", "процентов"))
            or (word in ("on", "off", "back", "like", "free", "end", "leave") and not _as_verb(word, behind))
            or (word == "up" and behind in ("set", "sign", "end", "ends", "open"))
            or (word in ("все", "весь", "всё", "каждый", "all", "every"))
        ):
            found.add(at)
        if word == "more" and behind == "any":
            found.add(at)
    return frozenset(found)


def _as_verb(word: str, behind: str) -> bool:
    if word in ("on", "off"):
        return behind.startswith(("turn", "switch", "put", "call"))
    if word == "free":
        return behind in ("for", "is", "set", "are")
    return word != "back" and behind not in ("the", "an", "of", "looks", "look", "just")


def _denied(lower: Sequence[str], keys: Sequence[str], stoppers: frozenset[str]) -> frozenset[int]:
    """Indexes of the words that a negation reaches; twice denied is not denied."""
    found: list[int] = []
    for at, word in enumerate(lower):
        after = lower[at + 1] if at + 1 < len(lower) else ""
        reach = 1
        if word in (
            "не",
            "ни",
            "нет",
            "not",
            "never",
            "hardly",
            "barely",
            "scarcely",
            "cannot",
            "neither",
            "nobody",
        ):
            if word in ("не", "not") and after in ("только", "просто", "only", "just", "merely", "менее", "более",
                                                   "больше", "меньше", "less", "more", "исключено", "раньше",
                                                   "позже", "позднее", "ранее"):  # fmt: skip
                continue
            if word == "ни" and any(w in ("не", "нет") for w in lower):
                continue
        elif word in ("no", "without", "без"):
            reach = 1 if after == "longer" else 2
        elif keys[at] in stoppers and (_is_verb_form(after) or (after == "to")):
            reach = 1
        else:
            continue
        step = at + 1
        if word == "no" and after == "longer":
            step = at + 2
        # "Why doesn't the app show": the subject stands between.
        if word == "not" and after in _DETERMINERS and at and keys[at - 1] in _AUXILIARIES:
            step = at + 3
        hit = 0
        while step < len(lower) and hit < reach and step <= at + 5:
            if not lower[step][0].isalpha():
                if hit or lower[step] in ".!?;":
                    break
                step += 1
                continue
            if lower[step] not in polarity_words.FEATHERS and lower[step] not in _PREPOSITIONS:
                found.append(step)
                hit += 1
            step += 1
    return frozenset(at for at in set(found) if found.count(at) % 2)


def _is_verb_form(word: str) -> bool:
    if not word:
        return False
    if word.isascii():
        return word.endswith("ing")
    return plain_words.russian(word)[1] == "INFN"


def _is_name(
    word: str, low: str, key: str, raw: Sequence[str], at: int, *, start: bool, titled: bool,
    grammemes: Iterable[str], russian: bool,
) -> bool:  # fmt: skip
    grammemes = set(grammemes)
    if len(word) < 2 or titled:
        return False
    if not word[0].isupper():
        return False
    if russian and word.isascii():
        return True
    if grammemes & {"Name", "Surn", "Patr", "Geox", "Orgn", "Trad", "Abbr"}:
        return True
    if word.isupper() and len(word) <= 6:
        return not start or russian
    if at and raw[at - 1] in '«"“':
        return True
    if not start:
        return True
    if russian:
        return not plain_words.is_known(low)
    # The first word of an English sentence is a name where it is no article, no plural and no word of every day.
    if low in plain_words.STOP or low in _COMMON_STARTS or low in polarity_words.NOT_EN:
        return False
    if low.endswith(("s", "ing", "ly", "ion", "ness")) and not low.endswith(("ss",)) and len(low) > 4:
        return _alone_before_verb(raw, at) and low.endswith("s") and not english_plural(low)
    return _alone_before_verb(raw, at)


def english_plural(word: str) -> bool:
    """Whether the word looks like an ordinary plural (sellers, shares, scientists)."""
    return word.endswith(
        ("ers", "ors", "ists", "es", "ents", "ants", "ies", "ions", "ews", "ils", "ales", "ons", "ts", "ps")
    )


def _alone_before_verb(raw: Sequence[str], at: int) -> bool:
    after = raw[at + 1].lower() if at + 1 < len(raw) else ""
    return (
        after in plain_words.STOP
        or after.endswith(("ed", "s", "d", "t", "y", "will", "may"))
        or raw[at + 1 : at + 2] == ["to"]
    )


def _is_passive(lower: Sequence[str], keys: Sequence[str]) -> bool:
    if any(not w.isascii() and w[0].isalpha() and "PRTS" in plain_words.russian(w)[1] for w in lower):
        return True
    if "by" in lower and any(w.endswith("ed") and len(w) > 3 for w in lower[: lower.index("by")]):
        return True
    return "by" in lower and any(
        key == "be" and any(w.endswith(("ed", "en", "ght", "ld", "nt")) for w in lower[at + 1 : at + 4])
        for at, key in enumerate(keys)
    )


def _compare(one: _Sentence, other: _Sentence, *, close: bool) -> Iterable[Reason]:
    yield from _polarity(one, other, close=close)
    number = quantities.differing(one.quantities, other.quantities, close=close)
    if number is not None:
        code, left, right = number
        shown = [f"{q.value:g} {'' if q.unit == 'count' else q.unit}".strip() for q in (left, right)]
        yield Reason(code=code, first=shown[0], second=shown[1])  # type: ignore[arg-type]
    for kind in sorted({m.kind for m in one.moments} & {m.kind for m in other.moments}):
        mine = {m.value for m in one.moments if m.kind == kind}
        theirs = {m.value for m in other.moments if m.kind == kind}
        if not mine & theirs:
            yield Reason(code="date", first=", ".join(sorted(mine)), second=", ".join(sorted(theirs)))
    if not close:
        return
    yield from _who(one, other)
    yield from _roles(one, other)
    if one.question != other.question:
        yield Reason(code="question", first=one.text, second=other.text)
    if one.modal != other.modal:
        yield Reason(code="modality", first=one.text, second=other.text)
    else:
        past = _tense(one, "past") & _tense(other, "future"), _tense(one, "future") & _tense(other, "past")
        if one.future != other.future and any(past):
            yield Reason(code="modality", first=one.text, second=other.text)


def _tense(sentence: _Sentence, tense: str) -> set[str]:
    if tense == "future" and sentence.future:
        return {word.key for word in sentence.words}
    return {word.key for word in sentence.words if word.tense == tense or (tense == "past" and _past(word))}


def _past(word: _Word) -> bool:
    if word.surface.isascii():
        return word.surface.endswith("ed") or word.surface in plain_words.PAST
    return "past" in plain_words.russian(word.surface)[2]


def _polarity(one: _Sentence, other: _Sentence, *, close: bool) -> Iterable[Reason]:
    against = 0
    for name in one.signs.keys() & other.signs.keys():
        mine, theirs = one.signs[name], other.signs[name]
        if (
            len(mine) == len(theirs) == 1
            and mine != theirs
            and (close or name not in ("late", "amount", "side"))
        ):
            denied = "не " in one.said[name] + other.said[name] or "not " in one.said[name] + other.said[name]
            against += 1
            yield Reason(
                code="negation" if denied else "direction", first=one.said[name], second=other.said[name]
            )
    here = one.content | one.names.keys() | one.hedges
    there = other.content | other.names.keys() | other.hedges
    for key in sorted((one.denied ^ other.denied) & here & there):
        mine = f"не {key}" if key in one.denied else key
        yield Reason(code="negation", first=mine, second=key if key in one.denied else f"не {key}")
        return
    if (
        close
        and not against
        and bool(one.denied) != bool(other.denied)
        and not (one.signs.keys() | other.signs.keys())
    ):
        lone = one.denied or other.denied
        if len(lone) == 1:
            yield Reason(code="negation", first=one.text, second=other.text)


def _who(one: _Sentence, other: _Sentence) -> Iterable[Reason]:
    mine = [shown for key, shown in one.names.items() if not _named_in(key, other)]
    theirs = [shown for key, shown in other.names.items() if not _named_in(key, one)]
    mine, theirs = mine or _opening(one, other, theirs), theirs or _opening(other, one, mine)
    if mine and theirs:
        yield Reason(code="who", first=", ".join(mine), second=", ".join(theirs))


def _opening(one: _Sentence, other: _Sentence, named: Sequence[str]) -> list[str]:
    """The first word of `one`, where the other names somebody in its place («Сбербанк» beside «ВТБ»)."""
    if not named or not one.opening or other.plain[:1] != tuple(plain_words.tokens(named[0]))[:1]:
        return []
    key = _key(one.opening.lower())
    return [] if key in _KINDS or _named_in(key, other) else [one.opening]


def _roles(one: _Sentence, other: _Sentence) -> Iterable[Reason]:
    """The same words, but who does it and to whom it is done have changed places."""
    mine, theirs = (
        {w.key: (i, w) for i, w in enumerate(one.words)},
        {w.key: (i, w) for i, w in enumerate(other.words)},
    )
    shared = mine.keys() & theirs.keys()
    if len(shared) < 2 or len(shared) < 0.75 * max(len(mine), len(theirs)):
        return
    russian = any(not key.isascii() for key in shared)
    keys = sorted(shared, key=lambda key: mine[key][0])
    able = [key for key in keys if mine[key][1].noun or mine[key][1].name or not russian]
    for x in able:
        for y in able:
            (ax, wx), (bx, vx), (ay, wy), (by, vy) = mine[x], theirs[x], mine[y], theirs[y]
            if ax >= ay:
                continue
            turned = wx.before == vy.before and wy.before == vx.before and wx.before != wy.before
            if turned and one.passive == other.passive:
                yield Reason(
                    code="roles",
                    first=f"{wx.before} {x} {wy.before} {y}",
                    second=f"{vy.before} {y} {vx.before} {x}",
                )
                return
            crossed = bx > by
            between = any(ax < mine[v][0] < ay and by < theirs[v][0] < bx for v in shared - {x, y})
            if crossed and between and one.passive == other.passive and _moved(wx, vx) and _moved(wy, vy):
                yield Reason(code="roles", first=f"{x} → {y}", second=f"{y} → {x}")
                return


def _moved(here: _Word, there: _Word) -> bool:
    """Whether the word may play another part there: another form, or a form that does not tell."""
    if here.before and here.before == there.before:
        return False
    return here.surface != there.surface or here.loose_case or here.before != there.before
