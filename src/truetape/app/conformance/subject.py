"""Who is examined: a provider with its declaration, its desk in the sandbox and its plans."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.resources import files
from inspect import signature
from types import ModuleType
from typing import Final

from truetape.app.sandbox.desk import Desk
from truetape.app.sandbox.desks import desk
from truetape.domain.capability import Declaration, Offer
from truetape.domain.errors import BadInput
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.providers import KEY_VARIABLES, NAMES, vendor

LOCAL: Final = frozenset({"files", "lean"})  # providers that read a folder
Build = Callable[[Http, str, str], Provider]  # http, base URL and key


@dataclass(frozen=True)
class Subject:
    """A provider that is examined."""

    name: str
    declaration: Declaration
    build: Build
    desk: Desk | None = None  # None: the sandbox does not speak it
    plans: bytes | None = None  # the text of its plans.toml; None if there is none
    local: bool = False  # it reads files of the market, and asks nobody
    variables: tuple[str, ...] | None = None  # environment variables that the catalogue knows; None: not catalogued

    @property
    def asked(self) -> tuple[Offer, ...]:
        """The offers that are asked for by requests of their own."""
        return tuple(offer for offer in self.declaration.offers if not offer.with_bars and not offer.streamed)


def registered(name: str) -> Subject:
    """Return the provider of the catalogue called `name`.

    Raises:
        BadInput: There is none, or its folder is not there yet.
    """
    if name not in NAMES:
        raise BadInput(parameter="provider", value=name, fix=f"Choose one of {', '.join(NAMES)}.")
    try:
        module = vendor(name)
    except ModuleNotFoundError as error:
        if not (error.name or "").endswith(f".{name}"):
            raise
        raise BadInput(parameter="provider", value=name, fix="It is catalogued, but its folder is missing.") from None
    if not hasattr(module, "DECLARATION"):
        raise BadInput(parameter="provider", value=name, fix="It is catalogued, but its folder declares nothing.")
    page = files(module.__name__) / "plans.toml"
    found = of_module(
        module, desk=_desk(name), plans=page.read_bytes() if page.is_file() else None, variables=KEY_VARIABLES[name]
    )
    return replace(found, local=name in LOCAL)


def of_module(
    module: ModuleType, *, desk: Desk | None, plans: bytes | None, variables: tuple[str, ...] | None = None
) -> Subject:
    """Return the provider whose package is `module`: it has `DECLARATION` and `provider`."""
    declaration: Declaration = module.DECLARATION
    wanted = signature(module.provider).parameters

    def build(http: Http, base_url: str, key: str) -> Provider:
        given = {"base_url": base_url, "key": key, "secret": key[::-1] if key else ""}
        made: Provider = module.provider(http, **{name: text for name, text in given.items() if name in wanted})
        return made

    return Subject(
        name=declaration.name, declaration=declaration, build=build, desk=desk, plans=plans, variables=variables
    )


def _desk(name: str) -> Desk | None:
    try:
        return desk(name)
    except ModuleNotFoundError as error:
        if not (error.name or "").endswith(f".{name}"):
            raise
        return None
