"""A policy in plain sentences, and what one version changed of another, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from math import isnan

from primeta.attention.credit_levels import HARSHER, PRESS_AT, SELL_AT, WELCOMES_PER_LOSS
from primeta.attention.decide import MARKETING
from primeta.attention.records import Cap, Policy
from primeta.show import locale

EXAMPLE_RISK = 0.001
"""Of driving a customer away, in the sentence that shows how a threshold comes from money."""

PURPOSES: Mapping[str, Mapping[str, str]] = {
    "service": {"en": "service", "ru": "сервисные"},
    "useful": {"en": "useful", "ru": "полезные"},
    "offer": {"en": "offers", "ru": "предложения"},
    "press": {"en": "pressing", "ru": "настойчивые"},
}
WORDS: Mapping[str, Mapping[str, str]] = {
    "caps": {"en": "Caps", "ru": "Пределы частоты"},
    "quiet_hours": {"en": "Quiet hours", "ru": "Тихие часы"},
    "first_useful": {"en": "First touches", "ru": "Первые касания"},
    "useful_after_broken": {"en": "After a broken promise", "ru": "После нарушенного обещания"},
    "rest_when_blind": {"en": "Who no longer looks", "ru": "Кто больше не смотрит"},
    "thresholds": {"en": "Selling and pressing", "ru": "Когда можно продавать"},
    "priority": {"en": "When several want one slot", "ru": "Если сообщений несколько"},
    "channels": {"en": "Channels", "ru": "Каналы"},
    "service_programmes": {"en": "What may call itself service", "ru": "Что считается сервисом"},
    "holdout": {"en": "Lottery of caps", "ru": "Жеребьёвка пределов"},
    "default": {"en": "If no answer comes", "ru": "Если ответа нет"},
    "cap": {
        "en": "At most {max} in any {window}{where}: {purposes}{strict}.",
        "ru": "Не больше {max} за любые {window}{where}: {purposes}{strict}.",
    },
    "cap.never": {"en": "None at all{where}: {purposes}.", "ru": "Совсем не отправлять{where}: {purposes}."},
    "cap.where": {"en": " by {channel}", "ru": " в канале {channel}"},
    "cap.loose": {
        "en": "; the lottery may leave this cap out",
        "ru": "; жеребьёвка может снять этот предел",
    },
    "caps.none": {"en": "None: nothing limits how often.", "ru": "Нет: частота не ограничена."},
    "quiet": {
        "en": "From {begin}:00 to {end}:00, where the customer lives, only service messages go.",
        "ru": "С {begin}:00 до {end}:00 по местному времени клиента уходят только сервисные сообщения.",
    },
    "quiet.none": {"en": "None: messages go at any hour.", "ru": "Нет: сообщения уходят в любое время."},
    "first": {
        "en": "A new customer gets useful messages only, until he has had {n}.",
        "ru": "Новому клиенту идут только полезные сообщения, пока он не получит {n}.",
    },
    "first.none": {"en": "Selling from the first message.", "ru": "Продавать можно с первого сообщения."},
    "after": {
        "en": "Useful messages that go before anything is sold again: {n}.",
        "ru": "Прежде чем снова продавать, нужно отправить полезных сообщений: {n}.",
    },
    "after.none": {"en": "Nothing has to be earned again.", "ru": "Доверие заново зарабатывать не нужно."},
    "rest.yes": {
        "en": "Rests for a while, then one useful message tries whether he looks again.",
        "ru": "Отдыхает от рассылок, затем одно полезное сообщение проверяет, не смотрит ли он снова.",
    },
    "rest.no": {"en": "Is written to all the same.", "ru": "Получает рассылки как все."},
    "sell": {
        "en": "Offers where the lower bound of credit is {share} or more.",
        "ru": "Предложения — если нижняя граница кредита не меньше {share}.",
    },
    "press": {
        "en": "Pressing where it is {share} or more.",
        "ru": "Настойчивые — если не меньше {share}.",
    },
    "levels.fixed": {
        "en": "Offers where the lower bound of credit is {sell} or more, pressing from {press}, and only with at least "
        "{times} welcomes for each customer driven away. Give the worth of a welcome and of a customer, and the "
        "thresholds come from money.",
        "ru": "Предложения — если нижняя граница кредита не меньше {sell}, настойчивые — от {press}, и только если на "
        "одного ушедшего клиента приходится не меньше {times} откликов. Укажите, сколько стоят отклик и клиент, и пороги "
        "будут считаться в деньгах.",
    },
    "levels.money": {
        "en": "A message goes where what it is expected to bring covers its cost and the risk of losing the customer. A "
        "welcome brings {gains}; a customer who leaves costs {loss}; a message costs {costs}.",
        "ru": "Сообщение уходит, если ожидаемая польза покрывает его цену и риск потерять клиента. Отклик приносит: "
        "{gains}; ушедший клиент обходится в {loss}; сообщение стоит: {costs}.",
    },
    "levels.useful": {
        "en": "A useful message, whose welcome has no price here, goes where a welcome is likelier than losing the "
        "customer.",
        "ru": "Полезное сообщение — цена отклика на него не указана — уходит, если отклик вероятнее, чем уход клиента.",
    },
    "levels.example": {
        "en": "For example, where {risk} would leave, an offer needs a lower bound of credit of {share}.",
        "ru": "Например, если уходит {risk}, для предложения нужна нижняя граница кредита {share}.",
    },
    "nothing": {"en": "nothing", "ru": "ничего"},
    "elsewhere": {"en": "elsewhere", "ru": "в остальных каналах"},
    "order": {"en": "In this order: {order}.", "ru": "В таком порядке: {order}."},
    "channels.any": {
        "en": "Any; a misspelt one is not noticed.",
        "ru": "Любые; опечатка в названии останется незамеченной.",
    },
    "channels.only": {"en": "Only {names}.", "ru": "Только {names}."},
    "service.any": {
        "en": "Any programme; one that was sent as marketing before is pointed out.",
        "ru": "Любая механика; если раньше её отправляли как рекламу, Примета предупредит.",
    },
    "service.only": {"en": "Only {names}.", "ru": "Только {names}."},
    "lottery": {
        "en": "In {share} of the questions, drawn by lot, caps that are not strict are left out or doubled: that is how "
        "their effect is learnt.",
        "ru": "В {share} случаев по жеребьёвке нестрогие пределы снимаются или удваиваются: так узнают, что они дают.",
    },
    "lottery.none": {
        "en": "None: what caps cause cannot be learnt from this log.",
        "ru": "Нет: что дают пределы, из такого журнала узнать нельзя.",
    },
    "default.refuse": {
        "en": "Nothing is sent, service neither.",
        "ru": "Ничего не отправлять, даже сервисные сообщения.",
    },
    "default.allow-service": {
        "en": "Service messages go, all others wait.",
        "ru": "Отправлять только сервисные сообщения.",
    },
    "default.allow": {"en": "Everything goes.", "ru": "Отправлять всё."},
}
"""Titles and sentences of the rules of sending."""
FIELDS = (
    "caps", "quiet_hours", "first_useful", "useful_after_broken", "rest_when_blind", "thresholds", "priority", "channels",
    "service_programmes", "holdout", "default",
)  # fmt: skip


UNITS = {"day": 86400, "hour": 3600, "minute": 60}
PLURALS = {
    "day": {"en": ("days", "days", "days"), "ru": ("день", "дня", "дней")},
    "hour": {"en": ("hours", "hours", "hours"), "ru": ("час", "часа", "часов")},
    "minute": {"en": ("minutes", "minutes", "minutes"), "ru": ("минуту", "минуты", "минут")},
}
"""After «за любые»: 1, 2 … 4, 5 …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One part of a policy as people read it."""

    code: str
    """One of `FIELDS`."""
    title: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One part that differs between two versions: sentences that are gone, and those that came."""

    code: str
    title: str
    before: tuple[str, ...]
    after: tuple[str, ...]


