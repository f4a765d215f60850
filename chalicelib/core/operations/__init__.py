"""What callers can ask of Keyturn, one module for each kind of thing: authorize, decide, store."""
