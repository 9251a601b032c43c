"""Keys stay where they belong: nothing that we write, show or raise holds one, whatever a server says back."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from leak_search import Places, leaks, raw_files, told, unpacked_files
from parrot import ALL_MANNERS, MIXED, Parrot
from rich.pretty import pretty_repr

from small_platform import DAYS, tape
from truetape.adapters.aiohttp_http import AiohttpHttp
from truetape.adapters.aiohttp_socket import AiohttpSockets
from truetape.app.parts import providers
from truetape.app.run import Platform
from truetape.app.sandbox import Fault, Sandbox
from truetape.app.sandbox.dataset import read
from truetape.app.sandbox.desks import NAMES as DESKS
from truetape.app.settings import ProviderSettings, Settings, load
from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.ports.http import Unreachable
from truetape.ports.socket import Disconnected
from truetape.providers import KEY_VARIABLES, NAMES, vendor

KEYED = [name for name in NAMES if KEY_VARIABLES[name] and name in DESKS]
DAILY = [name for name in KEYED if "1d" in vendor(name).DECLARATION.timeframes]
STREAMED = ("alpaca", "finnhub", "iex_cloud", "massive", "tiingo")
NOBODY, NO_HOST = "http://127.0.0.1:9", "http://no-such-host.invalid"
PATIENCE_S = 60.0


def secret(variable: str, manner: str) -> str:
    """An unmistakable key; a hard one has everything that an encoding changes."""
    letters = sha256(f"{manner} {variable}".encode()).hexdigest()
    return letters[:32] if manner == "plain" else f'{letters[:9]}+/=%2F {letters[9:18]}&"{letters[18:27]}'


ENVIRON = {
    manner: {variable: secret(variable, manner) for name in KEYED for variable in KEY_VARIABLES[name]}
    for manner in ("plain", "hard")
}
SECRETS = [one for environ in ENVIRON.values() for one in environ.values()]


def settings_file(folder: Path, base_url: str, **more: str) -> Path:
    """Settings of a simulated platform whose every provider with a key is at `base_url`; `more` are lines of theirs."""
    lines = ["simulated = true", f"start = {DAYS[20]}", f"end = {DAYS[-1]}", "port = 0", "attempts = 3"]
    lines += ["backoff_s = 0.02", "timeout_s = 2"]
    for symbol in ("AAA", "BBB"):
        lines += ["[[instruments]]", f'symbol = "{symbol}"', 'mic = "XNAS"']
    for name in KEYED:
        given = more.get(name, "")
        lines += [f"[providers.{name}]", "calls_per_second = 200", given]
        lines += [] if "base_url" in given else [f'base_url = "{base_url}/{name}"']
    lines += ["[streams]", *(f'{name} = ["trades"]' for name in STREAMED)]
    folder.mkdir(exist_ok=True)
    path = folder / "truetape.toml"
    path.write_text("\n".join(lines))
    return path


def spoken_to(folder: Path, parrot: Parrot) -> Path:
    """Settings with plans, so that quotas are counted, and with a provider that refuses everything."""
    refused = f'base_url = "{parrot.url}/refusing/tiingo"'
    return settings_file(folder, f"{parrot.url}/{MIXED}", alpha_vantage='plan = "free"', tiingo=refused)


@dataclass
class Scene:
    """Everything that was written and shown, by the kind of place, and which keys a server was told."""

    places: dict[str, dict[str, bytes]] = field(default_factory=dict)
    heard: dict[str, dict[str, set[str]]] = field(default_factory=dict)

    def note(self, kind: str, found: Places) -> None:
        self.places.setdefault(kind, {}).update(found)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A platform in this process and the whole command line in others, against servers that say keys back."""
    made = Scene()
    asyncio.run(_play(made, tmp_path_factory.mktemp("leaks")))
    return made


