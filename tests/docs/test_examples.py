"""Every example of the documentation is run as a reader would run it.

A page's fenced blocks are run in order in one temporary folder that holds a copy of `docs/examples`:

- `console`: lines with `$ ` are run by a shell, the lines after each are what it must print (output and
  remarks together). `…` stands for anything: inside a line for any text, alone on a line for any lines.
- `python`: run one after the other with the same names; `>>> ` is compared as doctest does.
- `toml`: a whole workspace file must be accepted as it stands.
- `sh`: not run (it would not end, or needs what only the reader has); its `primeta` lines must still parse.

Comments at the top of a page: `<!-- test: slow -->` runs it with the slow tests; `<!-- test: after PAGE -->`
gives it a copy of the folder that PAGE left behind, for pages that go on where another ended;
`<!-- test: numbers vary -->` compares the words of what is printed and lets its numbers, days and column widths differ, for
pages that show what was detected: those numbers move a little with the numerical libraries.

After a change of wording, `PRIMETA_WRITE_EXAMPLES=1 pytest tests/docs/test_examples.py` writes what the commands
print now into the pages (lines alone with `…` keep their place); read the difference before it is committed.
"""

from __future__ import annotations

import atexit
import doctest
import fcntl
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ready_primeta import ReadyPrimeta

