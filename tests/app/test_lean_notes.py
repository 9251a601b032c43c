"""What truetape import lean says of what it left out, kept out, or could not use yet."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from lean_folder import WEEK, LeanFolder, closes, run
from truetape.providers.lean.folder import Folder


def test_what_is_not_read_and_what_has_no_effect_is_said(tmp_path: Path) -> None:
    """Other markets, ticks and packed files; ex-dates behind the last bar; bars that broke a rule."""
    folder, data = LeanFolder(tmp_path / "Data"), tmp_path / "data"
    for name in ("crypto/coinbase", "forex", "equity/india", "equity/usa/tick"):
        (folder.root / name).mkdir(parents=True)
    folder.zip("map_files/map_files_20240112.zip", "x.csv", "")
    folder.map("gone", "20240102,gone,N", "20501231,gone,N")
    folder.factors("gone", "20240102,0.4,1,1", "20240105,0.4,1,10", "20240112,0.5,1,10", "20501231,1,1,0")
    folder.daily("gone", dict.fromkeys(WEEK, 10.0))
    folder.hours("hours", ("20240105 09:00", 10.0))
    folder.minutes("minutes", "20240105", (34_200_000, 10.0))
    folder.map("odd", "20240102,odd,N", "20501231,odd,N")
    folder.zip("daily/odd.zip", "odd.csv", "20240102 00:00,50000,40000,60000,50000,9\n20240103 00:00,1,1,1,1,1\n")

    done = run("import", "lean", folder.root, "--into", data, "--json")

    told = json.loads(done.stdout)
    assert (0, 10, 1) == (done.exit_code, told["bars"], told["quarantined"])
    assert [
        "crypto, forex, equity/india: only equities of the USA are read",
        "tick: bars of a day, an hour and a minute are read, nothing finer",
        "map_files/map_files_20240112.zip: files of this folder are read only where they are not packed; unpack it",
        "hours: no bars of a day; --timeframe 1d,1h brings theirs",
        "minutes: no bars of a day; --timeframe 1d,1m brings theirs",
        "factor_files/gone.csv: its bars end on 2024-01-12, and 1 later ex-dates change no price until more bars come",
        f"truetape quarantine list --data {data} shows 1 bars that broke a rule and were kept out",
    ] == told["notes"]
    assert [8.0] * 4 + [10.0] * 5 == closes(data, "GONE", "all")


def test_what_lies_beside_the_folder_that_was_named_is_none_of_it(tmp_path: Path) -> None:
    """Only what it holds itself is said to be left unread."""
    folder = LeanFolder(tmp_path / "Data")
    (folder.root / "crypto").mkdir()
    folder.daily("x", {date(2024, 1, 2): 1.0})
    whole, part = Folder(folder.root), Folder(folder.base)

    whole.look()
    part.look()

    assert (("crypto: only equities of the USA are read",), ()) == (whole.unread, part.unread)
