#!/bin/sh
# Runs a Python file from the top of the runfiles (python.bzl).
PYTHONPATH=. PYTHONDONTWRITEBYTECODE=1 exec python3 "$@"
