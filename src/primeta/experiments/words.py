"""The words of experiments in both languages: states, rules, reasons, and how their figures are written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from primeta.show import locale

WORDS: dict[str, dict[str, str]] = {
    # States of a decision
    "scale": {"en": "scale", "ru": "масштабировать"},
    "harm": {"en": "stop: harm", "ru": "остановить: вред"},
    "futile": {"en": "stop: not worth it", "ru": "остановить: не стоит того"},
    "continue": {"en": "go on", "ru": "продолжать"},
    "invalid": {"en": "invalid", "ru": "недействителен"},
    # Roles
    "primary": {"en": "primary", "ru": "главная"},
    "guardrail": {"en": "guardrail", "ru": "ограничение"},
    "secondary": {"en": "secondary", "ru": "дополнительная"},
    # Heads of the tables
    "metric": {"en": "metric", "ru": "метрика"},
    "arm": {"en": "arm", "ru": "ветка"},
    "customers": {"en": "customers", "ru": "клиентов"},
    "control_mean": {"en": "control", "ru": "контроль"},
    "arm_mean": {"en": "arm", "ru": "ветка"},
    "difference": {"en": "difference", "ru": "разница"},
    "lift": {"en": "lift", "ru": "прирост"},
    "always": {"en": "valid at any look", "ru": "верно при любом взгляде"},
    "p": {"en": "p", "ru": "p"},
    "state": {"en": "decision", "ru": "решение"},
    "money": {"en": "money per customer", "ru": "деньги на клиента"},
    "why": {"en": "why", "ru": "почему"},
    "segment": {"en": "segment", "ru": "сегмент"},
    # Assignment
    "assigned": {"en": "Customers: {units}; {arms}.", "ru": "Клиентов: {units}; {arms}."},
    "assigned.outside": {"en": "Taking no part: {count}.", "ru": "Не участвуют: {count}."},
    "assigned.planned": {"en": "planned", "ru": "по плану"},
    "assigned.share": {"en": "share", "ru": "доля"},
    "assigned.repeated": {
        "en": "Rows that repeat a customer: {rows}; he has the same arm on each.",
        "ru": "Строк с повторным клиентом: {rows}; ветка у него везде одна.",
    },
    "assigned.cuts-made": {
        "en": "Cut points are kept in {file} (strata: {strata}): assign later customers with the same file.",
        "ru": "Границы веток сохранены в {file} (страт: {strata}): с этим же файлом распределяйте тех, кто придёт позже.",
    },
    "assigned.cuts-read": {
        "en": "Cut points were taken from {file} (strata: {strata}).",
        "ru": "Границы веток взяты из {file} (страт: {strata}).",
    },
    "assigned.elsewhere": {
        "en": "Rows in strata that {file} does not know: {rows}; for them the planned shares hold.",
        "ru": "Строк из страт, которых нет в {file}: {rows}; для них действуют доли из плана.",
    },
    "assigned.uneven": {
        "en": "The arms differ from the planned shares by more than chance explains (p = {p}). Look at the ids; "
        "if they are in order, take another salt before anything is sent.",
        "ru": "Размеры веток расходятся с планом сильнее, чем объясняет случай (p = {p}). Проверьте идентификаторы; "
        "если с ними всё в порядке, смените соль, пока ничего не отправлено.",
    },
    # Cautions
    "few-events": {
        "en": "fewer than ten customers with (or without) the event in an arm: the interval is rough",
        "ru": "в одной из веток меньше десяти клиентов с событием (или без него): интервал приблизителен",
    },
    "heavy-tail": {
        "en": "a few very large values decide: with so few customers the interval may miss more often than it says; "
        "declare a cap beforehand next time",
        "ru": "всё решают несколько очень больших значений: при таком числе клиентов интервал может промахиваться чаще, "
        "чем обещает; в следующий раз заранее объявите верхнюю границу",
    },
    "small-arm": {
        "en": "fewer than a hundred customers in an arm: the interval is rough",
        "ru": "в одной из веток меньше ста клиентов: интервал приблизителен",
    },
    "placebo-moved": {
        "en": "the arms already differed before the experiment",
        "ru": "ветки различались ещё до эксперимента",
    },
    # Why there is no number
    "too-few-customers": {
        "en": "fewer than two customers in an arm",
        "ru": "в одной из веток меньше двух клиентов",
    },
    "no-denominator": {
        "en": "the denominator is zero in an arm, so there is no ratio",
        "ru": "в одной из веток знаменатель равен нулю, отношения нет",
    },
    "no-variance": {
        "en": "all customers have the same value, so nothing can be said of noise",
        "ru": "у всех клиентов одно и то же значение, о шуме сказать нечего",
    },
    "not-seen-yet": {
        "en": "no customer's whole window has passed yet",
        "ru": "ни у одного клиента окно ещё не прошло целиком",
    },
    "known-before": {
        "en": "it describes customers as they were before the experiment, so no arm can move it",
        "ru": "она описывает клиентов до эксперимента, поэтому ни одна ветка её не сдвинет",
    },
    "not-mapped": {
        "en": "the mapped tables do not give it",
        "ru": "в подключённых таблицах нет данных для неё",
    },
    "no-rows": {"en": "a table that it needs holds no rows", "ru": "в нужной для неё таблице нет строк"},
    "short-history": {
        "en": "the facts do not reach back a whole window",
        "ru": "данных не хватает даже на одно целое окно",
    },
    "value-of-ratio": {
        "en": "the value in money is declared for a ratio of two sums, which has none per customer",
        "ru": "цена указана для отношения двух сумм, а у него нет денег на клиента",
    },
    "no-value": {
        "en": "no value in money is declared for the effect",
        "ru": "не указано, сколько денег стоит эффект",
    },
    "measured": {"en": "measured", "ru": "измерено"},
}

# `{metric}` is the metric's name, the rest are figures written by `told`.
RULES: dict[str, dict[str, str]] = {
    "sample-ratio": {
        "en": "the arms are not as large as planned (p {p}): something decided who is in which arm, so no effect "
        "can be believed. Find out what before anything else",
        "ru": "размеры веток не те, что запланированы (p {p}): что-то решало, кто в какую ветку попадёт, и эффектам "
        "верить нельзя. Сначала найдите причину",
    },
    "sample-ratio.assumed": {
        "en": " (equal shares were assumed; give the planned ones)",
        "ru": " (доли веток не указаны, взяты равные; укажите плановые)",
    },
    "primary-unknown": {
        "en": "{metric} cannot be told: {why_not}",
        "ru": "{metric}: сказать нельзя, {why_not}",
    },
    "primary-harm": {
        "en": "{metric} got worse: {difference} ({interval})",
        "ru": "{metric}: стало хуже, {difference} ({interval})",
    },
    "guardrail-harm": {
        "en": "the guardrail {guardrail} is broken: {guardrail_difference} ({guardrail_interval}), the margin is {margin}",
        "ru": "ограничение {guardrail} нарушено: {guardrail_difference} ({guardrail_interval}), допуск {margin}",
    },
    "money-lost": {
        "en": "it costs more than it brings: {money} per customer ({money_interval})",
        "ru": "стоит больше, чем приносит: {money} на клиента ({money_interval})",
    },
    "shown": {
        "en": "{metric} is better: {difference} ({interval})",
        "ru": "{metric}: лучше, {difference} ({interval})",
    },
    "shown.guarded": {
        "en": ", the guardrails hold",
        "ru": ", ограничения соблюдены",
    },
    "shown.money": {
        "en": "; it brings {money} per customer ({money_interval})",
        "ru": "; приносит {money} на клиента ({money_interval})",
    },
    "too-small": {
        "en": "{metric} is better, {difference} ({interval}), but surely by less than the {smallest} that matter",
        "ru": "{metric}: лучше, {difference} ({interval}), но заведомо меньше, чем {smallest}, с которых это важно",
    },
    "effect-ruled-out": {
        "en": "an effect of {smallest} on {metric} is ruled out: {difference} ({interval})",
        "ru": "{metric}: эффект в {smallest} исключён, {difference} ({interval})",
    },
    "not-seen-yet": {
        "en": "no customer's whole window has passed yet",
        "ru": "ни у одного клиента окно ещё не прошло целиком",
    },
    "before-end": {
        "en": "the plan looks once, when it ends; what is seen before does not decide",
        "ru": "по плану на результат смотрят один раз, в конце; то, что видно раньше, ничего не решает",
    },
    "between-looks": {
        "en": "planned look {look} of {looks} comes at {n} customers; what is seen in between does not decide",
        "ru": "плановый взгляд {look} из {looks} будет, когда наберётся {n} клиентов; увиденное между взглядами ничего не "
        "решает",
    },
    "primary-open": {
        "en": "{metric}: {difference} ({interval}); gain and loss are both still possible",
        "ru": "{metric}: {difference} ({interval}); возможны и выигрыш, и проигрыш",
    },
    "guardrail-open": {
        "en": "{metric} is better, but the guardrail {guardrail} is not shown to hold yet: {guardrail_difference} "
        "({guardrail_interval}), the margin is {margin}",
        "ru": "{metric}: лучше, но ещё не показано, что ограничение {guardrail} соблюдено: {guardrail_difference} "
        "({guardrail_interval}), допуск {margin}",
    },
    "money-open": {
        "en": "{metric} is better, but it is not yet shown that it pays: {money} per customer ({money_interval})",
        "ru": "{metric}: лучше, но ещё не показано, что это окупается: {money} на клиента ({money_interval})",
    },
    "primary-open-at-end": {
        "en": "the planned end has come and no gain is shown: {metric} {difference} ({interval})",
        "ru": "плановый конец наступил, выигрыш не показан: {metric} {difference} ({interval})",
    },
    "guardrail-open-at-end": {
        "en": "the planned end has come and the guardrail {guardrail} is not shown to hold: {guardrail_difference} "
        "({guardrail_interval}), the margin is {margin}",
        "ru": "плановый конец наступил, и не показано, что ограничение {guardrail} соблюдено: {guardrail_difference} "
        "({guardrail_interval}), допуск {margin}",
    },
    "money-open-at-end": {
        "en": "the planned end has come and it is not shown that it pays: {money} per customer ({money_interval})",
        "ru": "плановый конец наступил, и не показано, что это окупается: {money} на клиента ({money_interval})",
    },
}

SENTENCES: dict[str, dict[str, str]] = {
    "scale": {"en": "Scale {arm}: {why}.", "ru": "Масштабировать {arm}: {why}."},
    "harm": {"en": "Stop, it harms: {why}.", "ru": "Остановить, это вредит: {why}."},
    "futile": {
        "en": "Stop, it is not worth going on: {why}.",
        "ru": "Остановить, продолжать не стоит: {why}.",
    },
    "continue": {"en": "Go on: {why}.", "ru": "Продолжать: {why}."},
    "invalid": {"en": "Invalid: {why}.", "ru": "Эксперимент недействителен: {why}."},
    "note.always": {
        "en": "Intervals are {level} for one look at a planned end; the decision uses the one that holds at every look.",
        "ru": "Интервалы {level} верны для одного взгляда в плановом конце; решение принято по тому, который верен при "
        "любом взгляде.",
    },
    "note.fixed": {
        "en": "Intervals are {level} for one look at a planned end, and the decision uses them: looking again breaks them.",
        "ru": "Интервалы {level} верны для одного взгляда в плановом конце, и решение принято по ним: второй взгляд их "
        "портит.",
    },
    "note.planned": {
        "en": "Intervals are {level} for one look at a planned end; the decision uses the bound of this planned look.",
        "ru": "Интервалы {level} верны для одного взгляда в плановом конце; решение принято по границе этого планового "
        "взгляда.",
    },
    "note.lift": {
        "en": "The verdict is the difference's. Where the control's mean is poorly known, the lift's interval is the one "
        "that agrees with it ({method}).",
        "ru": "Вывод делается по разнице. Там, где среднее контроля известно плохо, для прироста взят интервал, который "
        "с ней согласен ({method}).",
    },
    "note.shares": {
        "en": "The planned shares of the arms were not given; equal ones were assumed for the check of their sizes.",
        "ru": "Плановые доли веток не указаны; для проверки размеров взяты равные.",
    },
    "note.no-arm": {
        "en": "{n} rows without an arm took no part.",
        "ru": "Строк без ветки, не участвовавших в эксперименте: {n}.",
    },
    "note.before-start": {
        "en": "Customers assigned before the first day of the plan, left out: {n}.",
        "ru": "Клиентов, распределённых до первого дня плана (не учтены): {n}.",
    },
    "note.after-end": {
        "en": "Customers assigned on the last day of the plan or later, left out: {n}.",
        "ru": "Клиентов, распределённых в день окончания плана или позже (не учтены): {n}.",
    },
    "note.in-future": {
        "en": "Customers whose assignment lies in the future, left out until then: {n}.",
        "ru": "Клиентов, у которых дата распределения ещё не наступила (пока не учтены): {n}.",
    },
    "note.touched-before": {
        "en": "Customers who had a message of this experiment's campaign before they were assigned: {n}. Whoever was "
        "treated before the lottery may have been chosen, not drawn.",
        "ru": "Клиентов, получивших сообщение кампании этого эксперимента раньше, чем их распределили: {n}. Тех, кого "
        "затронули до жеребьёвки, могли выбрать, а не вытянуть.",
    },
    "note.held-out": {
        "en": "Customers in the population who take no part (holdout, other slots, not let in yet): {n}.",
        "ru": "Клиентов из аудитории, которые не участвуют (общая контрольная группа, чужие слоты, ещё не впущены): {n}.",
    },
    "note.values": {
        "en": "{column} has {n} values, too many to be shown apart or adjusted for.",
        "ru": "У {column} слишком много значений ({n}): эффекты по ним не показаны и поправка на них не сделана.",
    },
    "note.covariate-empty": {
        "en": "Covariate {column} is empty in {n} rows; they stand at its mean.",
        "ru": "Ковариата {column} пуста в строках: {n}; там взято её среднее.",
    },
    "note.segments": {
        "en": "Segments do not decide; p is adjusted over all of them (Benjamini–Hochberg).",
        "ru": "Сегменты не решают; p поправлены на их число (Бенджамини — Хохберг).",
    },
    "note.cuped": {
        "en": "Covariates explained away {share} of the noise of {metric}.",
        "ru": "Ковариаты убрали {share} шума метрики {metric}.",
    },
    "note.caution": {"en": "{metric}, {arm}: {why}.", "ru": "{metric}, {arm}: {why}."},
    "note.bayes": {
        "en": "{arm} is better on {metric} with probability {better} (flat prior).",
        "ru": "{arm} лучше по метрике {metric} с вероятностью {better} (плоское априорное распределение).",
    },
}


def word(code: str, lang: str) -> str:
    """The word for a state, a role, a caution or a reason; an unknown code is shown as it is."""
    return WORDS[code][lang] if code in WORDS else code


def sentence(code: str, lang: str, **figures: Any) -> str:
    return SENTENCES[code][lang].format(**figures)


def amount_text(value: float, relative: bool, lang: str, *, share: bool = False, sign: bool = False) -> str:
    """An amount that matters: `2%` of the control's mean, points of a share, or a plain number."""
    if relative:
        return locale.percent(value, lang, sign=sign)
    return locale.points(value, lang, sign=sign) if share else locale.number(value, lang, sign=sign)


