"""What people do with trends: log a sign, make a trend, attach, edit its card, decide."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import urlsplit

from primeta.errors import BadInput, NotFound
from primeta.signals.note import Note
from primeta.signals.signal import MEASURED, ORIGINS, Direction, Origin, Signal
from primeta.sources.links import LONGEST as LONGEST_LINK
from primeta.store import trends as rows
from primeta.store.documents import save_documents
from primeta.trends.records import (
    ANSWERS,
    CARD_FIELDS,
    DECOMPOSITION,
    TREND_TYPES,
    Answer,
    Card,
    Decision,
    Event,
    Trend,
    TrendType,
)
from primeta.trends.stories import trend_id
from primeta.trends.weigh import guess
from primeta.workspace import note_files

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

LONGEST_TEXT = 20_000
LONGEST_LINE = 300


def log_signal(
    ws: Workspace,
    *,
    text: str,
    origin: Origin,
    by: str,
    now: datetime,
    subject: str = "",
    source: str = "",
    happened_at: date | None = None,
    url: str = "",
    trend: str | None = None,
    direction: Direction = "up",
    files: Sequence[note_files.Given] = (),
) -> Note:
    """Write down a sign that a person saw; the same words from the same day are one note.

    Args:
        files: (name, bytes) of photos and papers; they are kept, and the text of papers can be searched.
    Raises:
        BadInput: no text, an unknown origin, nobody who says it, a day in the future, a file that is not taken.
        NotFound: no such trend.
    """
    text, by = given_text("text", text), named_person(by)
    happened_at = happened_at or ws.day(now)
    if origin not in ORIGINS or origin in MEASURED:
        allowed = ", ".join(entry for entry in ORIGINS if entry not in MEASURED)
        raise BadInput(f"origin {origin!r}: expected one of {allowed} (metrics are watched, not logged)")
    if direction not in get_args(Direction):
        raise BadInput(f"direction {direction!r}: expected up or down")
    if happened_at > ws.day(now):
        raise BadInput(f"{happened_at:%Y-%m-%d} is in the future; name the day on which it was seen")
    target = ws.trend(trend) if trend else None
    values: dict[str, Any] = {
        "text": text,
        "origin": origin,
        "subject": _one_line(subject) or _headline(text),
        "source": _one_line(source) or by,
        "url": web_address(url),
        "direction": direction,
        "happened_at": happened_at,
        "by": by,
    }
    taken = note_files.checked(files)
    told = [*(str(value) for value in values.values()), *(file.digest for file, _ in taken)]
    digest = hashlib.sha256("\x1f".join(told).encode()).hexdigest()
    note = Note(id=f"n-{digest[:8]}", logged_at=now, files=tuple(file for file, _ in taken), **values)
    note_files.keep(ws, taken, now=now)
    papers = note_files.documents(ws, note, taken)
    with ws.database.write() as connection:
        if note.id not in {row["id"] for row in rows.load_notes(connection)}:
            rows.add_note(connection, dataclasses.asdict(note))
            save_documents(connection, papers, stories={})
            rows.add_audit(connection, who=by, verb="log", what={"note": note.id}, at=now)
        if target is not None:
            _attach(connection, target.id, note.id, by=by, now=now, what=note.subject)
    if target is not None:
        ws.refresh(target.id, now=now)
    return note


def new_trend(
    ws: Workspace,
    *,
    name: str,
    by: str,
    now: datetime,
    signals: Sequence[str] = (),
    type: TrendType = "behavioural",
) -> Trend:
    """A trend with a card; its sources and metrics are filled from the signals."""
    name, by = given_text("name", name), named_person(by)
    if type not in TREND_TYPES:
        raise BadInput(f"type {type!r}: expected one of {', '.join(TREND_TYPES)}")
    known = [ws.sign(signal) for signal in signals]
    identity = trend_id(f"{name}\x1f{now.isoformat()}\x1f{by}")
    card = Card(name=name, type=type, owner=by, metrics=_metrics_of(known))
    from primeta.trends.evidence import gather

    with ws.database.write() as connection:
        rows.add_trend(connection, identity, card, gather((), (), today=ws.day(now)), by=by, at=now)
        rows.add_events(connection, identity, [Event(at=now, who=by, kind="new", what={"name": name})])
        for sign in known:
            _attach(connection, identity, sign.id, by=by, now=now, what=_subject(sign))
        rows.add_audit(connection, who=by, verb="trend new", what={"trend": identity, "name": name}, at=now)
    ws.refresh(identity, now=now)
    return ws.trend(identity)


def attach(ws: Workspace, trend: str, signal: str, *, by: str, now: datetime, refuse: bool = False) -> Trend:
    """Attach a signal or note to a trend; `refuse` takes it out and remembers the refusal.

    A side of a topic brings the topic's other sides with it, but for those that were refused here. A draft of Primeta's
    own that nobody has touched gives up what is attached elsewhere: one story waits for one decision.
    """
    by = named_person(by)
    target, sign = ws.trend(trend), ws.sign(signal)
    if refuse:
        return _refuse(ws, target, sign, by=by, now=now)
    with ws.database.read() as connection:
        refused = {
            entry.signal_id
            for entry in rows.load_memberships(connection, target.id)
            if entry.state == "refused"
        }
    joining = [entry for entry in _sides(ws, sign) if entry.id == sign.id or entry.id not in refused]
    joining = [entry for entry in joining if entry.id not in target.signals]
    if not joining:
        return target
    given_up = {
        other.id: [entry for entry in joining if entry.id in other.signals]
        for other in ws.trends()
        if other.id != target.id and untouched(other)
    }
    with ws.database.write() as connection:
        for entry in joining:
            _attach(connection, target.id, entry.id, by=by, now=now, what=_subject(entry))
            what = {"trend": target.id, "signal": entry.id, "state": "attached"}
            rows.add_audit(connection, who=by, verb="trend attach", what=what, at=now)
        for other, moved in given_up.items():
            for entry in moved:
                rows.add_membership(
                    connection,
                    rows.Membership(trend_id=other, signal_id=entry.id, state="moved", by=by, at=now),
                )
    for other, moved in given_up.items():
        if moved:
            with ws.database.read() as connection:
                emptied = not rows.load_trends(connection, other)[0].signals
            if not emptied:
                ws.refresh(other, now=now)
    ws.refresh(target.id, now=now)
    return ws.trend(target.id)


def _refuse(ws: Workspace, target: Trend, sign: Signal | Note, *, by: str, now: datetime) -> Trend:
    with ws.database.write() as connection:
        _attach(connection, target.id, sign.id, by=by, now=now, what=_subject(sign), state="refused")
        what = {"trend": target.id, "signal": sign.id, "state": "refused"}
        rows.add_audit(connection, who=by, verb="trend attach", what=what, at=now)
    ws.refresh(target.id, now=now)
    return ws.trend(target.id)


def _sides(ws: Workspace, sign: Signal | Note) -> tuple[Signal | Note, ...]:
    """A topic's signals, the given one first; of anything else, itself."""
    if isinstance(sign, Note) or not sign.topic:
        return (sign,)
    return (sign, *(entry for entry in ws.signals() if entry.topic == sign.topic and entry.id != sign.id))


