"""Answers from a running server, over HTTP as Arrow."""

from __future__ import annotations

import http.client
import io
from collections.abc import Generator, Mapping
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

import msgspec
import polars as pl
import pyarrow as pa

from truetape.domain.errors import BadInput, StoreUnavailable, TruetapeError, UnknownSymbol, UnknownTarget
from truetape.services.api.announced import ActionCase
from truetape.services.api.calendars import CALENDARS, CORRECTIONS, Corrected, NewCorrection
from truetape.services.api.cases import ClaimCase, RepairCase
from truetape.services.api.class_endpoints import LOAD, TAXONOMIES, Classified, NewClasses
from truetape.services.api.config import ApiConfig
from truetape.services.api.decisions import ENDING, QUARANTINE, REPAIRS, Taken
from truetape.services.api.docket import REPAIR_PREFIX
from truetape.services.api.endpoint import RECEIPTS, STREAM
from truetape.services.api.endpoints import endpoints
from truetape.services.api.explain import Explanation
from truetape.services.api.formats import MEDIA_TYPES
from truetape.services.api.hints import PLAN, Plan
from truetape.services.api.master import InstrumentCase
from truetape.services.api.merging import INSTRUMENTS, MERGE, UNMERGE, Merged, Wish
from truetape.services.api.problem import Problem
from truetape.services.api.render import NEXT, Receipt
from truetape.services.api.ruling import Ruling
from truetape.services.api.snapshots import SNAPSHOTS, NewSnapshot, Snapshot
from truetape.services.api.statements import PATH as STATEMENTS
from truetape.services.api.statements import NewStatement, Stated

TIMEOUT_S: Final = 60.0
LARGEST_BYTES: Final = 256 << 20  # of one page
ROWS_OF_A_PAGE: Final = ApiConfig().max_limit


class _Receipted(msgspec.Struct):
    """The part of an answer that tells what it was made of."""

    receipt: Receipt


