"""A world of attention as a workspace folder: tables, promises, and in truth.json what is true of it."""

from __future__ import annotations

import errno
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from primeta.config import FILE_NAME
from primeta.errors import BadInput, DiskFull
from primeta.worlds.attention import CHANNELS, COST, PURPOSES, START, AttentionWorld
from primeta.worlds.attention_texts import message_texts
from primeta.worlds.company_files import TRUTH, check_free

PROMISES = "promises.json"
TRUTH_TOUCHES = "truth_touches.parquet"
TRUTH_CUSTOMERS = "truth_customers.parquet"
DAY_US = 86_400_000_000
START_US = int((START - START.replace(year=1970, month=1, day=1)).total_seconds()) * 1_000_000
PROMISED: tuple[dict[str, Any], ...] = (
    {
        "promise": "few-offers",
        "text": "At most two offers a week by push.",
        "channel": "push",
        "purpose": "offer",
        "customers": "all",
        "max": 2,
        "window": "7d",
        "valid_from": START.date().isoformat(),
        "valid_to": None,
    },
    {
        "promise": "four-a-week",
        "text": "No more than four emails in any week.",
        "channel": "email",
        "purpose": None,
        "customers": "all",
        "max": 4,
        "window": "7d",
        "valid_from": START.date().isoformat(),
        "valid_to": None,
    },
)

CONSENT = "I agree to be written to by this shop with news and offers. I may change my mind at any time."
_CONSENT_STREAM = 13
"""Of random numbers, beside those of the world itself: the same seed draws the same world."""
UNPROVEN, EMAIL_ONLY = 0.06, 0.04
"""Shares of customers whose consents came from an older system without their text, and who agreed to email alone."""

