"""Which column of a table holds what: as the source says, else by the names that people give such columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from primeta.sources.records import Trouble

CANONICAL = frozenset(
    {"text", "title", "said_at", "customer_id", "score", "language", "url", "id", "author", "owner"}
)
"""Names in `columns` that have a place in a document; any other is an attribute."""
_SAME = {"published_at": "said_at", "voice_id": "id"}

_USUAL: Mapping[str, tuple[str, ...]] = {
    "text": (
        "text", "comment", "comments", "review", "review text", "body", "message", "feedback", "answer", "verbatim",
        "description", "content", "response", "comment text", "ticket text", "question", "текст", "текст отзыва", "отзыв",
        "комментарий", "комментарии", "текст обращения", "обращение", "сообщение", "текст сообщения", "ответ", "описание",
        "вопрос", "отзыв клиента", "комментарий клиента", "суть обращения", "что понравилось", "достоинства",
        "текст комментария", "жалоба", "содержание",
    ),
    "said_at": (
        "said at", "published at", "date", "created", "created at", "created date", "time", "timestamp", "datetime",
        "submitted", "submitted at", "review date", "response date", "date submitted", "дата", "дата отзыва",
        "дата обращения", "дата создания", "дата и время", "время", "дата ответа", "дата публикации", "создано", "создан",
        "когда", "дата сообщения", "отметка времени", "дата комментария",
    ),
    "customer_id": (
        "customer id", "customer", "client id", "user id", "client", "userid", "clientid", "customerid", "household id",
        "id клиента", "клиент", "код клиента", "номер клиента", "id пользователя", "ид клиента", "покупатель",
        "идентификатор клиента", "номер карты",
    ),
    "score": (
        "score", "rating", "stars", "nps", "nps score", "csat", "grade", "mark", "оценка", "рейтинг", "балл", "звезды",
        "оценка клиента", "баллы", "оценка nps", "количество звезд", "оценка покупателя",
    ),
    "id": (
        "id", "voice id", "review id", "ticket id", "response id", "ticket", "number", "ticket number", "no", "номер",
        "номер обращения", "id отзыва", "id обращения", "№", "номер заявки", "номер тикета", "код отзыва", "uuid",
    ),
    "language": ("language", "lang", "locale", "язык"),
    "url": ("url", "link", "review url", "address", "ссылка", "адрес страницы"),
    "author": ("author", "name", "user", "reviewer", "from", "автор", "имя", "пользователь", "имя клиента", "ник"),
    "title": ("title", "subject", "headline", "тема", "заголовок", "тема обращения"),
}  # fmt: skip
"""In the order of preference; compared without case, ё, `_` and signs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoColumns:
    """What is wanted and was not found."""

    wanted: tuple[str, ...]
    found: tuple[str, ...]

    def trouble(self) -> Trouble:
        return Trouble(
            code="no-columns",
            values={"reason": "reading", "wanted": list(self.wanted), "found": list(self.found)},
            permanent=True,
        )


def columns_of(
    names: Sequence[str], sample: Sequence[Sequence[Any]], *, wanted: Mapping[str, str]
) -> dict[str, str] | NoColumns:
    """Canonical name (or attribute) → column of the file.

    What the source names is taken; what it does not name is guessed by the usual names, the text also by what is in
    the columns, where exactly one reads like sentences.
    """
    spelled = {_plain(name): name for name in reversed(names)}
    columns: dict[str, str] = {}
    missing: list[str] = []
    for ours, theirs in wanted.items():
        found = theirs if theirs in names else spelled.get(_plain(theirs))
        if found is None:
            missing.append(theirs)
        else:
            columns[_SAME.get(ours, ours)] = found
    if missing:
        return NoColumns(wanted=tuple(missing), found=tuple(names))
    taken = set(columns.values())
    for ours, usual in _USUAL.items():
        if ours in columns:
            continue
        named = (spelled[name] for name in map(_plain, usual) if name in spelled)
        found = next(
            (name for name in named if name not in taken and _may_be(ours, name, names, sample)), None
        )
        if found is not None:
            columns[ours] = found
            taken.add(found)
    if "text" not in columns:
        talking = [
            name for at, name in enumerate(names) if name not in taken and _talks([row[at] for row in sample])
        ]
        if len(talking) != 1:
            return NoColumns(wanted=("text",), found=tuple(names))
        columns["text"] = talking[0]
    return columns


def _may_be(ours: str, name: str, names: Sequence[str], sample: Sequence[Sequence[Any]]) -> bool:
    """Whether the values do not speak against the name: a text is no number, an id is not one for all."""
    values = [
        str(row[names.index(name)]).strip() for row in sample if row[names.index(name)] not in (None, "")
    ]
    if not values:
        return ours != "id"
    if ours == "text":
        return sum(any(letter.isalpha() for letter in value) for value in values) * 2 >= len(values)
    if ours == "score":
        return sum(bool(re.match(r"\s*[-−]?\d|[★⭐]", value)) for value in values) * 2 >= len(values)
    if ours == "said_at":
        return sum(any(letter.isdigit() for letter in value) for value in values) * 2 >= len(values)
    if ours == "id":
        return len(set(values)) == len(values)
    return True


def _talks(values: Sequence[Any]) -> bool:
    """Whether a column reads like what people write: several words in most of what is filled, and rarely the same."""
    written = [str(value).strip() for value in values if value not in (None, "")]
    if not written:
        return False
    words = sorted(len(value.split()) for value in written)
    return words[len(words) // 2] >= 4 and len(set(written)) >= 0.5 * len(written)


def _plain(name: str) -> str:
    split = re.sub(r"(?<=[a-zа-я])(?=[A-ZА-Я])", " ", name)
    return " ".join(re.sub(r"[^\w№]+|_", " ", split.casefold().replace("ё", "е")).split())
