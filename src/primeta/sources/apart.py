"""Running a reader of untrusted bytes in a process of its own, with a limit on its time and its memory.

Parsers are written by others, some in C, and for each there is input that takes them for ever or makes them crash. In a
process apart that costs one document: the process is ended and the next call starts another. It stays between
calls, so a call costs a fraction of a millisecond and not the start of an interpreter.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import os
import pickle
import selectors
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from primeta.errors import Unavailable
from primeta.sources.records import Trouble

Answer = TypeVar("Answer")

MEMORY_BYTES = 1_500 * 2**20
SECONDS = 20.0
_START_SECONDS = 30.0
_KEPT = ("PATH", "LANG", "LC_ALL", "HOME", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
"""All that the process sees of the environment: passwords stand there too."""
_HEAD = struct.Struct(">Q")
_LARGEST_ANSWER = 512 * 2**20


class Apart:
    """One process that answers one call after another; safe to share between threads."""

    def __init__(self, *, memory_bytes: int = MEMORY_BYTES) -> None:
        self._memory = memory_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._lock = threading.Lock()

    def call(
        self, reader: Callable[..., Answer], /, *arguments: Any, seconds: float = SECONDS, **options: Any
    ) -> Answer | Trouble:
        """What `reader(*arguments, **options)` returns, or why it did not: `too-slow`, `bomb`, `unreadable`.

        Args:
            reader: A function that stands at the top of a module; it and all it takes and gives can be pickled.
            seconds: Of the clock, from the call on; the process is ended where it needs longer.
        Raises:
            Unavailable: No process can be started.
        """
        message = pickle.dumps((reader.__module__, reader.__qualname__, arguments, options))
        with self._lock:
            process = self._running()
            try:
                answer = self._ask(process, message, time.monotonic() + seconds)
            except BaseException:
                self.close()
                raise
            if answer is None:
                slow = process.poll() is None
                self.close()
                code = "too-slow" if slow else "unreadable"
                return Trouble(
                    code=code,
                    values={"reason": "reading", **({"seconds": seconds} if slow else {})},
                    permanent=not slow,
                )
        kind, value = pickle.loads(answer)
        if kind == "answer":
            return value
        if kind == "memory":
            self.close()
            return Trouble(
                code="bomb", values={"reason": "reading", "megabytes": self._memory // 2**20}, permanent=True
            )
        return Trouble(code="unreadable", values={"reason": "reading", "why": value}, permanent=True)

    def close(self) -> None:
        """End the process; the next call starts another."""
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        process.wait()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._owner == os.getpid() and self._process.poll() is None:
            return self._process
        if self._owner == os.getpid():
            self.close()
        self._owner = os.getpid()
        path = os.pathsep.join(entry for entry in sys.path if entry)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "primeta.sources.apart", str(self._memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: value for name in _KEPT if (value := os.environ.get(name))}
            | {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            bufsize=0,
        )
        if (
            self._take(self._process, time.monotonic() + _START_SECONDS) is None
        ):  # its first word: it is ready
            self.close()
            raise Unavailable(
                f"the process that reads what sources bring did not start within {_START_SECONDS:g} s; see whether "
                "memory and processes are left on this machine, then try again"
            )
        return self._process

    def _ask(self, process: subprocess.Popen[bytes], message: bytes, until: float) -> bytes | None:
        assert process.stdin is not None
        try:
            process.stdin.write(_HEAD.pack(len(message)))
            view = memoryview(message)
            while view:
                view = view[process.stdin.write(view) :]
        except (BrokenPipeError, OSError):
            process.wait()
            return None
        return self._take(process, until)

    @staticmethod
    def _take(process: subprocess.Popen[bytes], until: float) -> bytes | None:
        """The next answer; None where the process ended, or where the time was up."""
        assert process.stdout is not None
        got = bytearray()
        wanted = _HEAD.size
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdout, selectors.EVENT_READ)
            while len(got) < wanted:
                left = until - time.monotonic()
                if left <= 0 or not ready.select(left):
                    return None
                chunk = os.read(process.stdout.fileno(), 1 << 20)
                if not chunk:
                    process.wait()
                    return None
                got += chunk
                if wanted == _HEAD.size and len(got) >= wanted:
                    wanted += min(_HEAD.unpack_from(got)[0], _LARGEST_ANSWER)
        return bytes(got[_HEAD.size :])


_SHARED = Apart()
atexit.register(_SHARED.close)


def apart(
    reader: Callable[..., Answer], /, *arguments: Any, seconds: float = SECONDS, **options: Any
) -> Answer | Trouble:
    """`Apart.call` on the one process that all readers of this interpreter share."""
    return _SHARED.call(reader, *arguments, seconds=seconds, **options)


def _serve(memory: int) -> None:
    """Answer calls from standard input until it ends."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # Windows has no such limits
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    answers = os.fdopen(os.dup(1), "wb")
    calls = os.fdopen(os.dup(0), "rb")
    # Whatever a parser prints does not get between the answers.
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)

    def tell(answer: bytes) -> None:
        answers.write(_HEAD.pack(len(answer)))
        answers.write(answer)
        answers.flush()

    tell(b"")
    while head := calls.read(_HEAD.size):
        module, name, arguments, options = pickle.loads(calls.read(_HEAD.unpack(head)[0]))
        try:
            value: Any = importlib.import_module(module)
            for part in name.split("."):
                value = getattr(value, part)
            told = pickle.dumps(("answer", value(*arguments, **options)))
        except MemoryError:
            told = pickle.dumps(("memory", ""))
        except Exception as error:  # noqa: BLE001 — whatever a parser raises is its answer
            told = pickle.dumps(("error", f"{type(error).__name__}: {str(error)[:200]}"))
        tell(told)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