async def _play(scene: Scene, folder: Path) -> None:
    kinds = ("rate_limit", "garbage", "kill", "redirect_loop", "wrong_type", "server_error")
    script = tuple(Fault(provider=name, kind=kind, symbol="BBB") for name, kind in zip(KEYED, kinds, strict=False))  # type: ignore[arg-type]
    sandbox = Sandbox(read(tape(folder)), script)
    try:
        url = await sandbox.start()
        async with Parrot(url, SECRETS) as one, Parrot(url, SECRETS) as other:
            await asyncio.gather(_in_this_process(scene, one, folder / "one"), _in_others(scene, other, folder))
            scene.heard |= {"platform": one.heard, "commands": other.heard}
        scene.note("answers of the API", {"the sandbox's report": await _fetched(f"{url}/faults")})
    finally:
        await sandbox.stop()


async def _in_this_process(scene: Scene, parrot: Parrot, folder: Path) -> None:
    settings = load(spoken_to(folder, parrot), ENVIRON["plain"])
    async with Platform(settings, command="truetape up") as platform:
        await platform.serve()
        await platform.recover()
        await platform.declare()
        async with asyncio.timeout(PATIENCE_S):
            await platform.acquire()
        scene.note("answers of the API", await _answers(platform.address))
        shown = {"platform": platform, "parts": platform.parts, "settings": settings, "tally": platform.rooms.ingestion}
        scene.note("objects", {name: f"{one!r}{pretty_repr(one)}".encode() for name, one in shown.items()})
        scene.note("objects", {"readiness": repr(platform.readiness()).encode()})
        scene.note("files while it runs", raw_files(settings.data))
    scene.note("files", raw_files(settings.data))
    scene.note("files unpacked", unpacked_files(settings.data))


async def _answers(address: str) -> dict[str, bytes]:
    day = DAYS[-5]
    paths: tuple[str, ...] = (
        "/metrics",
        "/readyz",
        "/healthz",
        f"/v1/explain/AAA/{day}",
        f"/v1/explain/AAA/{day}?format=text",
    )
    paths += (
        "/v1/bars?symbols=AAA,BBB",
        "/v1/instruments",
        "/v1/explain/AAA/never",
        "/v1/corporate-actions?symbols=AAA",
    )
    async with aiohttp.ClientSession() as session:
        found = {}
        for path in paths:
            async with session.get(address + path) as answer:
                found[f"{path}, {answer.status}"] = repr(answer.headers).encode() + await answer.read()
        return found


async def _fetched(url: str) -> bytes:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return await answer.read()


async def _in_others(scene: Scene, parrot: Parrot, folder: Path) -> None:
    config = str(spoken_to(folder / "two", parrot))
    data = str(folder / "two" / "data")
    process = await _start("up", "--config", config)
    assert process.stderr is not None
    lines = [await asyncio.wait_for(process.stderr.readline(), PATIENCE_S)]
    try:
        address = lines[0].split()[2].decode()
        running = (
            ("status", "--data", data),
            ("quota", "--data", data, "--json"),
            ("backfill", "AAA,ZZZ", "--config", config, "--from", str(DAYS[0])),
            ("doctor", "--config", config),
            ("provider", "check", "finnhub", "-n", "1", "-n", "20", "-n", "40"),
        )
        scene.note("words of commands", await _together(running))
        scene.note("answers of the API", await _answers(address))
        scene.note("files while it runs", raw_files(folder / "two"))
    finally:
        process.send_signal(signal.SIGTERM)
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    scene.note("words of commands", {"up": b"".join(lines) + out + err})
    assert b"failed" in err, "no trouble was told, so that nothing was shown"
    scene.note("words of commands", await _together(_misled(folder)))
    for part in ("two", "dead"):
        scene.note("files", raw_files(folder / part))
        scene.note("files unpacked", unpacked_files(folder / part))


def _misled(folder: Path) -> tuple[tuple[str, ...], ...]:
    """Commands that cannot go well: nobody there, no such plan, addresses and files that are wrong."""
    key = next(iter(ENVIRON["hard"].values()))
    dead = str(
        settings_file(folder / "dead", NOBODY, eodhd=f'base_url = "{NO_HOST}"', fmp='base_url = "http://[broken"')
    )
    unplanned = str(settings_file(folder / "unplanned", NOBODY, finnhub='plan = "no such plan"'))
    pasted = str(settings_file(folder / "pasted", NOBODY, tiingo="key = '''" + key + "'''"))
    return (
        ("doctor", "--config", dead, "--json"),
        ("backfill", "AAA", "--config", dead),
        ("plan", "AAA", "--config", unplanned),
        ("up", "--config", pasted),
    )


