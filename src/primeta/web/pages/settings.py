"""The reader's own settings: light or dark. The language follows a link."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from primeta.web.page import THEME_COOKIE, YEAR, Sent, done, text_of

router = APIRouter()


@router.post("/settings")
def settings(request: Request, form: Sent) -> Response:
    response = done(text_of(form, "back"))
    theme = text_of(form, "theme")
    if theme in ("light", "dark"):
        response.set_cookie(THEME_COOKIE, theme, max_age=YEAR, httponly=True, samesite="lax")
    else:
        response.delete_cookie(THEME_COOKIE)
    return response
