"""Numbers and dates of a sentence, with what they count, so that 20% and 30%, $5 and €5, 1 March and 1 May differ."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Bound = Literal["", "over", "under", "about"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as it was said."""

    value: float
    unit: str
    """`share` (percent), `points`, a currency (`usd`), `seconds`, `months`, `times`, `ordinal`, `in` (one in …), `count`."""
    bound: Bound = ""
    """`over`: at least or more than; `under`: at most or less than; `about`: roughly."""
    scaled: bool = False
    """Said in thousands, millions …: rounded, as a rule."""
    role: str = ""
    """`from` or `to` of a range or a change."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A date as far as it was said."""

    kind: str
    """`day` (of a month), `month`, `year`, `weekday`, `near` (today, next week), `season`, `quarter`, `daytime`, `clock`."""
    value: str


_SCALE = {"k": 1e3, "тыс": 1e3, "тысяча": 1e3, "тысячи": 1e3, "тысяч": 1e3, "thousand": 1e3, "m": 1e6, "mln": 1e6, "млн": 1e6,
          "миллион": 1e6, "миллиона": 1e6, "миллионов": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9, "млрд": 1e9,
          "миллиард": 1e9, "миллиарда": 1e9, "миллиардов": 1e9, "billion": 1e9, "трлн": 1e12, "trillion": 1e12,
          "триллион": 1e12, "триллиона": 1e12, "триллионов": 1e12}  # fmt: skip
_UNITS: tuple[tuple[str, str, float], ...] = (
    (r"п\.\s?п\.?|процентн\w+ пункт\w*|percentage points?|pp\b", "points", 1),
    (r"%|процент\w*|percent|per cent|pct\b", "share", 1),
    (r"\$|долл(?:ар\w*)?\b\.?|usd\b|dollars?\b|bucks?\b", "usd", 1),
    (r"€|евро\b|eur\b|euros?\b", "eur", 1),
    (r"₽|руб(?:л\w*)?\b\.?|р\.|rub\b|rur\b|rou?bles?\b", "rub", 1),
    (r"£|фунт\w*|gbp\b|pounds?\b", "gbp", 1),
    (r"¥|иен\w*|jpy\b|yen\b", "jpy", 1),
    (r"юан\w+|cny\b|yuan\b", "cny", 1),
    (r"тенге\b|kzt\b|₸|tenge\b", "kzt", 1),
    (r"грив\w+|₴|uah\b|hryvnias?\b", "uah", 1),
    (r"секунд\w*|сек\b\.?|seconds?\b|secs?\b", "seconds", 1),
    (r"минут\w*|мин\b\.?|minutes?\b|mins?\b", "seconds", 60),
    (r"час(?:а|ов|ам|ами)?\b|hours?\b|hrs?\b", "seconds", 3600),
    (r"сут(?:ок|ки)\b|д(?:ень|ня|ней|ням)\b|дн\.|days?\b", "seconds", 86400),
    (r"недел\w+|weeks?\b", "seconds", 604800),
    (r"месяц\w*|мес\b\.?|months?\b", "months", 1),
    (r"лет\b|год(?:а|ов|у|ам)?\b|years?\b", "months", 12),
    (r"раз(?:а)?\b|times\b|x\b|×|-?fold\b", "times", 1),
)  # fmt: skip
_UNIT = [
    (re.compile(r"[\s\u00a0-]{0,2}(?:" + p + ")", re.IGNORECASE), name, size) for p, name, size in _UNITS
]
_FRONT = {"$": "usd", "€": "eur", "£": "gbp", "₽": "rub", "¥": "jpy", "usd": "usd", "eur": "eur", "rub": "rub",
          "gbp": "gbp", "us$": "usd"}  # fmt: skip

