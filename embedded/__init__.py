"""The stack that `make run`, the tests and the benchmarks use: a real database and a real server, here.

Nothing in this folder ships to Lambda.
"""
