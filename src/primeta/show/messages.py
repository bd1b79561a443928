"""Sentences in the reader's language: gettext catalogues, plural forms, figures inside sentences.

English is the language of the source, so a msgid is the English sentence itself; figures stand
in it as `{name}` or `{name:kind}`, where the kind says how the figure is written:

    {n:int} {n:m} {n:f} {n:o} {x:num} {x:share} {x:rel} {x:points} {x:money} {x:gain} {x:bet}
    {d:date} {d:short} {g:word} {s:slice} {p:period} {m:metric}

`:rel`, `:points` and `:gain` (money) carry their sign; `:word` is a code that has a word of its
own (a grade, an origin); `:slice`, `:period`, `:metric` are codes of those, the names of metrics
are given as the figure `labels`. `:m`, `:f`, `:o` spell a small number out, in the gender that the
language wants (masculine, feminine, neuter). A figure without a kind is text as it is, a date or
a grouped number.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from importlib import resources
from string import Formatter
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from primeta.show import locale
from primeta.show.words import COUNTED, SENTENCES, WORDS

SOURCE_LANGUAGE = "en"


@lru_cache(maxsize=8)
def catalogue(lang: str) -> gettext.NullTranslations:
    """The catalogue of a language, compiled from its .po when first asked for."""
    if lang == SOURCE_LANGUAGE:
        return gettext.NullTranslations()
    source = resources.files("primeta.show") / "catalogues" / lang / "LC_MESSAGES" / "messages.po"
    compiled = io.BytesIO()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file, locale=lang))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


class _Figures(Formatter):
    """`str.format` whose kinds write numbers and dates by language; a missing figure stays `{name}`."""

    def __init__(self, lang: str, currency: str, labels: Mapping[str, str]):
        self.lang = lang
        self.currency = currency
        self.labels = labels

    def get_value(self, key: int | str, args: Any, kwargs: Mapping[str, Any]) -> Any:
        return kwargs.get(str(key), "{" + str(key) + "}")

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec == "metric":
            names = [value] if isinstance(value, str) else value
            return locale.listed((self.labels.get(name, name.replace("_", " ")) for name in names), self.lang)
        return written(value, format_spec, self.lang, self.currency)


def written(value: Any, kind: str, lang: str, currency: str = "") -> str:
    """One figure as text, by its kind."""
    if value is None:
        return locale.CANNOT_TELL[lang]
    if isinstance(value, date):
        plain = value.date() if isinstance(value, datetime) else value
        return locale.day_short(plain, lang) if kind == "short" else locale.day(plain, lang)
    if isinstance(value, str):
        if kind == "word":
            return word(lang, value)
        if kind == "slice":
            return locale.slice_name(value, lang)
        if kind == "period":
            return locale.period_name(value, lang)
        if kind in ("date", "short"):
            return written(date.fromisoformat(value[:10]), kind, lang)
        return value
    if isinstance(value, (list, tuple)):
        return locale.listed((written(entry, kind, lang, currency) for entry in value), lang)
    amount = float(value)
    if kind == "share":
        return locale.percent(amount, lang)
    if kind == "rel":
        return locale.percent(amount, lang, sign=True)
    if kind == "points":
        return locale.points(amount, lang)
    if kind in ("money", "gain"):
        return locale.money(amount, lang, currency, sign=kind == "gain")
    if kind in ("m", "f", "o"):
        return locale.spelled(int(amount), lang, kind)
    if kind == "int":
        return locale.number(amount, lang, digits=0)
    if kind == "bet":
        return locale.bet(amount, lang)
    return locale.number(amount, lang)


def fill(lang: str, message: str, figures: Mapping[str, Any]) -> str:
    """A translated message with its figures written by language."""
    figures_of = _Figures(lang, str(figures.get("currency", "")), figures.get("labels", {}))
    return figures_of.vformat(message, (), figures)


def say(lang: str, message: str, /, **figures: Any) -> str:
    """Translate an English message and fill it."""
    return fill(lang, catalogue(lang).gettext(message), figures)


def count(lang: str, singular: str, plural: str, n: int, /, **figures: Any) -> str:
    """Translate a message that counts `n`, by the language's plural forms; `{n}` is the number."""
    message = catalogue(lang).ngettext(singular, plural, n)
    return fill(lang, message, {"n": n, **figures})


def t(lang: str, code: str, /, **figures: Any) -> str:
    """The sentence for a code with its figures; an unknown code is shown as it is."""
    if code in COUNTED:
        key, singular, plural = COUNTED[code]
        n = int(figures.get(key, 0))
        return count(lang, singular, plural, n, **figures)
    if code in SENTENCES:
        return say(lang, SENTENCES[code], **figures)
    return word(lang, code)


def word(lang: str, code: str) -> str:
    """The word for a grade, an answer, an origin, a type of trend, a basis or a field."""
    return catalogue(lang).gettext(WORDS[code]) if code in WORDS else code