def untouched(trend: Trend) -> bool:
    """Whether a trend is a draft of Primeta's own that no person has edited, decided or added to."""
    return (
        bool(trend.history)
        and trend.version == 1
        and trend.decision is None
        and all(event.who == "primeta" for event in trend.history)
    )


def edit_card(
    ws: Workspace,
    trend: str,
    *,
    changes: Mapping[str, Any],
    by: str,
    now: datetime,
    version: int | None = None,
) -> Trend:
    """Change fields of a card, its decomposition, or put in a guess (`adoption`, `cost`, `effect`,
    `compliance`).

    Args:
        changes: Field → new value as a person writes it: text, an ISO date for `review`, metrics
            separated by commas, guesses as `.2:.35:.5`.
        version: The version that the person was looking at; without it, the newest.
    Raises:
        BadInput: an unknown field or an impossible value; nothing is saved.
        Conflict: somebody saved a newer version meanwhile.
    """
    by = named_person(by)
    target = ws.trend(trend)
    card, guesses, changed = target.card, [], []
    for name, value in changes.items():
        if name in ("adoption", "cost", "effect", "compliance"):
            guesses.append(guess(name, str(value), by=by, now=now))
        elif name in DECOMPOSITION:
            card = dataclasses.replace(card, decomposition={**card.decomposition, name: str(value).strip()})
        elif name in CARD_FIELDS or name == "type":
            card = dataclasses.replace(card, **{name: _field(name, value)})
        else:
            allowed = ", ".join(
                (*CARD_FIELDS, "type", *DECOMPOSITION, "adoption", "cost", "effect", "compliance")
            )
            raise BadInput(f"{name!r} is no field of a card; expected one of {allowed}")
        changed.append(name)
    if not changed:
        raise BadInput("nothing to change was given; name a field and its new value")
    with ws.database.write() as connection:
        if card != target.card:
            base = target.version if version is None else version
            rows.add_card(connection, target.id, card, version=base, by=by, at=now)
        for given in guesses:
            rows.add_input(connection, target.id, given, at=now)
        rows.add_events(connection, target.id, [Event(at=now, who=by, kind="card", what={"fields": changed})])
        what = {"trend": target.id, "changes": {key: str(value) for key, value in changes.items()}}
        rows.add_audit(connection, who=by, verb="trend edit", what=what, at=now)
    ws.refresh(target.id, now=now)
    return ws.trend(target.id)


