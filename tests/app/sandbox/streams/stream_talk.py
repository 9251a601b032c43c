"""A feed and a speaker in one process: what the one says the other hears, without a socket."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import polars as pl
from msgspec import structs

from truetape.app.sandbox.dataset import Dataset, read
from truetape.app.sandbox.faults import Fault
from truetape.app.sandbox.streams import speaker_of
from truetape.app.sandbox.streams.market import Market
from truetape.app.sandbox.streams.playback import Playback, Step
from truetape.app.sandbox.streams.speaker import Opening
from truetape.app.sandbox.streams.tape import Event, Tape, usual_hours
from truetape.domain.ticks import Bar, Depth, Gap, Quote, Tick, Told, Trade
from truetape.ports.feed import Feed, Frame
from truetape.providers import vendor

LAST = date(2024, 3, 8)  # a Friday; New York opens at 14:30 UTC
OPENS = 1_709_908_200_000_000_000
MIDNIGHT = 1_709_856_000_000_000_000
ROOT = "http://sandbox.test"
MINUTES = {"AAA": 390, "BRK.B": 390, "BTC/USD": 1440, "EUR/USD": 1440}
KIND = {"trades": Trade, "quotes": Quote, "bars": Bar, "book": Depth}


@lru_cache
def dataset() -> Dataset:
    """Three days of two shares, a coin, a pair of currencies and an index; GONE lacks the last of them."""
    starts = {"AAA": 100.0, "BRK.B": 400.0, "BTC/USD": 60_000.0, "EUR/USD": 1.09, "GONE": 7.0, "^GSPC": 5_100.0}
    rows = [
        (symbol, LAST - timedelta(days=back), start, start * 1.02, start * 0.98, start * 1.01, 1_000_000.0)
        for symbol, start in starts.items()
        for back in (2, 1, 0)
        if symbol != "GONE" or back
    ]
    columns = ["symbol", "date", "open", "high", "low", "close", "volume"]
    frame = pl.DataFrame(rows, schema=columns, orient="row").with_columns(
        pl.col("open", "high", "low", "close").round(4)
    )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "small.csv"
        frame.write_csv(path)
        return read(path)


@lru_cache
def tape() -> Tape:
    """Its last day."""
    return Tape(dataset(), seed=7)


@dataclass
class Heard:
    """Everything that a feed told, and how the conversation ended."""

    ticks: list[Tick] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)  # over HTTP

    def of(self, kind: type[Any], symbol: str | None = None) -> list[Any]:
        """The ticks of one kind."""
        return [tick for tick in self.ticks if type(tick) is kind and symbol in (None, getattr(tick, "symbol", None))]

    def told(self, what: str) -> list[Told]:
        """What was told of the connection."""
        return [tick for tick in self.of(Told) if tick.what == what]

    @property
    def gaps(self) -> list[Gap]:
        """What was missed."""
        return self.of(Gap)


@dataclass
class Talk:
    """One connection of a feed to a market."""

    feed: Feed
    playback: Playback
    market: Market
    heard: Heard = field(default_factory=Heard)

    def start(self, symbols: list[str], channels: list[str]) -> None:
        """Greet and subscribe; `symbols` in the provider's spelling."""
        self.hear(self.playback.speaker.welcome())
        for frame in self.feed.greet():
            self.hear(self.playback.hear(frame))
        if self.feed.ready:
            for frame in self.feed.subscribe(symbols, channels):
                self.hear(self.playback.hear(frame))
        self.playback.join()

    def hear(self, frames: list[Frame] | tuple[Frame, ...], *, at: int = 0) -> None:
        """Let the feed hear frames, and answer what it asks because of them."""
        for frame in frames:
            if frame[:1] == ":":
                continue  # a comment between server-sent events, which no feed sees
            self.heard.ticks += self.feed.receive(frame, at)
        for frame in self.feed.replies():
            self.hear(self.playback.hear(frame), at=at)
        for request in self.feed.wanted():
            self.heard.asked.append(request.url)
            url = urlsplit(request.url)
            _, body = self.market.answer(self.playback.speaker.provider, dict(parse_qsl(url.query)))
            self.heard.ticks += self.feed.fetched(request.url, body, at)

    def run(self, steps: int = 10**9) -> Heard:
        """Play on until the tape ends, the connection is reset or falls silent for good, or so much was said."""
        said = len(self.heard.steps)
        while len(self.heard.steps) - said < steps:
            step = self.playback.step()
            if step is None:
                break
            if not step.frames and step.silent_s is None and not step.reset:
                continue
            self.heard.steps.append(step)
            if step.reset or step.silent_s == 0:
                break
            self.hear(step.frames, at=step.at)
        return self.heard


def market(*faults: Fault, **options: Any) -> Market:
    """A market of the small dataset."""
    return Market(tape(), faults, **options)


def spell(name: str, symbol: str) -> str:
    """Our symbol as the provider writes it."""
    spelled: str = vendor(name).spell(symbol)
    return spelled


def talk(
    name: str, symbols: list[str], channels: list[str], *, at: Market | None = None, key: str = "k3y", **feed: Any
) -> Talk:
    """A conversation that has subscribed to our `symbols`."""
    made: Feed = import_module(f"truetape.providers.{name}.feed").make(
        base_url=f"{ROOT}/{name}", key=key, secret="s3cret" if key else "", **feed
    )
    spelled = [spell(name, symbol) for symbol in symbols]
    endpoint = made.endpoint(spelled, channels)
    url = urlsplit(endpoint.url)
    opening = Opening(
        path=url.path.partition("/stream")[2].strip("/"),
        params={**dict(parse_qsl(url.query)), **endpoint.secrets},
        headers={header.lower(): value for header, value in {**endpoint.headers, **endpoint.secret_headers}.items()},
    )
    on = at or market()
    made_talk = Talk(made, on.connect(name, opening), on)
    made_talk.start(spelled, channels)
    return made_talk


def truth(symbol: str, kind: str, *, hours: Any = usual_hours) -> list[Event]:
    """What happened to our `symbol`."""
    return [event for event in tape().day(symbol, hours(symbol)).events if type(event.news) is KIND[kind]]


def said(name: str, symbol: str, kind: str, **changes: Any) -> list[Any]:
    """What happened to our `symbol`, as a feed should tell it: `changes` are values, or functions of what happened."""
    return [
        structs.replace(
            event.news,
            symbol=spell(name, symbol),
            **{key: change(event) if callable(change) else change for key, change in changes.items()},
        )
        for event in truth(symbol, kind, hours=speaker_of(name).hours)
    ]


def milliseconds(event: Event) -> int:
    """When it happened, as providers say it that cut to milliseconds."""
    return event.news.ts_event // 1_000_000 * 1_000_000
