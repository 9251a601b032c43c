"""From matched listings to the rows of the master: what is new, what ended, and what is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from truetape.domain.identity import instrument_id
from truetape.domain.schema import TABLES
from truetape.services.reference.config import NO_VENUE
from truetape.services.reference.dated import continued
from truetape.services.reference.happened import ENDED, happened
from truetape.services.reference.matching import FIRST, LAST, Master, matched, with_ends
from truetape.services.reference.numbering import numbered
from truetape.services.reference.questions import questions
from truetape.services.reference.stated import SECURITY, stated

_CIK: Final = "cik_"
_ORIGIN: Final = ("ts_known", "simulated")


@dataclass(frozen=True)
class Settled:
    """Rows of the master by table, as they are to be from now on, and how many listings, new ones and questions."""

    writes: dict[str, pl.DataFrame]
    listings: int
    added: int
    questions: int


def settle(claims: pl.DataFrame, master: Master, *, events: pl.DataFrame, segments: Mapping[str, str]) -> Settled:
    """Return what the listings of one payload make of the master.

    The first source that tells a name, a venue's details or an identifier keeps telling it; what another says beside it
    counts where nothing was told yet. Nothing is removed.

    Args:
        claims: Rows of the table listing_claims, of one payload and provider.
        master: What is known of the instruments that they may be about.
        events: Rows of the table listing_events of the payload: what happened since the list before, as far as that is
            believed.
        segments: The MIC of the exchange for MICs of its parts.
    """
    told = stated(claims, segments=segments)
    single, twice = _once(told.rows)
    dated = (pl.col("kind") != "delisting") | pl.col("date").is_not_null()
    told_of = pl.col("symbol").is_in(claims["symbol"].implode())  # that it is over, and not since when
    since = happened(events.filter(dated | ~told_of), single, master)
    master = since.master
    found = matched(single.join(since.placed, on="number", how="anti"), master)
    placed = single.join(since.placed, on="number").select(found.rows.columns)
    named, known_ids = _unheard(_named(pl.concat([placed, found.rows]), master.listings), master.instruments)
    rows = _begun(_located(named, master.listings), master.listings)
    gone = pl.concat([since.ended, _replaced(rows, master)])
    listed, taken = _free(_listings(rows, master.listings), rows, with_ends(master.listings, rows))
    rows = rows.join(taken.select("number"), on="number", how="anti")
    ends = _ended(gone, claims)
    numbers = numbered(rows, master.identifiers)
    asked = pl.concat(
        [told.questions, twice, since.questions, found.questions, known_ids, _taken(taken), numbers.questions]
    )
    details = _instrument_details(rows, master)
    writes = {
        "instruments": pl.concat([_instruments(rows), _renamed(details, master)]),
        "listings": pl.concat([_shaped(listed, "listings"), ends]),
        "instrument_details": details,
        "listing_details": _listing_details(rows, listed, master),
        "identifiers": numbers.rows,
        "issuers": _issuers(rows).join(master.issuers, on="issuer_id", how="anti"),
        "master_questions": asked.unique("question_id", keep="first", maintain_order=True),
    }
    added = rows.filter("is_new")["instrument_id"].n_unique()
    return Settled(writes, listings=len(claims), added=added, questions=len(writes["master_questions"]))


def issuer_of(cik: str) -> str:
    """Return the id of the issuer that has the number `cik` with the SEC, however many zeros it is written with."""
    return f"{_CIK}{cik.strip().lstrip('0').zfill(10)}"


def _once(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return `rows` without repeats and without tickers that stand twice at one time, and questions about those."""
    several = rows.select("mic", "symbol").is_duplicated()
    facts = [name for name in rows.columns if name not in {"number", "spelled", "board"}]
    distinct = rows.filter(several).unique(facts, keep="first", maintain_order=True)
    since = pl.col("begins").fill_null(FIRST)
    ordered = distinct.with_columns(since=since, until=pl.col("ends").fill_null(LAST)).sort("mic", "symbol", "since")
    before = pl.col("until").cum_max().shift(1).over("mic", "symbol", order_by="since")
    after = pl.col("since").shift(-1).over("mic", "symbol", order_by="since")
    crowded = (pl.col("since") < before).fill_null(value=False) | (after < pl.col("until")).fill_null(value=False)
    marked = ordered.with_columns(crowded=crowded)
    words = pl.format("{} lists {} on {} twice at one time, with different facts", "provider", "spelled", "mic")
    asked = questions(marked.filter("crowded").sort("number"), kind="twice", words=words)
    kept = marked.filter(~pl.col("crowded")).select(rows.columns)
    return pl.concat([rows.filter(~several), kept]).sort("number"), asked


