"""Registers of markets, currencies, entities and identifiers, by value, with their requests and refusals."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.failures import FailureClass
from truetape.providers import gleif, iso4217, iso10383, openfigi, vendor
from truetape.providers.gleif import client as gleif_client
from truetape.providers.iso4217 import client as iso4217_client
from truetape.providers.openfigi.client import request as openfigi_request

HEADING = (
    "MIC,OPERATING MIC,OPRT/SGMT,MARKET NAME-INSTITUTION DESCRIPTION,LEGAL ENTITY NAME,LEI,MARKET CATEGORY CODE,"
    "ACRONYM,ISO COUNTRY CODE (ISO 3166),CITY,WEBSITE,STATUS,CREATION DATE,LAST UPDATE DATE,LAST VALIDATION DATE,"
    "EXPIRY DATE,COMMENTS"
)
FRANKFURT = (
    'XFRA,XFRA,OPRT,"BÖRSE FRANKFURT, THE","DEUTSCHE BÖRSE AG",,RMKT,FWB,DE,FRANKFURT,,ACTIVE,20050627,20200101,,,'
)
SEGMENT = "FRAA,XFRA,SGMT,REGULATED MARKET,,,RMKT,,DE,FRANKFURT,,EXPIRED,20071123,20211122,,20211122,GONE"
OLD_FORM = (
    "COUNTRY,ISO COUNTRY CODE (ISO 3166),MIC,OPERATING MIC,O/S,NAME-INSTITUTION DESCRIPTION,ACRONYM,CITY,WEBSITE,"
    "STATUS DATE,STATUS,CREATION DATE,COMMENTS\n"
    "ALBANIA,AL,XTIR,XTIR,O,TIRANA STOCK EXCHANGE,,TIRANA,,JUNE 2005,Active,BEFORE JUNE 2005,\n"
)
CURRENT = (
    '<?xml version="1.0"?><ISO_4217 Pblshd="2024-06-25"><CcyTbl>'
    "<CcyNtry><CtryNm>JAPAN</CtryNm><CcyNm>Yen</CcyNm><Ccy>JPY</Ccy><CcyNbr>392</CcyNbr><CcyMnrUnts>0</CcyMnrUnts></CcyNtry>"
    '<CcyNtry><CtryNm>CHILE</CtryNm><CcyNm IsFund="true">Unidad de Fomento</CcyNm><Ccy>CLF</Ccy><CcyNbr>990</CcyNbr>'
    "<CcyMnrUnts>4</CcyMnrUnts></CcyNtry>"
    "<CcyNtry><CtryNm>ANTARCTICA</CtryNm><CcyNm>No universal currency</CcyNm></CcyNtry>"
    "<CcyNtry><CtryNm>ZZ08_Gold</CtryNm><CcyNm>Gold</CcyNm><Ccy>XAU</Ccy><CcyNbr>959</CcyNbr>"
    "<CcyMnrUnts>N.A.</CcyMnrUnts></CcyNtry></CcyTbl></ISO_4217>\n"
)
WITHDRAWN = (
    '<ISO_4217 Pblshd="2024-06-25"><HstrcCcyTbl><HstrcCcyNtry><CtryNm>GERMANY</CtryNm><CcyNm>Deutsche Mark</CcyNm>'
    "<Ccy>DEM</Ccy><CcyNbr>276</CcyNbr><WthdrwlDt>2002-03</WthdrwlDt></HstrcCcyNtry></HstrcCcyTbl></ISO_4217>"
)
RECORD = {
    "attributes": {
        "lei": "HWUPKR0MPOU8FGXBT394",
        "entity": {"legalName": {"name": "Apple Inc."}, "status": "ACTIVE", "jurisdiction": "US-CA"},
    }
}
FULL = {
    "attributes": {
        "lei": "529900D6BF99LW9R2E68",
        "entity": {
            "legalName": {"name": "SAP SE"},
            "legalForm": {"id": "SGST", "other": None},
            "status": "ACTIVE",
            "jurisdiction": "DE",
            "category": "GENERAL",
        },
        "registration": {"status": "ISSUED"},
    }
}
ERROR = {"errors": [{"status": "404", "title": "Not Found", "detail": "No such record."}]}
FOUND = {
    "figi": "BBG000BLNNH6",
    "ticker": "IBM",
    "name": "INTL BUSINESS MACHINES CORP",
    "exchCode": "US",
    "securityType": "Common Stock",
    "compositeFIGI": "BBG000BLNNH6",
    "shareClassFIGI": "BBG001S5S399",
}


class Sent:
    """Keep what was asked, and answer nothing."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def send(self, request: Request) -> Answer:
        """Keep `request`."""
        self.requests.append(request)
        return answer(b"")


