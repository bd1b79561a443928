"""How a term reads: as people wrote it, in the form that a dictionary entry or a headline would have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from primeta.signals.texts.plain_words import _morphology
from primeta.signals.texts.terms import TermReader

_ADJECTIVES = ("ADJF", "PRTF")


def written_forms(
    codes: Collection[int], texts: Iterable[str], *, reader: TermReader
) -> dict[int, Counter[str]]:
    """How often each term was written how, over some texts that hold it."""
    wanted = set(codes)
    found: dict[int, Counter[str]] = {code: Counter() for code in wanted}
    for text in texts:
        for code, form in reader.spoken(text):
            if code in wanted:
                found[code][form.removeprefix("#")] += 1
    return found


def shown(forms: Mapping[str, int]) -> str:
    """One form for all: «тихий режим» for «тихим режимом» and «Тихого режима», «скидки» where most say skidki in the
    plural, "Claude Code" with its capitals. Empty where nobody wrote it."""
    if not forms:
        return ""
    cased: Counter[str] = Counter()
    for form, number in forms.items():
        cased[_headline(form)] += number
    best = max(cased.items(), key=lambda entry: (entry[1], entry[0].islower(), entry[0]))[0]
    # A capital that only begins sentences is none: «Уведомления» beside «уведомления» in one text of four or more.
    low = best.lower()
    if best != low and not _is_name(best) and 4 * cased.get(low, 0) >= cased[best]:
        return low
    return best


def joined(terms: Sequence[str]) -> list[str]:
    """Terms without those that stand word for word in another: «режим» beside «тихий режим» says nothing more."""
    kept: list[str] = []
    low = [f" {term.lower()} " for term in terms]
    for place, term in enumerate(terms):
        longer = any(low[place] in other and len(other) > len(low[place]) for other in low)
        if not longer and term not in kept:
            kept.append(term)
    return kept


def _is_name(form: str) -> bool:
    return any(c.isupper() or c.isdigit() for word in form.split() for c in word[1:])


def _headline(form: str) -> str:
    """The nominative of a Russian word or phrase; anything else as it stands."""
    words = form.split()
    if not any("\u0400" <= word[0] <= "\u04ff" for word in words):
        return form
    parses = [_parse(word) for word in words]
    head = next(
        (at for at, parse in enumerate(parses) if parse is not None and parse.tag.POS == "NOUN"), None
    )
    if head is None:
        if len(words) == 1 and parses[0] is not None and parses[0].tag.POS in ("VERB", "INFN"):
            return form
        return form
    noun = parses[head]
    # «скидки» stays plural, «режима» becomes «режим».
    wanted = {"nomn", "plur"} if noun.tag.number == "plur" else {"nomn", "sing"}
    turned = noun.inflect(wanted) or noun.inflect({"nomn"})
    if turned is None:
        return form
    out = list(words)
    out[head] = _cased(turned.word, words[head])
    for at in range(head):
        parse = parses[at]
        if parse is None or parse.tag.POS not in _ADJECTIVES:
            continue
        marks = set(wanted)
        if turned.tag.number == "sing" and turned.tag.gender:
            marks.add(turned.tag.gender)
        agreed = parse.inflect(marks)
        if agreed is not None:
            out[at] = _cased(agreed.word, words[at])
    return " ".join(out)


def _parse(word: str) -> Any:
    if (
        not "\u0400" <= word[0] <= "\u04ff"
        or (word.isupper() and len(word) <= 6)
        or any(c.isdigit() for c in word)
    ):
        return None
    parses = _morphology().parse(word.lower())
    return parses[0] if parses else None


def _cased(new: str, old: str) -> str:
    if old.isupper() and len(old) > 1:
        return new.upper()
    return new[:1].upper() + new[1:] if old[:1].isupper() else new
