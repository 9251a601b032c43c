"""Prices in a folder of one's own: CSV or Parquet files, one for each symbol or one with a column of symbols."""

from __future__ import annotations

from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.domain.time import TIMEFRAMES
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers.files import decode
from truetape.providers.files.classify import classify
from truetape.providers.files.client import Client

DECLARATION: Final = Declaration(
    name="files",
    title="Files in a folder",
    offers=(
        Offer(kind="bars", timeframes=TIMEFRAMES),
        Offer(kind="actions"),
        Offer(kind="listings"),
    ),
    basis="raw",
    zone="UTC",
    feed="files",
    needs_key=False,
    key_variable="",
    calls_per_second=100.0,
    assets=("equity", "etf", "fund", "index", "fx", "crypto", "future", "commodity"),
    redistribution="none",
)


def provider(http: Http, *, base_url: str = "", key: str = "") -> Provider:
    """Return the files of the folder, or the one file, that `base_url` names as file:///folder or as a path.

    Neither `http` nor a `key` is needed.
    """
    del http, key
    return Provider(
        declaration=DECLARATION,
        client=Client(base_url),
        classify=classify,
        decode={"bars": decode.bars, "actions": decode.actions, "listings": decode.listings},
        spell=spell,
    )


def spell(symbol: str) -> str:
    """Return `symbol` as files are named by it: a pair has a dash instead of its slash."""
    return symbol.replace("/", "-")
