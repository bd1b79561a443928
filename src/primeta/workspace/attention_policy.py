"""The rules of sending: the version in force, those before it, and a draft that is replayed before it is switched on.

File and page may both speak. What was changed last holds: a version of the page stays in force until `[attention]` of
`primeta.toml` says something that it did not say before; then the file's is taken over as the next version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from primeta.attention.policy import impossible, policy_from, policy_values, seal_of
from primeta.attention.policy_words import changes, rules
from primeta.attention.records import Policy
from primeta.errors import BadInput, Conflict, NotFound, Refused
from primeta.show import locale
from primeta.show.locale import Language
from primeta.show.result import Head, Table
from primeta.store.attention_drafts import (
    KeptDraft,
    changed_draft,
    load_draft,
    newest_number,
    save_draft,
    settle_draft,
)
from primeta.store.policies import KeptPolicy, load_policies, newest_policy, save_policy
from primeta.store.replays import KeptReplay
from primeta.store.trends import add_audit
from primeta.workspace.attention_kept import ask_replay, current_mark, kept_replays
from primeta.workspace.may_send import policy_in_force, promises_in_force

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyBook:
    """All that there is about the rules of sending."""

    versions: tuple[KeptPolicy, ...]
    """The newest, which is in force, first."""
    differs: bool
    """`[attention]` of the file says something else than what is in force."""
    draft: KeptDraft | None
    read: int
    """Number of the newest save of a draft, whatever became of it: who saves names it."""
    replay: KeptReplay | None
    """Of the draft over today's log; without a document it waits for its turn."""
    beside: KeptReplay | None
    """Of the policy in force over the same log."""
    old: bool = False
    """The draft was replayed, but facts, promises or rules have moved on since."""
    currency: str = "USD"

    @property
    def in_force(self) -> KeptPolicy:
        return self.versions[0]

    @property
    def ready(self) -> bool:
        """Whether the draft may be switched on without a reason in writing."""
        return self.draft is not None and self.replay is not None and self.replay.document is not None

    def line(self, lang: Language = "en") -> str:
        """One line for a chat."""
        said = {
            "en": "Version {n} is in force, since {at:%Y-%m-%d}, by {by}.",
            "ru": "Действует версия {n}, с {at:%Y-%m-%d}, автор: {by}.",
        }
        return said[lang].format(n=self.in_force.policy.version, at=self.in_force.at, by=self.in_force.by) + (
            "" if self.draft is None else DRAFTED[lang].format(by=self.draft.by)
        )

    def table(self, lang: Language = "en") -> Table:
        """The rules in force, sentence by sentence."""
        rows = [
            (rule.title if not place else "", said)
            for rule in rules(self.in_force.policy, lang, currency=self.currency)
            for place, said in enumerate(rule.sentences)
        ]
        return Table(
            heads=(Head(WORDS["rule"][lang]), Head(WORDS["now"][lang])),
            rows=tuple(rows),
            note=self.line(lang),
        )

    def draft_table(self, lang: Language = "en") -> Table | None:
        """What the draft changes; None: there is none."""
        if self.draft is None:
            return None
        heads = (Head(WORDS["rule"][lang]), Head(WORDS["now"][lang]), Head(WORDS["draft"][lang]))
        rows = tuple(
            (change.title, " ".join(change.before), " ".join(change.after))
            for change in changes(self.in_force.policy, self.draft.policy, lang, currency=self.currency)
        )
        note = WORDS["number"][lang].format(n=self.draft.number, by=self.draft.by)
        return Table(heads=heads, rows=rows, note=note)

    def replay_table(self, lang: Language = "en") -> Table | None:
        """What the draft would have done to the log, beside the rules in force; None: it was not replayed."""
        if self.replay is None or self.replay.document is None:
            return None
        draft = self.replay.document["policy"]
        beside = self.beside.document["policy"] if self.beside and self.beside.document else None
        others = {row["promise"]: row["after"] for row in (beside or {}).get("broken", ())}

        def n(value: float | None) -> str:
            return "" if value is None else locale.number(value, lang)

        rows = [
            (
                WORDS["sent"][lang],
                n(draft["sends"]),
                n(None if beside is None else beside["sends"] - beside["stopped"]),
                n(draft["sends"] - draft["stopped"]),
            )
        ]
        rows += [
            (
                WORDS["broken"][lang].format(name=row["promise"]),
                n(row["before"]),
                n(others.get(row["promise"])),
                n(row["after"]),
            )
            for row in draft["broken"]
        ]
        heads = tuple(
            Head(WORDS[code][lang] if code else "", "right" if code else "left")
            for code in ("", "was", "now", "draft")
        )
        return Table(heads=heads, rows=tuple(rows))

    def as_dict(self) -> dict[str, Any]:
        """The document of `--json`."""
        return {
            "in_force": _told(self.in_force),
            "versions": [_told(kept) for kept in self.versions],
            "differs": self.differs,
            "read": self.read,
            "draft": None
            if self.draft is None
            else {
                "number": self.draft.number,
                "base": self.draft.base,
                "by": self.draft.by,
                "at": self.draft.at,
                "policy": policy_values(self.draft.policy),
                "ready": self.ready,
                "replay": _replayed(self.replay),
            },
            "beside": _replayed(self.beside),
        }


