"""The Python API: a file per verb; loads, runs the steps, saves what they return."""
