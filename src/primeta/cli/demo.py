"""`demo`: a workspace from real data, the whole cycle, the digest, the pages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from primeta.cli.terminal import clock, open_at, progress, put, tell


def demo(
    directory: Path = Path("demo"),
    *,
    serve: Annotated[bool, Parameter(negative="--no-serve")] = True,
    host: str = "127.0.0.1",
    port: int = 8765,
) -> None:
    """Build a workspace from a grocer's real year, run the whole cycle, show the pages.

    Parameters
    ----------
    directory:
        Where to build it; an earlier demo there is used again.
    serve:
        Serve the pages at the end.
    host:
        The address to listen on.
    port:
        The port to listen on.
    """
    from primeta.workspace.demo import build_demo, measure_campaigns, play_demo

    with progress("demo") as step:
        build_demo(directory, progress=step)
        ws = open_at(directory)
        ws.watch(now=clock(), progress=step)
        play_demo(ws, now=clock())
        measure_campaigns(ws, now=clock(), progress=step)
    put(ws.digest(now=clock()).text)
    if serve:
        from primeta.web.serve import serve as serve_pages

        tell(f"primeta: pages at http://{host}:{port}/ (stop with Ctrl+C)")
        serve_pages(directory, host=host, port=port, open_browser=False)
