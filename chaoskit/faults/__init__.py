"""Link faults: their kinds, the Toxiproxy server, receipts, lease and restore (layer 5)."""
