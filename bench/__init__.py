"""Benchmarks: ``python -m bench NAME`` prints one line of JSON. Figures are for the machine that the line names."""
