"""What customers read on the pages that links in messages open. These texts are proof: a change is a new VERSION."""

from __future__ import annotations

import re
from typing import Any

from primeta.show.locale import Language

VERSION = "2026-11"

# Channel → what comes, of what there will be no more, how it comes.
CHANNELS: dict[str, dict[str, tuple[str, str, str]]] = {
    "email": {
        "en": ("e-mails", "e-mails", "by e-mail"),
        "ru": ("письма", "писем", "по электронной почте"),
    },
    "push": {
        "en": ("push notifications", "push notifications", "by push notification"),
        "ru": ("пуш-уведомления", "пуш-уведомлений", "в пуш-уведомлениях"),
    },
    "sms": {"en": ("text messages", "text messages", "by text message"), "ru": ("СМС", "СМС", "по СМС")},
    "call": {"en": ("calls", "calls", "by telephone"), "ru": ("звонки", "звонков", "по телефону")},
    "in-app": {
        "en": ("messages in the app", "messages in the app", "in the app"),
        "ru": ("сообщения в приложении", "сообщений в приложении", "в приложении"),
    },
    "": {
        "en": ("advertising", "advertising", "on any channel"),
        "ru": ("реклама", "рекламы", "по любому каналу"),
    },
}
SAME = {
    "e-mail": "email",
    "mail": "email",
    "phone": "call",
    "telephone": "call",
    "inapp": "in-app",
    "app": "in-app",
}
MESSENGERS = {"telegram": "Telegram", "whatsapp": "WhatsApp", "viber": "Viber", "vk": "VK", "max": "MAX"}

