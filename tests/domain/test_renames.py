"""Which ticker follows which: by identifiers, by issuer and class, by dates and names."""

from __future__ import annotations

from datetime import date

import pytest

from truetape.domain.listed import Listed, Snapshot
from truetape.domain.listed_names import plain_name, root_name, same_name
from truetape.domain.renames import matched
from truetape.domain.ticker_classes import DIFFERENT, MAYBE, MOVED, SAME, Ticker, alike, canonical, parted

A = "0000000001"
OLD_DAY, LATER, NEW_DAY = date(2001, 2, 3), date(2010, 1, 4), date(2024, 5, 6)


def one(symbol: str, **facts: object) -> Listed:
    return Listed(key=symbol, symbol=symbol, **facts)  # type: ignore[arg-type]


def pairs(gone: list[Listed], come: list[Listed], *, kept: list[Listed] | None = None) -> list[tuple[str, str, float]]:
    old, new = Snapshot((*gone, *(kept or []))), Snapshot((*come, *(kept or [])))
    found = matched(gone, come, old=old, new=new)
    return sorted((match.before.symbol, match.after.symbol, match.confidence) for match in found)


def of_issuer(*symbols: str) -> list[Listed]:
    return [one(symbol, cik=A) for symbol in symbols]


@pytest.mark.parametrize(
    ("ticker", "parts"),
    [
        ("AAPL", Ticker("AAPL", "", marked=False)),
        ("BRK-B", Ticker("BRK", "B", marked=True)),
        ("BRK.B", Ticker("BRK", "B", marked=True)),
        ("AAIC-P-B", Ticker("AAIC", "PB", marked=True)),
        ("AAIC$B", Ticker("AAIC", "PB", marked=True)),
        ("AAIC-PB", Ticker("AAIC", "PB", marked=True)),
        ("AAC-WS", Ticker("AAC", "WT", marked=True)),
        ("AAC=", Ticker("AAC", "U", marked=True)),
        ("AAC+", Ticker("AAC", "WT", marked=True)),
        ("CHKEW", Ticker("CHKE", "WT", marked=False)),
        ("YELLQ", Ticker("YELL", "", marked=False)),
        ("HDELY", Ticker("HDEL", "Y", marked=False)),
    ],
)
def test_the_class_of_a_ticker(ticker: str, parts: Ticker) -> None:
    """It stands behind a separator, or is the fifth letter."""
    assert parts == parted(ticker)


def test_one_spelling_for_all_sources() -> None:
    """Only what a separator marks is spelled anew: a fifth letter may be a name's."""
    assert ["BRK-B", "AAIC-PB", "AAIC-PB", "GOOGL"] == [canonical(t) for t in ("BRK.B", "AAIC-P-B", "AAIC$B", "googl")]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("SQ", "XYZ", SAME),
        ("CHKEW", "EXEEW", SAME),
        ("BNSO", "BNSOF", MOVED),
        ("JCTCF", "JCTC", MOVED),
        ("GENE", "GNTLF", MAYBE),
        ("EVTL-WT", "EVTWF", MAYBE),
        ("AMSWA", "LGTY", MAYBE),
        ("GLOP", "GLOP-PA", DIFFERENT),
        ("CFG-PD", "CFG-PH", DIFFERENT),
    ],
)
def test_how_alike_two_tickers_are(first: str, second: str, expected: float) -> None:
    """The letters of the OTC markets tell the market; other classes that differ are other securities."""
    assert expected == alike(first, second) == alike(second, first)


@pytest.mark.parametrize(
    ("gone", "come", "expected"),
    [
        (("SQ",), ("XYZ",), [("SQ", "XYZ", 0.95)]),
        (("CHK", "CHKEL"), ("EXE", "EXEEL", "EXEEZ"), [("CHK", "EXE", 0.95), ("CHKEL", "EXEEL", 0.95)]),
        (("NYCB", "NYCB-PU"), ("FLG", "FLG-PA", "FLG-PU"), [("NYCB", "FLG", 0.95), ("NYCB-PU", "FLG-PU", 0.95)]),
        (("DRTT",), ("ABC", "DRTTX", "DRTTQ"), [("DRTT", "DRTTQ", 0.8)]),
        (("AAA",), ("BBB", "CCC"), []),
        (("AAA", "BBB"), ("CCC",), []),
        (("BNSO",), ("BNSOF",), [("BNSO", "BNSOF", 0.76)]),
        (("GENE",), ("GNTLF",), [("GENE", "GNTLF", 0.57)]),
        (("CFG-PD",), ("CFG-PH",), []),
        (("AAA",), (), []),
    ],
    ids=str,
)
def test_of_one_issuer(gone: tuple[str, ...], come: tuple[str, ...], expected: list[object]) -> None:
    """Class by class one follows one; among several the stem chooses, or nothing does."""
    assert expected == pairs(of_issuer(*gone), of_issuer(*come))