def ask(kind: str, symbol: str = "", page: str = "") -> Ask:
    return Ask(kind=kind, symbol=symbol, page=page)


def body(value: Any) -> bytes:
    return json.dumps(value).encode()


def answer(sent: bytes, status: int = 200) -> Answer:
    return Answer(url="", status=status, content_type="", headers={}, body=sent)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_markets_in_every_encoding(encoding: str) -> None:
    """The register was written in Windows-1252 for long; dates have no dashes."""
    frame = iso10383.decode.venues(f"{HEADING}\r\n{FRANKFURT}\r\n{SEGMENT}\r\n".encode(encoding), ask("venues"))

    columns = ("mic", "operating_mic", "is_segment", "name", "entity", "status", "created", "updated", "expired")
    assert frame.select(columns).rows() == [
        ("XFRA", "XFRA", False, "BÖRSE FRANKFURT, THE", "DEUTSCHE BÖRSE AG", "active", date(2005, 6, 27),
         date(2020, 1, 1), None),
        ("FRAA", "XFRA", True, "REGULATED MARKET", None, "expired", date(2007, 11, 23), date(2021, 11, 22),
         date(2021, 11, 22)),
    ]  # fmt: skip


def test_markets_in_the_older_form() -> None:
    """It has other headings, and days in words, which are missing."""
    frame = iso10383.decode.venues(OLD_FORM.encode(), ask("venues"))

    told = frame.select("mic", "is_segment", "name", "country", "created", "entity").row(0)
    assert told == ("XTIR", False, "TIRANA STOCK EXCHANGE", "AL", None, None)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (f"{HEADING}\n{FRANKFURT[:40]}", "its last line was cut"),
        (f"{HEADING}\n{FRANKFURT}\n".replace("OPERATING MIC", "OPERATOR"), "the column OPERATING MIC was missing"),
        (f"{HEADING}\n{FRANKFURT}\n".replace("OPRT,", "XXXX,"), "a value of OPRT/SGMT was unknown"),
        (f"{HEADING}\n{FRANKFURT}\n".replace("ACTIVE", "ASLEEP"), "a value of STATUS was unknown"),
        (f"{HEADING}\n{FRANKFURT}\n".replace("XFRA,XFRA", "xfra,XFRA"), "a value of mic was 'xfra', no MIC"),
    ],
    ids=range(5),
)
def test_what_is_no_register_of_markets(sent: str, words: str) -> None:
    """The defect is stated."""
    with pytest.raises(UndecodablePayload, match=words):
        iso10383.decode.venues(sent.encode(), ask("venues"))


def test_currencies_in_use() -> None:
    """N.A. is no number of decimals, a unit of account is a fund, and Antarctica has no currency."""
    frame = iso4217.decode.currencies(CURRENT.encode(), ask("currencies"))

    assert frame.select("code", "numeric", "country", "minor_units", "is_fund", "withdrawn").rows() == [
        ("JPY", "392", "JAPAN", 0, False, None),
        ("CLF", "990", "CHILE", 4, True, None),
        ("XAU", "959", "ZZ08_Gold", None, False, None),
    ]


