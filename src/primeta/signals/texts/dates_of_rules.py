"""From which day a rule applies: read out of laws and of the news about them, in Russian and in English.

Every day of a sentence is found first; then the words around it tell what happens on it: it applies, it is signed or
published, something must be done by it, something ends, it was moved. Nearest words win; what is only hoped, planned or
inferred is not `sure`. A day that cannot be told is left out: no guess is better than a wrong due date.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

RuleDateKind = Literal["applies", "deadline", "postponed"]
"""The rule applies from this day; something must be done by it; the rule was moved to it."""

LONGEST = 60_000
"""Characters of a text that are read."""
_READ = 2_000
"""Characters of one sentence that are read: beyond, it is a table without full stops."""
SENTENCE = 400
"""Characters of a sentence that are given back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDate:
    """A day on which a rule begins or by which it asks for something."""

    day: date
    words: str
    """The sentence that says so."""
    kind: RuleDateKind
    sure: bool
    """Day, month and year stand there, and it is no plan and no proposal."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A day in a sentence."""

    start: int
    end: int
    day: date
    exact: bool


_MONTHS_RU = (
    "январ",
    "феврал",
    "март",
    "апрел",
    "ма",
    "июн",
    "июл",
    "август",
    "сентябр",
    "октябр",
    "ноябр",
    "декабр",
)
_MONTH_RU = (
    r"(?P<m>январ[ьяею]|феврал[ьяею]|март[аеу]?|апрел[ьяею]|ма[йяею]|июн[ьяею]|июл[ьяею]|август[аеу]?|сентябр[ьяею]|"
    r"октябр[ьяею]|ноябр[ьяею]|декабр[ьяею])"
)
_MONTHS_EN = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_EN = (
    r"(?P<m>jan(?:uary|\.)?|feb(?:ruary|\.)?|mar(?:ch|\.)?|apr(?:il|\.)?|may|june?\.?|july?\.?|aug(?:ust|\.)?|"
    r"sept?(?:ember|\.)?|oct(?:ober|\.)?|nov(?:ember|\.)?|dec(?:ember|\.)?)"
)
_NEXT_RU = r"(?P<near>этого|текущего|следующего|будущего|прошлого)\s+года"
_YEAR_RU = rf"(?:[\s,]*(?:(?P<y>(?:19|20)\d\d)(?:-?го)?(?!\d)(?:\s*(?:года|году|г\.?)(?!\w))?|{_NEXT_RU}))?"
_YEAR_EN = r"(?:,?\s*(?:of\s+)?(?P<y>(?:19|20)\d\d)\b|\s+(?P<near>this|next|last)\s+year)?"
_ORDINALS = {
    "перв": 1, "втор": 2, "трет": 3, "четв": 4, "пят": 5, "шест": 6, "седьм": 7, "восьм": 8, "девят": 9, "десят": 10,
    "пятнадцат": 15, "двадцат": 20, "тридцат": 30,
}  # fmt: skip
_FLAGS = re.IGNORECASE

