"""Settings in, the audit log's signer and forwarder out.

Not here: what they do (plugin/audit), the rest of the service (wiring.py).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from plugin.audit.checkpoints import Checkpoints
from plugin.audit.duties import Duties
from plugin.audit.formats import FORMATS
from plugin.audit.log import AuditLog
from plugin.audit.outbox import CheckpointSource, EntrySource, Outbox
from plugin.audit.receivers import receiver_for
from plugin.errors import SettingsError
from vault.token_file import read_token

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from plugin.audit.receivers import Receiver
    from plugin.settings import Settings
    from plugin.store.database import Database
    from vault.interface import AuditSigner, VaultKeys


def build_checkpoints(settings: Settings, database: Database, signer: AuditSigner) -> Checkpoints:
    """Return the checkpoints of this deployment, which its own issuer URL names."""
    return Checkpoints(database, signer=signer, deployment=settings.issuer)


def receivers(settings: Settings) -> list[Receiver]:
    """Return everybody who is sent the log. Raises SettingsError."""
    form = settings.audit_forward_format
    if form not in FORMATS:
        raise SettingsError(f"audit_forward_format={form!r} must be {' or '.join(sorted(FORMATS))}")
    token_file = settings.audit_forward_token_file
    token = read_token(token_file) if token_file is not None else ""
    ca_file = settings.audit_forward_ca_file
    if ca_file is not None and not ca_file.is_file():
        raise SettingsError(f"audit_forward_ca_file={ca_file} does not exist")
    addresses = dict.fromkeys(settings.audit_forward_to.split())
    return [
        receiver_for(address, form=form, token=token, ca_file=str(ca_file) if ca_file else None)
        for address in addresses
    ]


def build_outbox(
    settings: Settings, database: Database, keys: VaultKeys, *, clock: Callable[[], datetime]
) -> Outbox | None:
    """Return the outbox to the receivers of the settings, or None if there are none."""
    to = receivers(settings)
    if not to:
        return None
    audit = AuditLog(database)
    checkpoints = build_checkpoints(settings, database, keys)
    sources = (EntrySource(audit, settings.issuer), CheckpointSource(checkpoints, audit.stream))
    return Outbox(database, sealer=keys, sources=sources, receivers=to, audit=audit, clock=clock)


def build_duties(
    settings: Settings,
    database: Database,
    keys: VaultKeys,
    *,
    clock: Callable[[], datetime],
    besides: Sequence[Callable[[], None]] = (),
) -> Duties:
    """Return what the service does beside the requests: for its log, and `besides`. Raises SettingsError."""
    return Duties(
        checkpoints=build_checkpoints(settings, database, keys),
        every=timedelta(seconds=settings.audit_checkpoint_every_s),
        outbox=build_outbox(settings, database, keys, clock=clock),
        audit=AuditLog(database),
        clock=clock,
        besides=besides,
    )
