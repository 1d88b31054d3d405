"""How numbers and words are read and shown."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from fractions import Fraction

from mantissa import _errors

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
          "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40}


def parse_bytes(size: int | str, field: str) -> int:
    """Bytes of "8GiB", "1.5 GB", "4096" or a number."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", str(size))
    unit = _UNITS.get(match[2].upper()) if match else None
    size_bytes = round(Fraction(match[1]) * unit) if match and unit else 0
    if not 0 < size_bytes < 1 << 63:
        raise _errors.InvalidArgument(
            f"{field} is {size!r}; allowed: a size above 0 such as 8GiB, 512MiB or 1.5GB, with B, "
            "KB, KiB, MB, MiB, GB, GiB, TB or TiB; without a unit bytes.", field=field)
    return size_bytes


def show_bytes(size: int) -> str:
    """"1.5 GiB"."""
    value, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{size} B" if unit == "B" else f"{value:.1f} {unit}"


def nearest(word: str, known: Iterable[str]) -> str:
    """" Is X meant?", or nothing."""
    found = difflib.get_close_matches(word, list(known), n=1)
    return f" Is {found[0]} meant?" if found else ""


def printable(text: str) -> str:
    """`text` without what would steer a terminal: control characters become \\xNN."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]",
                  lambda match: f"\\x{ord(match[0]):02x}", text)


def table(titles: Sequence[str], rows: Iterable[Sequence[str]], right: str = "") -> str:
    """Aligned columns, a line of titles first; those named in `right` (one letter a column, "r")
    are aligned to the right."""
    lines = [list(titles)] + [[printable(cell) for cell in row] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(titles))]
    return "".join("  ".join(
        cell.rjust(width) if right[i:i + 1] == "r" else cell.ljust(width)
        for i, (cell, width) in enumerate(zip(line, widths))).rstrip() + "\n" for line in lines)