_EXACT: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<!\d)(?P<y>(?:19|20)\d\d)-(?P<mm>\d\d)-(?P<d>\d\d)(?!\d)"), "iso"),
    (re.compile(r"(?<![\d.])(?P<d>[0-3]?\d)\.(?P<mm>[01]?\d)\.(?P<y>(?:19|20)\d\d)(?![\d])"), "dotted"),
    (re.compile(r"(?<![\d/])(?P<a>\d{1,2})/(?P<b>\d{1,2})/(?P<y>(?:19|20)\d\d)(?![\d/])"), "slashed"),
    (re.compile(rf"(?<!\d)(?P<d>[0-3]?\d)(?:-?го|-?е)?\s+{_MONTH_RU}\b{_YEAR_RU}", _FLAGS), "ru"),
    (
        re.compile(
            rf"\b(?P<o>перв|втор|трет|четв|пят|шест|седьм|восьм|девят|десят|пятнадцат|двадцат|тридцат)\w*\s+{_MONTH_RU}\b"
            rf"{_YEAR_RU}",
            _FLAGS,
        ),
        "ru",
    ),
    (re.compile(rf"\b{_MONTH_EN}\s+(?P<d>[0-3]?\d)(?:st|nd|rd|th)?(?![\d:]){_YEAR_EN}", _FLAGS), "en"),
    (
        re.compile(
            rf"(?<!\d)(?P<d>[0-3]?\d)(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH_EN}(?!\w){_YEAR_EN}", _FLAGS
        ),
        "en",
    ),
)
_RANGE_RU = re.compile(rf"\bс\s+(?P<d>[0-3]?\d)\s+(?:по|до)\s+[0-3]?\d\s+{_MONTH_RU}\b{_YEAR_RU}", _FLAGS)
_RANGE_EN = re.compile(
    rf"\b(?:from|between)\s+(?:{_MONTH_EN}\s+(?P<d>[0-3]?\d)\s*(?:to|and|-|–|—)\s*[0-3]?\d(?![\d])){_YEAR_EN}",
    _FLAGS,
)
_MONTH_ONLY: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            rf"(?<=\bс )(?:начала\s+)?{_MONTH_RU}\s+(?P<y>(?:19|20)\d\d)(?:-?го)?(?:\s*(?:года|г\.?))?(?!\w)",
            _FLAGS,
        ),
        "ru",
    ),
    (
        re.compile(
            rf"(?<=\bв )(?:начале\s+)?{_MONTH_RU}\s+(?P<y>(?:19|20)\d\d)(?:-?го)?(?:\s*(?:года|г\.?))?(?!\w)",
            _FLAGS,
        ),
        "ru",
    ),
    (re.compile(rf"(?<=\bс |\bв ){_MONTH_RU}\b(?!\s*\d)", _FLAGS), "ru"),
    (re.compile(rf"\b{_MONTH_EN},?\s+(?:of\s+)?(?P<y>(?:19|20)\d\d)\b", _FLAGS), "en"),
)
_HALF_RU = re.compile(
    r"\b(?P<h>перв|втор|[12]|i{1,2}(?=\s))(?:ого|ом|-го|-м)?\s+полугоди[яеию]\s+(?P<y>(?:19|20)\d\d)(?:\s*(?:года|г\.?))?",
    _FLAGS,
)
_QUARTER = re.compile(
    r"\b(?:(?P<q>перв|втор|трет|четв|[1-4]|i{1,3}v?|iv)(?:ого|ом|ьего|ьем|[её]ртого|[её]ртом|-го|-м)?\s+квартал\w*\s+"
    r"(?P<y>(?:19|20)\d\d)(?:\s*(?:года|г\.?))?|Q(?P<q2>[1-4])\s+(?:of\s+)?(?P<y2>(?:19|20)\d\d))",
    _FLAGS,
)
_YEAR_ONLY: tuple[tuple[re.Pattern[str], bool], ...] = (
    (re.compile(r"\bс\s+(?P<y>20\d\d)(?:-?го)?(?:\s+(?:года|г\.?))(?!\w)", _FLAGS), True),
    (re.compile(r"\b(?:с|в)\s+начал[ае]\s+(?P<y>20\d\d)(?:\s*(?:года|г\.?))?", _FLAGS), False),
    (re.compile(r"\bв\s+(?P<y>20\d\d)(?:-?м)?\s+год[уа]", _FLAGS), False),
    (re.compile(r"\b(?:from|since|starting|beginning)\s+(?:in\s+)?(?P<y>20\d\d)\b(?!-)", _FLAGS), False),
    (re.compile(r"\b(?:in|early|by early)\s+(?P<y>20\d\d)\b(?!-)", _FLAGS), False),
    (re.compile(r"\b(?:the\s+)?(?:start|beginning)\s+of\s+(?P<y>20\d\d)\b", _FLAGS), False),
)
_NEXT_YEAR = re.compile(
    r"\b(?:с|со)\s+(?:следующего|нового|будущего)\s+года|\bв\s+(?:следующем|новом|будущем)\s+году|(?<!\w\s)\bnext\s+year\b|\bnext\s+year\b",
    _FLAGS,
)

