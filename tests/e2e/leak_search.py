"""Looking for secrets: in every spelling, in every file of a folder unpacked, and in errors to their last frame."""

from __future__ import annotations

import gzip
import json
import sqlite3
import traceback
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from contextlib import closing
from html import escape
from pathlib import Path
from urllib.parse import quote, quote_plus

import duckdb

from truetape.adapters.file_archive.disk import unwrap

Places = Mapping[str, bytes]  # what was found where


def spellings(secret: str) -> dict[str, str]:
    """Return `secret` in every spelling in which a server might say it back, by the standard library."""
    encoded = json.dumps(secret)[1:-1]
    return {
        "raw": secret,
        "percent": quote(secret, safe=""),
        "path": quote(secret),
        "plus": quote_plus(secret),
        "twice": quote_plus(quote(secret, safe="")),
        "json": encoded,
        "json with strokes": encoded.replace("/", "\\/"),
        "json with codes": encoded.replace("+", "\\u002b").replace("/", "\\u002F").replace("=", "\\u003d"),
        "json in json": json.dumps(encoded.replace("/", "\\/"))[1:-1],
        "html": escape(secret),
        "html with codes": "".join(one if one.isalnum() else f"&#{ord(one)};" for one in secret),
        "base64": b64encode(secret.encode()).decode(),
        "base64 of the web": urlsafe_b64encode(secret.encode()).decode(),
        "base64 behind a name": b64encode(f"user:{secret}".encode()).decode(),
        "base64 behind a scheme": b64encode(f"Bearer {secret}".encode()).decode(),
    }


def leaks(secrets: Iterable[str], places: Places) -> list[str]:
    """Return which secret stands where, and how; nothing where none does. Strokes that quote quotes do not count."""
    wanted = [(secret, name, form) for secret in secrets for name, form in forms(secret).items()]
    bare = {place: _without_strokes(found) for place, found in places.items()}
    return [
        f"{secret!r} ({name}) in {place}"
        for place, found in bare.items()
        for secret, name, form in wanted
        if _without_strokes(form.encode()) in found
    ]


def _without_strokes(text: bytes) -> bytes:
    return text.replace(b"\\", b"")


def forms(secret: str) -> dict[str, str]:
    """Return what is looked for: of base64 the part that is the same wherever the secret begins in it."""
    found = {name: form for name, form in spellings(secret).items() if not name.startswith("base64")}
    plain = secret.encode()
    for before in range(3):
        whole = b64encode(bytes(before) + plain).decode()
        inner = whole[before + (before > 0) : (before + len(plain)) * 8 // 6]
        found[f"base64, {before} before"] = inner
        found[f"base64 of the web, {before} before"] = inner.replace("+", "-").replace("/", "_")
    return found


def raw_files(folder: Path) -> dict[str, bytes]:
    """Return every file below `folder` as it lies on the disk, and the names of all."""
    files = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    return {"names of files": "\n".join(map(str, files)).encode()} | {str(path): body for path, body in files.items()}


def unpacked_files(folder: Path) -> dict[str, bytes]:
    """Return every file below `folder` with its packing undone: payloads, gzip, and the rows of databases."""
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".zst":
            found[f"{path}, unpacked"] = unwrap(path.read_bytes(), path)
        elif path.suffix == ".gz":
            found[f"{path}, unpacked"] = gzip.decompress(path.read_bytes())
        elif path.suffix == ".duckdb":
            found[f"{path}, its rows"] = _rows(path)
        elif path.suffix == ".sqlite":
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as opened:
                found[f"{path}, its rows"] = "\n".join(opened.iterdump()).encode()
    return found


def _rows(path: Path) -> bytes:
    with duckdb.connect(str(path), read_only=True) as opened:
        names = [name for (name,) in opened.sql("SELECT table_name FROM duckdb_tables()").fetchall()]
        cells = [cell for name in names for row in opened.sql(f'SELECT * FROM "{name}"').pl().rows() for cell in row]
    return "\n".join(cell.decode(errors="replace") if isinstance(cell, bytes) else str(cell) for cell in cells).encode()


def told(error: BaseException) -> bytes:
    """Return everything that an error tells: its words, those before it, and the variables where it happened.

    The frame that caught it is left out: it belongs to whoever asks.
    """
    chain: list[BaseException] = []
    following: list[BaseException | None] = [error]
    while following:
        one = following.pop()
        if one is None or one in chain:
            continue
        chain.append(one)
        following += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]
    return "\n".join(_told(one, first=one is error) for one in chain).encode()


def _told(error: BaseException, *, first: bool) -> str:
    place = error.__traceback__
    if first and place is not None:
        place = place.tb_next
    frames = traceback.TracebackException(type(error), error, place, capture_locals=True)
    return "\n".join([str(error), repr(error), repr(error.args), repr(vars(error)), *frames.format(chain=False)])
