"""Words of an answer in both languages: why it may not be sent, and what would change that."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from primeta.attention.records import Answer, Flip
from primeta.show import locale

WORDS: dict[str, dict[str, str]] = {
    "allowed": {"en": "May be sent.", "ru": "Отправлять можно."},
    "unknown-purpose": {
        "en": "The purpose “{purpose}” is not known; expected service, useful, offer or press.",
        "ru": "Назначение «{purpose}» неизвестно; возможны service, useful, offer и press.",
    },
    "unknown-channel": {"en": "No channel is named.", "ru": "Не указан канал."},
    "unknown-channel.named": {
        "en": "The channel “{channel}” is not known; the policy names {known}.",
        "ru": "Канал «{channel}» неизвестен; в политике названы: {known}.",
    },
    "unknown-customer": {
        "en": "Nothing is known of this customer: no consent, no message, no order.",
        "ru": "Об этом клиенте ничего не известно: ни согласия, ни сообщений, ни заказов.",
    },
    "suppressed": {
        "en": "His data were erased, or writing to him was forbidden for good.",
        "ru": "Данные клиента удалены, или писать ему запрещено навсегда.",
    },
    "opted-out": {"en": "He opted out{when}{where}.", "ru": "Клиент отказался от сообщений{when}{where}."},
    "no-consent": {
        "en": "There is no consent with proof for marketing on this channel.",
        "ru": "Нет подтверждённого согласия на рекламу в этом канале.",
    },
    "wish": {
        "en": "In a ticket or reply he asked for something about messages; until a person has looked at it, nothing is sold.",
        "ru": "В обращении или ответе клиент высказался о рассылках; пока это не проверит человек, реклама остановлена.",
    },
    "personalisation": {
        "en": "He does not want to be written to by what is known of him.",
        "ru": "Клиент против персонализации, а сообщение использует данные о нём.",
    },
    "preference.channels": {
        "en": "He asked to be written to only by: {to}.",
        "ru": "Клиент просил писать ему только сюда: {to}.",
    },
    "preference.topics": {
        "en": "He asked only for these topics: {to}.",
        "ru": "Клиент выбрал только эти темы: {to}.",
    },
    "preference.max_per_week": {
        "en": "He asked for at most {to} a week.",
        "ru": "Клиент просил писать не чаще {to} раз в неделю.",
    },
    "preference.hours": {
        "en": "He asked to be written to from {begin}:00 to {end}:00 only.",
        "ru": "Клиент просил писать только с {begin}:00 до {end}:00.",
    },
    "purpose-rule": {
        "en": "“{programme}” is not among the service programmes of the policy: marketing must not go as service.",
        "ru": "«{programme}» нет среди сервисных механик политики: рекламу нельзя отправлять как сервисное сообщение.",
    },
    "promise": {
        "en": "It would break the promise “{text}” ({name}, version {version}).",
        "ru": "Это нарушит обещание «{text}» ({name}, версия {version}).",
    },
    "quiet-hours": {
        "en": "It is night where he lives: quiet hours from {begin}:00 to {end}:00 ({zone}).",
        "ru": "У клиента тихие часы: с {begin}:00 до {end}:00 ({zone}).",
    },
    "cap": {
        "en": "At most {max} in {window}, and he has had them.",
        "ru": "Не больше {max} за {window}, и клиент их уже получил.",
    },
    "cap.never": {
        "en": "Such messages are capped at none.",
        "ru": "Такие сообщения запрещены: предел равен нулю.",
    },
    "first-touches": {
        "en": "The first {need} messages are useful ones only; he has had {had}.",
        "ru": "Первые сообщения — только полезные: их должно быть {need}, клиент получил {had}.",
    },
    "after-broken": {
        "en": "A promise to him was broken; useful messages needed before selling again: {need}, sent since: {had}.",
        "ru": "Обещание клиенту было нарушено; прежде чем снова продавать, нужно полезных сообщений: {need}, "
        "отправлено с тех пор: {had}.",
    },
    "resting.rests": {
        "en": "He seems to have stopped looking here: let him rest until {day}, then send one useful message.",
        "ru": "Похоже, клиент перестал смотреть этот канал: дайте отдохнуть до {day}, затем отправьте одно полезное "
        "сообщение.",
    },
    "resting.probe": {
        "en": "He has rested; one useful message comes first, to see whether he looks again.",
        "ru": "Клиент отдохнул; сначала одно полезное сообщение, чтобы понять, смотрит ли он снова.",
    },
    "resting.answer": {
        "en": "One useful message after a rest is out; until {day} it is seen whether he looks again.",
        "ru": "После отдыха клиенту ушло одно полезное сообщение; до {day} станет ясно, смотрит ли он снова.",
    },
    "level.none": {
        "en": "His attention is used up: let him rest.",
        "ru": "Кредит внимания исчерпан: дайте клиенту отдохнуть.",
    },
    "level.useful": {
        "en": "His credit of attention bears useful messages only.",
        "ru": "Кредит внимания позволяет только полезные сообщения.",
    },
    "level.sell": {
        "en": "His credit of attention bears offers, but no pressing.",
        "ru": "Кредит внимания позволяет предложения, но не давление.",
    },
    "clock": {
        "en": "The clock here is {seconds} s behind what the ledger has already written; set it right first.",
        "ru": "Часы здесь отстают от журнала на {seconds} с; сначала исправьте их.",
    },
    "default": {
        "en": "Primeta could not answer in time; this is the default of the policy.",
        "ru": "Примета не ответила вовремя; это ответ по умолчанию из политики.",
    },
    "suspicious": {
        "en": "Look at it: “{name}” has been sent as marketing before.",
        "ru": "Проверьте: «{name}» раньше отправляли как рекламу.",
    },
    "breaks": {
        "en": "It counts against the promise “{name}”; service messages go all the same.",
        "ru": "Оно идёт вопреки обещанию «{name}», но сервисные сообщения отправляются всё равно.",
    },
    "earliest": {"en": "Earliest: {at}.", "ru": "Раньше всего можно {at}."},
    "flips": {"en": "What would change it: {changes}.", "ru": "Что это изменит: {changes}."},
    "flip.wait-until": {"en": "waiting until {to}", "ru": "подождать до {to}"},
    "flip.purpose": {"en": "a message that {to}", "ru": "сообщение, которое {to}"},
    "does.service": {"en": "serves an order or an account", "ru": "обслуживает заказ или аккаунт"},
    "does.useful": {"en": "is useful to him", "ru": "полезно клиенту"},
    "does.offer": {"en": "offers without pressing", "ru": "предлагает, но не давит"},
    "does.press": {"en": "presses", "ru": "давит"},
    "flip.channel": {"en": "channel {to}", "ru": "канал {to}"},
    "flip.consent": {"en": "his consent to marketing by {to}", "ru": "согласие клиента на рекламу: {to}"},
    "any-channel": {"en": "any channel", "ru": "любой канал"},
    "flip.confirm-wish": {
        "en": "a person’s word that he did not mean it",
        "ru": "решение человека, что клиент имел в виду другое",
    },
    "flip.not-personalised": {
        "en": "leaving out what is known of him",
        "ru": "не использовать данные о клиенте",
    },
    "flip.personal": {"en": "a personal offer", "ru": "персональное предложение"},
    "flip.programme": {"en": "programme {to}", "ru": "механика {to}"},
    "and-wait": {"en": "{change} and waiting until {at}", "ru": "{change} и подождать до {at}"},
    "rule.unknown-purpose": {"en": "purpose is not known", "ru": "назначение неизвестно"},
    "rule.unknown-channel": {"en": "channel is not known", "ru": "канал неизвестен"},
    "rule.unknown-customer": {"en": "nothing is known of the customer", "ru": "о клиенте ничего не известно"},
    "rule.suppressed": {"en": "erased or forbidden for good", "ru": "удалён или писать запрещено навсегда"},
    "rule.opted-out": {"en": "opted out", "ru": "отказался от сообщений"},
    "rule.no-consent": {"en": "no consent", "ru": "нет согласия"},
    "rule.wish": {
        "en": "asked for something, a person has not looked yet",
        "ru": "высказался о рассылках, человек ещё не проверил",
    },
    "rule.personalisation": {"en": "does not want personalisation", "ru": "против персонализации"},
    "rule.preference": {"en": "own preferences", "ru": "собственные настройки клиента"},
    "rule.purpose-rule": {"en": "marketing in service clothes", "ru": "реклама под видом сервиса"},
    "rule.promise": {"en": "a promise", "ru": "обещание"},
    "rule.quiet-hours": {"en": "quiet hours", "ru": "тихие часы"},
    "rule.cap": {"en": "a cap", "ru": "предел частоты"},
    "rule.first-touches": {
        "en": "first messages are useful ones only",
        "ru": "первые сообщения — только полезные",
    },
    "rule.after-broken": {
        "en": "trust is earned again after a broken promise",
        "ru": "доверие восстанавливается после нарушенного обещания",
    },
    "rule.resting": {"en": "no longer looks: a rest", "ru": "не смотрит канал: отдых"},
    "rule.level": {"en": "credit of attention", "ru": "кредит внимания"},
    "rule.clock": {"en": "the clock is behind", "ru": "часы отстают"},
    "rule.default": {"en": "no answer in time", "ru": "ответа не было вовремя"},
    "filtered": {
        "en": "{allowed} of {customers} customers may be written to; the answers are in {out}.",
        "ru": "Можно написать {allowed} из {customers} клиентов; ответы в файле {out}.",
    },
    "synced": {
        "en": "Read: consents {consents}, messages {messages}, reactions {reactions}, time zones {zones}; new in the "
        "ledger: {new}; credit worked out for {credits} customers.",
        "ru": "Прочитано: согласий {consents}, сообщений {messages}, реакций {reactions}, часовых поясов {zones}; новых "
        "записей в журнале: {new}; кредит пересчитан у клиентов: {credits}.",
    },
    "synced.without-purpose": {
        "en": "Messages without a purpose count as offers: {without_purpose}.",
        "ru": "Сообщения без назначения считаются предложениями: {without_purpose}.",
    },
    "filtered.rule": {"en": "refused by", "ru": "что мешает"},
    "filtered.customers": {"en": "customers", "ru": "клиентов"},
    "since": {"en": " on {day}", "ru": " {day}"},
    "on": {"en": ", channel {channel}", "ru": ", канал {channel}"},
    "days": {"en": "{count} d", "ru": "{count} дн."},
    "hours": {"en": "{count} h", "ru": "{count} ч"},
    "minutes": {"en": "{count} min", "ru": "{count} мин"},
}


def reason(answer: Answer, lang: str, *, zone: ZoneInfo | None = None) -> str:
    """Why, in one sentence or two."""
    values = answer.values
    if answer.rule == "allowed":
        said = [WORDS["allowed"][lang]]
        if "suspicious" in values:
            said.append(WORDS["suspicious"][lang].format(name=values["suspicious"]))
        if "breaks" in values:
            said.append(WORDS["breaks"][lang].format(name=values["breaks"]))
        return " ".join(said)
    code, told = answer.rule, dict(values)
    if code == "promise":
        told = {"text": answer.promise_text, "name": answer.promise, "version": answer.promise_version}
    elif code == "preference":
        code = f"preference.{values['what']}"
        to = values["to"]
        if values["what"] == "hours":
            told = {"begin": to[0], "end": to[1]}
        else:
            told = {"to": ", ".join(to) if isinstance(to, tuple) else to}
            if told["to"] == "":
                told["to"] = "—"
    elif code == "quiet-hours":
        told = {"begin": values["hours"][0], "end": values["hours"][1], "zone": values["zone"]}
    elif code == "cap":
        code = "cap" if values["max"] else "cap.never"
        told["window"] = span_words(values["window"], lang)
    elif code == "unknown-channel" and values.get("channel"):
        code, told["known"] = "unknown-channel.named", ", ".join(values["known"])
    elif code == "resting":
        told["day"] = locale.day(values["until"].astimezone(zone or ZoneInfo("UTC")).date(), lang)
        code = f"resting.{values['now']}"
    elif code == "level":
        code = f"level.{values['level']}"
    elif code == "opted-out":
        at, channel = values.get("at"), values.get("channel")
        day = locale.day(at.astimezone(zone or ZoneInfo("UTC")).date(), lang) if at is not None else ""
        told = {
            "when": WORDS["since"][lang].format(day=day) if day else "",
            "where": WORDS["on"][lang].format(channel=channel) if channel else "",
        }
    return WORDS[code][lang].format(**told)


def span_words(span: timedelta, lang: str) -> str:
    seconds = span.total_seconds()
    for name, size in (("days", 86400), ("hours", 3600)):
        if seconds % size == 0 and seconds:
            return WORDS[name][lang].format(count=int(seconds // size))
    return WORDS["minutes"][lang].format(count=locale.number(seconds / 60, lang))


def flip_words(flip: Flip, lang: str, zone: ZoneInfo) -> str:
    change, both, _ = flip.change.partition("+")
    to, at = flip.to, ""
    if both:
        to, _, at = flip.to.rpartition(" ")
    if change == "purpose":
        to = WORDS[f"does.{to}"][lang]
    elif change == "consent":
        to = to.partition(" ")[2] or WORDS["any-channel"][lang]
    said = WORDS[f"flip.{change}"][lang].format(to=to)
    if not both:
        return said
    return WORDS["and-wait"][lang].format(change=said, at=from_minute(datetime.fromisoformat(at), lang, zone))


def from_minute(at: datetime, lang: str, zone: ZoneInfo) -> str:
    """The first whole minute from which it is allowed: to the minute before would be too early."""
    whole = at.replace(second=0, microsecond=0)
    return locale.moment(whole if whole == at else whole + timedelta(minutes=1), lang, zone)


def line(answer: Answer, lang: str, *, zone: ZoneInfo | None = None) -> str:
    """One line for a chat; times in the zone given, else UTC."""
    there = zone or ZoneInfo("UTC")
    said = [reason(answer, lang, zone=there)]
    if not answer.allowed:
        if answer.earliest is not None:
            at = f"{from_minute(answer.earliest, lang, there)} ({there.key})"
            said.append(WORDS["earliest"][lang].format(at=at))
        others = [flip_words(flip, lang, there) for flip in answer.flips if flip.change != "wait-until"]
        if others:
            said.append(WORDS["flips"][lang].format(changes="; ".join(others)))
    return " ".join(said)


def document(answer: Answer, lang: str) -> dict[str, Any]:
    """The JSON of an answer; `reason` is for people, everything else is codes."""
    credit = answer.credit
    return {
        "allowed": answer.allowed,
        "rule": answer.rule,
        "reason": reason(answer, lang),
        "credit": None
        if credit is None
        else {
            "value": _number(credit.value),
            "low": _number(credit.low),
            "high": _number(credit.high),
            "level": credit.level,
            "model": credit.model,
            "why_not": credit.why_not,
        },
        "earliest": answer.earliest,
        "flips": [{"change": flip.change, "to": flip.to} for flip in answer.flips],
        "promise": {"name": answer.promise, "version": answer.promise_version, "text": answer.promise_text}
        if answer.promise
        else None,
        "policy": answer.policy,
        "probability": answer.probability,
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