_NUMBER_WORDS = {
    "один": 1, "одного": 1, "одну": 1, "два": 2, "двух": 2, "две": 2, "три": 3, "трех": 3, "трёх": 3, "четыре": 4,
    "четырех": 4, "четырёх": 4, "пять": 5, "пяти": 5, "шесть": 6, "шести": 6, "семь": 7, "семи": 7, "восемь": 8,
    "восьми": 8, "девять": 9, "девяти": 9, "десять": 10, "десяти": 10, "двенадцать": 12, "пятнадцать": 15,
    "двадцать": 20, "двадцати": 20, "тридцать": 30, "тридцати": 30, "шестьдесят": 60, "шестидесяти": 60,
    "девяносто": 90, "девяноста": 90, "ста": 100, "сто": 100,
    "one": 1, "a": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "twelve": 12, "eighteen": 18, "twenty": 20, "twentieth": 20, "thirty": 30, "sixty": 60, "ninety": 90,
    "third": 3, "tenth": 10, "fifteenth": 15, "thirtieth": 30, "first": 1, "seventh": 7,
}  # fmt: skip
_COUNT = r"(?P<n>\d{1,3}|[а-яёa-z]+)(?:\s*\([^)]{1,30}\))?"
_PUBLISHED_RU = (
    r"(?:после|со|с|с\s+момента)\s+(?:дня\s+|даты\s+|момента\s+)?(?:их\s+|его\s+|её\s+|ее\s+)?(?:официального\s+)?"
    r"(?:опубликовани\w+|публикаци\w+)"
)
_AFTER_RU = re.compile(
    rf"(?:через|по\s+истечении|спустя)\s+(?:{_COUNT}\s+)?(?:календарн\w+\s+|рабоч\w+\s+)?(?P<u>дн\w+|день|суток|недел\w+|месяц\w*|"
    rf"год\w*|лет|полгода)(?P<pub>\s+{_PUBLISHED_RU})?",
    _FLAGS,
)
_FROM_PUBLICATION_RU = re.compile(
    r"(?:со?\s+(?:дня|даты|момента)|с|после)\s+(?:его\s+|их\s+)?(?:официального\s+)?(?:опубликовани\w+|публикаци\w+)",
    _FLAGS,
)
_AFTER_EN = re.compile(
    rf"(?:(?:in|within)\s+)?(?:the\s+)?{_COUNT}[\s-]+(?P<u>days?|weeks?|months?|years?)"
    r"(?P<pub>\s+(?:after|following|from)\s+(?:the\s+date\s+of\s+|its\s+|the\s+|being\s+)?(?:official\s+)?publi\w+)?",
    _FLAGS,
)
_DAY_AFTER = re.compile(
    r"the\s+day\s+(?:after|following)\s+(?:that\s+of\s+)?(?:its\s+|the\s+|their\s+)?publication|на\s+следующий\s+день\s+после\s+(?:дня\s+)?(?:его\s+)?(?:официального\s+)?опубликования",
    _FLAGS,
)
_AT_ONCE = re.compile(
    r"\b(?:immediately|at once|немедленно)\b|с\s+сегодняшнего\s+дня|\bupon\s+publication\b", _FLAGS
)

Role = Literal["applies", "signed", "deadline", "ends", "postponed", "nothing", "was"]