_SMALL: dict[str, float] = {}
for _value, _forms in enumerate((
    "ноль нуля zero", "один одна одно одного одной one", "два две двух двумя two",
    "три трех трёх тремя three", "четыре четырех четырёх four", "пять пяти five", "шесть шести six",
    "семь семи seven", "восемь восьми eight", "девять девяти nine", "десять десяти ten",
    "одиннадцать одиннадцати eleven", "двенадцать двенадцати twelve", "тринадцать тринадцати thirteen",
    "четырнадцать четырнадцати fourteen", "пятнадцать пятнадцати fifteen", "шестнадцать sixteen",
    "семнадцать seventeen", "восемнадцать eighteen", "девятнадцать nineteen",
)):  # fmt: skip
    _SMALL |= dict.fromkeys(_forms.split(), float(_value))
for _value, _forms in (
    (20, "двадцать двадцати twenty"), (30, "тридцать тридцати thirty"), (40, "сорок сорока forty"),
    (50, "пятьдесят пятидесяти fifty"), (60, "шестьдесят sixty"), (70, "семьдесят seventy"),
    (80, "восемьдесят eighty"), (90, "девяносто ninety"), (100, "сто ста"), (200, "двести"), (300, "триста"),
    (500, "пятьсот"), (1.5, "полтора полторы"), (12, "дюжина dozen"),
):  # fmt: skip
    _SMALL |= dict.fromkeys(_forms.split(), float(_value))
_TIMES = {"вдвое": 2, "втрое": 3, "вчетверо": 4, "впятеро": 5, "удвоился": 2, "удвоилась": 2, "удвоилось": 2,
          "удвоились": 2, "утроился": 3, "утроилась": 3, "утроились": 3, "double": 2, "doubled": 2, "doubles": 2,
          "twice": 2, "twofold": 2, "triple": 3, "tripled": 3, "triples": 3, "threefold": 3, "quadrupled": 4,
          "fourfold": 4, "fivefold": 5, "halved": 0.5}  # fmt: skip
_HALF = {"половина": 0.5, "половину": 0.5, "половины": 0.5, "half": 0.5, "треть": 1 / 3, "трети": 1 / 3,
         "четверть": 0.25, "четверти": 0.25}  # fmt: skip
WORDS = frozenset(_SMALL) | frozenset(_TIMES) | frozenset(_HALF)
"""Numbers said in words."""

_ORDER = {}
for _value, _stems in enumerate((
    "перв first", "втор second", "трет third", "четверт fourth", "пят fifth", "шест sixth", "седьм seventh",
    "восьм eighth", "девят ninth", "десят tenth",
), start=1):  # fmt: skip
    for _stem in _stems.split():
        _ORDER[_stem] = float(_value)
_ORDINAL_RU = re.compile(
    r"(?:(кажд\w+)\s+)?\b(перв|втор|четв[её]рт|пят|шест|седьм|восьм|девят|десят|трет)"
    r"(?:ый|ая|ое|ые|ого|ой|ому|ом|ую|ых|ым|ыми|ий|ья|ье|ьи|ьего|ьей|ьему|ьем|ью|ьих)\b",
    re.IGNORECASE,
)
_ORDINAL_EN = re.compile(
    r"\b(first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)\b", re.IGNORECASE
)
_NUMBER = re.compile(
    r"(?P<front>(?:US\$|[$€£₽¥]|\b(?:USD|EUR|RUB|GBP)\b)\s?)?"
    r"(?P<sign>(?<![\w\d])[−-](?=\d))?"
    r"(?<![\w.])(?P<digits>\d{1,3}(?:[ \u00a0\u202f']\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,]\d+)*)"
    r"(?:[\s\u00a0]?(?P<scale>тыс(?:яч\w*)?|млн|млрд|трлн|миллион\w*|миллиард\w*|триллион\w*|"
    r"thousand|million|mln|billion|bn|trillion|[kKmMbB](?![\w]))\.?)?",
    re.IGNORECASE,
)

