"""What modes of adjusting are called: by us, by LEAN, and in any case."""

from __future__ import annotations

from typing import Final

from truetape.domain.adjustments import ANY_ADJUSTMENT, mode_of
from truetape.domain.errors import BadInput
from truetape.domain.scaling import LEAN_MODES, Mode

_NAMES: Final[dict[str, Mode]] = {**{name: mode_of(name) for name in ANY_ADJUSTMENT}, **LEAN_MODES}


def known_mode(text: str, *, parameter: str = "--mode") -> Mode:
    """Return the mode that `text` names: exactly, or in other cases and with other underscores if that leaves one.

    Raises:
        BadInput: It names none, or two: `totalreturn` may be ours or LEAN's.
    """
    if text in _NAMES:
        return _NAMES[text]
    near = {mode for name, mode in _NAMES.items() if _plain(name) == _plain(text)}
    if len(near) == 1:
        return near.pop()
    fix = f"Choose one of {', '.join(ANY_ADJUSTMENT)}, or by LEAN's names {', '.join(LEAN_MODES)}."
    raise BadInput(parameter=parameter, value=text, fix=fix)


def _plain(text: str) -> str:
    return text.lower().replace("_", "").replace("-", "")