def rules(policy: Policy, lang: str, *, currency: str = "USD") -> tuple[Rule, ...]:
    """The whole policy, part by part."""
    said = {
        "caps": tuple(cap_words(cap, lang) for cap in policy.caps) or (_say("caps.none", lang),),
        "quiet_hours": (
            _say("quiet", lang, begin=policy.quiet_hours[0], end=policy.quiet_hours[1])
            if policy.quiet_hours
            else _say("quiet.none", lang),
        ),
        "first_useful": (_counted("first", policy.first_useful, lang),),
        "useful_after_broken": (_counted("after", policy.useful_after_broken, lang),),
        "rest_when_blind": (_say("rest.yes" if policy.rest_when_blind else "rest.no", lang),),
        "thresholds": _thresholds(policy, lang, currency),
        "priority": (_say("order", lang, order=_purposes(policy.priority, lang)),),
        "channels": (_named("channels", policy.channels, lang),),
        "service_programmes": (_named("service", policy.service_programmes, lang),),
        "holdout": (
            _say("lottery", lang, share=locale.percent(policy.holdout, lang))
            if policy.holdout
            else _say("lottery.none", lang),
        ),
        "default": (_say(f"default.{policy.default}", lang),),
    }
    return tuple(Rule(code=code, title=_say(code, lang), sentences=said[code]) for code in FIELDS)


