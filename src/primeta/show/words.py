"""The English words and sentences for every code that a record may carry; other languages translate these.

`N_` only marks a message for extraction. A code is added here together with the code that emits it.
"""

from __future__ import annotations


def N_(message: str) -> str:
    """Mark a message for the catalogues."""
    return message


def NN_(key: str, singular: str, plural: str) -> tuple[str, str, str]:
    """Mark a message that counts the figure `key`."""
    return key, singular, plural


WORDS: dict[str, str] = {
    # Grades
    "noticed": N_("noticed"),
    "holding": N_("holding"),
    "repeating": N_("repeating"),
    "confirmed": N_("confirmed"),
    "fading": N_("fading"),
    "refuted": N_("refuted"),
    # Origins
    "metric": N_("metric"),
    "voice": N_("customers’ voices"),
    "outside": N_("outside text"),
    "competitor": N_("competitor"),
    "regulator": N_("regulator"),
    "hand": N_("noted by hand"),
    # Types of trend
    "behavioural": N_("behavioural"),
    "technological": N_("technological"),
    "regulatory": N_("regulatory"),
    "socio-cultural": N_("socio-cultural"),
    "commercial": N_("commercial"),
    # Answers, as a badge and as a choice
    "experiment": N_("experiment"),
    "observe": N_("observe"),
    "prepare": N_("prepare"),
    "reject": N_("reject"),
    "choose.experiment": N_("Experiment"),
    "choose.observe": N_("Observe"),
    "choose.prepare": N_("Prepare infrastructure"),
    "choose.reject": N_("Reject"),
    "hint.experiment": N_("try it on a part of the customers, against a control group"),
    "hint.observe": N_("look again at a set date"),
    "hint.prepare": N_("the data or the tools are not there yet"),
    "hint.reject": N_("write why, so that it is not reopened"),
    # The eleven fields
    "field.name": N_("Name"),
    "field.description": N_("Short description"),
    "field.signal_sources": N_("Signal sources"),
    "field.metrics": N_("Metrics to track"),
    "field.hypothesis": N_("Hypothesis of CRM impact"),
    "field.experiment_plan": N_("Experiment plan"),
    "field.resources": N_("Resources and technology"),
    "field.risks": N_("Risk assessment"),
    "field.criteria": N_("Decision criteria"),
    "field.review": N_("Review date"),
    "field.owner": N_("Owner"),
    # A trend taken apart
    "part.signal": N_("Signal: what was seen"),
    "part.mechanism": N_("Mechanism: why it would happen"),
    "part.drivers": N_("Drivers: what pushes it"),
    "part.behaviour": N_("Behaviour: how people will act"),
    # Filters
    "relevance": N_("Relevance to goals"),
    "economic": N_("Economic effect"),
    "feasibility": N_("Feasibility"),
    "horizon": N_("Time horizon"),
    "compliance": N_("Compliance risk"),
    # Basis
    "measured": N_("measured"),
    "experiments": N_("past experiments"),
    "computed": N_("computed"),
    "declared": N_("set in the workspace"),
    "guess": N_("a guess"),
    # Outcomes of the scenarios
    "outcome.money": N_("Money a year"),
    "outcome.retention": N_("Retention"),
    "outcome.arpu": N_("ARPU"),
    "outcome.conversion": N_("Conversion"),
    # Readings of a week
    "more": N_("more"),
    "less": N_("less"),
    "better": N_("better"),
    "worse": N_("worse"),
    "usual": N_("usual"),
    "cannot-tell": N_("cannot tell"),
    "up": N_("up"),
    "down": N_("down"),
    "neither": N_("neither good nor bad"),
    # Grains
    "week": N_("week"),
    "month": N_("month"),
    "quarter": N_("quarter"),
}

SENTENCES: dict[str, str] = {}

COUNTED: dict[str, tuple[str, str, str]] = {}
