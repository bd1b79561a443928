"""The words of a plan's size in both languages."""

from __future__ import annotations

from primeta.show import locale

LONGEST_IN_DAYS = 730

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "rise": "a rise from {before} to {after} ({effect})",
        "fall": "a fall from {before} to {after} ({effect})",
        "fixed": "To see {what}, {total} are needed: {split}.",
        "sequential": "To see {what}, at most {total} are needed: {split}.",
        "anytime": "To see {what}, at most {total} are needed: {split}.",
        "split": "{each} in each of {arms} arms",
        "days": " At {per_week} a week that takes {days}.",
        "power": " If the effect is that large, the test shows it with probability {power}.",
        "looks.sequential": " There are {looks} planned looks; with such an effect it ends after about {used} on average.",
        "looks.anytime": " It may be looked at every day; with such an effect it ends after about {used} on average.",
        "weeks": "Weeks",
        "customers": "Customers",
        "seen": "Smallest effect shown",
        "relative": "Of the baseline",
        "planned": "planned",
        "x.weeks": "weeks",
        "x.customers": "customers",
        "note": "Shown with probability {power}, at level {level}{shared}.{looks}",
        "note.shared": " shared between {arms} arms",
        "note.looks": " Reckoned with {looks} evenly spread looks.",
        "note.always": " Reckoned with {looks} evenly spread looks; fewer looks bring a little less.",
        "cost.contacts": "The contacts cost {money}.",
        "cost.contacts.most": "The contacts cost at most {money}.",
        "cost.holdout": "If the effect is real, the control forgoes {money} by the end of the test.",
        "cost.break_even": "It pays from an effect of {effect}.",
        "longer-than-a-year": "Takes {days}. In a year seasons, prices and the base change: look for a larger effect, "
        "a calmer metric, or take fewer arms.",
        "shorter-than-a-week": "Takes {days}. Weekdays differ: let it run for whole weeks.",
        "few-events": "In one arm only {events} events are expected, or customers without one; 10 are needed for "
        "the interval to be right.",
        "small-arm": "The smallest arm has {n}. Below 100 the interval is right only for values without a long tail.",
        "effect-large": "The effect is {relative} of the baseline. So large ones are rare: check the number, or plan "
        "for a smaller one.",
        "below-break-even": "With such an effect a customer brings {gain} and costs {cost}. It pays from an effect of "
        "{effect}: plan for that.",
        "more-looks-than-useful": "{looks} looks gain little over {useful}.",
        "worth": "By what is believed now, deciding on the result instead of on the belief is worth {test} on average; "
        "knowing the truth would be worth {truth}. Both are a guess, as the belief is.",
        "not-worth-knowing": "The contacts of the test cost {contacts}, and its answer is worth {worth}: ask a cheaper "
        "question, or fewer customers.",
    },
    "ru": {
        "rise": "рост с {before} до {after} ({effect})",
        "fall": "падение с {before} до {after} ({effect})",
        "fixed": "Чтобы увидеть {what}, понадобится {total}: {split}.",
        "sequential": "Чтобы увидеть {what}, понадобится не больше {total_of}: {split}.",
        "anytime": "Чтобы увидеть {what}, понадобится не больше {total_of}: {split}.",
        "split": "по {each} в каждой из {arms} веток",
        "days": " При {per_week} в неделю это {days}.",
        "power": " Если эффект и правда такой, тест покажет его с вероятностью {power}.",
        "looks.sequential": " Проверок по плану: {looks}; при таком эффекте тест в среднем закончится примерно "
        "после {used_of}.",
        "looks.anytime": " Смотреть на результат можно каждый день; при таком эффекте тест в среднем закончится "
        "примерно после {used_of}.",
        "weeks": "Недель",
        "customers": "Клиентов",
        "seen": "Наименьший заметный эффект",
        "relative": "К исходному уровню",
        "planned": "по плану",
        "x.weeks": "недели",
        "x.customers": "клиенты",
        "note": "Такой эффект тест покажет с вероятностью {power} при уровне доверия {level}{shared}.{looks}",
        "note.shared": ", поделённом между {arms} ветками",
        "note.looks": " Расчёт на {looks} через равные промежутки.",
        "note.always": " Расчёт на {looks} через равные промежутки; если смотреть реже, вероятность чуть ниже.",
        "cost.contacts": "Контакты обойдутся в {money}.",
        "cost.contacts.most": "Контакты обойдутся не больше чем в {money}.",
        "cost.holdout": "Если эффект есть, на контрольной группе за время теста недополучим {money}.",
        "worth": "По нынешнему представлению решать по итогу теста, а не на глаз, выгоднее в среднем на {test}; знать "
        "правду точно — на {truth}. Оба числа — догадка, как и само представление.",
        "not-worth-knowing": "Контакты теста обойдутся в {contacts}, а его ответ стоит {worth}: задайте вопрос дешевле "
        "или возьмите меньше клиентов.",
        "cost.break_even": "Окупается при эффекте от {effect}.",
        "longer-than-a-year": "Тест займёт {days}. За год меняются сезон, цены и сама база: ищите эффект крупнее, "
        "берите показатель спокойнее или меньше веток.",
        "shorter-than-a-week": "Тест займёт {days}. Дни недели не похожи друг на друга: доведите его до целых недель.",
        "few-events": "В одной из веток ожидается лишь {events} событий (или клиентов без события), а для верного "
        "интервала нужно хотя бы 10.",
        "small-arm": "В самой малой ветке {n}. Меньше 100 — интервал верен, только если нет редких огромных значений.",
        "effect-large": "Эффект — {relative} к исходному уровню. Такие большие редки: проверьте число или "
        "рассчитывайте на меньший.",
        "below-break-even": "При таком эффекте один клиент принесёт {gain}, а обойдётся в {cost}. Окупается "
        "эффект от {effect}: на него и рассчитывайте.",
        "more-looks-than-useful": "{looks} почти ничего не дают сверх {useful}.",
    },
}

NOUNS: dict[str, tuple[str, str, str]] = {
    "customer": ("клиент", "клиента", "клиентов"),
    "day": ("день", "дня", "дней"),
    "year": ("год", "года", "лет"),
    "look": ("проверка", "проверки", "проверок"),
    "look.accusative": ("проверку", "проверки", "проверок"),
}


def counted(n: float, noun: str, lang: str) -> str:
    """`3 days`; `21 день`, `3 дня`, `5 дней`."""
    number = locale.number(n, lang, digits=0) + locale.NBSP
    if lang == "en":
        word = noun.partition(".")[0]
        return number + (word if n == 1 else word + "s")
    one, few, many = NOUNS[noun]
    if n % 10 == 1 and n % 100 != 11:
        return number + one
    return number + (few if n % 10 in (2, 3, 4) and n % 100 not in (12, 13, 14) else many)


def of_customers(n: float, lang: str) -> str:
    """The genitive after «не больше» and «после»: `21 клиента`, `22 клиентов`."""
    if lang == "en":
        return counted(n, "customer", lang)
    _, one, many = NOUNS["customer"]
    return locale.number(n, lang, digits=0) + locale.NBSP + (one if n % 10 == 1 and n % 100 != 11 else many)


def lasting(days: int, lang: str) -> str:
    """`62 days`; beyond two years `about 5 years`."""
    if days <= LONGEST_IN_DAYS:
        return counted(days, "day", lang)
    years = counted(round(days / 365.25), "year", lang)
    return {"en": "about ", "ru": "примерно "}[lang] + years