_MONTHS = ("янв jan", "фев feb", "мар mar", "апр apr", "ма may", "июн jun", "июл jul", "авг aug", "сен sep",
           "окт oct", "ноя nov", "дек dec")  # fmt: skip
_MONTH_RU = (r"(январ|феврал|март|апрел|ма(?=[йяею]\b)|июн|июл|август|сентябр|октябр|ноябр|декабр)"
             r"(?:ь|я|е|ю|ем|а|у|ом|й)?\b")  # fmt: skip
_MONTH_EN = (r"(january|february|march|april|may|june|july|august|september|october|november|december|"
             r"jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b\.?")  # fmt: skip
_DAY_MONTH = re.compile(
    rf"\b(?P<d>\d{{1,2}})(?:-?го|st|nd|rd|th)?(?:\s+of)?\s+(?:{_MONTH_RU}|{_MONTH_EN})", re.IGNORECASE
)
_MONTH_DAY = re.compile(
    rf"\b(?:{_MONTH_EN})\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\b(?!\s?%|[.,:]?\d)", re.IGNORECASE
)
_MONTH = re.compile(rf"\b(?:{_MONTH_RU}|(?-i:(?!may\b|march\b)){_MONTH_EN})", re.IGNORECASE)
_DOTTED = re.compile(r"\b(\d{1,2})[./](\d{1,2})[./]((?:19|20)\d\d|\d\d)\b")
_ISO = re.compile(r"\b((?:19|20)\d\d)-(\d\d)-(\d\d)\b")
_CLOCK = re.compile(
    r"\b([01]?\d|2[0-4]):([0-5]\d)\b|\b(\d{1,2})\s?(am|pm|a\.m\.|p\.m\.)|\b[cс]?\s?(\d{1,2}) (утра|вечера|дня|ночи)\b",
    re.IGNORECASE,
)
_YEAR = re.compile(
    r"(?<![\d.,$€£₽])\b((?:19|20)\d\d)\b(?!\s?(?:%|руб|₽|\$|дол|евро|жалоб|человек|клиент|покуп|тыс|млн|штук|units|people"
    r"|customers|dollars|euros|rubles))(?:\s?(?:год\w*|г\.?г?\.?))?",
    re.IGNORECASE,
)
_WEEKDAYS = {}
for _value, _stems in enumerate((
    "понедельник monday mondays", "вторник tuesday tuesdays", "сред wednesday wednesdays",
    "четверг thursday thursdays", "пятниц friday fridays", "суббот saturday saturdays",
    "воскресень sunday sundays",
)):  # fmt: skip
    for _stem in _stems.split():
        _WEEKDAYS[_stem] = str(_value)
_WEEKDAY = re.compile(
    r"\b(?:(понедельник|вторник|четверг)(?:а|у|ом|е|и|ам)?|(сред)(?:а|у|ой)(?=\b)(?!\s+разработ)|"
    r"(пятниц|суббот)(?:а|у|ы|е|ой|ам)|(воскресень)(?:е|я|ем|ю)|"
    r"(mondays?|tuesdays?|wednesdays?|thursdays?|fridays?|saturdays?|sundays?))\b",
    re.IGNORECASE,
)
_NEAR = re.compile(
    r"\b(сегодня|вчера|позавчера|завтра|послезавтра|today|yesterday|tomorrow|tonight|"
    r"(?:на\s+)?(?:прошл|следующ|будущ|эт)\w+\s+(?:недел|месяц|год|квартал)\w*|"
    r"(?:last|next|this)\s+(?:week|month|year|quarter))\b",
    re.IGNORECASE,
)
_DAYTIME = re.compile(
    r"\b(утр(?:ом|а)|дн[её]м|вечер(?:ом|а)|ночью|ночи|morning|afternoon|evening|night)\b", re.IGNORECASE
)
_DAYTIMES = {
    "утр": "1",
    "mor": "1",
    "дне": "2",
    "днё": "2",
    "aft": "2",
    "веч": "3",
    "eve": "3",
    "ноч": "4",
    "nig": "4",
}
_SEASON = re.compile(
    r"\b(зим(?:ой|ы|е|а|у)|весн(?:ой|ы|е|а|у)|лет(?:ом|о)|осен(?:ью|и|ь)|winter|spring|summer|autumn)\b",
    re.IGNORECASE,
)
_SEASONS = {"зим": "1", "win": "1", "вес": "2", "spr": "2", "лет": "3", "sum": "3", "осе": "4", "aut": "4"}
_QUARTER = re.compile(r"\bQ([1-4])\b|\b([1-4])(?:-?й|-?м|-?го)?\s?кв(?:артал\w*|\.)", re.IGNORECASE)