def decide(
    ws: Workspace,
    trend: str,
    *,
    answer: Answer,
    criteria: str,
    due: date,
    owner: str,
    by: str,
    now: datetime,
    reason: str = "",
) -> Decision:
    """Answer a trend. Append-only: a later decision supersedes, the earlier ones stay readable.

    Raises:
        BadInput: an unknown answer, no criteria, no owner.
        NotFound: no such trend.
    """
    if answer not in ANSWERS:
        raise BadInput(f"answer {answer!r}: expected one of {', '.join(ANSWERS)}")
    target = ws.trend(trend)
    decision = Decision(
        trend=target.id,
        answer=answer,
        criteria=given_text("criteria", criteria),
        due=due,
        owner=given_text("owner", owner),
        decided_by=named_person(by),
        decided_at=now,
        reason=reason.strip(),
    )
    what = {"answer": answer, "criteria": decision.criteria, "due": due.isoformat(), "owner": decision.owner}
    with ws.database.write() as connection:
        rows.add_decision(connection, decision)
        rows.add_events(
            connection, target.id, [Event(at=now, who=decision.decided_by, kind="decision", what=what)]
        )
        rows.add_audit(
            connection, who=decision.decided_by, verb="decide", what={"trend": target.id, **what}, at=now
        )
    return decision


def names_a_number(criteria: str) -> bool:
    """Criteria without a number cannot be judged on the day: pages and the terminal say so."""
    return any(character.isdigit() for character in criteria)


def _attach(
    connection: Any, trend: str, signal: str, *, by: str, now: datetime, what: str, state: str = "attached"
) -> None:
    rows.add_membership(
        connection, rows.Membership(trend_id=trend, signal_id=signal, state=state, by=by, at=now)
    )
    told = {"signal": signal, "state": state, "what": what}
    rows.add_events(connection, trend, [Event(at=now, who=by, kind="signal", what=told)])


