"""Where logs go: JSON lines in a file of the data folder, or readable lines on standard error."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import structlog

from truetape.domain.hiding import Veil

LARGEST_LOG_BYTES: Final = 10 << 20
KEPT_LOGS: Final = 3


def log_to_file(path: Path, *, secrets: Iterable[str] = ()) -> None:
    """Write every event as one JSON line to `path`; old logs are kept in three files of 10 MiB each.

    Nothing of ours logs `secrets`; where a library does, stars stand for them.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = _LogFile(path, maxBytes=LARGEST_LOG_BYTES, backupCount=KEPT_LOGS, encoding="utf-8", delay=True)
    _configure(file, structlog.processors.JSONRenderer(), Veil(secrets))


def close_log() -> None:
    """Close the log file, if there is one; what is logged from now on goes nowhere."""
    root = logging.getLogger()
    for file in [handler for handler in root.handlers if isinstance(handler, _LogFile)]:
        file.close()
        root.handlers = [logging.NullHandler()]


def log_to_terminal() -> None:
    """Write every event as a readable line to standard error, coloured where that is a terminal.

    Errors are shown without the values of variables, which may be secret.
    """
    lines = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
    _configure(logging.StreamHandler(sys.stderr), lines, Veil(()))


class _LogFile(logging.handlers.RotatingFileHandler):
    """A log that loses what the disk cannot take: work goes on, and the terminal stays free of tracebacks."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        if not isinstance(sys.exception(), OSError):
            super().handleError(record)

    def close(self) -> None:
        """Close the file; what it still held is lost where the disk is full."""
        with contextlib.suppress(OSError):
            super().close()


class _Veiled(structlog.stdlib.ProcessorFormatter):
    """Lines with stars for secrets."""

    def __init__(
        self, hidden: Veil, *, renderer: structlog.types.Processor, before: list[structlog.types.Processor]
    ) -> None:
        super().__init__(processor=renderer, foreign_pre_chain=before)
        self._hidden = hidden

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of `record`."""
        return self._hidden.over(super().format(record))


def _configure(handler: logging.Handler, renderer: structlog.types.Processor, hidden: Veil) -> None:
    before: list[structlog.types.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    handler.setFormatter(_Veiled(hidden, renderer=renderer, before=before))
    root = logging.getLogger()
    for old in root.handlers:
        old.close()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=False,
    )
