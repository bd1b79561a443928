"""Why a trend has its grade, in one sentence: what confirms it, or what is missing until it is."""

from __future__ import annotations

from primeta.signals.grades import REPEATS
from primeta.trends.records import Evidence
from primeta.web.reader import Reader


def why_graded(reader: Reader, evidence: Evidence) -> str:
    """The sentence above the evidence; empty where there is none yet."""
    if not evidence.origins:
        return ""
    if evidence.grade in ("fading", "refuted"):
        return reader.t(evidence.why[-1]) if evidence.why else ""
    counted = reader.listed(reader.words(entry.origin for entry in evidence.origins if entry.counts))
    when = _repeats(reader, evidence)
    if evidence.grade == "confirmed":
        return str(
            reader._n(
                "Confirmed: {when}, and {n:m} independent side tells it: {sides}.",
                "Confirmed: {when}, and {n:m} independent sides tell it: {sides}.",
                evidence.independent_origins,
                when=when,
                sides=counted,
            )
        )
    missing = _missing(reader, evidence, counted, repeats=bool(when))
    if not missing:
        return reader.t(evidence.why[-1]) if evidence.why else ""
    return str(reader._("Not confirmed yet. Missing: {missing}.", missing="; ".join(missing)))


def _repeats(reader: Reader, evidence: Evidence) -> str:
    """By what it repeats; empty where by neither months nor quarters."""
    months = evidence.months[0] >= REPEATS["months"][0]
    quarters = evidence.quarters[0] >= REPEATS["quarters"][0]
    if months and quarters:
        return str(reader._("it repeats by months and quarters"))
    if months:
        return str(reader._("it repeats by months"))
    return str(reader._("it repeats by quarters")) if quarters else ""


def _missing(reader: Reader, evidence: Evidence, counted: str, *, repeats: bool) -> list[str]:
    found: list[str] = []
    if "notes_only" in evidence.why:
        found.append(str(reader._("a measurement, by a metric or by texts")))
    elif evidence.grade == "noticed":
        found.append(str(reader._("evidence that is strong for a whole year of weekly looks")))
    if not repeats:
        found.append(
            str(reader._("a repeat in two of the last three months or in both of the last two quarters"))
        )
    if evidence.independent_origins < 2:
        found.append(str(reader._("a second independent side, so far there is only: {sides}", sides=counted)))
        lone = [entry for entry in evidence.origins if entry.origin == "outside" and not entry.counts]
        if lone:
            found.append(str(reader._("an outside source that says it without repeating the first one")))
    return found
