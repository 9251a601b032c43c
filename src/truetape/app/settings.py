"""The settings of one platform: a TOML file, and keys from the environment."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta

from truetape.domain.errors import BadInput
from truetape.domain.messages import DeclaredListing

DEFAULT_PATH: Final = Path("truetape.toml")
KEY_VARIABLES: Final = {
    "alpha_vantage": "ALPHAVANTAGE_API_KEY",
    "yahoo": "",
    "finnhub": "FINNHUB_API_KEY",
    "iex_cloud": "IEX_TOKEN",
}

Positive = Annotated[float, Meta(gt=0)]
Port = Annotated[int, Meta(ge=0, le=65_535)]
T = TypeVar("T")


class ProviderSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How one provider is reached. The key is never shown."""

    enabled: bool = True
    base_url: str = ""  # "" for the provider's own
    key: str = ""
    calls_per_second: Positive | None = None  # None for the pace that the provider declares

    def __repr__(self) -> str:
        key = "set" if self.key else "missing"
        return f"ProviderSettings(enabled={self.enabled}, base_url={self.base_url!r}, key={key})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("enabled", self.enabled), ("base_url", self.base_url), ("key", "set" if self.key else "missing")]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an operator decides."""

    data: Path
    start: date  # first session date to acquire
    end: date | None = None  # last one; None: the last day that has ended
    timeframe: Literal["1d"] = "1d"
    host: str = "127.0.0.1"
    port: Port = 8000
    simulated: bool = False
    instruments: tuple[DeclaredListing, ...] = ()
    providers: dict[str, ProviderSettings] = {}
    refresh_s: Positive = 3600.0  # between two looks for new sessions, and two tries of what nobody answered
    timeout_s: Positive = 30.0  # of one request to a provider
    attempts: Annotated[int, Meta(ge=1, le=20)] = 5
    backoff_s: Positive = 0.5
    cache_bytes: Annotated[int, Meta(ge=0)] = 64 << 20


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """Return the settings that the TOML file at `path` holds, with keys from `environ`.

    The data folder is meant relative to the file.

    Raises:
        BadInput: The file is missing or not readable, or some values are wrong: all of them are named together.
    """
    table = _parsed(path)
    problems: list[str] = []
    instruments = _sections(table.pop("instruments", []), problems)
    providers = table.pop("providers", {})
    values = _fields(Settings, table, "", problems, leave_out=("simulated", "instruments", "providers"))
    values["data"] = path.parent / values.get("data", Path("data"))
    listings = [_fields(DeclaredListing, one, f"instruments[{n}].", problems) for n, one in enumerate(instruments)]
    values["providers"] = _providers(providers, environ, problems)
    _refuse(path, problems)
    values["instruments"] = tuple(DeclaredListing(**one) for one in listings)
    settings = Settings(**values)
    _refuse(path, _contradictions(settings))
    return settings


def _refuse(path: Path, problems: list[str]) -> None:
    if problems:
        raise BadInput(parameter="The configuration", value=str(path), fix=" ".join(problems))


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        fix = "There is no such file; write one with: truetape init."
    except IsADirectoryError:
        fix = "It is a folder; name the file in it."
    except (OSError, UnicodeDecodeError) as error:
        fix = f"It cannot be read: {error}."
    except tomllib.TOMLDecodeError as error:
        fix = f"It is no valid TOML: {error}."
    raise BadInput(parameter="The configuration", value=str(path), fix=fix)


def _sections(found: object, problems: list[str]) -> list[dict[str, Any]]:
    if isinstance(found, list) and all(isinstance(one, dict) for one in found):
        return found
    problems.append("instruments must be tables: write [[instruments]] before each.")
    return []


def _fields(
    kind: type, table: Mapping[str, Any], where: str, problems: list[str], *, leave_out: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return the values of `table` as the fields of `kind`; what is wrong is added to `problems`."""
    known = {one.name: one for one in msgspec.structs.fields(kind) if one.name not in leave_out}
    values = {}
    for name, value in table.items():
        if name not in known:
            problems.append(f"{where}{name} is no setting; {_nearest(name, known)}.")
            continue
        try:
            values[name] = msgspec.convert(value, known[name].type, strict=True)
        except msgspec.ValidationError as error:
            problems.append(f"{where}{name} was {value!r}: {str(error)[:1].lower()}{str(error)[1:]}.")
    for name, one in known.items():
        if one.required and name not in table and name != "data":
            problems.append(f"{where}{name} is missing.")
    return values


def _providers(found: object, environ: Mapping[str, str], problems: list[str]) -> dict[str, ProviderSettings]:
    if not isinstance(found, dict):
        problems.append("providers must be tables: write [providers.yahoo] before its settings.")
        return {}
    chosen = {}
    for name, table in found.items():
        if name not in KEY_VARIABLES:
            problems.append(f"providers.{name} is no provider; {_nearest(name, KEY_VARIABLES)}.")
        elif not isinstance(table, dict):
            problems.append(f"providers.{name} was {table!r}: write [providers.{name}] before its settings.")
        else:
            rest = dict(table)
            variable = rest.pop("key_variable", KEY_VARIABLES[name])
            values = _fields(ProviderSettings, rest, f"providers.{name}.", problems, leave_out=("key",))
            chosen[name] = ProviderSettings(**values, key=environ.get(str(variable), ""))
    return chosen


def _contradictions(settings: Settings) -> list[str]:
    problems = []
    if settings.end is not None and settings.start > settings.end:
        problems.append(f"start was {settings.start}, after end ({settings.end}).")
    if not settings.instruments:
        problems.append("No instrument is named: write at least one [[instruments]] with symbol and mic.")
    if not any(one.enabled for one in settings.providers.values()):
        problems.append(f"No provider is enabled: write [providers.yahoo], or another of {', '.join(KEY_VARIABLES)}.")
    return problems


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"


TEMPLATE: Final = """\
# Settings of truetape. Every value here is the default unless it says otherwise.
# Keys never stand in this file: they are read from the environment variables named below.

data = "data"              # folder for the archive and the store, relative to this file
host = "127.0.0.1"         # address on which the API listens
port = 8000
start = 2020-01-01         # first session date to acquire
# end = 2024-12-31         # last one; without it, the last day that has ended
refresh_s = 3600.0         # seconds between two looks for new sessions

# One table for each listing. MIC is the ISO 10383 code of the market.
[[instruments]]
symbol = "AAPL"
mic = "XNAS"
name = "Apple Inc."
currency = "USD"

[[instruments]]
symbol = "IBM"
mic = "XNYS"
name = "International Business Machines Corporation"
currency = "USD"

# Providers that have a table here are asked, all of them; a price is what most of them agree on.
[providers.alpha_vantage]
key_variable = "ALPHAVANTAGE_API_KEY"
calls_per_second = 0.9     # the free plan also allows only 25 calls a day

[providers.yahoo]          # needs no key; personal use only, by Yahoo's terms

[providers.finnhub]
key_variable = "FINNHUB_API_KEY"

# IEX Cloud closed on 2024-08-31; name a host that still speaks its API to use it.
# [providers.iex_cloud]
# base_url = "https://..."
# key_variable = "IEX_TOKEN"
"""
