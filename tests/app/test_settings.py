"""Settings: the file that `init` writes loads, every wrong value is named with its fix, and keys are never shown."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest

from truetape.app.settings import ProviderSettings, Settings, load
from truetape.app.settings_template import TEMPLATE
from truetape.domain.errors import BadInput
from truetape.domain.messages import DeclaredListing
from truetape.providers import KEY_VARIABLES, NAMES, vendor
from truetape.services.ingestion.routing import Policy

LISTING = '[[instruments]]\nsymbol = "AAPL"\nmic = "XNAS"\n'
WHOLE = f"start = 2020-01-02\n{LISTING}[providers.yahoo]\n"
KEY = "k3y-that-nobody-may-see"


def read(folder: Path, text: str, environ: dict[str, str] | None = None) -> Settings:
    path = folder / "truetape.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, environ or {})


def problems(folder: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    """Return what is wrong with `text`, problem by problem."""
    with pytest.raises(BadInput) as caught:
        read(folder, text, environ)
    assert str(caught.value).startswith(f"The configuration was '{folder / 'truetape.toml'}'. ")
    first, *listed = caught.value.fix.split("\n- ")
    return listed or [first]


def test_the_template_loads(tmp_path: Path) -> None:
    """What `truetape init` writes can be used as it is."""
    settings = read(tmp_path, TEMPLATE, {"FINNHUB_API_KEY": KEY})

    assert (
        Settings(
            data=tmp_path / "data",
            start=date(2020, 1, 1),
            instruments=(
                DeclaredListing(symbol="AAPL", mic="XNAS", name="Apple Inc."),
                DeclaredListing(symbol="IBM", mic="XNYS", name="International Business Machines Corporation"),
            ),
            providers={
                "alpha_vantage": ProviderSettings(key_variable="ALPHAVANTAGE_API_KEY", calls_per_second=0.9),
                "yahoo": ProviderSettings(),
                "finnhub": ProviderSettings(key_variable="FINNHUB_API_KEY", key=KEY),
            },
        )
        == settings
    )


def test_every_commented_line_of_the_template_loads(tmp_path: Path) -> None:
    """The settings that the template shows behind a `#` are settings too."""
    commented = [line for line in TEMPLATE.splitlines() if line.startswith("# ") and (" = " in line or "[" in line)]
    text = TEMPLATE
    for line in commented:
        text = text.replace(line, line.removeprefix("# "))

    settings = read(tmp_path, text.replace("https://...", "https://iex.example"), {"IEX_TOKEN": KEY})

    assert (date(2024, 12, 31), True) == (settings.end, settings.simulated)
    assert {"yahoo": ("quotes",)} == settings.streams
    assert ("EUR/USD", "USD/JPY") == settings.pairs
    assert {"bars": Policy(name="failover", providers=("yahoo", "alpha_vantage"))} == settings.policies
    assert (
        ProviderSettings(base_url="https://iex.example", key_variable="IEX_TOKEN", key=KEY)
        == (settings.providers["iex_cloud"])
    )


def test_the_template_says_the_true_defaults(tmp_path: Path) -> None:
    """A value that the template shows without a word about it is what stands without the line."""
    table = tomllib.loads(TEMPLATE)
    shown = {name: value for name, value in table.items() if name not in {"start", "instruments", "providers"}}

    without = read(tmp_path, WHOLE)

    assert {**shown, "data": tmp_path / shown["data"]} == {name: getattr(without, name) for name in shown}
    assert {"AAPL": "USD", "IBM": "USD"} == {one["symbol"]: one["currency"] for one in table["instruments"]}
    assert {"USD"} == {one.currency for one in without.instruments}
    for name, told in table["providers"].items():
        assert (*KEY_VARIABLES[name], "")[0] == told.get("key_variable", "")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("port = 99999", "port was 99999; write a whole number from 0 to 65535; 0 takes a free port."),
        ("port = true", "port was True; write a whole number from 0 to 65535; 0 takes a free port."),
        ('host = ""', "host was ''; write an address such as \"127.0.0.1\"."),
        ('data = ""', "data was ''; write the path of a folder, in quotes."),
        ("data = 5", "data was 5; write the path of a folder, in quotes."),
        ("end = 2020-01-02T10:00:00", "end was 2020-01-02 10:00:00; write a date such as 2020-01-31."),
        ('timeframe = "5m"', "timeframe was '5m'; write \"1d\", the only timeframe that is acquired."),
        ("refresh_s = nan", "refresh_s was nan; write seconds above 0 and up to a year."),
        ("timeout_s = inf", "timeout_s was inf; write seconds above 0 and up to a year."),
        ("attempts = 0", "attempts was 0; write a whole number from 1 to 20."),
        ("cache_bytes = -1", "cache_bytes was -1; write a whole number of bytes."),
        ('simulated = "yes"', "simulated was 'yes'; write true or false, without quotes."),
        ("strat = 2020-01-01", "strat is no setting; did you mean start?"),
        ("end = 2019-12-31", "start was 2020-01-02, after end (2019-12-31); both are inclusive: swap them."),
    ],
)
def test_wrong_values(tmp_path: Path, line: str, problem: str) -> None:
    """A wrong value is named by its key, as it was, with what to write instead."""
    assert [problem] == problems(tmp_path, f"{line}\n{WHOLE}")


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ('"AAPL"', '""', "instruments[0].symbol was ''; write a symbol such as \"AAPL\", without spaces."),
        ('"XNAS"', '"NASDAQ"', "instruments[0].mic was 'NASDAQ'; write four capitals of ISO 10383, such as \"XNAS\"."),
        ('"XNAS"', '"XLOM"', "instruments[0].mic was 'XLOM', which has no calendar; did you mean XLON?"),
        ('mic = "XNAS"', "", 'instruments[0].mic is missing; write four capitals of ISO 10383, such as "XNAS".'),
        (
            '"XNAS"',
            '"XNAS"\ncurrency = "dollars"',
            "instruments[0].currency was 'dollars'; write three capitals of ISO 4217, such as \"USD\".",
        ),
        (
            '"XNAS"',
            '"XNAS"\nvalid_from = 2020-01-02\nvalid_to = 2020-01-02',
            (
                "instruments[0].valid_to was 2020-01-02; "
                "write a date after valid_from (2020-01-02), from which on it is gone."
            ),
        ),
        (LISTING, LISTING * 2, "instruments[1] is the same listing as instruments[0]; keep one of them."),
        (LISTING, "", "No instrument is named; write at least one [[instruments]] with symbol and mic."),
        (LISTING, "instruments = 3\n", "instruments must be tables: write [[instruments]] before each."),
        ("start = 2020-01-02", "", "start is missing; write a date such as 2020-01-31."),
    ],
)
def test_wrong_instruments(tmp_path: Path, before: str, after: str, problem: str) -> None:
    """A listing that could not be acquired is refused before anything starts."""
    assert [problem] == problems(tmp_path, WHOLE.replace(before, after))


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        (
            "[providers.yaho]",
            "providers.yaho is no provider; did you mean yahoo?",
        ),
        ("[providers]\nyahoo = true", "providers.yahoo was no table; write [providers.yahoo] before its settings."),
        (
            f'[providers.finnhub]\nkey = "{KEY}"',
            "providers.finnhub.key must not stand in the file; set the environment variable FINNHUB_API_KEY instead.",
        ),
        (f'[providers.yahoo]\nkey = "{KEY}"', "providers.yahoo.key must not stand in the file; remove it."),
        (
            f'[providers.finnhub]\nkey_variable = "{KEY}"',
            "providers.finnhub.key_variable was ***; write the name of an environment variable, not a key.",
        ),
        (
            '[providers.finnhub]\nkey_variable = "c8abc123def456ghi789"',
            "providers.finnhub.key_variable was ***; write the name of an environment variable, not a key.",
        ),
        (
            '[providers.finnhub]\nkey_varible = "MINE"',
            "providers.finnhub.key_varible is no setting; did you mean key_variable?",
        ),
        (
            f'[providers.yahoo]\nbase_url = "https://me:{KEY}@host"',
            "providers.yahoo.base_url was 'https://***@host'; write an address such as \"https://host/path\".",
        ),
        (
            "[providers.yahoo]\ncalls_per_second = 0",
            "providers.yahoo.calls_per_second was 0; write a number above 0 and up to 1000.",
        ),
        (
            "[providers.yahoo]\nenabled = false",
            "No provider is enabled; write [providers.yahoo], or another of " + ", ".join(NAMES) + ".",
        ),
    ],
)
def test_wrong_providers(tmp_path: Path, table: str, problem: str) -> None:
    """A wrong provider is named with its fix, and what may be a key is not repeated."""
    found = problems(tmp_path, f"start = 2020-01-02\n{LISTING}{table}\n")

    assert problem == found[0]
    assert KEY not in str(found)


def test_a_retired_provider_needs_a_host(tmp_path: Path) -> None:
    """A service that has ended is not asked at its old address."""
    (found,) = problems(tmp_path, f"{WHOLE}[providers.iex_cloud]\n")

    assert found.startswith("providers.iex_cloud has no base_url. IEX Cloud ended on 2024-08-31.")


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('[providers.files]\nbase_url = "file:///data/prices%20of%20mine"', ""),
        ('[providers.stooq]\nbase_url = "file:///data/bulk"', ""),
        ("[providers.stooq]", ""),
        (
            "[providers.files]",
            "providers.files.base_url was ''; name the folder: base_url = \"file:///folder\".",
        ),
        (
            '[providers.yahoo]\nbase_url = "file:///data"',
            "providers.yahoo.base_url was a folder; only files, lean and stooq read one.",
        ),
        (
            '[providers.files]\nbase_url = "file://host/data"',
            "providers.files.base_url was 'file://host/data'; write an address such as \"https://host/path\".",
        ),
    ],
)
def test_folders_are_for_providers_that_read_them(tmp_path: Path, table: str, problem: str) -> None:
    """A folder is named as a file address without a host, and only where files are read."""
    text = f"start = 2020-01-02\n{LISTING}{table}\n"
    if problem:
        assert [problem] == problems(tmp_path, text)
        return
    path = tmp_path / "good.toml"
    path.write_text(text)
    (provider,) = load(path, {}).providers.values()
    assert provider.base_url in ("", "file:///data/bulk", "file:///data/prices%20of%20mine")


def test_providers_must_be_tables(tmp_path: Path) -> None:
    """A list of names is not taken for the providers' tables."""
    wanted = "providers must be tables: write [providers.yahoo] before its settings."

    assert [wanted] == problems(tmp_path, f'start = 2020-01-02\nproviders = ["yahoo"]\n{LISTING}')


