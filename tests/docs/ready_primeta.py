"""The `primeta` command without its second of imports: a process that has them all forks for every call.

`ready_primeta.py SOCKET` waits at a Unix socket. A call brings its arguments, folder, environment and its
three standard streams; the fork takes them over and runs the command as the installed one would, in a
process of its own. `ReadyPrimeta` starts it and writes a small `primeta` for the path of a shell.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import traceback
from contextlib import suppress
from pathlib import Path

# What a shell starts: standard library only, 20 milliseconds.
CALL = """
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as line:
    line.connect(sys.argv[1])
    socket.send_fds(line, [b"!"], [0, 1, 2])
    asked = {"arguments": sys.argv[2:], "folder": os.getcwd(), "environment": dict(os.environ)}
    line.sendall(json.dumps(asked).encode())
    line.shutdown(socket.SHUT_WR)
    answer = line.recv(1)
if not answer:
    sys.stderr.write("the command ended without a status\\n")
sys.exit(answer[0] if answer else 70)
"""


class ReadyPrimeta:
    """A folder with a `primeta` in it, and the process that answers it, until `close`."""

    def __init__(self, environment: dict[str, str]) -> None:
        # Not below pytest's folder: the address of a socket has at most 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="primeta-docs-"))
        address = str(self.folder / "socket")
        (self.folder / "call.py").write_text(CALL, encoding="utf-8")
        words = [sys.executable, "-IS", str(self.folder / "call.py"), address]
        command = self.folder / "primeta"
        command.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
        command.chmod(0o755)
        self.process = subprocess.Popen(
            [sys.executable, __file__, address],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        if self.process.stdout.readline() != b"ready\n":
            raise RuntimeError(f"{Path(__file__).name} did not start: status {self.process.wait()}")

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        shutil.rmtree(self.folder, ignore_errors=True)


def answer(line: socket.socket) -> int:
    """Take over what the call brought and run the command; its exit status."""
    _, streams, _, _ = socket.recv_fds(line, 1, 3)
    with line.makefile("rb") as said:
        asked = json.loads(said.read())
    for place, stream in enumerate(streams):
        os.dup2(stream, place)
        os.close(stream)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = ["primeta", *asked["arguments"]]
    from primeta.cli import main

    try:
        main()
        status = 0
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException:  # noqa: BLE001 - as the interpreter would: said, and the process ends
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def serve(address: str) -> None:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # no threads, as in `primeta.cli.main`
    # Arrow's allocator starts none either.
    os.environ["JE_ARROW_MALLOC_CONF"] = "background_thread:false"
    import primeta

    for module in pkgutil.walk_packages(primeta.__path__, "primeta."):
        if not module.name.startswith(("primeta.web", "primeta.__main__")):
            importlib.import_module(module.name)
    importlib.import_module("sklearn.ensemble")
    # Only the thread that forks lives on in a fork: with others, a lock of theirs would never open.
    assert len(os.listdir("/proc/self/task")) == 1, "an import started a thread"
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            line, _ = door.accept()
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            if os.fork() == 0:
                door.close()
                line.sendall(bytes([answer(line)]))
                os._exit(0)
            line.close()


if __name__ == "__main__":
    serve(sys.argv[1])
