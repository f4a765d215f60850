"""Every call that leaves Keyturn."""