def test_currencies_withdrawn() -> None:
    """They come on the second page."""
    frame = iso4217.decode.currencies(WITHDRAWN.encode(), ask("currencies", page="list-three"))
    pages = [iso4217_client.request(ask("currencies", page=page)).url for page in ("", "list-three")]

    assert [("DEM", "2002-03", None)] == frame.select("code", "withdrawn", "minor_units").rows()
    assert ["list-one.xml", "list-three.xml"] == [url.rpartition("/")[2] for url in pages]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("", "it was no list of currencies"),
        ("<ISO_4217></ISO_4217>", "it names no currency"),
        (CURRENT.replace("JPY", "Jpy"), "a value of Ccy was 'Jpy'"),
        (CURRENT.replace(">0<", ">9<"), "no number of decimals"),
        (CURRENT.replace(">0<", ">x<"), "a value of CcyMnrUnts was 'x'"),
        (f"<!DOCTYPE x>{CURRENT[21:]}", "document type"),
        (CURRENT[:-12], "it was no XML"),
        (f"<ISO_4217>{'<a>' * 100}", "nested too deeply"),
    ],
    ids=range(8),
)
def test_what_is_no_list_of_currencies(sent: str, words: str) -> None:
    """The defect is stated."""
    with pytest.raises(UndecodablePayload, match=words):
        iso4217.decode.currencies(sent.encode(), ask("currencies"))


def test_entities() -> None:
    """One record or several, with what they tell."""
    columns = ("lei", "name", "status", "registration", "legal_form", "country", "category")
    single = gleif.decode.issuers(body({"data": RECORD}), ask("issuers")).select(columns).rows()
    several = gleif.decode.issuers(body({"data": [RECORD, FULL]}), ask("issuers")).select(columns).rows()

    apple = ("HWUPKR0MPOU8FGXBT394", "Apple Inc.", "ACTIVE", None, None, "US-CA", None)
    assert [apple] == single
    assert [apple, ("529900D6BF99LW9R2E68", "SAP SE", "ACTIVE", "ISSUED", "SGST", "DE", "GENERAL")] == several


def test_the_isins_of_an_entity() -> None:
    """A row for each, under the LEI that was asked about."""
    data = [{"attributes": {"lei": "L", "isin": isin}} for isin in ("US0378331005", "US037833DX52")]
    frame = gleif.decode.identifiers(body({"data": data}), ask("identifiers", "L"))

    assert [("lei", "L", "US0378331005", "L"), ("lei", "L", "US037833DX52", "L")] == frame.select(
        "asked_type", "asked", "isin", "lei"
    ).rows()


def test_how_the_register_of_entities_is_asked() -> None:
    """By LEI, by ISIN, or for the ISINs of a LEI, page by page."""
    asked = (("issuers", "L"), ("issuers", "US0378331005"), ("identifiers", "L", "2"), ("issuers", ".."))
    requests = [gleif_client.request(ask(*one)) for one in asked]

    tails = [one.url.removeprefix(gleif_client.DEFAULT_URL) for one in requests]
    assert ["/lei-records/L", "/lei-records", "/lei-records/L/isins", "/lei-records/"] == tails
    assert "US0378331005" == requests[1].params["filter[isin]"]
    assert "2" == requests[2].params["page[number]"]


@pytest.mark.parametrize(
    ("page", "current", "last", "follows"),
    [("", 1, 3, "2"), ("2", 2, 3, "3"), ("3", 3, 3, None), ("2", 1, 3, None), ("1", 1, 5_000, None)],
)
def test_the_pages_of_the_register(page: str, current: int, last: int, follows: str | None) -> None:
    """They end with the last, and where a page is another than was asked for."""
    sent = answer(body({"meta": {"pagination": {"currentPage": current, "lastPage": last}}}))
    found = gleif_client.follow(sent, ask("identifiers", "L", page))

    assert follows == (found.page if found else None)
    assert [None, None] == [gleif_client.follow(answer(one), ask("identifiers", "L")) for one in (b"{}", b"<html>")]


