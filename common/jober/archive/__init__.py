"""Ended runs in SQL: SQLite and PostgreSQL, by SQLAlchemy (the extra `archive`).

`schema` says what tables there are, `database` is what is asked, `entry` what is put into it.
"""

from jober.archive.database import Archive, Pruned, Retention
from jober.archive.entry import ArchiveEntry

__all__ = ["Archive", "ArchiveEntry", "Pruned", "Retention"]
