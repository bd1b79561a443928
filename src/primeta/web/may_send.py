"""The one hot question over HTTP: a plain ASGI route with msgspec beside the ordinary API.

POST /api/v1/attention/may-send   one question, or {"questions": […]} for many
POST /api/v1/attention/reserve    hold a place under the caps · /confirm: it was sent · /release: it will not be

Requests are JSON and nothing else, to a host that is ours, from no other origin: as with the API beside it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from primeta.attention.answer_words import document
from primeta.attention.decide import CLOCK_MAY_DIFFER
from primeta.attention.policy import DEFAULTS
from primeta.attention.priority import Wanting
from primeta.attention.quick import Verdict
from primeta.attention.records import PURPOSES, Answer, Policy, Question
from primeta.attention.reserve import HELD_FOR
from primeta.config import FILE_NAME
from primeta.errors import BadConfig, BadInput, BadTable, Conflict, PrimetaError, Unavailable
from primeta.web.security import HEADERS, LOOPBACK, host_name
from primeta.workspace import Workspace
from primeta.workspace.may_send import Desk, without_answer

PREFIX = "/api/v1/attention/"
VERBS = ("may-send", "reserve", "confirm", "release")
MOST_BYTES = 32 << 20
MOST_QUESTIONS = 50_000
MOST_PAST = 500
"""Questions about an earlier moment in one request: each reads the ledger."""
READ_AGAIN_S = 0.5
"""After so long it is looked whether policy or promises have changed."""
_HEADERS = [
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    *((name.lower().encode(), value.encode()) for name, value in HEADERS.items()),
]
_encode = msgspec.json.Encoder(enc_hook=str).encode


class Asked(msgspec.Struct):
    """One question as it is sent."""

    customer: str
    channel: str = ""
    purpose: str = ""
    at: datetime | None = None
    campaign: str = ""
    programme: str = ""
    message_id: str = ""
    personal: bool = False
    personalised: bool = False
    zone: str = ""
    explain: bool | None = None
    """With flips; by default of a single question yes, of many no."""
    language: str = ""
    sent_at: datetime | None = None
    """Of `confirm`; default: now."""
    hold_seconds: float | None = None
    """Of `reserve`; default 15 minutes."""
    value: float | None = None
    """Money that the message is expected to bring; of `choose`."""
    deadline: datetime | None = None
    """After which it is of no use; of `choose`."""


class AskedMany(msgspec.Struct):
    """Many questions."""

    questions: list[Asked]
    language: str = ""
    choose: bool = False
    """They want one slot: which of them goes?"""


_one = msgspec.json.Decoder(Asked).decode
_many = msgspec.json.Decoder(AskedMany).decode


SUMMARIES = {
    "may-send": "May we send this? One question or many, answered beside the ordinary API",
    "reserve": "Hold a place under the caps for a message that is about to be sent",
    "confirm": "The message was sent: it goes into the ledger",
    "release": "The message will not be sent: its place is free",
}


def describe(document: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI document with these addresses, which FastAPI does not see."""
    (one, many), parts = msgspec.json.schema_components(
        [Asked, AskedMany], ref_template="#/components/schemas/{name}"
    )
    document.setdefault("components", {}).setdefault("schemas", {}).update(parts)
    answers = {
        "200": "The answer",
        "400": "It cannot be understood",
        "403": "Send JSON from this address",
        "422": "A key is missing or of the wrong type",
        "503": "The state does not answer; `default` holds what was declared for this",
    }
    for verb in VERBS:
        schema = {"anyOf": [one, many]} if verb == "may-send" else one
        document.setdefault("paths", {})[PREFIX + verb] = {
            "post": {
                "summary": SUMMARIES[verb],
                "operationId": f"attention-{verb}",
                "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
                "responses": {
                    status: {
                        "description": words,
                        "content": {"application/json": {"schema": {"type": "object"}}},
                    }
                    for status, words in answers.items()
                },
            }
        }
    return document


class Switched:
    """Turned by whoever puts other rules in force here, so that the next question is answered by them."""

    def __init__(self) -> None:
        self.turns = 0

    def turn(self) -> None:
        self.turns += 1


