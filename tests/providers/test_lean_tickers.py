"""Map files: dated tickers, exchanges, re-used tickers and claims that touch each other."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from truetape.providers.lean.tickers import OPEN, SINCE_EVER, Claim, claims, holder, settled


def claim(security: str, ticker: str, first: str, last: str = "", exchange: str = "") -> Claim:
    return Claim(security, ticker, exchange, date.fromisoformat(first), date.fromisoformat(last) if last else OPEN)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(
            "19980102,nb,N\n19980930,nb,N\n20501231,bac,N",
            [claim("s", "nb", "1998-01-02", "1998-09-30", "N"), claim("s", "bac", "1998-10-01", "", "N")],
            id="a rename",
        ),
        pytest.param("20120518,FB,Q\n20501231,FB,Q", [claim("s", "fb", "2012-05-18", "", "Q")], id="no change"),
        pytest.param(
            "19990929,fb\n20030328,fb", [claim("s", "fb", "1999-09-29", "2003-03-28")], id="gone, no exchange"
        ),
        pytest.param(
            "20000103,a,N\n20010103,a,N\n20020103,a,Q\n20501231,b,Q",
            [
                claim("s", "a", "2000-01-03", "2001-01-03", "N"),
                claim("s", "a", "2001-01-04", "2002-01-03", "Q"),
                claim("s", "b", "2002-01-04", "", "Q"),
            ],
            id="another exchange, then another ticker",
        ),
        pytest.param(
            "20000103,a\n20000110,b\n20501231,a",
            [
                claim("s", "a", "2000-01-03", "2000-01-03"),
                claim("s", "b", "2000-01-04", "2000-01-10"),
                claim("s", "a", "2000-01-11"),
            ],
            id="a ticker of one day, which comes back",
        ),
        pytest.param(
            "20000103,a\n20000103,b\n20501231,c",
            [claim("s", "a", "2000-01-03", "2000-01-03"), claim("s", "c", "2000-01-04")],
            id="two lines of one day",
        ),
        pytest.param(
            "\ufeff 20501231 , a.b , N,0 \r\n\r\n20000103,a.b,\n",
            [claim("s", "a.b", "2000-01-03", "", "N")],
            id="any order, blanks and further cells",
        ),
        pytest.param("20030103,a,N", [Claim("s", "a", "N", SINCE_EVER, date(2003, 1, 3))], id="one line"),
    ],
)
def test_the_lines_of_a_map_file(lines: str, expected: list[Claim]) -> None:
    """Each line holds from the day after the line before it up to its own date."""
    assert expected == claims("s", lines)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it has no lines"),
        ("20000103,a\n2000-01-03,b", "line 2 was '2000-01-03,b', not yyyymmdd,ticker,exchange"),
        ("20000103,", "line 1 was '20000103,'"),
        ("nothing", "line 1 was 'nothing'"),
    ],
)
def test_what_is_no_map_file_is_named_by_its_line(text: str, said: str) -> None:
    """With what stands there."""
    with pytest.raises(ValueError, match=said):
        claims("s", text)


@pytest.mark.parametrize(
    ("code", "mic"),
    [("Q", "XNAS"), ("n", "XNYS"), ("A", "XASE"), ("P", "ARCX"), ("NASDAQ", "XNAS"), ("", "XXXX"), ("?", "XXXX")],
)
def test_exchanges_are_told_by_iso_10383(code: str, mic: str) -> None:
    """A letter or a name; what is not known is no market."""
    assert mic == claim("s", "a", "2000-01-03", "", code).mic


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(
            [claim("x.1", "x", "2000-01-03", "2005-01-03"), claim("x", "x", "2005-01-03")],
            [claim("x.1", "x", "2000-01-03", "2005-01-03"), claim("x", "x", "2005-01-04")],
            id="both on the day of the change: the older keeps it",
        ),
        pytest.param(
            [claim("x", "x", "2000-01-03"), claim("y", "x", "2004-01-01", "2004-12-31")],
            [
                claim("x", "x", "2000-01-03", "2003-12-31"),
                claim("y", "x", "2004-01-01", "2004-12-31"),
                claim("x", "x", "2005-01-01"),
            ],
            id="one within another",
        ),
        pytest.param(
            [claim("x", "x", "2000-01-03"), claim("y", "x", "2001-01-03"), claim("z", "z", "2001-01-03")],
            [claim("x", "x", "2000-01-03", "2001-01-02"), claim("y", "x", "2001-01-03"), claim("z", "z", "2001-01-03")],
            id="both still: the later one",
        ),
        pytest.param(
            [claim("x", "x", "2000-01-03"), claim("y", "x", "2000-01-03")],
            [claim("x", "x", "2000-01-03")],
            id="the same days: the first by name",
        ),
        pytest.param(
            [claim(f"x.{n}", "x", f"200{n}-01-03", f"200{n}-06-30") for n in (3, 1, 2)],
            [claim(f"x.{n}", "x", f"200{n}-01-03", f"200{n}-06-30") for n in (1, 2, 3)],
            id="three apart",
        ),
    ],
)
def test_no_day_of_a_ticker_belongs_to_two(found: list[Claim], expected: list[Claim]) -> None:
    """Whatever the files claim."""
    assert expected == settled(found)


@pytest.mark.parametrize(
    ("day", "expected"),
    [("1999-01-01", "x.1"), ("2000-01-03", "x.1"), ("2002-01-01", "x.1"), ("2003-01-01", "x"), ("2010-01-01", "x")],
)
def test_a_day_without_a_holder_means_the_one_before(day: str, expected: str) -> None:
    """Or the first that there ever was; nobody where there is none."""
    own = [claim("x.1", "x", "2000-01-03", "2001-01-03"), claim("x", "x", "2003-01-01", "2004-01-01")]

    found = holder(own, date.fromisoformat(day))

    assert found is not None
    assert expected == found.security
    assert None is holder([], date.fromisoformat(day))


def test_every_boundary_of_the_samples_map_files(recordings: Path) -> None:
    """On each line's date the line counts, on the next day the line after it; outside of all lines nothing does."""
    files = sorted((recordings / "lean" / "equity" / "usa" / "map_files").glob("*.csv"))
    found = {path.stem: claims(path.stem, path.read_text()) for path in files}
    own = settled(one for each in found.values() for one in each)
    assert 13 == len(files)
    for path in files:
        rows = [line.split(",") for line in path.read_text().splitlines()]
        days = [date(int(day[:4]), int(day[4:6]), int(day[6:])) for day, *_ in rows]
        first, last = days[0], days[-1]
        for number, day in enumerate(days):
            for beside in (day - timedelta(1), day, min(day + timedelta(1), date(2050, 12, 31))):
                line = next((row for row, until in zip(rows, days, strict=True) if until >= beside), None)
                inside = first <= beside <= last and line is not None
                mine = [one.ticker for one in own if one.security == path.stem and one.holds(beside)]
                assert ([line[1]] if inside and line else []) == mine, (path.name, number, beside)
