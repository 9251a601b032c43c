"""The settings of one platform: a TOML file, and keys from the environment."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

import msgspec
from msgspec import Meta

from truetape.app.backup_settings import Backing, backing
from truetape.app.calendar_settings import Calendars, calendars
from truetape.app.check_settings import Checking, checking
from truetape.app.consensus_settings import Consensus, consensus
from truetape.app.database_settings import Database, database
from truetape.app.listing_settings import listing_problems
from truetape.app.rate_settings import rate_pairs
from truetape.app.register_settings import Referring, referring
from truetape.app.repair_policies import Repairing, repairing
from truetape.app.stream_replay import STREAMS
from truetape.app.tier_settings import Tiering, tiering
from truetape.app.watch_settings import Watching, watching
from truetape.domain.asks import KINDS
from truetape.domain.errors import BadInput
from truetape.domain.messages import DeclaredListing
from truetape.providers import KEY_VARIABLES, vendor
from truetape.services.ingestion.routing import Policy

LARGEST_BYTES: Final = 1 << 20
CHANNELS: Final = ("trades", "quotes", "bars", "book")
FOLDERS_ONLY: Final = ("files", "lean")  # providers that ask nobody
QUALITY: Final = ("freshness", "checks", "user_checks", "consensus", "repair")  # what [quality] holds
FOLDER_READERS: Final = (*FOLDERS_ONLY, "stooq")
OVERRIDES: Final = {"data": "TRUETAPE_DATA", "host": "TRUETAPE_HOST", "port": "TRUETAPE_PORT"}
LEDGER: Final = "TRUETAPE_LEDGER"  # the address of a Redis server that keeps the quotas of several machines

Seconds = Annotated[float, Meta(gt=0, le=31_536_000, description="seconds above 0 and up to a year")]
Pace = Annotated[float, Meta(gt=0, le=1000, description="a number above 0 and up to 1000")]
Weight = Annotated[float, Meta(gt=0, le=100, description="a number above 0 and up to 100")]
Port = Annotated[int, Meta(ge=0, le=65_535, description="a whole number from 0 to 65535; 0 takes a free port")]
Attempts = Annotated[int, Meta(ge=1, le=20, description="a whole number from 1 to 20")]
Quorum = Annotated[int, Meta(ge=0, le=20, description="a whole number from 0 to 20; 0 means everybody")]
Names = Annotated[tuple[str, ...], Meta(description='names in a list such as ["tiingo", "yahoo"]')]
Bytes = Annotated[int, Meta(ge=0, le=1 << 50, description="a whole number of bytes")]
Host = Annotated[str, Meta(pattern=r"^[A-Za-z0-9.:_-]{1,255}$", description='an address such as "127.0.0.1"')]
_URL: Final = r"^(https?://[^\s/?#@]+(/[^\s?#]*)?|file:///[^\s?#]*)?$"
Url = Annotated[str, Meta(pattern=_URL, description='an address such as "https://host/path"')]
Folder = Annotated[str, Meta(pattern=r"^[^\x00]{0,1024}$", description='a folder, or "" for none')]
Variable = Annotated[
    str, Meta(pattern="^([A-Za-z_][A-Za-z0-9_]*)?$", description="the name of an environment variable, not a key")
]
Symbol = Annotated[str, Meta(pattern=r"^[^\s,/]{1,40}$", description='a symbol such as "AAPL", without spaces')]
Mic = Annotated[str, Meta(pattern="^[A-Z0-9]{4}$", description='four capitals of ISO 10383, such as "XNAS"')]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", description='three capitals of ISO 4217, such as "USD"')]

_WORDS: Final = {
    bool: "true or false, without quotes",
    date: "a date such as 2020-01-31",
    str: "text in quotes",
    Path: "the path of a folder, in quotes",
    "consensus": '"consensus", "failover", "hedged" or "cheapest"',
    "1d": '"1d", the only timeframe that is acquired',
}
_LISTING: Final = {"symbol": Symbol, "mic": Mic, "currency": Currency}
_POLICY: Final = {"quorum": Quorum, "hedge_s": Seconds, "providers": Names}
_BUILT: Final = ("pairs", "checking", "consensus", "repairing", "database", "tiers", "backup", "calendars", "reference")
_READ_APART: Final = ("instruments", "providers", "policies", "streams", "ledger", "watching", *_BUILT)
_APART: Final = ("providers", "policies", "streams", "tiers", "timescale", "backup", "reference")
_KEY_LIKE: Final = re.compile("[A-Za-z0-9]{16,}")  # rather a key than the name of a variable, which has underscores
_SECRET: Final = re.compile(r"(?<=//)[^/@]*(?=@)|(?<=\?).*")


class Secret(str):
    """A text that is never shown."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "***" if self else "''"


class ProviderSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How one provider is reached. The key is never shown."""

    enabled: bool = True
    base_url: Url = ""  # "" for the provider's own
    key: str = ""
    secret: str = ""  # the second half of the key, where a provider has one
    key_variable: Variable = ""  # the environment variable that the key is read from
    secret_variable: Variable = ""
    plan: str = ""  # the subscription, a name of the provider's plans; "" for its default
    calls_per_second: Pace | None = None  # None for the pace that the provider declares
    trust: Weight | None = None  # of its vote; None: learnt from how often it was right

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"ProviderSettings({told})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        shown = {name: getattr(self, name) for name in self.__struct_fields__}
        hidden = {name: "set" if getattr(self, name) else "missing" for name in ("key", "secret")}
        return list({**shown, **hidden}.items())


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an operator decides."""

    data: Path
    start: date  # first session date to acquire
    end: date | None = None  # last one; None: the last day that has ended
    timeframe: Literal["1d"] = "1d"
    host: Host = "127.0.0.1"
    port: Port = 8000
    simulated: bool = False
    instruments: tuple[DeclaredListing, ...] = ()
    pairs: tuple[str, ...] = ()  # of currencies whose rates are acquired
    providers: dict[str, ProviderSettings] = {}
    policies: dict[str, Policy] = {}  # how providers share the questions, by record kind; absent: all are asked
    streams: dict[str, tuple[str, ...]] = {}  # what is heard live, of CHANNELS, by provider; absent: nothing
    refresh_s: Seconds = 3600.0  # between two looks for new sessions, and two tries of what nobody answered
    timeout_s: Seconds = 30.0  # of one request to a provider
    attempts: Attempts = 5
    backoff_s: Seconds = 0.5
    cache_bytes: Bytes = 64 << 20
    spend_evenly: bool = True  # backfills use of a day's or a month's quota what has passed of it
    checking: Checking = Checking()  # how checks are set
    consensus: Consensus = Consensus()  # how far claims may differ, and how many must agree
    repairing: Repairing = Repairing()  # which repairs are applied without asking
    watching: Watching = Watching()  # who is alarmed of what, and how soon what is due
    segments: Folder = "segments"  # where bars lie as they are read, beside the data; "": they are read from the store
    database: Database = Database()  # where the store lies, if not in the data folder
    tiers: Tiering = Tiering()  # where old rows go, when, and how long they are kept
    backup: Backing = Backing()  # where backups go, how often, and how often they are proved
    reference: Referring = Referring()  # which lists are fetched, and when one is not believed
    calendars: Calendars = Calendars()  # corrections of the operator's
    ledger: str = Secret()  # redis://... where quotas are shared by machines; "" for a file in the data folder


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """Return the settings that the TOML file at `path` holds, with keys from `environ`.

    The data folder is meant relative to the file. TRUETAPE_DATA (relative to the working folder), TRUETAPE_HOST and
    TRUETAPE_PORT stand above the file.

    Raises:
        BadInput: The file is missing or not readable, or some values are wrong: all of them are named together.
    """
    table = _parsed(path)
    problems: list[str] = []
    instruments = _tables(table.pop("instruments", []), problems)
    pairs = rate_pairs(table.pop("fx", {}), problems)
    corrected = calendars(table.pop("calendars", {}), beside=path.parent, problems=problems)
    apart = {name: table.pop(name, {}) for name in _APART}
    watched = {name: table.pop(name, kind()) for name, kind in (("alerts", list), ("channels", dict), ("disk", dict))}
    quality = _quality(table.pop("quality", {}), problems)
    watched["freshness"] = quality.get("freshness", {})
    table |= _overrides(environ)
    values = _fields(Settings, table, "", problems, leave_out=_READ_APART)
    values["data"] = path.parent / values.get("data", "data")
    listings = [
        _fields(DeclaredListing, one, f"instruments[{number}].", problems, types=_LISTING)
        for number, one in enumerate(instruments)
    ]
    values["pairs"] = pairs
    values["providers"] = _providers(apart["providers"], environ, problems)
    values["policies"] = _policies(apart["policies"], problems)
    values["streams"] = _streams(apart["streams"], problems)
    values["watching"] = watching(**watched, environ=environ, problems=problems)
    own = {"checks": quality.get("checks", {}), "folder": quality.get("user_checks")}
    values["checking"] = checking(**own, beside=path.parent, problems=problems)
    values["consensus"] = consensus(quality.get("consensus", {}), problems)
    values["repairing"] = repairing(quality.get("repair", {}), problems)
    values["database"] = database(apart["timescale"], environ=environ, problems=problems)
    values["tiers"] = tiering(apart["tiers"], beside=path.parent, problems=problems)
    values["backup"] = backing(apart["backup"], file=path, problems=problems)
    values |= {"calendars": corrected, "reference": referring(apart["reference"], problems)}
    values["ledger"] = Secret(environ.get(LEDGER, "").strip())
    problems += listing_problems(listings)
    if not problems:
        values["instruments"] = tuple(DeclaredListing(**one) for one in listings)
        settings = Settings(**values)
        problems += _contradictions(settings)
        if not problems:
            return settings
    told = problems[0] if len(problems) == 1 else "\n- ".join([f"{len(problems)} things are wrong:", *problems])
    raise BadInput(parameter="The configuration", value=str(path), fix=told)


