"""Measurements that anyone can repeat: ``python -m benchmarks.NAME [--json]``; with ``--json`` the last line is one object of figures."""
