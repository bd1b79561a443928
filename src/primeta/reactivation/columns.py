"""`--columns canonical=theirs,…` as a person types it."""

from __future__ import annotations

from primeta.errors import BadInput


def parse_columns(text: str) -> dict[str, str]:
    """`customer_id=client,ordered_at=date` → canonical name → the name in the file.

    Raises:
        BadInput: a part without `=`, or a name that is given twice.
    """
    found: dict[str, str] = {}
    for part in (entry.strip() for entry in text.split(",")):
        if not part:
            continue
        ours, mark, theirs = (piece.strip() for piece in part.partition("="))
        if not (ours and mark and theirs):
            raise BadInput(
                f"--columns: {part!r} was given; canonical=theirs was expected, such as customer_id=client"
            )
        if ours in found:
            raise BadInput(f"--columns names {ours} twice")
        found[ours] = theirs
    return found
