"""Work over a second: started by a form, followed on a page that reloads itself."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from primeta.web.page import Sent, done, page, site_of
from primeta.web.security import local_path

router = APIRouter()


@router.post("/watch")
def watch(request: Request, sent: Sent) -> Response:
    site = site_of(request)
    job = site.workspace.start_job("watch", now=site.now())
    return done(f"/jobs/{job.id}")


@router.get("/jobs/{identity}")
def job(request: Request, identity: str) -> Response:
    back = request.query_params.get("back", "")
    return page(
        request,
        "job.html",
        job=site_of(request).workspace.job(identity),
        # Where the work was asked for; only pages of a campaign and of attention say so.
        back=local_path(back) if back.startswith(("/reactivation/", "/attention")) else "",
    )


@router.post("/jobs/{identity}/cancel")
def cancel(request: Request, identity: str, sent: Sent) -> Response:
    site_of(request).workspace.cancel_job(identity)
    return done(f"/jobs/{identity}")
