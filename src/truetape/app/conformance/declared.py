"""Checks 1 to 12: what a provider declares is sane, and its plans can be read."""

from __future__ import annotations

import re
from typing import Final

from truetape.app.conformance.bench import Bench, insist
from truetape.app.conformance.registry import always, demand
from truetape.app.conformance.subject import Subject
from truetape.app.plans import known_zone, read
from truetape.domain.errors import BadInput
from truetape.domain.plans import Plans
from truetape.domain.schema import ASSET_CLASSES, BASES, DECODED
from truetape.domain.time import TIMEFRAMES

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{1,30}")
_VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9_]+")
_REDISTRIBUTION: Final = ("none", "display", "derived", "free")
_MOST_DAYS: Final = 100_000


def planned(subject: Subject) -> str:
    """Select the providers that state plans."""
    return "" if subject.plans is not None else "it states no plans"


@demand(1, "names", "It has a plain name, a title and the name of its feed, and is called as its folder is.", always)
async def names(bench: Bench) -> None:
    """Look at the words by which it is known."""
    one = bench.declaration
    insist(_NAME.fullmatch(one.name), f"its name was {one.name!r}, no plain word")
    insist(one.name == bench.subject.name, f"its name was {one.name!r}, its folder {bench.subject.name!r}")
    insist(one.title.strip(), "its title was empty")
    insist(one.feed.strip(), "its feed was not named")


@demand(2, "keys declared", "Environment variables are named exactly where it wants a key, as the catalogue has them.")
async def keys_declared(bench: Bench) -> None:
    """Look at the variables of the key."""
    one = bench.declaration
    named = tuple(name for name in (one.key_variable, one.secret_variable) if name)
    wrong = [name for name in named if not _VARIABLE.fullmatch(name)]
    insist(not wrong, f"{wrong} is no name of an environment variable")
    insist(named or not one.needs_key, "it wants a key and names no variable for it")
    insist(one.key_variable or not one.secret_variable, "it names the second half of a key without the first")
    known = bench.subject.variables
    insist(known is None or known == named, f"it names {named}, the catalogue {known}")


@demand(3, "kinds", "It offers something; each kind is known, and offered once for each way of asking.", always)
async def kinds(bench: Bench) -> None:
    """Look at the record kinds."""
    offers = bench.declaration.offers
    insist(offers, "it offers nothing")
    unknown = [offer.kind for offer in offers if offer.kind not in DECODED]
    insist(not unknown, f"unknown kinds {unknown}")
    ways = [(offer.kind, offer.streamed) for offer in offers]
    twice = sorted({kind for kind, streamed in ways if ways.count((kind, streamed)) > 1})
    insist(not twice, f"{twice} were offered twice")


@demand(4, "timeframes", "Bars name known timeframes, each once and from short to long; other kinds name none.", always)
async def timeframes(bench: Bench) -> None:
    """Look at the timeframes of every offer."""
    for offer in bench.declaration.offers:
        named = offer.timeframes
        if offer.kind != "bars":
            insist(not named, f"{offer.kind} name timeframes {named}")
            continue
        insist(named, "bars name no timeframe")
        unknown = [one for one in named if one not in TIMEFRAMES]
        insist(not unknown, f"unknown timeframes {unknown}")
        places = [TIMEFRAMES.index(one) for one in named]
        insist(places == sorted(set(places)), f"timeframes were {named}, not each once from short to long")


@demand(5, "zone", "Its session dates are meant in an IANA zone.", always)
async def zone(bench: Bench) -> None:
    """Look at the zone."""
    insist(known_zone(bench.declaration.zone), f"its zone was {bench.declaration.zone!r}, no IANA zone")


@demand(6, "basis declared", f"Every basis that it names is one of {', '.join(BASES)}.", always)
async def basis_declared(bench: Bench) -> None:
    """Look at the basis of the provider and of its offers."""
    one = bench.declaration
    named = [one.basis, *(basis for offer in one.offers for basis in (offer.basis, offer.basis_intraday) if basis)]
    unknown = [basis for basis in named if basis not in BASES]
    insist(not unknown, f"unknown basis {unknown}")


