"""A ledger in Redis, shared by every machine that asks."""

from truetape.adapters.redis_ledger.ledger import RedisLedger

__all__ = ["RedisLedger"]
