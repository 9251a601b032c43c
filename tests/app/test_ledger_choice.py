"""Where quotas are counted: a file of the data folder, or the Redis server of several machines; never shown."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from small_platform import declared_settings
from truetape.adapters.redis_ledger import RedisLedger
from truetape.adapters.set_clock import SetClock
from truetape.adapters.sqlite_ledger import SqliteLedger
from truetape.app.parts import ledger
from truetape.app.settings import Secret, Settings, load
from truetape.domain.errors import BadInput

TEXT = 'start = 2020-01-02\n[[instruments]]\nsymbol = "AAPL"\nmic = "XNAS"\n[providers.yahoo]\n'
ADDRESS = "redis://:pa55word-of-the-server@127.0.0.1:6379/0"


def chosen(folder: Path, address: str) -> Settings:
    return msgspec.structs.replace(declared_settings(folder, sandbox_url="http://127.0.0.1:9"), ledger=Secret(address))


async def test_without_an_address_a_file_is_used(tmp_path: Path) -> None:
    """It lies in the data folder."""
    found = ledger(chosen(tmp_path, ""), SetClock(0))

    assert isinstance(found, SqliteLedger)
    assert tmp_path == found.path.parent
    await found.close()


async def test_the_address_of_a_server(tmp_path: Path) -> None:
    """No connection is made before something is asked."""
    found = ledger(chosen(tmp_path, ADDRESS), SetClock(0))

    assert isinstance(found, RedisLedger)
    await found.close()


def test_an_address_of_nothing_is_refused(tmp_path: Path) -> None:
    """It is not repeated: it may hold a password."""
    with pytest.raises(BadInput, match="TRUETAPE_LEDGER was") as caught:
        ledger(chosen(tmp_path, "postgres://pa55word"), SetClock(0))

    assert "pa55word" not in str(caught.value)


def test_the_address_comes_from_the_environment_and_is_not_shown(tmp_path: Path) -> None:
    """The settings file cannot hold it."""
    path = tmp_path / "truetape.toml"
    path.write_text(TEXT, encoding="utf-8")

    settings = load(path, {"TRUETAPE_LEDGER": f" {ADDRESS} "})

    assert settings.ledger == ADDRESS
    assert "pa55word" not in repr(settings)
    assert load(path, {}).ledger == ""
    path.write_text(f'ledger = "{ADDRESS}"\n{TEXT}', encoding="utf-8")
    with pytest.raises(BadInput, match="ledger is no setting"):
        load(path, {})
