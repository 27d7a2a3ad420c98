"""The regional gateway: the venue's HTTP interface, its limits, and the pools behind it."""