def test_mappings() -> None:
    """Each job has its rows; one that found nothing has none."""
    sent = body([{"data": [FOUND]}, {"warning": "No identifier found."}, {"error": "Invalid idValue format."}])
    frame = openfigi.decode.identifiers(sent, ask("identifiers", "US4592001014,IBM,2046251"))

    columns = ("asked_type", "asked", "isin", "symbol", "exchange", "figi", "composite_figi", "share_class_figi")
    shares = ("IBM", "US", "BBG000BLNNH6", "BBG000BLNNH6", "BBG001S5S399")
    assert [("isin", "US4592001014", "US4592001014", *shares)] == frame.select(columns).rows()


def test_mappings_that_nobody_asked_for() -> None:
    """A file tells what was found, and not what had been asked."""
    assert [(None, "IBM")] == openfigi.decode.identifiers(body([{"data": [FOUND]}]), ask("identifiers")).select(
        "asked", "symbol"
    ).rows()


def test_jobs_are_of_the_type_that_their_form_tells() -> None:
    """Tickers are looked for in the United States; a key stands in a header."""
    sent = openfigi_request(ask("identifiers", "BBG000BLNNH6, GB0002634946,459200101,2046251,BRK/B,"), key="k")

    types = ["ID_BB_GLOBAL", "ID_ISIN", "ID_CUSIP", "ID_SEDOL", "TICKER"]
    assert types == [job["idType"] for job in json.loads(sent.body)]
    assert {"idType": "TICKER", "idValue": "BRK/B", "exchCode": "US"} == json.loads(sent.body)[-1]
    assert {"X-OPENFIGI-APIKEY": "k"} == sent.secret_headers
    assert ({}, "BRK/B") == (openfigi_request(ask("identifiers", "A")).secret_headers, openfigi.spell("BRK.B"))


def test_answers_to_another_number_of_jobs() -> None:
    """They cannot be told apart."""
    with pytest.raises(UndecodablePayload, match="2 identifiers were asked about, and 1 answered"):
        openfigi.decode.identifiers(body([{"data": [FOUND]}]), ask("identifiers", "A,B"))


@pytest.mark.parametrize(
    ("provider", "status", "sent", "expected"),
    [
        (iso10383, 200, f"{HEADING}\n".encode(), None),
        (iso10383, 200, f"{HEADING}\n{FRANKFURT}".encode(), None),
        (iso10383, 200, f"{HEADING}\n{FRANKFURT[:40]}".encode(), FailureClass.TRANSIENT),
        (iso10383, 200, b"", FailureClass.TRANSIENT),
        (iso10383, 404, b"", FailureClass.PERMANENT),
        (iso10383, 403, b"<h1>Access Denied</h1>", FailureClass.BLOCKED),
        (iso4217, 200, CURRENT.encode(), None),
        (iso4217, 200, CURRENT[:-5].encode(), FailureClass.TRANSIENT),
        (iso4217, 500, CURRENT.encode(), FailureClass.TRANSIENT),
        (iso4217, 200, b"<h1>Access Denied</h1>", FailureClass.BLOCKED),
        (gleif, 200, body({"data": []}), None),
        (gleif, 200, b'{"errors": []}', None),
        (gleif, 404, body(ERROR), FailureClass.PERMANENT),
        (gleif, 200, body({"errors": [{"status": 429, "title": None}]}), FailureClass.THROTTLED),
        (gleif, 200, body({"data": "x" * 70_000}), None),
        (gleif, 200, b"{", FailureClass.TRANSIENT),
        (openfigi, 200, body([{"data": [FOUND]}]), None),
        (openfigi, 200, body([{"warning": "No identifier found."}]), FailureClass.EMPTY),
        (openfigi, 200, body([{}]), FailureClass.PERMANENT),
        (openfigi, 200, b"[]", None),
        (openfigi, 200, b"[{", FailureClass.TRANSIENT),
        (openfigi, 200, b"{}", FailureClass.TRANSIENT),
        (openfigi, 401, body({"message": "Invalid API key."}), FailureClass.AUTH),
        (openfigi, 429, b"Too many requests", FailureClass.THROTTLED),
        (openfigi, 503, b"<h1>Service Unavailable</h1>", FailureClass.TRANSIENT),
        (openfigi, 200, body([{"data": [{**FOUND, "name": "x" * 70_000}]}]), None),
    ],
)
def test_refusals(provider: ModuleType, status: int, sent: bytes, expected: FailureClass | None) -> None:
    """Data are data, and each refusal has its class."""
    found = provider.classify(answer(sent, status))

    assert expected == (found.failure_class if found else None)


