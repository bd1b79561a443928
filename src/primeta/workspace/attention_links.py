"""Links for messages: one customer, many, or a file with columns added."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from primeta.attention.link_words import tell
from primeta.attention.links import (
    MAIL,
    ONE_CLICK,
    PAGES,
    Link,
    Sealer,
    addresses,
    headers,
    packed_head,
    packed_tail,
)
from primeta.config import public_address
from primeta.errors import BadInput, BadTable, NotFound
from primeta.show import locale
from primeta.show.locale import Language
from primeta.store.keys import keys_of
from primeta.store.link_keys import link_secrets, new_link_key

if TYPE_CHECKING:
    import pyarrow as pa

    from primeta.workspace.workspace import Progress, Workspace

HEADER_COLUMNS = ("list_unsubscribe", "list_unsubscribe_post")
ADDED = (*PAGES, *HEADER_COLUMNS)
READ = ("customer_id", "message_id", "channel", "purpose", "programme", "campaign", "personalised")
"""Columns that a link takes from a file, where they are there."""
YES = frozenset({"true", "1", "yes", "t"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """A file whose rows got their links."""

    out: Path
    customers: int
    base_url: str
    key: int
    """Number of the key that sealed them."""

    def line(self, lang: Language = "en") -> str:
        return tell(lang, "linked", rows=locale.number(self.customers, lang), out=self.out.name)

    def as_dict(self) -> dict[str, Any]:
        return {
            "out": str(self.out),
            "customers": self.customers,
            "base_url": self.base_url,
            "key": self.key,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLinks:
    """The three addresses of one message and what its mail carries."""

    unsubscribe_url: str
    preferences_url: str
    why_url: str
    headers: dict[str, str]
    """Empty where the message is no mail."""

    def as_dict(self) -> dict[str, Any]:
        return {
            "unsubscribe_url": self.unsubscribe_url,
            "preferences_url": self.preferences_url,
            "why_url": self.why_url,
            "headers": self.headers,
        }


class LinkMaker:
    """Makes links of one workspace.

    Args:
        base_url: Where customers reach the pages; empty: `[attention] public_url`.
    Raises:
        BadInput: no address is named, or it is none.
    """

    def __init__(self, ws: Workspace, *, now: datetime, base_url: str = ""):
        named = base_url or ws.config.attention.public_url
        if not named:
            raise BadInput(
                "where do customers reach the pages? Name it in primeta.toml: [attention] public_url = "
                '"https://mail.shop.example", or give --base-url'
            )
        self.base = public_address(named)
        keys = keys_of(ws.database, now=now)
        with ws.database.read() as connection:
            self.sealer = Sealer(link_secrets(connection, keys))
        self.today: date = ws.day_of(now)

    def links(self, link: Link) -> MessageLinks:
        """Those of one message; the link is dated today.

        Raises:
            BadInput: as `attention.links.packed`.
        """
        stop, choose, why = addresses(self.base, self.sealer.token(link))
        mail = headers(stop) if link.channel.strip().lower() in (*MAIL, "") else {}
        return MessageLinks(unsubscribe_url=stop, preferences_url=choose, why_url=why, headers=mail)


def links_for(
    ws: Workspace,
    customer_id: str,
    *,
    now: datetime,
    channel: str = "",
    purpose: str = "",
    programme: str = "",
    message_id: str = "",
    personalised: bool | None = None,
    base_url: str = "",
) -> MessageLinks:
    """The links of one message to one customer.

    Args:
        channel: Of the message; empty: its link stops all channels.
        personalised: Whether the message uses what is known of the customer; the page that says why tells him.
    Raises:
        BadInput: no public address is named, or a field cannot be carried.
    """
    maker = LinkMaker(ws, now=now, base_url=base_url)
    return maker.links(
        Link(
            customer_id=customer_id,
            channel=channel,
            purpose=purpose,
            programme=programme,
            message_id=message_id,
            personalised=personalised,
            issued=maker.today,
        )
    )


def new_key(ws: Workspace, *, now: datetime) -> int:
    """A new key for links from now on; links of earlier keys go on working for opting out, and show nothing more."""
    keys = keys_of(ws.database, now=now)
    with ws.database.write() as connection:
        return new_link_key(connection, keys, now=now)


def link_file(
    ws: Workspace,
    file: Path,
    *,
    out: Path,
    now: datetime,
    base_url: str = "",
    channel: str = "",
    purpose: str = "",
    programme: str = "",
    personalised: bool | None = None,
    columns: str = "",
    progress: Progress | None = None,
) -> Linked:
    """The rows of a file with the links of each message added.

    Args:
        file: CSV or Parquet with customer_id; READ names what else is taken from it, row by row.
        channel: And `purpose`, `programme`, `personalised`: of rows whose file does not say.
        columns: `canonical=theirs`, for columns of READ.
    Raises:
        NotFound: there is no such file.
        BadTable: it cannot be read, has no column customer_id, or has columns that are added.
        BadInput: no public address; the ending of `out`; a row that cannot be carried, with its number.
    """
    from primeta.workspace.row_files import pieces_of, writer_to

    if not file.exists():
        raise NotFound(f"there is no file {file}")
    if out.suffix.lower() not in (".csv", ".parquet"):
        raise BadInput(f"--out {out}: a name ending in .csv or .parquet was expected")
    maker = LinkMaker(ws, now=now, base_url=base_url)
    names = _names(columns)
    usual = Link(
        customer_id="", channel=channel, purpose=purpose, programme=programme, personalised=personalised,
        issued=maker.today,
    )  # fmt: skip
    unfinished = out.with_name(f".{out.name}.{os.getpid()}.part")
    done, writer = 0, None
    try:
        for piece in pieces_of(file, needs=names["customer_id"], adds=ADDED):
            linked = _linked(piece, names, maker, usual, before=done, file=file)
            writer = writer or writer_to(unfinished, out.suffix, linked.schema)
            writer.write_batch(linked)
            done += piece.num_rows
            if progress is not None:
                progress("links", done, done)
        if writer is None:
            raise BadTable(f"{file}: it holds no rows")
        writer.close()
        os.replace(unfinished, out)
    finally:
        unfinished.unlink(missing_ok=True)
    return Linked(out=out, customers=done, base_url=maker.base, key=maker.sealer.newest)


def _names(columns: str) -> dict[str, str]:
    names = {name: name for name in READ}
    for pair in filter(None, columns.split(",")):
        canonical, sign, theirs = pair.partition("=")
        if not sign or canonical.strip() not in names:
            raise BadInput(f"--columns: one of {', '.join(READ)} = theirs was expected, {pair!r} was given")
        names[canonical.strip()] = theirs.strip()
    return names


def _linked(
    piece: pa.RecordBatch, names: dict[str, str], maker: LinkMaker, usual: Link, *, before: int, file: Path
) -> pa.RecordBatch:
    import pyarrow as pa

    base, seal = maker.base, maker.sealer.token_of
    heads: dict[tuple[str | None, ...], tuple[bytes, bool]] = {}
    columns: tuple[list[str], ...] = ([], [], [], [], [])
    stops, chooses, whys, lists, posts = columns
    for place, row in enumerate(_rows(piece, names), start=before + 1):
        customer_id, message_id, *same = row
        try:
            head = heads.get(tuple(same))
            if head is None:
                head = heads[tuple(same)] = _head(usual, *same)
            token = seal(head[0] + packed_tail(message_id or "", customer_id or ""))
        except BadInput as error:
            raise BadInput(f"{file}, row {place}: {error}") from None
        stop = f"{base}/u/{token}"
        stops.append(stop)
        chooses.append(f"{base}/p/{token}")
        whys.append(f"{base}/w/{token}")
        lists.append(f"<{stop}>" if head[1] else "")
        posts.append(ONE_CLICK if head[1] else "")
    for name, column in zip(ADDED, columns, strict=True):
        piece = piece.append_column(name, pa.array(column, pa.string()))
    return piece


def _head(
    usual: Link,
    channel: str | None,
    purpose: str | None,
    programme: str | None,
    campaign: str | None,
    personalised: str | None,
) -> tuple[bytes, bool]:
    """What the messages of one sort share, and whether they are mails."""
    link = replace(
        usual,
        channel=channel or usual.channel,
        purpose=(purpose or "").strip().lower() or usual.purpose,
        programme=programme or campaign or usual.programme,
        personalised=personalised.strip().lower() in YES if personalised else usual.personalised,
    )
    return packed_head(link), link.channel.strip().lower() in (*MAIL, "")


def _rows(piece: pa.RecordBatch, names: dict[str, str]) -> Iterator[tuple[str | None, ...]]:
    """Of each row what READ names, as text; None: the file has no such column."""
    columns: list[Sequence[str | None]] = []
    for name in READ:
        if names[name] not in piece.schema.names:
            columns.append([None] * piece.num_rows)
            continue
        columns.append([_text(value) for value in piece.column(names[name]).to_pylist()])
    return zip(*columns, strict=True)


def _text(value: Any) -> str:
    """Ids are text; an integral float loses its ".0"."""
    if type(value) is str:
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
