"""The public names are exactly these, and importing them costs nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import primeta


def test_the_public_names_are_exactly_these():
    assert sorted(primeta.__all__) == sorted(primeta._PLACES)
    for name in primeta.__all__:
        assert getattr(primeta, name) is not None


def test_every_error_of_the_tree_has_its_exit_status():
    for name in primeta.__all__:
        thing = getattr(primeta, name)
        if isinstance(thing, type) and issubclass(thing, primeta.PrimetaError):
            assert thing.exit_status == 2


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_and_version_load_no_engine(arguments):
    heavy = ("duckdb", "ibis", "scipy", "pandas", "numpy", "sqlalchemy", "altair", "fastapi", "pyarrow")
    code = (
        "import sys\nfrom primeta.cli.app import run\n"
        f"try:\n    run({arguments!r})\nexcept SystemExit:\n    pass\n"
        f"sys.stderr.write(' '.join(name for name in {heavy!r} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip()
    assert done.stderr.strip() == ""


def test_no_public_name_is_hidden_by_a_folder_of_the_same_name():
    # `import primeta.sources` sets the attribute `sources` of `primeta`, over any function of that name
    folders = {path.name for path in Path(primeta.__file__).parent.iterdir() if path.is_dir()}
    assert not folders & set(primeta.__all__)