class RemoteSource:
    """One server, asked over a connection that is kept open."""

    def __init__(self, url: str, *, page_rows: int = ROWS_OF_A_PAGE, largest_bytes: int = LARGEST_BYTES) -> None:
        parts = urlsplit(url)
        if parts.hostname is None or parts.query or parts.fragment:
            raise BadInput(parameter="data", value=url, fix="Write a URL such as http://127.0.0.1:8000.")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._url = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
        self._base = parts.path.rstrip("/")
        self._connection = kind(parts.hostname, parts.port, timeout=TIMEOUT_S)
        self._endpoints = endpoints(ApiConfig())
        self._page_rows = page_rows
        self._largest_bytes = largest_bytes

    def table(self, name: str, given: Mapping[str, str]) -> pl.DataFrame:
        """Return every row of the answer to `given`, at the endpoint `name`, page by page."""
        endpoint = self._endpoints[name]
        is_paged = any(parameter.name == "cursor" for parameter in endpoint.parameters)
        most = {"limit": str(self._page_rows)} if is_paged else {}
        place = {one.name: quote(given[one.name], safe="") for one in endpoint.path_parameters}
        path, asked = endpoint.path.format(**place), {name: one for name, one in given.items() if name not in place}
        pages: list[pl.DataFrame] = []
        cursor: dict[str, str] = {}
        while True:
            query = urlencode({**asked, **most, **cursor})
            body, following = self._get(f"{path}?{query}", accept="arrow")
            pages.append(pl.read_ipc_stream(io.BytesIO(body)))
            if following is None:
                return pl.concat(pages)
            cursor = {"cursor": following}

    def receipt(self) -> Receipt:
        """Return which store would answer now, as known when."""
        body, _ = self._get(f"{self._endpoints['instruments'].path}?limit=1", accept="json")
        return msgspec.json.decode(body, type=_Receipted).receipt

    def explain(self, symbol: str, ts: str, given: Mapping[str, str]) -> Explanation:
        """Return the explanation of one bar."""
        path = self._endpoints["explanation"].path.format(symbol=quote(symbol, safe=""), ts=quote(ts, safe=""))
        body, _ = self._get(f"{path}?{urlencode(given)}", accept="json")
        return msgspec.json.decode(body, type=Explanation)

    def action(self, target: str, given: Mapping[str, str]) -> ActionCase:
        """Return one announced corporate action with all that is known of it."""
        path = self._endpoints["action_case"].path.format(target=quote(target, safe=""))
        body, _ = self._get(f"{path}?{urlencode(given)}", accept="json")
        return msgspec.json.decode(body, type=ActionCase)

    def instrument(self, one: str, given: Mapping[str, str]) -> InstrumentCase:
        """Return all that is known of the instrument whose id or ticker is `one`."""
        body, _ = self._get(f"{INSTRUMENTS}/{quote(one, safe='')}?{urlencode(given)}", accept="json")
        return msgspec.json.decode(body, type=InstrumentCase)

    def case(self, target: str) -> ClaimCase | RepairCase:
        """Return the evidence about a quarantined claim or a repair."""
        body, _ = self._get(_path(target), accept="json")
        if target.startswith(REPAIR_PREFIX):
            return msgspec.json.decode(body, type=RepairCase)
        return msgspec.json.decode(body, type=ClaimCase)

    def decide(self, target: str, ruling: Ruling) -> Taken:
        """Ask the server to take a decision, and return it."""
        body, _ = self._get(_path(target) + ENDING, accept="json", given=msgspec.json.encode(ruling))
        return msgspec.json.decode(body, type=Taken)

    def name(self, wanted: NewSnapshot) -> Snapshot:
        """Ask the server to name a snapshot, and return it."""
        body, _ = self._get(SNAPSHOTS, accept="json", given=msgspec.json.encode(wanted))
        return msgspec.json.decode(body, type=Snapshot)

    def merge(self, wish: Wish) -> Merged:
        """Ask the server to merge two records or to take that back, and return what it told."""
        path = f"{INSTRUMENTS}/{quote(wish.instrument_id, safe='')}/{MERGE if wish.into else UNMERGE}"
        given = {name: getattr(wish, name) for name in ("why", "actor")}
        if wish.into:
            given |= {"into": wish.into, "evidence": wish.evidence}
        body, _ = self._get(path, accept="json", given=msgspec.json.encode(given))
        return msgspec.json.decode(body, type=Merged)

    def correct(self, mic: str, wanted: NewCorrection) -> Corrected:
        """Tell the server what is said of a day of the venue `mic`, and return what it told."""
        path = f"{CALENDARS}/{quote(mic, safe='')}{CORRECTIONS}"
        body, _ = self._get(path, accept="json", given=msgspec.json.encode(wanted))
        return msgspec.json.decode(body, type=Corrected)

    def plan(self, given: Mapping[str, str]) -> Plan:
        """Return how the bars that `given` asks for are answered."""
        body, _ = self._get(f"{PLAN}?{urlencode(given)}", accept="json")
        return msgspec.json.decode(body, type=Plan)

    def state(self, wanted: NewStatement) -> Stated:
        """Ask the server to take a statement about a corporate action, and return it."""
        body, _ = self._get(STATEMENTS, accept="json", given=msgspec.json.encode(wanted))
        return msgspec.json.decode(body, type=Stated)

    def classify(self, taxonomy: str, wanted: NewClasses) -> Classified:
        """Ask the server to load what `wanted` says about `taxonomy`, and return what became of it."""
        path = f"{TAXONOMIES}/{quote(taxonomy, safe='')}{LOAD}"
        body, _ = self._get(path, accept="json", given=msgspec.json.encode(wanted))
        return msgspec.json.decode(body, type=Classified)

    def snapshot(self, name: str) -> Snapshot:
        """Return what `name` stands for."""
        body, _ = self._get(f"{SNAPSHOTS}/{quote(name, safe='')}", accept="json")
        return msgspec.json.decode(body, type=Snapshot)

    def answer_of(self, receipt: str) -> bytes:
        """Return the body of the answer that has this receipt."""
        body, _ = self._get(f"{RECEIPTS}/{quote(receipt, safe='')}", accept=None)
        return body

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def frames(self, given: Mapping[str, str]) -> Generator[pl.DataFrame, None, None]:
        """Yield the bars that `given` asks for as they come, all of one state of the store."""
        answer = self._asked(f"{self._endpoints[STREAM].path}?{urlencode(given)}", accept="arrow")
        if answer.status != http.client.OK:
            raise self._error(answer.status, answer.read(self._largest_bytes))
        try:
            with pa.ipc.open_stream(pa.PythonFile(answer, mode="r")) as batches:
                yield pl.DataFrame(batches.schema.empty_table())
                for batch in batches:
                    yield pl.DataFrame(pa.Table.from_batches([batch]))
            if answer.read():
                raise self._silent("what answered is not a truetape server")
        except (OSError, http.client.HTTPException, pa.ArrowInvalid) as error:
            raise self._silent(f"the answer ended too early ({str(error) or type(error).__name__})") from None
        finally:
            self._connection.close()

    def _get(self, path: str, *, accept: str | None, given: bytes | None = None) -> tuple[bytes, str | None]:
        answer = self._asked(path, accept=accept, given=given)
        try:
            body = answer.read(self._largest_bytes + 1)
        except (OSError, http.client.HTTPException) as error:
            raise self._silent(f"no answer came ({str(error) or type(error).__name__})") from None
        if len(body) > self._largest_bytes:
            raise self._silent(f"its answer was larger than {self._largest_bytes} bytes")
        if answer.status not in {http.client.OK, http.client.CREATED, http.client.ACCEPTED}:
            raise self._error(answer.status, body)
        known = {MEDIA_TYPES[accept]} if accept else {*MEDIA_TYPES.values()}
        if answer.headers.get_content_type() not in known:
            raise StoreUnavailable(path=self._url, reason="what answered is not a truetape server")
        return body, answer.headers.get(NEXT)

    def _asked(self, path: str, *, accept: str | None, given: bytes | None = None) -> http.client.HTTPResponse:
        method = "GET" if given is None else "POST"
        headers = {"Accept": MEDIA_TYPES[accept] if accept else "*/*"}
        if given is not None:
            headers["Content-Type"] = MEDIA_TYPES["json"]
        try:
            self._connection.request(method, self._base + path, body=given, headers=headers)
            return self._connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise self._silent(f"no answer came ({str(error) or type(error).__name__})") from None

    def _silent(self, reason: str) -> StoreUnavailable:
        """Return the error that says why nothing came; the connection is given up."""
        self._connection.close()
        return StoreUnavailable(path=self._url, reason=reason)

    def _error(self, status: int, body: bytes) -> TruetapeError:
        """Return the error that the server met, as it would be raised here."""
        try:
            told = msgspec.json.decode(body, type=Problem)
        except msgspec.DecodeError:
            return StoreUnavailable(path=self._url, reason=f"it answered with status {status}")
        if told.type.endswith(":unknown-symbol"):
            return UnknownSymbol(symbol=told.value or "", known=told.known)
        if told.type.endswith(":unknown-id"):
            return UnknownTarget(target=told.value or "", fix=told.fix or "")
        if told.parameter is not None:
            return BadInput(parameter=told.parameter, value=told.value, fix=told.fix or "")
        return StoreUnavailable(path=self._url, reason=told.detail.rstrip("."))


def _path(target: str) -> str:
    return f"{REPAIRS if target.startswith(REPAIR_PREFIX) else QUARANTINE}/{quote(target, safe='')}"
