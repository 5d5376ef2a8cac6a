"""What the Python code of users needs: ``from pipebackend import RR, Client`` (docs/zones.md).

Imported when it is asked for: PowerDNS waits for the start of a process, which needs neither.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipebackend.base.version import VERSION
    from pipebackend.zones.kinds.custom import RR, Client

__all__ = ["RR", "VERSION", "Client"]


def __getattr__(name: str) -> object:
    if name == "VERSION":
        from pipebackend.base.version import VERSION

        return VERSION
    if name in ("RR", "Client"):
        from pipebackend.zones.kinds import custom

        return getattr(custom, name)
    raise AttributeError(f"module 'pipebackend' has no attribute {name!r}")
