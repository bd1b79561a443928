"""Words that tell nothing of what happened: function words, the trade's small change, the calendar."""

# Lists of words are easier to read, and to add to, as a text.

from __future__ import annotations

from primeta.signals.texts.plain_words import STOP

_RU = (
    "без более больше бы был была были было быть вам вас ведь весь вновь вообще во вот впрочем все всегда всего всех "
    "вы где да даже давать дать два де делать день для до другой его ее ей ему если есть еще же за зачем здесь из или "
    "им иметь иногда их каждый как какой какая когда конечно который кто куда ли лишь лучший любой между меня мне много "
    "многие мой мочь можно мы на над надо наконец нас наш не него нее нельзя нет неужели ни нибудь никогда ним них ничто "
    "но ну об один однако он она они оно от ото перед по под после потом потому почему почти при про просто раз разве с "
    "сам самый свой себя сейчас сказать скоро со совсем стать становиться так такой там тебя тем теперь то тогда того "
    "тоже только тот три тут ты уж уже хорошо хотеть хоть чего чем через что чтобы чуть эта эти это этот я являться "
    "сделать сегодня завтра вчера год месяц неделя час минута секунда время раза новый старый первый второй третий "
    "последний следующий прошлый разный некоторый данный весьма довольно стоить нужно должен нужный очередной "
    "знать думать считать говорить рассказать рассказывать писать написать пойти идти прийти приходить начать начинать "
    "продолжать остаться находиться получить получать взять посмотреть смотреть видеть случай вещь человек люди дело "
    "пример образ сторона часть вид вопрос ответ слово также кстати наверное типа короче вроде ладно привет спасибо "
    "пожалуйста пока среди вокруг около против кроме из-за из-под ради согласно вместо внутри среда читать подробнее "
    "подробно далее узнать подписаться подписываться подписка ссылка канал пост комментарий читатель друг"
)
_EN = (
    "able across actually after again all almost already always among an another any anyone anything are around aren "
    "ask away back became because become been before began being below best better between big both bring but call "
    "came can come comes couldn day days did didn different does doesn doing don done down during each either else end "
    "enough even ever every everyone everything example far few find first following found full further gave get gets "
    "getting give given go goes going gone good got great had hadn hasn haven he help here high how however inside "
    "instead isn just keep kind know known last late later least left less let lets like likely little ll long look "
    "looking lot made main make makes making many maybe me mean means might million more most much must my need never "
    "new next no nor not nothing now off often ok old once one ones only onto open or other others our out over own part "
    "people per perhaps please possible put quite rather read real really right run said same saw say says second see "
    "seem seems seen set several show shows since small so some someone something soon still stop such sure take taken "
    "takes tell than thank thanks that themselves then there thing things think third though three through thus time "
    "times today together tomorrow too took top toward towards true try trying two under until up upon us use used uses "
    "using ve via want wants was wasn way ways well went were weren what whatever when where whether which while who "
    "whole why will within without won work works world would wouldn wrong year years yes yesterday yet you your "
    "subscribe click link comment comments post posts blog ask hn video pdf update updated vs etc hour hours minute "
    "minutes week weeks month months mr mrs start started doe ha wa thi"
)
_CALENDAR = (
    "понедельник вторник среда четверг пятница суббота воскресенье выходной январь февраль март апрель май июнь июль "
    "август сентябрь октябрь ноябрь декабрь янв фев мар апр июн июл авг сен сент окт ноя дек пн вт ср чт пт сб вс "
    "весна лето осень зима весенний летний осенний зимний январский февральский мартовский апрельский майский июньский "
    "июльский августовский сентябрьский октябрьский ноябрьский декабрьский квартал полугодие годовой новогодний "
    "monday tuesday wednesday thursday friday saturday sunday weekend january february march april june july august "
    "september october november december jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun "
    "spring summer autumn winter quarter annual yearly monthly weekly daily christmas halloween thanksgiving easter "
    "рождество рождественский пасха"
)

SILENT: frozenset[str] = STOP | frozenset(_RU.split()) | frozenset(_EN.split()) | frozenset(_CALENDAR.split())
"""Usual forms, ё as е, that are no term, alone or in a pair."""
