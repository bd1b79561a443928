"""Addresses of the declared channels: secrets are filled in at the last moment and shown nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from primeta.config import PLACEHOLDER, WITHOUT_A_TOKEN, DeliveryConfig
from primeta.delivery.words import WHY
from primeta.errors import BadInput

HIDDEN = "•••"
SHORTEST_SECRET = 4
"""A shorter piece of an address would blacken half of any sentence and guards nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a channel leads, with its secrets; neither is ever printed."""

    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def hide(self, text: str) -> str:
        """The text without any of the secrets, as they are or as they stand in an address."""
        for secret in self.secrets:
            text = text.replace(secret, HIDDEN)
        return text


class Unset(BadInput):
    """A secret of an address is not there; `why` is a code of WHY, `what` the variable or the file."""

    def __init__(self, place: str, why: str, what: str):
        super().__init__(f"{place}: {WHY[why]['en'].format(what=what)}")
        self.why, self.what = why, what


def address_of(channel: DeliveryConfig, *, env: Mapping[str, str], folder: Path) -> Address:
    """Fill `${NAME}` from the environment and `${file:PATH}` from a file.

    Args:
        env: The environment.
        folder: The workspace; a file's path starts there.
    Raises:
        Unset: a name is not set or a file cannot be read; names it, never its content.
    """
    place = f"[delivery.{channel.name}] to"
    values: list[str] = []

    def value_of(name: str) -> str:
        if not name.startswith("file:"):
            value = env.get(name, "").strip()
            if not value:
                raise Unset(place, "no-variable", name)
        else:
            path = folder / name.removeprefix("file:")
            try:
                value = path.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                value = ""
            if not value:
                raise Unset(place, "no-file", str(path))
        values.append(value)
        return value

    whole = PLACEHOLDER.fullmatch(channel.to)
    if whole:
        url = value_of(whole[1])
        return Address(url=url, secrets=_known(_parts(url)))
    url, end = "", 0
    for found in PLACEHOLDER.finditer(channel.to):
        url += channel.to[end : found.start()]
        url += quote(value_of(found[1]), safe=_bare(channel.to[: found.start()], channel.to[found.end() :]))
        end = found.end()
    return Address(url=url + channel.to[end:], secrets=_known(values))


def _bare(before: str, after: str) -> str:
    """Letters that a value may hold unquoted where it stands: a token may span parts of a path."""
    login = "@" in after.partition("?")[0] or "?" in before
    return "" if login else "/:@"


def _parts(url: str) -> Iterable[str]:
    """Pieces of a whole address that may be secret."""
    split = urlsplit(url)
    yield url
    yield split.password or ""
    for pair in re.split("[&;]", split.query):
        key, _, value = pair.partition("=")
        if split.scheme not in WITHOUT_A_TOKEN or key.lower().startswith(("pass", "token", "key", "secret")):
            yield value
    if split.scheme not in WITHOUT_A_TOKEN:
        yield from re.split("[/@]", split.netloc + "/" + split.path)


def _known(values: Iterable[str]) -> tuple[str, ...]:
    """Each value as given, quoted and unquoted; the longest first, so that none leaves its rest behind."""
    forms = {
        form for value in values for form in (value, quote(value), quote(value, safe=""), unquote(value))
    }
    return tuple(sorted((form for form in forms if len(form) >= SHORTEST_SECRET), key=len, reverse=True))
