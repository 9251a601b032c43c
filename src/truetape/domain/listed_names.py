"""Names of issuers and securities in one plain spelling, so that only real changes of a name differ."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

_STATE: Final = re.compile(r"\s+/[A-Za-z ]{0,12}/?\s*$")  # the SEC writes U-HAUL HOLDING CO /NV/
_WORD: Final = re.compile(r"[a-z0-9]+")
_SHORT: Final = {
    "corporation": "corp",
    "incorporated": "inc",
    "company": "co",
    "companies": "cos",
    "limited": "ltd",
    "holdings": "hldgs",
    "group": "grp",
    "international": "intl",
    "and": "",
    "the": "",
}
_FORMS: Final = frozenset(
    {
        *("ag", "co", "company", "corp", "corporation", "inc", "incorporated"),
        *("limited", "llc", "lp", "ltd", "nv", "plc", "sa", "se", "spa"),
    }
)


@lru_cache(maxsize=65_536)
def plain_name(name: str) -> str:
    """Return `name` without case, accents, punctuation, state suffix and ways of writing the legal form.

    "" stands for a name that says nothing.
    """
    text = unicodedata.normalize("NFKD", _STATE.sub("", name)).encode("ascii", "ignore").decode().lower()
    text = text.replace("'", "").replace(".", "")
    return "".join(_SHORT.get(word, word) for word in _WORD.findall(text))


@lru_cache(maxsize=65_536)
def root_name(name: str) -> str:
    """Return `name` in its plain spelling and without its legal form: what a reorganisation leaves as it was."""
    text = _STATE.sub("", name).replace(".", "")
    return plain_name(" ".join(word for word in text.split() if word.strip(",").lower() not in _FORMS))


def same_name(one: str | None, other: str | None) -> bool:
    """Return whether two names are the same but for their spelling; what is missing is the same as nothing."""
    return bool(one and other) and plain_name(one or "") == plain_name(other or "") != ""
