"""A certificate: for each metric how often an experiment on it is wrong, at which sizes, and what would help."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from typing import Any

from scipy import stats

from primeta.errors import NotFound
from primeta.experiments.certify_picture import certificate_picture
from primeta.experiments.certify_words import WORDS
from primeta.show import locale
from primeta.show.chart import Picture
from primeta.show.result import Head, Table

NAN = math.nan


def clopper_pearson(happened: int, trials: int, level: float) -> tuple[float, float]:
    """The exact interval of a share.

    Source:
        Clopper & Pearson (1934), Biometrika 26, 404.
    """
    if trials == 0:
        return NAN, NAN
    tail = (1 - level) / 2
    low = float(stats.beta.ppf(tail, happened, trials - happened + 1)) if happened else 0.0
    high = float(stats.beta.isf(tail, happened + 1, trials - happened)) if happened < trials else 1.0
    return low, high


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One metric at one size: shares of the splits, each with its interval at the certificate's `band`.

    `coverage` and `power` are of the planted `effect`, which the plan promises its power for; those `_smallest` of
    the smallest effect that matters; those `_plain` without covariates.
    """

    n: int
    """Customers in both arms."""
    n_per_arm: int
    """In the smaller arm."""
    splits: int
    false_positives: float
    fp_low: float
    fp_high: float
    false_positives_plain: float
    coverage: float
    coverage_low: float
    coverage_high: float
    coverage_plain: float
    coverage_smallest: float
    power: float
    power_low: float
    power_high: float
    power_promised: float
    power_plain: float
    power_plain_promised: float
    effect: float
    """Relative."""
    smallest: float
    power_smallest: float
    power_smallest_promised: float
    wrong_scale: float
    """Share of splits without an effect whose decision is "scale"."""
    scale_low: float
    scale_high: float
    looks: int
    """At which the always-valid interval was tried; 0: it was not."""
    always_wrong: float
    """Share of splits without an effect in which it ever left zero out."""
    always_low: float
    always_high: float
    peeking_wrong: float
    """The same of the ordinary interval, were it looked at so often."""
    variance_kept: float
    failed: tuple[str, ...]
    """Codes of what does not hold: `false-positives`, `coverage`, `power`, `scale`, `always`, `few-answers`."""
    capped_at: float = NAN
    """With a customer counting up to this it holds."""
    cap_quantile: float = NAN

    @classmethod
    def judged(
        cls,
        *,
        n: int,
        n_per_arm: int,
        counts: Mapping[str, int],
        looked: int,
        effect: float,
        promised: float,
        promised_plain: float,
        smallest: float,
        promised_smallest: float,
        kept: float,
        level: float,
        band: float,
        tolerance: float,
    ) -> Rung:
        """From counts over splits; a thing fails where its whole interval lies on the wrong side of what is promised."""
        splits, alpha = counts["splits"], 1 - level

        def share(name: str, of: str = "splits") -> float:
            return counts[name] / counts[of] if counts[of] else NAN

        def bounds(name: str, of: str = "splits") -> tuple[float, float]:
            return clopper_pearson(counts[name], counts[of], band)

        false, seen = bounds("false"), bounds("seen")
        covered, covered_smallest = (
            bounds("covered", "answered"),
            bounds("covered_smallest", "answered_smallest"),
        )
        scaled = bounds("scaled")
        always = bounds("always") if looked else (NAN, NAN)
        checks = {
            "few-answers": counts["answered"] < splits / 2,
            "false-positives": false[0] > alpha,
            "coverage": covered[1] < level or covered_smallest[1] < level,
            "scale": scaled[0] > alpha / 2,
            "always": always[0] > alpha,
            "power": seen[1] < promised - tolerance,
        }
        return cls(
            n=n,
            n_per_arm=n_per_arm,
            splits=splits,
            false_positives=share("false"),
            fp_low=false[0],
            fp_high=false[1],
            false_positives_plain=share("false_plain"),
            coverage=share("covered", "answered"),
            coverage_low=covered[0],
            coverage_high=covered[1],
            coverage_plain=share("covered_plain", "answered_plain"),
            coverage_smallest=share("covered_smallest", "answered_smallest"),
            power=share("seen"),
            power_low=seen[0],
            power_high=seen[1],
            power_promised=promised,
            power_plain=share("seen_plain"),
            power_plain_promised=promised_plain,
            effect=effect,
            smallest=smallest,
            power_smallest=share("seen_smallest"),
            power_smallest_promised=promised_smallest,
            wrong_scale=share("scaled"),
            scale_low=scaled[0],
            scale_high=scaled[1],
            looks=looked,
            always_wrong=share("always") if looked else NAN,
            always_low=always[0],
            always_high=always[1],
            peeking_wrong=share("peeked") if looked else NAN,
            variance_kept=kept,
            failed=tuple(code for code, fails in checks.items() if fails),
        )

    def with_cap(self, cap: float, quantile: float) -> Rung:
        return replace(self, capped_at=cap, cap_quantile=quantile)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certified:
    """One metric: the sizes that were tried, the smallest first; the last is all that the base gives."""

    name: str
    base: int
    """Customers whom an experiment today could have."""
    rungs: tuple[Rung, ...] = ()
    verdict: str = ""
    """`holds`, `holds-from`, `cap`, `false-positives`, `coverage`, `power`, `scale`, `always`, `few-answers` or
    `unknown`."""
    n_from: int | None = None
    """Customers in the smaller arm from which it holds (under the cap, where that is the verdict)."""
    capped_at: float = NAN
    cap_quantile: float = NAN
    why_not: str = ""
    good: str = "up"
    about: dict[str, Any] = field(default_factory=dict)
    """`label` by language, `unit`, `since`, `until`, `figures` of `why_not`."""

    @classmethod
    def unknown(cls, *, name: str, n: int, why_not: str, about: dict[str, Any], good: str) -> Certified:
        return cls(name=name, base=n, verdict="unknown", why_not=why_not, about=about, good=good)

    @classmethod
    def of(
        cls, *, name: str, base: int, rungs: tuple[Rung, ...], about: dict[str, Any], good: str
    ) -> Certified:
        """The verdict of the largest size, and from which smaller one on it stands."""
        top = rungs[-1]

        def smallest(holds: Sequence[bool]) -> int | None:
            found = None
            for rung, held in zip(reversed(rungs), reversed(holds)):
                if not held:
                    break
                found = rung.n_per_arm
            return found

        plain = [not rung.failed for rung in rungs]
        capped = [held or math.isfinite(rung.capped_at) for rung, held in zip(rungs, plain)]
        strictest = min(
            (rung for rung, held in zip(rungs, plain) if not held and math.isfinite(rung.capped_at)),
            key=lambda rung: rung.capped_at,
            default=None,
        )
        cap: dict[str, Any] = {}
        if strictest is not None:
            cap = {"capped_at": strictest.capped_at, "cap_quantile": strictest.cap_quantile}
        if all(plain):
            verdict, n_from, cap = "holds", smallest(plain), {}
        elif plain[-1]:
            verdict, n_from = "holds-from", smallest(plain)
            # A cap is offered for the smaller sizes only where it helps at all of them.
            cap = cap if all(capped) else {}
        elif capped[-1]:
            verdict, n_from = "cap", smallest(capped)
        else:
            verdict, n_from, cap = top.failed[0], None, {}
        return cls(
            name=name, base=base, rungs=rungs, verdict=verdict, n_from=n_from, about=about, good=good, **cap
        )

    @property
    def ok(self) -> bool | None:
        """Whether it holds on the whole base; None where that cannot be told."""
        return None if self.verdict == "unknown" else self.verdict in ("holds", "holds-from")

    @property
    def top(self) -> Rung | None:
        return self.rungs[-1] if self.rungs else None

    def label(self, lang: str) -> str:
        named = self.about.get("label") or {}
        return named.get(lang) or named.get("en") or self.name

    def as_dict(self) -> dict[str, Any]:
        top = self.top
        shown = (
            "n", "n_per_arm", "false_positives", "fp_low", "fp_high", "coverage", "coverage_low", "coverage_high",
            "power", "power_low", "power_high", "power_promised", "effect", "smallest", "power_smallest",
            "power_smallest_promised", "wrong_scale", "always_wrong", "peeking_wrong", "variance_kept",
        )  # fmt: skip
        return {
            "name": self.name,
            "base": self.base,
            **{key: getattr(top, key) if top else None for key in shown},
            "capped_at": self.capped_at,
            "cap_quantile": self.cap_quantile,
            "n_from": self.n_from,
            "ok": self.ok,
            "verdict": self.verdict,
            "why_not": self.why_not or None,
            "good": self.good,
            "about": self.about,
            "rungs": [asdict(rung) for rung in self.rungs],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashed:
    """Whether the hash that assigns experiments deals as the random generator does."""

    metric: str
    salts: int
    customers: int
    false_positives: float
    by_generator: float
    p: float
    """Of "both are wrong equally often" (Fisher's exact test)."""
    sizes_p: float
    """Of "arms are as uneven as coins make them" (chi-square, two-sided)."""
    ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """How often experiments on this base are wrong, metric by metric."""

    metrics: tuple[Certified, ...]
    hashed: Hashed | None
    splits: int
    seed: int
    level: float
    power: float
    share: float
    looks: int
    most: int
    band: float
    """Level of the intervals of the shares: so wide that one certificate in a hundred says no where all is well."""
    window_days: int = 0
    currency: str = ""
    at: str = ""
    """When it was made."""
    facts_version: str = ""

    @property
    def known(self) -> tuple[Certified, ...]:
        return tuple(entry for entry in self.metrics if entry.ok is not None)

    @property
    def ok(self) -> bool:
        """Every metric that could be tried holds, at least one could, and the hash deals fairly."""
        fair = self.hashed is None or self.hashed.ok
        return fair and bool(self.known) and all(entry.ok for entry in self.known)

    # For people

    def verdict(self, entry: Certified, lang: str) -> str:
        """What to think of one metric, without a full stop."""
        words, top = WORDS[lang], entry.top
        if top is None:
            figures = entry.about.get("figures") or {}
            reason = words.get(entry.why_not)
            told = {key: self._listed(value, lang) for key, value in figures.items()}
            why = figures.get(lang, entry.why_not) if reason is None else reason.format(**told)
            return words["unknown"].format(why=why)
        figures = {
            "n": locale.number(entry.n_from or 0, lang, digits=0),
            "below": self._failings(entry.rungs, lang),
            "cap": self._amount(entry.capped_at, entry, lang),
            "top_share": _percent(1 - entry.cap_quantile, lang),
            "false": _percent(top.false_positives, lang),
            "missed": _percent(1 - min(top.coverage, top.coverage_smallest), lang),
            "level": _percent(self.level, lang),
            "alpha": _percent(1 - self.level, lang),
            "half": _percent((1 - self.level) / 2, lang),
            "power": _percent(top.power, lang),
            "promised": _percent(top.power_promised, lang),
            "scaled": _percent(top.wrong_scale, lang),
            "looks": locale.number(top.looks, lang, digits=0),
            "always": _percent(top.always_wrong, lang),
        }
        text = words[entry.verdict].format(**figures)
        if entry.verdict == "holds-from":
            text += words["below-cap" if math.isfinite(entry.capped_at) else "below-not"].format(**figures)
        return text

    @staticmethod
    def _failings(rungs: Sequence[Rung], lang: str) -> str:
        codes = dict.fromkeys(code for rung in rungs for code in rung.failed)
        return locale.listed((WORDS[lang][f"not.{code}"] for code in codes), lang)

    def _amount(self, value: float, entry: Certified, lang: str) -> str:
        if not math.isfinite(value):
            return ""
        if entry.about.get("unit") == "money" and self.currency:
            return locale.money(value, lang, self.currency)
        return locale.number(value, lang)

    @staticmethod
    def _listed(value: Any, lang: str) -> str:
        if isinstance(value, (list, tuple)):
            return ", ".join(str(entry) for entry in value)
        return locale.number(value, lang) if isinstance(value, (int, float)) else str(value)

    def line(self, lang: str = "en") -> str:
        """Of how many metrics the intervals hold, and of which they do not."""
        words = WORDS[lang]
        good = [entry for entry in self.known if entry.ok]
        figures = {
            "good": locale.number(len(good), lang),
            "known": locale.number(len(self.known), lang),
            "level": _percent(self.level, lang),
        }
        if not self.known:
            return words["line-none"]
        if len(good) < len(self.known):
            bad = locale.listed(
                (
                    f"“{e.label(lang)}”" if lang == "en" else f"«{e.label(lang)}»"
                    for e in self.known
                    if not e.ok
                ),
                lang,
            )
            text = words["line-some"].format(**figures, bad=bad)
        else:
            text = words["line-one" if len(self.known) == 1 else "line-all"].format(**figures)
        if self.hashed is not None and not self.hashed.ok:
            text += " " + words["hash-bad"]
        return text

    def table(self, lang: str = "en") -> Table:
        """One row a metric, all the customers that the base gives; the remarks under it."""
        words = WORDS[lang]
        heads = tuple(
            Head(words[code], "left" if code in ("metric", "verdict") else "right")
            for code in ("metric", "per_arm", "false", "effect", "covers", "seen", "noise", "verdict")
        )
        rows = []
        for entry in self.metrics:
            top = entry.top
            if top is None:
                rows.append((entry.label(lang), *["—"] * 6, self.verdict(entry, lang)))
                continue
            rows.append(
                (
                    entry.label(lang),
                    locale.number(top.n_per_arm, lang, digits=0),
                    _share(top.false_positives, top.fp_low, top.fp_high, lang),
                    locale.percent(top.effect, lang, digits=1, sign=True),
                    _share(top.coverage, top.coverage_low, top.coverage_high, lang),
                    words["of_promised"].format(
                        seen=locale.percent(top.power, lang, digits=0),
                        promised=locale.percent(top.power_promised, lang, digits=0),
                    ),
                    _percent(top.variance_kept - 1, lang, digits=0),
                    self.verdict(entry, lang),
                )
            )
        return Table(heads=heads, rows=tuple(rows), note="\n".join(self.remarks(lang)))

    def ladder(self, lang: str = "en", *, metric: str) -> Table:
        """One metric, one row a size.

        Raises:
            NotFound: there is no such metric.
        """
        words = WORDS[lang]
        entry = next((found for found in self.metrics if found.name == metric), None)
        if entry is None:
            raise NotFound(
                f"no metric {metric!r} was tried; there are {', '.join(e.name for e in self.metrics)}"
            )
        heads = tuple(
            Head(words[code], "left" if code == "state" else "right")
            for code in ("per_arm", "false", "effect", "covers", "seen", "state")
        )
        rows = []
        for rung in entry.rungs:
            state = self._failings([rung], lang) or words["yes"]
            if math.isfinite(rung.capped_at):
                state += words["capped"].format(cap=self._amount(rung.capped_at, entry, lang))
            rows.append(
                (
                    locale.number(rung.n_per_arm, lang, digits=0),
                    _share(rung.false_positives, rung.fp_low, rung.fp_high, lang),
                    locale.percent(rung.effect, lang, digits=1, sign=True),
                    _share(rung.coverage, rung.coverage_low, rung.coverage_high, lang),
                    words["of_promised"].format(
                        seen=locale.percent(rung.power, lang, digits=0),
                        promised=locale.percent(rung.power_promised, lang, digits=0),
                    ),
                    state,
                )
            )
        return Table(heads=heads, rows=tuple(rows), title=entry.label(lang))

    def remarks(self, lang: str) -> list[str]:
        """How to read the table, and what was checked beside it."""
        words = WORDS[lang]
        alpha, half = _percent(1 - self.level, lang), _percent((1 - self.level) / 2, lang)
        found = [
            words["made"].format(
                splits=locale.number(self.splits, lang, digits=0),
                days=locale.number(self.window_days, lang, digits=0),
                seed=self.seed,
                share=_percent(self.share, lang),
            ),
            words["reading"].format(alpha=alpha),
        ]
        tops = [(entry, entry.top) for entry in self.known if entry.top]
        if tops:
            entry, top = max(tops, key=lambda pair: pair[1].wrong_scale)
            scaled = _share(top.wrong_scale, top.scale_low, top.scale_high, lang)
            found.append(words["scale-worst"].format(scaled=scaled, name=entry.label(lang), half=half))
        looked = [(entry, top) for entry, top in tops if top.looks]
        if looked:
            entry, top = max(looked, key=lambda pair: pair[1].always_wrong)
            found.append(
                words["always-worst"].format(
                    looks=locale.number(top.looks, lang, digits=0),
                    always=_share(top.always_wrong, top.always_low, top.always_high, lang),
                    name=entry.label(lang),
                    alpha=alpha,
                    peeking=_percent(top.peeking_wrong, lang, digits=0),
                )
            )
        wide = [entry.label(lang) for entry, top in tops if top.fp_high < 1 - self.level]
        if wide:
            found.append(words["wide"].format(names=locale.listed(wide, lang)))
        if self.hashed is not None:
            found.append(
                words["hash-good" if self.hashed.ok else "hash-bad"].format(
                    salts=locale.number(self.hashed.salts, lang, digits=0),
                    false=_percent(self.hashed.false_positives, lang),
                    chance=_percent(self.hashed.by_generator, lang),
                )
            )
        return found

    def picture(self, lang: str = "en") -> Picture:
        """False alarms of each metric with their interval, against what is promised."""
        words = WORDS[lang]
        rows = [
            (entry.label(lang), top.false_positives, top.fp_low, top.fp_high, bool(entry.ok))
            for entry in self.known
            if (top := entry.top)
        ]
        return certificate_picture(
            rows,
            lang,
            promised=1 - self.level,
            title=self.line(lang),
            subtitle=words["picture"].format(alpha=_percent(1 - self.level, lang)),
            source=self.remarks(lang)[0],
        )

    def _repr_html_(self) -> str:
        return self.picture()._repr_html_() + self.table().html()

    # For programs

    def as_dict(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "metrics": [entry.as_dict() for entry in self.metrics],
            "hash": asdict(self.hashed) if self.hashed else None,
            "splits": self.splits,
            "seed": self.seed,
            "window": self.window_days,
            "level": self.level,
            "power": self.power,
            "share": self.share,
            "looks": self.looks,
            "sample": self.most,
            "band": self.band,
            "currency": self.currency,
            "at": self.at,
            "facts_version": self.facts_version,
        }

    @classmethod
    def of_dict(cls, document: Mapping[str, Any]) -> Certificate:
        """The certificate that `as_dict` gave, also after JSON (null is NaN there).

        Raises:
            KeyError, TypeError, ValueError: it is another document.
        """
        metrics = []
        for entry in document["metrics"]:
            rungs = tuple(_read(Rung, {**rung, "failed": tuple(rung["failed"])}) for rung in entry["rungs"])
            metrics.append(_read(Certified, {**entry, "rungs": rungs, "why_not": entry["why_not"] or ""}))
        kept = {"window": "window_days", "sample": "most"}
        named = {kept.get(key, key): value for key, value in document.items()}
        hashed = _read(Hashed, document["hash"]) if document["hash"] else None
        return _read(cls, {**named, "metrics": tuple(metrics), "hashed": hashed})


def _read(kind: Any, values: Mapping[str, Any]) -> Any:
    """A record from a document: keys that it does not know are left, null where a number stands is NaN."""
    known = {entry.name: entry for entry in fields(kind)}
    missing = [
        name
        for name, entry in known.items()
        if name not in values and entry.default is MISSING and entry.default_factory is MISSING
    ]
    if missing:
        raise KeyError(", ".join(missing))
    return kind(
        **{
            name: NAN if values[name] is None and known[name].type == "float" else values[name]
            for name in known
            if name in values
        }
    )


def _percent(value: float, lang: str, *, digits: int = 1) -> str:
    """A share that was counted: one decimal is all that thousands of splits bear; `95%` stays `95%`."""
    whole = math.isfinite(value) and abs(100 * value - round(100 * value)) < 1e-9
    return locale.percent(value, lang, digits=0 if whole else digits)


def _share(value: float, low: float, high: float, lang: str) -> str:
    """`4.9% (3.2 to 7.1)`."""
    if not math.isfinite(value):
        return locale.CANNOT_TELL["ru" if lang == "ru" else "en"]
    between = locale.interval(100 * low, 100 * high, lang, digits=1)
    return f"{locale.percent(value, lang, digits=1)} ({between})"
