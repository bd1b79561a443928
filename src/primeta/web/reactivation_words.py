"""The ladder's own sentences as its pages say them: capitals, full stops, nothing twice."""

from __future__ import annotations

from dataclasses import dataclass

from primeta.reactivation import ladder_sentences as sentences
from primeta.reactivation.ladder_words import METRICS, RUNGS, WHY_NOT, words
from primeta.reactivation.records import LadderFacts
from primeta.web.reader import Reader, capital

SHOWN_ELSEWHERE = frozenset({"sample-ratio", "overtakes"})
"""Notes that the head of the page and the chart tell already."""


def why_words(reader: Reader, code: str) -> str:
    """Why there is no answer, as a sentence; a code that nobody wrote words for is told as it is."""
    return capital(words(WHY_NOT, code, reader.lang)).rstrip(".") + "."


def trait_name(reader: Reader, code: str) -> str:
    return words(METRICS, code, reader.lang)


def rung_name(reader: Reader, rung: int) -> str:
    return RUNGS[rung][reader.lang]


WARNINGS = frozenset(
    {"unbalanced", "driven-away", "log-ends-early", "pulled-forward", "needless-outside", "money-is-revenue"}
)
"""Notes that change how the figures are to be read."""


def remarks(reader: Reader, facts: LadderFacts, *, warnings: bool) -> list[str]:
    """What a reader must know beside the numbers: what changes their reading, or what merely was left out."""
    return [
        sentences.note(entry, facts, reader.lang)
        for entry in facts.notes
        if entry.code not in SHOWN_ELSEWHERE and (entry.code in WARNINGS) == warnings
    ]


def next_rung(reader: Reader, facts: LadderFacts) -> str:
    """What the first rung that is not reached lacks, and how to get it; empty where all are reached."""
    step = next((entry for entry in facts.climb if not entry.reached), None)
    return sentences.step(step, facts, reader.lang) if step else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One thing to do, and why."""

    title: str
    text: str


def advice(reader: Reader, facts: LadderFacts) -> list[Advice]:
    """What follows from the ladder, the most important first; a command of the terminal is the tab that it stands for."""
    _ = reader._
    tabs = {
        "primeta reactivation moment": _("the tab “Moment”"),
        "primeta reactivation discount": _("the tab “Discount”"),
    }
    found = []
    for title, why in sentences.next_steps(facts, reader.lang):
        text = why
        for command, tab in tabs.items():
            text = text.replace(command, str(tab))
        found.append(Advice(title=title, text=capital(text)))
    return found