def _named(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return `rows` with an `instrument_id` for each, and `is_new`; new ones with one identifier share an id.

    Where others had the ticker before, a listing that nobody dates begins on the day on which it was said.
    """
    marked = rows.with_columns(is_new=pl.col("instrument_id").is_null())
    used = known.select("mic", "symbol", pl.lit(value=True).alias("used")).unique()
    new = marked.filter("is_new").join(used, on=["mic", "symbol"], how="left", maintain_order="left")
    again = pl.col("used").fill_null(value=False) & pl.col("live") & pl.col("begins").is_null()
    new = new.with_columns(pl.when(again).then("day").otherwise("begins").alias("begins")).drop("used")
    key = pl.coalesce(*(pl.concat_str(pl.lit(f"{one}:"), pl.col(one)) for one in SECURITY))
    group = pl.concat_str(key, pl.lit(" "), pl.col("currency").fill_null(""))
    own = pl.col("number").cast(pl.String)
    leader = pl.col("number").min().over(pl.coalesce(group, own))
    led = new.with_columns(leader=leader)
    firsts = led.filter(pl.col("number") == pl.col("leader")).select("number", "mic", "symbol", "begins")
    ids = [instrument_id(mic=mic, symbol=symbol, valid_from=begins) for _, mic, symbol, begins in firsts.iter_rows()]
    made = pl.DataFrame({"leader": firsts["number"], "made": pl.Series(ids, dtype=pl.String)})
    identified = led.join(made, on="leader", how="left").with_columns(instrument_id=pl.col("made"))
    return pl.concat([marked.filter(~pl.col("is_new")), identified.select(marked.columns)]).sort("number")


def _unheard(rows: pl.DataFrame, known: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return `rows` but for new instruments that would have the id of a known one, and questions about those."""
    same = rows.filter("is_new").join(
        known.select(pl.col("record").alias("instrument_id")), on="instrument_id", how="semi"
    )
    words = pl.format(
        "{} lists {} on {} as another instrument had it, and tells no dates", "provider", "spelled", "mic"
    )
    asked = questions(same, kind="overlap", words=words, instruments=pl.col("instrument_id"))
    return rows.join(same.select("number"), on="number", how="anti"), asked


def _replaced(rows: pl.DataFrame, master: Master) -> pl.DataFrame:
    """Return the listings that end since by its FIGI the instrument has another ticker on the venue now."""
    told = rows.filter(~pl.col("is_new"), pl.col("live"), pl.col("figi").is_not_null())
    figis = master.identifiers.filter(pl.col("scheme") == "figi").select("instrument_id", pl.col("value").alias("figi"))
    same = told.join(figis.unique(), on=["instrument_id", "figi"], how="semi")
    over = same.select("instrument_id", "mic", pl.col("since").alias("until"), pl.col("symbol").alias("now"))
    open_ones = master.listings.filter(pl.col("valid_to").is_null()).drop("valid_to")
    pairs = open_ones.join(over, on=["instrument_id", "mic"]).filter(pl.col("symbol") != pl.col("now"))
    left = pairs.join(rows.filter("live").select("mic", "symbol"), on=["mic", "symbol"], how="anti")
    begun = left.filter(pl.col("valid_from").is_null() | (pl.col("valid_from") < pl.col("until")))
    single = begun.unique(["record", "symbol", "mic", "valid_from"], keep="first", maintain_order=True)
    return single.with_columns(valid_to=pl.col("until")).select(ENDED)


def _ended(gone: pl.DataFrame, claims: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the table listings for those that `gone` says are over."""
    origin = claims.select(pl.col("ts_known").max(), pl.col("simulated").first())
    return _shaped(gone.with_columns(instrument_id=pl.col("record")).join(origin, how="cross"), "listings")


def _located(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return `rows` with the venue of the instrument's own listing where nobody told one."""
    venues = known.filter(pl.col("mic") != NO_VENUE).select("instrument_id", "symbol", pl.col("mic").alias("at"))
    single = venues.unique(["instrument_id", "symbol"], keep="first", maintain_order=True)
    found = rows.join(single, on=["instrument_id", "symbol"], how="left", maintain_order="left")
    mic = pl.when(pl.col("mic") == NO_VENUE).then(pl.coalesce("at", "mic")).otherwise("mic")
    return found.with_columns(mic.alias("mic")).drop("at")


def _begun(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return `rows` with `since`, from when on a listing of theirs that is new is valid.

    As told; of an instrument known before, on the day on which it was said, and not before its ticker until then: what
    sources tell beside a new ticker is often the first day of the security.
    """
    own = known.select("instrument_id", "mic", pl.col("symbol").alias("other"), "valid_to")
    others = rows.select("number", "instrument_id", "mic", "symbol", "day").join(own, on=["instrument_id", "mic"])
    until = others.filter(pl.col("other") != pl.col("symbol")).with_columns(until=pl.coalesce("valid_to", "day"))
    latest = until.group_by("number").agg(pl.col("until").max())
    said = pl.when(~pl.col("is_new") & pl.col("live"))
    found = rows.join(latest, on="number", how="left", maintain_order="left")
    since = said.then(pl.coalesce(pl.max_horizontal("begins", "until"), "day")).otherwise("begins")
    return found.with_columns(since=since).drop("until")


def _listings(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return `number` and the rows of the table listings that `rows` say: new ones, and known ones that end now."""
    current = known.select(
        "instrument_id", "symbol", "mic", "record", pl.col("valid_from").alias("from_known"),
        pl.col("valid_to").alias("to_known"),
    )  # fmt: skip
    pairs = rows.join(current, on=["instrument_id", "symbol", "mic"])
    since = pl.coalesce("begins", pl.when("live").then(pl.col("day")), pl.col("ends") - pl.duration(days=1))
    meets = (pl.col("from_known").fill_null(FIRST) < pl.col("ends").fill_null(LAST)) & (
        since <= pl.col("to_known").fill_null(LAST)
    )
    kept = pairs.filter(meets)
    ended = kept.filter(pl.col("to_known").is_null() & pl.col("ends").is_not_null()).with_columns(
        stands=pl.col("instrument_id"),
        instrument_id=pl.col("record"),
        valid_from=pl.col("from_known"),
        valid_to=pl.col("ends"),
    )
    fresh = rows.join(kept, on="number", how="anti").with_columns(
        valid_from=pl.col("since"), valid_to=pl.col("ends"), stands=pl.col("instrument_id")
    )
    names = ["number", "stands", "instrument_id", "symbol", "mic", "valid_from", "valid_to", *_ORIGIN]
    return pl.concat([ended.select(names), fresh.select(names)]).unique(
        ["instrument_id", "symbol", "mic", "valid_from"], keep="first", maintain_order=True
    )


def _free(listed: pl.DataFrame, rows: pl.DataFrame, known: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the listings whose ticker no other instrument has then, and the stated rows of the others."""
    other = known.select(
        "symbol", "mic", pl.col("instrument_id").alias("other"), pl.col("valid_from").alias("begun"),
        pl.col("valid_to").alias("over"),
    )  # fmt: skip
    pairs = listed.join(other, on=["symbol", "mic"]).filter(pl.col("other") != pl.col("stands"))
    meets = (pl.col("begun").fill_null(FIRST) < pl.col("valid_to").fill_null(LAST)) & (
        pl.col("valid_from").fill_null(FIRST) < pl.col("over").fill_null(LAST)
    )
    clash = pairs.filter(meets).select("number", "other").unique("number", keep="first", maintain_order=True)
    return listed.join(clash, on="number", how="anti"), rows.join(clash, on="number")


def _taken(rows: pl.DataFrame) -> pl.DataFrame:
    words = pl.format(
        "{} says by its identifiers that {} on {} is {}, but the ticker is another instrument's then",
        "provider", "spelled", "mic", "instrument_id",
    )  # fmt: skip
    return questions(
        rows, kind="overlap", words=words, instruments=pl.concat_str("instrument_id", "other", separator=",")
    )


def _instruments(rows: pl.DataFrame) -> pl.DataFrame:
    new = rows.filter("is_new").unique("instrument_id", keep="first", maintain_order=True)
    return _shaped(new.with_columns(pl.coalesce("name", "symbol").alias("name")), "instruments")


def _instrument_details(rows: pl.DataFrame, master: Master) -> pl.DataFrame:
    single = rows.unique("instrument_id", keep="first", maintain_order=True)
    told = single.with_columns(
        valid_from=pl.when("is_new").then(pl.col("begins")),
        valid_to=pl.lit(None, dtype=pl.Date),
        issuer_id=_issuer_id(),
        source=pl.col("provider"),
    )
    return _continued(told, master.instrument_details, "instrument_details", facts=("name", "paper", "issuer_id"))


def _renamed(details: pl.DataFrame, master: Master) -> pl.DataFrame:
    """Return the instruments that `details` call otherwise now, with that name."""
    now = details.filter(pl.col("valid_to").is_null(), pl.col("name").is_not_null())
    called = now.select("instrument_id", pl.col("name").alias("new"), pl.col("ts_known").alias("now"), "source")
    before = master.instrument_details.select("instrument_id", "source", pl.col("name").alias("name")).unique()
    changed = master.instruments.join(called, on="instrument_id").join(
        before, on=["instrument_id", "source", "name"], how="semi"
    )
    renamed = changed.filter(pl.col("new") != pl.col("name"))
    return _shaped(renamed.with_columns(name=pl.col("new"), ts_known=pl.col("now")), "instruments")


def _listing_details(rows: pl.DataFrame, listed: pl.DataFrame, master: Master) -> pl.DataFrame:
    told = rows.join(listed.select("number", "valid_from"), on="number", how="left").with_columns(
        valid_to=pl.col("ends"),
        lot=pl.lit(None, dtype=pl.Float64),
        increment=pl.lit(None, dtype=pl.Float64),
        status=pl.when("live").then(pl.lit("active")).otherwise(pl.lit("delisted")),
        source=pl.col("provider"),
    )
    single = told.unique(["instrument_id", "symbol", "mic"], keep="last", maintain_order=True)
    return _continued(single, master.listing_details, "listing_details", facts=("currency", "status", "board"))


def _continued(told: pl.DataFrame, known: pl.DataFrame, table: str, *, facts: tuple[str, ...]) -> pl.DataFrame:
    about = [name for name in TABLES[table].key if name != "valid_from"]
    columns = list(TABLES[table].columns)
    rows = told.with_columns(version=pl.lit(1, dtype=pl.UInt32)).select(*columns, "day")
    return _shaped(continued(known.select(columns), rows, about=about, facts=facts), table)


def _issuer_id() -> pl.Expr:
    return pl.when(pl.col("cik").is_not_null()).then(pl.concat_str(pl.lit(_CIK), "cik"))


def _issuers(rows: pl.DataFrame) -> pl.DataFrame:
    told = rows.filter(pl.col("cik").is_not_null()).unique("cik", keep="first", maintain_order=True)
    made = told.with_columns(issuer_id=_issuer_id(), lei=pl.lit(None, dtype=pl.String), source=pl.col("provider"))
    return _shaped(made, "issuers")


def _shaped(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return `rows` with exactly the columns of `table`, version 1."""
    columns = TABLES[table].columns
    return rows.with_columns(version=pl.lit(1, dtype=pl.UInt32)).select(
        pl.col(name).cast(dtype) for name, dtype in columns.items()
    )
