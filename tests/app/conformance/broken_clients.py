"""Clients that break one promise each, around a sound one."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from truetape.app.conformance.bench import KEY
from truetape.domain.asks import Answer, Ask
from truetape.ports.http import Unreachable

NOTHING = Answer(url="", status=200, content_type="", headers={}, body=b'{"rows":{}}')


class Wrapped:
    """A client around a sound one."""

    def __init__(self, sound: Any) -> None:
        self.sound = sound
        self.asked: list[Ask] = []
        self.dead = False

    async def fetch(self, ask: Ask) -> Answer:
        answer: Answer = await self.sound.fetch(ask)
        return answer


class Telling(Wrapped):
    """Tells its key."""

    def __repr__(self) -> str:
        return f"Client({KEY})"


class Confused(Wrapped):
    """Answers the question that came last."""

    async def fetch(self, ask: Ask) -> Answer:
        self.asked.append(ask)
        await asyncio.sleep(0)
        return await super().fetch(self.asked[-1])


class Forgetful(Wrapped):
    """Knows a later page only if it was asked for the first one."""

    async def fetch(self, ask: Ask) -> Answer:
        self.asked.append(ask)
        if ask.page and not any(not one.page for one in self.asked):
            return await super().fetch(msgspec.structs.replace(ask, page=""))
        return await super().fetch(ask)


class Soothing(Wrapped):
    """Answers nothing where there was no answer."""

    async def fetch(self, ask: Ask) -> Answer:
        try:
            return await super().fetch(ask)
        except Unreachable:
            return NOTHING


class Stubborn(Wrapped):
    """Does not let itself be cancelled."""

    async def fetch(self, ask: Ask) -> Answer:
        try:
            return await super().fetch(ask)
        except asyncio.CancelledError:
            return NOTHING


class Fragile(Wrapped):
    """Is dead after its first failure."""

    async def fetch(self, ask: Ask) -> Answer:
        if self.dead:
            raise Unreachable("it is dead")
        try:
            return await super().fetch(ask)
        except Unreachable:
            self.dead = True
            raise
