"""Tasks, measured tables, and the campaign that makes them. Only measuring needs torch."""
