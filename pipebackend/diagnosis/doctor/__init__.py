"""Reads an operator's pdns.conf as PowerDNS does, and says what will not work and what to write instead."""
