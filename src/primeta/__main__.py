"""`python -m primeta` is `primeta`."""

from primeta.cli import main

main()
