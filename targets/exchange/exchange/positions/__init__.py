"""The positions database of one region: a real PostgreSQL under a wrapper that starts, watches and stops it."""
