"""Running the command line: in this process where that is enough, for an import costs a second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from primeta.cli.app import run


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def primeta(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Call the command line with arguments as a person would type them."""

    def call(*arguments: str) -> Done:
        with pytest.raises(SystemExit) as left:
            run(list(arguments))
        told = capsys.readouterr()
        return Done(int(left.value.code or 0), told.out, told.err)

    return call
