"""Hiding secrets in what a server says back, in whatever spelling it does."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Final

HIDDEN: Final = "***"
ANY: Final = "surrogatepass"  # a variable of the environment may hold bytes that are no text
SHORTEST_SECRET: Final = 8  # shorter ones occur in honest text, and are no secrets
_RUN: Final = re.compile("[A-Za-z0-9]+")
_SHORT: Final = {"\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}  # letters that stand for them behind a stroke


class Veil:
    """Stars for secrets: as they are, percent-encoded, with plus for blanks, escaped in JSON or HTML, in base64.

    Two encodings may lie on each other, and single characters may be spelled as they are. In text any case will do,
    as in the name of a host; in bytes the case is that of the secret.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        """Prepare to hide `secrets`, the longest first; those that are too short to be any are left out."""
        longest = sorted({one for one in secrets if len(one) >= SHORTEST_SECRET}, key=len, reverse=True)
        self._marks = tuple(_mark(form) for one in longest for form in dict.fromkeys((one, *_in_base64(one))))

    def over(self, text: str) -> str:
        """Return `text` without the secrets."""
        lower = text.lower() if self._marks else ""
        for mark in self._marks:
            if mark.sign in lower:
                text = mark.in_text.sub(HIDDEN, text)
        return text

    def over_bytes(self, body: bytes) -> bytes:
        """Return `body` without the secrets, which are spelled in UTF-8."""
        for mark in self._marks:
            if mark.sign_bytes in body:
                body = mark.in_bytes.sub(HIDDEN.encode(), body)
        return body


@lru_cache(maxsize=64)
def veil(*secrets: str) -> Veil:
    """Return what hides `secrets`; it is made once for those that are used again."""
    return Veil(secrets)


def of_headers(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the secrets in the values of `headers`: each as it is, and without the scheme before it."""
    return tuple(form for value in headers.values() for form in (value, value.partition(" ")[2]))


def unshown(values: Mapping[str, str]) -> dict[str, str]:
    """Return `values` as they may be shown: stars for each that is not empty."""
    return {name: HIDDEN if value else "" for name, value in values.items()}


@dataclass(frozen=True, repr=False)
class _Mark:
    """How one spelling of a secret is found: what it must contain at least, and the whole."""

    sign: str
    sign_bytes: bytes
    in_text: re.Pattern[str]
    in_bytes: re.Pattern[bytes]


def _mark(secret: str) -> _Mark:
    sign = max(_RUN.findall(secret), key=len, default="")
    spelled = "".join(map(_spelled, secret))
    return _Mark(
        sign.lower(), sign.encode(), re.compile(spelled, re.IGNORECASE), re.compile(spelled.encode(errors=ANY))
    )


def _spelled(character: str) -> str:
    """Return the expression of one character as it is and as encodings spell it; letters and digits have one form."""
    if character.isascii() and character.isalnum():
        return character
    percent = "".join(f"%(?:25)*{byte:02x}" for byte in character.encode(errors=ANY))
    units = character.encode("utf-16-be", errors=ANY).hex()
    json = "".join(rf"\\+u{units[place : place + 4]}" for place in range(0, len(units), 4))
    number = ord(character)
    forms = [rf"\\*{re.escape(character)}", f"(?i:{percent})", f"(?i:{json})", f"(?i:&#(?:0*{number}|x0*{number:x});)"]
    if escape(character) != character:
        forms.append(escape(character))
    if character in _SHORT:
        forms.append(rf"\\+{_SHORT[character]}")
    if character == " ":
        forms.append(r"\+")
    return f"(?:{'|'.join(forms)})"


def _in_base64(secret: str) -> Iterator[str]:
    """Yield what is the same in the base64 of everything that contains `secret`, in both alphabets."""
    plain = secret.encode(errors=ANY)
    for before in range(3):
        whole = b64encode(bytes(before) + plain).decode()
        inner = whole[-(-before * 8 // 6) : (before + len(plain)) * 8 // 6]
        yield inner
        yield inner.translate({ord("+"): "-", ord("/"): "_"})