WORDS: dict[str, dict[str, str]] = {
    "rule": {"en": "Rule", "ru": "Правило"},
    "was": {"en": "As it was", "ru": "Как было"},
    "now": {"en": "In force", "ru": "Действует"},
    "draft": {"en": "Draft", "ru": "Черновик"},
    "number": {
        "en": "Draft number {n} by {by}; it holds once it is switched on.",
        "ru": "Черновик номер {n}, автор: {by}; он начнёт действовать, когда его включат.",
    },
    "sent": {"en": "Messages sent", "ru": "Отправлено сообщений"},
    "broken": {"en": "Promise broken: {name}", "ru": "Нарушено обещание: {name}"},
}
DRAFTED = {"en": " {by} is writing a draft.", "ru": " Есть черновик, автор: {by}."}


def _told(kept: KeptPolicy) -> dict[str, Any]:
    return {
        "version": kept.policy.version,
        "origin": kept.origin,
        "by": kept.by,
        "at": kept.at,
        "note": kept.note,
        "policy": policy_values(kept.policy),
    }


def _replayed(kept: KeptReplay | None) -> dict[str, Any] | None:
    """None: not asked for; `policy` null: it waits."""
    if kept is None:
        return None
    return {"at": kept.at, "policy": kept.document["policy"] if kept.document else None}


def policy_book(ws: Workspace, *, now: datetime) -> PolicyBook:
    """The rules in force, earlier ones, the draft and its replay.

    Raises:
        BadConfig: `[attention]` cannot be used.
    """
    policy_in_force(ws, now=now, promises=promises_in_force(ws))
    declared = policy_from(ws.config.attention.policy)
    with ws.database.read() as connection:
        versions = load_policies(connection)
        draft, read = load_draft(connection), newest_number(connection)
    replay = beside = None
    old = False
    if draft is not None:
        mark = current_mark(ws, now=now)
        for kept in kept_replays(ws):
            if kept.mark != mark:
                old = old or kept.seal == draft.seal
            elif kept.seal == draft.seal:
                replay = replay or kept
            elif kept.seal == versions[0].seal:
                beside = beside or kept
    return PolicyBook(
        versions=versions,
        differs=seal_of(declared) != versions[0].seal,
        draft=draft,
        read=read,
        replay=replay,
        beside=beside,
        old=old and replay is None,
        currency=ws.config.currency,
    )


def save_policy_draft(
    ws: Workspace,
    policy: Policy | Mapping[str, Any],
    *,
    by: str,
    now: datetime,
    read: int | None = None,
    base: int | None = None,
) -> KeptDraft:
    """Keep a policy as the draft; nothing that is sent changes.

    Args:
        policy: A policy, or the keys of `[attention]`.
        read: Number of the newest save of a draft that its writer has seen; None: he does not mind.
        base: Version in force that he has seen; None: he does not mind.
    Raises:
        BadInput: a key is wrong, or no message would ever be allowed.
        Conflict: somebody saved another draft or switched another version on meanwhile.
        Refused: it says what is in force already.
    """
    made = policy_from(policy) if isinstance(policy, Mapping) else policy
    who = _named(by)
    promises = promises_in_force(ws)
    in_force = policy_in_force(ws, now=now, promises=promises)
    if why := impossible(made, promises, now=now):
        raise BadInput(why)
    _same_base(ws, in_force, base)
    if seal_of(made) == seal_of(in_force):
        raise Refused(f"this is what version {in_force.version} says already; change something first")
    with ws.database.write() as connection:
        kept = save_draft(
            connection,
            made,
            base=in_force.version,
            read=newest_number(connection) if read is None else read,
            by=who,
            now=now,
        )
        add_audit(connection, who=who, verb="attention draft", what={"number": kept.number}, at=now)
    return kept


def drop_draft(ws: Workspace, number: int, *, by: str, now: datetime) -> None:
    """The draft is not wanted; what was saved stays in the state.

    Raises:
        Conflict: it is not the newest any more.
    """
    who = _named(by)
    with ws.database.write() as connection:
        settle_draft(connection, number, "dropped")
        add_audit(connection, who=who, verb="attention drop", what={"number": number}, at=now)