from primeta.config import parse_config

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("README*.md"), *DOCS.rglob("*.md")))
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<kind>\w+)[^\n]*\n(?P<body>.*?)^(?P=indent)```\s*$", re.MULTILINE | re.DOTALL
)
NUMBER = re.compile(r"[+−-]?[0-9](?:[0-9,. ]*[0-9])?[⁰¹²³⁴-⁹]*(?:(?:k|m|bn|tn)\b| (?:тыс\.|млн|млрд|трлн))?")
MONTH = re.compile(
    r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|января|февраля|марта|апреля|мая|июня|июля|августа|сентября|"
    r"октября|ноября|декабря)\b"
)
# The page whose commands are run as they are installed, each with its second of imports.
INSTALLED = "docs/how-to/experiment-analyse.md"
CHECK = doctest.OutputChecker()


@dataclass(frozen=True, slots=True)
class Example:
    """One fenced block: its language, its text, the line on which its text begins."""

    kind: str
    body: str
    line: int


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a console block and what it must print."""

    text: str
    expected: tuple[str, ...]
    line: int


@cache
def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def examples(page: str) -> Iterator[Example]:
    text = read(page)
    for found in FENCE.finditer(text):
        indent = len(found["indent"])
        body = "".join(line[indent:] or "\n" for line in found["body"].splitlines(keepends=True))
        yield Example(found["kind"], body, text.count("\n", 0, found.start("body")) + 1)


@dataclass(frozen=True, slots=True)
class Marks:
    """How a page wants to be run."""

    slow: bool
    after: str
    """The page that this one goes on from."""
    numbers_vary: bool


def marks(page: str) -> Marks:
    slow, after, vary = False, "", False
    for entry in re.findall(r"<!-- test: (.*?) -->", read(page)):
        if entry == "slow":
            slow = True
        elif entry.startswith("after "):
            after = entry.removeprefix("after ")
        elif entry == "numbers vary":
            vary = True
        else:
            raise AssertionError(f"{page}: unknown mark {entry!r}")
    return Marks(slow=slow or bool(after and marks(after).slow), after=after, numbers_vary=vary)


def commands(example: Example) -> Iterator[Command]:
    """The commands of a console block; a line that ends in a backslash goes on in the next."""
    text, expected, start = "", [], 0
    lines = iter(enumerate(example.body.splitlines(), start=example.line))
    for number, line in lines:
        if line.startswith("$ "):
            if text:
                yield Command(text, tuple(expected), start)
            text, expected, start = line[2:], [], number
            while text.endswith("\\"):
                text = text[:-1].rstrip() + " " + next(lines)[1].strip()
        else:
            assert text, f"line {number}: a console block begins with `$ `"
            expected.append(line.rstrip())
    if text:
        yield Command(text, tuple(expected), start)


def agrees(expected: tuple[str, ...], got: str) -> bool:
    """Whether a command printed what the page shows; blank lines at the end do not count."""
    pattern = ""
    for line in "\n".join(expected).rstrip("\n").split("\n"):
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(re.escape(part) for part in line.split("…")) + r"\n"
    printed = "\n".join(line.rstrip() for line in got.rstrip("\n").split("\n")) + "\n"
    return re.fullmatch(pattern, printed) is not None


def plain(text: str) -> str:
    """`text` with ordinary spaces: pages are typed with them."""
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def worded(text: str) -> str:
    """`text` with every number as #, and one space, one rule, for many."""
    masked = NUMBER.sub("#", MONTH.sub("#", text))
    return re.sub(" +", " ", re.sub("─+", "─", masked))


def environment() -> dict[str, str]:
    """A plain terminal of 120 columns, with this installation first."""
    return os.environ | {
        "PATH": str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"],
        "COLUMNS": "120",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "LOGNAME": "anna",
        "OMP_NUM_THREADS": "1",
    }


@cache
def terminal() -> dict[str, str]:
    """The environment of a page's commands: `primeta` is the one that is ready (`ready_primeta.py`)."""
    ready = ReadyPrimeta(environment())
    atexit.register(ready.close)
    plain = environment()
    return plain | {"PATH": str(ready.folder) + os.pathsep + plain["PATH"]}


def rewritten(expected: tuple[str, ...], got: str) -> list[str]:
    """What a command prints now, as short as the page showed it: so many lines before and after `…`."""
    lines = [line.rstrip() for line in got.rstrip("\n").split("\n")] if got.strip() else []
    gaps = [at for at, line in enumerate(expected) if line.strip() == "…"]
    if not gaps:
        return lines
    before, after = gaps[0], len(expected) - gaps[-1] - 1
    return [*lines[:before], "…", *(lines[-after:] if after else [])]


def write_page(page: str, changes: list[tuple[Command, str]]) -> None:
    """Put what the commands print now in the place of what the page shows."""
    lines = (ROOT / page).read_text(encoding="utf-8").split("\n")
    for command, got in reversed(changes):
        first = (
            next(at for at in range(command.line - 1, len(lines)) if not lines[at].rstrip().endswith("\\"))
            + 1
        )
        last = first + len(command.expected)
        tail = [""] if command.expected and not command.expected[-1] else []
        lines[first:last] = rewritten(command.expected, got) + tail
    (ROOT / page).write_text("\n".join(lines), encoding="utf-8")


def run_page(page: str, folder: Path) -> None:
    """Run a page's blocks in `folder`."""
    changes: list[tuple[Command, str]] = []
    names: dict[str, Any] = {"__name__": "__main__"}
    for example in examples(page):
        if example.kind == "console":
            for command in commands(example):
                done = subprocess.run(
                    ["bash", "-c", command.text],
                    cwd=folder,
                    env=environment() if page == INSTALLED else terminal(),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    timeout=300,
                    encoding="utf-8",
                    check=False,
                )
                printed = plain(done.stdout)
                if agrees(command.expected, printed):
                    continue
                if os.environ.get("PRIMETA_WRITE_EXAMPLES"):
                    changes.append((command, printed))
                    continue
                masked = tuple(map(worded, command.expected))
                if marks(page).numbers_vary and agrees(masked, worded(printed)):
                    continue
                raise AssertionError(
                    f"{page}:{command.line}: $ {command.text}\nprinted\n{printed}\n"
                    "where the page shows\n" + "\n".join(command.expected)
                )
        elif example.kind == "python":
            run_python(page, example, names, folder)
    if changes:
        write_page(page, changes)
        raise AssertionError(f"{page}: {len(changes)} examples were written anew; read them and run again")


def run_python(page: str, example: Example, names: dict[str, Any], folder: Path) -> None:
    here = Path.cwd()
    os.chdir(folder)
    try:
        if ">>> " not in example.body:
            exec(compile("\n" * (example.line - 1) + example.body, page, "exec"), names)
            return
        for part in doctest.DocTestParser().get_examples(example.body):
            said = io.StringIO()
            with redirect_stdout(said):
                exec(compile(part.source, page, "single"), names)
            wanted = part.want.replace("…", "...")
            assert CHECK.check_output(wanted, plain(said.getvalue()), doctest.ELLIPSIS), (
                f"{page}:{example.line + part.lineno}: {part.source}gave\n{said.getvalue()}where the page shows\n{part.want}"
            )
    finally:
        os.chdir(here)


def runs(page: str) -> bool:
    return any(example.kind in ("console", "python") for example in examples(page))


RUN = [
    pytest.param(page, marks=[pytest.mark.slow] if marks(page).slow else []) for page in PAGES if runs(page)
]


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pages leave their folders: one place for all processes of a test run."""
    base = tmp_path_factory.getbasetemp()
    shelf = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "documentation"
    shelf.mkdir(exist_ok=True)
    return shelf


def folder_of(page: str, shelf: Path) -> Path:
    """The folder that a page left behind, running it (and those before it) where nobody has yet."""
    place = shelf / page.replace("/", "-")
    with Path(f"{place}.lock").open("w") as lock:
        # a second process waits for the one that runs the page
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder, done = place / "here", place / "done"
        if done.exists():
            return folder
        shutil.rmtree(place, ignore_errors=True)
        before = marks(page).after
        if before:
            shutil.copytree(folder_of(before, shelf), folder)
        else:
            shutil.copytree(DOCS / "examples", folder / "docs" / "examples")
        run_page(page, folder)
        done.touch()
    return folder


@pytest.mark.parametrize("page", RUN)
def test_examples_print_what_the_page_shows(page: str, shelf: Path):
    folder_of(page, shelf)


@pytest.mark.parametrize("page", [page for page in PAGES if any(e.kind == "toml" for e in examples(page))])
def test_workspace_files_are_accepted(page: str, tmp_path: Path):
    for example in examples(page):
        if example.kind == "toml":
            parse_config(example.body, tmp_path / "primeta.toml")


@pytest.mark.parametrize("page", [page for page in PAGES if any(e.kind == "sh" for e in examples(page))])
def test_commands_that_are_not_run_still_parse(page: str):
    from primeta.cli.app import build

    for example in examples(page):
        if example.kind != "sh":
            continue
        for line in example.body.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["primeta"]:
                build().parse_args(words[1:], exit_on_error=False, print_error=False)


def test_wildcards_of_the_examples():
    assert agrees(("a … c", "…", "z"), "a b c\nx\ny\nz\n")
    assert agrees(("a", "…"), "a\n")
    assert agrees((), "")
    assert not agrees(("a … c",), "a b d\n")
    assert not agrees(("a",), "a\nb\n")
    assert worded("×667bn") == worded("×10¹⁷") == worded("×12 тыс.") == "×#"
    assert worded("×1,409  +29.4% (18.8 to 32.5)") == worded("×98 −3% (−7 to 1.5)")
    assert worded("с 24 ноября 2025") == worded("с 8 декабря 2025")
    assert worded("up since 6 Oct 2025") != worded("down since 6 Oct 2025")
