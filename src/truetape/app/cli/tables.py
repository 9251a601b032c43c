"""Frames as tables for a terminal."""

from __future__ import annotations

from datetime import time
from typing import Final

import polars as pl
from rich.table import Table

MOST_ROWS: Final = 20
LARGE: Final = 1e5  # volumes: written whole, with separators
NUMBERS: Final = ("open", "high", "low", "close", "volume")


def bars_table(frame: pl.DataFrame) -> Table:
    """Return `frame` as a table: the first and the last ten rows of a long one."""
    below_a_day = bool((frame["ts_event"].dt.time() != time()).any())
    when = pl.col("ts_event").dt.strftime("%Y-%m-%d %H:%M" if below_a_day else "%Y-%m-%d")
    shown = frame.select("symbol", when.alias("UTC" if below_a_day else "date"), *NUMBERS)
    about = ", ".join(f"{', '.join(frame[name].unique().sort().to_list())}" for name in ("basis", "currency"))
    made = ", ".join(frame["derived_from"].drop_nulls().unique().sort()) if "derived_from" in frame.columns else ""
    told = f"{len(frame):,} bars ({about}{f', made of {made}' if made else ''})"
    told += f". {_rates(frame)}" if "fx_rate" in frame.columns else ""
    table = Table(header_style="dim", caption=told, caption_justify="left")
    for name in shown.columns:
        table.add_column(name, justify="right" if name in NUMBERS else "left", no_wrap=True)
    short = len(shown) <= MOST_ROWS
    for row in (shown if short else shown.head(MOST_ROWS // 2)).iter_rows():
        table.add_row(*map(_text, row))
    if not short:
        table.add_row(*["..."] * len(shown.columns))
        for row in shown.tail(MOST_ROWS // 2).iter_rows():
            table.add_row(*map(_text, row))
    return table


def _rates(frame: pl.DataFrame) -> str:
    """Return by which rates prices are told in another currency."""
    fixings = ", ".join(frame["fx_fixing"].drop_nulls().unique().sort())
    paths = ", ".join(one for one in frame["fx_path"].drop_nulls().unique().sort() if one)
    missing = frame["fx_rate"].null_count()
    age = max(frame["fx_age_days"].drop_nulls(), default=0)
    parts = [f"Rates: {paths}" if paths else "No rate was needed", f"fixing {fixings}" if fixings else ""]
    parts += [f"at most {age} days old" if paths else "", f"{missing:,} bars have none" if missing else ""]
    return ", ".join(one for one in parts if one) + "."


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) >= LARGE else f"{value:.8g}"
    return str(value)
