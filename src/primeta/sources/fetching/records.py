"""What goes into a fetch and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass

from primeta.sources.records import Raw, Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of our time, memory and disk one answer may take."""

    total_seconds: float = 60.0
    """One attempt with all its redirects, without the waits that politeness asks for."""
    idle_seconds: float = 15.0
    """No byte for so long."""
    connect_seconds: float = 10.0
    """Name, connection and TLS, for each address."""
    size_bytes: int = 20 * 2**20
    """Of the content, unpacked."""
    header_bytes: int = 64 * 2**10
    """Everything before the content, interim answers included."""
    ratio: float = 100.0
    """Unpacked over packed, looked at beyond `ratio_from_bytes`: text packs 5–30 times, a bomb 1,000 times."""
    ratio_from_bytes: int = 2**20
    redirects: int = 5
    attempts: int = 3
    back_off_seconds: float = 2.0
    """Before the second attempt; twice as long before each next one, times a random 0.5–1.5."""
    longest_wait_seconds: float = 60.0
    """A server that asks for more patience than this is left alone until then."""


LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the last answer said of itself; sent back so that an unchanged thing is not sent again."""

    etag: str = ""
    modified: str = ""
    url: str = ""
    """Where that answer came from in the end. Validators are sent to this address only, since another address may be
    another thing; empty: to every address on the way."""


NOTHING = Known()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A whole answer, unpacked; `raw.digest` is of `content`."""

    raw: Raw
    content: bytes
    moved_to: str = ""
    """The address that permanent redirects (301, 308) lead to: a hint that the source has moved for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotModified:
    """The server says that what we have is what it has (304)."""

    url: str
    etag: str = ""
    modified: str = ""
    moved_to: str = ""


class Stop(Exception):
    """Inside fetching: this attempt is over. `again`: another may help; `wait_seconds`: how long the server asked for."""

    def __init__(self, trouble: Trouble, *, again: bool = False, wait_seconds: float | None = None) -> None:
        super().__init__(trouble.code)
        self.trouble = trouble
        self.again = again
        self.wait_seconds = wait_seconds


def stop(code: str, *, permanent: bool = False, again: bool = False, **values: object) -> Stop:
    """A `Stop` with its trouble in one line."""
    return Stop(Trouble(code=code, values=values, permanent=permanent), again=again)
