"""Which language a text is in, told by its letters and its commonest words: quick, and sure only where it can be."""

from __future__ import annotations

import re
from functools import cache

_LETTERS = re.compile(r"[^\W\d_]")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_SKIP = re.compile(r"https?://\S+|www\.\S+|[@#]\w+|\S+@\S+")

# Letters that one alphabet has and Russian has not.
_OWN_LETTERS = (
    ("be", re.compile("[ўЎ]")),
    ("uk", re.compile("[їєґЇЄҐ]")),
    ("mk", re.compile("[ѓќѕЃЌЅ]")),
    ("sr", re.compile("[ђјљњћџЂЈЉЊЋЏ]")),
    ("kk", re.compile("[әғқңұһӘҒҚҢҰҺ]")),
)
_I = re.compile("[іІ]")
_RUSSIAN_ONLY = re.compile("[ыэёЫЭЁ]")

_WORDS: dict[str, str] = {
    "ru": "и в не на что с по это как но к у из за о от для все так же то бы если или только уже есть нет после при "
    "до может его её мы вы они был была были будет чтобы когда где еще ещё также можно этого который которые",
    "uk": "що як та це й у від але або якщо вже також після можна буде було яка які який про до щоб коли де ще немає "
    "україна україни є цей ця їх його її він вона воно",
    "bg": "ще са се че със във беше която който които това тази този има няма може или след през вече беше бяха както "
    "но е си към като още само при без бъде най",
    "sr": "je su се је су да за који која које што од као али или није ће бити због после пре већ само сам би",
    "en": "the a an of to in and is are was were for on with that this it as at by from be has have had not but or "
    "you your we our they their its his her will would can could may after before over about into than more how why "
    "what when who which new no up out says said i my do does don't doesn't didn't isn't won't can't",
    "de": "der die das und ist nicht ein eine zu den mit auf für im dem von des auch sich bei wird sind aus wie nach "
    "über noch oder aber nur zum zur hat",
    "fr": "le la les des et est une un du dans pour pas que qui sur au aux avec ce cette plus par sont ne se ou mais "
    "il elle nous vous ont été",
    "es": "el la los las de y en que es un una por con para no se del al su más como pero lo este esta son ha muy "
    "sobre hay también",
    "it": "il lo la gli le di e che è un una per con non si del della dei nel sono più come anche ma questo questa "
    "alla dal",
    "pt": "o os as de e que é um uma para com não se do da dos das no na em por mais como mas ao são também foi está",
    "pl": "i w nie na się z do to jest że o jak po co dla od za przez ale był są tym oraz lub już",
    "tr": "ve bir bu için ile da de çok daha ne gibi olan olarak en var yok mi mı değil",
}  # fmt: skip


@cache
def _common() -> dict[str, frozenset[str]]:
    return {code: frozenset(words.split()) for code, words in _WORDS.items()}


def language_of(text: str) -> str:
    """`ru`, `en`, another ISO 639-1 code where the text tells it, else empty.

    Args:
        text: Title, comment or article; addresses, tags and names with @ are left out of account. Of long texts the
            first 2,000 characters count.
    Returns:
        The language of the words that carry the sentence: «Docker и Kubernetes на проде» is Russian.
    """
    text = _SKIP.sub(" ", text[:2000])
    letters = len(_LETTERS.findall(text))
    if letters < 2:
        return ""
    cyrillic, latin = len(_CYRILLIC.findall(text)), len(_LATIN.findall(text))
    # Russian texts are full of Latin names, English ones of no Cyrillic: a quarter is enough to tell.
    if cyrillic >= 0.25 * letters:
        return _cyrillic(text)
    if latin >= 0.5 * letters:
        return _latin(text)
    return _other_script(text)


def _hits(words: list[str], *codes: str) -> dict[str, int]:
    common = _common()
    return {code: sum(word in common[code] for word in words) for code in codes}


def _cyrillic(text: str) -> str:
    words = [w.lower() for w in _WORD.findall(text) if _CYRILLIC.match(w)]
    for code, own in _OWN_LETTERS:
        if len(own.findall(text)) >= (1 if len(words) < 12 else 2):
            return code
    if _I.search(text) and not _RUSSIAN_ONLY.search(text):
        return "uk"
    hits = _hits(words, "ru", "uk", "bg", "sr")
    if _RUSSIAN_ONLY.search(text):
        return "ru"
    best = max(hits, key=lambda code: (hits[code], code == "ru"))
    # Words that Russian shares with its neighbours («на», «за», «от») speak for it only where nothing else does.
    own = {code: hits[code] - _shared(words, code) for code in ("uk", "bg", "sr")}
    # Bulgarian says "the" by an ending that Russian has not.
    own["bg"] += sum(len(word) > 5 and word.endswith(("ията", "ият", "ът", "ите", "ата")) for word in words)
    rival = max(own, key=lambda code: own[code])
    ru_own = _shared_not(words)
    if own[rival] > ru_own and (own[rival] >= 2 or len(words) <= 12):
        return rival
    return "ru" if best == "ru" or own[rival] <= ru_own else ""


def _shared(words: list[str], code: str) -> int:
    common = _common()
    both = common[code] & common["ru"]
    return sum(word in both for word in words)


def _shared_not(words: list[str]) -> int:
    common = _common()
    mine = common["ru"] - common["uk"] - common["bg"] - common["sr"]
    soft = sum(word.endswith(("ть", "ться", "ого", "его", "ий", "ии", "ия", "ет", "ют")) for word in words)
    return sum(word in mine for word in words) + soft


def _latin(text: str) -> str:
    words = [w.lower().replace("’", "'") for w in _WORD.findall(text)]
    hits = _hits(words, "en", "de", "fr", "es", "it", "pt", "pl", "tr")
    english = hits.pop("en")
    rival = max(hits, key=lambda code: hits[code])
    foreign = sum(ord(c) > 127 for c in text if c.isalpha())
    if hits[rival] > english and (hits[rival] >= 2 or foreign):
        return rival
    if english > hits[rival] or (english and not foreign):
        return "en"
    if foreign:
        return ""
    endings = ("s", "ed", "ing", "er", "ly", "tion", "ment", "ness", "y")
    plain = sum(len(word) > 3 and word.endswith(endings) for word in words)
    return "en" if plain and len(words) >= 2 else ""


def _other_script(text: str) -> str:
    for code, letters in (("ja", "[\u3040-\u30ff]"), ("ko", "[\uac00-\ud7af]"), ("zh", "[\u4e00-\u9fff]"),
                          ("ar", "[\u0600-\u06ff]"), ("he", "[\u0590-\u05ff]"), ("el", "[\u0370-\u03ff]"),
                          ("ka", "[\u10a0-\u10ff]"), ("hy", "[\u0530-\u058f]")):  # fmt: skip
        if re.search(letters, text):
            return code
    return ""