def test_a_start_that_has_not_come(tmp_path: Path) -> None:
    """There is nothing to acquire from a date that has not ended."""
    (found,) = problems(tmp_path, WHOLE.replace("2020-01-02", "2999-01-01"))

    assert found.startswith("start was 2999-01-01; write a date that has ended (")


def test_all_problems_are_told_together(tmp_path: Path) -> None:
    """One try shows everything that must be mended."""
    found = problems(tmp_path, 'port = -1\nhots = ""\n' + WHOLE.replace('"AAPL"', "5"))

    assert ["port", "hots", "instruments[0].symbol"] == [one.partition(" ")[0] for one in found]


@pytest.mark.parametrize(
    ("content", "fix"),
    [
        (b"port = ", "It is no valid TOML: "),
        (b"# \xff", "It is no UTF-8 text: see byte 2."),
        (b"#" * (1 << 20) + b"#", "It is larger than 1048576 bytes; name a settings file."),
    ],
)
def test_unreadable_files(tmp_path: Path, content: bytes, fix: str) -> None:
    """A file that holds no settings is named with the reason."""
    path = tmp_path / "bad.toml"
    path.write_bytes(content)

    with pytest.raises(BadInput) as caught:
        load(path, {})

    assert caught.value.fix.startswith(fix)


