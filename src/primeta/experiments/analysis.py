"""What an analysis found: checks, effects, decisions; in one line, in tables, in a picture, as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from primeta.experiments.effects_picture import effects_picture
from primeta.experiments.records import ArmDecision, Effect, SampleRatio, Verdict
from primeta.experiments.words import sentence, told, word
from primeta.show import locale
from primeta.show.chart import Picture
from primeta.show.result import Head, Table

PLACEBO_P = 0.001
"""An "effect" before the experiment that is so unlikely speaks against the lottery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """One look at an experiment."""

    control: str
    arms: tuple[str, ...]
    """Control first."""
    ratio: SampleRatio
    shares_given: bool
    effects: tuple[Effect, ...]
    decisions: tuple[ArmDecision, ...]
    verdict: Verdict
    level: float
    how: str
    """`always`, `fixed` or `planned`: the interval that decided."""
    ended: bool
    planned_n: int = 0
    costs: Mapping[str, float] = field(default_factory=dict)
    segments: tuple[Effect, ...] = ()
    by: str = ""
    segments_differ: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """(metric, arm) → p-value of "the same in every segment"."""
    placebo: tuple[Effect, ...] = ()
    """The same comparison on what was known before assignment."""
    notes: tuple[str, ...] = ()
    """Codes with figures: `no-arm:12`."""
    source: str = ""
    currency: str = ""
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Metric → language → the name that people read."""

    @property
    def primary(self) -> str:
        return next(effect.metric for effect in self.effects if effect.role == "primary")

    @property
    def placebo_moved(self) -> bool:
        return any(effect.p < PLACEBO_P for effect in self.placebo)

    def name(self, metric: str, lang: str) -> str:
        return self.labels.get(metric, {}).get(lang, metric)

    @property
    def _shares(self) -> frozenset[str]:
        return frozenset(effect.metric for effect in self.effects if effect.kind == "share")

    def why(self, decision: ArmDecision, lang: str) -> str:
        """The rule that fired for an arm, as a sentence without its full stop."""
        text = told(
            decision.rule,
            decision.figures,
            lang,
            money=(decision.money_per_customer, decision.low, decision.high),
            currency=self.currency,
            labels={metric: self.name(metric, lang) for metric in {e.metric for e in self.effects}},
            shares=self._shares,
        )
        if decision.rule == "sample-ratio" and not self.shares_given:
            text += told("sample-ratio.assumed", {}, lang)
        return text

    def line(self, lang: str = "en") -> str:
        """What to do, and why, in one sentence."""
        deciding = self._deciding()
        return sentence(self.verdict.state, lang, arm=deciding.arm, why=self.why(deciding, lang))

    def _deciding(self) -> ArmDecision:
        """The arm whose rule is the verdict's."""
        mine = [entry for entry in self.decisions if entry.arm == self.verdict.arm]
        same = [entry for entry in self.decisions if entry.state == self.verdict.state]
        return (mine or same or list(self.decisions))[0]

    def table(self, lang: str = "en") -> Table:
        """One row for each metric and arm."""
        return self._table(self.effects, lang, note="\n".join(self.remarks(lang)))

    def segment_table(self, lang: str = "en") -> Table:
        return self._table(self.segments, lang, note=sentence("note.segments", lang))

    def _table(self, effects: tuple[Effect, ...], lang: str, *, note: str) -> Table:
        segmented = any(effect.segment for effect in effects) or bool(self.by and effects is self.segments)
        heads = [
            *([Head(self.by)] if segmented else []),
            Head(word("metric", lang)),
            Head(word("arm", lang)),
            Head(word("control_mean", lang), "right"),
            Head(word("arm_mean", lang), "right"),
            Head(word("difference", lang), "right"),
            Head(word("lift", lang), "right"),
            Head(word("always", lang), "right"),
            Head("p", "right"),
        ]
        rows = []
        for effect in effects:
            name = self.name(effect.metric, lang)
            if effect.role != "secondary":
                name += f" ({word(effect.role, lang)})"
            lead = [effect.segment] if segmented else []
            if effect.why_not:
                cannot = f"{locale.CANNOT_TELL[lang]}: {word(effect.why_not, lang)}"
                rows.append((*lead, name, effect.arm, "", "", cannot, "", "", ""))
                continue
            rows.append((*lead, name, effect.arm, *self._cells(effect, lang)))
        return Table(heads=tuple(heads), rows=tuple(rows), note=note)

    def _cells(self, effect: Effect, lang: str) -> tuple[str, ...]:
        share = effect.kind == "share"
        digits = locale.decimals_for(effect.low * (100 if share else 1), effect.high * (100 if share else 1))

        def level(value: float) -> str:
            if share:
                return locale.percent(value, lang, digits=min(digits, 2))
            return locale.number(value, lang, digits=digits)

        gap = locale.figure(
            effect.difference,
            lang,
            unit="points" if share else "count",
            low=effect.low,
            high=effect.high,
            sign=True,
        )
        relative = locale.figure(
            effect.lift, lang, unit="relative", low=effect.lift_low, high=effect.lift_high, sign=True
        )
        scale = 100 if share else 1
        always = locale.interval(effect.always_low * scale, effect.always_high * scale, lang)
        p = (
            locale.number(effect.p, lang, digits=3)
            if effect.p >= 0.001
            else "< " + locale.number(0.001, lang)
        )
        return (level(effect.control_mean), level(effect.arm_mean), str(gap), str(relative), always, p)

    def decision_table(self, lang: str = "en") -> Table:
        """One row for each arm: what to do, the money, why."""
        heads = (
            Head(word("arm", lang)),
            Head(word("customers", lang), "right"),
            Head(word("state", lang)),
            Head(word("money", lang), "right"),
            Head(word("why", lang)),
        )
        rows = []
        for decision in self.decisions:
            unit: locale.Unit = "money" if self.currency else "count"
            if math.isfinite(decision.money_per_customer):
                money = str(
                    locale.figure(
                        decision.money_per_customer,
                        lang,
                        unit=unit,
                        low=decision.low,
                        high=decision.high,
                        currency=self.currency,
                        sign=True,
                    )
                )
            else:
                money = locale.CANNOT_TELL[lang]
            rows.append(
                (
                    decision.arm,
                    locale.number(self.ratio.counts[decision.arm], lang),
                    word(decision.state, lang),
                    money,
                    self.why(decision, lang),
                )
            )
        return Table(heads=heads, rows=tuple(rows))

    def remarks(self, lang: str) -> list[str]:
        """What a reader must know beside the numbers."""
        found = [sentence(f"note.{self.how}", lang, level=locale.percent(self.level, lang))]
        # only where the lift's own test would have said otherwise
        methods = sorted(
            {
                e.lift_method
                for e in self.effects
                if not e.why_not and (e.lift_p < 1 - self.level) != (e.p < 1 - self.level)
            }
        )
        if methods:
            found.append(sentence("note.lift", lang, method=", ".join(methods)))
        if not self.shares_given:
            found.append(sentence("note.shares", lang))
        for note in self.notes:
            code, *figures = note.split(":")
            number = locale.number(float(figures[-1]), lang)
            found.append(sentence(f"note.{code}", lang, n=number, column=":".join(figures[:-1])))
        for metric in dict.fromkeys(effect.metric for effect in self.effects):
            kept = next(effect.variance_kept for effect in self.effects if effect.metric == metric)
            if kept < 0.995:
                share = locale.percent(1 - kept, lang, digits=0)
                found.append(sentence("note.cuped", lang, share=share, metric=self.name(metric, lang)))
        if self.placebo_moved:
            found.append(word("placebo-moved", lang).capitalize() + ".")
        warned: dict[tuple[str, str], list[str]] = {}
        for effect in self.effects:
            for caution in effect.cautions:
                warned.setdefault((effect.metric, caution), []).append(effect.arm)
        found += [
            sentence(
                "note.caution",
                lang,
                metric=self.name(metric, lang),
                arm=locale.listed(arms, lang),
                why=word(caution, lang),
            )
            for (metric, caution), arms in warned.items()
        ]
        found += [
            sentence(
                "note.bayes",
                lang,
                arm=effect.arm,
                metric=self.name(effect.metric, lang),
                better=locale.percent(effect.better, lang),
            )
            for effect in self.effects
            if math.isfinite(effect.better)
        ]
        return found

    def picture(self, lang: str = "en") -> Picture:
        """The lift of every metric in every arm with its intervals."""
        return effects_picture(
            self.effects,
            lang,
            title=self.line(lang),
            name=lambda metric: self.name(metric, lang),
            level=self.level,
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; codes and sentences in English."""
        deciding = self._deciding()
        return {
            "control": self.control,
            "arms": {
                name: {"n": self.ratio.counts[name], "planned_share": self.ratio.planned[name]}
                for name in self.arms
            },
            "level": self.level,
            "decided_on": self.how,
            "ended": self.ended,
            "verdict_of": "difference",
            "checks": {
                "sample_ratio": {
                    "p": self.ratio.p,
                    "always_p": self.ratio.always_p,
                    "ok": self.ratio.ok,
                    "shares_given": self.shares_given,
                },
                "placebo": [
                    {"covariate": e.metric, "arm": e.arm, "difference": e.difference, "p": e.p}
                    for e in self.placebo
                ],
            },
            "effects": [effect_document(effect) for effect in self.effects],
            "decisions": [
                {
                    "arm": entry.arm,
                    "state": entry.state,
                    "why": self.why(entry, "en"),
                    "rule": entry.rule,
                    "money_per_customer": entry.money_per_customer,
                    "low": entry.low,
                    "high": entry.high,
                    "basis": entry.basis,
                }
                for entry in self.decisions
            ],
            "decision": {
                "state": self.verdict.state,
                "arm": self.verdict.arm or None,
                "why": self.why(deciding, "en"),
            },
            "segments": [{"segment": effect.segment, **effect_document(effect)} for effect in self.segments],
            "segments_differ": [
                {"metric": metric, "arm": arm, "p": p} for (metric, arm), p in self.segments_differ.items()
            ],
            "notes": self.remarks("en"),
        }

    def _repr_html_(self) -> str:
        return self.picture()._repr_html_() + self.decision_table().html() + self.table().html()


def effect_document(effect: Effect) -> dict[str, Any]:
    """One row of `effects` in JSON."""
    return {
        "metric": effect.metric,
        "arm": effect.arm,
        "role": effect.role,
        "n_control": effect.n_control,
        "n_arm": effect.n_arm,
        "control_mean": effect.control_mean,
        "arm_mean": effect.arm_mean,
        "difference": effect.difference,
        "se": effect.se,
        "low": effect.low,
        "high": effect.high,
        "p": effect.p,
        "p_adjusted": effect.p_adjusted,
        "lift": effect.lift,
        "lift_low": effect.lift_low,
        "lift_high": effect.lift_high,
        "lift_p": effect.lift_p,
        "lift_method": effect.lift_method,
        "always_low": effect.always_low,
        "always_high": effect.always_high,
        "decision_low": effect.decision_low,
        "decision_high": effect.decision_high,
        "beyond_low": effect.beyond_low,
        "beyond_high": effect.beyond_high,
        "variance_kept": effect.variance_kept,
        "p_exact": effect.p_exact,
        "probability_better": effect.better,
        "risk_arm": effect.risk_arm,
        "risk_control": effect.risk_control,
        "mature_share": effect.mature_share,
        "cautions": list(effect.cautions),
        "why_not": effect.why_not or None,
    }