@demand(
    7, "limits declared", "Depths and spans belong to offered timeframes and are whole days; counts are sane.", always
)
async def limits_declared(bench: Bench) -> None:
    """Look at depths, spans, rows and symbols of every offer."""
    for offer in bench.declaration.offers:
        allowed = set(offer.timeframes) or {""}
        for name, table, least in (("depth_days", offer.depth_days, 0), ("span_days", offer.span_days, 1)):
            strange = sorted(set(table) - allowed)
            insist(not strange, f"{name} of {offer.kind} has the keys {strange}, offered are {sorted(allowed)}")
            wrong = [days for days in table.values() if not least <= days <= _MOST_DAYS]
            insist(not wrong, f"{name} of {offer.kind} has {wrong} days")
        insist(offer.rows >= 0, f"{offer.kind} have {offer.rows} rows on a page")
        insist(offer.symbols >= 1, f"{offer.kind} have {offer.symbols} symbols in a request")


@demand(
    8, "rows with bars", "What comes with bars is offered beside bars, and bars themselves come by themselves.", always
)
async def rows_with_bars(bench: Bench) -> None:
    """Look at the offers that come in the payload of bars."""
    carried = [offer.kind for offer in bench.declaration.offers if offer.with_bars]
    insist("bars" not in carried, "bars were said to come with bars")
    insist(not carried or bench.declaration.offer("bars"), f"{carried} come with bars, which it does not offer")


@demand(
    9, "assets and terms", "Asset classes and terms are known words; trust lies in (0, 1], the pace is above 0.", always
)
async def assets_and_terms(bench: Bench) -> None:
    """Look at assets, redistribution, trust and pace."""
    one = bench.declaration
    insist(one.assets, "it names no asset class")
    unknown = [asset for asset in one.assets if asset not in ASSET_CLASSES]
    insist(not unknown, f"unknown asset classes {unknown}")
    insist(one.redistribution in _REDISTRIBUTION, f"redistribution was {one.redistribution!r}")
    insist(0 < one.trust <= 1, f"trust was {one.trust:g}")
    insist(one.calls_per_second > 0, f"calls_per_second was {one.calls_per_second:g}")


@demand(10, "a reader for each kind", "There is a decoder for every kind that it offers over HTTP, and for no other.")
async def readers(bench: Bench) -> None:
    """Compare decoders and offers."""
    wanted = {offer.kind for offer in bench.declaration.offers if not offer.streamed}
    missing = sorted(wanted - set(bench.provider.decode))
    more = sorted(set(bench.provider.decode) - set(bench.declaration.kinds))
    insist(not missing, f"no decoder for {missing}")
    insist(not more, f"decoders for {more}, which it does not offer")


@demand(
    11,
    "plans",
    "Its plans can be read, and each states windows or a price, unless it has no key and no quota.",
    planned,
)
async def plans(bench: Bench) -> None:
    """Read plans.toml."""
    stated = _stated(bench)
    loose = [name for name, one in stated.plans.items() if not one.windows]
    insist(not loose or not bench.declaration.needs_key, f"the plans {loose} state no window")
    numbered = any(one.windows or one.price_per_month for one in stated.plans.values())
    insist(stated.as_of or not numbered, "as_of does not say how old the plans' numbers are")


@demand(
    12, "plans fit", "Plans speak of kinds and endpoints that it offers, and the default plan allows the pace.", planned
)
async def plans_fit(bench: Bench) -> None:
    """Compare plans and declaration."""
    declared = bench.declaration
    kinds_known = {*declared.kinds}
    endpoints = kinds_known | {name for offer in declared.offers for name in (offer.endpoint, offer.endpoint_intraday)}
    for name, one in _stated(bench).plans.items():
        strange = sorted({*one.kinds, *(key.partition("/")[0] for key in one.depth_days)} - kinds_known)
        insist(not strange, f"the plan {name} speaks of {strange}, which it does not offer")
        named = {*one.weights, *(window.endpoint for window in one.windows if window.endpoint)}
        lost = sorted(named - endpoints)
        insist(not lost, f"the plan {name} weighs {lost}, offered are {sorted(endpoints - {''})}")


def _stated(bench: Bench) -> Plans:
    text = bench.subject.plans
    assert text is not None
    try:
        return read(text, name=bench.subject.name)
    except BadInput as error:
        insist(holds=False, words=str(error))
        raise
