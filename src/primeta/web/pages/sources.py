"""Sources: what is collected from where, how each does, what failed and what to do about it."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from primeta.web.page import Sent, capital, done, page, reader_of, site_of
from primeta.web.reader import Reader
from primeta.web.texts_rows import SourceRow, source_row
from primeta.workspace.texts_views import Health

router = APIRouter()
PLACE = "/topics"
"""The place of the masthead that all pages of texts belong to."""
NEEDS_A_LOOK: tuple[Health, ...] = ("stopped", "failing")
ORDER: tuple[Health, ...] = ("stopped", "failing", "quiet", "well", "never", "paused")


@router.get("/sources")
def sources(request: Request) -> Response:
    site, reader = site_of(request), reader_of(request)
    views = site.workspace.source_views(now=site.now())
    rows = [source_row(reader, view) for view in views]
    rows.sort(key=lambda row: (ORDER.index(row.view.health), row.name.casefold()))
    return page(
        request,
        "sources.html",
        reader,
        place=PLACE,
        rows=rows,
        broken=[row for row in rows if row.view.health in NEEDS_A_LOOK],
        title=capital(_finding(reader, rows)),
        documents=sum(row.view.documents for row in rows),
        last_week=sum(row.view.last_week for row in rows),
    )


def _finding(reader: Reader, rows: list[SourceRow]) -> str:
    if not rows:
        return str(reader._("Nothing is collected yet"))
    broken = sum(row.view.health in NEEDS_A_LOOK for row in rows)
    if broken:
        return str(
            reader._n(
                "{n:m} of {of} sources does not answer", "{n:m} of {of} sources do not answer", broken, of=len(rows)
            )
        )  # fmt: skip
    if all(row.view.health in ("never", "paused") for row in rows):
        return str(reader._("Nothing has been collected yet"))
    return str(reader._("Every source answers"))


@router.post("/sources/collect")
def collect(request: Request, sent: Sent) -> Response:
    site = site_of(request)
    return done(f"/jobs/{site.workspace.start_job('collect', now=site.now()).id}")
