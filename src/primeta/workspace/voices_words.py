"""Themes of customers' voices in words: outcomes, why a comparison is not made, the line and the two tables."""

from __future__ import annotations

import math
from collections import Counter

from primeta.show import locale
from primeta.show.locale import Language
from primeta.show.result import Head, Table
from primeta.workspace.texts_views import After, Theme, Themes

OUTCOME: dict[str, dict[str, str]] = {
    "returned": {"en": "ordered again", "ru": "заказали снова"},
    "orders": {"en": "orders per customer", "ru": "заказов на клиента"},
    "opted_out": {"en": "unsubscribed or complained", "ru": "отписались или пожаловались"},
}
WHY_NOT: dict[str, dict[str, str]] = {
    "no-voices": {
        "en": "No ticket, review or comment of this period has been read yet.",
        "ru": "За этот период не прочитано ни одного обращения, отзыва или комментария.",
    },
    "too-few-voices": {
        "en": "No theme is shared by enough voices.",
        "ru": "Ни одна тема не набрала достаточно голосов.",
    },
    "too-few": {
        "en": "too few customers said it",
        "ru": "это сказали слишком мало клиентов",
    },
    "too-rare": {
        "en": "it happened to too few of them",
        "ru": "такое случилось у слишком немногих",
    },
    "nobody-alike": {
        "en": "too few customers like them spoke of something else",
        "ru": "слишком мало похожих клиентов говорило о другом",
    },
    "no-customers": {
        "en": "it is not known which customers said it",
        "ru": "неизвестно, какие клиенты это сказали",
    },
    "no-facts": {
        "en": "the orders of this workspace have not been read yet",
        "ru": "заказы этой рабочей папки ещё не прочитаны",
    },
    "no-orders": {
        "en": "the workspace has no orders",
        "ru": "в рабочей папке нет заказов",
    },
    "no-reactions": {
        "en": "the workspace does not know who unsubscribed or complained",
        "ru": "в рабочей папке нет данных об отписках и жалобах",
    },
    "not-over": {
        "en": "the days after are not over yet",
        "ru": "дни после этого ещё не прошли",
    },
}
SLICE: dict[str, dict[str, str]] = {
    "silence=≤30": {"en": "silent up to 30 days", "ru": "молчит до 30 дней"},
    "silence=31-90": {"en": "silent 31–90 days", "ru": "молчит 31–90 дней"},
    "silence=91-180": {"en": "silent 91–180 days", "ru": "молчит 91–180 дней"},
    "silence=181-365": {"en": "silent 181–365 days", "ru": "молчит 181–365 дней"},
    "silence=>365": {"en": "silent over a year", "ru": "молчит больше года"},
    "silence=never": {"en": "never ordered", "ru": "не заказывал"},
    "value=none": {"en": "spent nothing in a year", "ru": "за год ничего не купил"},
    "value=low": {"en": "spends least", "ru": "тратит меньше всех"},
    "value=middle": {"en": "spends middling", "ru": "тратит средне"},
    "value=high": {"en": "spends most", "ru": "тратит больше всех"},
}
"""Segments that are worked out at the voice."""
_WORDS: dict[str, dict[str, str]] = {
    "theme": {"en": "theme", "ru": "тема"},
    "voices": {"en": "voices", "ru": "голосов"},
    "share": {"en": "share", "ru": "доля"},
    "change": {"en": "first → last weeks", "ru": "первые → последние недели"},
    "score": {"en": "mean score", "ru": "средняя оценка"},
    "afterwards": {"en": "afterwards", "ru": "потом"},
    "said": {"en": "said it", "ru": "сказали это"},
    "others": {"en": "others like them", "ru": "похожие клиенты"},
    "difference": {"en": "difference", "ru": "разница"},
    "most": {
        "en": "Most of all customers speak of “{name}”: {share} of {n} voices.",
        "ru": "Чаще всего клиенты говорят «{name}»: {share} из {n} голосов.",
    },
    "rest": {"en": "No theme: {share}.", "ru": "Вне тем: {share}."},
    "less": {
        "en": "Among those who spoke of “{name}” fewer ordered again within {days} days than among customers like "
        "them: {said} against {others}.",
        "ru": "Среди тех, кто говорил «{name}», за {days} дн. снова заказали реже, чем похожие клиенты: {said} против "
        "{others}.",
    },
    "more": {
        "en": "Among those who spoke of “{name}” more ordered again within {days} days than among customers like "
        "them: {said} against {others}.",
        "ru": "Среди тех, кто говорил «{name}», за {days} дн. снова заказали чаще, чем похожие клиенты: {said} против "
        "{others}.",
    },
    "basis": {
        "en": "What was seen, not what the theme did to them: nobody was drawn by lot. Customers are set beside those "
        "who spoke in the same quarter, by the same way, after the same silence and with the same spending of the year "
        "before{equal}. Intervals are 95% for all comparisons together. Customers whose {days} days are over: {n}; not "
        "over yet: {waiting}.",
        "ru": "Это наблюдение, а не влияние темы: жребия не было. Клиентов сравнивают с теми, кто писал в том же квартале, "
        "тем же способом, после такого же молчания и с такими же тратами за год до этого{equal}. Интервалы 95% для всех "
        "сравнений сразу. Клиентов, у которых {days} дн. уже прошли: {n}, ещё не прошли: {waiting}.",
    },
    "equal": {"en": "; other themes of the same voice are held equal", "ru": ", при тех же прочих темах"},
    "nothing-after": {
        "en": "What these customers did afterwards cannot be told: {why}.",
        "ru": "Что эти клиенты делали потом, сказать нельзя: {why}.",
    },
    "by-segment": {"en": "Share of voices by segment", "ru": "Доля голосов по сегментам"},
    "picture": {"en": "What customers speak of", "ru": "О чём говорят клиенты"},
    "of-voices": {"en": "share of voices", "ru": "доля голосов"},
    "source": {"en": "{n} voices, {first} – {last}", "ru": "Голосов: {n}, {first} – {last}"},
}  # fmt: skip


