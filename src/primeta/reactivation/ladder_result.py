"""The ladder as a result: one sentence, tables, a picture, plain values for JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from primeta.reactivation import ladder_sentences as said
from primeta.reactivation.ladder_picture import ladder_picture
from primeta.reactivation.ladder_words import METRICS, RUNGS, WHY_NOT, WORDS, words
from primeta.reactivation.records import Curve, LadderFacts, Note, Returners, Rung, Step
from primeta.show import locale
from primeta.show.chart import Picture
from primeta.show.result import Head, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """All rungs of one campaign side by side, in money, with what each silently assumes."""

    facts: LadderFacts
    """Everything that was reckoned; `facts.rungs`, `facts.returners` …"""

    def line(self, lang: str = "en") -> str:
        """The finding, in one sentence."""
        return said.finding(self.facts, lang) + "."

    # Tables

    def table(self, lang: str = "en") -> Table:
        """One row for each rung and arm."""
        pen, facts = said.pen_of(self.facts, lang), self.facts
        level = locale.percent(facts.campaign.level, lang)
        heads = (
            Head(words(WORDS, "rung", lang)),
            Head(words(WORDS, "arm", lang)),
            Head(words(WORDS, "customers", lang), "right"),
            Head(words(WORDS, "each", lang), "right"),
            Head(words(WORDS, "interval", lang, level=level), "right"),
            Head(words(WORDS, "all", lang), "right"),
        )
        rows = []
        for number in sorted({rung.rung for rung in facts.rungs}):
            mine = said.rungs_of(facts, number)
            cannot = {rung.why_not for rung in mine if not math.isfinite(rung.value_per_assigned)}
            if (
                len(mine) > 1
                and len(cannot) == 1
                and all(math.isnan(rung.value_per_assigned) for rung in mine)
            ):
                told = f"{locale.CANNOT_TELL[lang]}: {words(WHY_NOT, cannot.pop(), lang)}"
                rows.append((f"{number} {RUNGS[number][lang]}", "…", "", told, "", ""))
            else:
                rows += [self._row(rung, pen) for rung in mine]
        note = "\n".join([*self.assumptions(lang), *self.remarks(lang)])
        return Table(heads=heads, rows=tuple(rows), note=note)

    def assumptions(self, lang: str = "en") -> list[str]:
        """What each rung silently assumes and how far it is from the one below, a line a rung."""
        found = []
        for number in sorted({rung.rung for rung in self.facts.rungs}):
            told = (said.assumes(self.facts, number, lang), said.away(self.facts, number, lang))
            found.append(f"{number}: {' '.join(filter(None, told))}")
        return found

    def _row(self, rung: Rung, pen: said.Pen) -> tuple[str, ...]:
        lang, facts = pen.lang, self.facts
        name = f"{rung.rung} {RUNGS[rung.rung][lang]}"
        if facts.best.get(f"rung{rung.rung}") == rung.arm:
            mark = "leads" if rung.rung == 1 or facts.best_sure.get(f"rung{rung.rung}") else "not-sure"
            name += f" ({words(WORDS, 'leads', lang)}{'' if mark == 'leads' else ', ' + words(WORDS, mark, lang)})"
        count = locale.number(rung.n, lang)
        if not math.isfinite(rung.value_per_assigned):
            cannot = f"{locale.CANNOT_TELL[lang]}: {words(WHY_NOT, rung.why_not, lang)}"
            return (name, rung.arm, count, cannot, "", "")
        each = pen.money(rung.value_per_assigned, rung.low, rung.high, sign=rung.rung >= 2)
        between = each.interval or (
            words(WORDS, "claimed", lang) if rung.rung < 2 else locale.CANNOT_TELL[lang]
        )
        return (name, rung.arm, count, each.text, between, said.money_of(rung, pen).text)

    def behaviour_table(self, lang: str = "en") -> Table:
        """One row for each arm and trait; none where there is no control to compare with."""
        pen, facts = said.pen_of(self.facts, lang), self.facts
        rows = []
        for row in facts.behaviour if facts.campaign.control else ():
            if not math.isfinite(row.difference):
                cannot = f"{locale.CANNOT_TELL[lang]}: {words(WHY_NOT, row.why_not, lang)}"
                rows.append((METRICS[row.metric][lang], row.arm, "", cannot, ""))
                continue
            own, gap = said.trait(row, pen)
            rows.append((METRICS[row.metric][lang], row.arm, own, gap.text, gap.interval))
        return Table(
            heads=(
                Head(words(WORDS, "metric", lang)),
                Head(words(WORDS, "arm", lang)),
                Head(words(WORDS, "control", lang), "right"),
                Head(words(WORDS, "difference", lang), "right"),
                Head(
                    words(WORDS, "interval", lang, level=locale.percent(facts.campaign.level, lang)), "right"
                ),
            ),
            rows=tuple(rows),
        )

    def returners_table(self, lang: str = "en") -> Table:
        """One row for each arm: who came back, and the needless discount; none where there is no control."""
        pen = said.pen_of(self.facts, lang)
        rows = []
        for row in self.facts.returners if self.facts.campaign.control else ():
            induced = pen.points(row.induced_share, row.induced_low, row.induced_high)
            needless = pen.money(row.needless_discount, row.needless_low, row.needless_high)
            low, high = row.needless_bounds
            bounds = pen.span_of_money(low, high) if math.isfinite(low) else locale.CANNOT_TELL[lang]
            if row.discount > 0 and not said.gives_discounts(self.facts, row.arm):
                needless, bounds = words(WORDS, "everyday", lang), ""
            given = str(pen.money(row.discount))
            rows.append((row.arm, pen.share(row.self_share), str(induced), given, str(needless), bounds))
        heads = ("arm", "self", "induced", "given", "needless", "bounds")
        return Table(
            heads=tuple(
                Head(words(WORDS, name, lang), "right" if at else "left") for at, name in enumerate(heads)
            ),
            rows=tuple(rows),
        )

    def segment_table(self, lang: str = "en") -> Table:
        """Rungs 2 and above of every segment; below them why a number is not there, or only its seen part."""
        pen = said.pen_of(self.facts, lang)
        rows = []
        reasons: dict[tuple[str, str], dict[str, None]] = {}
        for part in self.facts.segments:
            for rung in part.rungs:
                if rung.rung < 2 or rung.why_not == "no-control":
                    continue
                each = locale.CANNOT_TELL[lang]
                if math.isfinite(rung.value_per_assigned):
                    each = str(pen.money(rung.value_per_assigned, rung.low, rung.high, sign=True))
                    if rung.rung == 4 and rung.why_not:
                        each += f", {words(WORDS, 'seen-only', lang)}"
                if rung.why_not:
                    reasons.setdefault((part.segment, rung.why_not), {})[str(rung.rung)] = None
                p = pen.p(rung.p_adjusted) if math.isfinite(rung.p_adjusted) else ""
                rows.append((part.segment, str(rung.rung), rung.arm, locale.number(rung.n, lang), each, p))
        told = [
            f"{segment}, {', '.join(rungs)}: {words(WHY_NOT, reason, lang)}"
            for (segment, reason), rungs in reasons.items()
        ]
        names = ("segment", "rung", "arm", "customers", "each")
        heads = [
            Head(words(WORDS, name, lang), "right" if name in ("customers", "each") else "left")
            for name in names
        ]
        return Table(heads=(*heads, Head("p", "right")), rows=tuple(rows), note="\n".join(told))

    # Words beside the numbers

    def lead(self, lang: str = "en") -> str:
        """What the usual report claims, and what the control group says of the same arms."""
        return said.lead(self.facts, lang)

    def remarks(self, lang: str = "en") -> list[str]:
        """What a reader must know beside the numbers."""
        trap = said.trap(self.facts, lang)
        return [
            *(said.note(entry, self.facts, lang) for entry in self.facts.notes),
            *([trap] if trap else []),
            *said.segments(self.facts, lang),
        ]

    def steps(self, lang: str = "en") -> list[str]:
        """The climb, rung by rung."""
        return [f"{entry.rung}. {said.step(entry, self.facts, lang)}" for entry in self.facts.climb]

    def next_steps(self, lang: str = "en") -> list[tuple[str, str]]:
        """What to do next: headings with their reasons."""
        return said.next_steps(self.facts, lang)

    def picture(self, lang: str = "en") -> Picture:
        """All rungs on one scale of money."""
        return ladder_picture(self.facts, lang, title=said.finding(self.facts, lang))

    def report(self, path: Path | str, *, lang: str = "en") -> Path:
        """One sheet for who has a minute: HTML, PDF or SVG by the file's ending."""
        from primeta.reactivation.report import write_report

        return write_report(self, path, lang=lang)

    # JSON

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; codes and sentences in English."""
        facts, campaign = self.facts, self.facts.campaign
        return {
            "control": campaign.control or None,
            "arms": {arm: {"n": n} for arm, n in zip(facts.arms, facts.n, strict=True)},
            "until": campaign.until,
            "window": campaign.window_days,
            "horizon": campaign.horizon_days,
            "seen_days": facts.seen_days,
            "level": campaign.level,
            "by": campaign.by or None,
            "finding": self.line("en"),
            **_part(facts),
            "curves": [_curve(curve) for curve in facts.curves],
            "tail_checks": [asdict(check) for check in facts.checks],
            "checks": {
                "sample_ratio": {"p": facts.sample_ratio_p, "ok": _ok(facts)},
                "balance": [
                    {
                        "known": name,
                        "means": dict(zip(facts.arms, means, strict=True)),
                        "p": facts.balance_p.get(name),
                    }
                    for name, means in facts.balance.items()
                ],
            },
            "contamination": dict(facts.contamination),
            "segments": [
                {
                    "segment": part.segment,
                    **_part(part),
                    "tail_checks": [asdict(check) for check in part.checks],
                }
                for part in facts.segments
            ],
            "segments_differ": [asdict(row) for row in facts.differs],
            "next": [{"do": heading, "why": why} for heading, why in self.next_steps("en")],
            "notes": [_note(entry, facts) for entry in facts.notes],
        }

    def _repr_html_(self) -> str:
        return self.picture()._repr_html_() + self.table().html()


def _ok(facts: LadderFacts) -> bool | None:
    return None if math.isnan(facts.sample_ratio_p) else facts.sample_ratio_p >= said.UNFAIR_P


def _part(facts: LadderFacts) -> dict[str, Any]:
    """What the whole and each segment have alike."""
    trap = [row for row in facts.trap if row.arm != facts.campaign.control]
    return {
        "rungs": [_rung(rung) for rung in facts.rungs],
        "behaviour": [
            _without(asdict(row), "segment", "why_not") | {"why_not": row.why_not or None}
            for row in facts.behaviour
        ],
        "returners": [_returners(row) for row in facts.returners],
        "normal_again": [
            _without(asdict(row), "segment", "why_not") | {"why_not": row.why_not or None}
            for row in facts.normal_again
        ],
        "best": {f"rung{number}": facts.best.get(f"rung{number}") for number in (1, 2, 3, 4)},
        "best_sure": {
            f"rung{number}": facts.best_sure.get(f"rung{number}", False) for number in (1, 2, 3, 4)
        },
        "between": [asdict(row) for row in facts.between],
        "climb": [_step(entry, facts) for entry in facts.climb],
        "trap": {
            "arms": [_without(asdict(row), "segment") for row in facts.trap],
            "would_pick": max(trap, key=lambda row: row.revenue_per_buyer).arm if trap else None,
            "honest": max(trap, key=lambda row: row.revenue_per_assigned).arm if trap else None,
        },
    }


def _without(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def _rung(rung: Rung) -> dict[str, Any]:
    row = _without(asdict(rung), "segment", "p_adjusted", "why_not", "assumes")
    adjusted = {"p_adjusted": rung.p_adjusted} if rung.segment else {}
    return {**row, **adjusted, "assumes": list(rung.assumes), "why_not": rung.why_not or None}


def _returners(row: Returners) -> dict[str, Any]:
    return {
        **_without(asdict(row), "segment", "why_not"),
        "needless_bounds": list(row.needless_bounds),
        "why_not": row.why_not or None,
    }


def _step(entry: Step, facts: LadderFacts) -> dict[str, Any]:
    missing = entry.missing or None
    return {
        "rung": entry.rung,
        "reached": entry.reached,
        "missing": missing,
        "how": entry.how or None,
        "says": said.step(entry, facts, "en"),
        "values": dict(entry.values),
    }


def _curve(curve: Curve) -> dict[str, Any]:
    return {
        "arm": curve.arm,
        "measure": curve.measure,
        "points": [
            {
                "day": int(day),
                "difference": float(value),
                "low": float(low),
                "high": float(high),
                "modelled": bool(model),
            }
            for day, value, low, high, model in zip(
                curve.day, curve.difference, curve.low, curve.high, curve.modelled, strict=True
            )
        ],
    }


def _note(entry: Note, facts: LadderFacts) -> dict[str, Any]:
    return {"code": entry.code, "values": dict(entry.values), "says": said.note(entry, facts, "en")}
