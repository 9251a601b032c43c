"""Bars and actions in files that need no server: read with the place of every defect, adjusted, and written whole."""

from truetape.app.plain_files.adjusting import Adjusted, adjusted
from truetape.app.plain_files.checking import Checked, checked
from truetape.app.plain_files.columns import read_actions, read_bars
from truetape.app.plain_files.content import MOST_BYTES, read_bytes
from truetape.app.plain_files.lean_bars import read_bar_sheet
from truetape.app.plain_files.prices import Prices, in_own_columns, known_timeframe, read_prices
from truetape.app.plain_files.repairing import Repaired, repaired, report
from truetape.app.plain_files.sheet import Sheet, read_sheet
from truetape.app.plain_files.spelled import doubtful_basis
from truetape.app.plain_files.writing import check_output, write_bytes, write_frame

__all__ = [
    "MOST_BYTES",
    "Adjusted",
    "Checked",
    "Prices",
    "Repaired",
    "Sheet",
    "adjusted",
    "check_output",
    "checked",
    "doubtful_basis",
    "in_own_columns",
    "known_timeframe",
    "read_actions",
    "read_bar_sheet",
    "read_bars",
    "read_bytes",
    "read_prices",
    "read_sheet",
    "repaired",
    "report",
    "write_bytes",
    "write_frame",
]
