"""The archive as files in a folder."""

from truetape.adapters.file_archive.archive import FileArchive

__all__ = ["FileArchive"]
