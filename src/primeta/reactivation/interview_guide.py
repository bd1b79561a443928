"""What to ask and in which order: a talk of twenty minutes, another one for each of the four groups.

After the practice of "switch" interviews and of qualitative work in general: the story first and in the person's own
order, the reason last; no question holds its answer; what was done counts, not what would be done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Stratum = Literal["left", "silent", "self", "us"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the talk."""

    title: str
    minutes: int
    asks: tuple[str, ...]


OPENING = {
    "en": Part(
        title="Opening",
        minutes=2,
        asks=(
            "I am … from …. I am not selling anything: we want to understand how people shop and what got in the way. "
            "It takes twenty minutes. May I ask? May I write down what you say?",
            "There are no right answers, and nothing you say changes your prices or discounts. You may stop at any time.",
        ),
    ),
    "ru": Part(
        title="Начало",
        minutes=2,
        asks=(
            "Я … из компании …. Я ничего не продаю: мы хотим понять, как люди покупают и что им мешает. Это займёт минут "
            "двадцать. Можно задать вопросы? Можно записать ваши ответы?",
            "Правильных ответов нет, и ваши слова никак не повлияют на ваши цены и скидки. Остановиться можно в любой "
            "момент.",
        ),
    ),
}
STORY = {
    "en": Part(
        title="The story",
        minutes=6,
        asks=(
            "When did you last order something of this kind, anywhere? Tell me how it went, from the first thought on.",
            "And the last time with us: what was going on then? What did you look for, what did you get?",
            "What happened next? And then? (Stay with what happened; let silences be.)",
        ),
    ),
    "ru": Part(
        title="История",
        minutes=6,
        asks=(
            "Когда вы в последний раз заказывали что-то подобное, где угодно? Расскажите по порядку, с первой мысли.",
            "А последний раз у нас: что тогда происходило? Что вы искали, что получили?",
            "Что было дальше? А потом? (Держитесь того, что было; не бойтесь пауз.)",
        ),
    ),
}
MIDDLE: dict[Stratum, dict[str, Part]] = {
    "left": {
        "en": Part(
            title="Since then",
            minutes=8,
            asks=(
                "Since that order, how have you got such things? Where, how often?",
                "Was there a moment when you thought of us and did something else? What did you do instead?",
                "What would have had to be otherwise that day? (Ask for the day, not for wishes.)",
            ),
        ),
        "ru": Part(
            title="С тех пор",
            minutes=8,
            asks=(
                "Как вы с тех пор решаете эту задачу? Где покупаете, как часто?",
                "Был ли момент, когда вы вспомнили о нас, но поступили иначе? Что вы сделали вместо этого?",
                "Что в тот день должно было сложиться по-другому? (Спрашивайте про тот день, а не про пожелания.)",
            ),
        ),
    },
    "silent": {
        "en": Part(
            title="What reached you",
            minutes=8,
            asks=(
                "Which messages from shops do you remember from the last month? Where did you see them, what did you do?",
                "(Only if he does not name ours:) Was there anything from us? What was it about? What did you do with it?",
                "What was going on for you at that time? How do you decide which messages you read?",
            ),
        ),
        "ru": Part(
            title="Что до вас дошло",
            minutes=8,
            asks=(
                "Какие сообщения от магазинов за последний месяц вы помните? Где увидели и что сделали?",
                "(Только если наше не названо:) А от нас что-нибудь было? О чём? Что вы с ним сделали?",
                "Что у вас происходило в то время? Как вы решаете, что читать, а что нет?",
            ),
        ),
    },
    "self": {
        "en": Part(
            title="The way back",
            minutes=8,
            asks=(
                "Your last order with us: when did you first think of it? Where were you, what had happened?",
                "Where else did you look before ordering? What spoke for each?",
                "What kept you from ordering in the time before?",
                "How did the order go? What will you remember of it?",
            ),
        ),
        "ru": Part(
            title="Дорога назад",
            minutes=8,
            asks=(
                "Ваш последний заказ у нас: когда вы впервые о нём подумали? Где вы были, что произошло?",
                "Где ещё вы смотрели, прежде чем заказать? Что говорило за каждый вариант?",
                "Что удерживало вас от заказа до этого?",
                "Как прошёл заказ? Что из него запомнилось?",
            ),
        ),
    },
    "us": {
        "en": Part(
            title="The way back",
            minutes=8,
            asks=(
                "Your last order with us: when did you first think of it? What had happened just before?",
                "How did you choose what to order and when? What did you look at on the way?",
                "(Only if he names a message or a discount himself:) What did it change? What had you planned before it came?",
                "How did you reckon the price? And the next time: how will you decide when to order?",
            ),
        ),
        "ru": Part(
            title="Дорога назад",
            minutes=8,
            asks=(
                "Ваш последний заказ у нас: когда вы впервые о нём подумали? Что было прямо перед этим?",
                "Как вы решали, что заказать и когда? На что смотрели по пути?",
                "(Только если о сообщении или скидке заговорят сами:) Что это изменило? Что вы собирались делать до этого?",
                "Как вы прикидывали цену? А в следующий раз как будете решать, когда заказать?",
            ),
        ),
    },
}
CLOSING = {
    "en": Part(
        title="Close",
        minutes=4,
        asks=(
            "When did you last tell anybody about ordering with us? What did you say?",
            "What did I not ask that matters?",
            "May we call again if we do not understand something? (Write down the answer as it was given.)",
        ),
    ),
    "ru": Part(
        title="Конец",
        minutes=4,
        asks=(
            "Когда вы в последний раз рассказывали о нас кому-нибудь? Что вы сказали?",
            "О чём важном я не спросил?",
            "Можно ли позвонить ещё раз, если мы что-то не поймём? (Запишите ответ дословно.)",
        ),
    ),
}
RULES = {
    "en": (
        "Do not tell which group the person is in, and do not name a reason before he does.",
        "Never ask “would you …?”, “was it the price?”, “why did you leave us?”: people make up an answer. Ask what "
        "happened, when, and what came before it.",
        "Write the quote in his words, with its language. Code the reasons afterwards, two people apart from each other.",
        "A complaint that needs help goes to support the same day. Whoever asks not to be called is written down at once.",
    ),
    "ru": (
        "Не говорите человеку, из какой он группы, и не называйте причину раньше него.",
        "Не спрашивайте «стали бы вы…?», «это из-за цены?», «почему вы от нас ушли?»: ответ придумают на ходу. Спрашивайте, "
        "что произошло, когда и что было перед этим.",
        "Записывайте цитату его словами, с языком. Причины кодируйте потом, вдвоём и порознь.",
        "Жалобу, с которой нужна помощь, передайте в поддержку в тот же день. Просьбу не звонить запишите сразу.",
    ),
}
TITLES = {
    "en": {
        "left": "Left and not contacted",
        "silent": "Contacted and silent",
        "self": "Came back alone",
        "us": "Came back after our message",
        "rules": "Rules",
        "minutes": "min",
    },
    "ru": {
        "left": "Ушли, мы не писали",
        "silent": "Мы писали, молчат",
        "self": "Вернулись сами",
        "us": "Вернулись после нашего сообщения",
        "rules": "Правила",
        "minutes": "мин",
    },
}


def parts_of(stratum: Stratum, lang: str = "en") -> tuple[Part, ...]:
    """The talk with a person of one group, in order."""
    return OPENING[lang], STORY[lang], MIDDLE[stratum][lang], CLOSING[lang]


def guide(lang: str = "en") -> str:
    """The whole guide in Markdown: rules, then a talk for each group."""
    titles = TITLES[lang]
    lines = [f"# {titles['rules']}", "", *(f"- {rule}" for rule in RULES[lang])]
    for stratum in MIDDLE:
        lines += ["", f"# {titles[stratum]}"]
        for part in parts_of(stratum, lang):
            lines += ["", f"## {part.title} ({part.minutes}\u00a0{titles['minutes']})", ""]
            lines += [f"{number}. {ask}" for number, ask in enumerate(part.asks, 1)]
    return "\n".join(lines)
