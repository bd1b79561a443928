"""Whether the numbers of a look can be believed: sizes of the arms, the time before, windows that have passed."""

from __future__ import annotations

from dataclasses import dataclass

from primeta.experiments.views_words import PLACEBO_P, number
from primeta.store.experiments import Look
from primeta.web import experiment_rows as rows
from primeta.web.reader import Reader
from primeta.workspace.views import ExperimentView

SMALLEST_P = 0.001
"""What is smaller is told as smaller than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """Whether the numbers of a look can be believed."""

    arms: tuple[tuple[rows.Tag, int, float, float], ...]
    """Arm, its customers, its share, the planned share."""
    ratio_p: float
    ratio_ok: bool | None
    placebo: tuple[tuple[rows.Tag, str, float], ...]
    """Arm, what was compared before the entry, its p-value."""
    placebo_moved: bool
    mature: float
    """Smallest share of customers whose window has passed, over the metrics."""


def checks_of(reader: Reader, view: ExperimentView, look: Look) -> Checks:
    tags = rows.tags_of(reader, view)
    checks = look.analysis.get("checks") or {}
    ratio = checks.get("sample_ratio") or {}
    counts = {name: int(look.counts.get(name, 0)) for name in tags}
    total = sum(counts.values())
    shares = {arm.name: arm.share for arm in view.plan.arms}
    placebo = tuple(
        (
            tags[str(entry["arm"])],
            _covariate_name(reader, view, str(entry.get("covariate") or "")),
            number(entry, "p"),
        )
        for entry in checks.get("placebo") or ()
        if str(entry.get("arm")) in tags
    )
    mature = [number(entry, "mature_share") for entry in look.analysis.get("effects") or ()]
    return Checks(
        arms=tuple(
            (tag, counts[name], counts[name] / total if total else 0.0, shares[name])
            for name, tag in tags.items()
        ),
        ratio_p=number(ratio, "always_p"),
        ratio_ok=ratio.get("ok"),
        placebo=placebo,
        placebo_moved=any(p < PLACEBO_P for _, _, p in placebo),
        mature=min((share for share in mature if share == share), default=float("nan")),
    )


def _covariate_name(reader: Reader, view: ExperimentView, code: str) -> str:
    return rows.names_of(reader, view.plan).named(code)


def segments_differ(reader: Reader, view: ExperimentView, look: Look) -> list[tuple[str, rows.Tag, str]]:
    """Metric, arm, p-value of "the same in every segment"."""
    tags, names = rows.tags_of(reader, view), rows.names_of(reader, view.plan)
    return [
        (names.named(str(entry["metric"])), tags[str(entry["arm"])], p_text(reader, number(entry, "p")))
        for entry in look.analysis.get("segments_differ") or ()
        if str(entry.get("arm")) in tags
    ]


def p_text(reader: Reader, p: float) -> str:
    """`0.236`, or `< 0.001`."""
    return reader.number(p) if not p < SMALLEST_P else "< " + reader.number(SMALLEST_P)
