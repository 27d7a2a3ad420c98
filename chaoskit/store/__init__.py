"""The run folder: journal of records, saved plan, provenance, result (layer 5)."""

from chaoskit.store.folder import RunFolder, find, saved_runs
from chaoskit.store.journal import SavedHistory
from chaoskit.store.provenance import collect

__all__ = ["RunFolder", "SavedHistory", "collect", "find", "saved_runs"]