WORDS: dict[str, dict[str, str]] = {
    # Unsubscribing
    "stop.title": {"en": "Unsubscribe from {of}?", "ru": "Отписаться от {of}?"},
    "stop.title-all": {"en": "Stop all advertising?", "ru": "Отказаться от всей рекламы?"},
    "stop.lead": {
        "en": "One tap and it is done. No password, no questions.",
        "ru": "Одно нажатие — и готово. Без пароля и без вопросов.",
    },
    "stop.button": {"en": "Unsubscribe", "ru": "Отписаться"},
    "stop.button-all": {"en": "Stop all advertising", "ru": "Отказаться от всей рекламы"},
    "stop.service": {
        "en": "Messages about your orders and your account will still come. They are no advertising.",
        "ru": "Сообщения о ваших заказах и аккаунте будут приходить: это не реклама.",
    },
    "stop.less": {"en": "Fewer, not none: choose what comes", "ru": "Лучше реже: выбрать, что присылать"},
    "stop.why": {"en": "Why did I get this?", "ru": "Почему мне это прислали?"},
    "already.title": {"en": "You are unsubscribed from {of}", "ru": "Вы отписаны от {of}"},
    "already.title-all": {"en": "You get no advertising from us", "ru": "Рекламу мы вам не присылаем"},
    "already.lead": {
        "en": "Since {when}. There is nothing to do.",
        "ru": "С {when}. Ничего делать не нужно.",
    },
    "done.title": {"en": "Done. No more {of}", "ru": "Готово. {of} больше не будет"},
    "done.title-all": {"en": "Done. No more advertising", "ru": "Готово. Рекламы больше не будет"},
    "done.lead": {
        "en": "Recorded on {when} and in force at once. If one was on its way already, it may still arrive.",
        "ru": "Записано {when} и уже действует. Если что-то отправили чуть раньше, оно ещё может прийти.",
    },
    "done.others": {"en": "Still on: {channels}.", "ru": "По-прежнему включено: {channels}."},
    "done.stop-all": {"en": "Stop these too", "ru": "Отключить и это"},
    "done.choose": {"en": "Choose what comes", "ru": "Настроить, что приходит"},
    "mistake": {"en": "Was it a mistake?", "ru": "Отписались по ошибке?"},
    "mistake.lead": {
        "en": "To start again we need your consent anew.",
        "ru": "Чтобы начать присылать снова, нужно ваше новое согласие.",
    },
    # A consent
    "consent.text": {
        "en": "I agree that {sender} sends me advertising {channel}. I can take this back at any time.",
        "ru": "Даю согласие на получение рекламы от «{sender}» {channel}. Согласие можно отозвать в любой момент.",
    },
    "consent.button": {"en": "I agree: please send", "ru": "Даю согласие: присылайте"},
    "started": {
        "en": "Recorded: {things} will come again.",
        "ru": "Записано: {things} снова будут приходить.",
    },
    "not-started": {
        "en": "Your consent is recorded, and something else still stands against it: a request of yours that a person "
        "is looking at, or a date that is not reached. Until then nothing comes.",
        "ru": "Согласие записано, но пока ему мешает другое: ваша просьба, которую рассматривает сотрудник, или "
        "ещё не наступившая дата. До тех пор ничего не придёт.",
    },
    "read-again": {
        "en": "The wording has changed since you opened this page. Nothing was recorded: please read it again.",
        "ru": "С тех пор как вы открыли страницу, текст изменился. Ничего не записано: прочтите его ещё раз.",
    },
    # The preference centre
    "choose.title": {"en": "What may we send you?", "ru": "Что вам присылать?"},
    "now.nothing": {"en": "Now you get no advertising from us.", "ru": "Сейчас рекламу мы вам не присылаем."},
    "now.channels": {"en": "Now: {channels}", "ru": "Сейчас: {channels}"},
    "now.week": {"en": "at most {n} a week", "ru": "не чаще {n} в неделю"},
    "now.topics": {"en": "only what you chose", "ru": "только выбранные темы"},
    "now.paused": {"en": "A break up to and including {day}: no advertising comes.", "ru": "Пауза по {day} включительно: рекламы не будет."},
    "now.waiting": {
        "en": "A person is looking at your request. Until then no advertising comes.",
        "ru": "Вашу просьбу рассматривает сотрудник. До его ответа рекламы не будет.",
    },
    "saved": {"en": "Saved. It is in force at once.", "ru": "Сохранено и уже действует."},
    "nothing-new": {"en": "Nothing has changed: it stood like this already.", "ru": "Ничего не изменилось: так уже было."},
    "channels": {"en": "Where it comes", "ru": "Куда присылать"},
    "on": {"en": "on", "ru": "включено"},
    "on.resting": {"en": "on, and resting now", "ru": "включено, но сейчас ничего не приходит"},
    "off": {"en": "off", "ru": "отключено"},
    "off.since": {"en": "off since {day}", "ru": "отключено с {day}"},
    "on.since": {"en": "on, with your consent of {day}", "ru": "включено, ваше согласие от {day}"},
    "turn-off": {"en": "Turn off", "ru": "Отключить"},
    "turn-on": {"en": "Turn on …", "ru": "Включить…"},
    "turn-off.text": {"en": "Turn off {things}", "ru": "Отключить {things}"},
    "all.button": {"en": "Stop all advertising", "ru": "Отказаться от всей рекламы"},
    "all.note": {
        "en": "On every channel, at once. Messages about your orders and your account still come.",
        "ru": "По всем каналам, сразу. Сообщения о заказах и аккаунте приходить будут.",
    },
    "wish": {"en": "How often and about what", "ru": "Как часто и о чём"},
    "often": {"en": "How often at most", "ru": "Не чаще чем"},
    "often.any": {"en": "As usual", "ru": "Как обычно"},
    "often.promised": {"en": "we promised: {text}", "ru": "мы обещали: {text}"},
    "often.1": {"en": "once a week", "ru": "раз в неделю"},
    "often.n": {"en": "{n} times a week", "ru": "{n} раза в неделю"},
    "often.n5": {"en": "{n} times a week", "ru": "{n} раз в неделю"},
    "often.0": {"en": "never", "ru": "никогда"},
    "topics": {"en": "About what", "ru": "О чём"},
    "topics.note": {
        "en": "Only what is ticked comes. If all is ticked there is no restriction.",
        "ru": "Приходить будет только отмеченное. Если отмечено всё, ограничений нет.",
    },
    "hours": {"en": "At what time", "ru": "В какое время"},
    "hours.any": {"en": "Any time of day", "ru": "В любое время дня"},
    "hours.pair": {"en": "{begin}:00 to {end}:00", "ru": "с {begin}:00 до {end}:00"},
    "hours.quiet": {"en": "nothing from {begin}:00 to {end}:00", "ru": "с {begin}:00 до {end}:00 не беспокоим"},
    "language": {"en": "In which language", "ru": "На каком языке"},
    "language.en": {"en": "English", "ru": "Английский"},
    "language.ru": {"en": "Russian", "ru": "Русский"},
    "language.any": {"en": "Either", "ru": "Любой"},
    "save": {"en": "Save", "ru": "Сохранить"},
    "pause": {"en": "A break", "ru": "Пауза"},
    "pause.note": {
        "en": "No advertising for a while; then it goes on as you chose.",
        "ru": "Какое-то время без рекламы, потом всё будет, как вы выбрали.",
    },
    "pause.30": {"en": "For 30 days", "ru": "На 30 дней"},
    "pause.90": {"en": "For 90 days", "ru": "На 90 дней"},
    "pause.text": {
        "en": "A break up to and including {day}: nothing but messages about orders and the account.",
        "ru": "Пауза по {day} включительно: только сообщения о заказах и аккаунте.",
    },
    "resume": {"en": "End the break", "ru": "Закончить паузу"},
    "resume.text": {"en": "The customer has ended the break.", "ru": "Клиент закончил паузу."},
    "personal": {"en": "Chosen for me", "ru": "Персональный подбор"},
    "personal.on": {
        "en": "What we send may be chosen by what you bought and looked at.",
        "ru": "Мы можем подбирать, что вам прислать, по вашим покупкам и просмотрам.",
    },
    "personal.off": {
        "en": "Off since {day}. What you bought and looked at is not used to choose what we send.",
        "ru": "Отключено с {day}. Ваши покупки и просмотры не используются, чтобы выбирать, что вам прислать.",
    },
    "personal.stop": {"en": "Do not use my data for this", "ru": "Не использовать мои данные для подбора"},
    "personal.text": {
        "en": "I agree that {sender} uses what I bought and looked at to choose what to send me. I can take this back "
        "at any time.",
        "ru": "Даю согласие «{sender}» использовать сведения о моих покупках и просмотрах, чтобы выбирать, что мне "
        "присылать. Согласие можно отозвать в любой момент.",
    },
    "personal.start": {"en": "I agree: choose for me", "ru": "Даю согласие: подбирайте"},
    "delete": {"en": "Delete my data", "ru": "Удалить мои данные"},
    "delete.note": {
        "en": "A person looks at the request and answers, as a rule within 30 days. Advertising stops at once. What the "
        "law obliges us to keep, such as orders and payments, stays until its time is over.",
        "ru": "Просьбу рассмотрит сотрудник, обычно в течение 30 дней. Реклама прекратится сразу. То, что мы обязаны "
        "хранить по закону, например заказы и платежи, останется до конца положенного срока.",
    },
    "delete.button": {"en": "Ask to delete my data", "ru": "Попросить удалить мои данные"},
    "delete.done": {
        "en": "Your request to delete your data is recorded. A person looks at it; advertising has stopped.",
        "ru": "Просьба удалить ваши данные записана. Её рассмотрит сотрудник; реклама уже прекращена.",
    },
    # Why
    "why.title": {"en": "Why we sent you this", "ru": "Почему мы вам это прислали"},
    "why.what": {"en": "What it was", "ru": "Что это было"},
    "why.what.service": {"en": "a message about an order or your account", "ru": "сообщение о заказе или аккаунте"},
    "why.what.useful": {"en": "useful information, no selling", "ru": "полезная информация, без продажи"},
    "why.what.offer": {"en": "an offer", "ru": "рекламное предложение"},
    "why.what.press": {"en": "an offer with a reminder or a deadline", "ru": "рекламное предложение с напоминанием или сроком"},
    "why.what.": {"en": "a message", "ru": "сообщение"},
    "why.sent": {"en": "{what}, {way}, on {when}", "ru": "{what}, {way}, {when}"},
    "why.programme": {"en": "From the series “{name}”.", "ru": "Рассылка «{name}»."},
    "why.basis": {"en": "By what right", "ru": "На каком основании"},
    "why.consent": {"en": "You agreed on {day}, {surface}.", "ru": "Вы дали согласие {day}, {surface}."},
    "why.consent-nowhere": {"en": "You agreed on {day}.", "ru": "Вы дали согласие {day}."},
    "why.read": {"en": "You read then:", "ru": "Тогда вы прочли:"},
    "why.no-text": {
        "en": "Of the text that you read only a fingerprint is kept.",
        "ru": "От текста, который вы прочли, сохранён только отпечаток.",
    },
    "why.accepted": {
        "en": "We took this consent over without its text; {who} answers for it: {reason}",
        "ru": "Это согласие мы приняли без его текста; отвечает {who}: {reason}",
    },
    "why.interest": {
        "en": "You are our customer; on {day}, {surface}, we told you that we would write and that you can object.",
        "ru": "Вы наш клиент: {day}, {surface}, мы сообщили, что будем писать и что вы можете отказаться.",
    },
    "why.service": {
        "en": "It was needed for an order or your account; no consent to advertising is needed for that.",
        "ru": "Сообщение относилось к заказу или аккаунту; согласие на рекламу для этого не требуется.",
    },
    "why.none": {
        "en": "We find no consent of yours in our records. Then it should not have been sent; we are sorry. Stop it here, "
        "or tell us.",
        "ru": "В наших записях нет вашего согласия. Значит, это не следовало присылать; приносим извинения. Вы можете "
        "отказаться здесь или написать нам.",
    },
    "why.against": {
        "en": "You had opted out on {day}. It should not have been sent; we are sorry.",
        "ru": "Вы отказались от рекламы {day}. Это не следовало присылать; приносим извинения.",
    },
    "why.unknown": {
        "en": "We do not find this message in our records. Below is what holds now.",
        "ru": "Этого сообщения в наших записях нет. Ниже — то, что действует сейчас.",
    },
    "why.known": {"en": "What we used about you", "ru": "Что мы о вас использовали"},
    "why.personalised": {
        "en": "It was chosen for you by what we know of your orders and of what you looked at.",
        "ru": "Это подобрали для вас по тому, что мы знаем о ваших заказах и просмотрах.",
    },
    "why.personal-against": {
        "en": "You had asked on {day} not to use your data for this. We did so all the same; we are sorry.",
        "ru": "Вы просили {day} не использовать ваши данные для этого. Мы всё же использовали; приносим извинения.",
    },
    "why.plain": {"en": "Nothing: all who get this series got the same.", "ru": "Ничего: всем, кто получает эту рассылку, пришло одно и то же."},
    "why.not-told": {
        "en": "Whether it was chosen for you is not recorded.",
        "ru": "Было ли это подобрано под вас, не записано.",
    },
    "why.address": {"en": "To send it: your address for this channel.", "ru": "Чтобы отправить: ваш адрес для этого канала."},
    "why.rule": {"en": "The check before sending", "ru": "Проверка перед отправкой"},
    "why.checked": {
        "en": "Asked on {when}: allowed. Your consent held, no promise stood against it, the hour was right.",
        "ru": "Проверено {when}: можно. Согласие действовало, обещания не нарушались, время было подходящее.",
    },
    "why.refused": {
        "en": "Asked on {when}: not allowed. It was sent all the same; we are sorry.",
        "ru": "Проверено {when}: нельзя. Его всё равно отправили; приносим извинения.",
    },
    "why.unasked": {
        "en": "It was sent without asking our rules first.",
        "ru": "Отправлено без проверки по нашим правилам.",
    },
    "why.promises": {"en": "What we promised", "ru": "Что мы обещали"},
    "why.kept": {"en": "kept", "ru": "выполнено"},
    "why.broken": {"en": "not kept; we are sorry", "ru": "не выполнено, приносим извинения"},
    "why.untold": {"en": "cannot be checked", "ru": "проверить нельзя"},
    "why.count": {"en": "{n} in that time, this one included", "ru": "за этот срок: {n}, включая это сообщение"},
    "why.nothing-promised": {"en": "Nothing about how often or what.", "ru": "Ничего о частоте и темах."},
    "why.do": {"en": "What you can do", "ru": "Что можно сделать"},
    "why.do-stop": {"en": "Unsubscribe from {of}", "ru": "Отписаться от {of}"},
    "why.do-stop-all": {"en": "Stop all advertising", "ru": "Отказаться от всей рекламы"},
    # When it does not go well
    "gone.title": {"en": "We write to you no more", "ru": "Мы вам больше не пишем"},
    "gone.lead": {
        "en": "We keep nothing about you that this link could change, and send you no advertising. There is nothing to do.",
        "ru": "Мы не храним о вас ничего, что можно изменить по этой ссылке, и не присылаем рекламу. Ничего делать не нужно.",
    },
    "unknown.title": {"en": "This link is not whole", "ru": "Ссылка неполная"},
    "unknown.lead": {
        "en": "It was perhaps cut off on its way. Nothing was changed. Open it from the message itself, or use the "
        "unsubscribe button of your mail program.",
        "ru": "Возможно, часть её потерялась. Ничего не изменилось. Откройте её прямо из сообщения или нажмите «Отписаться» "
        "в вашей почте.",
    },
    "old.title": {"en": "This link is an old one", "ru": "Эта ссылка старая"},
    "old.lead": {
        "en": "With it you can still unsubscribe. To choose more, open the link of a newer message.",
        "ru": "По ней всё ещё можно отписаться. Чтобы настроить остальное, откройте ссылку из более нового сообщения.",
    },
    "failed.title": {"en": "This was not recorded", "ru": "Это не записано"},
    "failed.lead": {
        "en": "Our records do not answer just now, so nothing has changed yet. Try again in a minute: the link goes on "
        "working and never runs out.",
        "ru": "Наши записи сейчас не отвечают, поэтому пока ничего не изменилось. Попробуйте через минуту: ссылка работает "
        "и не устаревает.",
    },
    "failed.again": {"en": "Try again", "ru": "Попробовать ещё раз"},
    "unread.title": {"en": "This page cannot be shown just now", "ru": "Страницу сейчас нельзя показать"},
    "unread.lead": {
        "en": "Our records do not answer. You can unsubscribe all the same, or try again in a minute.",
        "ru": "Наши записи не отвечают. Отписаться всё же можно; или попробуйте через минуту.",
    },
    "contact": {"en": "Or tell us: {contact}", "ru": "Или напишите нам: {contact}"},
    "foot": {
        "en": "This page belongs to the message that you opened. Whoever has the link can change these settings; do not "
        "pass it on.",
        "ru": "Эта страница относится к открытому вами сообщению. По ссылке можно менять эти настройки, поэтому не передавайте её другим.",
    },
    "questions": {"en": "Questions: {contact}", "ru": "Вопросы: {contact}"},
}  # fmt: skip

