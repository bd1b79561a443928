"""`primeta attention links`: the addresses by which each customer stops, chooses and asks why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from primeta.cli.terminal import Language, clock, language_of, open_at, progress, put, put_json

Json = Annotated[bool, Parameter(name="--json", negative="", help="One JSON document on standard output.")]


def links(
    directory: Path,
    file: Path | None = None,
    *,
    out: Path | None = None,
    base_url: str = "",
    channel: str = "",
    purpose: str = "",
    programme: str = "",
    personalised: bool | None = None,
    columns: str = "",
    new_key: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
    language: Language = "",
) -> None:
    """Add to each row of a file the links of its message: unsubscribe, preferences, why.

    Parameters
    ----------
    directory:
        The workspace.
    file:
        CSV or Parquet with customer_id, and, where it has them, message_id, channel, purpose, programme, campaign,
        personalised.
    out:
        The file to write, CSV or Parquet.
    base_url:
        Where customers reach the pages; default: public_url in primeta.toml.
    channel:
        Of rows that do not say; without one the link stops all channels.
    purpose:
        Of rows that do not say: service, useful, offer or press.
    programme:
        Of rows that do not say.
    personalised:
        Whether the messages use what is known of the customer, where rows do not say.
    columns:
        canonical=theirs, where the file names its columns otherwise: customer_id=client,message_id=mid.
    new_key:
        Seal links with a new key from now on, and do nothing else.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.attention.link_words import tell
    from primeta.errors import BadInput
    from primeta.workspace import attention_links

    ws = open_at(directory)
    lang = language_of(ws, language)
    if new_key:
        key = attention_links.new_key(ws, now=clock())
        if json:
            put_json({"key": key})
        else:
            put(tell(lang, "new-key", key=key))
        return
    if file is None or out is None:
        raise BadInput(
            "a file with customer_id and --out were expected: primeta attention links DIR FILE --out FILE"
        )
    with progress("links") as step:
        found = ws.link_file(
            file,
            out=out,
            now=clock(),
            base_url=base_url,
            channel=channel,
            purpose=purpose.strip().lower(),
            programme=programme,
            personalised=personalised,
            columns=columns,
            progress=step,
        )
    if json:
        put_json(found.as_dict())
    else:
        put(found.line(lang))
