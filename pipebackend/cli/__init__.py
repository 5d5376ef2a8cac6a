"""The command line ``zoneutil``, one file per group of commands."""
