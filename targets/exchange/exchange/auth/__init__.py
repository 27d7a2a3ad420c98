"""The store of sessions: who has logged in, and until when."""
