"""The command line. Thin: every command calls one function of a room."""