_OVER = re.compile(
    r"(?:более(?:\s+чем)?|больше(?:\s+чем)?|свыше|сверх|не\s+мен(?:ее|ьше)|как\s+минимум|минимум|from|от|more than|over|"
    r"above|at least|no less than|not less than|minimum of|выше|из более чем)\s*$",
    re.IGNORECASE,
)
_UNDER = re.compile(
    r"(?:менее(?:\s+чем)?|меньше(?:\s+чем)?|не\s+бол(?:ее|ьше)|максимум|до|up to|less than|under|below|at most|fewer than|"
    r"no more than|not more than|maximum of|ниже)\s*$",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"(?:около|примерно|почти|порядка|приблизительно|about|around|nearly|almost|roughly|some|~|≈)\s*$",
    re.IGNORECASE,
)
_FROM_TO = re.compile(
    r"\b(?:с|от|from)\s+[$€£₽]?(\d[\d.,]*)\s*\S{0,10}\s+(?:до|to)\s+[$€£₽]?(\d[\d.,]*)", re.IGNORECASE
)


def moments(sentence: str) -> tuple[frozenset[Moment], str]:
    """Dates and times of a sentence, and the sentence with them blanked out (its length is kept)."""
    found: set[Moment] = set()

    def month(match: re.Match[str]) -> str:
        name = next(part for part in match.groups() if part and not part.isdigit()).lower()
        return str(next(i for i, stems in enumerate(_MONTHS, 1) if name.startswith(tuple(stems.split()))
                        and not (i == 5 and name.startswith("мар"))))  # fmt: skip

    def take(pattern: re.Pattern[str], read: object) -> None:
        nonlocal sentence

        def one(match: re.Match[str]) -> str:
            found.update(read(match))  # type: ignore[operator]
            return " " * len(match.group())

        sentence = pattern.sub(one, sentence)

    take(_ISO, lambda m: [Moment("year", m[1]), Moment("day", f"{int(m[2])}-{int(m[3])}")])
    take(_DOTTED, lambda m: [Moment("year", m[3][-2:].rjust(4, "0").replace("00", "20", 1)),
                             Moment("day", f"{int(m[2])}-{int(m[1])}")])  # fmt: skip
    for pattern in (_DAY_MONTH, _MONTH_DAY):
        take(pattern, lambda m: [Moment("day", f"{month(m)}-{int(m['d'])}")])
    take(_CLOCK, lambda m: [Moment("clock", _clock(m))])
    take(_QUARTER, lambda m: [Moment("quarter", m[1] or m[2])])
    take(_MONTH, lambda m: [Moment("month", month(m))])
    take(_YEAR, lambda m: [Moment("year", m[1])])
    take(_WEEKDAY, lambda m: [Moment("weekday", _WEEKDAYS[next(filter(None, m.groups())).lower()])])
    take(_NEAR, lambda m: [Moment("near", _near(m[1].lower()))])
    take(_SEASON, lambda m: [Moment("season", _SEASONS[m[1].lower()[:3]])])
    take(_DAYTIME, lambda m: [Moment("daytime", _DAYTIMES[m[1].lower()[:3]])])
    return frozenset(found), sentence