def tell(lang: Language, code: str, **values: object) -> str:
    return _WORDS[code][lang].format(**values)


def name_of(theme: Theme, most: int = 3) -> str:
    return ", ".join(theme.terms[:most])


def line_of(found: Themes, lang: Language) -> str:
    """The largest theme, what is most sure of what customers did afterwards, and the rest."""
    if found.why_not:
        return WHY_NOT.get(found.why_not, {}).get(lang, found.why_not)
    first = found.themes[0]
    parts = [
        tell(
            lang,
            "most",
            name=name_of(first),
            share=locale.percent(first.share, lang, digits=0),
            n=locale.number(found.voices, lang),
        )
    ]
    told = [
        (abs(after.difference) / (after.high - after.low), theme, after)
        for theme in found.themes
        for after in theme.after
        if after.outcome == "returned" and not after.why_not and (after.low > 0 or after.high < 0)
    ]
    if told:
        _, theme, after = max(told, key=lambda entry: entry[0])
        parts.append(
            tell(
                lang,
                "less" if after.difference < 0 else "more",
                name=name_of(theme),
                days=after.window_days,
                said=locale.percent(after.said, lang, digits=0),
                others=locale.percent(after.others, lang, digits=0),
            )
        )
    rest = found.extra.get("rest", {}).get("share", math.nan)
    if math.isfinite(rest):
        parts.append(tell(lang, "rest", share=locale.percent(rest, lang, digits=0)))
    return " ".join(parts)


