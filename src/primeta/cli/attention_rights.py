"""`primeta attention dossier | erase | retain`: the rights of a customer in a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from primeta.cli.terminal import Language, clock, language_of, open_at, progress, put, put_json, tell, user

if TYPE_CHECKING:
    from primeta.workspace import Workspace

By = Annotated[str, Parameter(name="--by", help="Who does it; default: the user of this machine.")]
Json = Annotated[bool, Parameter(name="--json", negative="", help="One JSON document on standard output.")]
NOT_DONE = 2
"""Exit status where only a preview was shown."""


def _who(ws: Workspace, customer: str) -> str:
    """The id; where a pseudonym of the pages was given, whose it is."""
    from primeta.errors import NotFound
    from primeta.workspace.attention_customer import is_pseudonym
    from primeta.workspace.attention_find import found_customer

    found, _ = found_customer(ws, customer, now=clock())
    if is_pseudonym(found):
        raise NotFound(f"nobody has the pseudonym {found}; give the customer's id, or look at the page again")
    return found


def erase(
    directory: Path,
    *,
    customer: str,
    reason: str = "",
    request: str = "",
    keep: str = "",
    yes: Annotated[bool, Parameter(negative="")] = False,
    by: By = "",
    json: Json = False,
    language: Language = "",
) -> int:
    """Erase all that is held about one customer; a receipt says what went, what stayed and why.

    Parameters
    ----------
    directory:
        The workspace.
    customer:
        The customer's id, or the pseudonym that pages show.
    reason:
        Why, without anything about him: it stays.
    request:
        The number of his request.
    keep:
        Kinds of entries that the law lets you keep, separated by commas, such as consent.
    yes:
        Do it; without it you are shown what would go.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.workspace.erase import preview

    ws = open_at(directory)
    customer = _who(ws, customer)
    kinds = tuple(kind.strip() for kind in keep.split(",") if kind.strip())
    lang = language_of(ws, language)
    if not yes:
        would = preview(ws, customer, now=clock(), keep=kinds)
        if json:
            put_json(would.as_dict())
            tell(would.line(lang))
        else:
            put(would.line(lang))
        return NOT_DONE
    with progress("erase") as step:
        done = ws.erase(
            customer,
            now=clock(),
            by=by or user(),
            reason=reason,
            request=request,
            keep=kinds,
            progress=step,
        )
    if json:
        put_json(done.as_dict())
    else:
        put(done.text(lang) + "\n" + done.line(lang))
    return 0


def dossier(
    directory: Path,
    *,
    customer: str,
    out: Path,
    request: str = "",
    by: By = "",
    json: Json = False,
    language: Language = "",
) -> None:
    """All that is held about one customer, for that customer: a page that prints and a JSON document.

    Parameters
    ----------
    directory:
        The workspace.
    customer:
        The customer's id, or the pseudonym that pages show.
    out:
        A folder, or a file ending in .zip.
    request:
        The number of his request; it stands in the ledger with who handed it out.
    language:
        en or ru, of the page too; default: the workspace's.
    """
    from primeta.workspace.dossier import hand_out

    ws = open_at(directory)
    lang = language_of(ws, language)
    told = hand_out(ws, _who(ws, customer), out, now=clock(), by=by or user(), request=request, language=lang)
    if json:
        put_json(told.as_dict())
        tell(told.line(lang))
    else:
        put(told.line(lang))


def retain(
    directory: Path,
    *,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    by: By = "",
    json: Json = False,
    language: Language = "",
) -> None:
    """Empty what is older than [attention.retention] allows; safe to repeat and to kill.

    Parameters
    ----------
    directory:
        The workspace.
    dry_run:
        Only say what would go.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.cli.attention import put_table

    ws = open_at(directory)
    with progress("retain") as step:
        done = ws.retain(now=clock(), by=by or user(), dry_run=dry_run, progress=step)
    if json:
        put_json(done.as_dict())
    else:
        put_table(done.table(language_of(ws, language)))
