"""A mock derivatives exchange: a gateway and a positions database per region, one matching engine.

It is a mock in what it trades, not in how it breaks: requests cross real sockets, wait in real queues, hold
real database connections, and positions reach PostgreSQL late when the writer is behind.
"""
