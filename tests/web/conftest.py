"""Browsers over an invented workspace in both languages."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from browser import Browser
from fake import NOW, FakeWorkspace

from primeta.web import background
from primeta.web.app import create_app


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs beside a page is waited for: on a busy machine even little work may take longer than a page waits."""
    monkeypatch.setattr(background, "PATIENCE_SECONDS", 30.0)


@pytest.fixture
def workspace() -> FakeWorkspace:
    return FakeWorkspace("en")


@pytest.fixture
def browser(workspace: FakeWorkspace) -> Browser:
    return Browser(create_app(workspace, now=lambda: NOW))


@pytest.fixture(params=["en", "ru"])
def language(request: pytest.FixtureRequest) -> str:
    return request.param


@lru_cache(maxsize=2)
def _reader(language: str) -> Browser:
    return Browser(create_app(FakeWorkspace(language), now=lambda: NOW))


@lru_cache(maxsize=256)
def _page(language: str, path: str) -> httpx.Response:
    return _reader(language).get(path)


@pytest.fixture
def read(language: str) -> Callable[[str], httpx.Response]:
    """Pages of a workspace whose content is in the same language; each is asked for once and only read."""
    return lambda path: _page(language, path)


@pytest.fixture
def new(language: str) -> Browser:
    """A browser on a workspace before its first watch."""
    return Browser(create_app(FakeWorkspace(language, empty=True), now=lambda: NOW))


@pytest.fixture(scope="session")
def skip_or_fail() -> Callable[[str], None]:
    """The function of that name in the `conftest.py` above, which this one hides from an import."""
    above = importlib.util.spec_from_file_location(
        "tests_conftest", Path(__file__).parents[1] / "conftest.py"
    )
    assert above is not None
    assert above.loader is not None
    module = importlib.util.module_from_spec(above)
    above.loader.exec_module(module)
    return module.skip_or_fail
