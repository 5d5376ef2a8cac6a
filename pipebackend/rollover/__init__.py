"""Keys that roll over by themselves: ``machine`` decides, ``maintainer`` moves."""
