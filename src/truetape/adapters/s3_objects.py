"""Objects with a service that speaks S3: Amazon's, MinIO, Ceph, and others that honour If-None-Match."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, GenericError, PreconditionError
from obstore.store import S3Store

from truetape.domain.errors import BadInput, NotKept, StoreUnavailable
from truetape.domain.hiding import veil
from truetape.domain.object_keys import checked_key
from truetape.domain.time import from_datetime
from truetape.ports.objects import Stat

PART: Final = 8 << 20  # bytes of one request, so that each fits the time-out on a slow line
AT_ONCE: Final = 4  # requests of one object
LARGEST_NEW: Final = 5 << 30  # bytes; the service copies no more in one part
TIMEOUT_S: Final = 60.0  # of one request
CONNECT_S: Final = 5.0
RETRIES: Final = 4
RETRY_S: Final = 30.0  # no request is repeated after so long
_DRAFTS: Final = ".incoming"  # no key begins with a full stop
_TRIES: Final = 3  # of a conditional write that met another one
_MET: Final = "ConditionalRequestConflict"
_THERE: Final = frozenset({"PreconditionFailed", ""})
_BELOW: Final = frozenset({"ObjectParentIsFile", "ExistingObjectIsDirectory", "XMinioParentIsObject"})
_CODE: Final = re.compile(r"<Code>([A-Za-z]{1,80})</Code>")
_STATUS: Final = re.compile(r"status code: (\d{3}[A-Za-z ]{0,40})")
_WORDS: Final = {
    "NoSuchBucket": "the bucket does not exist. Make it, or name another one",
    "InvalidBucketName": "a bucket cannot have this name. Name another one",
    "InvalidAccessKeyId": "the access key is unknown there. Check AWS_ACCESS_KEY_ID",
    "XAdminUserNotFound": "the access key is unknown there. Check AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "the secret key is not that of the access key. Check AWS_SECRET_ACCESS_KEY",
    "AccessDenied": "the access key may not do this. Check what the bucket allows it",
    "ExpiredToken": "the session token has expired. Renew AWS_SESSION_TOKEN",
    "InvalidToken": "the session token is not valid. Renew AWS_SESSION_TOKEN",
    "AuthorizationHeaderMalformed": "the bucket lies in another region. Check AWS_REGION",
    "PermanentRedirect": "the bucket lies in another region. Check AWS_REGION and AWS_ENDPOINT_URL",
    "RequestTimeTooSkewed": "this machine's clock is wrong. Set it",
    "XMinioStorageFull": "its disk is full",
    "QuotaExceeded": "its quota is used up",
    "SlowDown": "it is overloaded",
    "PreconditionFailed": "the object was replaced while it was read",
}
_SIGNS: Final = (  # in what the client says of a failure: the first that fits
    ("169.254.", "no access key is set. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    ("dns error", "the name of its endpoint is unknown. Check AWS_ENDPOINT_URL"),
    ("ConnectionRefused", "nothing listens at its endpoint. Check AWS_ENDPOINT_URL"),
    ("InvalidCertificate", "its certificate is not trusted"),
    ("InvalidContentType", "its endpoint speaks no TLS. Write http:// in AWS_ENDPOINT_URL"),
    ("TimedOut", "it did not answer in time"),
    ("IncompleteBody", "its answer was cut short"),
    ("NotPartial", "it gives no parts of objects"),
    ("Parse(", "its endpoint does not speak HTTP. Check AWS_ENDPOINT_URL"),
    ("Connect", "it could not be reached"),
)

_numbers = count()


@dataclass(frozen=True)
class S3Access:
    """How a service is reached. Keys are never shown; without them those of the machine's own role are used."""

    endpoint: str = ""  # "" for Amazon's
    region: str = "us-east-1"
    key: str = ""
    secret: str = ""
    token: str = ""

    def __repr__(self) -> str:
        return f"S3Access(endpoint={self.endpoint!r}, region={self.region!r})"


