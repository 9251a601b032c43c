"""The fault script: which provider fails how, for which symbol, and from which request on.

A script is a TOML file with one table for each fault:

    [[faults]]
    provider = "yahoo"          # its name, or "*" for all
    symbol = "AAPL"             # "*" (the default) for all
    kind = "rate_limit"         # see KINDS and STREAM
    first = 1                   # the first request, counted from 1 for each provider and symbol
    times = 2                   # how many requests; 0 for ever. Default: 1 for TRANSPORT, 0 for DATA kinds

Some kinds read more keys, which all have defaults:

    rate_limit    retry_after_s = 1        seconds in the Retry-After header
    note          quota = false            Alpha Vantage only: true says that the day's budget is spent
    server_error  status = 503             500 to 599
    time_out      seconds = 3.0            how long the answer hangs before the connection is dropped, at most 60
    truncated     length = "right"         or "long": Content-Length promises the whole body
    kill                                   half of the body, then the connection is reset
    mute          seconds = 3.0            the connection is taken, and nothing is ever said on it
    slow          seconds = 3.0            the body drips in over so long
    garbage                                bytes without sense, in the provider's own content type
    wrong_type                             a page of markup with status 200 and the provider's own content type
    bomb                                   a small body that unfolds to 256 MiB
    redirect_loop                          each address leads to itself
    drift         change = "rename"        or "type": the field keeps its name and becomes an object
    missing_rows  rows = 3                 how many rows are left out
    hundredfold   rows = 2                 how many rows have prices 100 times too high
    missed_split  how = "missed"           or "twice": prices before the split are off by its ratio, up or down
    stale         sessions = 5             the last sessions repeat the row before them

Kinds of STREAM spoil what is said on a stream. There `first` counts what would be said of the symbol (trades, quotes,
changes of the book; bars are not counted), over all connections to the provider, and `times` how much of it is hit, 1
by default. What a provider cannot say is not met: a wrong checksum only with a book, a correction only where there are
any.

    silence         seconds = 3.0          the socket stays open, says nothing and answers no ping for so long, 0 until
                                           the client leaves; what would have been said in that time is lost
    reordered       rows = 1               said so many ticks later
    repeated                               said twice
    gap                                    not said: numbers skip, checksums disagree
    wrong_checksum                         a change of the book, with a checksum that disagrees
    delayed         seconds = 3.0          everything comes so much later, and then at once
    disconnect                             the connection is reset instead
    garbage_frame                          a frame without sense comes before it
    late_trade      rows = 20              a trade, said so many ticks later
    correction                             a trade, said with a wrong price first, and then corrected
    cancel                                 a trade that never was, said before it and then cancelled
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec

from truetape.domain.errors import BadInput
from truetape.providers import NAMES

Kind = Literal[
    "rate_limit",
    "note",
    "server_error",
    "time_out",
    "truncated",
    "kill",
    "mute",
    "slow",
    "garbage",
    "wrong_type",
    "bomb",
    "redirect_loop",
    "drift",
    "missing_rows",
    "hundredfold",
    "missed_split",
    "stale",
]
StreamKind = Literal[
    "silence",
    "reordered",
    "repeated",
    "gap",
    "wrong_checksum",
    "delayed",
    "disconnect",
    "garbage_frame",
    "late_trade",
    "correction",
    "cancel",
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)  # of answers to requests
STREAM: Final[tuple[StreamKind, ...]] = get_args(StreamKind)
DATA: Final[frozenset[Kind]] = frozenset({"drift", "missing_rows", "hundredfold", "missed_split", "stale"})
TRANSPORT: Final[frozenset[Kind]] = frozenset(KINDS) - DATA
MOST_FAULTS: Final = 10_000
_LARGEST_SCRIPT: Final = 4_000_000  # bytes


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way in which a provider fails; the module's text describes each field."""

    provider: str
    kind: Kind | StreamKind
    symbol: str = "*"
    first: int = 1
    times: int | None = None
    retry_after_s: int = 1
    quota: bool = False
    status: int = 503
    seconds: float = 3.0
    length: Literal["right", "long"] = "right"
    change: Literal["rename", "type"] = "rename"
    rows: int | None = None
    how: Literal["missed", "twice"] = "missed"
    sessions: int = 5

    def __post_init__(self) -> None:
        bounds: tuple[tuple[str, float, float, float], ...] = (
            ("first", self.first, 1, 1_000_000_000),
            ("times", self.times or 0, 0, 1_000_000_000),
            ("retry_after_s", self.retry_after_s, 0, 86_400),
            ("status", self.status, 500, 599),
            ("seconds", self.seconds, 0, 60),
            ("rows", 1 if self.rows is None else self.rows, 1, 100_000),
            ("sessions", self.sessions, 1, 100_000),
        )
        if self.provider not in {*NAMES, "*"}:
            raise ValueError(f"provider was {self.provider!r}; known are {', '.join(NAMES)} and *")
        for name, value, least, most in bounds:
            if not least <= value <= most:
                raise ValueError(f"{name} was {value}; it must lie between {least:g} and {most:g}")

    def concerns(self, provider: str, symbol: str) -> bool:
        """Return whether this fault is meant for `symbol` of `provider`."""
        return self.provider in {provider, "*"} and self.symbol in {symbol, "*"}

    def due(self, request: int) -> bool:
        """Return whether request number `request` (from 1) to the provider about the symbol meets this fault."""
        times = self.times if self.times is not None else int(self.kind in TRANSPORT)
        return request >= self.first and (times == 0 or request < self.first + times)