ONE_CLICK_TEXT = "List-Unsubscribe-Post: List-Unsubscribe=One-Click"
"""What a mail program sends; the words on its own button are not known to us."""


def tell(lang: Language, code: str, /, **figures: Any) -> str:
    return WORDS[code][lang].format(**figures)


def channel_words(channel: str, lang: Language) -> tuple[str, str, str]:
    """What comes, of what there will be no more, how it comes."""
    known = CHANNELS.get(SAME.get(channel, channel))
    if known is not None:
        return known[lang]
    name = MESSENGERS.get(channel, channel)
    if lang == "ru":
        return f"сообщения в {name}", f"сообщений в {name}", f"в {name}"
    return f"messages on {name}", f"messages on {name}", f"on {name}"


def often_words(most: int, lang: Language) -> str:
    """`2 times a week`."""
    if most in (0, 1):
        return tell(lang, f"often.{most}")
    return tell(
        lang, "often.n" if most % 10 in (2, 3, 4) and most not in (12, 13, 14) else "often.n5", n=most
    )


def consent_text(channel: str, lang: Language, *, sender: str, own: str = "") -> str:
    """What the customer agrees to.

    Args:
        own: The workspace's wording with {sender} and {channel}.
    """
    way = channel_words(channel, lang)[2]
    return (own or WORDS["consent.text"][lang]).replace("{sender}", sender).replace("{channel}", way)


def language_of(accepted: str) -> Language | None:
    """The language that a browser asks for first, of those that there are (RFC 9110 §12.5.4)."""
    best: tuple[float, int, Language] | None = None
    for place, part in enumerate(accepted[:500].split(",")):
        found = re.fullmatch(r"\s*([A-Za-z]{1,8})(?:-[\w-]*)?\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?", part)
        if found is None or found[1].lower() not in ("en", "ru"):
            continue
        lang: Language = "en" if found[1].lower() == "en" else "ru"
        weight = float(found[2]) if found[2] else 1.0
        if weight > 0 and (best is None or (weight, -place) > best[:2]):
            best = (weight, -place, lang)
    return best[2] if best else None
