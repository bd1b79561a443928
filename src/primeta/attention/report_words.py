"""Words of the kept replay: health of the base, promises, campaigns by credit spent."""

from __future__ import annotations

from primeta.show import locale
from primeta.show.locale import Language

WORDS: dict[str, dict[str, str]] = {
    # What may be sent
    "press": {"en": "may press", "ru": "можно настойчиво"},
    "sell": {"en": "may sell", "ru": "можно продавать"},
    "useful": {"en": "useful only", "ru": "только полезное"},
    "blind": {"en": "no longer looks", "ru": "уже не смотрит"},
    "none": {"en": "better not now", "ru": "лучше не писать"},
    "gone": {"en": "opted out", "ru": "отписался"},
    "new": {"en": "not written to before", "ru": "раньше не писали"},
    "everybody": {"en": "all channels, by the best", "ru": "все каналы, по лучшему"},
    # The finding
    "model.level": {
        "en": "Who no longer looks is not seen but inferred from silence: months can be compared, the level is rough.",
        "ru": "Кто больше не смотрит, не видно: об этом судят по молчанию. Месяцы сравнивать можно, сам уровень известен "
        "лишь примерно.",
    },
    "every": {
        "en": "About every {nth} customer probably no longer looks at {channel}",
        "ru": "Примерно каждый {nth} клиент, похоже, больше не смотрит {channel}",
    },
    "part": {
        "en": "About {share} of customers probably no longer look at {channel}",
        "ru": "Похоже, больше не смотрят {channel} примерно {share} клиентов",
    },
    "few": {
        "en": "Nearly all customers still look at what they are sent",
        "ru": "Почти все клиенты ещё смотрят на то, что им присылают",
    },
    "was-every": {"en": "; in {month} it was every {nth}.", "ru": "; в {month} это был каждый {nth}."},
    "was-part": {"en": "; in {month} it was {share}.", "ru": "; в {month} таких было {share}."},
    "as-before": {
        "en": ", as far as can be told no more than in {month}.",
        "ru": ": насколько можно судить, не больше, чем в {month}.",
    },
    "stop": {"en": ".", "ru": "."},
    "today": {
        "en": "Today you may sell to {sell} and send only useful messages to {useful}",
        "ru": "Сегодня продавать можно {sell}, {useful} — писать только полезное",
    },
    "today-nobody": {
        "en": "Today you may sell to nobody and send only useful messages to {useful}",
        "ru": "Сегодня продавать нельзя никому, {useful} можно писать только полезное",
    },
    "today-sell": {"en": "Today you may sell to {sell}", "ru": "Сегодня продавать можно {sell}"},
    "today-service": {
        "en": "Today nobody bears more than service messages",
        "ru": "Сегодня никому нельзя писать ничего, кроме сервисных сообщений",
    },
    "today-rest": {"en": "; leave {rest} alone for now.", "ru": ", {rest} лучше пока не писать."},
    "silence": {
        "en": "For each customer who opted out in these months about {times} fell silent without a word.",
        "ru": "На каждого отписавшегося за эти месяцы пришлось примерно {times} тех, кто молча перестал смотреть.",
    },
    "no-credit": {
        "en": "Credit cannot be told: {why}.",
        "ru": "Кредит внимания сказать нельзя: {why}.",
    },
    "why.no-reactions": {
        "en": "nothing is known of what came of the messages; map [tables.reactions]",
        "ru": "неизвестно, что стало с сообщениями; подключите таблицу реакций [tables.reactions]",
    },
    "why.no-sends": {"en": "no message was sent", "ru": "ни одного сообщения не отправлено"},
    "why.not-asked": {"en": "it was not asked for", "ru": "её не считали"},
    # Promises
    "promises.none": {"en": "No promise is named yet.", "ru": "Обещания пока не названы."},
    "promises.kept": {
        "en": "All {n} promises that can be checked were kept.",
        "ru": "Все обещания, которые можно проверить ({n}), выполнены.",
    },
    "promises.broken": {
        "en": "The promise “{text}” was broken {broken}, by {share} of the messages that it is about.",
        "ru": "Обещание «{text}» нарушено {broken}: это {share} сообщений, к которым оно относится.",
    },
    "promises.knowable": {
        "en": "It could have been known before sending in {share} of the cases.",
        "ru": "В {share} случаев об этом можно было знать до отправки.",
    },
    "promises.knowable-all": {
        "en": "Each time it could have been known before sending.",
        "ru": "Каждый раз об этом можно было знать до отправки.",
    },
    "promises.unverifiable": {
        "en": "Promises that cannot be checked: {n}. They are never counted as kept.",
        "ru": "Нельзя проверить обещаний: {n}. Выполненными они не считаются.",
    },
    "promises.untold": {
        "en": "None of the promises can be checked.",
        "ru": "Ни одно из обещаний проверить нельзя.",
    },
    "share-broken": {"en": "Broken, share", "ru": "Доля нарушений"},
    # What needs a person
    "calls.broken": {
        "en": "Promises were broken {n} in the last week of the log.",
        "ru": "За последнюю неделю журнала обещания нарушены {n}.",
    },
    "calls.wishes": {
        "en": "Wishes of customers wait for a person: {n}. Nothing is sold to them until then.",
        "ru": "Просьбы клиентов ждут решения: {n}. До этого им ничего не продают.",
    },
    "calls.silent": {
        "en": "{now} no longer look at {channel}; three months ago it was {then}.",
        "ru": "Не смотрят {channel} уже {now} клиентов; три месяца назад было {then}.",
    },
    # Campaigns
    "campaigns.spent": {
        "en": "“{name}” spent the most credit: with each 1,000 messages as much as {customers} have ({interval}).",
        "ru": "Больше всех кредита внимания потратила «{name}»: на каждую 1000 сообщений столько, сколько его "
        "у {customers} ({interval}).",
    },
    "campaigns.fell": {
        "en": "Around “{name}” credit fell the most: with each 1,000 messages by as much as {customers} have "
        "({interval}).",
        "ru": "Сильнее всего кредит внимания падал вокруг «{name}»: на каждую 1000 сообщений на столько, сколько его "
        "у {customers} ({interval}).",
    },
    "campaigns.unsure": {
        "en": "No campaign can be said to have spent or earned credit.",
        "ru": "Ни про одну кампанию нельзя сказать, что она потратила или заработала кредит внимания.",
    },
    "campaigns.none": {"en": "Messages name no campaign.", "ru": "У сообщений не указаны кампании."},
    "campaigns.money": {
        "en": "A customer's credit is worth {loss}, the loss of a customer in the rules of sending.",
        "ru": "Кредит одного клиента стоит {loss}: столько в правилах отправки стоит потеря клиента.",
    },
    "randomised": {"en": "from a lottery", "ru": "по жеребьёвке"},
    "observational": {"en": "seen around it", "ru": "наблюдалось рядом"},
    "verb.randomised": {"en": "spent", "ru": "потратила"},
    "name": {"en": "Name", "ru": "Название"},
    "campaign": {"en": "Campaign", "ru": "Кампания"},
    "programme": {"en": "Programme", "ru": "Механика"},
    "team": {"en": "Team", "ru": "Команда"},
    "messages": {"en": "Messages", "ru": "Сообщений"},
    "credit": {"en": "Credit fell by, in customers", "ru": "Кредит снизился, в клиентах"},
    "interval": {"en": "95% interval", "ru": "95% интервал"},
    "money": {"en": "Money", "ru": "Деньги"},
    "too-early": {"en": "too early to tell", "ru": "судить рано"},
    "not-known": {"en": "cannot tell", "ru": "неизвестно"},
    "basis": {"en": "How it is known", "ru": "Откуда известно"},
    "broken": {"en": "Breaches", "ru": "Нарушений"},
    "opt-outs": {"en": "Opt-outs", "ru": "Отписок"},
    "channel": {"en": "Channel", "ru": "Канал"},
    "customers": {"en": "Customers", "ru": "Клиентов"},
    "mean-credit": {"en": "Mean credit", "ru": "Средний кредит"},
    "silent": {"en": "No longer look", "ru": "Уже не смотрят"},
    # The picture
    "flow.title": {
        "en": "Where customers stood at the end of each month",
        "ru": "Что можно было писать клиентам в конце каждого месяца",
    },
    "flow.subtitle": {
        "en": "Customers by what could be sent to them; bands between the months are those who moved. {channel}",
        "ru": "Клиенты по тому, что им можно было писать; полосы между месяцами — кто куда перешёл. {channel}",
    },
    # The model
    "model.state-space": {
        "en": "Credit comes from the model: on customers and days it had not seen it foretold better than both simple ways.",
        "ru": "Кредит считает модель: на клиентах и днях, которых она не видела, она предсказала лучше обоих простых способов.",
    },
    "model.counts": {
        "en": "Credit comes from counts over 1, 7 and 30 days: here the model foretold no better.",
        "ru": "Кредит посчитан по числу сообщений и ответов за 1, 7 и 30 дней: модель здесь предсказала не лучше.",
    },
    "model.beta-binomial": {
        "en": "Credit comes from past answers, recent ones counting more: here the model foretold no better.",
        "ru": "Кредит посчитан по прошлым ответам, недавние важнее: модель здесь предсказала не лучше.",
    },
    "model.prior": {
        "en": "The log holds too few answers to learn from: general experience was used.",
        "ru": "Ответов в журнале слишком мало, чтобы учиться: взят общий опыт.",
    },
    "model.unjudged": {
        "en": "Credit comes from the model, which could not be judged yet: too few messages after those it learnt from.",
        "ru": "Кредит считает модель; проверить её пока не на чем: сообщений после тех, на которых она училась, слишком мало.",
    },
    "model.sample": {
        "en": "Worked out over {share} of the customers, drawn by a hash; numbers are those of all.",
        "ru": "Посчитано по {share} клиентов, выбранных хешем; числа пересчитаны на всех.",
    },
}

