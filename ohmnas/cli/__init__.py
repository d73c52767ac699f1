"""The `ohmnas` command. It parses arguments, calls the library and prints the result."""
