"""The core: zones, keys and metadata behind PowerDNS, and the PIPE front end."""
