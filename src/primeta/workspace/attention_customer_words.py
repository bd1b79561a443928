"""Words of the customer view: what lay there, and what stood behind it; its document."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from primeta.attention.answer_words import WORDS as ANSWERS
from primeta.show import locale
from primeta.show.locale import Language
from primeta.show.result import Head, Table

if TYPE_CHECKING:
    from primeta.store.touch_marks import TouchMark
    from primeta.workspace.attention_customer import CustomerView, Lying

WORDS: dict[str, dict[str, str]] = {
    "at": {"en": "{customer}, {moment} by his clock", "ru": "{customer}, {moment} по часам клиента"},
    "unread": {
        "en": "Nothing says that he has looked at {unread} messages: {shade} on the shade, {mailbox} in the mailbox.",
        "ru": "Не просмотрено, насколько известно: {unread}; в шторке {shade}, в почте {mailbox}.",
    },
    "sign": {
        "en": "His last sign of life was {days} days ago ({kind}, {channel}); {messages} messages came since.",
        "ru": "Последний живой отклик — {days} дн. назад ({kind}, {channel}); сообщений с тех пор: {messages}.",
    },
    "sign.none": {
        "en": "He has never opened, clicked or answered anything; {messages} messages came.",
        "ru": "Клиент ни разу ничего не открыл и не ответил; сообщений пришло: {messages}.",
    },
    "credit": {
        "en": "Credit, {channel}: {value} (95%: {interval}).",
        "ru": "Кредит внимания, {channel}: {value} (95%: {interval}).",
    },
    "promise": {
        "en": "Promised: “{text}” Broken to him so far: {broken}.",
        "ru": "Обещано: «{text}» Нарушений перед клиентом: {broken}.",
    },
    "promise.kept": {
        "en": "Promised: “{text}” Not broken to him so far.",
        "ru": "Обещано: «{text}» Пока не нарушалось.",
    },
    "before-ledger": {
        "en": "The ledger begins on {day}: what was known before cannot be told, so all that is known now is shown.",
        "ru": "Журнал ведётся с {day}: что было известно раньше, сказать нельзя, поэтому показано всё, что известно "
        "теперь.",
    },
    "older": {
        "en": "Below lie {count} older ones that he has not looked at.",
        "ru": "Ниже ещё старые непросмотренные: {count}.",
    },
    "came-at": {"en": "Came", "ru": "Пришло"},
    "place": {"en": "Where", "ru": "Где"},
    "message": {"en": "Message", "ru": "Сообщение"},
    "purpose": {"en": "Purpose", "ru": "Назначение"},
    "why": {"en": "Sent by", "ru": "Кто отправил"},
    "read": {"en": "Looked at", "ru": "Просмотрено"},
    "broke": {"en": "Broke", "ru": "Нарушило"},
    "no": {"en": "no", "ru": "нет"},
    "place.shade": {"en": "shade", "ru": "шторка"},
    "place.mailbox": {"en": "mailbox", "ru": "почта"},
    "no-text": {"en": "(its text is not in the log)", "ru": "(текста нет в журнале)"},
    "purpose.service": {"en": "service", "ru": "сервисное"},
    "purpose.useful": {"en": "useful", "ru": "полезное"},
    "purpose.offer": {"en": "offer", "ru": "предложение"},
    "purpose.press": {"en": "press", "ru": "нажим"},
    "seen.opened": {"en": "opened", "ru": "открыто"},
    "seen.clicked": {"en": "clicked", "ru": "переход"},
    "seen.replied": {"en": "answered", "ru": "ответ"},
    "seen.unsubscribed": {"en": "opted out", "ru": "отписка"},
    "seen.complained": {"en": "complained", "ru": "жалоба"},
    "mark.yes": {"en": "would wait", "ru": "ждать стоит"},
    "mark.no": {"en": "would not wait", "ru": "ждать не стоит"},
    "mark.neutral": {"en": "does not matter", "ru": "всё равно"},
    "processing.service": {"en": "service", "ru": "сервисные сообщения"},
    "processing.marketing": {"en": "marketing", "ru": "реклама"},
    "processing.personalisation": {"en": "personalisation", "ru": "персонализация"},
    "processing.profiling": {"en": "profiling", "ru": "профилирование"},
    "consent.given": {"en": "given", "ru": "дано"},
    "consent.withdrawn": {"en": "withdrawn", "ru": "отозвано"},
    "consent.refused": {"en": "refused", "ru": "отказ"},
    "consent.never": {"en": "never asked, or no proof", "ru": "не спрашивали или нет подтверждения"},
    "preference.channels": {"en": "only by", "ru": "только через"},
    "preference.topics": {"en": "only these topics", "ru": "только темы"},
    "preference.max_per_week": {"en": "at most a week", "ru": "не чаще, раз в неделю"},
    "preference.hours": {"en": "hours", "ru": "часы"},
    "preference.none": {"en": "taken back", "ru": "снято"},
    "language.ru": {"en": "Russian", "ru": "русский"},
    "language.en": {"en": "English", "ru": "английский"},
    "preference.language": {"en": "language", "ru": "язык"},
}  # fmt: skip


def tell(lang: Language | str, code: str, /, **values: object) -> str:
    """Words for a code; a code that has none is shown as it is."""
    told = WORDS.get(code)
    return code.rpartition(".")[2] if told is None else told["ru" if lang == "ru" else "en"].format(**values)


def rule_words(lang: Language | str, rule: str) -> str:
    """A deciding rule in a few words."""
    told = ANSWERS.get("allowed" if rule == "allowed" else f"rule.{rule}")
    return rule if told is None else told["ru" if lang == "ru" else "en"]


def sender_words(lying: Lying) -> str:
    """Programme and campaign that sent it."""
    came = lying.came
    return " · ".join(part for part in (came.programme, came.campaign) if part) or "—"


def preference_text(lang: Language | str, name: str, value: Any) -> str:
    """What he set, in words."""
    if name == "hours" and isinstance(value, list | tuple) and len(value) == 2:
        return f"{int(value[0])}:00–{int(value[1])}:00"
    if name == "language" and f"language.{value}" in WORDS:
        return tell(lang, f"language.{value}")
    if isinstance(value, list | tuple):
        return locale.listed([str(entry) for entry in value], str(lang))
    return str(value)


def sign_days(view: CustomerView) -> int:
    """Whole days since his last human sign."""
    assert view.sign is not None
    return (view.at - view.sign.at).days


def view_line(view: CustomerView, lang: Language | str) -> str:
    """The moment in a few sentences."""
    number = locale.number
    said = [
        tell(lang, "at", customer=view.customer, moment=locale.moment(view.at, str(lang), view.zone)) + "."
    ]
    if view.ledger_since is not None:
        said.append(tell(lang, "before-ledger", day=locale.day(view.ledger_since.date(), str(lang))))
    shade = sum(lying.unread for lying in view.shade) + view.older["shade"]
    said.append(
        tell(
            lang,
            "unread",
            unread=number(view.unread, str(lang)),
            shade=number(shade, str(lang)),
            mailbox=number(view.unread - shade, str(lang)),
        )
    )
    if view.sign is None:
        said.append(tell(lang, "sign.none", messages=number(view.came, str(lang))))
    else:
        said.append(
            tell(
                lang,
                "sign",
                days=number(sign_days(view), str(lang)),
                kind=tell(lang, f"seen.{view.sign.kind}"),
                channel=view.sign.channel,
                messages=number(view.sign.messages_since, str(lang)),
            )
        )
    said += [
        tell(
            lang,
            "credit",
            channel=entry.channel,
            value=locale.percent(entry.credit.value, str(lang)),
            interval=between(entry.credit.low, entry.credit.high, lang),
        )
        for entry in view.channels
    ]
    said += [
        tell(
            lang,
            "promise" if entry.broken else "promise.kept",
            text=entry.promise.text,
            broken=number(entry.broken, str(lang)),
        )
        for entry in view.promises
    ]
    return "\n".join(said)


def between(low: float, high: float, lang: Language | str, *, digits: int = 1) -> str:
    """`1.0% to 4.0%`, `от 1,0% до 4,0%`."""
    first, last = (locale.percent(bound, str(lang), digits=digits) for bound in (low, high))
    return f"от {first} до {last}" if lang == "ru" else f"{first} to {last}"


def view_table(view: CustomerView, lang: Language | str) -> Table:
    """The shade, then the mailbox, each newest first."""
    codes = ("came-at", "place", "message", "purpose", "why", "read", "broke")
    rows = tuple(
        (
            locale.moment(lying.came.sent_at, str(lang), view.zone),
            f"{tell(lang, f'place.{lying.came.place}')}, {lying.came.channel}",
            lying.came.title or lying.came.text or tell(lang, "no-text"),
            tell(lang, f"purpose.{lying.came.purpose}"),
            sender_words(lying),
            tell(lang, "no") if lying.unread else tell(lang, f"seen.{lying.came.seen_by}"),
            ", ".join(lying.broke) or "—",
        )
        for lying in (*view.shade, *view.mailbox)
    )
    older = sum(view.older.values())
    note = view_line(view, lang)
    if older:
        note += "\n" + tell(lang, "older", count=locale.number(older, str(lang)))
    return Table(heads=tuple(Head(tell(lang, code)) for code in codes), rows=rows, note=note)


def view_document(view: CustomerView) -> dict[str, Any]:
    """The document of `--json`; no id of the customer is in it."""
    return {
        "customer": view.customer,
        "at": view.at,
        "timezone": view.zone.key,
        "sender": view.sender,
        "known": view.known,
        "ledger_since": view.ledger_since,
        "unread": view.unread,
        "came": view.came,
        "withheld": view.withheld,
        "shade": [_lying(lying) for lying in view.shade],
        "mailbox": [_lying(lying) for lying in view.mailbox],
        "gone": [_lying(lying) for lying in view.gone],
        "older": dict(view.older),
        "last_sign": None
        if view.sign is None
        else {
            "at": view.sign.at,
            "kind": view.sign.kind,
            "channel": view.sign.channel,
            "days": sign_days(view),
            "messages_since": view.sign.messages_since,
        },
        "credit": [
            {
                "channel": entry.channel,
                "value": entry.credit.value,
                "low": entry.credit.low,
                "high": entry.credit.high,
                "blind": entry.credit.blind,
                "level": entry.credit.level,
                "course": [
                    {"at": point.at, "value": point.value, "low": point.low, "high": point.high}
                    for point in entry.course.points
                ],
            }
            for entry in view.channels
        ],
        "promises": [
            {
                "promise": entry.promise.name,
                "version": entry.promise.version,
                "text": entry.promise.text,
                "broken": entry.broken,
                "last_broken": entry.last_broken,
            }
            for entry in view.promises
        ],
        "consents": [
            {
                "processing": entry.processing,
                "channel": entry.channel,
                "state": entry.standing.state,
                "since": _since(entry.standing.mark),
                "version": "" if entry.standing.mark is None else entry.standing.mark.version,
                "claimed": entry.standing.claimed,
            }
            for entry in view.consents
        ],
        "preferences": dict(view.preferences),
        "wishes": view.wishes,
        "days": [{"day": entry.day, "count": entry.count, "broken": entry.broken} for entry in view.days],
    }


def _since(mark: Any) -> datetime | None:
    return None if mark is None else mark.at


def _lying(lying: Lying) -> dict[str, Any]:
    came = lying.came
    decision = came.decision
    return {
        "message_id": came.message_id,
        "sent_at": came.sent_at,
        "local": lying.local.isoformat(timespec="minutes"),
        "channel": came.channel,
        "purpose": came.purpose,
        "campaign": came.campaign,
        "programme": came.programme,
        "team": came.team,
        "title": came.title,
        "text": came.text,
        "unread": lying.unread,
        "seen_at": came.seen_at,
        "seen_by": came.seen_by,
        "broke": list(lying.broke),
        "decision": None
        if decision is None
        else {
            "allowed": decision.allowed,
            "rule": decision.rule,
            "policy": decision.policy,
            "promise": decision.promise,
            "at": decision.at,
        },
        "marks": [_mark(mark) for mark in lying.marks],
    }


def _mark(mark: TouchMark) -> dict[str, Any]:
    return {"reviewer": mark.reviewer, "mark": mark.mark, "note": mark.note, "at": mark.at}
