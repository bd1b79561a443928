"""One finished message to one channel through apprise: what was accepted, what was not, and why.

A message for several recipients or in several pieces is sent part by part, and a part that was accepted is
not sent again by a later try.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from primeta.delivery.channels import Address
from primeta.delivery.markup import messenger_html, messenger_text, pieces
from primeta.delivery.words import ANSWERED, SOME, STATES, WHY

State = Literal["delivered", "deferred", "refused"]
TELEGRAM_LIMIT = 4096
"""Characters of one message, core.telegram.org/bots/api#sendmessage."""
TRIES = 3
PAUSES_S = (1.0, 4.0)
"""Between tries within one call; longer waits are for the next run."""
LONGEST_ANSWER = 200
PASSING = frozenset(("busy", "later", "broken", "unreachable"))
"""Causes that pass by themselves."""

_one_at_a_time = threading.Lock()
# Apprise tells causes only to its log, which is one for the whole process.


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes along."""

    name: str
    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A finished message: the same content as plain text and as a page that stands alone."""

    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of a message on one channel."""

    channel: str
    state: State
    why: str = ""
    """A code of WHY; empty when delivered."""
    answer: str = ""
    """What the service said, without secrets."""
    accepted: frozenset[str] = frozenset()
    """Parts (recipient and piece) that were taken, now or before."""
    parts: int = 0
    tries: int = 0

    def line(self, lang: str) -> str:
        """`team: refused: the login or token was not accepted …`"""
        reason = told(self.why, self.answer, lang)
        if self.state != "delivered" and self.accepted:
            reason += "; " + SOME[lang].format(accepted=len(self.accepted), parts=self.parts)
        return f"{self.channel}: {STATES[self.state][lang]}" + (f": {reason}" if reason else "")


def told(why: str, answer: str, lang: str) -> str:
    """A cause in words, with what the service said."""
    if not why:
        return ""
    text = WHY[why][lang].format(what=answer)
    return (
        f"{text} ({ANSWERED[lang].format(answer=answer)})"
        if answer and "{what}" not in WHY[why][lang]
        else text
    )


def send(
    name: str,
    address: Address,
    message: Message,
    *,
    accepted: frozenset[str] = frozenset(),
    tries: int = TRIES,
    pause: Callable[[float], object],
) -> Sent:
    """Send a message; what passes by itself is tried again, what does not is refused at once.

    Args:
        name: The channel's, for the result.
        accepted: Parts that an earlier call delivered: `Sent.accepted`.
        tries: At most so many in this call.
        pause: Waits for so many seconds; `time.sleep`.
    Raises:
        Nothing on account of the channel: every failure is a result.
    """
    with _one_at_a_time, _quiet() as heard:
        plugin = _plugin(address)
        if plugin is None:
            return Sent(channel=name, state="refused", why="service")
        if _kind(plugin) == "mail":
            # Apprise waits 5.5 s between letters to spare public relays; we pause ourselves.
            plugin.request_rate_per_sec = 0
        parts = _parts(plugin, message)
        done = set(accepted)
        used, why, answer = 0, "", ""
        refused: tuple[str, str] | None = None
        hopeless: set[str] = set()
        for attempt in range(max(1, tries)):
            waiting = [part for part in parts if part.id not in done | hopeless]
            if not waiting:
                break
            if attempt:
                pause(PAUSES_S[min(attempt - 1, len(PAUSES_S) - 1)])
            used += 1
            stopped: set[Any] = set()
            for part in waiting:
                if part.target_id in stopped:
                    continue
                heard.clear()
                if _deliver(plugin, part):
                    done.add(part.id)
                    continue
                # The later pieces of a text make no sense without this one.
                stopped.add(part.target_id)
                why, answer = cause(heard)
                answer = address.hide(answer)[:LONGEST_ANSWER]
                if why not in PASSING:
                    refused = refused or (why, answer)
                    hopeless |= {entry.id for entry in parts if entry.target_id == part.target_id}
        ids = {part.id for part in parts}
        missing = ids - done
        common = {"channel": name, "accepted": frozenset(done & ids), "parts": len(parts), "tries": used}
        if not missing:
            return Sent(state="delivered", **common)
        if missing - hopeless or refused is None:
            return Sent(state="deferred", why=why, answer=answer, **common)
        return Sent(state="refused", why=refused[0], answer=refused[1], **common)


def check(address: Address) -> str:
    """A code of WHY where apprise cannot use the address at all; empty where it can. Sends nothing."""
    with _one_at_a_time, _quiet():
        return "" if _plugin(address) is not None else "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    id: str
    target: Any
    target_id: str
    title: str
    body: str
    form: Literal["html", "text"]
    attachments: tuple[Attachment, ...]


def _plugin(address: Address) -> Any:
    """Apprise's object for an address, or None where it knows no such service."""
    from apprise import Apprise, AppriseAsset

    asset = AppriseAsset(
        app_id="Primeta",
        app_desc="Primeta",
        app_url="",
        theme="default",
        storage_mode="memory",
        async_mode=False,
        # A redirect would carry the token to an address that nobody wrote down.
        http_redirects=False,
        interpret_emojis=False,
        interpret_escapes=False,
        pgp_autogen=False,
        pem_autogen=False,
        allow_templates=False,
    )
    # The first address makes apprise import all its services, some of which use what Python is giving up.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return Apprise.instantiate(address.url, asset=asset, suppress_exceptions=True)
        except (TypeError, ValueError):
            return None


