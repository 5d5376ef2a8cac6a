"""Whether a session writes a trace: by the options of a front end, or by its configuration."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipebackend.backend.backend import Backend
    from pipebackend.backend.sessions import Session
    from pipebackend.diagnosis.trace import Traced
    from pipebackend.server.arguments import Arguments

__all__ = ["traced"]


def traced(session: Session, given: Arguments, backend: Backend | None) -> Traced | None:
    """A session around this one that writes a trace; None if neither the options nor the configuration ask for it."""
    path, is_full = given.trace, given.trace_full
    if backend is not None:
        config = backend.registry.config
        is_full = is_full or config.table.get("trace_full") is True
        if path is None:
            path = str(config.table.get("trace", "")) and os.path.join(config.folder, str(config.table["trace"]))
    if not path:
        return None
    from pipebackend.diagnosis.trace import Traced, Writer

    return Traced(session, Writer(path, is_full))
