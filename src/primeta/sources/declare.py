"""`[sources.NAME]` of primeta.toml as a source: what is left out is guessed where it is clear, else asked for."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import PurePosixPath
from typing import get_args
from urllib.parse import urlsplit

from primeta.config import Config, SourceConfig, config_error
from primeta.errors import BadInput
from primeta.sources.links import site_of
from primeta.sources.records import Reader, Source, SourceKind

READERS: tuple[str, ...] = tuple(name for name in get_args(Reader) if name != "notes")
"""Notes are written down with `primeta log` and are no source of the file."""
KINDS: tuple[str, ...] = get_args(SourceKind)
SHORTEST, LONGEST = timedelta(minutes=5), timedelta(days=366)

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_ENDINGS: dict[str, Reader] = {
    ".csv": "table",
    ".tsv": "table",
    ".xlsx": "table",
    ".parquet": "table",
    ".pdf": "pdf",
    ".mbox": "mail",
    ".eml": "mail",
    ".rss": "feed",
    ".atom": "feed",
    ".xml": "feed",
    ".html": "page",
    ".htm": "page",
}
_FEED_PATH = re.compile(r"(?:^|[/._-])(?:rss|atom|feed|feeds)(?:$|[/._-])", re.IGNORECASE)
_TELEGRAM = re.compile(r"(?:www\.)?(?:t\.me|telegram\.me)")
_CHANNEL = re.compile(r"(?:@|(?:https?://)?(?:www\.)?(?:t\.me|telegram\.me)/(?:s/)?@?)([A-Za-z]\w{3,31})/?")
_EXPORT = re.compile(r"result\.json|messages\d*\.html?", re.IGNORECASE)


class Wrong(BadInput):
    """A value that makes no source; `key` says which."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def is_address(at: str) -> bool:
    """Whether it is fetched over the net, not read from a file."""
    return "://" in at


def declared_sources(config: Config) -> dict[str, Source]:
    """All sources of the file by name, in its order.

    Raises:
        BadConfig: a value is wrong; names its line.
    """
    found: dict[str, Source] = {}
    for name, given in config.sources.declared.items():
        try:
            found[name] = source_of(given)
        except Wrong as wrong:
            raise config_error(config, f"sources.{name}", wrong.key, str(wrong)) from None
    return found


def source_of(given: SourceConfig) -> Source:
    """The source that a section declares.

    Raises:
        Wrong: a value makes no source.
    """
    values = given.values
    at = _channel_address(str(values.get("at", "")).strip())
    reader = _reader(str(values.get("reader", "")), at)
    if not at and reader != "voices":
        raise Wrong("at", 'an address or a file is missing, such as at = "https://site.com/feed"')
    if is_address(at):
        if not re.match(r"https?://[^/\s]", at, re.IGNORECASE):
            raise Wrong(
                "at", f"an address that begins with http:// or https:// was expected, {at!r} was given"
            )
        if urlsplit(at).username:
            raise Wrong("at", "an address without a user name or password was expected")
        if reader in ("table", "mail", "voices"):
            raise Wrong("at", f'reader = "{reader}" reads files of the workspace, not an address')
    elif PurePosixPath(at).is_absolute() or ".." in PurePosixPath(at.replace("\\", "/")).parts:
        raise Wrong("at", f"a file, folder or glob inside the workspace was expected, {at!r} was given")
    kind = str(values.get("kind", "support" if reader == "voices" else ""))
    if kind not in KINDS:
        told = f"{kind!r} was given" if kind else "none was given"
        raise Wrong("kind", f"one of {', '.join(KINDS)} was expected, {told}")
    language = str(values.get("language", ""))
    if language and not re.fullmatch(r"[a-z]{2}", language):
        raise Wrong("language", f'two letters such as "ru" or "en" were expected, {language!r} was given')
    select, changes = str(values.get("select", "")).strip(), bool(values.get("changes", False))
    if (select or changes) and reader != "page":
        raise Wrong("select" if select else "changes", f'this goes with reader = "page", not with "{reader}"')
    columns = {str(mine): str(theirs) for mine, theirs in values.get("columns", {}).items()}
    if columns and reader != "table":
        raise Wrong("columns", f'this goes with reader = "table", not with "{reader}"')
    return Source(
        name=given.name,
        reader=reader,
        kind=kind,  # pyright: ignore[reportArgumentType]
        at=at,
        owner=str(values.get("owner", "")).strip() or _owner(given.name, reader, at),
        trust=float(values.get("trust", 0.5)),
        every=period(str(values.get("every", "6h"))),
        language=language,
        allow=tuple(values.get("allow", ())),
        columns=columns,
        select=select,
        changes=changes,
        paused=bool(values.get("paused", False)),
    )


def period(text: str) -> timedelta:
    """`30m`, `6h`, `1d`, `2w` as a duration.

    Raises:
        Wrong: it is no such text, shorter than five minutes or longer than a year.
    """
    match = re.fullmatch(r"\s*(\d{1,4})\s*([mhdw])\s*", text)
    long = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None
    if long is None or not SHORTEST <= long <= LONGEST:
        raise Wrong(
            "every", f'a period from 5m to 366d such as "6h" or "1d" was expected, {text!r} was given'
        )
    return long


def _channel_address(at: str) -> str:
    """A channel however people write it (`@name`, `t.me/name`) as the page that shows its posts."""
    match = _CHANNEL.fullmatch(at)
    return f"https://t.me/s/{match[1]}" if match else at


def _reader(given: str, at: str) -> Reader:
    if given:
        if given not in READERS:
            raise Wrong("reader", f"one of {', '.join(READERS)} was expected, {given!r} was given")
        return given  # pyright: ignore[reportReturnType]
    guessed = _guess(at)
    if guessed is None and at:
        raise Wrong("reader", f"what stands at {at!r} cannot be told; name one of {', '.join(READERS)}")
    return guessed or "page"


def _guess(at: str) -> Reader | None:
    """The reader where the address leaves no doubt; None else."""
    if is_address(at):
        parts = urlsplit(at)
        if _TELEGRAM.fullmatch((parts.hostname or "").lower()):
            return "telegram"
        ending = PurePosixPath(parts.path).suffix.lower()
        if ending == ".pdf":
            return "pdf"
        if ending in (".rss", ".atom", ".xml") or _FEED_PATH.search(parts.path):
            return "feed"
        return "page" if ending in (".html", ".htm") else None
    path = PurePosixPath(at.replace("\\", "/"))
    return "telegram" if _EXPORT.fullmatch(path.name) else _ENDINGS.get(path.suffix.lower())


def _owner(name: str, reader: Reader, at: str) -> str:
    """The channel, else the site, else the name that the team gave."""
    if not is_address(at):
        return name
    if reader == "telegram":
        parts = [part for part in urlsplit(at).path.split("/") if part and part != "s"]
        return parts[0].removeprefix("@") if parts else name
    return site_of(at) or name