@pytest.mark.parametrize(
    ("provider", "kind", "sent"),
    [
        (iso10383, "venues", b"<h1>Access Denied</h1>"),
        (iso4217, "currencies", b"<h1>Access Denied</h1>"),
        (gleif, "issuers", body(ERROR)),
        (gleif, "identifiers", body(ERROR)),
        (openfigi, "identifiers", body([{"warning": "No identifier found."}])),
        (openfigi, "identifiers", body({"error": "Invalid API key."})),
    ],
)
def test_a_refusal_has_no_rows(provider: ModuleType, kind: str, sent: bytes) -> None:
    """It ends in what it means."""
    with pytest.raises(ProviderRefused):
        getattr(provider.decode, kind)(sent, ask(kind))


@pytest.mark.parametrize(
    ("name", "kind", "path"),
    [
        ("gleif", "issuers", "/lei-records/A"),
        ("iso10383", "venues", "/sites/default/files/ISO10383_MIC/ISO10383_MIC.csv"),
        ("iso4217", "currencies", "/dam/download/financial-information/data-center/iso-currrency/lists/list-one.xml"),
        ("nasdaq_trader", "listings", "/dynamic/SymDir/nasdaqtraded.txt"),
        ("openfigi", "identifiers", "/v3/mapping"),
        ("sec", "listings", "/files/company_tickers_exchange.json"),
    ],
)
async def test_each_is_asked_at_its_address(name: str, kind: str, path: str) -> None:
    """Its client sends one request, to the base address that it was given or to its own."""
    sent = Sent()
    for base in ({}, {"base_url": "https://x.example/"}):
        await vendor(name).provider(sent, **base).client.fetch(ask(kind, "A"))

    own, given = (request.url for request in sent.requests)
    assert (True, f"https://x.example{path}") == (own.endswith(path.rpartition("/")[2]), given)


def test_after_the_currencies_in_use_come_those_withdrawn() -> None:
    """After them, and after anything else, nothing comes."""
    found = [
        iso4217_client.follow(answer(sent), ask("currencies", page=page))
        for sent, page in ((CURRENT.encode(), ""), (CURRENT.encode(), "list-three"), (b"<html>", ""))
    ]

    assert ["list-three", None, None] == [one and one.page for one in found]


def test_the_recorded_registers(recordings: Path) -> None:
    """2,701 markets, of which 501 expired; 277 uses of currencies, of which KWD has three decimals; IBM in Europe."""
    reference = recordings / "reference"
    markets = iso10383.decode.venues(gzip.decompress((reference / "ISO10383_MIC.csv.gz").read_bytes()), ask("venues"))
    units = iso4217.decode.currencies((reference / "iso4217_table_a1.xml").read_bytes(), ask("currencies"))
    figis = openfigi.decode.identifiers(
        (recordings / "openfigi" / "mapping_response_example.json").read_bytes(), ask("identifiers")
    )

    assert {"active": 2173, "updated": 27, "expired": 501} == dict(markets["status"].value_counts().iter_rows())
    assert 501 == len(markets) - markets["expired"].null_count()
    assert (277, 3) == (len(units), units.filter(code="KWD")["minor_units"][0])
    assert ["IBMGBX", "IBMGBX", "T 2 08/15/25"] == figis["symbol"].to_list()
