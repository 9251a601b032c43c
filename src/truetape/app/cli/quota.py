"""`truetape quota`: what is left of each provider's quotas, when they reset, and what today and this month cost."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from truetape.app.cli.terminal import Data, Json, out, run, write_json

if TYPE_CHECKING:
    from truetape.domain.plans import Window
    from truetape.ports.ledger import Standing

SOON: Final = timedelta(hours=1)
MILLION: Final = 1e6


def quota(*, data: Data = Path("data"), as_json: Json = False) -> None:
    """Say what is left of each provider's quotas, when they reset, and what today and this month cost.

    It reads the ledger of the data folder, also while a platform runs on it. An account is a short hash of its key;
    today and this month, and the times of resets, are those of this machine's zone.
    """
    found = run(_quota(data), as_json=as_json)
    if as_json:
        write_json(found)
    else:
        _show(found)


async def _quota(data: Path) -> dict[str, Any]:
    from truetape.adapters.data_folder import LEDGER, read_marker
    from truetape.adapters.sqlite_ledger import SqliteLedger
    from truetape.adapters.system_clock import SystemClock
    from truetape.domain.errors import WrongFolder
    from truetape.domain.time import from_datetime

    if read_marker(data) is None:
        raise WrongFolder(path=str(data), reason="it is no data folder. Choose another one with --data.")
    found: dict[str, Any] = {"data": str(data), "accounts": [], "money": []}
    if not (data / LEDGER).exists():
        return found
    today = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    ledger = SqliteLedger(data / LEDGER, clock=SystemClock(), read_only=True)
    try:
        accounts = await ledger.accounts()
        for one in accounts:
            standing = await ledger.standing(one.provider, one.account, one.windows)
            told = {"provider": one.provider, "account": one.account, "windows": [_told(row) for row in standing]}
            found["accounts"].append(told)
        for name in sorted({one.provider for one in accounts}):
            costs = {
                "today": await ledger.money(name, since_ns=from_datetime(today)),
                "month": await ledger.money(name, since_ns=from_datetime(today.replace(day=1))),
            }
            found["money"].append({"provider": name, **costs, "currency": _currency(name)})
    finally:
        await ledger.close()
    return found


def _told(standing: Standing) -> dict[str, Any]:
    from truetape.domain.time import iso

    window = standing.window
    return {
        "window": words(window),
        "unit": window.unit,
        "period": window.period,
        "every": window.every,
        "rolling": window.rolling,
        "zone": window.zone,
        "endpoint": window.endpoint,
        "limit": window.limit,
        "used": standing.used,
        "left": standing.left,
        "resets_at": iso(standing.resets_at_ns // 10**9 * 10**9),
    }


def words(window: Window) -> str:
    """Return what `window` counts, as a person says it: "calls in any 10 minutes", "credits each day (New York)"."""
    length = window.period if window.every == 1 else f"{window.every} {window.period}s"
    place = window.zone.rpartition("/")[2].replace("_", " ")
    zoned = not window.rolling and window.period in {"day", "month"}
    period = f"{'in any' if window.rolling else 'each'} {length}{f' ({place})' if zoned else ''}"
    return f"{window.unit} {period}{f', {window.endpoint}' if window.endpoint else ''}"


def when(at: datetime, *, now: datetime) -> str:
    """Return `at` as a person says it at `now`: "now", "in 4 min", "today 19:00", "tomorrow 00:00" or the date."""
    if at <= now:
        return "now"
    if at - now < SOON:
        minutes, seconds = divmod(round((at - now).total_seconds()), 60)
        return f"in {minutes} min" if minutes else f"in {seconds} s"
    days = (at.date() - now.date()).days
    day = {0: "today", 1: "tomorrow"}.get(days, f"{at:%Y-%m-%d}")
    return f"{day} {at:%H:%M}"


def _currency(name: str) -> str:
    """Return the currency in which a provider's plans are priced."""
    from truetape.app.plans import plan
    from truetape.providers import NAMES

    return plan(name).currency if name in NAMES else ""


def _show(found: dict[str, Any]) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    console, now = out(), datetime.now().astimezone()
    if not found["accounts"]:
        console.print("No request was counted yet: nothing is used.", markup=False)
        return
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    for title in ("provider", "account", "window", "limit", "used", "left", "resets"):
        number = title in {"limit", "used", "left"}
        table.add_column(title, justify="right" if number else "left", no_wrap=title != "window")
    for one in found["accounts"]:
        whose = [one["provider"], one["account"] or "no key"]
        for row in one["windows"]:
            resets = when(datetime.fromisoformat(row["resets_at"]).astimezone(), now=now)
            numbers = (_number(row[name]) for name in ("limit", "used", "left"))
            table.add_row(*whose, row["window"], *numbers, resets, style="red" if row["left"] <= 0 else "")
            whose = ["", ""]
    console.print(table)
    for paid in found["money"]:
        cost = f"{paid['today']:,.2f} today and {paid['month']:,.2f} this month"
        console.print(f"{paid['provider']} cost {cost} {paid['currency']}".rstrip(), markup=False, highlight=False)


def _number(value: float) -> str:
    """Return `value` in a few letters: millions with an M."""
    return f"{value / MILLION:,.6g} M" if value >= MILLION else f"{value:,.10g}"
