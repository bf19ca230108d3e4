"""All tables together: whoever asks `METADATA` sees those of every module, whatever else was imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plugin.store import helpdesk_tables, letters, link_tables, me_tables  # noqa: F401  (their tables belong to Base)
from plugin.store.tables import Base

if TYPE_CHECKING:
    from sqlalchemy import MetaData

METADATA: Final[MetaData] = Base.metadata
