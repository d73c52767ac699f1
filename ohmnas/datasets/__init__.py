"""Tasks, measured tables and campaigns. Only measuring needs torch."""
