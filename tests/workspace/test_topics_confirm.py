"""The whole loop on a company whose truth is known: what is said and what is measured confirm each other."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from primeta.trends.evidence import STRENGTH
from primeta.workspace.workspace import open_workspace
from primeta.worlds.text_files import company_with_texts, write_company_with_texts
from primeta.worlds.text_words import TERMS

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def subject_of(words: set[str]) -> str:
    """The planted subject whose words a topic has most of; empty where it has none."""
    from primeta.signals.texts.plain_words import words as usual

    said = set(usual(" ".join(words)))
    best = max(TERMS, key=lambda subject: len(said & set(TERMS[subject])))
    return best if said & set(TERMS[best]) else ""


@pytest.mark.slow
def test_metric_voice_and_outside_text_confirm_and_a_cascade_does_not(tmp_path):
    company, said = company_with_texts(customers=6000, seed=5, weeks=104)
    write_company_with_texts(company, said, tmp_path / "company")
    ws = open_workspace(tmp_path / "company")
    report = ws.watch(now=NOW)
    assert report.new_documents == len(said.texts)
    assert not report.sources_failed

    holding = [view.topic for view in ws.topics(now=NOW) if STRENGTH[view.topic.grade] >= STRENGTH["holding"]]
    found = {subject_of(set(topic.terms)) for topic in holding}
    assert {"folding", "refill", "register"} <= found
    assert not found & {"fire", "recall", "strike"}, "a cascade of reposts was taken for a topic"
    assert not any(
        topic.grade == "confirmed" and subject_of(set(topic.terms)) in ("studio", "refill", "lockers")
        for topic in holding
    ), "one origin confirmed itself"

    trend = next(
        entry
        for entry in ws.trends()
        if "open_rate" in entry.card.metrics and entry.evidence.grade == "repeating"
    )
    assert trend.evidence.independent_origins == 1
    offered = next(
        entry
        for entry in ws.suggestions(trend.id)
        if (sign := ws.signal(entry.signal_id)).topic and subject_of({sign.words}) == "folding"
    )
    assert {"same-words", "same-time"} <= set(offered.why)
    joined = ws.attach(trend.id, offered.signal_id, by="Anna", now=NOW)
    assert joined.evidence.grade == "confirmed"
    assert {entry.origin for entry in joined.evidence.origins if entry.counts} >= {"metric", "outside"}
    # Texts and customers began before the metric fell, as planted.
    topic = ws.topic(ws.signal(offered.signal_id).topic).topic
    planted = next(entry for entry in said.planted if entry.subject == "folding")
    assert abs((topic.since - planted.starts).days) <= 28
    assert joined.evidence.since is not None
    assert joined.evidence.since <= date(2024, 6, 1)
    again = ws.watch(now=NOW)
    assert again.new_documents == again.new_trends == again.moved == 0
    assert ws.trend(trend.id).evidence.grade == "confirmed"
    ws.close()
