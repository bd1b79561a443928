"""Who reads a page: language, theme, zone, currency; every word and number is written for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from primeta.show import interval, locale
from primeta.show.messages import catalogue, fill, t, word
from primeta.show.words import COUNTED, SENTENCES, WORDS
from primeta.signals.signal import Signal
from primeta.signals.texts.topics_words import WORDS as TOPIC_WORDS
from primeta.warehouse.metric import Metric
from primeta.warehouse.rules import RULES


def capital(text: str) -> str:
    """The first letter large, the others as they are; markup keeps being markup."""
    return type(text)(text[:1].upper() + text[1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """The language and the units of one request; templates call its methods."""

    lang: str
    theme: str
    """`light`, `dark`, or empty: the system decides."""
    zone: ZoneInfo
    currency: str
    metrics: Mapping[str, Metric] = field(default_factory=dict)

    # Sentences. A message is escaped first, then filled: a figure may carry markup of ours.

    def _(self, message: str, /, **figures: Any) -> Markup:
        return self._filled(catalogue(self.lang).gettext(message), figures)

    def _n(self, singular: str, plural: str, n: int, /, **figures: Any) -> Markup:
        message = catalogue(self.lang).ngettext(singular, plural, n)
        return self._filled(message, {"n": n, **figures})

    def _filled(self, message: str, figures: Mapping[str, Any]) -> Markup:
        marked = {name: value for name, value in figures.items() if isinstance(value, Markup)}
        plain = {name: value for name, value in figures.items() if name not in marked}
        # A NUL cannot occur in a message, so it keeps the place of markup through escaping.
        holes = {name: f"\0{name}\0" for name in marked}
        text = str(escape(fill(self.lang, message, {**self._context(), **plain, **holes})))
        for name, value in marked.items():
            text = text.replace(f"\0{name}\0", str(value))
        return Markup(text)

    def _context(self) -> dict[str, Any]:
        return {"currency": self.currency, "labels": self.labels}

    @property
    def labels(self) -> dict[str, str]:
        return {name: metric.label_in(self.lang) for name, metric in self.metrics.items()}

    def t(self, code: str, figures: Mapping[str, Any] | None = None, /, **more: Any) -> str:
        """The sentence for a code and its figures."""
        return t(self.lang, code, **{**self._context(), **(figures or {}), **more})

    def word(self, code: str) -> str:
        return word(self.lang, code)

    def topic_state(self, code: str) -> str:
        """The grade of a topic, in words that fit what people say: it dies down, nobody refutes it."""
        return TOPIC_WORDS["ru" if self.lang == "ru" else "en"].get(code, code)

    def why(self, code: str) -> str:
        """Why there is no number: a code, or tables that a metric lacks (`needs orders, visits`)."""
        lacking = re.fullmatch(r"(?:needs|нужно) ([a-z_.]+(?:, [a-z_.]+)*)", code)
        return self.t("needs", {"tables": lacking[1]}) if lacking else self.t(code)

    def rule(self, name: str) -> str:
        """What the doctor calls a rule."""
        return capital(RULES.get(name, {}).get(self.lang, name))

    def words(self, codes: Iterable[str]) -> list[str]:
        return [self.t(code) for code in codes]

    def pairs(self, codes: Iterable[str]) -> list[tuple[str, str]]:
        """Codes with their words, for a list to choose from."""
        return [(code, self.word(code)) for code in codes]

    def knows(self, code: str) -> bool:
        """True where there are words for a code."""
        return code in WORDS or code in SENTENCES or code in COUNTED

    # Numbers

    def number(self, value: float, digits: int | None = None) -> str:
        return locale.number(value, self.lang, digits=digits)

    def percent(self, value: float, digits: int | None = None) -> str:
        return locale.percent(value, self.lang, digits=digits)

    def money(self, value: float, *, sign: bool = False) -> str:
        return locale.money(value, self.lang, self.currency, sign=sign)

    @property
    def currency_sign(self) -> str:
        return locale.currency_symbol(self.currency, self.lang)

    def bet(self, value: float) -> str:
        return locale.bet(value, self.lang)

    def figure(
        self,
        value: float,
        unit: locale.Unit,
        low: float = float("nan"),
        high: float = float("nan"),
        *,
        sign: bool = False,
    ) -> locale.Figure:
        return locale.figure(
            value, self.lang, unit=unit, low=low, high=high, currency=self.currency, sign=sign
        )

    def value_of(self, metric: Metric, value: float) -> str:
        """A level of a metric in its own unit."""
        return self.figure(value, metric.unit).text

    # Dates

    def day(self, value: date | datetime | None) -> str:
        return locale.day(self._local(value), self.lang) if value else ""

    def short(self, value: date | datetime | None) -> str:
        return locale.day_short(self._local(value), self.lang) if value else ""

    def day_long(self, value: date) -> str:
        return locale.day_long(value, self.lang)

    def span(self, first: date, last: date) -> str:
        return locale.days_between(first, last, self.lang)

    def moment(self, value: datetime) -> str:
        return locale.moment(value, self.lang, self.zone)

    def _local(self, value: date | datetime) -> date:
        if isinstance(value, datetime):
            return value.astimezone(self.zone).date() if value.tzinfo else value.date()
        return value

    @property
    def zone_name(self) -> str:
        return locale.zone_name(self.zone, self.lang)

    def period(self, code: str) -> str:
        return locale.period_name(code, self.lang)

    def period_head(self, code: str) -> str:
        return locale.period_head(code, self.lang)

    # Names

    def metric_name(self, name: str) -> str:
        """The name people read: a metric's, or a topic's words; a metric that is not declared any more keeps its code."""
        metric = self.metrics.get(name)
        if metric is None:
            return locale.topic_name(name, self.lang) or name.replace("_", " ")
        return metric.label_in(self.lang)

    def slice_name(self, code: str) -> str:
        return locale.slice_name(code, self.lang)

    def attributes(self, names: Iterable[str]) -> str:
        """Attributes of customers by their names: `age`, `возраст`."""
        return self.listed([self.slice_name(f"{name}=").strip() for name in names])

    def signal_name(self, signal: Signal) -> str:
        """`Items per order, age 35–44`."""
        name = self.metric_name(signal.frozen.about)
        if signal.frozen.slice in ("", "all") or signal.topic:
            return name
        return f"{name}, {self.slice_name(signal.frozen.slice)}"

    def listed(self, entries: Sequence[str]) -> str:
        return locale.listed(entries, self.lang)

    # Pictures

    def iv(self, *args: Any, **options: Any) -> Markup:
        return Markup(interval.iv(*args, **options))

    def ticks(self, scale: interval.Scale, unit: str) -> list[str]:
        """The words of a scale's ticks; the unit's sign stands at each."""
        if unit == "money":
            return [
                locale.money(tick, self.lang, self.currency, sign=True) if tick else "0"
                for tick in scale.ticks
            ]
        return [locale.percent(tick, self.lang, sign=True) if tick else "0" for tick in scale.ticks]

    def axis(self, scale: interval.Scale, labels: Sequence[str]) -> Markup:
        return Markup(interval.axis(scale, labels))

    def cell(self, *args: Any, **options: Any) -> Markup:
        return Markup(interval.cell(*args, **options))

    def spark(self, *args: Any) -> Markup:
        return Markup(interval.spark(*args))

    def score(self, *args: Any, **options: Any) -> Markup:
        return Markup(interval.score(*args, **options))

    def rings(self, origins: int) -> Markup:
        return Markup(interval.rings(origins))
