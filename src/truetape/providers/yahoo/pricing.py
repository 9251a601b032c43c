"""Yahoo's PricingData, read from protobuf. Its prices are 32-bit floats, which are brought to their decimals again."""

from __future__ import annotations

import math
from functools import cache
from typing import Any, Final

from truetape.domain.fields import LONGEST_SYMBOL
from truetape.domain.instants import LAST_NS, MILLISECOND
from truetape.domain.ticks import Quote, Tick, Told

CHANNEL: Final = "pricing"
HEARTBEAT: Final = 7  # of quote_type
DECIMALS: Final = 2  # where the provider gives no hint
MOST_DECIMALS: Final = 12
DIGITS: Final = 7  # that a 32-bit float holds

_TEXT: Final = "TYPE_STRING"
_FLOAT: Final = "TYPE_FLOAT"
_SINT64: Final = "TYPE_SINT64"
_INT32: Final = "TYPE_INT32"
_FIELDS: Final = (  # those that are read; the others are skipped by their wire type
    (1, "id", _TEXT),
    (2, "price", _FLOAT),
    (3, "time", _SINT64),
    (6, "quote_type", _INT32),
    (9, "day_volume", _SINT64),
    (23, "bid", _FLOAT),
    (24, "bid_size", _SINT64),
    (25, "ask", _FLOAT),
    (26, "ask_size", _SINT64),
    (27, "price_hint", _SINT64),
)


def read(packed: bytes, ts_known: int) -> Tick:
    """Return what one message says; what is zero in it is absent.

    Raises:
        ValueError: It is no PricingData.
    """
    news = _parsed(packed)
    if news.quote_type == HEARTBEAT:
        return Told(what="heartbeat")
    if not 0 < len(news.id) <= LONGEST_SYMBOL or not 0 <= news.time <= LAST_NS // MILLISECOND:
        raise ValueError("a symbol or a time that cannot be")
    hint = news.price_hint if 0 < news.price_hint <= MOST_DECIMALS else DECIMALS
    return Quote(
        symbol=news.id,
        ts_event=news.time * MILLISECOND or ts_known,
        bid=_snapped(news.bid, hint),
        bid_size=float(news.bid_size) or None,
        ask=_snapped(news.ask, hint),
        ask_size=float(news.ask_size) or None,
        price=_snapped(news.price, hint),
        volume=float(news.day_volume) or None,
        channel=CHANNEL,
    )


def _snapped(value: float, decimals: int) -> float | None:
    """Return the decimal number that a 32-bit float stands for; None for the zero that means absent.

    Raises:
        ValueError: It is not finite.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} was no price")
    if value == 0:
        return None
    return round(value, decimals) or float(f"{value:.{DIGITS}g}")


def _parsed(packed: bytes) -> Any:
    from google.protobuf.message import DecodeError

    try:
        return pricing_data().FromString(packed)
    except DecodeError as error:
        raise ValueError(f"no PricingData: {error}") from None


@cache
def pricing_data() -> Any:
    """Return the class of messages; protobuf is loaded only where a stream is heard."""
    from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
    from google.protobuf.descriptor_pool import DescriptorPool
    from google.protobuf.message_factory import GetMessageClass

    file = FileDescriptorProto(name="pricing.proto", package="pricing", syntax="proto3")
    message = file.message_type.add(name="PricingData")
    for number, name, kind in _FIELDS:
        wire = FieldDescriptorProto.Type.Value(kind)
        message.field.add(name=name, number=number, type=wire, label=FieldDescriptorProto.LABEL_OPTIONAL)
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("pricing.PricingData"))