def test_missing_files(tmp_path: Path) -> None:
    """Without a file, the command that writes one is named; a folder is none."""
    with pytest.raises(BadInput, match=r"There is no such file; write one with: truetape init .*none\.toml"):
        load(tmp_path / "none.toml", {})
    with pytest.raises(BadInput, match="It is a folder; name the file in it"):
        load(tmp_path, {})
    with pytest.raises(BadInput, match="It cannot be read: not a directory"):
        load(Path(__file__) / "truetape.toml", {})


def test_a_byte_order_mark_is_no_setting(tmp_path: Path) -> None:
    """A file saved by an editor that marks UTF-8 loads too."""
    assert date(2020, 1, 2) == read(tmp_path, f"\ufeff{WHOLE}").start


@pytest.mark.parametrize(
    ("environ", "data", "port"),
    [
        ({}, "FILE/rows", 8000),
        ({"TRUETAPE_PORT": "0"}, "FILE/rows", 0),
        ({"TRUETAPE_DATA": "/var/lib/tape"}, "/var/lib/tape", 8000),
        ({"TRUETAPE_DATA": "here"}, "WORKING/here", 8000),
    ],
)
def test_the_environment_stands_above_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], data: str, port: int
) -> None:
    """A container sets the folder and the port without touching the file; an empty variable sets nothing."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    expected = data.replace("FILE", str(tmp_path)).replace("WORKING", str(tmp_path / "work"))

    settings = read(tmp_path, f'data = "rows"\n{WHOLE}', {"TRUETAPE_HOST": "", **environ})

    assert (Path(expected), port) == (settings.data, settings.port)


def test_a_wrong_variable_is_a_problem(tmp_path: Path) -> None:
    """What the environment says is judged like the file."""
    wanted = "port was 'http'; write a whole number from 0 to 65535; 0 takes a free port."

    assert [wanted] == problems(tmp_path, WHOLE, {"TRUETAPE_PORT": "http"})


def test_keys_come_from_the_environment(tmp_path: Path) -> None:
    """A key is read from the provider's own variable, or from the one that the file names, without blanks around it."""
    text = f'{WHOLE}[providers.finnhub]\n[providers.alpha_vantage]\nkey_variable = "MINE"\n'

    settings = read(tmp_path, text, {"FINNHUB_API_KEY": f"{KEY}\n", "MINE": "other"})

    assert {"yahoo": "", "finnhub": KEY, "alpha_vantage": "other"} == {
        name: one.key for name, one in settings.providers.items()
    }


