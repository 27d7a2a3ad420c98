"""Pure mathematics over the records of a run: what gave way, at which load, and why (layer 5)."""