def _clock(match: re.Match[str]) -> str:
    if match[1]:
        return f"{int(match[1])}:{match[2]}"
    hour, late = int(match[3] or match[5]), (match[4] or match[6]).lower()
    return f"{hour % 12 + 12 if late[0] in 'pвд' else hour}:00"


def _near(said: str) -> str:
    fixed = {"сегодня": "today", "вчера": "yesterday", "завтра": "tomorrow", "позавчера": "-2",
             "послезавтра": "+2", "tonight": "today"}  # fmt: skip
    if " " not in said:
        return fixed.get(said, said)
    which, what = said.removeprefix("на ").split()[-2:]
    side = (
        "last"
        if which.startswith(("прошл", "last"))
        else "this"
        if which.startswith(("эт", "this"))
        else "next"
    )
    period = next((e for r, e in (("недел", "week"), ("месяц", "month"), ("год", "year"), ("кварт", "quarter"))
                   if what.startswith((r, e))), what)  # fmt: skip
    return f"{side} {period}"


def quantities(sentence: str, *, russian: bool) -> tuple[Quantity, ...]:
    """Numbers of a sentence without its dates, in order.

    Args:
        russian: `1,250` is one and a quarter there, and twelve hundred and fifty in English.
    """
    found: list[tuple[int, Quantity]] = []
    ends: dict[str, str] = {}
    for change in _FROM_TO.finditer(sentence):
        ends |= {change[1].rstrip(".,"): "from", change[2].rstrip(".,"): "to"}

    def number(match: re.Match[str]) -> str:
        value = _parsed(match["digits"], russian=russian)
        if value is None:
            return " "
        scale = (match["scale"] or "").lower()
        size = next((v for k, v in _SCALE.items() if scale == k), 1.0) if scale else 1.0
        if scale and size == 1.0:
            size = next(v for k, v in _SCALE.items() if len(k) > 2 and scale.startswith(k[:4]))
        unit, factor, _ = _unit_after(sentence, match.end())
        front = (match["front"] or "").strip().lower()
        if front:
            unit, factor = _FRONT[front], 1.0
        value *= size * factor * (-1 if match["sign"] else 1)
        found.append((match.start(), Quantity(value, unit, _bound(sentence[: match.start()]), size > 1,
                                              ends.get(match["digits"], ""))))  # fmt: skip
        return " " * len(match.group())

    rest = _NUMBER.sub(number, sentence)
    for match in _ORDINAL_RU.finditer(rest):
        value = _ORDER.get(match[2].lower().replace("ё", "е"), _ORDER.get(match[2].lower()[:6], 0.0))
        found.append((match.start(), Quantity(value, "in" if match[1] else "ordinal")))
    found.extend((m.start(), Quantity(_ORDER[m[1].lower()], "ordinal")) for m in _ORDINAL_EN.finditer(rest))
    for match in re.finditer(r"[^\W\d_]+", rest):
        word = match.group().lower()
        before = rest[: match.start()]
        if word in _TIMES:
            found.append((match.start(), Quantity(float(_TIMES[word]), "times")))
        elif word in _HALF:
            found.append((match.start(), Quantity(100 * _HALF[word], "share", _bound(before))))
        elif word in _SMALL:
            unit, factor, said = _unit_after(rest, match.end())
            # "one" and «один» are pronouns as often as numbers: they count where a unit follows.
            if _SMALL[word] == 1 and not said and not before.lower().rstrip().endswith(" in"):
                continue
            if before.lower().rstrip().endswith("one in"):
                unit = "in"
            found.append((match.start(), Quantity(_SMALL[word] * factor, unit, _bound(before))))
    return tuple(quantity for _, quantity in sorted(found, key=lambda pair: pair[0]))


