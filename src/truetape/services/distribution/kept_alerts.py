"""Alerts as rows of their table, and back: a platform that starts again goes on where it was."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import polars as pl

from truetape.domain.schema import TABLES
from truetape.services.distribution.alarms import Alert

INSTANTS = ("started", "seen", "sent")


def alert_rows(alerts: Iterable[Alert], *, now_ns: int, simulated: bool) -> pl.DataFrame:
    """Return `alerts` as rows of the table of alerts, known at `now_ns`."""
    rows = [
        {
            **msgspec.structs.asdict(one),
            "labels": msgspec.json.encode(one.labels).decode(),
            "members": msgspec.json.encode(one.members).decode(),
            "ts_known": now_ns,
            "simulated": simulated,
        }
        for one in alerts
    ]
    columns = TABLES["alerts"].columns
    whole = {*INSTANTS, "ts_known"}
    return pl.DataFrame(
        [
            pl.Series(name, [row[name] for row in rows], dtype=pl.Int64 if name in whole else dtype).cast(dtype)
            for name, dtype in columns.items()
        ]
    )


def kept_alerts(rows: pl.DataFrame) -> list[Alert]:
    """Return the alerts that `rows` of the table of alerts are."""
    plain = rows.with_columns(pl.col(*INSTANTS).cast(pl.Int64)).select(Alert.__struct_fields__)
    return [
        Alert(
            **{
                **row,
                "labels": msgspec.json.decode(row["labels"], type=dict[str, str]),
                "members": msgspec.json.decode(row["members"], type=tuple[str, ...]),
            }
        )
        for row in plain.iter_rows(named=True)
    ]
