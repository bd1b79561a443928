"""Which sentences may hold a wish at all: a word against something, or one of writing, advertising or data.

All that comes after is slow, so this must be quick and miss next to nothing; what it lets through is judged by meaning.
Asking for both at once let through a sixth of what customers write, and missed a quarter of freely worded wishes; asking
for either lets through two thirds and misses one in a hundred. Words are given by their beginnings, as people spell them
in a hurry.
"""

from __future__ import annotations

import re


def _starts(*groups: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(groups)})")


# Alone enough.
_ENOUGH = _starts(
    r"от+п[ие][сш]|рас+ыл|спам|акци|обзвон|автообзвон|харе|завяз|отстан|отвал|отвяж|отъеб|отцеп|надоел|задолб|заеб|замуч|достали\b|не беспок|не тревож|не тривож|"
    r"[ао]т+[пб][ие][сшщ]|анпис|[ао]тпиш|прикр|задрал|зае\b|отвян|исчезн|сгин|так часто|раз в две|сто раз|сколько раз|в последний раз|последнее пред|пошли нах|удалите мою|уничтожьте|на забвен|роскомнадз|антимоноп|"
    r"в покое|стоп\b|слишком часто|не чаще|чаще раза|раз в (?:недел|месяц)|раза в (?:недел|месяц)|каждый день|не каждый|перебор|куда столько|столько|потеряй|опять вы|уберите\b|не ?интерес|прекра[тщ]|заспам|хватит|удалите меня|зачасти|части|реже|пореж|иди.{0,4} (?:лес|наф|нах|в )|пошли (?:нах|в |на)\b|персональн|пдн\b|фас\b",
    r"stp\b|dnc\b|removal|please remove|remove please|delete me|deletion|delete my|nuke|destroy my|get out of my|stay (?:out|away)|bugger|buzz off|i (?:revoke|decline|refuse)|declin|consent|no permission|"
    r"not so (?:often|many|much|freq)|less (?:please|of|e?mail|text|spam)|could we do|overdo|chill|calm down|relax|go easy|spread them|blocked and|violat|uns\w{0,6}b|un ?sub|uns\w{0,3}cri|give it a rest|get your|erase|wipe|gone\b|in the app|unwelcome|removed|opt|spam|gdpr|ccpa|robocall|newsletter|stop+\b|stpo|quit|cease|desist|lose my|get lost|leave (?:me|us)|count me|take (?:me|us|my)|remove (?:me|us|my)|"
    r"do not disturb|harass|erasure|forgotten|forget|go away|cut it|knock it|enough|i want out|i.?m out|too (?:many|often|much|freq)|less often|fewer|"
    r"less freq|every (?:single )?day|once a|twice a|digest|tone it|dial|ease off|slow down|no thanks|piss|fuck",
)
# Against something, or how often, or only.
_AGAINST = _starts(
    r"не[ ткхдпн]|ни[ кч]|без |стоп|перест|перист|прикр|доста|бес[ия]|откаж|отказ|аткаж|отзыв|отзов|от?ключ|отруб|выключ|выруб|убер|убир|убра|удал|сотр|стер|уничтож|забуд|забы|закро|"
    r"деактив|аннулир|исключ|вычерк|снимит|снять|конча|законч|останов|запре|больше|част|много|перебор|перебарщ|кажд|раз|в день|в недел|поменьше|меньше|сократ|умень|сниз|сбав|"
    r"столько|только|лучше|исключит|остав|остальн|опять|снова|почему|зачем|как|где|откуда|кто|жалоб|пожалу|блок|заб[лр]|внош|черн|устал|забит|нельзя|сам|можно|чтоб|пусть|засун|пят|трет|тр[еи]|"
    r"больше|как|это|за день|бомб|ещ?е раз|последн|дальше|пошли|нинад|неш|ненад|ниче|ничо|кому-нибудь|связыв|свяж|ограничь|снес|снос|грохн|отвя|тошнит|завал|засор|умоляю|бога|срочно|немедл|наруш|разреш|основани|юзать|дайте|довольн|достаточно|серьез|чаще|обеща|ошиб",
    r"don|do not|dnt|didn|never|no|not|without|remove|delet|eras|wip|purg|get (?:me|rid)|make|turn|disab|kill|switch|cancel|end|discontin|block|report|complain|withdraw|revoke|object|consent|"
    r"sick|tired|fed up|hate|annoy|why|how|where|who|still|again|already|only|just|keep|prefer|nothing|nowhere|rather|so many|daily|weekly|hour|cut|reduc|lower|less|bit|than|one|three|four|five|"
    r"at most|scrub|strike|drop|want off|off (?:this|your)|limit|max|month|permission|shut up|hell|over it|leave|get out|alone|repeat|request|wrong|close|deactiv|terminat|passed|moved|they said|you (?:said|promised)|bin\b|crazy|mad\b|nobody|done|any ?more|please|pls|plz|give it|off\b|driv",
)
# Of writing, calling, advertising; of him in a list, of his data.
_ABOUT = _starts(
    r"бомбить|заблок|смс|нешл|п[еи]ш[иеу]|писа|писыв|непиш|шл[иеё]|сла[лт]|сыла|высыл|пр[ие]сы|прислал|приход|пришл|напомин|звон|позвон|зван|назван|дерга|беспок|тревож|докуч|"
    r"реклам|скид|промо|купон|предложен|новост|сообщ|уведом|увед|пуш|push|см+с|sms|эсэмэс|письм|писем|почт|[еиэ]?-?м[еэ]йл|имейл|e?-?mail|ящик|канал|"
    r"вотс|ватс|вац|whats|телег|тг\b|вайб|viber|мессендж|бот|прил[ао]жен|получа|видеть|слыш|чита|от вас|от меня|"
    r"ватсап|вотсап|смс|магазин|акци|номер|телефон|адрес|баз[аыеу]|спис|согласи|данн|аккаунт|учетн|учетк|профил|кабинет|регистрац|карту лоял|удалиться|анкет|клиент|обо мне|подпис",
    r"messag|mesag|msg|contact|e-?mail|text|txt|sms|call|phone|ring|push|notif|whatsapp|telegram|viber|promo|offer|deal|ad\b|ads\b|advert|market|inbox|mail|bother|disturb|annoy|ping|buzz|"
    r"send|sent|writ|list|number|address|subscri|account|profile|data|info|details|records|registered|member|hear from|these|this\b|it stop|want (?:these|your|any)|interested|exist|everything|"
    r"article|alert|catalog|whatsapp|sell to|market|wrong (?:number|person|email)|day|week|month|frequen|cards?",
)


def may_hold_a_wish(text: str) -> bool:
    """Whether a sentence in small letters, «ё» as «е», is worth a closer look."""
    return bool(_ENOUGH.search(text) or _AGAINST.search(text) or _ABOUT.search(text))


def speaks_of_both(text: str) -> bool:
    """Whether it says both that something shall end and what: there a wish is a hundred times likelier."""
    return bool(_ENOUGH.search(text) or (_AGAINST.search(text) and _ABOUT.search(text)))
