"""A text as it is compared: without case, ё, punctuation, links and disguise; its words in their usual form."""

# Lists of words are easier to read, and to add to, as a text.
# ruff: noqa: SIM905

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import Any

_INVISIBLE = dict.fromkeys(
    [0xAD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF, 0xFE0E, 0xFE0F, 0x0301, 0x034F]
)
_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>\"»]+|\b[\w.-]+\.(?:com|org|net|ru|me|io|рф)/[^\s<>\"»]*", re.IGNORECASE
)
_ADDRESS = re.compile(r"\S+@\S+\.\w+")
_BETWEEN = re.compile(r"[^\w%$€£₽¥+]+|_+")
_GROUPED = re.compile(r"(?<=\d)[ \u00a0\u202f'](?=\d{3}(?!\d))")
_POINT = re.compile(r"(?<=\d)[.,](?=\d)")
_TOKEN = re.compile(r"[%$€£₽¥]|\d+(?:[.·]\d+)*|[^\W\d_]+|\w+")
_HIDDEN = re.compile("[" + "".join(map(chr, _INVISIBLE)) + "]")
_BESIDE = re.compile(r"[a-zA-Z][\u0400-\u04ff]|[\u0400-\u04ff][a-zA-Z]")
_MIXED = re.compile(r"\w*(?:[a-zA-Z][\u0400-\u04ff]|[\u0400-\u04ff][a-zA-Z])\w*")

# Letters that look alike: what is written with one alphabet's letter to pass by a filter reads as the other's.
_TO_CYRILLIC = str.maketrans("aceopxykmthbACEOPXYKMTHB", "асеорхукмтнвАСЕОРХУКМТНВ")
_TO_LATIN = str.maketrans("асеорхукмтнвАСЕОРХУКМТНВіІ", "aceopxykmthbACEOPXYKMTHBiI")

STOP_RU = frozenset(
    "и в во на с со по к ко у о об от из за для до при над под про через между а но или что как это этот эта эти "
    "то тот та те так же ли бы да он она оно они мы вы я ты его её ее их наш ваш мой свой себя кто который где "
    "когда чтобы если быть весь уже еще ещё очень там тут вот тоже также лишь сам самый можно такой".split()
)
STOP_EN = frozenset(
    "a an the of to in on at by for with from into over as and or but if then than that this these those it its is "
    "are was were be been being am has have had having do does did i you he she we they them him her me my your our "
    "their his us who whom which what when where how so too very just also about there here will would can could "
    "shall should may might must s t re ve ll d m not".split()
)
STOP = STOP_RU | STOP_EN


def readable(text: str) -> str:
    """The text without what a reader does not see: soft hyphens, zero-width signs, letters of a foreign alphabet."""
    if text.isascii():
        return text
    if not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", text)
    text = _HIDDEN.sub("", text)
    return _MIXED.sub(_one_alphabet, text) if _BESIDE.search(text) else text


def _one_alphabet(found: re.Match[str]) -> str:
    word = found.group()
    cyrillic = sum("\u0400" <= c <= "\u04ff" for c in word)
    latin = sum(c.isascii() and c.isalpha() for c in word)
    # «PDF-файл» is split before; where most letters are of one alphabet and the rest only look alike, it is disguise.
    there = word.translate(_TO_CYRILLIC if cyrillic >= latin else _TO_LATIN)
    return there if bool(re.search("[a-zA-Z]", there)) != bool(re.search("[\u0400-\u04ff]", there)) else word


def normal_form(text: str) -> str:
    """What two texts are compared by: lower case, е for ё, words one space apart; no links, emoji, punctuation.

    Numbers stay whole (`2,5` and `2.5` read `2·5`, `1 250` reads `1250`), as do %, +, $, €, £, ₽, ¥.
    """
    text = text.replace("Ё", "Е").replace("ё", "е").replace("’", "").replace("'", "")
    text = readable(text)
    if "/" in text or "www" in text:
        text = _LINK.sub(" ", text)
    if "@" in text:
        text = _ADDRESS.sub(" ", text)
    text = text.lower()
    text = _POINT.sub("·", _GROUPED.sub("", text))
    if "·" in text:
        return _BETWEEN.sub(_dot_or_space, text).strip()
    return _BETWEEN.sub(" ", text).strip()


def _dot_or_space(found: re.Match[str]) -> str:
    return "·" if found.group() == "·" else " "


def tokens(text: str) -> list[str]:
    """Words, numbers and signs of the normal form, in order."""
    return _TOKEN.findall(normal_form(text))


