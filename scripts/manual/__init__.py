"""The reference of the commands, made from the commands: docs/zoneutil.md and the man pages."""
