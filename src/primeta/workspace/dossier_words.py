"""Words of the dossier: said to the person whom it is about, without a word of jargon."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from primeta.attention.policy_words import window_words
from primeta.show import locale
from primeta.show.locale import Language

if TYPE_CHECKING:
    from primeta.workspace.dossier import ChannelHistory, Dossier

WORDS: dict[str, dict[str, str]] = {
    "setting.channels": {"en": "Only by", "ru": "Только через"},
    "setting.topics": {"en": "Only these topics", "ru": "Только темы"},
    "setting.max_per_week": {"en": "Messages a week, at most", "ru": "Сообщений в неделю, не больше"},
    "setting.hours": {"en": "Hours", "ru": "Часы"},
    "setting.language": {"en": "Language", "ru": "Язык"},
    "setting.shown_in": {"en": "Language of the page", "ru": "Язык страницы"},
    "setting.surface": {"en": "Where you chose it", "ru": "Где вы это выбрали"},
    "setting.message_id": {"en": "From the message", "ru": "Из сообщения"},
    "title": {"en": "What we hold about you", "ru": "Что мы о вас храним"},
    "head": {"en": "As of {at}. Held by: {controller}.", "ru": "По состоянию на {at}. Хранит: {controller}."},
    "nothing": {
        "en": "We hold nothing about you.",
        "ru": "Мы не храним о вас никаких данных.",
    },
    "erased": {
        "en": "Your data were erased on {at} (receipt {receipt}). What is left is a digest by which nobody can tell who you "
        "are; it is there so that nobody writes to you again.",
        "ru": "Ваши данные удалены {at} (квитанция {receipt}). Остался только отпечаток, по которому нельзя узнать, кто вы; "
        "он нужен, чтобы вам больше не писали.",
    },
    "contents": {"en": "In this document", "ru": "В этом документе"},
    "profile": {"en": "Your profile", "ru": "Ваш профиль"},
    "id": {"en": "Your number with us", "ru": "Ваш номер у нас"},
    "consents": {"en": "What you agreed to and refused", "ru": "На что вы согласились и от чего отказались"},
    "preferences": {"en": "Your preferences", "ru": "Ваши настройки"},
    "promises": {"en": "What we promised you", "ru": "Что мы вам обещали"},
    "messages": {"en": "What we sent you", "ru": "Что мы вам отправляли"},
    "said": {"en": "What you told us", "ru": "Что вы нам говорили"},
    "wishes": {"en": "What we took for your wishes", "ru": "Что мы приняли за ваши пожелания"},
    "decisions": {
        "en": "When it was decided whether to write to you",
        "ru": "Когда решалось, писать ли вам",
    },
    "credit": {
        "en": "How we estimate whether you want to hear from us",
        "ru": "Как мы оцениваем, хотите ли вы получать наши сообщения",
    },
    "orders": {"en": "Your orders", "ru": "Ваши заказы"},
    "order_lines": {"en": "What was in them", "ru": "Что было в заказах"},
    "visits": {"en": "Your visits", "ru": "Ваши визиты"},
    "identities": {"en": "By what we recognise you", "ru": "По чему мы вас узнаём"},
    "experiments": {
        "en": "Tests in which you were drawn by lot",
        "ru": "Проверки, в которые вас включил жребий",
    },
    "reserved": {"en": "Messages that were prepared for you", "ru": "Сообщения, которые для вас готовили"},
    "reviewers": {
        "en": "What our staff think of messages to you",
        "ru": "Как наши сотрудники оценили сообщения вам",
    },
    "handed": {"en": "Who received this document", "ru": "Кому выдавали этот документ"},
    "rights": {"en": "What you can do", "ru": "Что вы можете сделать"},
    "elsewhere": {"en": "What is not in here", "ru": "Чего здесь нет"},
    "why": {"en": "What it is used for", "ru": "Для чего это нужно"},
    # Columns
    "when": {"en": "When", "ru": "Когда"},
    "channel": {"en": "Channel", "ru": "Канал"},
    "what": {"en": "What", "ru": "Что"},
    "text": {"en": "Text", "ru": "Текст"},
    "shown": {"en": "Text as shown, where", "ru": "Показанный текст и где"},
    "state": {"en": "Your answer", "ru": "Ваш ответ"},
    "came": {"en": "What came of it", "ru": "Что было дальше"},
    "rule": {"en": "Rule that decided", "ru": "Решившее правило"},
    "answer": {"en": "Decision", "ru": "Решение"},
    "by": {"en": "By", "ru": "Кто"},
    "value": {"en": "Value", "ru": "Значение"},
    "name": {"en": "Name", "ru": "Название"},
    "kept": {"en": "Kept?", "ru": "Выполнено?"},
    "arm": {"en": "Your group", "ru": "Ваша группа"},
    "request": {"en": "Request", "ru": "Обращение"},
    "all-channels": {"en": "all channels", "ru": "все каналы"},
    "no-text": {"en": "the text was not kept", "ru": "текст не сохранился"},
    "broken": {"en": "broken {times}", "ru": "нарушено, раз: {times}"},
    "not-broken": {"en": "nothing shows that it was broken", "ru": "нарушений не видно"},
    "unverifiable": {
        "en": "our records cannot tell",
        "ru": "по нашим записям проверить нельзя",
    },
    "broke": {"en": "broke our promise: {promise}", "ru": "нарушило наше обещание: {promise}"},
    "allowed": {"en": "write", "ru": "писать"},
    "refused": {"en": "do not write", "ru": "не писать"},
    "rule.allowed": {"en": "nothing spoke against it", "ru": "ничто не мешало"},
    "program": {"en": "{kind} (by a program)", "ru": "{kind} (программа)"},
    "delivered": {"en": "delivered", "ru": "доставлено"},
    "opened": {"en": "opened", "ru": "открыто"},
    "clicked": {"en": "you followed a link", "ru": "вы перешли по ссылке"},
    "replied": {"en": "you answered", "ru": "вы ответили"},
    "unsubscribed": {"en": "you unsubscribed", "ru": "вы отписались"},
    "complained": {"en": "you complained", "ru": "вы пожаловались"},
    "bounced": {"en": "not delivered", "ru": "не доставлено"},
    "given": {"en": "agreed", "ru": "согласие"},
    "withdrawn": {"en": "withdrawn", "ru": "согласие отозвано"},
    "never": {"en": "not asked", "ru": "не спрашивали"},
    "refused-consent": {"en": "refused", "ru": "отказ"},
    "processing.service": {"en": "service messages", "ru": "сервисные сообщения"},
    "processing.marketing": {"en": "marketing messages", "ru": "рекламные сообщения"},
    "processing.personalisation": {"en": "choosing messages for you", "ru": "подбор сообщений под вас"},
    "processing.profiling": {
        "en": "conclusions about you from your actions",
        "ru": "выводы о вас по вашим действиям",
    },
    "purpose.service": {"en": "about an order or account", "ru": "по заказу или счёту"},
    "purpose.useful": {"en": "useful to you", "ru": "полезное"},
    "purpose.offer": {"en": "an offer", "ru": "предложение"},
    "purpose.press": {"en": "a pressing offer", "ru": "настойчивое предложение"},
    "column.registered_at": {"en": "With us since", "ru": "С нами с"},
    "column.timezone": {"en": "Time zone", "ru": "Часовой пояс"},
    "column.language": {"en": "Language", "ru": "Язык"},
    "column.source": {"en": "How you found us", "ru": "Откуда вы пришли"},
    "column.order_id": {"en": "Order", "ru": "Заказ"},
    "column.ordered_at": {"en": "When", "ru": "Когда"},
    "column.revenue": {"en": "Paid", "ru": "Оплачено"},
    "column.discount": {"en": "Discount", "ru": "Скидка"},
    "column.margin": {"en": "Our margin", "ru": "Наша маржа"},
    "column.promo_code": {"en": "Promo code", "ru": "Промокод"},
    "column.channel": {"en": "Where", "ru": "Где"},
    "column.status": {"en": "State", "ru": "Состояние"},
    "column.product_id": {"en": "Product", "ru": "Товар"},
    "column.quantity": {"en": "Pieces", "ru": "Количество"},
    "column.price": {"en": "Price", "ru": "Цена"},
    "column.category": {"en": "Category", "ru": "Категория"},
    "column.brand": {"en": "Brand", "ru": "Бренд"},
    "column.happened_at": {"en": "When", "ru": "Когда"},
    "column.kind": {"en": "What", "ru": "Что"},
    "column.value_hash": {"en": "Scrambled value", "ru": "Значение в зашифрованном виде"},
    "column.message_id": {"en": "Message", "ru": "Сообщение"},
    "column.purpose": {"en": "Kind", "ru": "Вид"},
    "column.campaign": {"en": "Campaign", "ru": "Кампания"},
    "column.programme": {"en": "Programme", "ru": "Механика"},
    "column.personal": {"en": "Personal", "ru": "Личное"},
    "column.at": {"en": "When", "ru": "Когда"},
    "column.state": {"en": "State", "ru": "Состояние"},
    "column.reviewer": {"en": "Who", "ru": "Кто"},
    "column.mark": {"en": "Mark", "ru": "Оценка"},
    "column.note": {"en": "Note", "ru": "Заметка"},
    "column.processing": {"en": "For what", "ru": "Для чего"},
    "column.text": {"en": "Text", "ru": "Текст"},
    "column.version": {"en": "Version", "ru": "Версия"},
    "column.surface": {"en": "Where shown", "ru": "Где показано"},
    "column.legal_basis": {"en": "Ground", "ru": "Основание"},
    "column.controller": {"en": "Held by", "ru": "Кто хранит"},
    "column.text_hash": {"en": "Fingerprint of the text", "ru": "Отпечаток текста"},
    # What moved it, in words
    "history": {
        "en": "{channel}: {sent} messages came to you, you answered or followed a link in {welcomed}, opened {opened}; you "
        "unsubscribed or complained {left} times.",
        "ru": "{channel}: вам пришло сообщений — {sent}, на ссылку вы перешли или ответили в {welcomed}, открыли — {opened}; "
        "отписались или пожаловались, раз: {left}.",
    },
    "history.last": {
        "en": "The last time was on {at}; since then {unanswered} came without an answer.",
        "ru": "Последний раз — {at}; с тех пор без ответа — {unanswered}.",
    },
    "history.never": {
        "en": "You never answered any of them.",
        "ru": "Ни на одно вы не ответили.",
    },
    "estimate": {
        "en": "From this we estimate that the next useful message is welcome with a probability of {value} (between {low} and "
        "{high}, as sure as such a guess can be). Each answer raises it, each message without one lowers it, an opt-out "
        "ends it; with time it goes back to the middle.",
        "ru": "По этому мы оцениваем: следующему полезному сообщению вы будете рады с вероятностью {value} (от {low} до "
        "{high}, точнее сказать нельзя). Каждый ваш ответ её повышает, каждое сообщение без ответа снижает, отказ сводит на "
        "нет; со временем она возвращается к середине.",
    },
    "estimate.none": {
        "en": "No estimate is kept for this channel.",
        "ru": "Для этого канала оценка не хранится.",
    },
    "level.none": {
        "en": "That is why only messages about your orders may be sent here.",
        "ru": "Поэтому сюда можно присылать только сообщения по вашим заказам.",
    },
    "level.useful": {
        "en": "That is why only useful messages may be sent here.",
        "ru": "Поэтому сюда можно присылать только полезные сообщения.",
    },
    "level.sell": {
        "en": "That is why offers may be sent here, too.",
        "ru": "Поэтому сюда можно присылать и предложения.",
    },
    "level.press": {
        "en": "That is why pressing offers may be sent here, too.",
        "ru": "Поэтому сюда можно присылать и настойчивые предложения.",
    },
    "why.text": {
        "en": "We use what you did with our messages to work out how often and with what we may write to you. The law calls "
        "this profiling. A program decides whether a message goes, by the rules below; it decides nothing else about you: no "
        "price, no credit, no access to anything. So it has no legal or similarly significant effect on you (GDPR art. "
        "13(2)(f), 15(1)(h), 22; 152-FZ art. 16). You may object, and then it stops.",
        "ru": "По тому, что вы делали с нашими сообщениями, мы рассчитываем, как часто и о чём вам можно писать. В законе это "
        "называется профилированием. Отправить сообщение или нет, решает программа по правилам ниже; больше она о вас ничего "
        "не решает: ни цену, ни кредит, ни доступ к чему-либо. Юридических последствий для вас такие решения не порождают "
        "(152-ФЗ, ст. 16; GDPR, ст. 13(2)(f), 15(1)(h), 22). Вы можете возразить, и это прекратится.",
    },
    "rules.caps": {
        "en": "Messages in any {window}{channel}: {max} at most.",
        "ru": "Сообщений за любые {window}{channel} — не больше {max}.",
    },
    "rules.quiet": {
        "en": "Nothing but messages about your orders between {start}:00 and {end}:00 where you live.",
        "ru": "С {start}:00 до {end}:00 по вашему времени — только сообщения по вашим заказам.",
    },
    "rules.first": {
        "en": "The first {count} messages are useful ones only.",
        "ru": "Первые сообщения — только полезные (сколько: {count}).",
    },
    "rules.consent": {
        "en": "No marketing without a consent of yours that we can show; your refusal always wins.",
        "ru": "Никакой рекламы без вашего согласия, которое мы можем предъявить; ваш отказ всегда сильнее.",
    },
    "rights.text": {
        "en": "You may have mistakes corrected, have your data erased, object to mailings or to conclusions about you, take "
        "your data along (the file dossier.json beside this page is made for that), withdraw a consent at any time, and "
        "complain to the supervisory authority of your country.",
        "ru": "Вы можете потребовать исправить ошибки, удалить ваши данные, возразить против рассылок и выводов о вас, "
        "забрать данные с собой (для этого рядом лежит файл dossier.json), в любой момент отозвать согласие и пожаловаться в "
        "Роскомнадзор или надзорный орган своей страны.",
    },
    "elsewhere.text": {
        "en": "This is what the system holds that decides whether to write to you. Payments, deliveries, telephone recordings "
        "and what partners hold lie elsewhere; ask for them separately. Nothing is sent to anybody outside by this system.",
        "ru": "Здесь то, что хранит система, которая решает, писать ли вам. Оплата, доставка, записи разговоров и данные у "
        "партнёров хранятся отдельно: запросите их особо. Сама эта система никому ничего не передаёт.",
    },
    "not-read": {
        "en": "One of our tables could not be read just now: {table}. It may hold more about you.",
        "ru": "Одну из наших таблиц сейчас не удалось прочитать: {table}. В ней могут быть ещё данные о вас.",
    },
    # For who made it
    "line": {
        "en": "{messages} messages, {orders} orders, {said} texts of his own, {consents} consents and refusals.",
        "ru": "Сообщений: {messages}, заказов: {orders}, собственных текстов: {said}, согласий и отказов: {consents}.",
    },
    "line.nothing": {
        "en": "Nothing is held about this customer.",
        "ru": "Об этом клиенте ничего не хранится.",
    },
    "line.erased": {
        "en": "This customer was erased; the document says so and nothing else.",
        "ru": "Данные этого клиента удалены; в документе сказано только это.",
    },
    "line.check": {
        "en": "Read the {said} texts of his own before you hand it out: they may name other people. Make sure that whoever "
        "asks is the customer.",
        "ru": "Прочитайте его собственные тексты ({said}), прежде чем отдать: в них могут быть названы другие люди. "
        "Убедитесь, что спрашивает сам клиент.",
    },
    "line.not-read": {
        "en": "Could not be read and is missing: {tables}.",
        "ru": "Не удалось прочитать, в документе этого нет: {tables}.",
    },
}


def tell(lang: Language | str, code: str, **values: object) -> str:
    """The words of a code; a code that has none is told as it is."""
    words = WORDS.get(code)
    return code if words is None else words["ru" if lang == "ru" else "en"].format(**values)


def line(told: Dossier, lang: str) -> str:
    """For whoever made it."""
    if not told.known:
        said = [tell(lang, "line.erased" if told.erasures else "line.nothing")]
    else:
        said = [
            tell(
                lang,
                "line",
                messages=locale.number(len(told.messages()), lang),
                orders=locale.number(len(told.tables.get("orders", ())), lang),
                said=locale.number(told.names_others, lang),
                consents=locale.number(len(told.of_kind("consent", "suppressed")), lang),
            )
        ]
    if told.names_others:
        said.append(tell(lang, "line.check", said=locale.number(told.names_others, lang)))
    if told.not_read:
        said.append(tell(lang, "line.not-read", tables=", ".join(name for name, _ in told.not_read)))
    return "\n".join(said)


def history_lines(one: ChannelHistory, told: Dossier, lang: str) -> list[str]:
    """What moved the estimate of one channel, what it is and what follows from it."""
    said = [
        tell(
            lang,
            "history",
            channel=one.channel,
            sent=locale.number(one.sent, lang),
            welcomed=locale.number(one.welcomed, lang),
            opened=locale.number(one.opened, lang),
            left=locale.number(one.left, lang),
        )
    ]
    if one.last_welcomed is not None:
        at = locale.moment(one.last_welcomed, lang, told.zone)
        said.append(tell(lang, "history.last", at=at, unanswered=locale.number(one.unanswered, lang)))
    elif one.sent:
        said.append(tell(lang, "history.never"))
    credit = one.credit
    if credit is None or not math.isfinite(credit.value):
        said.append(tell(lang, "estimate.none"))
        return said
    value, low, high = (
        locale.percent(share, lang, digits=0) for share in (credit.value, credit.low, credit.high)
    )
    said += [
        tell(lang, "estimate", value=value, low=low, high=high),
        tell(lang, f"level.{credit.level}"),
    ]
    return said


def rules_lines(told: Dossier, lang: str) -> list[str]:
    """The rules by which a program decides."""
    rules = told.policy
    if not rules:
        return []
    said = [tell(lang, "rules.consent")]
    for cap in rules["caps"]:
        channel = f" ({cap['channel']})" if cap["channel"] else ""
        window = window_words(timedelta(hours=cap["hours"]), lang)
        said.append(tell(lang, "rules.caps", max=cap["max"], window=window, channel=channel))
    if rules["quiet_hours"]:
        start, end = rules["quiet_hours"]
        said.append(tell(lang, "rules.quiet", start=start, end=end))
    if rules["first_useful"]:
        said.append(tell(lang, "rules.first", count=rules["first_useful"]))
    return said


def explained(told: Dossier, lang: str) -> dict[str, Any]:
    """The plain words, for the machine-readable document too."""
    if not told.known:
        return {}
    return {
        "credit": [" ".join(history_lines(one, told, lang)) for one in told.history],
        "use": tell(lang, "why.text"),
        "rules": rules_lines(told, lang),
        "rights": tell(lang, "rights.text"),
        "elsewhere": tell(lang, "elsewhere.text"),
    }