Script = tuple[Fault, ...]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    faults: list[Fault]


def read_script(path: Path) -> Script:
    """Return the faults of a TOML file, in its order.

    Raises:
        BadInput: The file is missing, no TOML, or names an unknown kind, provider or key.
    """
    try:
        text = path.read_bytes()[: _LARGEST_SCRIPT + 1]
        if len(text) > _LARGEST_SCRIPT:
            raise BadInput(parameter="--faults", value=str(path), fix="The file is larger than 4 MB; shorten it.")
        script = msgspec.convert(tomllib.loads(text.decode()), _File)
    except OSError as error:
        reason = error.strerror or str(error)
        fix = f"The file could not be read: {reason}. Give all, none or a TOML file."
        raise BadInput(parameter="--faults", value=str(path), fix=fix) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        fix = f"The fault script could not be understood: {error}. Kinds are: {', '.join((*KINDS, *STREAM))}."
        raise BadInput(parameter="--faults", value=str(path), fix=fix) from None
    if len(script.faults) > MOST_FAULTS:
        raise BadInput(parameter="--faults", value=str(path), fix=f"At most {MOST_FAULTS:,} faults are played.")
    return tuple(script.faults)


def unmet(script: Script, symbols: Collection[str]) -> list[Fault]:
    """Return the faults of `script` that name a symbol which is not among `symbols`: they can never be met."""
    return [fault for fault in script if fault.symbol != "*" and fault.symbol not in symbols]


def due_faults(script: Script, *, provider: str, symbol: str, request: int) -> tuple[int, ...]:
    """Return the places in `script` of the faults that this request meets.

    Args:
        script: The faults.
        provider: Who is asked.
        symbol: About which symbol.
        request: Its number, from 1, among the requests to this provider about this symbol.

    Returns:
        The first transport fault that is due, alone, since it leaves no data to spoil; else every data fault that is
        due, in the order of the script.
    """
    asked = [(place, one) for place, one in enumerate(script) if one.kind not in STREAM]
    due = [place for place, one in asked if one.concerns(provider, symbol) and one.due(request)]
    transport = [place for place in due if script[place].kind in TRANSPORT]
    return tuple(transport[:1] or due)
