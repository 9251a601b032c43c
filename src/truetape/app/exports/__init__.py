"""Bars for other programs: files that Parquet, Arrow, CSV and DBN readers take, and folders of LEAN, Nautilus, zipline.

One instrument is read and written at a time, so memory holds one. What is written is there in full or not at all.
"""

from __future__ import annotations

from truetape.app.exports.exporting import Exported, Progress, Written, export
from truetape.app.exports.order import FORMS, Order, form_of

__all__ = ["FORMS", "Exported", "Order", "Progress", "Written", "export", "form_of"]