_TOML = """\
# Simulated customers who are written to: {customers} of them, {weeks} weeks, seed {seed}, form "{form}".
# What is true of them stands in {truth}; nothing of that is used.

[workspace]
name = "{name}"
language = "en"
currency = "USD"
timezone = "UTC"
margin = 0.35
today = "facts"

[tables.customers]
from = "data/customers.parquet"

[tables.messages]
from = "data/messages.parquet"

[tables.reactions]
from = "data/reactions.parquet"

[tables.consents]
from = "data/consents.parquet"

[attention]
promises = "{promises}"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeAttention:
    """What was written."""

    directory: Path
    form: str
    customers: int
    seed: int
    rows: dict[str, int]
    command: str

    def line(self, lang: str = "en") -> str:
        """One sentence for the terminal, and the command that replays the log."""
        messages, reactions = self.rows["messages"], self.rows["reactions"]
        if lang == "ru":
            return (
                f"{self.directory}: мир внимания «{self.form}», клиентов {self.customers:_}, сообщений {messages:_}, "
                f"реакций {reactions:_}; что в нём верно, записано в {TRUTH}".replace("_", "\u00a0")
                + f"\n{self.command}"
            )
        return (
            f"{self.directory}: the world of attention {self.form!r}, {self.customers:,} customers, {messages:,} "
            f"messages, {reactions:,} reactions; what is true of it stands in {TRUTH}\n{self.command}"
        )

    def as_dict(self) -> dict[str, object]:
        return {
            "directory": str(self.directory),
            "form": self.form,
            "customers": self.customers,
            "seed": self.seed,
            "rows": self.rows,
            "command": self.command,
        }


def microseconds(days: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.int64]:
    return np.round(np.asarray(days) * DAY_US).astype(np.int64)


def attention_tables(world: AttentionWorld) -> dict[str, pa.Table]:
    """`customers`, `messages`, `reactions`, `consents` with canonical columns; machine opens and a few machine clicks too."""
    rng = np.random.default_rng([world.seed, 7])
    n = len(world.sent)
    moment = pa.timestamp("us", tz="UTC")
    sent = START_US + microseconds(world.sent)
    ids = np.array([f"m{number:09d}" for number in range(n)], dtype=object)
    customers = np.array([f"c{number:07d}" for number in range(world.customers)], dtype=object)
    purpose = np.array(PURPOSES, dtype=object)[world.purpose]
    campaign = np.where(
        world.campaign >= 0, np.char.add("k", np.char.zfill(world.campaign.astype(str), 4)), ""
    )
    programme = np.where(world.campaign >= 0, np.where(world.purpose == 1, "digest", "sales"), "triggered")
    title, text = message_texts(world)
    messages = pa.table(
        {
            "message_id": pa.array(ids, type=pa.string()),
            "customer_id": pa.array(customers[world.customer]),
            "sent_at": pa.array(sent, type=moment),
            "channel": pa.array(np.array(CHANNELS, dtype=object)[world.channel]),
            "campaign": pa.array(campaign.astype(object)),
            "programme": pa.array(programme.astype(object)),
            "purpose": pa.array(purpose),
            "cost": pa.array(np.array(COST)[world.channel]),
            "withheld": pa.array(world.withheld),
            "probability": pa.array(world.probability, from_pandas=True),
            "title": pa.array(title),
            "text": pa.array(text),
        }
    )
    went = ~world.withheld
    glad = went & np.isfinite(world.welcomed)
    left = went & np.isfinite(world.drove)
    reply = glad & (rng.random(n) < 0.05)
    complained = left & (rng.random(n) < 0.15)
    scanned = went & (world.channel == 0) & (rng.random(n) < 0.4)
    clicked_by_machine = scanned & (rng.random(n) < 0.05)
    soon = np.full(n, 15 / 86_400)
    looked = went & (glad | ((rng.random(n) < 0.3) & ~world.blind))
    parts = (
        ("delivered", went, np.full(n, 2 / 86_400), False),
        ("opened", scanned, soon, True),
        ("clicked", clicked_by_machine, soon, True),
        ("opened", looked, np.where(glad, 0.9 * np.nan_to_num(world.welcomed), 0.2), False),
        ("clicked", glad & ~reply, world.welcomed, False),
        ("replied", reply, world.welcomed, False),
        ("unsubscribed", left & ~complained, world.drove, False),
        ("complained", complained, world.drove, False),
    )
    reactions = pa.concat_tables(
        [
            pa.table(
                {
                    "message_id": pa.array(ids[rows], type=pa.string()),
                    "kind": pa.array([kind] * int(rows.sum()), type=pa.string()),
                    "happened_at": pa.array(sent[rows] + microseconds(delay[rows]), type=moment),
                    "machine": pa.array([machine] * int(rows.sum()), type=pa.bool_()),
                }
            )
            for kind, rows, delay, machine in parts
        ]
    )
    reactions = reactions.filter(
        pc.less_equal(  # pyright: ignore[reportAttributeAccessIssue]
            reactions.column("happened_at"),
            pa.scalar(START_US + microseconds(np.array(world.days)).item(), type=moment),
        )
    )
    # Who was there at the start registered the day before; the others when they joined.
    registered = START_US + microseconds(np.where(world.joined > 0, world.joined, -1.0))
    people = pa.table(
        {
            "customer_id": pa.array(customers),
            "registered_at": pa.array(registered, type=moment),
            "timezone": pa.array(["UTC"] * world.customers),
        }
    )
    return {
        "customers": people,
        "messages": messages,
        "reactions": reactions,
        "consents": _consents(world, customers, registered),
    }


def _consents(world: AttentionWorld, customers: npt.NDArray[Any], registered: npt.NDArray[Any]) -> pa.Table:
    """What customers agreed to when they registered: most with proof, some from an older system without."""
    drawn = np.random.default_rng([world.seed, _CONSENT_STREAM]).random(world.customers)
    person = np.repeat(np.arange(world.customers), len(CHANNELS))
    channel = np.tile(np.array(CHANNELS, dtype=object), world.customers)
    asked = (drawn[person] >= EMAIL_ONLY) | (channel == "email")
    person, channel = person[asked], channel[asked]
    proven = drawn[person] < 1 - UNPROVEN
    n = len(person)

    def where_proven(value: str) -> pa.Array:
        return pa.array([value if has else None for has in proven.tolist()], type=pa.string())

    return pa.table(
        {
            "customer_id": pa.array(customers[person]),
            "processing": pa.array(["marketing"] * n),
            "channel": pa.array(channel),
            "state": pa.array(["given"] * n),
            "happened_at": pa.array(registered[person], type=pa.timestamp("us", tz="UTC")),
            "text": where_proven(CONSENT),
            "version": where_proven("2025-01"),
            "surface": where_proven("registration form"),
            "language": where_proven("en"),
        }
    )


def broken_messages(world: AttentionWorld) -> dict[str, list[str]]:
    """Message ids that break each of `PROMISED`: the n+1st and every later one in a rolling window of 7 days.

    A window is half open: a message exactly seven days later stands outside it.
    """
    sent = START_US + microseconds(world.sent)
    found: dict[str, list[str]] = {}
    for promise in PROMISED:
        rows = ~world.withheld & (world.channel == CHANNELS.index(promise["channel"]))
        if promise["purpose"]:
            rows &= world.purpose == PURPOSES.index(promise["purpose"])
        index = np.flatnonzero(rows)
        index = index[np.lexsort((index, sent[index], world.customer[index]))]
        broken: list[str] = []
        most = int(promise["max"])
        for place in range(most, len(index)):
            first = index[place - most]
            this = index[place]
            if world.customer[first] == world.customer[this] and sent[this] - sent[first] < 7 * DAY_US:
                broken.append(f"m{this:09d}")
        found[promise["promise"]] = sorted(broken)
    return found


def attention_truth(world: AttentionWorld) -> dict[str, Any]:
    """The document of `truth.json`; probabilities of single touches and customers stand in Parquet beside it."""
    went = ~world.withheld
    active = np.zeros((world.customers, len(CHANNELS)), dtype=bool)
    active[world.customer[went], world.channel[went]] = True
    blind = np.isfinite(world.blind_since) & active & ~world.gone
    return {
        "version": 1,
        "form": world.form,
        "customers": world.customers,
        "seed": world.seed,
        "weeks": world.weeks,
        "until": world.at(world.days).isoformat(),
        "welcome": float(np.nanmean(world.welcome[went])),
        "drive_away": float(np.nanmean(world.drive_away[went])),
        "blind_share": float(blind.sum() / max((active & ~world.gone).sum(), 1)),
        "opted_out": int(world.gone.sum()),
        "broken": broken_messages(world),
        "touches": TRUTH_TOUCHES,
        "per_customer": TRUTH_CUSTOMERS,
    }


def truth_tables(world: AttentionWorld) -> dict[str, pa.Table]:
    """True probabilities: of each touch, and of a useful touch to each customer at the end of the log."""
    n = len(world.sent)
    people = np.repeat(np.arange(world.customers), len(CHANNELS))
    return {
        TRUTH_TOUCHES: pa.table(
            {
                "message_id": pa.array([f"m{number:09d}" for number in range(n)]),
                "welcome": pa.array(world.welcome, from_pandas=True),
                "drive_away": pa.array(world.drive_away, from_pandas=True),
                "blind": pa.array(world.blind),
            }
        ),
        TRUTH_CUSTOMERS: pa.table(
            {
                "customer_id": pa.array([f"c{number:07d}" for number in people]),
                "channel": pa.array(np.tile(np.array(CHANNELS, dtype=object), world.customers)),
                "welcome": pa.array(world.useful.ravel()),
                "drive_away": pa.array(world.useful_drive.ravel()),
                "credit": pa.array((world.useful * (1 - world.useful_drive)).ravel()),
                "blind_since": pa.array(
                    [None if np.isnan(day) else world.at(float(day)) for day in world.blind_since.ravel()],
                    type=pa.timestamp("us", tz="UTC"),
                ),
                "opted_out": pa.array(world.gone.ravel()),
            }
        ),
    }


def write_attention(world: AttentionWorld, directory: Path) -> MadeAttention:
    """Write a world as a workspace folder, whole or not at all.

    Raises:
        Conflict: `directory` holds something else than a simulated world.
        DiskFull: no room.
    """
    check_free(directory)
    data, part = directory / "data", directory / "data.part"
    tables = attention_tables(world)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        for name, table in tables.items():
            pq.write_table(table, part / f"{name}.parquet", compression="zstd")
        shutil.rmtree(data, ignore_errors=True)
        os.replace(part, data)
        for name, table in truth_tables(world).items():
            pq.write_table(table, directory / name, compression="zstd")
        for name, document in ((PROMISES, list(PROMISED)), (TRUTH, attention_truth(world))):
            draft = directory / f"{name}.part"
            draft.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            os.replace(draft, directory / name)
        (directory / FILE_NAME).write_text(
            _TOML.format(
                customers=world.customers,
                weeks=world.weeks,
                seed=world.seed,
                form=world.form,
                truth=TRUTH,
                promises=PROMISES,
                name=f"attention {world.form}",
            ),
            encoding="utf-8",
        )
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        if error.errno == errno.ENOSPC:
            raise DiskFull(f"no room in {directory}: about 4 KB a customer is needed") from error
        raise BadInput(f"{directory} cannot be written: {error.strerror}; name another folder") from error
    return MadeAttention(
        directory=directory,
        form=world.form,
        customers=world.customers,
        seed=world.seed,
        rows={name: table.num_rows for name, table in tables.items()},
        command=(
            f"primeta attention replay --messages {data / 'messages.parquet'} "
            f"--reactions {data / 'reactions.parquet'} --promises {directory / PROMISES}"
        ),
    )
