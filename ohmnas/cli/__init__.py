"""The `ohmnas` command; thin: parses, calls the library, shows."""