async def _together(commands: tuple[tuple[str, ...], ...]) -> dict[str, bytes]:
    async def one(words: tuple[str, ...]) -> bytes:
        process = await _start(*words)
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        assert out or err, words
        return out + err

    return {
        " ".join(words): said for words, said in zip(commands, await asyncio.gather(*map(one, commands)), strict=True)
    }


async def _start(*words: str) -> asyncio.subprocess.Process:
    command = [sys.executable, "-m", "truetape", *words]
    environ = {**os.environ, **ENVIRON["hard"], "TRUETAPE_TRACEBACK": "1", "COLUMNS": "5000"}  # no line is cut
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe, env=environ)


@pytest.mark.parametrize(
    "kind", ["answers of the API", "objects", "files while it runs", "files", "files unpacked", "words of commands"]
)
def test_no_key_stands_anywhere(scene: Scene, kind: str) -> None:
    """Not in logs, journals, payloads, tables, ledgers, answers, metrics, objects, or on the terminal."""
    assert scene.places[kind]
    assert [] == leaks(SECRETS, scene.places[kind])


@pytest.mark.parametrize(("who", "manner"), [("platform", "plain"), ("commands", "hard")])
def test_keys_were_sent(scene: Scene, who: str, manner: str) -> None:
    """Each provider was told its own key, in both halves, and no other's: there was something to leak."""
    sent = {name: {ENVIRON[manner][variable] for variable in KEY_VARIABLES[name]} for name in DAILY}

    assert sent == {name: scene.heard[who][name] for name in DAILY}


def test_what_was_said_back_was_kept(scene: Scene) -> None:
    """Stars stand in payloads, in the journal, in answers, and on the terminal, where a key stood."""
    places = (("files unpacked", "payloads"), ("files", "journal.jsonl"), ("answers of the API", "/readyz"))
    for kind, part in (*places, ("words of commands", "up"), ("words of commands", "doctor"), ("objects", "readiness")):
        assert any(b"***" in found for place, found in scene.places[kind].items() if part in place), part


def _streamed(name: str) -> bytes:
    """What a kept line of a stream begins with, up to the address."""
    return f"/{name}/stream".encode()


def test_everything_was_looked_at(scene: Scene) -> None:
    """Every kind of file that a platform writes, while it runs and afterwards, and every command."""
    running, unpacked = scene.places["files while it runs"], scene.places["files unpacked"]
    said = scene.places["words of commands"]

    for part in ("ledger.sqlite-wal", "truetape.duckdb", "journal.jsonl", "truetape.log", "lock"):
        assert any(part in place for place in running), part
    assert set(STREAMED) == {name for name in STREAMED if any(_streamed(name) in found for found in unpacked.values())}
    for part in ("ledger.sqlite, its rows", "truetape.duckdb, its rows", ".zst, unpacked"):
        assert any(part in place and len(found) > 0 for place, found in unpacked.items()), part
    for part in ("up", "status", "quota", "backfill", "plan", "doctor", "provider check"):
        assert any(place.startswith(part) for place in said), part
    assert any(b"no such plan" in found for found in said.values())
    assert any(b"not resolved" in found for found in said.values())


@dataclass
class Noted:
    """An Http that keeps what it is asked to send."""

    requests: list[Request] = field(default_factory=list)

    async def send(self, request: Request) -> Answer:
        self.requests.append(request)
        raise Unreachable("nobody is there")


def chosen(name: str, base_url: str, manner: str) -> Settings:
    """Settings with one provider and its key."""
    halves = dict(zip(("key", "secret"), (ENVIRON[manner][one] for one in KEY_VARIABLES[name]), strict=False))
    asked = {name: ProviderSettings(base_url=f"{base_url}/{name}", **halves)}  # type: ignore[arg-type]
    return Settings(data=Path("data"), start=DAYS[0], providers=asked)


def question(name: str, kind: str) -> Ask:
    symbol = {"fred": "DGS10"}.get(name, "AAA") if kind != "fx_rates" else "EUR/USD"
    return Ask(kind=kind, symbol=vendor(name).spell(symbol), start=date(2024, 1, 2), end=date(2024, 1, 5))