CHANNELS: dict[str, dict[str, str]] = {
    "push": {"en": "push", "ru": "пуши"},
    "email": {"en": "emails", "ru": "письма"},
    "sms": {"en": "text messages", "ru": "СМС"},
    "messenger": {"en": "messenger", "ru": "мессенджер"},
    "telegram": {"en": "Telegram", "ru": "Telegram"},
    "whatsapp": {"en": "WhatsApp", "ru": "WhatsApp"},
}
"""What is looked at; other channels are called as the team calls them."""
NTH = {
    "en": ("", "", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"),
    "ru": ("", "", "второй", "третий", "четвёртый", "пятый", "шестой", "седьмой", "восьмой", "девятый", "десятый"),
}  # fmt: skip
IN_MONTH_RU = (
    "январе", "феврале", "марте", "апреле", "мае", "июне", "июле", "августе", "сентябре", "октябре", "ноябре", "декабре",
)  # fmt: skip
MONTHS_EN = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


COUNTED: dict[str, dict[str, tuple[str, ...]]] = {
    "times": {"en": ("time", "times"), "ru": ("раз", "раза", "раз")},
    "to": {"en": ("customer", "customers"), "ru": ("клиенту", "клиентам", "клиентам")},
    "of": {"en": ("customer", "customers"), "ru": ("клиента", "клиентов", "клиентов")},
}
"""Nouns after a number: one, few, many."""


def counted(number: int, kind: str, lang: Language | str, *, written: str = "") -> str:
    """`21 раз`, `2 раза`; `written`: the number as text, where it is not written in full."""
    own = "ru" if lang == "ru" else "en"
    forms = COUNTED[kind][own]
    last, two = number % 10, number % 100
    if own == "en":
        form = forms[number != 1]
    elif last == 1 and two != 11:
        form = forms[0]
    else:
        form = forms[1 if 2 <= last <= 4 and not 12 <= two <= 14 else 2]
    return f"{written or locale.number(number, own)}{locale.NBSP}{form}"


def tell(lang: Language | str, code: str, **values: object) -> str:
    return WORDS[code]["ru" if lang == "ru" else "en"].format(**values)


def channel_name(channel: str, lang: Language | str) -> str:
    return CHANNELS.get(channel, {}).get("ru" if lang == "ru" else "en", channel)


def nth_of(share: float, lang: Language | str) -> str:
    """.33 → `third`; empty where no such word is near enough."""
    if not 0.095 <= share <= 0.55:
        return ""
    n = round(1 / share)
    return NTH["ru" if lang == "ru" else "en"][n] if abs(1 / n - share) <= 0.1 * share else ""


def in_month(code: str, lang: Language | str) -> str:
    """`2025-03` → `March 2025`, `марте 2025`: after the preposition."""
    year, month = code.split("-")
    name = (IN_MONTH_RU if lang == "ru" else MONTHS_EN)[int(month) - 1]
    return f"{name}{locale.NBSP}{year}"
