#!/bin/sh
# Runs a Python file from the top of the runfiles (python.bzl). A test may name more folders to import
# from, relative to the top.
PYTHONPATH=.${PYTHONPATH:+:$PYTHONPATH} PYTHONDONTWRITEBYTECODE=1 exec python3 "$@"
