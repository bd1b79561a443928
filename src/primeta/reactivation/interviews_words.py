"""Words of the interviews: strata, reasons, and what must be known beside the numbers."""

from __future__ import annotations

REASONS: dict[str, dict[str, str]] = {
    "quality": {"en": "quality let down", "ru": "подвело качество"},
    "price": {"en": "too expensive", "ru": "дорого"},
    "forgot": {"en": "forgot about us", "ru": "забыл о нас"},
    "need-gone": {"en": "no need any more", "ru": "больше не нужно"},
    "rival": {"en": "found another shop", "ru": "нашёл другой магазин"},
    "delivery": {"en": "delivery", "ru": "доставка"},
    "service": {"en": "service or support", "ru": "обслуживание"},
    "choice": {"en": "nothing to choose from", "ru": "не из чего выбрать"},
    "moved": {"en": "moved away", "ru": "переехал"},
    "messages": {"en": "too many messages", "ru": "слишком много сообщений"},
    "site": {"en": "site or app is hard to use", "ru": "неудобный сайт или приложение"},
    "payment": {"en": "payment failed", "ru": "не получилось оплатить"},
    "returns": {"en": "returns and refunds", "ru": "возвраты"},
    "trust": {"en": "does not trust us", "ru": "нет доверия"},
    "money": {"en": "short of money", "ru": "стало меньше денег"},
    "discount": {"en": "waits for a discount", "ru": "ждёт скидку"},
    "other": {"en": "other", "ru": "другое"},
}
"""Code → what people said. The list is closed, so that interviews can be added up; a team adds codes of its own."""

STRATA: dict[str, dict[str, str]] = {
    "left": {"en": "left, not contacted", "ru": "ушли, мы не писали"},
    "silent": {"en": "contacted, silent", "ru": "мы писали, молчат"},
    "self": {"en": "came back alone", "ru": "вернулись сами"},
    "us": {"en": "came back after our message", "ru": "вернулись после нашего сообщения"},
}

WORDS: dict[str, dict[str, str]] = {
    "line": {
        "en": "{calls} customers to call, and {reserve} in reserve, stand for {customers}.",
        "ru": "Позвонить: {calls}, в запасе {reserve}; они представляют клиентов: {customers}.",
    },
    "line.reasons": {
        "en": "{people} told why: “{first}” comes first, {share} ({interval}) of the customers they stand for.",
        "ru": "Ответили: {people}. Чаще всего называют «{first}»: {share} клиентов, которых они представляют ({interval}).",
    },
    "cannot.nobody": {
        "en": "There is nobody to call: no assigned customer was followed for the whole window.",
        "ru": "Звонить некому: ни за кем из участников не наблюдали всё окно.",
    },
    "cannot.no-answers": {
        "en": "Nobody has answered yet.",
        "ru": "Пока никто не ответил.",
    },
    "group": {"en": "group", "ru": "группа"},
    "customers": {"en": "customers", "ru": "клиентов"},
    "may-call": {"en": "may be called", "ru": "можно звонить"},
    "calls": {"en": "to call", "ru": "позвонить"},
    "reserve": {"en": "reserve", "ru": "запас"},
    "reason": {"en": "reason", "ru": "причина"},
    "people": {"en": "people", "ru": "человек"},
    "share": {"en": "share", "ru": "доля"},
    "interval": {"en": "interval 95%", "ru": "интервал 95%"},
    "agreement": {"en": "coders agree", "ru": "согласие"},
    "ordered": {"en": "ordered within {days} days", "ru": "заказали за {days} дн."},
    "revenue": {"en": "revenue each", "ru": "выручка с каждого"},
    "opted-out": {"en": "opted out", "ru": "отписались"},
    "all": {"en": "all who answered", "ru": "все ответившие"},
    "few": {"en": "fewer than {n}", "ru": "меньше {n}"},
    "by-us": {
        "en": "“{arm}”: of those who came back, {share} came because of us ({interval}); the others would have come anyway. "
        "Nobody can tell which is which.",
        "ru": "«{arm}»: из вернувшихся благодаря нам пришли {share} ({interval}), остальные вернулись бы и сами. Кто из "
        "них кто, узнать нельзя.",
    },
    "by-us.unknown": {
        "en": "“{arm}”: how many came back because of us cannot be told from so few.",
        "ru": "«{arm}»: сколько вернулось благодаря нам, по такому числу сказать нельзя.",
    },
    "by-us.no-control": {
        "en": "There was no control group: who came back because of us and who came alone cannot be told apart.",
        "ru": "Контрольной группы не было: вернувшихся благодаря нам не отличить от вернувшихся самих.",
    },
    "left-out": {
        "en": "Left out: {parts}.",
        "ru": "Не вошли: {parts}.",
    },
    "out.early": {"en": "{n} not yet followed for the window", "ru": "{n} ещё не прожили окно"},
    "out.late": {"en": "{n} came back after the window", "ru": "{n} вернулись уже после окна"},
    "out.unreached": {
        "en": "{n} of the arms to whom nothing was sent",
        "ru": "{n} из веток, кому ничего не отправили",
    },
    "out.written": {
        "en": "{n} of the control who were written to",
        "ru": "{n} из контрольной группы, кому всё же писали",
    },
    "out.opted-out": {"en": "{n} opted out", "ru": "{n} отписались"},
    "out.no-consent": {"en": "{n} without consent", "ru": "{n} без согласия"},
    "out.called": {"en": "{n} called before", "ru": "{n} уже звонили"},
    "no-consents": {
        "en": "No table of consents was given: see yourself that these people may be called.",
        "ru": "Таблица согласий не дана: проверьте сами, что этим людям можно звонить.",
    },
    "weights": {
        "en": "Each who answered stands for the customers of his group; who never answers the phone may think otherwise.",
        "ru": "Каждый ответивший представляет клиентов своей группы; те, кто не берёт трубку, могут думать иначе.",
    },
    "multiple": {
        "en": "One person may name several reasons, so that shares add up to more than 100%.",
        "ru": "Один человек может назвать несколько причин, поэтому доли в сумме больше 100%.",
    },
    "later": {
        "en": "What they did after the talk is told, not proven: nobody drew their reasons by lot.",
        "ru": "Что они делали после разговора, показано, но не доказано: причины раздал не жребий.",
    },
    "disagree": {
        "en": "Coders agree poorly on {reasons} (kappa below {limit}): read the quotes together and code again.",
        "ru": "Кодировщики плохо согласны насчёт: {reasons} (каппа ниже {limit}). Перечитайте цитаты вместе и закодируйте "
        "заново.",
    },
    "not-on-list": {
        "en": "{n} who answered are on no list and are left out.",
        "ru": "Ответивших не из списка: {n}; они не учтены.",
    },
    "small": {
        "en": "“{stratum}” has {n} answers: its shares tell little.",
        "ru": "«{stratum}»: ответов {n}, доли этой группы мало что значат.",
    },
}


def said(code: str, lang: str, **figures: object) -> str:
    """A sentence with its figures."""
    return WORDS[code][lang].format(**figures)
