"""Stars for secrets, in whatever spelling a server says them back."""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from truetape.domain.hiding import Veil, of_headers, unshown, veil

HARD = 's3cr3t/key+of=mine 100%&"x'
SECRETS = (
    "plainkey12",
    HARD,
    "two\nlines\tof\rit",
    "clé-à-moi-01",
    "++++////====",
    "key\\with\\strokes",
    "\U0001f511 of gold",
)


def spellings(secret: str) -> dict[str, str]:
    """The secret in every spelling, by the standard library."""
    return {
        "as it is": secret,
        "percent": quote(secret, safe=""),
        "percent, small letters": re.sub("%..", lambda found: found[0].lower(), quote(secret, safe="")),
        "path": quote(secret),
        "form": quote_plus(secret),
        "twice": quote(quote(secret, safe=""), safe=""),
        "json": json.dumps(secret)[1:-1],
        "json, slashes": json.dumps(secret)[1:-1].replace("/", "\\/"),
        "json, html": json.dumps(secret)[1:-1].replace("&", "\\u0026").replace("+", "\\u002B"),
        "json in json": json.dumps(json.dumps(secret)[1:-1])[1:-1],
        "html": escape(secret),
        "html, numbers": "".join(one if one.isalnum() and one.isascii() else f"&#{ord(one)};" for one in secret),
        "html, hexadecimal": "".join(
            one if one.isalnum() and one.isascii() else f"&#x{ord(one):04X};" for one in secret
        ),
    }


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("spelling", spellings("").keys())
def test_a_secret_is_hidden_in_each_spelling(secret: str, spelling: str) -> None:
    """In text and in bytes; what stands around it stays."""
    spelled = spellings(secret)[spelling]

    assert "<*** and ***>" == veil(secret).over(f"<{spelled} and {spelled}>")
    assert b"<*** and ***>" == veil(secret).over_bytes(f"<{spelled} and {spelled}>".encode())


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("before", ["", "u", "us", "Token "])
def test_a_secret_is_hidden_in_base64(secret: str, before: str) -> None:
    """Alone and behind other words, in both alphabets: no base64 that still holds it is left."""
    whole = f"{before}{secret}:x".encode()
    for coded in (b64encode(whole), urlsafe_b64encode(whole)):
        shown = Veil([secret]).over_bytes(b"Basic " + coded)

        assert b"***" in shown
        assert coded not in shown
        assert len(shown) < len(b"Basic ") + len(coded) - len(secret.encode()) + len(b"***")
        assert shown.decode() == Veil([secret]).over("Basic " + coded.decode())


def test_a_host_may_have_other_letters() -> None:
    """Names of hosts come back in small letters."""
    assert "*** is not known" == veil("ABCDEFGH12").over("abcdefgh12 is not known")


@pytest.mark.parametrize("secret", ["", "k3y", "sandbox"])
def test_short_words_are_no_secrets(secret: str) -> None:
    """They occur in honest text."""
    assert "the sandbox's k3y" == veil(secret).over("the sandbox's k3y")


def test_longer_secrets_go_first() -> None:
    """A secret that contains another is hidden whole."""
    assert "*** ***" == veil("abcdefgh", "abcdefgh-ijkl").over("abcdefgh-ijkl abcdefgh")


def test_what_holds_no_secret_stays() -> None:
    """Text that shares a run of letters with it, too."""
    text = "s3cr3t/key and 100% of mine"
    assert text == veil(HARD).over(text)
    assert text.encode() == veil(HARD).over_bytes(text.encode())


def test_headers_have_schemes() -> None:
    """The value with its scheme, and the key alone."""
    assert ("Token my key", "my key", "k3y", "") == of_headers({"Authorization": "Token my key", "X-Key": "k3y"})


def test_what_may_be_shown() -> None:
    """Names, and whether there is a value."""
    assert {"token": "***", "other": ""} == unshown({"token": "k3y", "other": ""})


@example(secret="not text \udcff\ud800", before="", after="")
@given(
    secret=st.text(st.characters(exclude_characters="*"), min_size=8, max_size=40),
    before=st.text(max_size=20),
    after=st.text(max_size=20),
)
def test_whatever_the_secret_is(secret: str, before: str, after: str) -> None:
    """What a JSON body says back is hidden, and nothing raises."""
    spelled = json.dumps({"said": f"{before} {secret} {after}"})
    assert json.dumps(secret)[1:-1] not in Veil([secret]).over(spelled)