def _parsed(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            body = file.read(LARGEST_BYTES + 1)
        if len(body) > LARGEST_BYTES:
            fix = f"It is larger than {LARGEST_BYTES} bytes; name a settings file."
        else:
            return tomllib.loads(body.decode("utf-8-sig"))
    except FileNotFoundError:
        fix = f"There is no such file; write one with: truetape init {path}"
    except IsADirectoryError:
        fix = "It is a folder; name the file in it."
    except OSError as error:
        fix = f"It cannot be read: {(error.strerror or str(error)).lower()}."
    except UnicodeDecodeError as error:
        fix = f"It is no UTF-8 text: see byte {error.start}."
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        fix = f"It is no valid TOML: {error}."
    raise BadInput(parameter="The configuration", value=str(path), fix=fix)


def _overrides(environ: Mapping[str, str]) -> dict[str, object]:
    """Return the settings that the environment gives; what is no whole number is judged as it stands."""
    given: dict[str, object] = {
        name: environ[variable] for name, variable in OVERRIDES.items() if environ.get(variable)
    }
    if "data" in given:
        given["data"] = str(Path(str(given["data"])).absolute())
    port = str(given.get("port", ""))
    if port.isascii() and port.isdecimal():
        given["port"] = int(port[:6])
    return given


def _tables(found: object, problems: list[str]) -> list[dict[str, Any]]:
    if isinstance(found, list) and all(isinstance(one, dict) for one in found):
        return found
    problems.append("instruments must be tables: write [[instruments]] before each.")
    return []


def _fields(
    kind: type[msgspec.Struct],
    table: Mapping[str, Any],
    where: str,
    problems: list[str],
    *,
    leave_out: tuple[str, ...] = (),
    types: Mapping[str, Any] = {},
) -> dict[str, Any]:
    """Return the values of `table` as the fields of `kind`; what is wrong is added to `problems`.

    `types` holds stricter types of some fields.
    """
    known = {one.name: one for one in msgspec.structs.fields(kind) if one.name not in leave_out}
    values = {}
    for name, value in table.items():
        if name not in known:
            problems.append(f"{where}{name} is no setting; {_nearest(name, known)}")
            continue
        wanted = types.get(name, known[name].type)
        try:
            values[name] = msgspec.convert(value, wanted, strict=True, dec_hook=_folder)
        except msgspec.ValidationError:
            problems.append(f"{where}{name} was {_shown(name, value)}; write {_words(wanted)}.")
    for name, one in known.items():
        if one.required and name not in table and name != "data":
            problems.append(f"{where}{name} is missing; write {_words(types.get(name, one.type))}.")
    return values


def _folder(kind: type, value: object) -> object:
    if kind is not Path or not isinstance(value, str) or not value or "\0" in value:
        raise ValueError
    return Path(value).expanduser()


def _providers(found: object, environ: Mapping[str, str], problems: list[str]) -> dict[str, ProviderSettings]:
    if not isinstance(found, dict):
        problems.append("providers must be tables: write [providers.yahoo] before its settings.")
        return {}
    chosen = {}
    for name, table in found.items():
        if name not in KEY_VARIABLES:
            problems.append(f"providers.{name} is no provider; {_nearest(name, KEY_VARIABLES)}")
        elif not isinstance(table, dict):
            problems.append(f"providers.{name} was no table; write [providers.{name}] before its settings.")
        else:
            chosen[name] = _provider(name, dict(table), environ, problems)
    return chosen


def _provider(name: str, table: dict[str, Any], environ: Mapping[str, str], problems: list[str]) -> ProviderSettings:
    where = f"providers.{name}."
    defaults = dict(zip(("key", "secret"), KEY_VARIABLES[name], strict=False))
    for half in ("key", "secret"):
        if table.pop(half, None) is not None:
            instead = f"set the environment variable {defaults[half]} instead" if half in defaults else "remove it"
            problems.append(f"{where}{half} must not stand in the file; {instead}.")
    values = _fields(ProviderSettings, table, where, problems, leave_out=("key", "secret"))
    for half in ("key", "secret"):
        variable = values.get(f"{half}_variable") or defaults.get(half, "")
        values |= {f"{half}_variable": variable, half: environ.get(variable, "").strip()}
        if _KEY_LIKE.fullmatch(variable) and variable not in environ:
            problems.append(f"{where}{half}_variable was ***; write {_words(Variable)}.")
    return ProviderSettings(**values)


def _policies(found: object, problems: list[str]) -> dict[str, Policy]:
    if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
        problems.append("policies must be tables: write [policies.bars] before its settings.")
        return {}
    chosen = {}
    for kind, table in found.items():
        if kind not in KINDS:
            problems.append(f"policies.{kind} is no record kind; {_nearest(kind, KINDS)}")
            continue
        values = _fields(Policy, table, f"policies.{kind}.", problems, types=_POLICY)
        unknown = [name for name in values.get("providers", ()) if name not in KEY_VARIABLES]
        problems += [f"policies.{kind}.providers has {one!r}; {_nearest(one, KEY_VARIABLES)}" for one in unknown]
        chosen[kind] = Policy(**values)
    return chosen


def _quality(found: object, problems: list[str]) -> dict[str, Any]:
    if isinstance(found, dict):
        problems += [
            f"quality.{name} is no setting; {_nearest(name, QUALITY)}" for name in found if name not in QUALITY
        ]
        return found
    problems.append("quality must be a table: write [quality.freshness] before its settings.")
    return {}


def _streams(found: object, problems: list[str]) -> dict[str, tuple[str, ...]]:
    if not isinstance(found, dict):
        problems.append("streams must be a table: write [streams] before its settings.")
        return {}
    chosen = {}
    for name, channels in found.items():
        if name not in STREAMS:
            problems.append(f"streams.{name} is no provider with a stream; {_nearest(name, STREAMS)}")
        elif not isinstance(channels, list) or not channels or not set(map(str, channels)) <= {*CHANNELS}:
            example = 'write a list such as ["trades"], of ' + ", ".join(CHANNELS)
            problems.append(f"streams.{name} was {_shown(name, channels)}; {example}.")
        else:
            chosen[name] = tuple(dict.fromkeys(channels))
    return chosen


def _contradictions(settings: Settings) -> Iterator[str]:
    """Yield what is wrong between values that are right by themselves."""
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    if settings.end is not None and settings.start > settings.end:
        yield f"start was {settings.start}, after end ({settings.end}); both are inclusive: swap them."
    elif settings.start > yesterday:
        yield f"start was {settings.start}; write a date that has ended ({yesterday} or earlier)."
    if not settings.instruments:
        yield "No instrument is named; write at least one [[instruments]] with symbol and mic."
    asked = {name: one for name, one in settings.providers.items() if one.enabled}
    if not asked:
        yield f"No provider is enabled; write [providers.yahoo], or another of {', '.join(KEY_VARIABLES)}."
    for kind, policy in settings.policies.items():
        for name in policy.providers:
            if name not in asked:
                yield f"policies.{kind}.providers has {name!r}, which is not enabled; write [providers.{name}]."
    yield from (
        f"streams.{one} is not enabled; write [providers.{one}]." for one in settings.streams if one not in asked
    )
    for name, one in asked.items():
        yield from _misplaced(name, one.base_url)


def _misplaced(name: str, base_url: str) -> Iterator[str]:
    """Yield why the provider `name` cannot be asked at `base_url`."""
    retired = vendor(name).DECLARATION.retired
    if retired and not base_url:
        yield f"providers.{name} has no base_url. {retired} Name a host that still speaks its API, or remove it."
    if base_url.startswith("file:") and name not in FOLDER_READERS:
        yield f"providers.{name}.base_url was a folder; only {', '.join(FOLDERS_ONLY)} and stooq read one."
    if name in FOLDERS_ONLY and not base_url.startswith("file:"):
        yield f'providers.{name}.base_url was {base_url!r}; name the folder: base_url = "file:///folder".'


def _words(wanted: Any) -> str:
    """Return what a value of the type `wanted` looks like."""
    if isinstance(wanted, Meta) and wanted.description:
        return wanted.description
    if wanted in _WORDS:
        return _WORDS[wanted]
    parts = get_args(wanted) or tuple(getattr(wanted, "__metadata__", ()))
    return next((words for part in reversed(parts) if part is not type(None) and (words := _words(part))), "")


def _shown(name: str, value: object) -> str:
    """Return `value` as it is quoted in a problem, without what may be a secret."""
    if name in {"key_variable", "secret_variable"}:
        return "***"
    text = str(value) if isinstance(value, date) else repr(value)
    return _SECRET.sub("***", text)[:100]


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}."
