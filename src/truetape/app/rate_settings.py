"""The settings [fx]: of which pairs of currencies the rates are acquired."""

from __future__ import annotations

from typing import Final

from truetape.domain.pairs import is_fx

MOST_PAIRS: Final = 1000
_WORDS: Final = 'a list of pairs of ISO 4217 codes such as ["EUR/USD", "USD/JPY"]'


def rate_pairs(table: object, problems: list[str]) -> tuple[str, ...]:
    """Return the pairs that [fx] names, each once; what is wrong is added to `problems`."""
    if not isinstance(table, dict):
        problems.append("fx must be a table: write [fx] before its settings.")
        return ()
    problems += [f"fx.{name} is no setting; known is pairs." for name in table if name != "pairs"]
    pairs = table.get("pairs", [])
    if not isinstance(pairs, list) or len(pairs) > MOST_PAIRS:
        problems.append(f"fx.pairs was {pairs!r:.100}; write {_WORDS}.")
        return ()
    wrong = [one for one in pairs if not isinstance(one, str) or not is_fx(one)]
    problems += [f"fx.pairs has {one!r:.40}, which is no pair; write {_WORDS}." for one in wrong]
    doubled = [one for one in pairs if isinstance(one, str) and one[:3] == one[4:]]
    problems += [f"fx.pairs has {one!r}, which is one currency twice; remove it." for one in doubled if is_fx(one)]
    return tuple(dict.fromkeys(one for one in pairs if isinstance(one, str)))
