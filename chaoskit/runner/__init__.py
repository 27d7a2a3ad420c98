"""Plays one plan: bring-up, gate, phases, faults, abort, restore, tear-down, on one exit stack (layer 6)."""
