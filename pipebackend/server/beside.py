"""What goes on beside answering in the process that listens, each in a thread of its own."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipebackend.server.arguments import Arguments

__all__ = ["start"]


def start(given: Arguments, where: str) -> None:
    """Start what the options ask for; ``where`` is the folder with the counts of the workers. ConfigFault."""
    if given.metrics:
        from pipebackend.server import metrics

        metrics.serve(*given.metrics, where, given.config)
    if given.maintain_keys:
        from pipebackend.server import keymaintenance

        keymaintenance.start(given.config, given.maintain_keys)
