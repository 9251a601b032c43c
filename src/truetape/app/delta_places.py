"""Which Delta Lake catalog belongs to an address of a tier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from truetape.app.object_places import ENDPOINTS, KEYS, REGIONS
from truetape.domain.errors import BadInput
from truetape.domain.schema import TABLES

if TYPE_CHECKING:
    from truetape.adapters.delta_catalog import DeltaCatalog


def catalog_at(address: str, environ: Mapping[str, str]) -> DeltaCatalog:
    """Return the catalog of Delta tables at `address`: a folder, or s3://bucket/prefix, reached as the objects are.

    Raises:
        BadInput: The package for Delta Lake is not installed.
    """
    try:
        from truetape.adapters.delta_catalog import DeltaCatalog
    except ImportError:
        fix = "Install the package for Delta Lake: pip install 'truetape[lake]'."
        raise BadInput(parameter="tiers.form", value="delta", fix=fix) from None
    from truetape.adapters.tiered_store.layout import schema

    options = _options(environ) if address.startswith("s3://") else {}
    return DeltaCatalog(address, options=options, schema_of=lambda name: schema(TABLES[name]))


def _options(environ: Mapping[str, str]) -> dict[str, str]:
    """Return how the service is reached; a log entry is written only where there is none yet."""
    named = {name: environ[name] for name in (*KEYS, *ENDPOINTS, *REGIONS) if environ.get(name)}
    endpoint = next((environ[name] for name in ENDPOINTS if environ.get(name)), "")
    options = {**named, "aws_conditional_put": "etag"}
    if endpoint:
        options |= {"AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": str(endpoint.startswith("http://")).lower()}
    return options if any(name in options for name in REGIONS) else {**options, "AWS_REGION": "us-east-1"}
