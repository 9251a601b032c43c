"""Which place an address names."""

from __future__ import annotations

import pytest

from truetape.adapters.folder_objects import FolderObjects
from truetape.adapters.s3_objects import S3Objects
from truetape.app.object_places import objects_at, secrets_of
from truetape.domain.errors import BadInput

KEYS = {"AWS_ACCESS_KEY_ID": "k" * 20, "AWS_SECRET_ACCESS_KEY": "s" * 40}


@pytest.mark.parametrize(
    ("address", "place"),
    [("/backups/tape", "/backups/tape"), ("file:///backups/my%20tape", "/backups/my tape"), ("~/b", "/elsewhere/b")],
)
def test_a_path_is_a_folder(monkeypatch: pytest.MonkeyPatch, address: str, place: str) -> None:
    """As it stands, as an address, or below the home folder."""
    monkeypatch.setenv("HOME", "/elsewhere")
    objects = objects_at(address, {})
    assert isinstance(objects, FolderObjects)
    assert place == objects.place


@pytest.mark.parametrize(
    ("address", "place"), [("s3://tape", "s3://tape"), ("s3://tape/", "s3://tape"), ("s3://tape/a/b/", "s3://tape/a/b")]
)
def test_a_bucket_is_reached_as_the_environment_says(address: str, place: str) -> None:
    """With keys, and an endpoint or Amazon's."""
    for more in ({}, {"AWS_ENDPOINT_URL": "http://127.0.0.1:9000/", "AWS_REGION": "eu-west-1"}):
        objects = objects_at(address, KEYS | more)
        assert isinstance(objects, S3Objects)
        assert place == objects.place


@pytest.mark.parametrize(
    ("address", "environ", "words"),
    [
        ("", {}, "Name a folder"),
        ("a\0b", {}, "Name a folder"),
        ("gs://bucket", {}, "Name a folder"),
        ("https://me:hidden@host/x", {}, r"https://\*\*\*@host/x.*Name a folder"),
        ("s3://Bucket_1", KEYS, "Name a folder"),
        ("s3://b", KEYS, "Name a folder"),
        ("s3://bucket/../x", KEYS, "Join segments by '/'"),
        ("s3://bucket", KEYS | {"AWS_ENDPOINT_URL": "http://me:hidden@host"}, r"AWS_ENDPOINT_URL was 'http://\*\*\*@"),
        ("s3://bucket", {"AWS_ENDPOINT_URL": "http://host"}, "AWS_ACCESS_KEY_ID was ''. Set it"),
        ("s3://bucket", {"AWS_ACCESS_KEY_ID": "k"}, "AWS_SECRET_ACCESS_KEY was ''. Set it"),
        ("s3://bucket", {"AWS_SECRET_ACCESS_KEY": "hidden"}, "AWS_ACCESS_KEY_ID was ''. Set it"),
    ],
)
def test_what_names_no_place_is_refused_in_words(address: str, environ: dict[str, str], words: str) -> None:
    """Nothing that may be a key is quoted."""
    with pytest.raises(BadInput, match=words) as told:
        objects_at(address, environ)
    assert "hidden" not in str(told.value)


def test_the_keys_are_secrets() -> None:
    """Those that are set."""
    assert secrets_of(KEYS | {"AWS_REGION": "eu-west-1", "AWS_SESSION_TOKEN": ""}) == ("k" * 20, "s" * 40)
