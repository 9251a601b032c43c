"""What a service that speaks S3 can do to its client: wrong keys, missing buckets, silence, cut lines."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from servers import S3Server
from truetape.adapters.s3_objects import S3Access, S3Objects
from truetape.domain.errors import BadInput, StoreUnavailable
from truetape.ports.objects import Objects


@pytest.fixture(params=["minio", "versitygw"])
def server(request: pytest.FixtureRequest) -> S3Server:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, S3Server)
    return found


DATED = b'Content-Length: 100\r\nETag: "x"\r\nLast-Modified: Tue, 01 Jan 2030 00:00:00 GMT\r\n\r\n'
PUT = """
import asyncio, pathlib, sys
from truetape.adapters.s3_objects import S3Access, S3Objects

endpoint, key, secret, bucket, prefix, body, name, new = sys.argv[1:]
objects = S3Objects(bucket, prefix=prefix, access=S3Access(endpoint=endpoint, key=key, secret=secret))
print("begins", flush=True)
asyncio.run(objects.put(name, pathlib.Path(body), only_new=bool(new)))
"""


def access_to(server: S3Server) -> S3Access:
    return S3Access(endpoint=server.endpoint, key=server.key, secret=server.secret)


async def every_call(objects: Objects, folder: Path) -> AsyncIterator[str]:
    """Yield what each call says that must fail."""

    async def whole_list() -> None:
        async for _ in objects.list():
            pass

    (folder / "body").write_bytes(b"1" * (9 << 20))
    for call in (
        objects.put("a", b"1"),
        objects.put("a", b"1", only_new=True),
        objects.put("a", folder / "body"),
        objects.put("a", folder / "body", only_new=True),
        objects.get("a"),
        objects.fetch("a", folder / "copy"),
        whole_list(),
        objects.delete("a"),
    ):
        with pytest.raises(StoreUnavailable) as told:
            await call
        yield str(told.value)


async def test_wrong_keys_and_buckets_are_told_in_words(server: S3Server, tmp_path: Path) -> None:
    """Each call says what to check, and quotes neither keys nor what the service answered."""
    right = access_to(server)
    wrong = {
        "the bucket does not exist": S3Objects("no-such-bucket", access=right),
        "Check AWS_ACCESS_KEY_ID": S3Objects(server.bucket, access=replace(right, key="nobody-knows-me")),
        "Check AWS_SECRET_ACCESS_KEY": S3Objects(server.bucket, access=replace(right, secret="another-secret")),
    }
    for words, objects in wrong.items():
        async for told in every_call(objects, tmp_path):
            assert words in told
            assert told.startswith(f"The store at {objects.place} could not be used: ")
            assert not any(secret in told for secret in ("nobody-knows-me", "another-secret", right.secret, "<"))


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("http://127.0.0.1:1", "nothing listens at its endpoint"),
        ("http://nowhere.invalid", "the name of its endpoint is unknown"),
    ],
)
async def test_a_service_that_is_not_there_is_given_up_soon(tmp_path: Path, endpoint: str, words: str) -> None:
    """After the tries that are allowed."""
    objects = S3Objects("bucket", access=S3Access(endpoint=endpoint, key="k" * 20, secret="s" * 40), retries=1)
    async for told in every_call(objects, tmp_path):
        assert words in told


async def test_a_service_without_tls_is_told(server: S3Server) -> None:
    """An endpoint of https that speaks plain HTTP."""
    access = replace(access_to(server), endpoint=server.endpoint.replace("http:", "https:"))
    with pytest.raises(StoreUnavailable, match="speaks no TLS"):
        await S3Objects(server.bucket, access=access, retries=0).get("a")


@contextlib.asynccontextmanager
async def answering(reply: bytes) -> AsyncIterator[str]:
    """Give the address of a server that answers every request with `reply`, and with silence if that is empty."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talking.add(asyncio.current_task())
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await reader.readuntil(b"\r\n\r\n")
                if not reply:
                    await reader.read()
                writer.write(reply)
                await writer.drain()
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    talking: set[asyncio.Task[None] | None] = set()
    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    for task in talking:
        if task is not None:
            task.cancel()
            await asyncio.wait([task])


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (b"", "it did not answer in time"),
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "the service answered 503"),
        (b"HTTP/1.1 418 No\r\nContent-Length: 26\r\n\r\n<Code>OddThing</Code>secret", "the service refused .OddThing."),
        (b"HTTP/1.1 200 OK\r\n" + DATED + b"short", "it gives no parts of objects"),
        (b"HTTP/1.1 206 Part\r\nContent-Range: bytes 0-99/100\r\n" + DATED + b"short", "its answer was cut short"),
        (b"nonsense\r\n\r\n", "its endpoint does not speak HTTP"),
    ],
    ids=["silence", "503", "odd", "whole", "cut short", "nonsense"],
)
async def test_a_service_that_fails_is_given_up_in_words(reply: bytes, words: str) -> None:
    """Within its time-out and its tries, never a traceback, never what it said word for word."""
    async with answering(reply) as endpoint:
        access = S3Access(endpoint=endpoint, key="k" * 20, secret="s" * 40)
        objects = S3Objects("bucket", access=access, timeout_s=0.3, retries=1)
        started = time.monotonic()
        with pytest.raises(StoreUnavailable, match=words) as told:
            await objects.get("a")
        assert time.monotonic() - started < 5
        assert "secret" not in str(told.value)


async def test_a_key_below_another_is_refused_or_kept(server: S3Server) -> None:
    """Services that keep objects as files refuse it in words; no object is lost either way."""
    objects = S3Objects(server.bucket, prefix=f"tests/{uuid.uuid4().hex}", access=access_to(server))
    await objects.put("a", b"1")
    with contextlib.suppress(BadInput):
        await objects.put("a/b", b"2")
    assert await objects.get("a") == b"1"


async def test_an_upload_that_dies_leaves_nothing(server: S3Server, tmp_path: Path) -> None:
    """kill -9 in the middle of a large object: the one before it stands, whole, and drafts are not listed."""
    prefix = f"tests/{uuid.uuid4().hex}"
    objects = S3Objects(server.bucket, prefix=prefix, access=access_to(server))
    await objects.put("a", b"before")
    (tmp_path / "body").write_bytes(os.urandom(64 << 20))
    for only_new, after_s in ((False, 0.05), (False, 0.15), (True, 0.1)):
        asked = (server.endpoint, server.key, server.secret, server.bucket, prefix, str(tmp_path / "body"))
        more = ("b", "new") if only_new else ("a", "")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PUT, *asked, *more, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        await process.stdout.readline()
        await asyncio.sleep(after_s)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        assert len(await objects.get("a")) in {6, 64 << 20}
        assert {one.key async for one in objects.list()} <= {"a", "b"}


def test_keys_are_never_shown() -> None:
    """In the words of an object that is printed, say in a traceback."""
    access = S3Access(endpoint="https://host", key="k" * 20, secret="s" * 40, token="t" * 40)
    shown = repr(access)
    assert not any(secret in shown for secret in (access.key, access.secret, access.token))
