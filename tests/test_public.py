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
    # the folder `attention` can be called itself: see the next test
    assert folders & set(primeta.__all__) == {"attention"}


@pytest.mark.parametrize(
    "first",
    [
        "import primeta.attention",
        "import primeta.attention.records",
        "import primeta",
        "from primeta import attention",
    ],
)
def test_attention_is_a_verb_whatever_was_imported_first(first):
    log = (
        "{'message_id': ['m'], 'customer_id': ['c'], 'sent_at': ['2026-01-01T10:00:00'], 'channel': ['push']}"
    )
    code = (
        f"{first}\nimport primeta as pm\nimport inspect\n"
        f"first = pm.attention({log}, promises=[], credit=False)\n"
        f"again = pm.attention({log}, promises=[], credit=False)\n"
        "assert repr(first.as_dict()) == repr(again.as_dict())\n"  # a NaN is not equal to itself
        "assert 'promises' in inspect.signature(pm.attention).parameters\n"
        "from primeta.attention.records import Promise\nprint(first.log.sends)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
