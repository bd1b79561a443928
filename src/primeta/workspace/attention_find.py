"""Whom a person means: by the pseudonym that pages show, or by the id that the tables hold."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from primeta.store.attention_state import customer_of
from primeta.store.keys import keys_of

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

_LIKE_PSEUDONYM = re.compile(r"c-?([0-9a-z]{4})-?([0-9a-z]{4})-?([0-9a-z]{4})", re.IGNORECASE)


def found_customer(ws: Workspace, said: str, *, now: datetime) -> tuple[str, str]:
    """(id, pseudonym) of a customer. What is no pseudonym of anybody is taken for an id, known or not."""
    text = said.strip()
    like = _LIKE_PSEUDONYM.fullmatch(text)
    if like:
        # As read out on the telephone: small letters, without hyphens.
        pseudonym = "C-" + "-".join(part.upper() for part in like.groups())
        with ws.database.read() as connection:
            customer = customer_of(connection, pseudonym)
        if customer:
            return customer, pseudonym
    return text, keys_of(ws.database, now=now).pseudonym(text)
