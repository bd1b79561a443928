"""What differs on a page at every load and is no change: ages, counters, clocks, tokens, today's date.

A rule takes out only what it knows. A number that stands with no counter's word (a price, a percent, a term of a
programme) always counts.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta
from functools import lru_cache

LONGEST = 2_000
"""Characters of a line in which counters are looked for; a longer one is an article in one paragraph."""

_UNIT_RU = r"(?:сек(?:унд\w*)?|мин(?:ут\w*)?|час\w*|ч|дн\w*|день|недел\w*|месяц\w*|мес|лет|год\w*)"
_UNIT_EN = r"(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?|months?|years?)"
_N = r"\d[\d .,]*\s?(?:k|к|m|млн|тыс\.?)?"

_MASKED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # How long ago.
        rf"(?:около\s|about\s)?(?:\d+|an?)\s?{_UNIT_RU}\.?\s(?:тому\s)?назад",
        rf"(?:about\s)?(?:\d+|an?)\s?{_UNIT_EN}\sago",
        r"\b(?:только что|just now|moments ago)\b",
        # How long still, and clocks with seconds, which run.
        rf"\b(?:осталось|до (?:конца|завершения|окончания)(?: акции)?|ends? in|left|remaining)\b\D{{0,12}}(?:\d+\s?(?:{_UNIT_RU}|{_UNIT_EN})\b[.,:\s]{{0,3}}){{1,4}}",
        rf"(?:\d+\s?{_UNIT_EN}\b[\s,:]{{0,3}}){{1,4}}\s?(?:left|remaining)\b",
        r"\b\d{1,3}:\d{2}:\d{2}\b",
        # Who looks, who bought, what is left.
        rf"{_N}\s?(?:человек\w*|покупател\w*|пользовател\w*|клиент\w*|people|persons?|users?|shoppers?|customers?|visitors?)\b(?=.{{0,40}}(?:смотр|просм|куп|заказ|добав|сейчас|онлайн|watch|view|look|bought|order|online|right now|cart))",
        rf"(?:сейчас|смотр\w+|просматрива\w+|купил\w*|заказал\w*|watching|viewing|viewed by|bought by)\D{{0,20}}{_N}(?:\s?(?:человек\w*|раз\w*|people|times?))?",
        rf"{_N}\s?(?:просмотр\w*|views?|лайк\w*|likes?|отзыв\w*|reviews?|оцен\w*|ratings?|комментари\w*|comments?|вопрос\w*|подписчик\w*|followers?|subscribers?|онлайн|online|sold|shares?|репост\w*)\b",
        rf"\b(?:просмотр\w*|views?|отзыв\w*|reviews?|комментари\w*|comments?|лайк\w*|likes?|рейтинг|rating|продано|купили|sold|в наличии|in stock|онлайн|online|остал[а-я]{{1,3}}|only)\b[:\s(]{{1,3}}(?:всего\s|более\s|just\s)?{_N}(?:\s?(?:шт\w*|раз\w*|left|pcs|items?)\b)?",
        r"\b\d+\s?(?:шт\.?|pcs|items?)?\s?left\b",
        # Marks for machines.
        r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
        r"\b(?=[\w+/=-]{20,})(?=[\w+/=-]*\d)(?=[\w+/=-]*[a-z])[\w+/=-]{20,}",
        r"\b(?:[0-9a-f]{16,}|\d{14,})\b",
        # The year of the copyright.
        r"(?:©|\(c\)|copyright)\s?(?:\d{4}\s?[–—-]\s?)?\d{4}",
        r"\d{4}\s?[–—-]\s?\d{4}(?=\s?©)",
    )
)  # fmt: skip
_STAMP = re.compile(
    r"обновл|изменен[оа]?\b|по состоянию|данные на|актуально на|сгенерирован|updated|modified|as of|generated|last checked|"
    r"^(?:сегодня|сейчас|today|now)\b",
    re.IGNORECASE,
)
_MONTH = (
    r"(?:янв|фев|мар|апр|мая|май|июн|июл|авг|сен|окт|ноя|дек|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"[^\W\d]{0,7}\.?"
)
_WHEN = re.compile(
    rf"\d{{4}}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?\S{{0,6}})?|\d{{1,2}}[./]\d{{1,2}}[./]\d{{2,4}}|\d{{1,2}}\s{_MONTH}(?:\s\d{{4}})?"
    rf"|{_MONTH}\s\d{{1,2}}(?:,?\s\d{{4}})?|\b\d{{1,2}}:\d\d(?::\d\d)?\b",
    re.IGNORECASE,
)
_CHECK = re.compile(
    r"captcha|капч|are (?:you|not) (?:a )?(?:human|robot)|you are (?:not a robot|human)|не робот|checking your browser|"
    r"verify(?:ing)? (?:that )?you|access denied|доступ (?:к \w+ )?(?:ограничен|запрещ)|attention required|"
    r"enable javascript and cookies|just a moment|ddos|unusual traffic|подозрительн\w+ (?:активност|трафик)",
    re.IGNORECASE,
)
_RATING = re.compile(
    r"[★☆⭐\s]*[0-5][.,]\d{1,2}\s?(?:из 5|/\s?5|of 5|out of 5)?[★☆⭐\s]*(?:\(?[#\d\s]*\)?)?", re.IGNORECASE
)
_SAYS = re.compile(r"[^\W\d_]|%|[₽$€£¥₸₴¤]")
_LOOK = str.maketrans({"«": '"', "»": '"', "“": '"', "”": '"', "„": '"', "’": "'", "–": "-", "—": "-", "−": "-", "ё": "е", "Ё": "Е"})  # fmt: skip
_GENITIVE = ("января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября",
             "декабря")  # fmt: skip
_ENGLISH = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
            "december")  # fmt: skip


@lru_cache(maxsize=50_000)
def steady(line: str) -> str:
    """What of a line stays from load to load, in one spelling: lines are compared by it. Empty: nothing of it does."""
    plain = " ".join(unicodedata.normalize("NFKC", line).translate(_LOOK).split())
    if _RATING.fullmatch(plain):
        return ""
    for pattern in _MASKED if len(plain) <= LONGEST else ():
        plain = pattern.sub("#", plain)
    if _STAMP.search(plain):
        plain = _WHEN.sub("#", plain)
    clocks = re.findall(r"\b\d{1,2}:\d\d\b", plain)
    if len(clocks) == 1 and len(plain) <= 25 and len(re.findall(r"\d+", plain)) == 2:
        plain = plain.replace(clocks[0], "#")
    plain = plain.casefold().strip(" #.,:;|/•·-")
    return plain if _SAYS.search(plain) else ""


def asks_if_human(title: str, text: str) -> bool:
    """Whether a site shows a check instead of its page: short, and in the words of such checks."""
    return len(text) <= 1_500 and bool(_CHECK.search(f"{title}\n{text}"))


def without_dates(line: str) -> str:
    """`steady` of it, each date and each time of day as one sign."""
    return _WHEN.sub("@", steady(line))


def names_today(line: str, now: datetime) -> bool:
    """Whether the line holds the date of the day on which the page was fetched, or of the day before or after."""
    low = line.casefold()
    for shift in (-1, 0, 1):
        day = now + timedelta(days=shift)
        russian, english = _GENITIVE[day.month - 1], _ENGLISH[day.month - 1]
        written = (
            f"{day:%d.%m.%Y}", f"{day:%d.%m.%y}", f"{day:%Y-%m-%d}", f"{day:%d/%m/%Y}", f"{day:%m/%d/%Y}",
            f"{day.day} {russian}", f"{day.day} {english}", f"{english} {day.day}", f"{day.day} {english[:3]}",
            f"{english[:3]} {day.day}", f"{day.day} {russian[:3]}",
        )  # fmt: skip
        if any(re.search(rf"(?<!\d){re.escape(each)}(?!\d)", low) for each in written):
            return True
    return False
