"""The REST API, by Hub's contract: it parses, asks the core, renders; it decides nothing."""
