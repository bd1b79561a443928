"""Rights: who asked to be deleted and waits, receipts of erasures, how long things are kept.

To erase and to hand out a dossier are commands, not buttons: pages have no accounts yet, and whoever could open them
could do both to anybody.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from primeta.web.page import page, reader_of, site_of
from primeta.workspace.rights_view import rights_view
from primeta.workspace.rights_words import name_of

router = APIRouter()


@router.get("/attention/rights")
def rights(request: Request) -> Response:
    site, reader = site_of(request), reader_of(request)
    found = rights_view(site.workspace, now=site.now())
    return page(
        request,
        "attention_rights.html",
        reader,
        place="/attention",
        found=found,
        classes=[(name_of(reader.lang, name), span) for name, span in found.retention],
    )