def _parsed(digits: str, *, russian: bool) -> float | None:
    digits = re.sub(r"[ \u00a0\u202f']", "", digits)
    points = re.findall(r"[.,]", digits)
    if len(points) > 1 and len(set(points)) == 1 and not re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", digits):
        # A version (2.3.1): told apart by all its parts.
        return float(sum(int(part) / 1000**i for i, part in enumerate(re.split("[.,]", digits))))
    if len(points) > 1 or (points == [","] and not russian and re.fullmatch(r"\d{1,3},\d{3}", digits)):
        last = max(digits.rfind("."), digits.rfind(","))
        grouped = len(set(points)) == 1
        digits = re.sub("[.,]", "", digits) if grouped else (
            re.sub("[.,]", "", digits[:last]) + "." + digits[last + 1 :]
        )  # fmt: skip
    try:
        return float(digits.replace(",", "."))
    except ValueError:
        return None


def _unit_after(sentence: str, at: int) -> tuple[str, float, bool]:
    for pattern, name, size in _UNIT:
        if pattern.match(sentence, at):
            return name, float(size), True
    return "count", 1.0, False


def _bound(before: str) -> Bound:
    before = before[-40:].rstrip("$€£₽ \u00a0") + " "
    denied = re.search(
        r"\b(?:не|no|not)\s+(бол\w+|мен\w+|more|less|fewer)(?:\s+(?:чем|than))?\s*$", before, re.IGNORECASE
    )
    if denied:
        return "under" if denied[1].lower().startswith(("бол", "more")) else "over"
    if _OVER.search(before):
        return "over"
    if _UNDER.search(before):
        return "under"
    return "about" if _ABOUT.search(before) else ""


def differing(
    first: Iterable[Quantity], second: Iterable[Quantity], *, close: bool
) -> tuple[str, Quantity, Quantity] | None:
    """The first pair of numbers that cannot both be true of one thing, and how: `number`, `unit`, `currency`.

    Args:
        close: The sentences are the same but for a few words, so numbers are of the same thing even where what they
            count is not told by a unit.
    """
    left, right = list(first), list(second)
    for one in list(left):
        twin = next((other for other in right if _same(one, other)), None)
        if twin is not None:
            left.remove(one)
            right.remove(twin)
    # «150 млн» may be the other's «150 млн долл.»: a unit left out is no other unit.
    for one in list(left):
        bare = next((o for o in right if o.value == one.value and "count" in (o.unit, one.unit)), None)
        if bare is not None:
            left.remove(one)
            right.remove(bare)
    for one in left:
        for other in right:
            if one.unit != other.unit:
                if close and one.value == other.value and one.unit != "ordinal" != other.unit:
                    money = one.unit in _FRONT.values() and other.unit != "count"
                    return ("currency" if money else "unit"), one, other
                continue
            # Far apart in size, in sentences worded apart, they are hardly of one thing (a budget, its part per head).
            sizes = sorted((abs(one.value), abs(other.value)))
            if not close and sizes[1] > 30 * sizes[0]:
                continue
            if one.unit not in ("count", "ordinal") or close:
                return "number", one, other
    if (
        close
        and left
        and right
        and left[0].unit != right[0].unit
        and "share" in (left[0].unit, right[0].unit)
    ):
        return "unit", left[0], right[0]
    return None


def _same(one: Quantity, other: Quantity) -> bool:
    if one.unit != other.unit or (one.role and other.role and one.role != other.role):
        return False
    bounds = {one.bound, other.bound}
    if bounds == {"over", "under"}:
        return False
    if one.value == other.value or abs(one.value - other.value) <= 1e-9 * abs(one.value):
        return True
    gap = abs(one.value - other.value) / max(abs(one.value), abs(other.value))
    if "about" in bounds:
        return gap <= 0.1
    if bounds == {"", "over"} or bounds == {"", "under"}:
        loose, said = (one, other) if one.bound else (other, one)
        above = said.value >= loose.value
        return gap <= 0.1 and above == (loose.bound == "over")
    # «2,5 млрд» is 2,48 млрд said shortly; 19% is not 20%.
    return one.scaled and other.scaled and gap <= 0.02