def ask_draft_replay(ws: Workspace, *, by: str, now: datetime) -> None:
    """Ask for the replay of the draft and, beside it, of the policy in force; the job `attention-draft` does both.

    Raises:
        NotFound: there is no draft, or messages are not mapped.
    """
    book = policy_book(ws, now=now)
    if book.draft is None:
        raise NotFound("there is no draft to replay; save one first")
    if "messages" not in ws.config.tables:
        raise NotFound(
            f"{ws.config.path}: messages are not mapped, so there is no log to replay; map them under "
            "[tables.messages]"
        )
    ask_replay(ws, policy_values(book.draft.policy), by=by, now=now)
    ask_replay(ws, policy_values(book.in_force.policy), by=by, now=now)


def switch_on(ws: Workspace, number: int, *, by: str, now: datetime, without_replay: str = "") -> KeptPolicy:
    """The draft becomes the next version, in force at once.

    Args:
        number: Of the draft as it was read.
        without_replay: Why it is switched on though its replay over today's log is not there.
    Raises:
        Conflict: another draft was saved, or another version switched on, since.
        Refused: there is no finished replay of today's log, and no reason in writing.
        BadInput: no message would ever be allowed under today's promises.
    """
    who, reason = _named(by), without_replay.strip()
    book = policy_book(ws, now=now)
    if book.draft is None or book.draft.number != number:
        with ws.database.read() as connection:
            raise changed_draft(connection)
    _same_base(ws, book.in_force.policy, book.draft.base)
    if not book.ready and not reason:
        raise Refused(
            "the draft was not replayed over today's log; replay it first, or say in writing why it is switched on "
            "without"
        )
    if why := impossible(book.draft.policy, promises_in_force(ws), now=now):
        raise BadInput(why)
    with ws.database.write() as connection:
        _still(connection, book)
        settle_draft(connection, number, "on")
        kept = save_policy(
            connection,
            book.draft.policy,
            origin="page",
            by=who,
            now=now,
            note="" if book.ready else reason,
        )
        add_audit(connection, who=who, verb="attention switch", what={"version": kept.policy.version}, at=now)
    return kept


def switch_back(ws: Workspace, version: int, *, read: int, by: str, now: datetime) -> KeptPolicy:
    """An earlier version comes into force again, as a version of its own.

    Args:
        read: Version in force that was seen.
    Raises:
        NotFound: there is no such version.
        Conflict: another version is in force meanwhile.
        BadInput: no message would ever be allowed under today's promises.
        Refused: it is in force.
    """
    who = _named(by)
    book = policy_book(ws, now=now)
    wanted = next((kept for kept in book.versions if kept.policy.version == version), None)
    if wanted is None:
        raise NotFound(f"there is no version {version} of the policy; there are 1 to {len(book.versions)}")
    _same_base(ws, book.in_force.policy, read)
    if wanted.seal == book.in_force.seal:
        raise Refused(f"version {book.in_force.policy.version} says what version {version} says")
    if why := impossible(wanted.policy, promises_in_force(ws), now=now):
        raise BadInput(why)
    with ws.database.write() as connection:
        _still(connection, book)
        kept = save_policy(
            connection, wanted.policy, origin="page", by=who, now=now, note=f"{RETURN}{version}"
        )
        add_audit(connection, who=who, verb="attention switch", what={"version": kept.policy.version}, at=now)
    return kept


RETURN = "= "
"""A note that begins so names the earlier version that is in force again."""


def _still(connection: Any, book: PolicyBook) -> None:
    newest = newest_policy(connection)
    if newest is None or newest.policy.version != book.in_force.policy.version:
        raise Conflict("another version was switched on just now; look at it first")


def _same_base(ws: Workspace, in_force: Policy, base: int | None) -> None:
    if base is None or base == in_force.version:
        return
    with ws.database.read() as connection:
        newest = newest_policy(connection)
    by = newest.by if newest else "somebody"
    raise Conflict(
        f"{by} put version {in_force.version} in force meanwhile; look at it first, then save or switch on again"
    )


def _named(by: str) -> str:
    if not by.strip():
        raise BadInput("say who you are: rules of sending are changed by a named person")
    return by.strip()


def what_changed(book: PolicyBook, lang: Language) -> dict[int, Any]:
    """Version → what it changed of the one before."""
    return {
        later.policy.version: changes(earlier.policy, later.policy, lang, currency=book.currency)
        for later, earlier in zip(book.versions, book.versions[1:], strict=False)
    }
