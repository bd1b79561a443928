"""Primeta: from a sign of change to a proven effect.

    import primeta as pm

    ws = pm.open("shop")            # a workspace
    pm.detect("orders.csv", value="orders", time="week")
    pm.Experiment(control="control", metrics={"revenue": "spend"}).analyse("customers.parquet")

Names are imported when they are first used: `import primeta` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from primeta.attention.door import attention
    from primeta.errors import (
        BadConfig,
        BadInput,
        BadTable,
        Conflict,
        DiskFull,
        EngineFailed,
        Locked,
        NewerWorkspace,
        NotAllowed,
        NotFound,
        PrimetaError,
        Refused,
        Unavailable,
        UnitMismatch,
    )
    from primeta.experiments.experiment import Experiment
    from primeta.reactivation.acquisition import acquisition
    from primeta.reactivation.door import ladder
    from primeta.reactivation.farms import farms
    from primeta.reactivation.interviews import interviews
    from primeta.reactivation.lapse import lapse
    from primeta.reactivation.ltv import ltv
    from primeta.reactivation.policy.door import discount, moment, sequence
    from primeta.reactivation.whom.door import whom
    from primeta.signals.detect import detect
    from primeta.signals.topics import topics
    from primeta.workspace import Workspace
    from primeta.workspace import open_workspace as open

_PLACES = {
    "open": ("primeta.workspace", "open_workspace"),
    "Workspace": ("primeta.workspace", "Workspace"),
    "detect": ("primeta.signals.detect", "detect"),
    "topics": ("primeta.signals.topics", "topics"),
    "Experiment": ("primeta.experiments.experiment", "Experiment"),
    "moment": ("primeta.reactivation.policy.door", "moment"),
    "sequence": ("primeta.reactivation.policy.door", "sequence"),
    "discount": ("primeta.reactivation.policy.door", "discount"),
    "farms": ("primeta.reactivation.farms", "farms"),
    "interviews": ("primeta.reactivation.interviews", "interviews"),
    "ladder": ("primeta.reactivation.door", "ladder"),
    "lapse": ("primeta.reactivation.lapse", "lapse"),
    "ltv": ("primeta.reactivation.ltv", "ltv"),
    "acquisition": ("primeta.reactivation.acquisition", "acquisition"),
    "attention": ("primeta.attention.door", "attention"),
    "whom": ("primeta.reactivation.whom.door", "whom"),
    **{
        name: ("primeta.errors", name)
        for name in (
            "PrimetaError",
            "BadInput",
            "BadConfig",
            "BadTable",
            "UnitMismatch",
            "NotFound",
            "Refused",
            "Conflict",
            "NewerWorkspace",
            "NotAllowed",
            "Unavailable",
            "EngineFailed",
            "Locked",
            "DiskFull",
        )
    },
}

__all__ = [
    "BadConfig",
    "BadInput",
    "BadTable",
    "Conflict",
    "DiskFull",
    "EngineFailed",
    "Experiment",
    "Locked",
    "NewerWorkspace",
    "NotAllowed",
    "NotFound",
    "PrimetaError",
    "Refused",
    "Unavailable",
    "UnitMismatch",
    "Workspace",
    "acquisition",
    "attention",
    "detect",
    "discount",
    "farms",
    "interviews",
    "ladder",
    "lapse",
    "ltv",
    "moment",
    "open",
    "sequence",
    "topics",
    "whom",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'primeta' has no attribute {name!r}")
    from importlib import import_module

    place, attribute = _PLACES[name]
    return getattr(import_module(place), attribute)


def __dir__() -> list[str]:
    return __all__
