"""The receipt of an erasure: what went, what stayed and why, as a text, as JSON, and whether it holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from primeta.attention.chain import canonical, numbers_in
from primeta.errors import BadTable
from primeta.show import locale
from primeta.show.locale import Language
from primeta.show.result import plain
from primeta.store.erasure import ErasedEntries, load_erasure, unfinished_erasures
from primeta.store.keys import load_keys
from primeta.store.ledger import load_numbers
from primeta.workspace.files import write_whole
from primeta.workspace.rights_words import name_of, tell

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

FOLDER = "receipts"
FORMAT = 1
MOST_NUMBERS = 5_000
GROUNDS = {
    "consent": "claims", "notice": "claims", "wish": "claims", "wish-confirmed": "claims", "suppressed": "objection",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Rows of the customer in a table or file that is the team's own."""

    what: str
    """Canonical table, or `file`."""
    where: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What an erasure did. It names the customer by nothing but a keyed digest."""

    erased: ErasedEntries
    workspace: str
    elsewhere: tuple[Elsewhere, ...]
    language: Language = "en"
    folder: Path | None = None

    @property
    def name(self) -> str:
        return f"{self.erased.number:08d}"

    @property
    def kept(self) -> tuple[tuple[str, int, str], ...]:
        """(what, how many, ground)."""
        kinds = self.erased.kept_kinds
        return (
            *((kind, count, GROUNDS.get(kind, "asked")) for kind, count in kinds.items()),
            ("digest", 1, "objection"),
            *((("chain", self.erased.entries, "chain"),) if self.erased.entries else ()),
        )

    def as_dict(self) -> dict[str, Any]:
        """The document of `--json`; `seal` is SHA-256 of all else, so that a change shows."""
        told = self.erased
        body = {
            "format": FORMAT,
            "receipt": told.number,
            "workspace": self.workspace,
            "request": told.request,
            "reason": told.reason,
            "by": told.by,
            "erased_at": told.at,
            "emptied": dict(told.kinds),
            "deleted": dict(told.rows),
            "copies": dict(told.copies),
            "kept": [{"what": what, "count": count, "ground": ground} for what, count, ground in self.kept],
            "elsewhere": [{"what": one.what, "where": one.where, "rows": one.rows} for one in self.elsewhere],
            "digest": told.digest,
            "entry": told.number,
            "chain": told.chain,
        }
        return {**body, "seal": seal_of(plain(body))}

    def line(self, lang: str = "en") -> str:
        told = self.erased
        left = sum(one.rows for one in self.elsewhere)
        said = [tell(lang, "receipt.resumed")] if told.resumed else []
        said.append(
            tell(
                lang,
                "receipt.line",
                entries=locale.number(told.entries, lang),
                rows=locale.number(sum(told.rows.values()), lang),
                copies=locale.number(sum(told.copies.values()), lang),
                file=f"{FOLDER}/{self.name}.json",
            )
        )
        if left:
            said.append(tell(lang, "receipt.left", rows=locale.number(left, lang)))
        return "\n".join(said)

    def text(self, lang: str) -> str:
        """For the person and for the file."""
        told, document = self.erased, self.as_dict()
        lines = [tell(lang, "receipt").upper(), ""]
        for code, value in (
            ("number", self.name),
            ("workspace", self.workspace),
            ("request", told.request),
            ("at", plain(told.at)),
            ("by", told.by),
            ("reason", told.reason),
        ):
            if value:
                lines.append(f"{tell(lang, f'receipt.{code}')}: {value}")
        for code, counts in (("emptied", told.kinds), ("rows", told.rows), ("copies", told.copies)):
            lines += ["", tell(lang, f"receipt.{code}")]
            lines += [
                f"  {name_of(lang, name)}: {locale.number(count, lang)}" for name, count in counts.items()
            ]
            if not counts:
                lines.append("  " + tell(lang, "receipt.nothing"))
        lines += ["", tell(lang, "receipt.kept")]
        for what, count, ground in self.kept:
            name = tell(lang, f"kept.{what}") if what in ("digest", "chain") else name_of(lang, what)
            lines.append(f"  {name}: {locale.number(count, lang)} — {tell(lang, f'ground.{ground}')}")
        if self.elsewhere:
            lines += ["", tell(lang, "receipt.elsewhere")]
            for one in self.elsewhere:
                counted = tell(lang, "rows", rows=locale.number(one.rows, lang))
                lines.append(f"  {name_of(lang, one.what)}, {one.where}: {counted}")
            lines.append("  " + tell(lang, "elsewhere.note"))
        lines += [
            "",
            f"{tell(lang, 'receipt.digest')}: {told.digest}",
            f"{tell(lang, 'receipt.chain', number=told.number)}: {told.chain}",
            f"{tell(lang, 'receipt.seal')}: {document['seal']}",
            tell(lang, "receipt.verify"),
        ]
        return "\n".join(lines) + "\n"


def seal_of(body: Mapping[str, Any]) -> str:
    """SHA-256 of a receipt without its seal, as canonical JSON."""
    return hashlib.sha256(canonical(dict(body)).encode("utf-8", "surrogatepass")).hexdigest()


def write_receipt(ws: Workspace, receipt: Receipt) -> Path:
    """JSON and a text in both languages under `receipts/`; written again, the same."""
    folder = ws.folder / FOLDER
    folder.mkdir(exist_ok=True)
    document = json.dumps(plain(receipt.as_dict()), ensure_ascii=False, indent=2) + "\n"
    for lang in ("en", "ru"):
        write_whole(folder / f"{receipt.name}.{lang}.txt", receipt.text(lang))
    write_whole(folder / f"{receipt.name}.json", document)
    return folder / f"{receipt.name}.json"


def receipts(ws: Workspace) -> tuple[dict[str, Any], ...]:
    """Receipts of the workspace, the newest first."""
    found: list[dict[str, Any]] = []
    for file in sorted((ws.folder / FOLDER).glob("*.json"), reverse=True):
        try:
            found.append(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            continue
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptChecked:
    """Whether a receipt fits the ledger."""

    number: int
    faults: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        return not self.faults

    def line(self, lang: str = "en") -> str:
        if self.ok:
            return tell(lang, "verified", number=self.number)
        return tell(lang, "refuted", faults="; ".join(tell(lang, f"fault.{code}") for code in self.faults))

    def as_dict(self) -> dict[str, Any]:
        return {"ok": self.ok, "entry": self.number, "faults": list(self.faults)}


def verify_receipt(ws: Workspace, file: Path, *, customer_id: str = "") -> ReceiptChecked:
    """Whether a receipt is as it was written, the ledger holds what it says, and what it names is empty.

    Args:
        customer_id: Whether it is of this customer, too.
    Raises:
        BadTable: the file is no receipt.
    """
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        number, digest, chain = int(told["entry"]), str(told["digest"]), str(told["chain"])
        emptied, seal = sum(int(count) for count in told["emptied"].values()), str(told["seal"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadTable(
            f"{file}: no receipt ({type(error).__name__}: {error}); expected the JSON that `primeta attention erase` writes "
            f"under {FOLDER}/"
        ) from None
    faults: list[str] = []
    if seal_of({name: value for name, value in told.items() if name != "seal"}) != seal:
        faults.append("seal")
    with ws.database.read() as connection:
        keys = load_keys(connection)
        entries = load_numbers(connection, [number])
        kept = load_erasure(connection, number)
        unfinished = number in unfinished_erasures(connection)
        entry = entries[0] if entries else None
        if entry is None or entry.kind != "erased" or kept is None:
            faults.append("entry")
        else:
            if entry.chain != chain:
                faults.append("chain")
            if entry.payload.get("digest") != digest:
                faults.append("digest")
            numbers = sorted(numbers_in(entry.payload.get("numbers", ()), below=number))
            if len(numbers) != emptied:
                faults.append("counts")
            for at in range(0, len(numbers), MOST_NUMBERS):
                if any(one.salt for one in load_numbers(connection, numbers[at : at + MOST_NUMBERS])):
                    faults.append("not-empty")
                    break
            if unfinished:
                faults.append("unfinished")
    if customer_id and (keys is None or keys.suppression_digest(customer_id).hex() != digest):
        faults.append("customer")
    return ReceiptChecked(number=number, faults=tuple(faults))


def when(told: datetime, lang: str, ws: Workspace) -> str:
    """A moment in the workspace's zone."""
    return locale.moment(told, lang, ws.config.zone)
