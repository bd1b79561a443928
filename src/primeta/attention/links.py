"""Signed links: an address that lets one customer stop, choose and ask why, and that tells nobody who he is.

A token is sealed: whoever has not the workspace's secret can neither read the customer's id in it nor make one.
It is deterministic encryption with a synthetic initialisation vector (SIV: Rogaway & Shrimpton, "Deterministic
Authenticated-Encryption", EUROCRYPT 2006, with keyed BLAKE2b, RFC 7693, as its two pseudorandom functions): the vector
is the MAC of the text, and the text is XORed with a stream that key and vector give. Nothing random, no counter to
keep; the same text gives the same token and another text one that has nothing in common with it.

    byte 0   number of the key · bytes 1–16 the vector · then the sealed text, padded so that lengths say little
"""

from __future__ import annotations

import hashlib
import hmac
import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from primeta.attention.records import PURPOSES
from primeta.errors import BadInput

TAG_BYTES = 16
PIECE = 12
"""The whole token is a multiple of so many bytes: of 16 letters without a loose bit at the end."""
LONGEST_FIELD = 256
FIRST_DAY = date(2020, 1, 1)
PAGES = ("unsubscribe_url", "preferences_url", "why_url")
ONE_CLICK = "List-Unsubscribe=One-Click"
"""RFC 8058 §3.1: the value of `List-Unsubscribe-Post`, and the body of the POST."""
MAIL = ("email", "e-mail", "mail")
_SAFE, _UNSAFE = bytes.maketrans(b"+/", b"-_"), str.maketrans("-_", "+/")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,1600}")
_LETTER = {"": "", **{purpose: purpose[0] for purpose in PURPOSES}}
_PURPOSE = {letter: purpose for purpose, letter in _LETTER.items()}
_USED = {None: "", True: "y", False: "n"}
_WAS_USED = {letter: used for used, letter in _USED.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a link says, to us alone."""

    customer_id: str
    channel: str = ""
    """Of the message; empty: all channels."""
    purpose: str = ""
    programme: str = ""
    """Programme or campaign."""
    message_id: str = ""
    personalised: bool | None = None
    """Whether the message used what is known of the customer; None: the sender did not say."""
    issued: date = FIRST_DAY
    key: int = 1
    """Number of the key that sealed it."""
    retired: bool = False
    """Sealed with an earlier key: good for opting out, and for nothing else."""

    @property
    def mail(self) -> bool:
        return self.channel in MAIL


class Sealer:
    """Makes and opens tokens.

    Args:
        secrets: Number of a key → 32 secret bytes; the greatest number seals, all of them open.
    """

    def __init__(self, secrets: Mapping[int, bytes]):
        self.newest = max(secrets)
        self._keys = {number: _Key(secret) for number, secret in secrets.items()}

    def token(self, link: Link) -> str:
        """The token of a link, sealed with the newest key.

        Raises:
            BadInput: no customer, or a field that no link can carry.
        """
        return self._keys[self.newest].seal(self.newest, packed(link))

    def token_of(self, packed_link: bytes) -> str:
        """The same for what `packed` made: in a loop over a file."""
        return self._keys[self.newest].seal(self.newest, packed_link)

    def open(self, token: str) -> Link | None:
        """What a token says; None: it is none of ours, or not a letter of it is as it was."""
        if not _TOKEN.fullmatch(token) or len(token) % 16:
            return None
        sealed = a2b_base64(token.translate(_UNSAFE))
        key = self._keys.get(sealed[0])
        text = None if key is None else key.open(sealed)
        return None if text is None else _unpacked(text, number=sealed[0], newest=self.newest)


class _Key:
    """Two keys of one secret, kept as hashes that have taken them in."""

    def __init__(self, secret: bytes):
        self._mac = hashlib.blake2b(key=secret, digest_size=TAG_BYTES, person=b"primeta-link-mac")
        self._stream = hashlib.blake2b(key=secret, digest_size=64, person=b"primeta-link-str")

    def seal(self, number: int, text: bytes) -> str:
        text += bytes(-(1 + TAG_BYTES + len(text)) % PIECE)
        head = number.to_bytes(1, "big")
        tag = self._tag(head, text)
        return (
            b2a_base64(head + tag + self._crossed(tag, text), newline=False).translate(_SAFE).decode("ascii")
        )

    def open(self, sealed: bytes) -> bytes | None:
        head, tag = sealed[:1], sealed[1 : 1 + TAG_BYTES]
        text = self._crossed(tag, sealed[1 + TAG_BYTES :])
        # How long the comparison takes says nothing about the tag.
        return text.rstrip(b"\0") if hmac.compare_digest(self._tag(head, text), tag) else None

    def _tag(self, head: bytes, text: bytes) -> bytes:
        mac = self._mac.copy()
        mac.update(head + text)
        return mac.digest()

    def _crossed(self, tag: bytes, text: bytes) -> bytes:
        size = len(text)
        stream = self._stream.copy()
        stream.update(tag)
        flow = stream.digest()
        place = 1
        while len(flow) < size:
            more = self._stream.copy()
            more.update(tag + place.to_bytes(2, "big"))
            flow += more.digest()
            place += 1
        crossed = int.from_bytes(text, "big") ^ int.from_bytes(flow[:size], "big")
        return crossed.to_bytes(size, "big")


def packed(link: Link) -> bytes:
    """The text that is sealed.

    Raises:
        BadInput: no customer, an unknown purpose, a field too long or with a control letter.
    """
    return packed_head(link) + packed_tail(link.message_id, link.customer_id)


def packed_head(link: Link) -> bytes:
    """What is the same for all messages of one sending."""
    if link.purpose not in _LETTER:
        raise BadInput(f"purpose: one of {', '.join(PURPOSES)} was expected, {link.purpose!r} was given")
    day = (link.issued - FIRST_DAY).days
    if not 0 <= day < 1 << 16:
        raise BadInput(f"a link cannot be dated {link.issued.isoformat()}; check the clock")
    marks = _LETTER[link.purpose] + _USED[link.personalised]
    fields = (marks, link.channel.strip().lower(), link.programme)
    _check("".join(fields), max(map(len, fields)))
    return day.to_bytes(2, "big") + ("\x1f".join(fields) + "\x1f").encode("utf-8", "replace")


def packed_tail(message_id: str, customer_id: str) -> bytes:
    """What is each message's own."""
    if not customer_id:
        raise BadInput("a link needs a customer_id: it is made for one customer")
    both = message_id + customer_id
    if not both.isprintable() or len(both) > LONGEST_FIELD:
        _check(both, max(len(message_id), len(customer_id)))
    return f"{message_id}\x1f{customer_id}".encode("utf-8", "replace")


def _check(text: str, longest: int) -> None:
    if "\x1f" in text or "\0" in text:
        raise BadInput("a field of a link holds a control letter; ids and names are plain text")
    if longest > LONGEST_FIELD:
        raise BadInput(f"a field of a link is longer than {LONGEST_FIELD} letters")


def _unpacked(text: bytes, *, number: int, newest: int) -> Link | None:
    """None where it is not what this version seals: the key was used for something else."""
    try:
        marks, channel, programme, message_id, customer_id = text[2:].decode("utf-8").split("\x1f")
    except ValueError:
        return None
    letter, used = marks.removesuffix("y").removesuffix("n"), marks[-1:] if marks[-1:] in ("y", "n") else ""
    if letter not in _PURPOSE or not customer_id:
        return None
    return Link(
        customer_id=customer_id,
        channel=channel,
        purpose=_PURPOSE[letter],
        programme=programme,
        message_id=message_id,
        personalised=_WAS_USED[used],
        issued=FIRST_DAY + timedelta(days=int.from_bytes(text[:2], "big")),
        key=number,
        retired=number != newest,
    )


def addresses(base: str, token: str) -> tuple[str, str, str]:
    """Addresses of the three pages: stop, choose, why."""
    return f"{base}/u/{token}", f"{base}/p/{token}", f"{base}/w/{token}"


def headers(unsubscribe_url: str) -> dict[str, str]:
    """What a mail carries, so that its program shows one button (RFC 2369 §3.2, RFC 8058 §3.1); DKIM must sign both."""
    return {"List-Unsubscribe": f"<{unsubscribe_url}>", "List-Unsubscribe-Post": ONE_CLICK}
