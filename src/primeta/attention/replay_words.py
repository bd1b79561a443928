"""Words of a replay: promises kept and broken, credit spent, who has gone blind."""

from __future__ import annotations

from primeta.show.locale import Language

WORDS: dict[str, dict[str, str]] = {
    "none-broken": {
        "en": "Promises checked: {promises}, messages: {sends}. No breaches.",
        "ru": "Проверено обещаний: {promises}, сообщений: {sends}. Нарушений нет.",
    },
    "broken": {
        "en": "Breaches: {broken} (promises: {promises}, messages: {sends}); {knowable} of them could be known then.",
        "ru": "Нарушений: {broken} (обещаний: {promises}, сообщений: {sends}); заранее можно было знать о {knowable}.",
    },
    "unverifiable": {
        "en": "Promises that cannot be checked: {n}; they are not counted as kept.",
        "ru": "Обещаний, которые нельзя проверить: {n}; выполненными они не считаются.",
    },
    "blind": {
        "en": "{share} of those still written to no longer look.",
        "ru": "Уже не смотрят на сообщения {share} тех, кому ещё пишут.",
    },
    "blind-title": {
        "en": "Most probably no longer look, by the month since which they have been silent",
        "ru": "Скорее всего, больше не смотрят: с какого месяца молчат",
    },
    "since": {"en": "Silent since", "ru": "Молчат с"},
    "share": {"en": "Of customers × channels", "ru": "Доля пар «клиент и канал»"},
    "promise": {"en": "Promise", "ru": "Обещание"},
    "state": {"en": "What came of it", "ru": "Итог"},
    "checked": {"en": "Checked", "ru": "Проверено"},
    "broken-head": {"en": "Broken", "ru": "Нарушено"},
    "knowable": {"en": "Knowable", "ru": "Можно было знать"},
    "customers": {"en": "Customers", "ru": "Клиентов"},
    "kept-state": {"en": "kept", "ru": "выполнено"},
    "broken-state": {"en": "broken", "ru": "нарушено"},
    "pending-state": {"en": "not due yet", "ru": "срок ещё не наступил"},
    "unverifiable-state": {"en": "cannot be checked", "ru": "нельзя проверить"},
    "no-predicate": {
        "en": "the text says nothing that a log of messages can check",
        "ru": "в тексте нет ничего, что можно проверить по журналу сообщений",
    },
    "no-purpose": {"en": "messages carry no purpose", "ru": "у сообщений нет назначения (purpose)"},
    "no-programme": {
        "en": "messages carry neither campaign nor programme",
        "ru": "у сообщений нет ни кампании, ни программы",
    },
    "no-personal": {
        "en": "messages do not say whether they are personal",
        "ru": "у сообщений не указано, личные ли они (personal)",
    },
    "no-messages": {
        "en": "no message in the log is one of which it speaks",
        "ru": "в журнале нет ни одного сообщения, о котором оно говорит",
    },
    "no-opt-outs": {
        "en": "neither reactions nor consents were given, so nobody knows of opt-outs",
        "ru": "нет ни реакций, ни согласий, поэтому об отписках ничего не известно",
    },
    "credit-title": {"en": "Credit by campaign", "ru": "Кредит внимания по кампаниям"},
    "programme-title": {"en": "Credit by programme", "ru": "Кредит внимания по программам"},
    "team-title": {"en": "Credit by team", "ru": "Кредит внимания по командам"},
    "campaign": {"en": "Campaign", "ru": "Кампания"},
    "programme": {"en": "Programme", "ru": "Программа"},
    "team": {"en": "Team", "ru": "Команда"},
    "messages": {"en": "Messages", "ru": "Сообщений"},
    "spent": {"en": "Spent", "ru": "Потрачено"},
    "interval": {"en": "95% interval", "ru": "95%-й интервал"},
    "basis": {"en": "Known from", "ru": "Откуда известно"},
    "randomised": {"en": "a lottery", "ru": "из жеребьёвки"},
    "observational": {"en": "observation only", "ru": "только из наблюдений"},
    "credit-note": {
        "en": "In customers' worth of credit; a negative figure was earned. Observation also holds rest and other "
        "campaigns.",
        "ru": "В единицах полного кредита одного клиента; минус значит «заработано». В наблюдениях отражаются также "
        "отдых и другие кампании.",
    },
    "sample": {
        "en": "Credit worked out over {share} of the customers.",
        "ru": "Кредит рассчитан по {share} клиентов.",
    },
    "no-credit": {"en": "Credit cannot be told: {why}.", "ru": "О кредите ничего сказать нельзя: {why}."},
    "no-reactions": {"en": "no reactions were given", "ru": "нет реакций"},
    "no-sends": {"en": "nothing was sent", "ru": "ничего не отправляли"},
    "too-few-welcomes": {
        "en": "Too few messages were welcomed to learn from: credit rests on what is known elsewhere.",
        "ru": "Откликов слишком мало, чтобы на них учиться: кредит опирается на то, что известно о других.",
    },
    "too-few-later": {
        "en": "The log is too short to try the model of credit on later messages.",
        "ru": "Журнал слишком короткий, чтобы проверить модель кредита на более поздних сообщениях.",
    },
    "not-better": {
        "en": "The model of credit does not beat simple counts here, so the better of the simple ways is used.",
        "ru": "Модель кредита здесь не лучше простых подсчётов, поэтому взят лучший из простых способов.",
    },
    "duplicates": {
        "en": "Rows that stood there twice: {n}; each counts once.",
        "ru": "Повторных строк: {n}; каждая учтена один раз.",
    },
    "unreadable": {
        "en": "Left out, without an id, a customer or a time: {n} messages.",
        "ru": "Пропущено сообщений без номера, клиента или времени: {n}.",
    },
    "strangers": {
        "en": "Opt-outs from messages that the log does not have: {n}; whose they are is not known.",
        "ru": "Отписок на сообщения, которых нет в журнале: {n}; чьи они, неизвестно.",
    },
    "too-early": {"en": "too early to tell", "ru": "судить рано"},
    "policy": {
        "en": "Messages that the policy would have stopped: {stopped} of {sends}. Welcomes of those: {welcomes} "
        "({interval}), opt-outs: {opt_outs}. Breaches of promises: {before} as it was, {after} then.",
        "ru": "Политика остановила бы сообщений: {stopped} из {sends}; на них пришлось откликов: {welcomes} "
        "({interval}), отписок: {opt_outs}. Нарушений обещаний: было {before}, стало бы {after}.",
    },
    "policy-orders": {
        "en": "From the lottery: customers whom those messages made order within 72 hours: {orders} ({interval}).",
        "ru": "По жеребьёвке: благодаря этим сообщениям за 72 часа заказали клиентов: {orders} ({interval}).",
    },
    "policy-left-out": {
        "en": "Left out, since they would have moved with every stopped message: consents, levels of credit, rests of those "
        "who no longer look.",
        "ru": "Не учтены, потому что менялись бы после каждого остановленного сообщения: согласия, уровни кредита, отдых "
        "тех, кто больше не смотрит.",
    },
    "policy-observational": {
        "en": "Counted from the log, not proven: some of these customers would have come anyway, others would have "
        "answered another message.",
        "ru": "Посчитано по журналу, это не доказано: часть клиентов пришла бы и так, часть ответила бы на другое "
        "сообщение.",
    },
}


def tell(lang: Language, code: str, **values: object) -> str:
    return WORDS[code][lang].format(**values)
