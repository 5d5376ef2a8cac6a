"""Where ``RR`` was before ``from pipebackend import RR``: modules of users that were written then import it here."""

from pipebackend.zones.kinds.custom import RR, Client

__all__ = ["RR", "Client"]
