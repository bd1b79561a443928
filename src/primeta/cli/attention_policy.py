"""`primeta attention policy` and `consents coverage`, `consents of`: the rules of sending, and who agreed to what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from primeta.cli.attention import put_table
from primeta.cli.terminal import Language, clock, language_of, open_at, progress, put, put_json, user

By = Annotated[str, Parameter(name="--by", help="Who does it; default: the user of this machine.")]
Json = Annotated[bool, Parameter(name="--json", negative="", help="One JSON document on standard output.")]
Flag = Annotated[bool, Parameter(negative="")]


def policy(
    directory: Path,
    *,
    draft: Path | None = None,
    replay: Flag = False,
    switch_on: int | None = None,
    without_replay: str = "",
    version: int | None = None,
    drop: int | None = None,
    by: By = "",
    json: Json = False,
    language: Language = "",
) -> None:
    """The rules of sending: what is in force, a draft, its replay over the log, switching on.

    Parameters
    ----------
    directory:
        The workspace.
    draft:
        A TOML file with the keys of [attention]: it becomes the draft; nothing that is sent changes.
    replay:
        Hold the draft against the log of messages, beside the rules in force.
    switch_on:
        Number of the draft that comes into force as the next version.
    without_replay:
        With --switch-on: why, though it was not replayed over today's log.
    version:
        An earlier version that comes into force again.
    drop:
        Number of the draft that is not wanted.
    language:
        en or ru; default: the workspace's.
    """
    from primeta.attention.replay import read_policy
    from primeta.errors import BadInput
    from primeta.workspace import attention_policy as verbs
    from primeta.workspace.attention_kept import keep_drafts

    if sum(act is not None for act in (switch_on, version, drop)) > 1:
        raise BadInput("--switch-on, --version and --drop exclude each other: give one of them")
    if without_replay and switch_on is None:
        raise BadInput("--without-replay belongs to --switch-on")
    ws, who, now = open_at(directory), by or user(), clock()
    if draft is not None:
        ws.save_policy_draft(read_policy(draft), by=who, now=now)
    if replay:
        verbs.ask_draft_replay(ws, by=who, now=now)
        with progress("replay") as step:
            keep_drafts(ws, now=now, by=who, progress=step)
    if switch_on is not None:
        ws.switch_policy(switch_on, by=who, now=clock(), without_replay=without_replay)
    if version is not None:
        in_force = ws.policy_book(now=now).in_force.policy.version
        verbs.switch_back(ws, version, read=in_force, by=who, now=clock())
    if drop is not None:
        verbs.drop_draft(ws, drop, by=who, now=clock())
    book = ws.policy_book(now=clock())
    if json:
        put_json(book.as_dict())
        return
    lang = language_of(ws, language)
    put_table(book.table(lang))
    for table in (book.draft_table(lang), book.replay_table(lang)):
        if table is not None:
            put("\n" + table.text())


def coverage(
    directory: Path, *, count: Flag = False, by: By = "", json: Json = False, language: Language = ""
) -> None:
    """How far consents to marketing reach, by channel, and what contradicts.

    Parameters
    ----------
    directory:
        The workspace.
    count:
        Count now; without it what the last sync, import or job counted is shown.
    language:
        en or ru; default: the workspace's.
    """
    ws = open_at(directory)
    if count:
        with progress("consents") as step:
            ws.count_consents(now=clock(), by=by or user(), progress=step)
    found = ws.coverage()
    if json:
        put_json(found.as_dict())
    else:
        put_table(found.table(language_of(ws, language)))


def of(directory: Path, *, customer: str, json: Json = False, language: Language = "") -> None:
    """What one customer said about being written to, each with its proof, checked.

    Parameters
    ----------
    directory:
        The workspace.
    customer:
        His pseudonym or his id.
    language:
        en or ru; default: the workspace's.
    """
    ws = open_at(directory)
    found = ws.customer_proofs(customer, now=clock())
    if json:
        put_json(found.as_dict())
    else:
        put_table(found.table(language_of(ws, language), zone=ws.config.zone))