_TRIGGERS: tuple[tuple[Role, re.Pattern[str]], ...] = tuple(
    (role, re.compile(pattern, _FLAGS))  # type: ignore[misc]
    for role, pattern in (
        # What was to be and will not be.
        ("was", r"долж(?:ен|на|но|ны)\s+был\w*|планировал\w+|предполагал\w+|изначально|вступил\w*\s+бы|действовавш\w+|ранее\s+планир\w+|вместо|"
                r"was\s+(?:due|supposed|scheduled|set|expected|to)\b|were\s+(?:due|supposed|scheduled|set|expected|to)\b|originally|instead\s+of"),
        ("nothing", r"\bне\s+(?:вступ\w+|начн\w+|заработа\w+|буд\w+\s+(?:действ|примен)\w+|примен\w+|действ\w+|станов\w+|станет|станут)|заблокирова\w+|приостан\w+|призна\w+\s+(?:недейств|незакон)\w+|"
                    r"block(?:ed|s)\b.*\bfrom|enjoin\w*|halt(?:ed|s)|struck\s+down|vacated|suspend\w*|withdr[ae]w\w*|"
                    r"(?:will|does|do|did|shall|would)\s*(?:not|n.t)\s+(?:take|enter|come|go|apply|be|become|start|begin)"),
        ("postponed", r"перен[её]с\w*|перенос\w*|отлож\w+|отсроч(?:ен|ил|ит|ат)\w*|получи\w+\s+отсрочку|сдвин\w+|сдвига\w+|продл[её]?\w*|откладыва\w+|"
                      r"delay\w*|slip(?:s|ped)|postpon\w+|push(?:ed|es)?\s+back|deferr?\w*|extend\w*|moved\s+(?:back\s+)?to"),
        ("signed", r"подписа\w*|принят\w*|принял\w*|одобр\w+|утвержд\w+|утверд\w+|опубликова(?:н|ла|ло|л)\w*|внес[её]н\w*|внесл\w+|зарегистрирован\w*|"
                   r"рассмотр\w+|обсуд\w+|прошл[аои]|прош[её]л|состо\w+|проголосу\w+|выш[еёл]\w*|сообщил\w*|объявил\w*|заявил\w*|напомнил\w*|"
                   r"\bsign(?:ed|s)\b|\badopted\b|\bpublished\b|\bpassed\b|\bapproved\b|\bintroduced\b|\bannounced\b|\breleased\b|\bdated\b|"
                   r"\bvot(?:e|es|ed|ing)\b|\bfounded\b|\benacted\b|\bissued\b|\bunveiled\b|\bsaid\b|\bfiled\b|"
                   r"\bopened\b|\bassent\b|\bdiscuss\w*|\bmeets?\b|\bmet\b|\bheld\b|\bhold\b|\bhear\w*|\bpublish\w*|\bdecide\w*|\bconsider\w*|\bhost\w*|\blaunched\b"),
        ("ends", r"утра(?:чива|т)\w+\s+силу|прекра(?:ща|т)\w+(?:\s+(?:сво[её]\s+)?действ\w+)?|истека\w+|истеч[её]т|отмен\w+|заканчива\w+|заверша\w+|действ\w+\s+(?:вплоть\s+)?до|"
                 r"expir\w+|\bends?\b|\bended\b|\bvalid\s+(?:until|through)|repeal\w*|sunset\w*|\blapse\w*|in\s+(?:force|effect)\s+until|terminat\w+"),
        ("deadline", r"не\s+позднее|не\s+позже|крайний\s+срок|время\b(?=.*\bдо\b)|можно\b(?=.*\bдо\b)|замечани\w+|consultation\w*(?=.*\b(?:until|by|before)\b)|срок\s+(?:подачи|сдачи|исполнения|уведомления|приведения)|дедлайн|заверш\w+|"
                     r"(?:обязан\w*|должн\w+|нужно|необходимо|следует|требуется|предстоит|надо|успе\w+|могут|просят|в\s+срок)(?=.*\bдо\b)|"
                     r"no\s+later\s+than|not\s+later\s+than|deadline|\bdue\b|\b(?:submit|register|file|renew|update|send|respond|reply)\b(?=.*\b(?:by|before)\b)|must(?=.*\b(?:by|before)\b)|(?:have|has|had)\s+until|(?:need|required|have|has)\s+to(?=.*\b(?:by|before)\b)|"
                     r"should(?=.*\bby\b)|\bcloses?\b|(?:given|granted)\s+until|to\s+comply\s+by|comply\s+by|before\s+the\s+end"),
        ("applies", r"вступ\w*\s+в\s+(?:законную\s+)?силу|в\s+силу\s+вступ\w+|вступл\w+|вступ(?:ит|ят|ает|ают|ил|ила|или|ило)\b|начн\w+|начина\w+|заработ\w+|действ\w+|"
                    r"примен\w+|ввод\w+|введен\w*|введут|введ[её]т|введ[её]н\w*|ввести|обязател\w+|обязан\w*|обяж\w+|запре[щт]\w+|нельзя|прид[её]тся|смогут|сможет|становит\w+|станет|станут|стартует|запуст\w+|запуска\w+|"
                    r"меня\w+|измен\w+|провод\w+|пройд[её]т|возник\w+|распростран\w+|повыс\w+|вырас\w+|"
                    r"tak(?:e|es|ing)\s+effect|took\s+effect|(?:go|goes|going|went)\s+into\s+(?:effect|force)|(?:enter|enters|entered|entry|come|comes|came|coming|bring|brought|put)\s+(?:in)?to\s+(?:force|effect)|"
                    r"appl(?:y|ies|ied|icable|ication)\b|effective|in\s+(?:force|effect)|enforc\w+|kick(?:s|ed)?\s+in|mandatory|compulsory|compliance\s+date|commenc\w+|requir\w+|\bstop\w*|\bwill\b|must\b|banned|prohibit\w+|"
                    r"\bstart\w*|\bbegin\w*|\bbegan\b|go(?:es)?\s+live|\blive\b|\bruns?\b|become\w*|became|roll\w*\s+out|obligat\w+|phased?\s+in|binding|can\b"),
    )
)  # fmt: skip

