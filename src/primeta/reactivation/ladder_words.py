"""The words of the ladder in both languages: rungs, what they silently assume, reasons, behaviour, ways up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RUNGS: dict[int, dict[str, str]] = {
    0: {"en": "It runs by itself", "ru": "Крутится само"},
    1: {"en": "Attribution window", "ru": "Окно атрибуции"},
    2: {"en": "Control group", "ru": "Контрольная группа"},
    3: {"en": "Behaviour afterwards", "ru": "Дальнейшее поведение"},
    4: {"en": "LTV against control", "ru": "LTV против контроля"},
}

ABOUT: dict[str, dict[str, str]] = {
    "0": {"en": "everyone who came back in {span}", "ru": "все, кто вернулся за {span}"},
    "1": {
        "en": "orders within {attribution} of a message, or with the code",
        "ru": "заказы в течение {attribution} после сообщения или с промокодом",
    },
    "2": {"en": "{span}, everyone assigned", "ru": "{span}, все участники"},
    "3": {
        "en": "{span}, all later orders and their discounts",
        "ru": "{span}, все дальнейшие заказы и скидки на них",
    },
    "4": {"en": "{span}: {seen} seen, the rest modelled", "ru": "{span}: {seen} видели, остальное по модели"},
    "4.seen": {"en": "{span}, all of it seen", "ru": "{span}, всё уже видели"},
    "4.only": {
        "en": "{span}; only the {seen} that were seen are counted",
        "ru": "срок {span}, в счёт идёт только то, что видели: {seen}",
    },
    "4.rate": {"en": "; {rate} a year", "ru": "; {rate} годовых"},
}

ASSUMES: dict[str, dict[str, str]] = {
    "all-returns-are-ours": {
        "en": "Everyone who came back came because of us.",
        "ru": "Каждый, кто вернулся, вернулся из-за нас.",
    },
    "all-returns-are-ours.control": {
        "en": "Everyone who came back came because of us. In the control group {share} came back unasked.",
        "ru": "Каждый, кто вернулся, вернулся из-за нас. В контроле без всяких сообщений вернулись {share}.",
    },
    "after-is-because": {
        "en": "An order after a message is an order because of it. Those who would have come anyway use the code too.",
        "ru": "Заказ после сообщения — значит, из-за сообщения. Но промокодом пользуются и те, кто пришёл бы сам.",
    },
    "window-goes-on": {
        "en": "What happens in {span} goes on. Purchases pulled forward and later discounts stay out of sight.",
        "ru": "Дальше будет так же, как в первые {span}. Покупки, сделанные впрок, и будущие скидки не видны.",
    },
    "alike-afterwards": {
        "en": "After {span} the arms live alike.",
        "ru": "Через {span} ветки живут одинаково.",
    },
    "contaminated": {
        "en": "Other campaigns reached {share} of the control.",
        "ru": "Чужие рассылки задели {share} контроля.",
    },
    "tail-follows-model": {
        "en": "The days after {seen} follow the model.",
        "ru": "Всё, что после {seen}, идёт по модели.",
    },
    "tail-tested": {
        "en": "Tested on days {first} to {last} of those assigned earlier: it promised {promised} each, {came} came "
        "({interval} expected).",
        "ru": "Проверка на тех, кто попал раньше, дни {first}–{last}: обещала {promised} с клиента, пришло {came} "
        "(ждали {interval}).",
    },
    "random": {"en": "The lot decided who is in which arm.", "ru": "Кто в какой ветке, решил жребий."},
    "everyone-assigned": {
        "en": "Everyone assigned counts, whoever came back or not.",
        "ru": "Считаются все участники, вернулись они или нет.",
    },
    "tail-model": {
        "en": "What was not seen follows the model: first return by arm, then repeat orders with leaving.",
        "ru": "Чего не видели, идёт по модели: первый возврат по веткам, затем повторные заказы с уходом.",
    },
    "later-money-stays": {
        "en": "Later orders bring what they bring now, discounts included.",
        "ru": "Дальнейшие заказы приносят столько же, сколько сейчас, и со скидками тоже.",
    },
    "no-season": {"en": "The season does not matter.", "ru": "Время года не важно."},
    "all-seen": {
        "en": "Nothing is modelled: the whole horizon was seen.",
        "ru": "Модели нет: весь срок уже видели.",
    },
}

WHY_NOT: dict[str, dict[str, str]] = {
    "no-control": {
        "en": "there is no control group, so nothing can be known",
        "ru": "контрольной группы нет, узнать нельзя",
    },
    "small-arm": {
        "en": "fewer than 30 customers in the arm or in the control",
        "ru": "в ветке или в контроле меньше 30 клиентов",
    },
    "short-follow-up": {
        "en": "too few customers have been followed for that long",
        "ru": "слишком мало клиентов, за которыми наблюдали столько времени",
    },
    "no-spread": {
        "en": "all customers are alike, so nothing can be said of chance",
        "ru": "все клиенты одинаковы, о случайности сказать нечего",
    },
    "few-returners": {
        "en": "fewer than five came back in the arm or in the control",
        "ru": "в ветке или в контроле вернулись меньше пяти клиентов",
    },
    "few-orders": {
        "en": "too few orders to compare",
        "ru": "слишком мало заказов для сравнения",
    },
    "tail-untested": {
        "en": "fewer than 100 had come back in an arm by half of the follow-up, too few to test the model, so only "
        "what was seen is told",
        "ru": "к середине наблюдения в одной из веток вернулись меньше 100 клиентов, проверить модель не на ком, "
        "поэтому показано только то, что видели",
    },
    "tail-failed": {
        "en": "the model failed its test, so only what was seen is told",
        "ru": "модель не прошла проверку, поэтому показано только то, что видели",
    },
    "many-segments": {
        "en": "only the 12 largest segments get a model of their own, so only what was seen is told",
        "ru": "своя модель есть только у 12 самых больших сегментов, поэтому показано только то, что видели",
    },
    "not-modelled": {"en": "the time ahead was not modelled", "ru": "будущее не моделировали"},
    "short-log": {"en": "the log is too short", "ru": "история слишком короткая"},
}

METRICS: dict[str, dict[str, str]] = {
    "returned": {"en": "Came back, share", "ru": "Вернулись, доля"},
    "normal": {"en": "Normal again, share", "ru": "Снова обычные, доля"},
    "orders": {"en": "Orders per customer", "ru": "Заказов на клиента"},
    "later_orders": {"en": "Orders after the return", "ru": "Заказов после возврата"},
    "gap_days": {"en": "Days between later orders", "ru": "Дней между заказами потом"},
    "discounted_share": {"en": "Later orders at a discount", "ru": "Дальнейших заказов со скидкой"},
    "discount_depth": {"en": "Discount in later orders", "ru": "Скидка в дальнейших заказах"},
    "average_order_value": {"en": "Average order", "ru": "Средний чек"},
    "categories": {"en": "Categories bought per customer", "ru": "Категорий куплено на клиента"},
    "categories_viewed": {"en": "Categories viewed per customer", "ru": "Категорий просмотрено на клиента"},
    "visits": {"en": "Visits per customer", "ru": "Визитов на клиента"},
    "visits_before": {"en": "Visits before an order", "ru": "Визитов до заказа"},
    "lapsed_again": {"en": "Left a second time", "ru": "Снова ушли в отток"},
}
SHARES = frozenset({"returned", "normal", "discounted_share", "discount_depth", "lapsed_again"})
MONEY = frozenset({"average_order_value"})

WORDS: dict[str, dict[str, str]] = {
    "rung": {"en": "rung", "ru": "ступень"},
    "arm": {"en": "arm", "ru": "ветка"},
    "customers": {"en": "customers", "ru": "клиентов"},
    "each": {"en": "per customer", "ru": "с клиента"},
    "interval": {"en": "interval {level}", "ru": "интервал {level}"},
    "all": {"en": "all customers of the arm", "ru": "на всю ветку"},
    "leads": {"en": "leads", "ru": "впереди"},
    "claimed": {"en": "claimed", "ru": "приписано"},
    "control": {"en": "control", "ru": "контроль"},
    "metric": {"en": "what we look at", "ru": "на что смотрим"},
    "difference": {"en": "difference", "ru": "разница"},
    "self": {"en": "came back themselves", "ru": "вернулись сами"},
    "induced": {"en": "won back, net", "ru": "вернули мы"},
    "given": {"en": "discounts given", "ru": "скидок выдано"},
    "needless": {"en": "of them needless", "ru": "из них лишних"},
    "bounds": {"en": "without the assumption", "ru": "без допущения"},
    "everyday": {"en": "everyday discounts, for all", "ru": "обычные скидки, для всех"},
    "segment": {"en": "segment", "ru": "сегмент"},
    "seen-only": {"en": "seen only", "ru": "без прогноза"},
    "partly-modelled": {"en": "{span}, partly by the model", "ru": "{span}, часть — по модели"},
    "assumes": {"en": "What it silently assumes", "ru": "Что молча допускает"},
    "away": {"en": "From rung {rung}: {what}", "ru": "От ступени {rung}: {what}"},
    "seen": {"en": "seen", "ru": "видели"},
    "modelled": {"en": "modelled", "ru": "модель"},
    "normal_again": {
        "en": "“{arm}”: {per_thousand} normal customers won back per 1,000 assigned ({interval})",
        "ru": "«{arm}»: {per_thousand} снова обычных клиентов на 1000 участников ({interval})",
    },
    "money.note": {
        "en": "margin after discounts and contacts, all customers of an arm",
        "ru": "маржа за вычетом скидок и контактов, на всех клиентов ветки",
    },
    "subtitle": {
        "en": "Margin after discounts and contacts, all customers of an arm; hatched: claimed, never compared; lines: "
        "against the control, {level}; hollow: partly from a model",
        "ru": "Маржа за вычетом скидок и контактов, на всех клиентов ветки; штриховка: приписано, ни с чем не "
        "сравнивали; линии: против контроля, {level}; пустой кружок: частично из модели",
    },
    "source": {"en": "Orders until {until}.", "ru": "Заказы по {until}."},
    "ladder": {"en": "Five rungs, one scale", "ru": "Пять ступеней, одна шкала"},
    "who": {"en": "Who came back", "ru": "Кто вернулся"},
    "who.note": {"en": "% of all assigned, {span}", "ru": "% от всех участников, {span}"},
    "where": {"en": "Where the money went", "ru": "Куда ушли деньги"},
    "where.note": {"en": "arm “{arm}”, {span}", "ru": "ветка «{arm}», {span}"},
    "next": {"en": "What to do next", "ru": "Что делать дальше"},
    "flow.claimed": {"en": "claimed by rung 0", "ru": "приписала ступень 0"},
    "flow.self": {
        "en": "of that from customers who would have come anyway",
        "ru": "из них принесли те, кто пришёл бы и так",
    },
    "flow.needless": {"en": "needless discount to the same customers", "ru": "лишняя скидка им же"},
    "flow.net": {"en": "left: difference from the control", "ru": "осталось: разница с контролем"},
    "needless-title": {"en": "Needless discount", "ru": "Лишняя скидка"},
    "wasted": {
        "en": "{needless} ({interval}) of {given} of discounts went to people who would have come at the full price. It "
        "assumes that they fill the same basket and use the code as often; without that: {bounds}.",
        "ru": "{needless} ({interval}) из {given} скидок достались тем, кто и так пришёл бы за полную цену. Допущение: "
        "они кладут в корзину столько же и так же часто вводят промокод. Без него: {bounds}.",
    },
    "themselves": {"en": "themselves", "ru": "сами"},
    "who.says": {
        "en": "Grey: would have come anyway, known from the control. Colour: the net share won back; it assumes that we "
        "drove nobody away.",
        "ru": "Серое — пришли бы и так, это видно по контролю. Цветное — доля тех, кого вернули мы; допущение: мы "
        "никого не отпугнули.",
    },
    "more-arms": {"en": "and {n} more", "ru": "и ещё {n}"},
    "as-text": {"en": "The same as text", "ru": "То же текстом"},
    "levels": {"en": "All intervals are {level}.", "ru": "Все интервалы {level}."},
    "only-claimed": {"en": "only claimed", "ru": "только приписано"},
    "for-sure": {"en": "told from the next", "ru": "отличается от следующей"},
    "leads-unsure": {"en": "leads?", "ru": "впереди?"},
    "leaders": {"en": "Who leads at which rung", "ru": "Кто впереди на какой ступени"},
    "nobody": {"en": "cannot tell", "ru": "сказать нельзя"},
    "not-sure": {"en": "perhaps by chance", "ru": "возможно, случайно"},
    "report": {"en": "Reactivation, the ladder", "ru": "Реактивация, лестница"},
    "unasked": {"en": "each, unasked", "ru": "с каждого, сами"},
    "of-each": {"en": "each", "ru": "с каждого"},
    "not-looked-at": {"en": "not looked at", "ru": "на него не смотрят"},
}

FINDINGS: dict[str, dict[str, str]] = {
    "split": {
        "en": "The arms are not as large as the lottery should have made them (p = {p}): find out why before you "
        "believe any rung",
        "ru": "Размеры веток не те, что должен был дать жребий (p = {p}): сначала найдите причину, а до того не верьте "
        "ни одной ступени",
    },
    "no-control": {
        "en": "“{arm}” is credited with {claim}; how much of it would have come anyway nobody can know: there was no "
        "control group",
        "ru": "Ветке «{arm}» приписано {claim}, но сколько пришло бы и так, узнать нельзя: контрольной группы не было",
    },
    "cannot": {
        "en": "The control group cannot tell yet: {why}",
        "ru": "Контрольная группа пока ничего не скажет: {why}",
    },
    "turn": {
        "en": "“{claimed}” wins the usual report; against the control “{arm}” earns more: {value} per customer over "
        "{span} ({interval})",
        "ru": "В обычном отчёте побеждает «{claimed}», а против контроля больше приносит «{arm}»: {value} с клиента за "
        "{span_for} ({interval})",
    },
    "turn.unsure": {
        "en": "“{claimed}” wins the usual report; against the control “{arm}” is ahead, but the two cannot be told "
        "apart yet",
        "ru": "В обычном отчёте побеждает «{claimed}», а против контроля впереди «{arm}», но отличить их друг от друга "
        "пока нельзя",
    },
    "leads": {
        "en": "“{arm}” earns {amount} more per customer than no campaign at all over {span} ({interval})",
        "ru": "«{arm}» приносит на {amount} с клиента больше, чем если ничего не делать, за {span_for} ({interval})",
    },
    "leads.unsure": {
        "en": "“{arm}” earns more than no campaign at all: {value} per customer over {span} ({interval}); from "
        "“{other}” it cannot be told",
        "ru": "«{arm}» лучше, чем ничего не делать: {value} с клиента за {span_for} ({interval}); отличить её от "
        "«{other}» нельзя",
    },
    "nothing": {
        "en": "Over {span} no arm can be told from no campaign at all; the best, “{arm}”: {value} per customer "
        "({interval})",
        "ru": "За {span_for} ни одну ветку нельзя отличить от «ничего не делать»; лучшая, «{arm}»: {value} с клиента "
        "({interval})",
    },
    "nothing.one": {
        "en": "Over {span} “{arm}” cannot be told from no campaign at all: {value} per customer ({interval})",
        "ru": "За {span_for} «{arm}» не отличить от «ничего не делать»: {value} с клиента ({interval})",
    },
    "loses": {
        "en": "Over {span} every arm loses money against no campaign at all; the best, “{arm}”: {value} per customer "
        "({interval})",
        "ru": "За {span_for} каждая ветка в минусе против «ничего не делать»; лучшая, «{arm}»: {value} с клиента "
        "({interval})",
    },
    "lead.claims": {
        "en": "The report that everybody reads (rung 1) claims {claims}.",
        "ru": "Отчёт, который читают все (ступень 1), приписывает: {claims}.",
    },
    "lead.control": {
        "en": "Against the control group, over {span}: {values}.",
        "ru": "Против контрольной группы, за {span_for}: {values}.",
    },
    "lead.no-control": {
        "en": "Nothing above rung 1 can be known for this campaign, now or later.",
        "ru": "Выше ступени 1 про эту кампанию ничего узнать нельзя, ни сейчас, ни потом.",
    },
    "trap": {
        "en": "Trap: among buyers alone “{trap}” looks best ({high} per buyer against {low}), but an arm that brings "
        "fewer buyers is compared on its keenest ones. Of all assigned “{arm}” brings more within {span}: {difference} of "
        "revenue each.",
        "ru": "Ловушка: среди одних покупающих лучше выглядит «{trap}» ({high} на покупающего против {low}), но кто "
        "привёл меньше людей, тот привёл самых готовых купить. На всех участников за {span} больше приносит «{arm}»: "
        "{difference} выручки с каждого.",
    },
    "segments.none": {
        "en": "By {by}: no segment differs from the others by more than chance explains.",
        "ru": "По признаку «{by}»: ни один сегмент не отличается от остальных сильнее, чем объясняет случай.",
    },
    "segments.some": {
        "en": "By {by}: “{arm}” works differently for {segments} than for the others ({span}): {values}.",
        "ru": "По признаку «{by}»: «{arm}» для {segments} действует не так, как для остальных ({span}): {values}.",
    },
}

STEPS: dict[str, dict[str, str]] = {
    "reached": {"en": "Reached.", "ru": "Пройдена."},
    "reached.detectable": {
        "en": "Reached; a difference from {effect} per customer would have been seen with probability {power}.",
        "ru": "Пройдена; разницу от {effect} с клиента было бы видно с вероятностью {power}.",
    },
    "no-control": {"en": "No control group.", "ru": "Нет контрольной группы."},
    "small-arm": {"en": "Too few customers.", "ru": "Слишком мало клиентов."},
    "short-follow-up": {"en": "Only time is missing.", "ru": "Не хватает только времени."},
    "hold-out": {
        "en": "Leave {control} of the next {of} without messages: a difference of {effect} per customer is then seen "
        "with probability {power}; this rung {days} after the campaign.",
        "ru": "В следующий раз из {of} оставьте без сообщений {control}: тогда разница в {effect} с клиента будет "
        "видна с вероятностью {power}; эта ступень через {days} после кампании.",
    },
    "hold-half": {
        "en": "Even half of {of} is not enough to see {effect} per customer: {needed} customers are needed in all, "
        "half of them without messages, over several campaigns.",
        "ru": "Даже половины из {of} мало, чтобы увидеть {effect} с клиента: всего нужно {needed}, половина из них без "
        "сообщений, за несколько кампаний.",
    },
    "hold-out-any": {
        "en": "Leave a tenth without messages next time ({control} of {of}); this rung {days} after the campaign.",
        "ru": "В следующий раз оставьте без сообщений десятую часть ({control} из {of}); эта ступень через {days} после "
        "кампании.",
    },
    "keep-control": {
        "en": "The same control group, left alone for {days}.",
        "ru": "Та же контрольная группа, которую не трогают {days}.",
    },
    "more-customers": {
        "en": "“{arm}” has {smallest}; at least {least} are needed in every arm.",
        "ru": "В «{arm}» всего {smallest}; в каждой ветке нужно не меньше {least}.",
    },
    "wait": {
        "en": "On {until} the window of {days} will have passed for half of the customers.",
        "ru": "{until} окно в {days} пройдёт для половины клиентов.",
    },
    "wait-untouched": {
        "en": "Do not write to the control; on {until} {days} will have passed for half of the customers.",
        "ru": "Не пишите контролю; {until} для половины клиентов пройдёт {days}.",
    },
    "wait-horizon": {
        "en": "Leave the control alone until {until}: then the {days} are seen, not modelled.",
        "ru": "Не трогайте контроль до {until}: тогда все {days} будут видны без модели.",
    },
    "wait-seen": {
        "en": "Leave the control ({control}) alone until {until}: then this rung is seen, not modelled. Waiting costs "
        "about {cost} that they would have brought.",
        "ru": "Не трогайте контроль ({control}) до {until}: тогда эта ступень будет измерена без модели. Ожидание стоит "
        "около {cost}, которые они принесли бы.",
    },
    "wait-seen.free": {
        "en": "Leave the control ({control}) alone until {until}: then this rung is seen, not modelled.",
        "ru": "Не трогайте контроль ({control}) до {until}: тогда эта ступень будет измерена без модели.",
    },
}

NEXT: dict[str, dict[str, str]] = {
    "send": {"en": "Go on with “{arm}”", "ru": "Продолжать «{arm}»"},
    "send.stop": {"en": "Go on with “{arm}”; stop {others}", "ru": "Продолжать «{arm}»; {others} выключить"},
    "send.why": {
        "en": "On rung {rung} it earns {amount} more than the control over all of its customers ({interval}).",
        "ru": "На ступени {rung} она приносит на {amount} больше контроля на всех своих клиентах ({interval}).",
    },
    "send.between": {
        "en": "Difference from “{other}”: {value} per customer ({interval}).",
        "ru": "Разница с «{other}»: {value} с клиента ({interval}).",
    },
    "stop": {"en": "Stop the campaign", "ru": "Остановить кампанию"},
    "stop.why": {
        "en": "Every arm brings less than no campaign at all; the best, “{arm}”: {value} ({interval}).",
        "ru": "Каждая ветка приносит меньше, чем «ничего не делать»; лучшая, «{arm}»: {value} ({interval}).",
    },
    "more": {"en": "Do not widen it yet", "ru": "Пока не расширять"},
    "more.why": {
        "en": "Nothing is told from chance. So many customers show a difference from {effect} each; if less than that "
        "matters, more are needed.",
        "ru": "От случайности ничего не отличить. При таком числе клиентов видна разница от {effect} с каждого; если "
        "важна и меньшая, нужно больше клиентов.",
    },
    "both": {"en": "Keep “{arm}” and “{other}” running", "ru": "Оставить обе: «{arm}» и «{other}»"},
    "both.why": {
        "en": "“{arm}” is ahead of the control, but of the two neither is ahead for sure: {value} per customer "
        "({interval}).",
        "ru": "«{arm}» впереди контроля, но какая из двух лучше, пока не ясно: {value} с клиента ({interval}).",
    },
    "control": {"en": "Leave a control group next time", "ru": "В следующий раз оставить контрольную группу"},
    "split": {
        "en": "Find out what decided who is in which arm",
        "ru": "Выяснить, что решало, кто в какой ветке",
    },
    "split.why": {
        "en": "By lot, such sizes come up once in {once} times.",
        "ru": "При честном жребии такие размеры выпадают раз в {once} случаев.",
    },
    "climb": {"en": "For rung {rung}: {missing}", "ru": "Для ступени {rung}: {missing}"},
    "seen": {"en": "Leave the control alone until {until}", "ru": "Не трогать контроль до {until}"},
    "seen.why": {
        "en": "Then rung 4 is seen, not modelled. Waiting costs about {cost} that the control's {control} would have "
        "brought.",
        "ru": "Тогда ступень 4 будет измерена без модели. Ожидание стоит около {cost}, которые принёс бы контроль "
        "({control}).",
    },
    "seen.free": {
        "en": "Then rung 4 is seen, not modelled.",
        "ru": "Тогда ступень 4 будет измерена без модели.",
    },
    "discount": {"en": "Try a smaller discount, or a later one", "ru": "Попробовать скидку меньше или позже"},
    "discount.why": {
        "en": "Of {given} of discounts {needless} went to people who would have come at the full price ({interval}). "
        "Next: primeta reactivation discount.",
        "ru": "Из {given} скидок {needless} достались тем, кто и так пришёл бы за полную цену ({interval}). Дальше: "
        "primeta reactivation discount.",
    },
    "moment": {"en": "Next question: when to write", "ru": "Следующий вопрос: когда писать"},
    "moment.why": {
        "en": "Deal several delays since the lapse by lot. Next: primeta reactivation moment.",
        "ru": "Раздать по жребию несколько задержек после ухода в отток. Дальше: primeta reactivation moment.",
    },
}

KNOWN: dict[str, dict[str, str]] = {
    "orders": {"en": "orders in the year before", "ru": "заказы за год до неё"},
    "revenue": {"en": "revenue in the year before", "ru": "выручка за год до неё"},
    "silent_days": {"en": "days without an order", "ru": "дни без заказов"},
    "ordered_before": {"en": "share who had ordered before", "ru": "доля тех, кто раньше покупал"},
}
"""What was known before assignment."""

NOTES: dict[str, dict[str, str]] = {
    "sample-ratio": {
        "en": "The arms differ from the planned shares by more than chance explains (p = {p}).",
        "ru": "Размеры веток расходятся с планом сильнее, чем объясняет случай (p = {p}).",
    },
    "unbalanced": {
        "en": "The arms differed before the campaign already ({known}, p = {p}): was it a lottery?",
        "ru": "Ветки различались ещё до кампании ({known}, p = {p}): точно ли был жребий?",
    },
    "needless-outside": {
        "en": "“{arm}”: the needless discount lies outside what is possible without the assumption, so self-returners "
        "do not buy and redeem alike. Trust the bounds.",
        "ru": "«{arm}»: лишняя скидка вышла за границы возможного без допущения: те, кто вернулся сам, покупают и "
        "вводят промокод иначе. Верьте границам.",
    },
    "driven-away": {
        "en": "“{arm}” drove customers away: {share} of those assigned.",
        "ru": "«{arm}» отпугнула клиентов: {share} участников.",
    },
    "pulled-forward": {
        "en": "“{arm}”: orders were pulled forward. Per customer {early} within the window and {later} after it.",
        "ru": "«{arm}»: покупки только сдвинулись вперёд. На клиента {early} заказа в окне и {later} после него.",
    },
    "overtakes": {
        "en": "“{arm}” overtakes “{other}” by day {day} and stays ahead.",
        "ru": "«{arm}» обгоняет «{other}» к {day}-му дню и остаётся впереди.",
    },
    "no-codes": {
        "en": "No promo code was given, so everyday discounts count among the campaign's.",
        "ru": "Промокоды не указаны, поэтому в скидки кампании попали и обычные, для всех.",
    },
    "no-code": {
        "en": "“{arm}” has no code of its own: everyday discounts count among its discounts.",
        "ru": "У «{arm}» нет своего промокода: в её скидки попали и обычные, для всех.",
    },
    "assigned-later": {
        "en": "{customers} customers were assigned after {until} and are left out.",
        "ru": "Клиентов, попавших в кампанию после {until}: {customers}; они не учтены.",
    },
    "assigned-again": {
        "en": "{customers} customers were assigned more than once; they count from the first time.",
        "ru": "Клиентов, попавших в кампанию не раз: {customers}; каждый считается с первого раза.",
    },
    "by-changes": {
        "en": "{customers} customers have more than one value of {by}; the one of the first assignment counts.",
        "ru": "Клиентов, у которых признак «{by}» менялся: {customers}; взято значение первого назначения.",
    },
    "orders-twice": {
        "en": "{rows} rows of orders stood there twice and count once.",
        "ru": "Строк заказов, записанных дважды: {rows}; каждая учтена один раз.",
    },
    "cancelled-orders": {
        "en": "{orders} cancelled orders are left out.",
        "ru": "Отменённых заказов: {orders}; они не учтены.",
    },
    "orders-without-customer": {
        "en": "{orders} orders have no customer and are left out (revenue {revenue}).",
        "ru": "Заказов без клиента: {orders}; они не учтены (выручка {revenue}).",
    },
    "orders-unreadable": {
        "en": "{orders} orders have no readable time or sum and are left out.",
        "ru": "Заказов, у которых не прочесть время или сумму: {orders}; они не учтены.",
    },
    "orders-after-until": {
        "en": "{orders} orders come after {until} and are left out.",
        "ru": "Заказов позже {until}: {orders}; они не учтены.",
    },
    "no-discounts": {
        "en": "The orders carry no discount: none is counted as needless.",
        "ru": "В заказах нет скидок: лишних скидок не насчитать.",
    },
    "discounts-below-zero": {
        "en": "{orders} orders carry a discount below zero.",
        "ru": "Заказов с отрицательной скидкой: {orders}.",
    },
    "return-discounts-turned": {
        "en": "{returns} returned orders carry a positive discount; it is taken as given back.",
        "ru": "Возвратов с положительной скидкой: {returns}; она вычтена.",
    },
    "orders-of-nothing": {
        "en": "{orders} orders bring nothing and count as orders of 0.",
        "ru": "Заказов с нулевой суммой: {orders}; они учтены как заказы на 0.",
    },
    "money-is-revenue": {
        "en": "No margin is known: money here is revenue.",
        "ru": "Маржа неизвестна: деньги здесь — это выручка.",
    },
    "log-ends-early": {
        "en": "The last order is of {last}, though the log should reach {until}: a missing end looks like customers who "
        "left.",
        "ru": "Последний заказ {last}, хотя история должна доходить до {until}: оборванная история выглядит как уход "
        "клиентов.",
    },
    "no-orders-after": {
        "en": "Nobody of those assigned has an order after the assignment.",
        "ru": "После попадания в кампанию никто ничего не купил.",
    },
    "no-rhythm": {
        "en": "Too few customers had ordered twice before: what is normal for them cannot be told.",
        "ru": "До кампании слишком мало клиентов купили хотя бы дважды: что для них обычно, сказать нельзя.",
    },
    "messages-any": {
        "en": "No message bears the campaign's name: every message after the assignment counts as its own.",
        "ru": "Ни у одного сообщения нет имени этой кампании: её сообщениями считаются все после назначения.",
    },
    "no-messages-after": {
        "en": "No message was sent to those assigned after the assignment: nothing is attributed to messages.",
        "ru": "После назначения участникам не отправили ни одного сообщения: засчитывать по окну нечего.",
    },
    "messages-unreadable": {
        "en": "{messages} messages have no customer or no readable time and are left out.",
        "ru": "Сообщений без клиента или без читаемого времени: {messages}; они не учтены.",
    },
    "contact-cost-unused": {
        "en": "Messages carry their own cost; --contact-cost is not used.",
        "ru": "У сообщений есть своя стоимость; --contact-cost не использован.",
    },
    "no-categories": {
        "en": "The order lines carry no category: breadth of purchases cannot be told.",
        "ru": "В строках заказов нет категорий: широту покупок не измерить.",
    },
    "code-unseen": {
        "en": "Nobody used the code {code} of “{arm}”.",
        "ru": "Промокодом {code} ветки «{arm}» никто не воспользовался.",
    },
}


def words(table: Mapping[str, Mapping[str, str]], code: str, lang: str, /, **figures: Any) -> str:
    """A sentence with its figures; a code that has none stands as it is."""
    entry = table.get(code)
    return code if entry is None else entry[lang].format(**figures)
