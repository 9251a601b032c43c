"""What a provider's list of symbols says of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from truetape.app.sandbox.dataset import Dataset
from truetape.domain.decoding import Column, decoded


def listed(dataset: Dataset, *, spell: Callable[[str], str], exchanges: Mapping[str, str]) -> pl.DataFrame:
    """Return the dataset's shares, neither indices nor pairs, as schema DECODED["listings"].

    Args:
        dataset: The truth.
        spell: Our symbol in the provider's spelling.
        exchanges: The provider's codes of exchanges by MIC; others keep their MIC.
    """
    shares = [one for one in dataset.series.values() if not one.symbol.startswith("^") and "/" not in one.symbol]
    first_dates = pl.Series([one.bars["ts_event"][0] for one in shares], dtype=pl.Datetime("ns", "UTC"))
    columns: dict[str, Column] = {
        "symbol": pl.Series([spell(one.symbol) for one in shares], dtype=pl.String),
        "name": [one.name for one in shares],
        "exchange": [exchanges.get(one.mic, one.mic) for one in shares],
        "mic": [one.mic for one in shares],
        "currency": [one.currency for one in shares],
        "first_date": first_dates.dt.date(),
    }
    return decoded("listings", columns, asset_class="equity", status="active")
