"""Keyturn's verification beside that of its peers, each on its usual server, on this machine."""