def table_of(found: Themes, lang: Language) -> Table:
    """A row for each theme."""
    heads = (
        Head(tell(lang, "theme")), Head(tell(lang, "voices"), "right"), Head(tell(lang, "share"), "right"),
        Head(tell(lang, "change"), "right"), Head(tell(lang, "score"), "right"),
    )  # fmt: skip
    rows = tuple(
        (
            name_of(theme, 4),
            locale.number(theme.voices, lang),
            locale.percent(theme.share, lang, digits=1),
            _ends(theme, lang),
            locale.number(theme.score, lang, digits=1) if math.isfinite(theme.score) else "",
        )
        for theme in found.themes
    )
    return Table(heads=heads, rows=rows)


def after_table_of(found: Themes, lang: Language) -> Table:
    """A row for each theme and outcome that is compared; what is not is left out where no outcome of the theme is."""
    heads = (
        Head(tell(lang, "theme")), Head(tell(lang, "afterwards")), Head(tell(lang, "said"), "right"),
        Head(tell(lang, "others"), "right"), Head(tell(lang, "difference"), "right"),
    )  # fmt: skip
    # What no theme can be told of is said once, below.
    unknown = {after.why_not for theme in found.themes for after in theme.after} & {
        "no-orders",
        "no-reactions",
    }
    rows = tuple(
        (name_of(theme), OUTCOME[after.outcome][lang], *_cells(after, lang))
        for theme in found.themes
        if any(not after.why_not for after in theme.after)
        for after in theme.after
        if after.why_not not in unknown
    )
    told = found.extra.get("after", {})
    days = locale.number(told.get("window_days", 0), lang)
    note = ""
    if rows:
        note = tell(
            lang,
            "basis",
            equal=tell(lang, "equal") if told.get("held_equal") else "",
            days=days,
            n=locale.number(told.get("customers", 0), lang),
            waiting=locale.number(told.get("not_over", 0), lang),
        )
        reasons = (WHY_NOT[why][lang] for why in sorted(unknown))
        note += "".join(f" {reason[0].upper()}{reason[1:]}." for reason in reasons)
    elif found.themes:
        whys = Counter(after.why_not for theme in found.themes for after in theme.after)
        note = tell(lang, "nothing-after", why=WHY_NOT[whys.most_common(1)[0][0]][lang]) if whys else ""
    return Table(heads=heads, rows=rows, note=note)


def segment_table_of(found: Themes, lang: Language) -> Table:
    """A row for each theme, a column for each slice: share of the slice's voices."""
    codes = list(dict.fromkeys(code for theme in found.themes for code in theme.by_segment))
    heads = (Head(tell(lang, "theme")), *(Head(_slice_name(code, lang), "right") for code in codes))
    rows = tuple(
        (name_of(theme), *(locale.percent(theme.by_segment[code], lang, digits=1) for code in codes))
        for theme in found.themes
    )
    return Table(heads=heads, rows=rows if codes else (), title=tell(lang, "by-segment"))


def _slice_name(code: str, lang: Language) -> str:
    return SLICE[code][lang] if code in SLICE else locale.slice_name(code, lang)


def _cells(after: After, lang: Language) -> tuple[str, str, str]:
    if after.why_not:
        return "", "", WHY_NOT.get(after.why_not, {}).get(lang, after.why_not)
    if after.outcome == "orders":
        figure = locale.figure(
            after.difference, lang, unit="count", low=after.low, high=after.high, sign=True
        )
        return (
            locale.number(after.said, lang, digits=2),
            locale.number(after.others, lang, digits=2),
            str(figure),
        )
    figure = locale.figure(after.difference, lang, unit="points", low=after.low, high=after.high, sign=True)
    return (
        locale.percent(after.said, lang, digits=1),
        locale.percent(after.others, lang, digits=1),
        str(figure),
    )


def _ends(theme: Theme, lang: Language) -> str:
    """By four weeks at each end: single weeks jump."""
    known = [share for share in theme.weekly if math.isfinite(share)]
    if len(known) < 8:
        return ""
    first, last = sum(known[:4]) / 4, sum(known[-4:]) / 4
    return f"{locale.percent(first, lang, digits=1)} → {locale.percent(last, lang, digits=1)}"
