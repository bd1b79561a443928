"""A simulated lottery among lapsed customers as a folder of Parquet files with `truth.json` beside them."""

from __future__ import annotations

import errno
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from primeta.errors import BadInput, DiskFull
from primeta.worlds.company_files import TRUTH, check_free
from primeta.worlds.reactivation import EXPERIMENT, ReactivationWorld
from primeta.worlds.reactivation_tables import tables_of
from primeta.worlds.reactivation_truth import Truth, truth_of

DRAWN = 200_000
"""Customers of an arm behind a truth that cannot be summed: seconds, with its error in the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeReactivation:
    """What was written."""

    directory: Path
    setting: str
    customers: int
    seed: int
    rows: dict[str, int]
    command: str
    """How the ladder is asked for."""

    def line(self, lang: str = "en") -> str:
        """One sentence for the terminal, and the command that reads the files."""
        orders, messages = self.rows["orders"], self.rows["messages"]
        if lang == "ru":
            return (
                f"{self.directory}: мир «{self.setting}», клиентов {self.customers:_}, заказов {orders:_}, "
                f"сообщений {messages:_}; что должна показать каждая ступень, записано в {TRUTH}".replace(
                    "_", "\u00a0"
                )
                + f"\n{self.command}"
            )
        return (
            f"{self.directory}: the world {self.setting!r}, {self.customers:,} customers, {orders:,} orders, "
            f"{messages:,} messages; what every rung should say stands in {TRUTH}\n{self.command}"
        )

    def as_dict(self) -> dict[str, object]:
        return {
            "directory": str(self.directory),
            "setting": self.setting,
            "customers": self.customers,
            "seed": self.seed,
            "rows": self.rows,
            "command": self.command,
        }


def write_reactivation(world: ReactivationWorld, directory: Path) -> MadeReactivation:
    """Write the tables of a world, whole or not at all.

    Raises:
        Conflict: `directory` holds something else than a simulated world.
        DiskFull: no room.
    """
    check_free(directory)
    data, part = directory / "data", directory / "data.part"
    tables = tables_of(world)
    truth = truth_document(world)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        for name, table in tables.items():
            pq.write_table(table, part / f"{name}.parquet", compression="zstd")
        shutil.rmtree(data, ignore_errors=True)
        os.replace(part, data)
        target = directory / TRUTH
        draft = target.with_name(target.name + ".part")
        draft.write_text(json.dumps(truth, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(draft, target)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        if error.errno == errno.ENOSPC:
            raise DiskFull(f"no room in {directory}: about 1 KB a customer is needed") from error
        raise BadInput(f"{directory} cannot be written: {error.strerror}; name another folder") from error
    return MadeReactivation(
        directory=directory,
        setting=world.setting.name,
        customers=world.n,
        seed=world.seed,
        rows={name: table.num_rows for name, table in tables.items()},
        command=command_of(world, directory),
    )


def command_of(world: ReactivationWorld, directory: Path) -> str:
    """The command that climbs the ladder over the files of a world."""
    setting, data = world.setting, directory / "data"
    codes = "".join(f" --promo-code {arm.name}={arm.code}" for arm in setting.arms if arm.code)
    tables = " ".join(
        f"--{option} {data / file}.parquet"
        for option, file in (
            ("orders", "orders"),
            ("assignments", "assignments"),
            ("lines", "order_lines"),
            ("visits", "visits"),
            ("messages", "messages"),
        )
    )
    return (
        f"primeta reactivation ladder {tables} --control {setting.control} --window {setting.window_days}d "
        f"--horizon {setting.horizon_days}d --until {world.until} --margin {setting.margin:g}{codes}"
    )


def truth_document(world: ReactivationWorld) -> dict[str, Any]:
    """The document of `truth.json`: what every rung should say, expected over all draws of the setting."""
    setting = world.setting
    truth = truth_of(setting, customers=DRAWN)
    return {
        "version": 1,
        "setting": setting.name,
        "about": setting.about,
        "experiment": EXPERIMENT,
        "customers": world.n,
        "seed": world.seed,
        "until": world.until.isoformat(),
        "window_days": setting.window_days,
        "horizon_days": setting.horizon_days,
        "margin": setting.margin,
        "exact": truth.exact,
        "types": [
            {
                "name": kind.name,
                "share": kind.share,
                "comes": kind.comes,
                "pulled": kind.pulled,
                "learns": kind.after_code is not None,
                "cause": kind.cause,
                "farm": kind.farm,
            }
            for kind in setting.types
        ],
        "arms": [
            {
                "name": arm.name,
                "share": arm.share,
                "depth": arm.depth,
                "code": arm.code,
                **_arm_truth(truth, arm.name),
            }
            for arm in setting.arms
        ],
        "best": {
            "window": truth.best(days=setting.window_days),
            "horizon": truth.best(days=setting.horizon_days),
        },
    }


def _arm_truth(truth: Truth, arm: str) -> dict[str, Any]:
    own, setting = truth.arms[arm], truth.setting
    weeks = range(0, setting.horizon_days + 1, 7)
    apart = own.flow.value - truth.arms[setting.control].flow.value
    return {
        "self_share": own.self_share,
        "induced_share": own.induced_share,
        "needless_per_assigned": own.needless_per_assigned,
        "value_window": truth.value(arm, days=setting.window_days),
        "value_horizon": truth.value(arm, days=setting.horizon_days),
        "value_error": float(own.error[setting.horizon_days]) if own.error is not None else 0.0,
        "value_by_week": [round(float(apart[day]), 6) for day in weeks],
        "per_assigned": {
            "value": float(own.flow.value[setting.horizon_days]),
            "revenue": float(own.flow.revenue[setting.horizon_days]),
            "orders": float(own.flow.orders[setting.horizon_days]),
        },
    }
