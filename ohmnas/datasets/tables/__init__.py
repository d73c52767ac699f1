"""Measured tables: columns, checks, cards, summaries, and the tables that ship."""
