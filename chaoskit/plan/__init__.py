"""From a scenario and a manifest to a plan: pure and seeded (layer 4)."""
