"""The REMOTE front end: PowerDNS's JSON protocol on stdin/stdout."""