@pytest.mark.parametrize("manner", ENVIRON)
@pytest.mark.parametrize("name", KEYED)
async def test_objects_show_no_key(name: str, manner: str) -> None:
    """Settings, the provider, its client, its feed, its requests and its endpoint: by repr, by str and by Rich."""
    settings, http = chosen(name, NOBODY, manner), Noted()
    made = providers(settings, http)[name]
    for kind in made.declaration.kinds:
        with pytest.raises(Unreachable):
            await made.client.fetch(question(name, kind))
    feed = made.feed() if made.feed else None
    shown: list[Any] = [settings, settings.providers, made, made.client, made.feed, feed, *http.requests]
    shown += [feed.endpoint(["AAA"], ["trades"])] if feed else []

    assert http.requests
    found = {f"{number} {type(one)}": f"{one!r}{one}{pretty_repr(one)}".encode() for number, one in enumerate(shown)}
    assert [] == leaks(SECRETS, found)


@pytest.mark.parametrize("manner", ENVIRON)
@pytest.mark.parametrize("name", KEYED)
async def test_answers_and_errors_hold_no_key(name: str, manner: str) -> None:
    """However a server says it back: not the answer, its failure and its rows, not the error and what led to it."""
    found: dict[str, bytes] = {}
    http = AiohttpHttp(timeout_s=5.0)
    async with Parrot(NOBODY, SECRETS) as parrot:
        places = {said: f"{parrot.url}/{said}" for said in ALL_MANNERS}
        places |= {"nobody": NOBODY, "no host": NO_HOST, "no address": "http://[broken", "no scheme": "nonsense"}
        for said, base_url in places.items():
            made = providers(chosen(name, base_url, manner), http)[name]
            kind = made.declaration.kinds[0]
            try:
                answer = await made.client.fetch(question(name, kind))
                found[said] = f"{answer!r} {made.classify(answer)!r} {made.allowances(answer.headers)!r}".encode()
                found[f"{said}, rows"] = repr(made.decode[kind](answer.body, question(name, kind))).encode()
            except (Unreachable, ProviderRefused, UndecodablePayload) as error:
                found[f"{said}, error"] = told(error)
    await http.close()

    assert set(ENVIRON[manner].values()) & parrot.heard[name]
    assert {said for said in places if said.startswith("no")} <= {place.partition(",")[0] for place in found}
    assert [] == leaks(SECRETS, found)


@pytest.mark.parametrize("manner", ENVIRON)
@pytest.mark.parametrize("name", STREAMED)
async def test_streams_hold_no_key(name: str, manner: str) -> None:
    """Frames, what they say, and why a connection ended, whether the key went in the address or in a frame."""
    found: dict[str, bytes] = {}
    async with Parrot(NOBODY, SECRETS) as parrot:
        for place in (parrot.url, NOBODY, NO_HOST):
            made = providers(chosen(name, f"{place}/{MIXED}", manner), Noted())[name]
            assert made.feed is not None
            found |= {f"{place} {part}": body for part, body in (await _talked(made.feed())).items()}

    assert {ENVIRON[manner][one] for one in KEY_VARIABLES[name]} == parrot.heard[name]
    assert any(b"***" in body for body in found.values())
    assert [] == leaks(SECRETS, found)


async def _talked(feed: Any) -> dict[str, bytes]:
    heard: list[object] = []
    try:
        socket = await AiohttpSockets(timeout_s=2.0).connect(
            feed.endpoint(["AAA"], ["trades"]), silent_s=2.0, max_frame_bytes=1 << 20
        )
    except Disconnected as error:
        return {"no connection": told(error)}
    try:
        for frame in (*feed.greet(), *feed.subscribe(["AAA"], ["trades"])):
            await socket.send(frame)
        while True:
            frame = await socket.receive()
            heard += [frame, *feed.receive(frame, 1)]
    except Disconnected as error:
        return {"heard": repr(heard).encode(), "tracks": repr(dict(feed.tracks)).encode(), "end": told(error)}
    finally:
        await socket.close()
