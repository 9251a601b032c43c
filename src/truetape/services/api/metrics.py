"""Counts and times of requests, in Prometheus' text format."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from truetape.ports.store import Store

OTHER: Final = "other"
BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Family:
    """Numbers of one kind that other rooms keep, by the values of their labels."""

    name: str  # without the prefix of ours
    words: str
    labels: tuple[str, ...]
    values: Mapping[Any, float]  # by as many texts as there are labels
    grows: bool = True  # a counter; else it goes up and down

    def collected(self) -> CounterMetricFamily | GaugeMetricFamily:
        """Return it as Prometheus wants it."""
        kind = CounterMetricFamily if self.grows else GaugeMetricFamily
        made = kind(f"truetape_{self.name}", self.words, labels=self.labels)
        for values, number in self.values.items():
            made.add_metric(values, number)
        return made


Families = Callable[[], Iterator[Family]]


class _Rooms(Collector):
    def __init__(self, families: Families) -> None:
        self._families = families

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        return (one.collected() for one in self._families())


class Metrics:
    """What the api room measures. Labels are route templates and status codes, never what a caller wrote."""

    media_type = CONTENT_TYPE_LATEST.removesuffix("; charset=utf-8")  # which the web framework adds

    def __init__(self, store: Store, families: Families = lambda: iter(())) -> None:
        """Measure requests, and show what `families` returns beside it whenever somebody asks."""
        self._registry = CollectorRegistry()
        self._registry.register(_Rooms(families))
        self._requests = Counter(
            "truetape_api_requests", "Requests by route and status.", ("route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "truetape_api_request_seconds",
            "Time until an answer was sent, by route.",
            ("route",),
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._kept = Counter(
            "truetape_api_kept_answers", "Answers sent again as they were kept.", registry=self._registry
        )
        version = Gauge("truetape_store_version", "The store's version: grows with commits.", registry=self._registry)
        version.set_function(store.version)

    def count(self, *, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def count_kept(self) -> None:
        """Count one answer that did not need to be computed."""
        self._kept.inc()

    def text(self) -> bytes:
        """Return everything measured so far."""
        return generate_latest(self._registry)

    def middleware(self, app: ASGIApp) -> ASGIApp:
        """Return `app`, measured. Requests that no route takes do not come here."""

        async def measured(scope: Scope, receive: Receive, send: Send) -> None:
            started = time.perf_counter()
            status = 500

            async def watch(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                await app(scope, receive, watch)
            finally:
                route = str(scope.get("path_template") or OTHER)
                self.count(route=route, status=status, seconds=time.perf_counter() - started)

        return measured
