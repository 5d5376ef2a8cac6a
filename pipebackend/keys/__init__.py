"""DNSSEC keys as pure values: algorithms, key pairs, and the key files of BIND."""
