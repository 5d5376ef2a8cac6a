"""The core: zones, keys and metadata behind PowerDNS, and the PIPE front end."""

__all__ = ["VERSION"]

VERSION = "0.1.0"