def told(
    rule: str,
    figures: Mapping[str, Any],
    lang: str,
    *,
    money: tuple[float, float, float] = (math.nan, math.nan, math.nan),
    currency: str = "",
    labels: Mapping[str, str] | None = None,
    shares: frozenset[str] = frozenset(),
    sums: frozenset[str] = frozenset(),
) -> str:
    """Why a decision fell as it did, with its figures; no full stop.

    Args:
        figures: As `decide` keeps them.
        money: Money per customer with its interval.
        labels: Metric → the name that people read.
        shares: Metrics that are shares: their differences are points.
        sums: Metrics that are money: their differences carry the currency.
    """
    labels = labels or {}

    def name(metric: str) -> str:
        return labels.get(metric, metric)

    def gap(value: float, low: float, high: float, metric: str) -> tuple[str, str]:
        unit: locale.Unit = "points" if metric in shares else "count"
        if metric in sums and currency:
            unit = "money"
        figure = locale.figure(value, lang, unit=unit, low=low, high=high, currency=currency, sign=True)
        return figure.text, figure.interval or locale.CANNOT_TELL[lang]

    def number(key: str) -> float:
        value = figures.get(key)
        return math.nan if value is None else float(value)

    metric = str(figures.get("metric", ""))
    difference, between = gap(number("difference"), number("low"), number("high"), metric)
    filled: dict[str, str] = {
        "metric": name(metric),
        "difference": difference,
        "interval": between,
        "smallest": amount_text(
            abs(number("smallest")), bool(figures.get("smallest_relative")), lang, share=metric in shares
        ).lstrip("+"),
        "p": locale.number(number("p"), lang) if number("p") >= 0.001 else "< " + locale.number(0.001, lang),
        "why_not": word(str(figures.get("why_not", "")), lang),
    }
    if "guardrail" in figures:
        guard = str(figures["guardrail"])
        filled["guardrail"] = name(guard)
        filled["guardrail_difference"], filled["guardrail_interval"] = gap(
            number("guardrail_difference"), number("guardrail_low"), number("guardrail_high"), guard
        )
        filled["margin"] = amount_text(
            number("margin"), bool(figures.get("margin_relative")), lang, share=guard in shares, sign=True
        )
    for key in ("n", "look", "looks"):
        filled[key] = locale.number(number(key), lang, digits=0) if key in figures else ""
    unit: locale.Unit = "money" if currency else "count"
    shown = locale.figure(
        money[0], lang, unit=unit, low=money[1], high=money[2], currency=currency, sign=True
    )
    filled["money"], filled["money_interval"] = shown.text, shown.interval or locale.CANNOT_TELL[lang]
    text = RULES[rule][lang] if rule in RULES else rule
    if rule == "shown" and figures.get("guardrails"):
        text += RULES["shown.guarded"][lang]
    if rule == "shown" and math.isfinite(money[0]):
        text += RULES["shown.money"][lang]
    return text.format(**filled)
