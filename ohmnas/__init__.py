"""Neural architecture search for analog in-memory computing chips."""
