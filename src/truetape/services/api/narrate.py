"""An explanation in words, for a terminal of 80 columns or more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import Final

from rich.text import Text

from truetape.services.api.explain import Claim, Effect, Explanation
from truetape.services.api.prices import Prices

WIDTH: Final = 80
MOST_EFFECTS: Final = 12
_TIMES: Final = "\N{MULTIPLICATION SIGN}"
_OVER: Final = "\N{DIVISION SIGN}"
_THOUSAND: Final = 1000
_TEN: Final = 10
_NOTHING: Final = "\N{EN DASH}"
_NAMES: Final = {"raw": "as traded", "split": "split-adjusted", "all": "and dividends"}
_MARKS: Final = {
    "taken": ("●", "bold green"),
    "agreed": ("✓", "green"),
    "outvoted": ("✗", "yellow"),
    "quarantined": ("✗", "red"),
}
_SEVERITIES: Final = {"note": "cyan", "warning": "yellow", "error": "red"}
_METHODS: Final = {
    "consensus": "Most of the providers' weight agrees",
    "plurality": "No majority agrees; the largest group was taken",
    "single_source": "Only one provider spoke",
    "operator": "An operator decided it",
}


def narrate(explanation: Explanation) -> str:
    """Return the explanation as plain text that ends with a line feed."""
    return "".join(f"{line.plain}\n" for line in lines(explanation))


def lines(explanation: Explanation) -> list[Text]:
    """Return the explanation line by line, styled for a terminal; `.plain` is the same without styles."""
    sections: tuple[tuple[str, Iterable[Text]], ...] = (
        ("Prices", _prices(explanation)),
        ("Verdict", _verdict(explanation)),
        ("Claims, brought to prices as traded", _claims(explanation)),
        ("Kept out", _quarantined(explanation)),
        ("Findings", _findings(explanation)),
        ("Repairs", _repairs(explanation)),
        ("Decisions", _decisions(explanation)),
        ("From as traded to adjusted", _adjusting(explanation)),
        ("Versions", _versions(explanation)),
    )
    told = list(_title(explanation))
    for title, body in sections:
        found = list(body)
        if found:
            told += [Text(), Text(title, style="bold"), *found]
    known = f"Known at {_moment(explanation.as_of)}, store version {explanation.store_version}."
    return [*told, Text(), Text(known, style="dim")]


def _title(explanation: Explanation) -> Iterator[Text]:
    title = Text.assemble((explanation.symbol, "bold"), f"  {explanation.name}", no_wrap=True, overflow="ellipsis")
    if explanation.simulated:
        title.append("  SIMULATED", style="bold magenta")
    yield title
    times = explanation.session_times
    hours = f"open {_clock(times.open)} to {_clock(times.close)} UTC" if times else "no session known"
    currency = f" · {explanation.currency}" if explanation.currency else ""
    day = explanation.session
    yield Text(f"{day:%A} {day} · {explanation.mic} · {hours}{currency} · {explanation.instrument_id}", style="dim")


def _prices(explanation: Explanation) -> Iterator[Text]:
    if explanation.gap is not None:
        yield from _paragraph(f"There is no golden row. {explanation.gap}", style="yellow")
        return
    yield Text(f"  {'':<15}{'open':>11}{'high':>11}{'low':>11}{'close':>11}{'volume':>17}", style="dim")
    for adjustment, prices in explanation.prices.items():
        style = "bold" if adjustment == "raw" else ""
        yield Text(f"  {_NAMES[adjustment]:<15}{_ohlc(prices)}{_volume(prices.volume):>17}", style=style)


def _verdict(explanation: Explanation) -> Iterator[Text]:
    verdict = explanation.verdict
    if verdict is None:
        return
    yield Text.assemble(
        "  ", (verdict.method.replace("_", " "), "bold"), f", score {verdict.score:.2f}: {_METHODS[verdict.method]}."
    )
    yield _labelled("agreed", ", ".join(verdict.agreed) or "nobody", style="green")
    if verdict.dissented:
        yield _labelled("dissented", ", ".join(verdict.dissented), style="yellow")
    yield _labelled("taken from", f"{verdict.taken_from}, payload {verdict.payload[:12]}")
    if verdict.flags:
        yield _labelled("flags", ", ".join(flag.replace("_", " ") for flag in verdict.flags))


def _claims(explanation: Explanation) -> Iterator[Text]:
    if explanation.claims:
        yield Text(f"    {'':<13}{'open':>11}{'high':>11}{'low':>11}{'close':>11}   payload", style="dim")
    for claim in explanation.claims:
        mark, style = _MARKS[claim.outcome]
        raw = claim.raw or claim.said
        size = f" {_bytes(claim.payload_bytes)}" if claim.payload_bytes is not None else ""
        yield Text.assemble(
            ("  " + mark + " ", style),
            f"{_cut(claim.provider, 13):<13}{_ohlc(raw)}   ",
            (claim.payload[:8] + size, "dim"),
        )
        yield Text(f"      {_said(claim)}", style="dim")
        if claim.repaired:
            yield Text.assemble("    ", ("repaired", "green"), f"     {_ohlc(claim.repaired)}")
        if claim.why:
            yield Text(f"      asked because: {claim.why}", style="dim")
        for before in claim.tried:
            yield from _paragraph(f"tried before: {before}", indent=6)


def _said(claim: Claim) -> str:
    when = f"{claim.outcome}; said at {_moment(claim.ts_known)}"
    if claim.basis == "raw":
        return f"{when} as traded"
    return f"{when} {claim.basis}-adjusted, close {_price(claim.said.close)}"


def _quarantined(explanation: Explanation) -> Iterator[Text]:
    for one in explanation.quarantined:
        yield Text.assemble("  ", (one.provider, "bold"), "  ", (one.reason, "red"))
        yield from _paragraph(one.explanation, indent=4)


def _findings(explanation: Explanation) -> Iterator[Text]:
    for one in explanation.findings:
        about = f"  {one.provider}" if one.provider else ""
        yield Text.assemble("  ", (one.severity, _SEVERITIES.get(one.severity, "")), f"  {one.check}{about}")
        yield from _paragraph(one.explanation, indent=4)


def _repairs(explanation: Explanation) -> Iterator[Text]:
    for one in explanation.repairs:
        by = f" by {one.decided_by}" if one.decided_by else ""
        yield Text.assemble("  ", (one.provider, "bold"), f"  {one.kind}, {one.state}{by}  ", (one.repair_id, "dim"))
        yield from _paragraph(one.explanation, indent=4)


def _decisions(explanation: Explanation) -> Iterator[Text]:
    for one in explanation.decisions:
        yield Text.assemble("  ", (one.action, "bold"), f" {one.target} of {one.provider}")
        yield from _paragraph(f"{one.why} ({one.actor}, {_moment(one.ts_known)}, {one.decision_id})", indent=4)


def _adjusting(explanation: Explanation) -> Iterator[Text]:
    if "raw" not in explanation.prices:
        return
    effects = explanation.effects
    if not effects:
        yield Text("  No split or dividend is known after this session: all three are the same.")
        return
    for effect in effects[:MOST_EFFECTS]:
        yield Text(f"  {effect.ex_date}  {_event(effect):<40}{_operation(effect):>26}")
    if len(effects) > MOST_EFFECTS:
        rest = len(effects) - MOST_EFFECTS
        yield Text(f"  and {rest} more ex-dates until {effects[-1].ex_date}", style="dim")
    yield from _product(explanation)


def _product(explanation: Explanation) -> Iterator[Text]:
    close = {adjustment: _price(prices.close) for adjustment, prices in explanation.prices.items()}
    splits = _terms(effect.split for effect in explanation.effects)
    dividends = _terms(effect.dividend for effect in explanation.effects)
    yield Text(f"  close {close['raw']}", style="bold")
    if splits:
        yield from _paragraph(f"{_OVER} {splits} = {close['split']} split-adjusted", indent=4, style="bold")
    if dividends:
        yield from _paragraph(f"{_TIMES} {dividends} = {close['all']} for dividends too", indent=4, style="bold")


def _terms(factors: Iterable[float]) -> str:
    """Return a product spelled out, or its value where it is long; nothing if nothing is multiplied."""
    active = [factor for factor in factors if factor != 1.0]
    if len(active) <= 1:
        return "".join(f"{factor:.10g}" for factor in active)
    product = 1.0
    for factor in active:
        product *= factor
    spelled = f" {_TIMES} ".join(f"{factor:.6g}" for factor in active)
    return f"({spelled})" if len(active) <= MOST_EFFECTS else f"{product:.10g} (product of {len(active)} factors)"


def _event(effect: Effect) -> str:
    parts = [f"split {effect.split:g} for 1"] if effect.split != 1.0 else []
    if effect.dividend != 1.0:
        cash = "" if effect.cash is None else f" of {effect.cash:g} {effect.currency or ''}".rstrip()
        parts.append(f"dividend{cash}")
    return " and ".join(parts)


def _operation(effect: Effect) -> str:
    split = f"{_OVER} {effect.split:g}" if effect.split != 1.0 else ""
    dividend = f"{_TIMES} {effect.dividend:.8f}" if effect.dividend != 1.0 else ""
    return f"{split} {dividend}".strip()


def _versions(explanation: Explanation) -> Iterator[Text]:
    for one in explanation.versions:
        newest = one is explanation.versions[-1]
        told = "withdrawn" if one.withdrawn else f"close {_price(one.prices.close)}  {one.taken_from}"
        words = f"  {one.version:>3}  known {_moment(one.ts_known)}  {told}"
        yield Text(f"{words}{'  current' if newest else ''}", style="" if newest else "dim")
        yield from _paragraph(one.withdrawn, indent=7, style="" if newest else "dim")


def _labelled(label: str, words: str, *, style: str = "") -> Text:
    return Text.assemble(f"  {label:<12}", (words, style))


def _paragraph(words: str, *, indent: int = 2, style: str = "") -> Iterator[Text]:
    for line in wrap(words, WIDTH - indent):
        yield Text(" " * indent + line, style=style)


def _ohlc(prices: Prices) -> str:
    values = (prices.open, prices.high, prices.low, prices.close)
    places = max(map(_places, values))
    return "".join(f"{_price(value, places=places):>11}" for value in values)


def _price(value: float | None, *, places: int | None = None) -> str:
    """Return a price with two decimals, or with four where it needs them."""
    return _NOTHING if value is None else f"{value:.{_places(value) if places is None else places}f}"


def _places(value: float | None) -> int:
    return 2 if value is None or f"{value:.4f}".endswith("00") else 4


def _volume(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:,.0f}"


def _bytes(count: int) -> str:
    """Return a size in at most seven letters, below a gigabyte."""
    if count < _THOUSAND:
        return f"{count} B"
    if count < _THOUSAND**2:
        return f"{count // _THOUSAND} kB"
    millions = count / _THOUSAND**2
    return f"{millions:.1f} MB" if millions < _TEN else f"{millions:.0f} MB"


def _moment(text: str) -> str:
    """Return an ISO instant to the second, as people write it."""
    return f"{text[:10]} {text[11:19]} UTC"


def _clock(text: str) -> str:
    return text[11:16]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
