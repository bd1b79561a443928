"""What `--json` and the HTTP API say: the keys that scripts rely on (DESIGN §6)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from primeta.signals.note import Note
from primeta.signals.signal import Block, Signal
from primeta.trends.evidence import BLOCKS_NEEDED
from primeta.trends.records import Evidence, Trend, Weighing


def signals_document(signals: Iterable[Signal], notes: Iterable[Note]) -> dict[str, Any]:
    """Metric signals, then what people wrote down; what a note cannot know is null."""
    return {"signals": [*map(signal_document, signals), *map(note_document, notes)]}


def signal_document(signal: Signal) -> dict[str, Any]:
    frozen = signal.frozen
    return {
        "id": signal.id,
        "about": frozen.about,
        "slice": frozen.slice,
        "since": frozen.since,
        "direction": frozen.direction,
        "observed": signal.observed,
        "expected": signal.expected,
        "low": signal.low,
        "high": signal.high,
        "e_value": signal.e_value,
        "grade": signal.grade,
        "origin": frozen.origin,
        "first_seen": frozen.first_seen,
        "smallest_effect": frozen.smallest_effect,
        "halves": list(signal.halves),
        "weeks": _blocks(signal.weeks),
        "months": _blocks(signal.months),
        "quarters": _blocks(signal.quarters),
        "why": list(signal.why),
        "why_not": signal.why_not,
        "topic": signal.topic or None,
        "owners": list(signal.owners),
    }


def note_document(note: Note) -> dict[str, Any]:
    return {
        "id": note.id,
        "about": note.subject,
        "slice": "all",
        "since": note.happened_at,
        "direction": note.direction,
        "observed": None,
        "expected": None,
        "low": None,
        "high": None,
        "e_value": None,
        "grade": "noticed",
        "origin": note.origin,
        "text": note.text,
        "source": note.source,
        "url": note.url,
        "by": note.by,
        "logged_at": note.logged_at,
        "files": [
            {"name": file.name, "media": file.media, "size": file.size, "digest": file.digest}
            for file in note.files
        ],
    }


def _blocks(blocks: Iterable[Block]) -> list[dict[str, Any]]:
    return [
        {
            "code": block.code,
            "effect": block.effect,
            "low": block.low,
            "high": block.high,
            "e_value": block.e_value,
            "passes": block.passes,
            "finished": block.finished,
        }
        for block in blocks
    ]


def trends_document(trends: Iterable[Trend]) -> dict[str, Any]:
    return {"trends": [trend_document(trend) for trend in trends]}


def trend_document(trend: Trend) -> dict[str, Any]:
    card, evidence, decision = trend.card, trend.evidence, trend.decision
    return {
        "id": trend.id,
        "name": card.name,
        "type": card.type,
        "grade": evidence.grade,
        "origins": [entry.origin for entry in evidence.origins],
        "sides": [
            {
                "origin": entry.origin,
                "grade": entry.grade,
                "sources": list(entry.sources),
                "counts": entry.counts,
            }
            for entry in evidence.origins
        ],
        "since": evidence.since,
        "weeks": _counts(evidence, "week"),
        "months": _counts(evidence, "month"),
        "quarters": _counts(evidence, "quarter"),
        "filters": _filters(trend.weighing),
        "money": _money(trend.weighing),
        "decision": decision.answer if decision else None,
        "criteria": decision.criteria if decision else card.criteria,
        "due": decision.due if decision else card.review,
        "owner": decision.owner if decision else card.owner,
        "signals": list(trend.signals),
        "missing_fields": list(card.missing()),
        "version": trend.version,
    }


def _counts(evidence: Evidence, grain: Any) -> dict[str, int]:
    passing, finished = {
        "week": evidence.weeks,
        "month": evidence.months,
        "quarter": evidence.quarters,
    }[grain]
    return {"passing": passing, "finished": finished, "needed": BLOCKS_NEEDED[grain]}


def _filters(weighing: Weighing | None) -> dict[str, Any]:
    if weighing is None:
        return {}
    return {
        entry.name: {
            "value": entry.value,
            "unit": entry.unit,
            "score": entry.score,
            "threshold": entry.threshold,
            "passes": entry.passes,
            "basis": entry.basis,
            "reason": entry.reason[0],
            "figures": dict(entry.reason[1]),
        }
        for entry in weighing.filters
    }


def _money(weighing: Weighing | None) -> dict[str, Any]:
    scenario = weighing.scenario("money") if weighing else None
    if scenario is None:
        return {"p10": None, "p50": None, "p90": None, "basis": None, "why_not": "not-weighed"}
    return {
        "p10": scenario.p10,
        "p50": scenario.p50,
        "p90": scenario.p90,
        "basis": scenario.basis,
        "why_not": scenario.why_not,
    }
