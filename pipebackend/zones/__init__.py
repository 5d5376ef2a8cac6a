"""The kinds of zone, one file each, all answering the protocol in ``base``."""
