"""The matching engine: one single-threaded loop behind a bounded queue, the only owner of orders and accounts."""
