"""Which place for objects an address names: a folder, or a bucket of a service that speaks S3."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from truetape.domain.errors import BadInput

if TYPE_CHECKING:
    from truetape.adapters.folder_objects import FolderObjects
    from truetape.adapters.s3_objects import S3Objects

KEYS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")  # secrets of the environment
ENDPOINTS: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
REGIONS: Final = ("AWS_REGION", "AWS_DEFAULT_REGION")
FORMS: Final = "Name a folder, such as /backups/truetape, or a bucket, such as s3://bucket/prefix."
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ENDPOINT: Final = re.compile(r"https?://[^\s/?#@]+/?")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def objects_at(address: str, environ: Mapping[str, str]) -> FolderObjects | S3Objects:
    """Return the place that `address` names: a folder, `file:///folder`, or `s3://bucket/prefix`.

    A service that speaks S3 is reached as the variables say that other tools read too: AWS_ENDPOINT_URL (Amazon's
    without it), AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.

    Raises:
        BadInput: `address` is neither, a variable has no sense, or the package for S3 is not installed.
    """
    if address.startswith("s3://"):
        return _bucket(address, environ)
    if address.startswith("file:///"):
        address = unquote(urlsplit(address).path)
    elif _SCHEME.match(address):
        raise BadInput(parameter="address", value=_unsecret(address), fix=FORMS)
    if not address or "\0" in address:
        raise BadInput(parameter="address", value=address, fix=FORMS)
    from truetape.adapters.folder_objects import FolderObjects

    return FolderObjects(Path(address).expanduser().absolute())


def secrets_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return what of the environment may stand in no log."""
    return tuple(environ[name] for name in KEYS if environ.get(name))


def _bucket(address: str, environ: Mapping[str, str]) -> S3Objects:
    from truetape.domain.object_keys import checked_key

    bucket, _, prefix = address.removeprefix("s3://").partition("/")
    prefix = prefix.rstrip("/")
    if not _BUCKET.fullmatch(bucket):
        raise BadInput(parameter="address", value=_unsecret(address), fix=FORMS)
    if prefix:
        checked_key(prefix)
    endpoint = _first(environ, ENDPOINTS)
    if endpoint and not _ENDPOINT.fullmatch(endpoint):
        fix = "Write an address such as https://s3.example.com, without a path or keys."
        raise BadInput(parameter="AWS_ENDPOINT_URL", value=_unsecret(endpoint), fix=fix)
    key, secret, token = (environ.get(name, "").strip() for name in KEYS)
    if bool(key) != bool(secret) or (endpoint and not key):
        missing = KEYS[1] if key else KEYS[0]
        raise BadInput(parameter=missing, value="", fix=f"Set it to reach {address}; keys stand in the environment.")
    try:
        from truetape.adapters.s3_objects import S3Access, S3Objects
    except ImportError:
        fix = "Install the package for S3: pip install 'truetape[s3]'."
        raise BadInput(parameter="address", value=address, fix=fix) from None
    region = _first(environ, REGIONS) or "us-east-1"
    access = S3Access(endpoint=endpoint.rstrip("/"), region=region, key=key, secret=secret, token=token)
    return S3Objects(bucket, prefix=prefix, access=access)


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((environ[name].strip() for name in names if environ.get(name, "").strip()), "")


def _unsecret(address: str) -> str:
    """Return `address` without what may be a key: user and password before the host, and a query."""
    return re.sub(r"(?<=//)[^/@]*(?=@)|(?<=\?).*", "***", address)[:200]
