"""Logs: one JSON object on each line of a file, or readable lines; and silence where the disk takes nothing."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_plus

import pytest
import structlog

from truetape.app.telemetry import close_log, log_to_file, log_to_terminal


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """What a test sets up for the whole process is undone."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers
    root.handlers = []
    yield
    for one in root.handlers:
        one.close()
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_events_are_json_lines(tmp_path: Path) -> None:
    """An event has its fields, level and time in UTC, whether it is ours or a library's; details stay out."""
    path = tmp_path / "made" / "truetape.log"
    log_to_file(path)
    structlog.get_logger().info("ingestion.captured", provider="yahoo", bytes=5)
    structlog.get_logger().debug("ingestion.detail")
    logging.getLogger("library").warning("careful\nnow")

    ours, other = lines(path)
    assert {"event": "ingestion.captured", "provider": "yahoo", "bytes": 5, "level": "info"}.items() <= ours.items()
    assert {"event": "careful\nnow", "level": "warning"}.items() <= other.items()
    assert str(ours["timestamp"]).endswith("Z")


def test_an_exception_is_one_line(tmp_path: Path) -> None:
    """Where an error happened stands in the file, within its line."""
    path = tmp_path / "truetape.log"
    log_to_file(path)
    ledger: dict[str, int] = {}
    try:
        ledger["ledger"]
    except KeyError:
        structlog.get_logger().exception("bus.defect")

    (line,) = lines(path)
    assert "KeyError: 'ledger'" in str(line["exception"])


def test_secrets_are_hidden_whoever_logs_them(tmp_path: Path) -> None:
    """In events of ours and of libraries, in values that are no text, and in the words of errors."""
    secret = "s3cr3t/key+of=mine"
    path = tmp_path / "truetape.log"
    log_to_file(path, secrets=[secret])
    structlog.get_logger().info("asked", url=f"https://host/?key={quote_plus(secret)}", request=[{"key": secret}])
    logging.getLogger("library").warning("%s: %r", secret, {"key": secret})
    try:
        int(secret)
    except ValueError:
        structlog.get_logger().exception("bus.defect")

    assert ["https://host/?key=***", [{"key": "***"}]] == [lines(path)[0][name] for name in ("url", "request")]
    assert "***: {'key': '***'}" == lines(path)[1]["event"]
    assert "base 10: '***'" in str(lines(path)[2]["exception"])


def test_errors_on_a_terminal_show_no_variables(capsys: pytest.CaptureFixture[str]) -> None:
    """Where it happened is shown, and not the values there."""
    log_to_terminal()
    key = "s3cr3t" * 2
    try:
        int(key[:0])
    except ValueError:
        structlog.get_logger().exception("bus.defect")

    err = capsys.readouterr().err
    assert "int(key[:0])" in err
    assert key not in err


def test_a_new_log_closes_the_former_one(tmp_path: Path) -> None:
    """Events go to the last file that was named."""
    for name in ("one", "other"):
        log_to_file(tmp_path / name)
        structlog.get_logger().info("said", where=name)

    assert [["one"], ["other"]] == [[one["where"] for one in lines(tmp_path / name)] for name in ("one", "other")]


def test_a_closed_log_takes_no_more(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After the end nothing is written, neither to the file nor to the terminal; to close again is no error."""
    log_to_file(tmp_path / "truetape.log")
    structlog.get_logger().info("before")
    close_log()
    structlog.get_logger().warning("after")
    close_log()

    assert ["before"] == [line["event"] for line in lines(tmp_path / "truetape.log")]
    assert ("", "") == capsys.readouterr()


def test_readable_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """On a terminal an event is a line on standard error, without colours where that is none."""
    log_to_terminal()
    structlog.get_logger().warning("sandbox.late", seconds=3)

    out, err = capsys.readouterr()
    assert "" == out
    assert "sandbox.late" in err
    assert "seconds=3" in err
    assert "\x1b" not in err


def test_a_disk_that_takes_nothing_is_no_reason_to_stop(capsys: pytest.CaptureFixture[str]) -> None:
    """An event that cannot be written is lost in silence: no traceback reaches the terminal."""
    log_to_file(Path("/dev/full"))
    structlog.get_logger().info("said")

    assert ("", "") == capsys.readouterr()


def test_a_defect_of_logging_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong with an event itself is told, so that it can be mended."""
    log_to_file(tmp_path / "truetape.log")
    logging.getLogger("library").info("%d", "no number")

    assert "Logging error" in capsys.readouterr().err