def _field(name: str, value: Any) -> Any:
    if name == "review":
        return value if isinstance(value, date) or value is None else _day(str(value))
    if name == "metrics":
        parts = value.split(",") if isinstance(value, str) else value
        return tuple(part.strip() for part in parts if part.strip())
    if name == "type" and value not in TREND_TYPES:
        raise BadInput(f"type {value!r}: expected one of {', '.join(TREND_TYPES)}")
    if name == "name":
        return given_text("name", str(value))
    if len(str(value)) > LONGEST_TEXT:
        raise BadInput(
            f"{name} is longer than {LONGEST_TEXT} characters; keep the card short and link the rest"
        )
    return str(value).strip()


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise BadInput(f"{text!r} is no day; expected one such as 2026-12-31") from None


def given_text(name: str, text: str) -> str:
    """What a person wrote, without the space around it; refused where it is empty or endless."""
    text = text.strip()
    if not text:
        raise BadInput(f"{name} is empty; write at least a few words")
    if "\0" in text:
        raise BadInput(f"{name} holds a NUL character, which no database keeps; take it out")
    if len(text) > LONGEST_TEXT:
        raise BadInput(f"{name} is longer than {LONGEST_TEXT} characters")
    return text


def named_person(by: str) -> str:
    """Who acts: nothing is written by nobody."""
    if not by.strip():
        raise BadInput("nobody is named; say who you are with --by")
    name = _one_line(by)
    if not name:
        raise BadInput("a name of letters was expected with --by")
    return name


def web_address(url: str) -> str:
    """Where something was seen, as it stands behind a link; empty where nothing is given.

    Raises:
        BadInput: it is no address of the web: who follows a link must land on a page and run nothing.
    """
    url = url.strip()
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        web = parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:
        web = False
    if (
        not web
        or len(url) > LONGEST_LINK
        or any(letter.isspace() or not letter.isprintable() for letter in url)
    ):
        shown = url if len(url) <= 80 else url[:79] + "…"
        raise BadInput(f"url {shown!r}: an address that begins with http:// or https:// was expected")
    return url


def _one_line(text: str) -> str:
    """A name or a heading: no line breaks, none of the signs that cannot be seen, no longer than a heading."""
    seen = "".join(
        " " if letter.isspace() else letter for letter in text if letter.isspace() or letter >= " "
    )
    line = " ".join(seen.replace("\x7f", "").split())
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1].rstrip() + "…"


def _headline(text: str) -> str:
    line = text.strip().splitlines()[0]
    return line if len(line) <= 80 else line[:79].rstrip() + "…"


def _subject(sign: Any) -> str:
    if isinstance(sign, Note):
        return sign.subject
    return sign.words or f"{sign.frozen.about} · {sign.frozen.slice}"


def _metrics_of(signs: Sequence[Any]) -> tuple[str, ...]:
    return tuple(
        sorted({sign.frozen.about for sign in signs if not isinstance(sign, Note) and not sign.topic})
    )


def find(trends: Sequence[Trend], wanted: str) -> Trend:
    """A trend by its id, its whole name, or the only name that begins so.

    Raises:
        NotFound: none or several; the message lists them.
    """
    by_id = [trend for trend in trends if trend.id == wanted]
    folded = wanted.casefold().strip()
    by_name = by_id or [trend for trend in trends if trend.card.name.casefold() == folded]
    matching = by_name or [
        trend for trend in trends if folded and trend.card.name.casefold().startswith(folded)
    ]
    if len(matching) == 1:
        return matching[0]
    listed = "; ".join(f"{trend.id} ({trend.card.name})" for trend in (matching or trends)[:8])
    if not trends:
        raise NotFound(
            f"no trend {wanted!r}: this workspace has none yet; run `primeta watch` or `primeta trend new`"
        )
    kind = "several trends match" if matching else "no trend"
    raise NotFound(f"{kind} {wanted!r}; expected one of: {listed}")