def _parts(plugin: Any, message: Message) -> list[_Part]:
    """The message as this service takes it, for each recipient."""
    kind = _kind(plugin)
    form: Literal["html", "text"] = "text"
    if kind == "mail":
        form, bodies = "html", (message.html,)
    elif kind == "telegram":
        page = (
            f"<b>{_escaped(message.subject)}</b>\n\n{messenger_html(message.html) or _escaped(message.text)}"
        )
        form, bodies = "html", pieces(page, TELEGRAM_LIMIT, tags=True)
    else:
        limit = int(plugin.body_maxlen)
        if plugin.title_maxlen <= 0:
            # The service has no subject: apprise writes it over the first piece.
            limit -= len(message.subject) + 16
        bodies = pieces(messenger_text(message.html) or message.text, max(limit, 160))
    found: list[_Part] = []
    for target in _targets(plugin):
        target_id = "" if target is None else str(target)
        for number, body in enumerate(bodies):
            several = f" ({number + 1}/{len(bodies)})" if len(bodies) > 1 else ""
            mark = hashlib.sha256(f"{target_id}\n{number}".encode()).hexdigest()[:16]
            found.append(
                _Part(
                    id=mark,
                    target=target,
                    target_id=target_id,
                    title="" if kind == "telegram" else message.subject + several,
                    body=body,
                    form=form,
                    attachments=message.attachments if number == len(bodies) - 1 else (),
                )
            )
    return found


def _escaped(text: str) -> str:
    from html import escape

    return escape(text, quote=False)


def _kind(plugin: Any) -> str:
    schemes = {
        str(entry) for name in ("protocol", "secure_protocol") for entry in _listed(getattr(plugin, name, ()))
    }
    if schemes & {"mailto", "mailtos"}:
        return "mail"
    return "telegram" if "tgram" in schemes else "other"


