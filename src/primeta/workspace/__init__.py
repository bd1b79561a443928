"""The Python API: a file per verb; loads, runs the steps, saves what they return."""

from primeta.workspace.workspace import Workspace, open_workspace

__all__ = ["Workspace", "open_workspace"]
