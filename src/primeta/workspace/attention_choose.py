"""Several messages want one slot of one customer: which goes, and why each of the others does not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from primeta.attention.answer_words import WORDS as RULES
from primeta.attention.answer_words import reason
from primeta.attention.priority import Place, Wanting
from primeta.attention.priority_words import WORDS
from primeta.attention.records import Question
from primeta.errors import BadInput, NotFound
from primeta.show import locale
from primeta.show.result import Head, Table

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

KEYS = (
    "message_id", "channel", "purpose", "campaign", "programme", "personal", "personalised", "value", "deadline",
)  # fmt: skip
YES, NO = ("true", "yes", "1"), ("false", "no", "0", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What became of each, in the order given."""

    places: tuple[Place, ...]
    zone: ZoneInfo

    @property
    def chosen(self) -> str:
        """message_id of the one that goes; empty: none may be sent."""
        return next((one.wanting.question.message_id for one in self.places if one.why == "chosen"), "")

    @property
    def any(self) -> bool:
        """Whether one goes."""
        return any(one.why == "chosen" for one in self.places)

    def line(self, lang: str) -> str:
        if not self.any:
            return WORDS["line.none"][lang]
        others = len(self.places) - 1
        code = "line" if others else "line.one"
        return WORDS[code][lang].format(message=self.chosen, others=locale.number(others, lang))

    def table(self, lang: str) -> Table:
        heads = ("message", "channel", "purpose-head", "why", "earliest")
        rows = []
        for place in self.places:
            question, answer = place.wanting.question, place.answer
            rule = RULES[f"rule.{answer.rule}"][lang] if place.why == "refused" else ""
            earliest = (
                "" if answer.earliest is None or answer.allowed else answer.earliest.astimezone(self.zone)
            )
            rows.append(
                (
                    question.message_id,
                    question.channel,
                    question.purpose,
                    WORDS[place.why][lang].format(rule=rule),
                    f"{earliest:%Y-%m-%d %H:%M}" if earliest else "",
                )
            )
        return Table(heads=tuple(Head(WORDS[name][lang]) for name in heads), rows=tuple(rows))

    def as_dict(self, lang: str = "en") -> dict[str, Any]:
        return {
            "chosen": self.chosen if self.any else None,
            "candidates": [
                {
                    "message_id": place.wanting.question.message_id,
                    "why": place.why,
                    "behind": place.behind or None,
                    "allowed": place.answer.allowed,
                    "rule": place.answer.rule,
                    "reason": reason(place.answer, lang),
                    "earliest": place.answer.earliest,
                }
                for place in self.places
            ],
        }


def choose_message(
    ws: Workspace,
    customer: str,
    candidates: Iterable[Mapping[str, Any]],
    *,
    at: datetime,
    now: datetime,
) -> Choice:
    """Which of several messages to one customer goes now.

    Args:
        candidates: Each with `message_id`, `channel`, `purpose`, and `campaign`, `programme`, `personal`,
            `personalised`, `value` (money), `deadline` where they are known.
    Raises:
        BadInput: a candidate lacks its id, has a key that is not known, or there are two of one id.
    """
    wanting = wanting_from(candidates, customer=customer, at=at, zone=ws.config.zone)
    desk = ws.desk(now=now)
    try:
        return Choice(places=desk.choose(wanting, now=now), zone=ws.config.zone)
    finally:
        desk.close()


def wanting_from(
    candidates: Iterable[Mapping[str, Any]], *, customer: str, at: datetime, zone: ZoneInfo
) -> tuple[Wanting, ...]:
    """Candidates as people and files write them."""
    found = tuple(
        _wanting(told, place, customer=customer, at=at, zone=zone)
        for place, told in enumerate(candidates, start=1)
    )
    if not found:
        raise BadInput("nothing to choose from: at least one candidate was expected")
    ids = [one.question.message_id for one in found]
    if twice := next((one for one in ids if ids.count(one) > 1), None):
        raise BadInput(f"two candidates have the message_id {twice!r}; each needs its own")
    return found


def read_candidates(path: Path) -> list[Mapping[str, Any]]:
    """A file of JSON lines, one candidate each.

    Raises:
        NotFound, BadInput: there is no such file, or a line is no JSON object.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}") from None
    except (UnicodeDecodeError, OSError) as error:
        raise BadInput(f"{path}: {error}") from None
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            told = json.loads(line)
        except ValueError as error:
            raise BadInput(f"{path}, line {number}: no JSON ({error})") from None
        if not isinstance(told, dict):
            raise BadInput(f"{path}, line {number}: an object such as {EXAMPLE} was expected")
        found.append(told)
    return found


EXAMPLE = '{"message_id": "m1", "channel": "push", "purpose": "offer", "value": 12}'


def candidate_from(text: str) -> Mapping[str, Any]:
    """`message_id=m1,channel=push,purpose=offer,value=12`."""
    told: dict[str, Any] = {}
    for pair in text.split(","):
        key, sign, value = pair.partition("=")
        if not sign:
            raise BadInput(
                f"--candidate: message_id=m1,channel=push,purpose=offer was expected, {text!r} was given"
            )
        told[key.strip()] = value.strip()
    return told


def _wanting(told: Mapping[str, Any], place: int, *, customer: str, at: datetime, zone: ZoneInfo) -> Wanting:
    where = f"candidate {place}"
    if unknown := [key for key in told if key not in KEYS]:
        raise BadInput(f"{where}: {unknown[0]!r} is not known; expected some of {', '.join(KEYS)}")
    text = {key: str(told.get(key) or "").strip() for key in ("message_id", "channel", "purpose")}
    if not text["message_id"]:
        raise BadInput(f"{where}: it needs a message_id, by which it is named in the answer")
    return Wanting(
        question=Question(
            customer_id=customer,
            channel=text["channel"].lower(),
            purpose=text["purpose"].lower(),  # type: ignore[arg-type]
            at=at,
            campaign=str(told.get("campaign") or ""),
            programme=str(told.get("programme") or ""),
            message_id=text["message_id"],
            personal=_flag(told, "personal", where),
            personalised=_flag(told, "personalised", where),
        ),
        value=_money(told.get("value"), where),
        deadline=_deadline(told.get("deadline"), where, zone),
    )


def _flag(told: Mapping[str, Any], key: str, where: str) -> bool:
    value = told.get(key, False)
    if isinstance(value, bool) or value is None:
        return bool(value)
    said = str(value).strip().lower()
    if said not in (*YES, *NO):
        raise BadInput(f"{where}: {key} is true or false, {value!r} was given")
    return said in YES


def _money(value: Any, where: str) -> float:
    if value is None or value == "":
        return float("nan")
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = float("nan")
    if isinstance(value, bool) or not abs(found) < 1e15:
        raise BadInput(f"{where}: value is a sum of money, {value!r} was given")
    return found


def _deadline(value: Any, where: str, zone: ZoneInfo) -> datetime | None:
    if value is None or value == "":
        return None
    try:
        moment = datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise BadInput(f"{where}: deadline is a time such as 2026-11-26T18:00, {value!r} was given") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def all_candidates(texts: Sequence[str], file: Path | None) -> list[Mapping[str, Any]]:
    """Those of the command line, then those of the file."""
    found = [candidate_from(text) for text in texts]
    return found + (read_candidates(file) if file is not None else [])
