"""Fixtures that every test folder shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


def skip_or_fail(reason: str) -> None:
    """Skip where something is not at hand; fail instead on CI, which installs everything."""
    if os.environ.get("PRIMETA_REQUIRE_ALL"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets that stands beside the checkout."""
    if not SHARED_DATA.is_dir():
        skip_or_fail(f"needs the real data sets in {SHARED_DATA.relative_to(SHARED_DATA.parents[2])}")
    return SHARED_DATA