@cache
def _morphology() -> Any:
    import pymorphy3

    return pymorphy3.MorphAnalyzer()


@lru_cache(maxsize=200_000)
def russian(word: str) -> tuple[str, str, frozenset[str], bool]:
    """Usual form, part of speech, grammemes of the likeliest reading, and whether its case is the same as subject
    and as object (`город`, `Динамо`, Latin names)."""
    parses = _morphology().parse(word)
    first = parses[0]
    normal = first.normal_form.replace("ё", "е")
    cases = {str(p.tag.case) for p in parses if p.tag.POS == "NOUN" and p.score >= 0.05}
    return (
        normal,
        str(first.tag.POS or ""),
        frozenset(first.tag.grammemes),
        not cases or {"nomn", "accs"} <= cases,
    )


@lru_cache(maxsize=100_000)
def is_known(word: str) -> bool:
    """Whether the Russian dictionary has the word, in any form."""
    return bool(_morphology().word_is_known(word))


_IRREGULAR = {
    "rose": "rise", "risen": "rise", "fell": "fall", "fallen": "fall", "went": "go", "gone": "go", "grew": "grow",
    "grown": "grow", "won": "win", "lost": "lose", "beat": "beat", "beaten": "beat", "bought": "buy", "sold": "sell",
    "said": "say", "told": "tell", "took": "take", "taken": "take", "overtook": "overtake", "made": "make",
    "came": "come", "got": "get", "gave": "give", "given": "give", "held": "hold", "built": "build", "began": "begin",
    "begun": "begin", "kept": "keep", "left": "leave", "met": "meet", "paid": "pay", "spoke": "speak", "sent": "send",
    "shrank": "shrink", "sank": "sink", "upheld": "uphold", "broke": "break", "broken": "break", "threw": "throw",
    "people": "person", "men": "man", "women": "woman", "children": "child", "better": "better", "worse": "worse",
    "has": "have", "had": "have", "is": "be", "are": "be", "was": "be", "were": "be", "been": "be", "does": "do",
    "did": "do", "dying": "die", "lying": "lie", "found": "find", "shut": "shut", "cut": "cut", "hit": "hit",
    "programme": "program", "programmes": "program",
}  # fmt: skip
PAST = frozenset(
    "rose fell went grew won lost beat bought sold said told took overtook made came got gave held built began kept left "
    "met paid spoke sent shrank sank upheld broke threw had was were did found".split()
)
_KEEP = frozenset("news this thus always business less plus gas bus process access address loss success bless "
                  "during morning evening nothing something anything everything spring string thing bring king ring "
                  "need feed speed seed indeed red bed shed hundred is was yes us its james across".split())  # fmt: skip


@lru_cache(maxsize=200_000)
def english(word: str) -> str:
    """The stem by a few rules that are right for the common case: plural, past, -ing; irregular verbs by a list."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word in _KEEP or len(word) < 4:
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    for ending in ("ing", "ied", "ed"):
        stem = word[: -len(ending)]
        if word.endswith(ending) and len(stem) >= 3 and re.search("[aeiouy]", stem):
            if ending == "ied":
                return stem + "y"
            if stem[-1] == stem[-2] and stem[-1] not in "lsz":
                return stem[:-1]
            return stem + "e" if _wants_e(stem) else stem
    return word


def _wants_e(stem: str) -> bool:
    if stem.endswith(("at", "iz", "is", "as", "os", "us", "c", "v", "dg", "rg", "u", "ir", "ur", "ar", "uc", "as", "ov",
                      "yp", "ik", "id", "ud", "lish")):  # fmt: skip
        return not stem.endswith(("lish", "ear", "oid", "aid", "our", "eas" * 2))
    return len(stem) == 3 and stem[1] in "aeiou" and stem[0] not in "aeiou" and stem[-1] not in "wxylnrtdpg"


def lemma(word: str) -> str:
    """Usual form of one lower-case word: Cyrillic by pymorphy3, Latin by rules, anything else as it stands."""
    if word.isascii():
        return english(word) if word.isalpha() else word
    if "\u0400" <= word[0] <= "\u04ff":
        return russian(word)[0]
    return word


def words(text: str) -> list[str]:
    """Usual forms of the words that carry meaning, in order, without stop words, numbers and signs."""
    found: list[str] = []
    for token in tokens(text):
        if len(token) < 2 or not token[0].isalpha() or token in STOP:
            continue
        usual = lemma(token)
        if usual not in STOP:
            found.append(usual)
    return found