_FROM = re.compile(
    r"(?:\bсо?|\bначиная\s+со?|\bfrom|\bas\s+(?:of|from)|\bstarting(?:\s+(?:on|from|in))?|\bbeginning(?:\s+(?:on|from|in))?|\bsince|\beffective|"
    r"\bon\s+and\s+after|\bon\s+or\s+after)\s*(?:the\s+)?$",
    _FLAGS,
)
_UP_TO = re.compile(
    r"(?:\bдо|\bпо|\bк|\bко|\bне\s+позднее|\bне\s+позже|\bby|\buntil|\btill|\bthrough|\bbefore|\bto|\bон\s+позднее|\bthan)\s*(?:the\s+)?$",
    _FLAGS,
)
_ONTO = re.compile(r"(?:\bна|\bдо|\bto|\buntil|\btill)\s*(?:the\s+)?$", _FLAGS)
_NOT_BEFORE = re.compile(
    r"(?:не\s+ранее|не\s+раньше|(?:no|not)\s+(?:earlier|sooner)\s+than|not\s+before|at\s+the\s+earliest)",
    _FLAGS,
)
_LAW_NUMBER = re.compile(
    r"(?:закон\w*|приказ\w*|постановлени\w*|указ\w*|распоряжени\w*|решени\w*|письм\w+|директив\w+|регламент\w*|\bFZ|ФЗ|редакци\w+)\s+(?:\S+\s+){0,4}?от\s*$|\bот\s*$",
    _FLAGS,
)
_HOPED = re.compile(
    r"предлага\w+|предлож\w+|законопроект\w*|проект\w*\s+(?:закона|приказа|постановления|указа)|ожида\w+|планиру\w+|может\b|могут\s+вступ\w+|возможно|\bесли\b|"
    r"\bwould\b|\bcould\b|(?-i:\bmay\b)|\bmight\b|propos\w+|draft|if\s+(?:passed|approved|adopted|enacted|signed)|expected|plans?\s+to|planned|likely|hopes?",
    _FLAGS,
)  # fmt: skip
_OPENS = re.compile(r"open(?:ed|s)?\b|начал\w*\s+обсужд\w+", _FLAGS)
_BETWEEN = re.compile(r"(?:\bbetween|\bfrom|\bс|\bмежду)\s*$", _FLAGS)
_NOT_UNTIL = re.compile(
    r"(?:won.t|will\s+not|not|не)\s+(?:\S+\s+){1,5}(?:until|till|before|до|раньше|ранее)\s*$", _FLAGS
)
_OBLIGES = re.compile(
    r"нужно|необходимо|следует|должн\w+|требу\w+|потребу\w+|буд[еу]т\b|разреш\w+|можно\b|will\b|must\b|shall\b|requir\w+|ha(?:ve|s)\s+to\b|need\b",
    _FLAGS,
)
_CLAUSE = re.compile(r"[;()]|,\s+(?:а|но|однако|при этом|and|but|while)\s|\s[—–]\s(?=с\s|from\s)")
_PERIOD_ON = re.compile(rf"\bна\s+(?:{_COUNT}\s+)?(?P<u>год\w*|лет|полгода|месяц\w*|дн\w+|день|недел\w+)|\bby\s+(?:another\s+)?{_COUNT.replace('<n>', '<n2>')}\s+(?P<u2>days?|weeks?|months?|years?)", _FLAGS)  # fmt: skip
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+(?=[«\"“A-ZА-ЯЁ\d])|\n+")
_ABBREVIATION = re.compile(r"(?:\b(?:г|ст|п|пп|ч|руб|тыс|млн|млрд|им|т\.\s?[едпк]|см|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|No|Art|Sec|U\.S|Inc|Ltd|Mr|Ms)|№)\.$")  # fmt: skip


def applies_from(text: str, *, published_at: date | datetime | None) -> tuple[RuleDate, ...]:
    """The days on which a rule begins, each with the sentence that says so; nothing where none is told.

    Args:
        text: A law, or news of one, as plain text; the first 60,000 characters are read.
        published_at: Day of the text: the year of «с 1 марта», and the start of «через 90 дней». None: such days
            cannot be told and are left out.
    Returns:
        First what the rule was moved to, then from when it applies, then by when something must be done, each by day.
        A day is given once.
    """
    said = published_at.date() if isinstance(published_at, datetime) else published_at
    found: dict[tuple[RuleDateKind, date], RuleDate] = {}
    moved: set[date] = set()
    for sentence in (one[:_READ] for one in _sentences(text[:LONGEST])):
        for kind, day, sure in _of_sentence(sentence, said, moved):
            before = found.get((kind, day))
            if before is None or (sure and not before.sure):
                words = (
                    sentence
                    if len(sentence) <= SENTENCE
                    else sentence[: SENTENCE - 2].rsplit(" ", 1)[0] + " …"
                )
                found[kind, day] = RuleDate(day=day, words=words, kind=kind, sure=sure)
    order = {"postponed": 0, "applies": 1, "deadline": 2}
    kept = [one for one in found.values() if not (one.kind != "postponed" and one.day in moved)]
    return tuple(sorted(kept, key=lambda one: (order[one.kind], one.day)))


def due_day(found: Sequence[RuleDate], *, today: date) -> date | None:
    """The day to be ready by: of what a rule was moved to or applies from, the next that is to come, else the last that
    was; of deadlines only where nothing else is told."""
    for kinds in (("postponed",), ("applies",), ("deadline",)):
        days = [one.day for one in found if one.kind in kinds]
        if days:
            coming = [day for day in days if day >= today]
            return min(coming) if coming else max(days)
    return None


def _sentences(text: str) -> Iterable[str]:
    begin = 0
    for end in _SENTENCE_END.finditer(text):
        piece = text[begin : end.start()]
        if "\n" not in end.group() and _ABBREVIATION.search(piece[-8:]):
            continue
        if piece.strip():
            yield " ".join(piece.split())
        begin = end.end()
    if text[begin:].strip():
        yield " ".join(text[begin:].split())


def _of_sentence(
    sentence: str, published: date | None, moved: set[date]
) -> Iterable[tuple[RuleDateKind, date, bool]]:
    days = _days(sentence, published)
    hoped = _HOPED.search(sentence) is not None
    move = next(
        (m for role, pattern in _TRIGGERS if role == "postponed" for m in pattern.finditer(sentence)), None
    )
    found: list[tuple[RuleDateKind, date, bool]] = []
    if move is not None:
        found = _moved(sentence, days, moved, hoped)
        if found:
            return found
    last: Role | None = None
    previous = 0
    for at, one in enumerate(days):
        following = days[at + 1].start if at + 1 < len(days) else len(sentence)
        lead, tail = sentence[previous : one.start], sentence[one.end : following]
        if re.fullmatch(r"\s*(?:and|и|по|to|–|—|-)\s*", lead) and _BETWEEN.search(
            sentence[: days[at - 1].start]
        ):
            previous = one.end
            continue
        role, sure = _role(lead, tail, last if at else None, first=at == 0)
        if role is None and _FROM.search(lead) and (one.exact if published is None else one.day > published):
            role, sure = "applies", False
        previous = one.end
        last = role or last
        if role in ("applies", "deadline"):
            found.append((role, one.day, sure and one.exact and not hoped))
    if not any(kind == "applies" for kind, _, _ in found):
        found += _relative(_without_days(sentence, days), published)
    return found


def _without_days(sentence: str, days: Sequence[_Said]) -> str:
    """«через 10 дней …, действует до 1 сентября»: what is left when the days are blanked out."""
    for one in days:
        sentence = sentence[: one.start] + "#" * (one.end - one.start) + sentence[one.end :]
    return sentence


def _role(lead: str, tail: str, before: Role | None, *, first: bool) -> tuple[Role | None, bool]:
    """What happens on a day, by the words before it (up to the day before) and behind it (up to the next)."""
    if _LAW_NUMBER.search(lead[-70:]):
        return "signed", True
    up_to, since = _UP_TO.search(lead), _FROM.search(lead)
    sure = _NOT_BEFORE.search(lead[-40:]) is None
    if not sure:
        up_to, since = None, since
    if _NOT_UNTIL.search(lead):
        return "applies", False
    near = _nearest(lead, last=True)
    if since and near is not None and near[0] == "signed":
        # Nobody signs "from" a day: «сообщили, что с 1 сентября …».
        behind = _nearest(_first_clause(tail), last=False)
        if (behind is not None and behind[0] == "applies") or _OBLIGES.search(_first_clause(tail)):
            return "applies", sure
        near = None
    if near is None or (_clauses(lead[near[1] :]) and not up_to):
        behind = _nearest(_first_clause(tail), last=False)
        if behind is not None and (near is None or since or behind[0] != "signed"):
            near = behind if near is None or since or not first else near
    role = near[0] if near else None
    if role is None and before in ("applies", "deadline"):
        role = before if since or not up_to else None
    if role == "was":
        return "was", sure
    if role in ("applies", "deadline", "postponed") and up_to:
        # «действует до», "applies until" end; «обязаны … до» is a deadline.
        whole = lead
        if _nearest_of("deadline", whole + "до by") and re.search(r"consultation", whole, _FLAGS):
            return "deadline", sure
        if _nearest_of("ends", whole) or re.search(
            r"\b(?:until|till|through|по)\s*(?:the\s+)?$", lead, _FLAGS
        ):
            wanted = re.search(r"(?:have|has|had|given|granted)\s+until\s*$", lead, _FLAGS)
            return ("deadline" if wanted else "ends"), sure
        return "deadline", sure
    if role == "deadline" and not up_to and since:
        return "applies", sure
    if role == "deadline" and not up_to and not since and _OPENS.search(lead):
        return "signed", sure
    if role is None and up_to and re.search(r"\b(?:до|by|before|to|к)\s*$", lead, _FLAGS):
        return ("deadline", sure) if _nearest_of("deadline", lead + "до by " + tail) else (None, sure)
    return role, sure


def _nearest(words: str, *, last: bool) -> tuple[Role, int] | None:
    """The trigger that stands nearest to the day, and where it ends (`last`) or begins."""
    found: list[tuple[int, int, int, Role]] = []
    for rank, (role, pattern) in enumerate(_TRIGGERS):
        probe = words + (" до by before " if role == "deadline" else "")
        for match in pattern.finditer(probe):
            if match.start() < len(words):
                found.append((match.end() if last else match.start(), match.start(), rank, role))
    if not found:
        return None
    if last:
        best = max(found, key=lambda entry: (entry[0], -entry[2]))
        # "was due to take effect", «должен был вступить в силу», "will not take effect": the whole of it is one trigger.
        for end, start, _, role in found:
            if role in ("was", "nothing") and start <= best[1] and best[1] - end <= 25:
                return role, best[0]
        return best[3], best[0]
    best = min(found, key=lambda entry: (entry[0], entry[2]))
    return best[3], best[0]


def _nearest_of(role: Role, words: str) -> bool:
    return any(pattern.search(words) is not None for name, pattern in _TRIGGERS if name == role)


def _clauses(words: str) -> bool:
    return _CLAUSE.search(words) is not None


def _first_clause(words: str) -> str:
    cut = _CLAUSE.search(words)
    return words[: cut.start()] if cut else words


def _moved(
    sentence: str, days: Sequence[_Said], moved: set[date], hoped: bool
) -> list[tuple[RuleDateKind, date, bool]]:
    """What a sentence about a move says: the new day, with the old one written into `moved`."""
    targets = [one for one in days if _ONTO.search(sentence[: one.start])]
    olds = [one for one in days if one not in targets]
    found: list[tuple[RuleDateKind, date, bool]] = []
    for one in targets:
        found.append(("postponed", one.day, one.exact and not hoped))
    if not targets and olds:
        period = _PERIOD_ON.search(sentence)
        if period is not None:
            later = _later(olds[0].day, period["n"] or period["n2"], period["u"] or period["u2"])
            if later is not None:
                found.append(("postponed", later, False))
    if found:
        moved.update(one.day for one in olds if not _LAW_NUMBER.search(sentence[: one.start][-70:]))
    return found


def _relative(sentence: str, published: date | None) -> list[tuple[RuleDateKind, date, bool]]:
    """«через 90 дней после опубликования», "in six months", «со дня опубликования»."""
    if published is None or not _nearest_of("applies", sentence) or _nearest_of("nothing", sentence):
        return []
    for pattern in (_AFTER_RU, _AFTER_EN):
        for after in pattern.finditer(sentence):
            if pattern is _AFTER_EN and not (after["pub"] or re.match(r"in\s", after.group(), _FLAGS)):
                continue
            if re.match(r"\s*(?:after|following|после|со?\s+(?:дня|даты))", sentence[after.end() :], _FLAGS):
                # After something whose day is not told here.
                continue
            day = _later(published, after["n"], after["u"])
            if day is not None:
                return [("applies", day, False)]
    if _DAY_AFTER.search(sentence):
        return [("applies", published + timedelta(days=1), False)]
    if _FROM_PUBLICATION_RU.search(sentence) or _AT_ONCE.search(sentence):
        return [("applies", published, False)]
    if _NEXT_YEAR.search(sentence):
        return [("applies", date(published.year + 1, 1, 1), False)]
    return []


def _later(day: date, number: str | None, unit: str) -> date | None:
    unit = unit.lower()
    count = 1 if number is None else int(number) if number.isdigit() else _NUMBER_WORDS.get(number.lower())
    if count is None or count > 1_000:
        return None
    if unit.startswith(("дн", "день", "сут", "day")):
        return day + timedelta(days=count)
    if unit.startswith(("недел", "week")):
        return day + timedelta(weeks=count)
    months = 6 if unit == "полгода" else count * (12 if unit.startswith(("год", "лет", "year")) else 1)
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _days(sentence: str, published: date | None) -> list[_Said]:
    """All days of a sentence, in order, none inside another."""
    taken: list[_Said] = []

    def take(match: re.Match[str], read: Callable[[re.Match[str]], tuple[date, bool] | None]) -> None:
        if any(one.start < match.end() and match.start() < one.end for one in taken):
            return
        day = read(match)
        if day is not None:
            taken.append(_Said(match.start(), match.end(), *day))

    past = re.compile(
        r"вступил|заработал|начал[аои]?\b|стал[аои]?\b|took effect|came into|entered into|went into|became",
        _FLAGS,
    ).search(sentence)

    def calendar_day(match: re.Match[str]) -> tuple[date, bool] | None:
        parts = match.groupdict()
        year = int(parts["y"]) if parts.get("y") else _near_year(parts.get("near"), published)
        month = int(parts["mm"]) if parts.get("mm") else _month(parts["m"])
        if parts.get("d"):
            number = int(parts["d"])
        else:
            number = next(
                v for k, v in sorted(_ORDINALS.items(), reverse=True) if parts["o"].lower().startswith(k)
            )
        if year is not None:
            return _date(year, month, number), parts.get("y") is not None
        if published is None:
            return None
        return _inferred(published, month, number, past=past is not None), False

    def safely(
        read: Callable[[re.Match[str]], tuple[date, bool] | None],
    ) -> Callable[[re.Match[str]], tuple[date, bool] | None]:
        def one(match: re.Match[str]) -> tuple[date, bool] | None:
            try:
                return read(match)
            except ValueError:
                return None

        return one

    def slashed(match: re.Match[str]) -> tuple[date, bool] | None:
        first, second, year = int(match["a"]), int(match["b"]), int(match["y"])
        if first > 12:
            return date(year, second, first), True
        # 3/4/2026 is read in two ways; as in American law, from where such dates come, and not surely.
        return date(year, first, second), second > 12 or first == second

    for match in _RANGE_RU.finditer(sentence):
        take(_Inner(match, "d"), safely(calendar_day))  # type: ignore[arg-type]
    for match in _RANGE_EN.finditer(sentence):
        take(_Inner(match, "m"), safely(calendar_day))  # type: ignore[arg-type]
    for pattern, how in _EXACT:
        for match in pattern.finditer(sentence):
            take(match, safely(slashed if how == "slashed" else calendar_day))

    def month_only(match: re.Match[str]) -> tuple[date, bool] | None:
        year = int(match.groupdict()["y"]) if match.groupdict().get("y") else None
        month = _month(match["m"])
        if year is None:
            return (_inferred(published, month, 1, past=past is not None), False) if published else None
        return date(year, month, 1), False

    def half(match: re.Match[str]) -> tuple[date, bool]:
        second = match["h"].lower() in ("втор", "2", "ii")
        return date(int(match["y"]), 7 if second else 1, 1), False

    def quarter(match: re.Match[str]) -> tuple[date, bool]:
        said = (match["q"] or match["q2"]).lower()
        number = {"перв": 1, "втор": 2, "трет": 3, "четв": 4, "i": 1, "ii": 2, "iii": 3, "iv": 4}.get(
            said
        ) or int(said)
        return date(int(match["y"] or match["y2"]), 3 * number - 2, 1), False

    for pattern, read in ((_HALF_RU, half), (_QUARTER, quarter)):
        for match in pattern.finditer(sentence):
            take(match, safely(read))
    for pattern, _ in _MONTH_ONLY:
        for match in pattern.finditer(sentence):
            take(match, safely(month_only))
    for pattern, exact in _YEAR_ONLY:
        for match in pattern.finditer(sentence):
            take(_Inner(match, "y"), lambda m, exact=exact: (date(int(m["y"]), 1, 1), exact))  # type: ignore[arg-type]
    return sorted(taken, key=lambda one: one.start)


class _Inner:
    """A match that begins at one of its groups: the preposition before it stays outside."""

    def __init__(self, match: re.Match[str], group: str) -> None:
        self._match, self._group = match, group

    def start(self) -> int:
        return self._match.start(self._group)

    def end(self) -> int:
        return self._match.end()

    def groupdict(self) -> dict[str, str | None]:
        return self._match.groupdict()

    def __getitem__(self, name: str) -> str:
        return self._match[name]


def _near_year(said: str | None, published: date | None) -> int | None:
    if said is None or published is None:
        return None
    if said.lower() in ("следующего", "будущего", "next"):
        return published.year + 1
    return published.year - 1 if said.lower() in ("прошлого", "last") else published.year


def _month(name: str) -> int:
    name = name.lower()
    if name in ("май", "мая", "маю", "мае"):
        return 5
    if name.startswith(_MONTHS_EN):
        return next(i for i, stem in enumerate(_MONTHS_EN, 1) if name.startswith(stem))
    return next(i for i, stem in enumerate(_MONTHS_RU, 1) if i != 5 and name.startswith(stem))


def _date(year: int, month: int, day: int) -> date:
    return date(year, month, day)


def _inferred(published: date, month: int, day: int, *, past: bool) -> date:
    """The next such day from the text on; of what happened, the last."""
    this = date(published.year, month, day)
    if past:
        return this if this <= published else date(published.year - 1, month, day)
    return this if this >= published else date(published.year + 1, month, day)