def test_of_several_the_one_on_an_exchange_follows() -> None:
    """Block's SQ is XYZ on the NYSE, and not its second ticker on the OTC markets."""
    come = [one("BSQK", cik=A, exchange="OTC"), one("XYZ", cik=A, exchange="NYSE")]

    assert [("SQ", "XYZ", 0.8)] == pairs(of_issuer("SQ"), come)


def test_where_another_ticker_of_the_class_stays_it_is_less_sure() -> None:
    """AT&T keeps T: two of its notes that end and begin are hardly one."""
    assert [("TBC", "TBB", 0.55)] == pairs(of_issuer("TBC"), of_issuer("TBB"), kept=of_issuer("T"))


@pytest.mark.parametrize("name", ["figi", "isin"])
def test_an_identifier_of_the_security_decides(name: str) -> None:
    """It does so whatever the tickers look like."""
    assert [("AA-PA", "BB", 0.99)] == pairs([one("AA-PA", **{name: "N"})], [one("BB", **{name: "N"})])


def test_the_same_name_and_first_day() -> None:
    """What was listed on that day under that name is one security, if one went and one came."""
    facts = {"name": "Acme Inc", "first_date": OLD_DAY, "asset_class": "equity"}
    other = one("OLD", first_date=LATER)

    assert [("AA", "BB", 0.9)] == pairs([one("AA", **facts)], [one("BB", **facts)], kept=[other])
    assert [] == pairs([one("AA", **facts), one("AB", **facts)], [one("BB", **facts)])
    assert [] == pairs([one("AA", **facts)], [one("BB-PA", **facts)])


def test_a_new_ticker_with_an_old_first_day_is_no_new_security() -> None:
    """FB became META under another name, and kept the day of its first session."""
    gone = [one("FB", name="Facebook", first_date=OLD_DAY, exchange="NASDAQ")]
    come = [one("META", name="Meta", first_date=OLD_DAY, exchange="NASDAQ")]
    kept = [one("K", first_date=LATER)]

    assert [("FB", "META", 0.7)] == pairs(gone, come, kept=kept)
    assert [] == pairs(gone, come)  # nothing says that the old list is younger than that day
    warrants = (
        [one("FB-WS", first_date=OLD_DAY, exchange="NASDAQ")],
        [one("META-WS", first_date=OLD_DAY, exchange="NASDAQ")],
    )
    both = pairs([*gone, *warrants[0]], [*come, *warrants[1]], kept=kept)
    assert [("FB", "META", 0.7), ("FB-WS", "META-WS", 0.7)] == both
    ended = [one("FB", status="delisted", first_date=OLD_DAY)]
    assert [] == pairs(gone, [*come, *ended], kept=kept)  # it ended as what it was


def test_the_same_name_alone() -> None:
    """It is enough where the class is the same too; a note of the issuer is none of its shares."""
    assert [("AA", "BB", 0.65)] == pairs([one("AA", name="Acme Inc")], [one("BB", name="ACME, Inc.")])
    assert [] == pairs([one("AA", name="Acme Inc")], [one("BB-PA", name="Acme Inc")])
    assert [] == pairs([one("AA", name="Acme Inc")], [one("AA", name="Acme Inc")])
    assert [] == pairs([one("AA")], [one("BB")])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("APPLE INC", "Apple Inc."),
        ("U-HAUL HOLDING CO /NV/", "U-Haul Holding Company"),
        ("Procter & Gamble", "PROCTER  &  GAMBLE"),
        ("The Coca-Cola Company", "Coca Cola Co"),
        ("Nestl\u00e9 S.A.", "NESTLE SA"),
    ],
)
def test_names_that_are_the_same(first: str, second: str) -> None:
    """Case, accents, punctuation, state and spelling of the legal form do not count."""
    assert same_name(first, second)


def test_names_that_are_not() -> None:
    """A missing name is nobody's, and one of signs alone says nothing."""
    assert [False] * 4 == [same_name(*pair) for pair in [("A", "B"), (None, None), ("A", None), ("--", "..")]]


def test_the_root_of_a_name_is_without_its_legal_form() -> None:
    """A company that moves to another country keeps it."""
    assert "anglogoldashanti" == root_name("ANGLOGOLD ASHANTI LTD") == root_name("AngloGold Ashanti Plc")
    assert "acmecorp" == plain_name("Acme Corporation")