def changes(before: Policy, after: Policy, lang: str, *, currency: str = "USD") -> tuple[Change, ...]:
    """What the later policy says otherwise; empty: nothing."""
    found: list[Change] = []
    for old, new in zip(
        rules(before, lang, currency=currency), rules(after, lang, currency=currency), strict=True
    ):
        gone = tuple(said for said in old.sentences if said not in new.sentences)
        came = tuple(said for said in new.sentences if said not in old.sentences)
        if gone or came:
            found.append(Change(code=old.code, title=old.title, before=gone, after=came))
    return tuple(found)


def cap_words(cap: Cap, lang: str) -> str:
    """One cap as a sentence."""
    where = _say("cap.where", lang, channel=cap.channel) if cap.channel else ""
    named = [purpose for purpose in MARKETING if purpose in cap.purposes]
    purposes = _purposes(named, lang)
    if not cap.max:
        return _say("cap.never", lang, where=where, purposes=purposes)
    return _say(
        "cap",
        lang,
        max=cap.max,
        window=window_words(cap.window, lang),
        where=where,
        purposes=purposes,
        strict="" if cap.strict else _say("cap.loose", lang),
    )


def window_words(span: timedelta, lang: str) -> str:
    """7 days → `7 days`; one day is a rolling one, so it is said in hours."""
    seconds = int(span.total_seconds())
    unit = next((unit for unit, size in UNITS.items() if seconds % size == 0 and seconds > size), "minute")
    n = seconds // UNITS[unit]
    few, many = 2 <= n % 10 <= 4 and not 12 <= n % 100 <= 14, n % 10 != 1 or n % 100 == 11
    return f"{n} {PLURALS[unit][lang][1 if few else 2 if many else 0]}"


def _thresholds(policy: Policy, lang: str, currency: str) -> tuple[str, ...]:
    said: list[str] = []
    if not isnan(policy.sell_at):
        said.append(_say("sell", lang, share=locale.percent(policy.sell_at, lang)))
    if not isnan(policy.press_at):
        said.append(_say("press", lang, share=locale.percent(policy.press_at, lang)))
    if len(said) == 2:
        return tuple(said)
    if isnan(policy.loss_of_customer) or not policy.gain_per_touch:
        fixed = _say(
            "levels.fixed",
            lang,
            sell=locale.percent(SELL_AT if isnan(policy.sell_at) else policy.sell_at, lang),
            press=locale.percent(PRESS_AT if isnan(policy.press_at) else policy.press_at, lang),
            times=locale.number(WELCOMES_PER_LOSS, lang),
        )
        return (fixed,)

    def money(value: float) -> str:
        # A push costs less than a cent.
        digits = 2 if abs(value) >= 0.1 else locale.decimals_alone(value)
        return locale.money(value, lang, currency, digits=digits if value and abs(value) < 10 else None)

    gains = ", ".join(
        f"{PURPOSES[purpose][lang]} {money(policy.gain_per_touch[purpose])}"
        for purpose in MARKETING
        if purpose in policy.gain_per_touch
    )
    costs = ", ".join(
        f"{channel or _say('elsewhere', lang)} {money(cost)}"
        for channel, cost in sorted(policy.cost_per_message.items())
    )
    said.append(
        _say(
            "levels.money",
            lang,
            gains=gains,
            loss=money(policy.loss_of_customer),
            costs=costs or _say("nothing", lang),
        )
    )
    if "useful" not in policy.gain_per_touch:
        said.append(_say("levels.useful", lang))
    gain = policy.gain_per_touch.get("offer", 0.0)
    if isnan(policy.sell_at) and gain > 0:
        cost = max(policy.cost_per_message.values(), default=0.0)
        needed = (cost + policy.loss_of_customer * EXAMPLE_RISK * HARSHER["offer"]) / gain
        said.append(
            _say(
                "levels.example",
                lang,
                risk=_one_in(EXAMPLE_RISK * HARSHER["offer"], lang),
                share=locale.percent(needed, lang, digits=1 if needed >= 0.01 else None),
            )
        )
    return tuple(said)


def _one_in(share: float, lang: str) -> str:
    number = locale.number(round(1 / share), lang)
    return f"one in {number}" if lang == "en" else f"один из {number}"


def _named(of: str, names: tuple[str, ...], lang: str) -> str:
    return _say(f"{of}.only", lang, names=locale.listed(names, lang)) if names else _say(f"{of}.any", lang)


def _counted(of: str, n: int, lang: str) -> str:
    return _say(of, lang, n=n) if n else _say(f"{of}.none", lang)


def _purposes(names: tuple[str, ...] | list[str], lang: str) -> str:
    return ", ".join(PURPOSES[name][lang] for name in names)


def _say(code: str, lang: str, **values: object) -> str:
    return WORDS[code][lang].format(**values)
