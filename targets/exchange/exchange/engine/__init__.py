"""The matching engine: one single-threaded loop behind a bounded queue owns all orders and accounts."""
