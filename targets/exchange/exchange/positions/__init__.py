"""The positions database of one region: a real PostgreSQL that a wrapper starts, watches and stops."""
