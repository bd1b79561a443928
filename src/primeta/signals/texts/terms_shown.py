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
    """One form for all: «тихий режим» for «тихим режимом» and «Тихого режима», «скидки» where most say it in the
    plural, "Claude Code" with its capitals. Empty where nobody wrote it."""
    votes: Counter[str] = Counter()
    unsure: list[tuple[str, str, int]] = []
    for form, number in sorted(forms.items()):
        plain, other = _headlines(form)
        if other:
            unsure.append((plain, other, number))
        else:
            votes[plain] += number
    # «уведомления» are many, or one in the genitive: other forms decide, and where there are none, it is many.
    sure = Counter({word.lower(): number for word, number in votes.items()})
    for plain, other, number in unsure:
        votes[other if sure[other.lower()] > sure[plain.lower()] else plain] += number
    if not votes:
        return ""
    folded: Counter[str] = Counter()
    for form, number in votes.items():
        folded[form.lower()] += number
    low = max(folded, key=lambda form: (folded[form], form))
    cased = {form: number for form, number in votes.items() if form.lower() == low}
    best = max(cased, key=lambda form: (cased[form], form))
    # A capital that only begins sentences is none; a name seldom stands without it.
    if "\u0400" <= low[0] <= "\u04ff" and not _is_name(best) and 4 * cased.get(low, 0) >= cased[best]:
        return low
    return best


def _is_name(form: str) -> bool:
    return any(c.isupper() or c.isdigit() for word in form.split() for c in word[1:])


def _headlines(form: str) -> tuple[str, str]:
    """The nominative of a Russian word or phrase, anything else as it stands; and the singular that it may be the
    genitive of, where it may be either."""
    words = form.split()
    if not any("\u0400" <= word[0] <= "\u04ff" for word in words):
        return form, ""
    parses = [_parse(word) for word in words]
    head = next(
        (at for at, parse in enumerate(parses) if parse is not None and parse.tag.POS == "NOUN"), None
    )
    if head is None:
        return form, ""
    noun = parses[head]
    plain = _turned(words, parses, head, noun)
    many = next(
        (p for p in _readings(words[head]) if p.tag.POS == "NOUN" and {"nomn", "plur"} in p.tag), None
    )
    if noun.tag.number == "sing" and many is not None and head == 0:
        return form, plain
    return plain, ""


def _turned(words: Sequence[str], parses: Sequence[Any], head: int, noun: Any) -> str:
    # «скидками» stays plural, «режима» becomes «режим».
    wanted = {"nomn", "plur"} if noun.tag.number == "plur" else {"nomn", "sing"}
    turned = noun.inflect(wanted) or noun.inflect({"nomn"})
    if turned is None:
        return " ".join(words)
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


def _readings(word: str) -> list[Any]:
    return list(_morphology().parse(word.lower()))


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
