"""Keyturn on any machine: a web server over the application that Lambda runs too."""
