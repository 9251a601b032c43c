"""Run the command line: `python -m truetape`."""

from truetape.app.cli import main

main()
