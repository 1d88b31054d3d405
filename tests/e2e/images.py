"""PNG images and tar archives of them, with nothing but the standard library.

    images.tar("train-0.tar", {"1.png": images.png(32, 32, (200, 0, 0)), "1.cls": b"3"})
"""

import io
import struct
import tarfile
import zlib


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, color=128):
    """One colour: a number for grey, three for RGB."""
    rgb = isinstance(color, tuple)
    rows = (b"\x00" + bytes(color if rgb else [color]) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if rgb else 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) +
            chunk(b"IEND", b""))


def tar(path, members):
    """An archive of files by name, in the order given."""
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