def test_a_key_is_never_shown(tmp_path: Path) -> None:
    """Neither printing nor logging settings shows a key; whether there is one can be seen."""
    from rich.pretty import pretty_repr

    settings = read(tmp_path, f"{WHOLE}[providers.finnhub]\n", {"FINNHUB_API_KEY": KEY})

    for shown in (repr(settings), str(settings), pretty_repr(settings), f"{settings.providers}"):
        assert KEY not in shown
        assert "key='set'" in shown
        assert "key='missing'" in shown


POLICY = WHOLE + "[policies.bars]\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("policies = 3\n" + WHOLE, "policies must be tables: write [policies.bars] before its settings."),
        (WHOLE + "[policies.bar]\n", "policies.bar is no record kind; did you mean bars?"),
        (
            POLICY + 'name = "vote"',
            'policies.bars.name was \'vote\'; write "consensus", "failover", "hedged" or "cheapest".',
        ),
        (POLICY + "quorum = -1", "policies.bars.quorum was -1; write a whole number from 0 to 20; 0 means everybody."),
        (POLICY + "hedge_s = 0", "policies.bars.hedge_s was 0; write seconds above 0 and up to a year."),
        (
            POLICY + 'providers = "yahoo"',
            'policies.bars.providers was \'yahoo\'; write names in a list such as ["tiingo", "yahoo"].',
        ),
        (POLICY + 'providers = ["yaho"]', "policies.bars.providers has 'yaho'; did you mean yahoo?"),
        (
            POLICY + 'providers = ["finnhub"]',
            "policies.bars.providers has 'finnhub', which is not enabled; write [providers.finnhub].",
        ),
    ],
)
def test_wrong_policies(tmp_path: Path, text: str, problem: str) -> None:
    """A policy that cannot be followed is refused at the start, with what to write instead."""
    assert [problem] == problems(tmp_path, text)


@pytest.mark.parametrize("name", NAMES)
def test_the_catalogue_says_what_the_provider_declares(name: str) -> None:
    """A key is read from the variables that the provider's own table names, and its folder has its name."""
    declared = vendor(name).DECLARATION

    assert name == declared.name
    assert [one for one in (declared.key_variable, declared.secret_variable) if one] == list(KEY_VARIABLES[name])


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('streams = "yahoo"', "streams must be a table"),
        ('[streams]\nyaho = ["trades"]', "streams.yaho is no provider with a stream; did you mean yahoo?"),
        (
            '[streams]\nyahoo = "trades"',
            "streams.yahoo was 'trades'; write a list such as [\"trades\"], of trades, quotes",
        ),
        ("[streams]\nyahoo = []", "streams.yahoo was []; write a list"),
        ('[streams]\nyahoo = ["news"]', "streams.yahoo was ['news']; write a list"),
        ('[streams]\nkraken = ["trades"]', "streams.kraken is not enabled; write [providers.kraken]."),
    ],
)
def test_a_stream_that_cannot_be_heard_is_named(tmp_path: Path, line: str, problem: str) -> None:
    """With what to write instead."""
    text = f"{line}\n{WHOLE}" if "[" not in line[:1] else f"{WHOLE}\n{line}"
    with pytest.raises(BadInput) as caught:
        read(tmp_path, text)

    assert problem in str(caught.value)
