"""The file of kept stories: arrays only, so that a million texts are read in a moment."""

from __future__ import annotations

import contextlib
import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from primeta.signals.texts.boilerplate import Boilerplate
from primeta.signals.texts.postings import Postings

if TYPE_CHECKING:
    from primeta.signals.texts.kept_stories import KeptStories

_COLUMNS = (
    "_ids",
    "_at",
    "_owner",
    "_links",
    "_place",
    "_alive",
    "_voice",
    "_first",
    "_second",
    "_how",
    "_share",
)
_POSTINGS = ("_by_id", "_exact", "_bands", "_citing", "_own", "_names", "_owners", "_whole", "_near")


def write(path: Path, kept: KeptStories, mark: int) -> None:
    """Under another name first, then renamed. It can be made again, so it is not forced down to the disk."""
    from primeta.signals.texts.kept_stories import VERSION

    arrays: dict[str, Any] = {name: getattr(kept, name).all for name in _COLUMNS}
    for name in _POSTINGS:
        arrays |= getattr(kept, name).arrays(name)
    sources = list(kept._phases)
    phases = [
        [kept._phases[name].counted, [begin for begin, _ in kept._phases[name].marks]] for name in sources
    ]
    for number, name in enumerate(sources):
        counts = kept._boilerplate.counts.get(name, {})
        arrays[f"marks_{number}"] = np.fromiter(counts.keys(), dtype=np.uint64, count=len(counts))
        arrays[f"counts_{number}"] = np.fromiter(counts.values(), dtype=np.int64, count=len(counts))
        for place, (_, marks) in enumerate(kept._phases[name].marks):
            arrays[f"phase_{number}_{place}"] = np.array(sorted(marks), dtype=np.uint64)
    told = {
        "version": VERSION,
        "mark": mark,
        "sources": sources,
        "phases": phases,
        "documents": kept._boilerplate.documents,
        "voices": sorted(kept._boilerplate.voices),
    }
    arrays["told"] = np.frombuffer(json.dumps(told).encode(), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with part.open("wb") as file:
            np.savez(file, **arrays)
        part.replace(path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def read(path: Path) -> tuple[KeptStories, int] | None:
    """None where there is no such file, where it is damaged, or of another version."""
    from primeta.signals.texts.kept_stories import VERSION, KeptStories, _Columns, _Phase

    try:
        with path.open("rb") as whole, np.load(whole, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        told = json.loads(arrays["told"].tobytes())
        if told["version"] != VERSION:
            return None
        kept = KeptStories()
        for name in _COLUMNS:
            setattr(kept, name, _Columns(arrays[name], len(arrays[name])))
        for name in _POSTINGS:
            setattr(kept, name, Postings.from_arrays(name, arrays))
        boilerplate = Boilerplate(documents=dict(told["documents"]), voices=set(told["voices"]))
        for number, (name, (counted, begins)) in enumerate(zip(told["sources"], told["phases"], strict=True)):
            boilerplate.counts[name] = dict(
                zip(arrays[f"marks_{number}"].tolist(), arrays[f"counts_{number}"].tolist(), strict=True)
            )
            marks = [
                (begin, frozenset(arrays[f"phase_{number}_{place}"].tolist()))
                for place, begin in enumerate(begins)
            ]
            kept._phases[name] = _Phase(counted=counted, marks=marks)
        kept._boilerplate = boilerplate
        return kept, int(told["mark"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile):
        return None