def _listed(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def _holder(plugin: Any) -> str:
    """The attribute in which the service keeps its recipients; empty where it has one only."""
    for name in ("targets", "channels"):
        if isinstance(getattr(plugin, name, None), list) and len(getattr(plugin, name)) > 0:
            return name
    return ""


def _targets(plugin: Any) -> list[Any]:
    holder = _holder(plugin)
    return list(getattr(plugin, holder)) if holder else [None]


def _deliver(plugin: Any, part: _Part) -> bool:
    from apprise import AppriseAttachment, NotifyFormat, NotifyType
    from apprise.attachment.memory import AttachMemory

    form = NotifyFormat.HTML if part.form == "html" else NotifyFormat.TEXT
    attach = None
    if part.attachments and plugin.attachment_support:
        attach = AppriseAttachment()
        for entry in part.attachments:
            attach.add(
                AttachMemory(content=entry.content, name=_file_name(entry.name), mimetype=entry.media_type)
            )
    holder = _holder(plugin)
    everybody = getattr(plugin, holder) if holder else None
    if holder:
        setattr(plugin, holder, [part.target])
    if part.form == "html":
        plugin.notify_format = NotifyFormat.HTML
    call = {"body": part.body, "title": part.title, "notify_type": NotifyType.INFO, "attach": attach}
    try:
        if part.form == "html":
            # Already in the service's own form: its conversion of foreign pages would only harm.
            return bool(plugin.send(**call, body_format=form))
        return bool(plugin.notify(**call, body_format=form))
    except (OSError, ValueError, TypeError) as error:
        logging.getLogger("apprise").warning("Socket Exception: %s", error)
        return False
    finally:
        if holder:
            setattr(plugin, holder, everybody)


def _file_name(name: str) -> str:
    """Apprise writes a name in other letters so that mail programs lose it: only ASCII is safe."""
    stem, dot, ending = name.rpartition(".")
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", stem if dot else name).strip("_") or "file"
    return plain + dot + re.sub(r"[^A-Za-z0-9]+", "", ending if dot else "")


class _Heard(logging.Handler):
    """Keeps what apprise says, for ourselves only."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    def clear(self) -> None:
        self.lines.clear()


@contextmanager
def _quiet() -> Iterator[_Heard]:
    """Listen to apprise, and let nothing of it or of its transport reach anybody's log: it names tokens."""
    heard = _Heard()
    apprise = logging.getLogger("apprise")
    transports = [logging.getLogger(name) for name in ("urllib3", "requests")]
    kept = (apprise.level, apprise.propagate, apprise.handlers[:], apprise.disabled)
    levels = [entry.level for entry in transports]
    apprise.handlers, apprise.propagate, apprise.disabled = [heard], False, False
    apprise.setLevel(logging.DEBUG)
    for entry in transports:
        entry.setLevel(logging.CRITICAL + 1)
    try:
        yield heard
    finally:
        apprise.level, apprise.propagate, apprise.handlers, apprise.disabled = kept
        apprise.setLevel(kept[0])
        for entry, level in zip(transports, levels, strict=True):
            entry.setLevel(level)


SMTP_ANSWER = re.compile(r"\((\d{3}), b?(['\"])(.*?)\2")
SMTP_REFUSED = re.compile(r"was refused: (\d{3}) b?(['\"]?)(.*?)\2$")
HTTP_ERROR = re.compile(r": (.*?)(?:, ?)?error=(\d{3})")


def cause(heard: _Heard) -> tuple[str, str]:
    """A code of WHY and what the service said, from the lines that apprise wrote."""
    told = "\n".join(heard.lines)
    smtp = SMTP_ANSWER.search(told) or SMTP_REFUSED.search(told)
    if smtp:
        return _smtp(int(smtp[1])), f"{smtp[1]} {smtp[3]}".strip()
    for line in heard.lines:
        http = HTTP_ERROR.search(line)
        if http:
            return _http(int(http[2]), http[1]), f"{http[2]} {http[1]}".strip(" ,")
    low = told.lower()
    if "certificate" in low:
        return "certificate", ""
    if "auth extension not supported" in low:
        return "no-login", ""
    if "connection error" in low or "socket exception" in low or "timed out" in low:
        return "unreachable", ""
    return "other", ""


def _smtp(code: int) -> str:
    """RFC 5321 §4.2.1: 4xx passes, 5xx does not; RFC 4954 §6 for the login."""
    if code in (530, 534, 535, 538):
        return "login"
    if code in (550, 551, 553):
        return "recipient"
    if code == 552:
        return "large"
    return "later" if 400 <= code < 500 else "other"


def _http(code: int, said: str) -> str:
    low = said.lower()
    if code == 429:
        return "busy"
    if code >= 500:
        return "broken"
    if code == 401:
        return "login"
    if code in (404, 410) or "chat not found" in low or "blocked" in low or "kicked" in low:
        # Telegram answers 404 to a token that it does not know; either way the address leads nowhere.
        return "recipient"
    if code == 403:
        return "login"
    return "large" if code == 413 or "too long" in low else "other"