class MaySendRoute:
    """Answers its own addresses and hands everything else on.

    Args:
        now: The clock.
        allowed: Names, beside those of loopback, by which the site may be asked for.
        switched: Says when a page has put other rules in force; without it they are seen within half a second.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        workspace: Workspace,
        now: Callable[[], datetime],
        allowed: Iterable[str] = (),
        switched: Switched | None = None,
    ):
        self.app = app
        self.workspace = workspace
        self.now = now
        self.allowed = {name.casefold() for name in (*LOOPBACK, *allowed)}
        self._desk: Desk | None = None
        self._looked = 0.0
        self._mark: Any = None
        self._switched = switched or Switched()
        self._turns = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self.app(scope, receive, send)
            return
        verb = scope["path"][len(PREFIX) :]
        if verb not in VERBS:
            await self.app(scope, receive, send)
            return
        problem = self._refused(scope)
        if problem is not None:
            await _reply(send, *problem)
            return
        body = await _body(receive)
        if body is None:
            await _reply(send, 413, _error(f"at most {MOST_BYTES >> 20} MiB in one request"))
            return
        from starlette.concurrency import run_in_threadpool

        if verb == "may-send":
            found = self._may_send(body)
            if isinstance(found, AskedMany):
                # Thousands of questions take a second: single ones are answered meanwhile.
                found = await run_in_threadpool(self._batch, found, self._desk)
            await _reply(send, *found)
            return
        try:
            desk = self.desk()
        except PrimetaError as error:
            await _reply(send, *self._cannot(error, "", self._language("")))
            return
        # Writing waits for other writers.
        await _reply(send, *await run_in_threadpool(self._place, verb, body, desk))

    def _refused(self, scope: Scope) -> tuple[int, bytes] | None:
        host, kind, origin = "", "", None
        for name, value in scope["headers"]:
            if name == b"host":
                host = value.decode("latin-1")
            elif name == b"content-type":
                kind = value.decode("latin-1").partition(";")[0].strip().casefold()
            elif name == b"origin":
                origin = value.decode("latin-1")
        if scope["method"] != "POST":
            return 405, _error("send the question with POST")
        if host_name(host) not in self.allowed:
            return 421, _error("this address is not one that Primeta answers to")
        if kind != "application/json" or (origin is not None and origin.partition("://")[2] != host):
            return 403, _error(
                "send JSON (Content-Type: application/json) from this address or without an Origin"
            )
        return None

    def desk(self) -> Desk:
        """Policy and promises as they are: looked at again twice a second, read again when they changed.

        Another process may have put a policy in force, or a person may have edited a file; where what stands there
        cannot be used, the rules known so far hold.
        """
        moment = time.monotonic()
        turns = self._switched.turns
        if self._desk is None:
            self._desk = Desk(self.workspace, now=self.now())
            self._mark = self._version(self._desk)
        elif turns != self._turns or moment - self._looked > READ_AGAIN_S:
            old = self._desk
            with contextlib.suppress(PrimetaError, OSError):
                mark = self._version(old)
                if mark != self._mark:
                    self._mark = mark
                    self._desk = Desk(self.workspace, now=self.now(), reread=True)
                    # Taking a file over makes a version, too.
                    self._mark = self._version(self._desk)
                    old.close()
        self._looked, self._turns = moment, turns
        return self._desk

    def _version(self, desk: Desk) -> Any:
        """Changes whenever the rules may have changed."""
        folder = self.workspace.folder
        files = [folder / FILE_NAME, *([folder / desk.promise_file] if desk.promise_file else [])]
        return (desk.reader.policy_version(), *(path.stat().st_mtime_ns for path in files if path.exists()))

    def _may_send(self, body: bytes) -> tuple[int, bytes] | AskedMany:
        try:
            asked = _one(body)
        except msgspec.ValidationError:
            asked = None
        except (msgspec.DecodeError, ValueError) as error:
            return 400, _error(f"not JSON: {error}")
        if asked is None:
            try:
                many = _many(body)
                with contextlib.suppress(PrimetaError):
                    self.desk()
                return many
            except msgspec.ValidationError as error:
                return 422, _error(
                    'a question such as {"customer": "42", "channel": "push", "purpose": "offer"} or '
                    f'{{"questions": […]}} was expected: {error}'
                )
        language = self._language(asked.language)
        try:
            desk = self.desk()
            now = self.now()
            answer = desk.answer(
                _question(asked, now, desk), now=now, explain=asked.explain is not False, zone=asked.zone
            )
        except (BadConfig, BadTable) as error:
            return self._cannot(error, asked.purpose, language)
        except BadInput as error:
            return 400, _error(str(error))
        except PrimetaError as error:
            return self._cannot(error, asked.purpose, language)
        return 200, _encode(_document(answer, language))

    def _batch(self, many: AskedMany, rules: Desk | None) -> tuple[int, bytes]:
        if len(many.questions) > MOST_QUESTIONS:
            return 400, _error(f"at most {MOST_QUESTIONS:,} questions in one request")
        language = self._language(many.language)
        now = self.now()
        try:
            # A desk of its own: a connection is used by one thread at a time.
            desk = Desk(self.workspace, now=now, like=rules)
            try:
                questions = [_question(asked, now, desk) for asked in many.questions]
                if many.choose:
                    return 200, _encode({"answers": _chosen(desk, questions, many.questions, now)})
                past = sum(now - question.at > CLOCK_MAY_DIFFER for question in questions)
                if past > MOST_PAST:
                    return 400, _error(
                        f"{past} questions are about a moment that is over, at most {MOST_PAST} are answered at once: "
                        "leave out `at` to ask about now, or replay the log to look at the past"
                    )
                answers = desk.verdicts(questions, now=now, zones=[asked.zone for asked in many.questions])
            finally:
                desk.close()
        except (BadConfig, BadTable) as error:
            return self._cannot(error, "", language)
        except BadInput as error:
            return 400, _error(str(error))
        except PrimetaError as error:
            return self._cannot(error, "", language)
        # Most of the times are few: now, the end of the night.
        times: dict[datetime | None, str | None] = {None: None}
        return 200, _encode({"answers": [_short(answer, times) for answer in answers]})

    def _place(self, verb: str, body: bytes, desk: Desk) -> tuple[int, bytes]:
        """Of the desk only what any thread may use."""
        try:
            asked = _one(body)
        except (msgspec.ValidationError, msgspec.DecodeError, ValueError) as error:
            return 422, _error(f"{error}")
        language = self._language(asked.language)
        now = self.now()
        try:
            question = _question(asked, now, desk)
            if verb == "reserve":
                held_for = HELD_FOR if asked.hold_seconds is None else timedelta(seconds=asked.hold_seconds)
                held = desk.reserve(question, now=now, by="api", held_for=held_for)
            elif verb == "confirm":
                sent = _aware(asked.sent_at, desk.zone("")) if asked.sent_at else now
                held = desk.confirm(question, sent_at=sent, now=now, by="api")
            else:
                held = desk.release(asked.message_id, now=now)
        except Conflict as error:
            return 409, _error(str(error))
        except BadInput as error:
            return 400, _error(str(error))
        except PrimetaError as error:
            return self._cannot(error, asked.purpose, language)
        told = held.as_dict(language)
        if held.answer is not None:
            told["answer"] = _document(held.answer, language)
        told["expires_at"] = None if held.expires_at is None else _time(held.expires_at)
        return 200, _encode(told)

    def _cannot(self, error: PrimetaError, purpose: str, language: str) -> tuple[int, bytes]:
        """No answer: the status says so, the body holds the declared default."""
        policy = self._desk.policy if self._desk is not None else self._declared()
        # A file that cannot be used is no fault of the one who asks.
        status = 503 if isinstance(error, Unavailable | BadConfig | BadTable) else 409
        default = {
            kind: _document(without_answer(policy, kind), language)
            for kind in ((purpose,) if purpose in PURPOSES else PURPOSES)
        }
        return status, _encode({"error": str(error), "default": default})

    def _declared(self) -> Policy:
        """What the file says of the default where nothing else in it can be used; else service only."""
        said = self.workspace.config.attention.policy.get("default")
        return Policy(version=0, default=said if said in DEFAULTS else "allow-service")

    def _language(self, wanted: str) -> str:
        return wanted if wanted in ("en", "ru") else self.workspace.config.language


def _question(asked: Asked, now: datetime, desk: Desk) -> Question:
    return Question(
        customer_id=asked.customer,
        channel=asked.channel.strip().lower(),
        purpose=asked.purpose,  # type: ignore[arg-type]
        at=now if asked.at is None else _aware(asked.at, desk.zone("")),
        campaign=asked.campaign,
        programme=asked.programme,
        message_id=asked.message_id,
        personal=asked.personal,
        personalised=asked.personalised,
    )


def _chosen(desk: Desk, questions: list[Question], asked: list[Asked], now: datetime) -> list[dict[str, Any]]:
    """One of them goes, each other is told why not."""
    if len({question.customer_id for question in questions}) > 1:
        raise BadInput(
            "choose is for messages that want one slot of one customer; several customers were given"
        )
    wanting = [
        Wanting(
            question=question,
            value=float("nan") if one.value is None else one.value,
            deadline=None if one.deadline is None else _aware(one.deadline, desk.zone("")),
        )
        for question, one in zip(questions, asked, strict=True)
    ]
    times: dict[datetime | None, str | None] = {None: None}
    return [
        {**_short(place.answer, times), "why": place.why, "behind": place.behind}
        for place in desk.choose(wanting, now=now)
    ]


def _aware(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _document(answer: Answer, language: str) -> dict[str, Any]:
    told = document(answer, language)
    told["earliest"] = None if answer.earliest is None else _time(answer.earliest)
    return told


def _short(answer: Answer | Verdict, times: dict[datetime | None, str | None]) -> dict[str, Any]:
    """Of many: codes only."""
    moment = answer.earliest
    if moment not in times:
        times[moment] = None if moment is None else _time(moment)
    told: dict[str, Any] = {"allowed": answer.allowed, "rule": answer.rule, "earliest": times[moment]}
    if answer.promise:
        told["promise"] = answer.promise
    return told


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _error(message: str) -> bytes:
    return _encode({"error": message})


async def _body(receive: Receive) -> bytes | None:
    message = await receive()
    body = message.get("body", b"")
    if not message.get("more_body"):
        return body if len(body) <= MOST_BYTES else None
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MOST_BYTES:
            return None
    return b"".join(parts)


async def _reply(send: Send, status: int, body: bytes) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [*_HEADERS, (b"content-length", str(len(body)).encode())],
        }
    )
    await send({"type": "http.response.body", "body": body})