class S3Objects:
    """Keep objects in `bucket`, their keys behind `prefix`.

    A request that fails for a reason that may pass is repeated `retries` times at most, within half a minute. Large
    objects go in parts; those of an upload that was cut short are for the bucket's life-cycle rules to remove.
    """

    def __init__(
        self,
        bucket: str,
        *,
        prefix: str = "",
        access: S3Access,
        timeout_s: float = TIMEOUT_S,
        retries: int = RETRIES,
    ) -> None:
        self._place = f"s3://{bucket}/{prefix}".rstrip("/")
        self._hidden = veil(access.secret, access.token, access.key)
        self._store = _store(bucket, prefix, access, timeout_s=timeout_s, retries=retries)

    @property
    def place(self) -> str:
        """The address, `s3://bucket/prefix`."""
        return self._place

    async def put(self, key: str, body: bytes | Path, *, only_new: bool = False) -> bool:
        """Keep `body`, or what the file at that path holds, in place of what was there; memory stays bounded.

        Returns:
            False if `only_new` and there was an object of this key already, which then stays as it was.

        Raises:
            StoreUnavailable: It cannot be written now.
            BadInput: `key` is no key, or only_new and more than 5 GiB.
        """
        checked_key(key)
        async with self._explained(key):
            size = len(body) if isinstance(body, bytes) else (await asyncio.to_thread(body.stat)).st_size
            if not only_new:
                await self._upload(key, body)
            elif size <= PART:
                return await self._create(key, body)
            elif size > LARGEST_NEW:
                raise BadInput(parameter="body", value=f"{size} bytes", fix=f"Keep it within {LARGEST_NEW} bytes.")
            else:
                return await self._create_large(key, body)
        return True

    async def get(self, key: str, *, start: int = 0, length: int | None = None) -> bytes:
        """Return the bytes of an object from `start`, at most `length` of them; none behind its end.

        Raises:
            NotKept: There is no such object.
            StoreUnavailable: It cannot be read now.
        """
        checked_key(key)
        if length is not None and length <= 0:
            return b""
        async with self._explained(key):
            first = await self._first(key, start, length)
            limit = asyncio.Semaphore(AT_ONCE)
            parts = await asyncio.gather(*(self._part(key, first, at, limit) for at in first.others))
        return b"".join((first.body, *parts))

    async def fetch(self, key: str, path: Path) -> None:
        """Write an object into the file at `path`, whole or not at all, in bounded memory.

        Raises:
            NotKept: There is no such object.
            StoreUnavailable: It cannot be read or written now.
        """
        checked_key(key)
        draft = path.with_name(f".{path.name}.{os.getpid()}-{next(_numbers)}")
        async with self._explained(key):
            first = await self._first(key, 0, None)
            try:
                await self._download(key, first, draft)
                await asyncio.to_thread(_settle, draft, path)
            finally:
                await asyncio.to_thread(draft.unlink, missing_ok=True)

    async def list(self, prefix: str = "") -> AsyncIterator[Stat]:
        """Yield the objects whose key begins with `prefix`, in the order of their keys' code points.

        Raises:
            StoreUnavailable: They cannot be listed now.
        """
        below = prefix.rpartition("/")[0] or None  # the service's client asks for whole segments
        async with self._explained(prefix):
            async for some in obstore.list(self._store, below):
                for one in some:
                    key = one["path"]
                    if key.startswith(prefix) and not key.startswith("."):
                        yield Stat(key=key, size=one["size"], modified=from_datetime(one["last_modified"]))

    async def delete(self, key: str) -> None:
        """Remove an object; it is no error if there is none.

        Raises:
            StoreUnavailable: It cannot be removed now.
        """
        checked_key(key)
        with contextlib.suppress(NotKept):
            async with self._explained(key):
                await obstore.delete_async(self._store, key)

    async def _upload(self, key: str, body: bytes | Path) -> None:
        await obstore.put_async(self._store, key, body, chunk_size=PART, max_concurrency=AT_ONCE)

    async def _create(self, key: str, body: bytes | Path) -> bool:
        whole = body if isinstance(body, bytes) else await asyncio.to_thread(body.read_bytes)
        return await _is_first(lambda: obstore.put_async(self._store, key, whole, mode="create"))

    async def _create_large(self, key: str, body: bytes | Path) -> bool:
        """Upload under a name of its own, in parts, and let the service copy it if there is none of `key` yet."""
        draft = f"{_DRAFTS}/{os.urandom(16).hex()}"
        try:
            await self._upload(draft, body)
            return await _is_first(lambda: obstore.copy_async(self._store, draft, key, overwrite=False))
        finally:
            with contextlib.suppress(BaseError, FileNotFoundError):
                await obstore.delete_async(self._store, draft)

    async def _first(self, key: str, start: int, length: int | None) -> _First:
        """Ask for the first part, whose answer tells the whole object's size, and which state of it this is."""
        end = start + (PART if length is None else min(PART, length))
        try:
            body, meta = await self._read(key, {"range": (start, end)})
        except BaseError as error:
            if _code(error) == "InvalidRange":  # nothing lies behind `start`
                return _First(body=b"", others=range(0), size=start, tag=None)
            raise
        size = meta["size"]
        end = size if length is None else min(size, start + length)
        return _First(body=body, others=range(start + PART, end, PART), size=end, tag=meta["e_tag"])

    async def _part(self, key: str, first: _First, at: int, limit: asyncio.Semaphore) -> bytes:
        """Return the part at `at`, of the same state of the object as the first one."""
        async with limit:
            body, _ = await self._read(key, {"range": (at, min(at + PART, first.size)), "if_match": first.tag})
            return body

    async def _read(self, key: str, options: Any) -> tuple[bytes, Any]:
        """Return what was asked for and what is said about it; an answer that was cut short is asked for again."""
        for left in reversed(range(_TRIES)):
            try:
                found = await obstore.get_async(self._store, key, options=options)
                return bytes(await found.bytes_async()), found.meta
            except GenericError as error:
                if "IncompleteBody" not in str(error) or not left:
                    raise
        raise AssertionError

    async def _download(self, key: str, first: _First, draft: Path) -> None:
        limit = asyncio.Semaphore(AT_ONCE)

        async def copy(at: int) -> None:
            part = await self._part(key, first, at, limit)
            await asyncio.to_thread(os.pwrite, handle, part, at)

        handle = await asyncio.to_thread(os.open, draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            await asyncio.to_thread(os.pwrite, handle, first.body, 0)
            for at in range(0, len(first.others), AT_ONCE):
                await asyncio.gather(*(copy(one) for one in first.others[at : at + AT_ONCE]))
        finally:
            await asyncio.to_thread(os.close, handle)

    @contextlib.asynccontextmanager
    async def _explained(self, key: str) -> AsyncIterator[None]:
        """Tell what goes wrong inside in words of ours, without what the service quotes of the request."""
        try:
            yield
        except (BaseError, OSError) as error:
            raise self._problem(error, key) from None

    def _problem(self, error: Exception, key: str) -> NotKept | StoreUnavailable | BadInput:
        code = _code(error)
        if code in _BELOW:
            fix = "Objects lie below it, or it lies below one; choose another key."
            return BadInput(parameter="key", value=key, fix=fix)
        if isinstance(error, OSError) and error.errno is not None:
            return StoreUnavailable(path=str(error.filename or self._place), reason=(error.strerror or "").lower())
        if isinstance(error, FileNotFoundError) and code == "NoSuchKey":
            return NotKept(place=self._place, key=key)
        return StoreUnavailable(path=self._place, reason=self._hidden.over(_reason(error, code)))


@dataclass(frozen=True)
class _First:
    """The first part of an object, and what it tells of the others."""

    body: bytes
    others: range  # where the other parts begin
    size: int  # where the last of them ends
    tag: str | None


def _store(bucket: str, prefix: str, access: S3Access, *, timeout_s: float, retries: int) -> S3Store:
    given = {
        "access_key_id": access.key,
        "secret_access_key": access.secret,
        "session_token": access.token,
        "endpoint": access.endpoint,
    }
    config: Any = {
        **{name: text for name, text in given.items() if text},
        "region": access.region,
        "virtual_hosted_style_request": False,
        "conditional_put": "etag",
        "copy_if_not_exists": "multipart",
        "disable_bulk_delete": True,
    }
    return S3Store(
        bucket,
        prefix=prefix or None,
        config=config,
        client_options={
            "allow_http": access.endpoint.startswith("http://"),
            "timeout": timedelta(seconds=timeout_s),
            "connect_timeout": timedelta(seconds=min(CONNECT_S, timeout_s)),
        },
        retry_config={"max_retries": retries, "retry_timeout": timedelta(seconds=RETRY_S)},
    )


async def _is_first(write: Callable[[], Awaitable[object]]) -> bool:
    """Return whether a write that must be the first of its key was."""
    for left in reversed(range(_TRIES)):
        try:
            await write()
        except (AlreadyExistsError, PreconditionError) as error:
            code = _code(error)
            if code in _THERE:
                return False
            if code != _MET or not left:
                raise
        else:
            break
    return True


def _settle(draft: Path, path: Path) -> None:
    """Make a finished draft the file at `path`, for good."""
    for one, flags in ((draft, os.O_RDONLY), (path.parent, os.O_RDONLY | os.O_DIRECTORY)):
        handle = os.open(one, flags)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        if one is draft:
            draft.replace(path)


def _code(error: Exception) -> str:
    """Return the service's name for what was wrong, "" if it gave none."""
    found = _CODE.search(str(error))
    return found[1] if found else ""


def _reason(error: Exception, code: str) -> str:
    """Return why, in words."""
    if code:
        return _WORDS.get(code, f"the service refused ({code})")
    text = str(error)
    status = _STATUS.search(text)
    if status:
        return f"the service answered {status[1].strip()}"
    return next((words for sign, words in _SIGNS if sign in text), "the request failed")
