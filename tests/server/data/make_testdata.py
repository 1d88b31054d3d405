#!/usr/bin/env python3
"""Writes testdata/ and corpus/ with NumPy, Pillow, tarfile and zipfile, as oracles of our readers.

  python3 -m venv v && v/bin/pip install numpy==2.4.6 pillow==13.0.0 && v/bin/python make_testdata.py

The files are committed: the tests need neither Python nor a network.
"""

import gzip
import io
import json
import os
import struct
import tarfile
import zipfile
import zlib

import numpy as np
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))


def write(path, data):
    path = os.path.join(HERE, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def npy(array, fortran=False, version=None):
    out = io.BytesIO()
    np.lib.format.write_array(
        out, np.asfortranarray(array) if fortran else array, version=version)
    return out.getvalue()


def npz(compressed=False, **arrays):
    out = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(out, **arrays)
    return out.getvalue()


def encode(array, fmt, **options):
    out = io.BytesIO()
    image = array if isinstance(array, Image.Image) else Image.fromarray(array)
    image.save(out, fmt, **options)
    return out.getvalue()


def tar(members, fmt=tarfile.USTAR_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=fmt) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, tarfile.TarInfo):
                info = content
                archive.addfile(info)
                continue
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def special(name, kind, link=""):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = link
    return (name, info)


def pattern(shape, seed=0):
    """Smooth enough for JPEG, different in every sample."""
    index = np.indices(shape).astype(np.int64)
    value = sum((i + 3) * (k + seed + 5) for k, i in enumerate(index))
    return (value % 251).astype(np.uint8)


def png_chunk(kind, data):
    return (struct.pack(">I", len(data)) + kind + data +
            struct.pack(">I", zlib.crc32(kind + data)))


def png(width, height, depth, color, raw):
    return (b"\x89PNG\r\n\x1a\n" +
            png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)) +
            png_chunk(b"IDAT", zlib.compress(raw)) + png_chunk(b"IEND", b""))


def idx(array, code):
    header = struct.pack(">BBBB", 0, 0, code, array.ndim)
    header += struct.pack(">%dI" % array.ndim, *array.shape)
    return header + array.tobytes()


def write_arrays():
    a = np.arange(24).reshape(2, 3, 4)
    arrays = {t: a.astype(t) for t in
              ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8", ">i4", ">f8"]}
    arrays["fortran"] = np.asfortranarray(a.astype("f4"))
    arrays["bool"] = a % 2 == 0
    arrays["scalar"] = np.int64(-7)
    arrays["empty"] = np.zeros((0, 5), "f4")
    arrays["negative"] = -a.astype("i2")
    write("testdata/stored.npz", npz(**arrays))
    write("testdata/deflated.npz", npz(compressed=True, **arrays))
    halves = np.array([0, -0.0, 1, -2.5, 65504, 6e-8, 6.1e-5, np.inf, -np.inf], "f2")
    write("testdata/halves.npz", npz(halves=halves, as_float=halves.astype("f4")))
    for version in [(1, 0), (2, 0), (3, 0)]:
        write("testdata/version%d.npy" % version[0], npy(a.astype("f4"), version=version))
    write("testdata/objects.npy", npy(np.array([{}, []], dtype=object)))


def write_image_oracle():
    """Every kind of PNG and JPEG, and what Pillow decodes it to."""
    height, width = 9, 13
    gray = pattern((height, width))
    rgb = pattern((height, width, 3))
    rgba = np.dstack([rgb, pattern((height, width), 7)])
    smooth = np.dstack([np.add.outer(np.arange(16) * 9, np.arange(24) * k) for k in (1, 3, 5)])
    smooth = smooth.astype(np.uint8)
    paletted = Image.fromarray(rgb).quantize(7)
    deep = (pattern((height, width)).astype(np.uint16) << 8) + 77
    files = {
        "gray.png": encode(gray, "PNG"),
        "rgb.png": encode(rgb, "PNG"),
        "rgba.png": encode(rgba, "PNG"),
        "gray_alpha.png": encode(Image.fromarray(rgba).convert("LA"), "PNG"),
        "palette.png": encode(paletted, "PNG"),
        "palette_transparent.png": encode(paletted, "PNG", transparency=2),
        "one_bit.png": encode(Image.fromarray(gray).convert("1"), "PNG"),
        "gray.jpg": encode(smooth[..., 1], "JPEG", quality=90),
        "rgb_444.jpg": encode(smooth, "JPEG", quality=90, subsampling=0),
        "rgb_420.jpg": encode(smooth, "JPEG", quality=75, subsampling=2),
        "progressive.jpg": encode(smooth, "JPEG", quality=85, progressive=True),
    }
    expected = {}
    for name, data in files.items():
        image = Image.open(io.BytesIO(data))
        if name == "gray_alpha.png":
            expected[name] = np.asarray(image)[..., 0]
        elif name.startswith(("gray", "one")):
            expected[name] = np.asarray(image.convert("L"))
        else:
            expected[name] = np.asarray(image.convert("RGBA"))[..., :3]
    # Pillow keeps 16 bits: our rule, the upper byte, is applied here.
    files["deep.png"] = encode(Image.fromarray(deep), "PNG")
    expected["deep.png"] = (deep >> 8).astype(np.uint8)
    for name, data in files.items():
        write("testdata/images/" + name, data)
    write("testdata/images/expected.npz", npz(compressed=True, **expected))


def write_hostile_images():
    rgb = encode(pattern((8, 8, 3)), "PNG")
    jpeg = encode(pattern((16, 16, 3)), "JPEG")
    zeros = bytes(1000)
    files = {
        "valid.png": rgb,
        "valid.jpg": jpeg,
        "progressive.jpg": encode(pattern((16, 16, 3)), "JPEG", progressive=True),
        "truncated.png": rgb[:-40],
        "truncated.jpg": jpeg[:-60],
        "header_only.png": rgb[:33],
        "huge.png": png(60000, 60000, 8, 2, zeros),
        "wide_side.png": png(2**31 - 1, 1, 1, 0, zeros),
        "claims_more.png": png(9000, 9000, 1, 0, zeros),
        "no_pixels.png": png(0, 8, 8, 2, zeros),
        "bad_depth.png": png(8, 8, 3, 2, zeros),
        "palette_missing.png": png(8, 8, 8, 3, zeros),
        "short_data.png": png(64, 64, 8, 2, bytes(100)),
        "bad_crc.png": rgb[:40] + b"X" + rgb[41:],
        "cmyk.jpg": encode(Image.fromarray(pattern((16, 16, 3))).convert("CMYK"), "JPEG"),
    }
    sof = jpeg.index(b"\xff\xc0")
    files["huge.jpg"] = jpeg[:sof + 5] + b"\x7f\xff\x7f\xff" + jpeg[sof + 9:]
    files["claims_more.jpg"] = jpeg[:sof + 5] + b"\x3f\xff\x3f\xff" + jpeg[sof + 9:]
    for name, data in files.items():
        write("corpus/image/" + name, data)


def write_resized():
    """What Pillow's BILINEAR makes of parts of an image."""
    image = np.add.outer(np.arange(37) * 5, np.arange(53) * 3).astype(np.uint8) ^ pattern((37, 53))
    arrays = {"image": image}
    for name, size, box in [("smaller", (11, 17), (0, 0, 37, 53)), ("larger", (60, 80), (0, 0, 37, 53)),
                            ("cut", (12, 20), (3.5, 10.25, 30, 33.5))]:
        top, left, height, width = box
        resized = Image.fromarray(image).resize(
            size[::-1], Image.Resampling.BILINEAR, box=(left, top, left + width, top + height))
        arrays[name] = np.asarray(resized)
        arrays[name + "_box"] = np.array(box, "f4")
    write("testdata/resized.npz", npz(compressed=True, **arrays))
    # Frequencies low enough for a JPEG decoded at an eighth to be the same image.
    y, x = np.mgrid[0:160, 0:240]
    smooth = 127 + 100 * np.sin(x / 40) * np.cos(y / 30)
    write("testdata/smooth.jpg", encode(smooth.astype(np.uint8), "JPEG", quality=95))


def write_png_header_bombs():
    """Chunks beside the pixels that unpack to much, or are many."""
    def with_chunks(chunks):
        data = png(8, 8, 8, 2, bytes(8 * 25))
        return data[:33] + b"".join(chunks) + data[33:]
    zeros = zlib.compress(bytes(1 << 26), 9)
    files = {
        "text_bomb.png": with_chunks([png_chunk(b"zTXt", b"Comment\0\0" + zeros)]),
        "profile_bomb.png": with_chunks([png_chunk(b"iCCP", b"profile\0\0" + zeros)]),
        "international_bomb.png": with_chunks([png_chunk(b"iTXt", b"a\0\1\0\0\0" + zeros)]),
        "many_texts.png": with_chunks([png_chunk(b"tEXt", b"a\0b")] * 3000),
        "control_text.png": with_chunks([png_chunk(b"tEXt", b"\x1b[31m\0\x07")]),
    }
    for name, data in files.items():
        write("corpus/image/" + name, data)


def write_webdataset_corpus():
    image = encode(pattern((6, 5, 3)), "PNG")
    jpeg = encode(pattern((16, 16, 3)), "JPEG")
    deep = b"[" * 20000
    files = {
        "good.tar": tar([("0.png", image), ("0.cls", b"1"), ("1.png", image), ("1.json", b'{"label": 0}')]),
        "jpeg.tar": tar([("a/0.jpg", jpeg), ("a/0.cls", b"0"), ("a/1.jpeg", jpeg), ("a/1.cls", b"1")]),
        "no_class.tar": tar([("0.png", image), ("1.cls", b"1")]),
        "no_image.tar": tar([("0.cls", b"1"), ("0.txt", b"text")]),
        "negative_class.tar": tar([("0.png", image), ("0.cls", b"-5")]),
        "huge_class.tar": tar([("0.png", image), ("0.cls", b"9" * 30)]),
        "deep_json.tar": tar([("0.png", image), ("0.json", deep)]),
        "nan_json.tar": tar([("0.png", image), ("0.json", b'{"label": NaN}')]),
        "control_name.tar": tar([("\x1b[31m0.png", image), ("\x1b[31m0.cls", b"1")]),
        "device.tar": tar([("0.png", image), ("0.cls", b"1"), special("0.json", tarfile.CHRTYPE)]),
    }
    for name, data in files.items():
        write("corpus/webdataset/" + name, data)


def safetensors(tensors):
    header, data = {}, b""
    for name, (dtype, array) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(array.shape),
                        "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def write_safetensors():
    x, y = np.arange(24, dtype="f4").reshape(6, 4), np.array([0, 1, 2, 0, 1, 2])
    good = safetensors({"x_train": ("F32", x), "y_train": ("I64", y), "x_test": ("F32", x[:2]),
                        "y_test": ("I64", y[:2])})
    huge = json.dumps({"x": {"dtype": "F32", "shape": [1 << 31, 1 << 31, 1 << 31],
                             "data_offsets": [0, 0]}}).encode()
    files = {
        "pairs": good,
        "bfloat": safetensors({"x": ("BF16", y.astype("u2")), "y": ("I64", y)}),
        "control_name": safetensors({"x": ("F32", x), "\x1b[31my": ("I64", y)}),
        "header_bomb": struct.pack("<Q", 1 << 62) + b"{}",
        "deep_header": struct.pack("<Q", 100000) + b"[" * 100000,
        "overflow": struct.pack("<Q", len(huge)) + huge,
    }
    for name, data in files.items():
        write("testdata/safetensors/%s.safetensors" % name, data)
    write("corpus/safetensors/pairs.safetensors", good)
    write("corpus/safetensors/control_name.safetensors", files["control_name"])
    write("corpus/safetensors/overflow.safetensors", files["overflow"])


def write_token_corpus():
    ids = pattern((64,)).astype("<u2")
    files = {
        "flat.bin": ids.tobytes(),
        "odd.bin": ids.tobytes()[:-1],
        "short.bin": ids.tobytes()[:6],
        "empty.bin": b"",
        "array.npy": npy(ids.astype("i4")),
        "negative.npy": npy(-ids.astype("i8")),
        "floats.npy": npy(ids.astype("f4")),
        "square.npy": npy(ids.reshape(8, 8)),
    }
    for name, data in files.items():
        write("corpus/tokens/" + name, data)


def zip_of(entries, method=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for name, data in entries:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = method
            z.writestr(info, data)
    return out.getvalue()


def overlapping_zip():
    """Two directory entries that share one stream: the seed of a non-recursive bomb."""
    data = zip_of([("a", b"A" * 100)])
    end = data.rindex(b"PK\x05\x06")
    start = data.index(b"PK\x01\x02")
    record = data[start:end]
    local = data.index(b"PK\x03\x04")
    assert local == 0
    other = record.replace(b"a", b"b")
    body = data[:start] + record + other
    size = 2 * len(record)
    tail = struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, 2, 2, size, start, 0)
    return body + tail


def write_zip_corpus():
    images, labels = pattern((4, 1, 5, 5)), np.array([0, 1, 2, 1])
    good = npz(x=images, y=labels)
    deflated = npz(compressed=True, x=images, y=labels)
    bomb = zip_of([("x.npy", npy(np.zeros((4, 1, 1000, 1000), "u1")))], zipfile.ZIP_DEFLATED)
    liar = bytearray(zip_of([("x.npy", bytes(200))], zipfile.ZIP_DEFLATED))
    at = liar.index(b"PK\x01\x02") + 24
    liar[at:at + 4] = struct.pack("<I", 1 << 30)
    bad_crc = bytearray(good)
    bad_crc[good.index(b"NUMPY") + 130] ^= 1
    encrypted = bytearray(good)
    encrypted[good.index(b"PK\x01\x02") + 8] |= 1
    link = io.BytesIO()
    with zipfile.ZipFile(link, "w") as z:
        info = zipfile.ZipInfo("x.npy")
        info.create_system = 3
        info.external_attr = 0o120777 << 16
        z.writestr(info, "/etc/passwd")
    files = {
        "stored.npz": good,
        "deflated.npz": deflated,
        "truncated.npz": good[:-30],
        "truncated_middle.npz": good[:len(good) // 2],
        "bomb.npz": bomb,
        "claims_more.npz": bytes(liar),
        "bad_crc.npz": bytes(bad_crc),
        "encrypted.npz": bytes(encrypted),
        "overlapping.npz": overlapping_zip(),
        "link.npz": link.getvalue(),
        "escapes.npz": zip_of([("../x.npy", npy(images))]),
        "absolute.npz": zip_of([("/x.npy", npy(images))]),
        "twice.npz": zip_of([("x.npy", npy(images)), ("x.npy", npy(images))]),
        "bzip2.npz": zip_of([("x.npy", npy(images))], zipfile.ZIP_BZIP2),
        "empty.npz": zip_of([]),
        "no_bytes.npz": b"",
    }
    for name, data in files.items():
        write("corpus/npz/" + name, data)


def write_npy_corpus():
    a = np.arange(12, dtype="f4").reshape(3, 4)
    good = npy(a)

    def header(text, data=b""):
        text = text.encode()
        return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data
    files = {
        "f4.npy": good,
        "fortran.npy": npy(a.astype(">i8"), fortran=True),
        "no_elements.npy": npy(np.zeros((0, 3), "f4")),
        "version2.npy": npy(a, version=(2, 0)),
        "objects.npy": npy(np.array([{}], dtype=object)),
        "strings.npy": npy(np.array(["a", "bc"])),
        "structured.npy": npy(np.zeros(2, dtype=[("a", "i4"), ("b", "f4")])),
        "truncated.npy": good[:-1],
        "longer.npy": good + b"x",
        "overflow.npy": header("{'descr': '<f4', 'fortran_order': True, 'shape': "
                               "(4294967296, 4294967296, 4294967296), }"),
        "overflow_zero.npy": header("{'descr': '<f4', 'fortran_order': True, 'shape': "
                                    "(4294967296, 4294967296, 0), }"),
        "negative.npy": header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }"),
        "code.npy": header("{'descr': __import__('os').abort(), 'fortran_order': False, "
                           "'shape': (1,), }"),
        "twice.npy": header("{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, "
                            "'shape': (1,), }", bytes(8)),
        "deep.npy": header("{'descr': '|u1', 'fortran_order': False, 'shape': (" + "1," * 40 +
                           "), }", bytes(1)),
        "unclosed.npy": header("{'descr': '<f4"),
        "header_claims_more.npy": b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}",
    }
    for name, data in files.items():
        write("corpus/npy/" + name, data)


def write_idx_corpus():
    images = pattern((6, 7, 5))
    labels = np.array([0, 1, 2, 3, 4, 1], np.uint8)
    good = idx(images, 8)
    files = {
        "images": good,
        "labels": idx(labels, 8),
        "floats": idx(images.astype(">f4"), 0x0d),
        "truncated": good[:-1],
        "longer": good + b"x",
        "header_cut": good[:9],
        "overflow": struct.pack(">BBBBIIII", 0, 0, 14, 4, *[0xffffffff] * 4),
        "overflow_to_zero": struct.pack(">BBBBII", 0, 0, 8, 2, 0x80000000, 2) + b"",
        "unknown_type": b"\0\0\x0a" + good[3:],
        "five_dimensions": struct.pack(">BBBBIIIII", 0, 0, 8, 5, 1, 1, 1, 1, 1) + b"x",
    }
    for name, data in files.items():
        write("corpus/idx/" + name, data)


def write_tar_corpus():
    a, b = b"A" * 700, b"B" * 3
    two = [("cat/a.png", a), ("dog/b.png", b)]
    long_name = "/".join(["folder" * 8] * 5) + "/a.png"
    good = tar(two)
    bad_size = bytearray(good)
    bad_size[124:136] = b"77777777777\0"

    def fix_checksum(block):
        block = bytearray(block)
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block[:512])
        return bytes(block)
    binary_size = bytearray(good)
    binary_size[124:136] = b"\xff" * 12
    pax = tar([(long_name + "x" * 200, a)], tarfile.PAX_FORMAT)
    files = {
        "ustar.tar": good,
        "gnu_long.tar": tar([(long_name, a)], tarfile.GNU_FORMAT),
        "pax_long.tar": pax,
        "ustar_prefix.tar": tar([("folder" * 20 + "/cat/" + "a" * 60 + ".png", a)], tarfile.USTAR_FORMAT),
        "folders.tar": tar([special("./", tarfile.DIRTYPE), special("./cat", tarfile.DIRTYPE),
                            ("./cat/a.png", a)]),
        "symlink.tar": tar([special("cat/a.png", tarfile.SYMTYPE, "/etc/passwd")] + two[1:]),
        "hard_link.tar": tar(two + [special("cat/c.png", tarfile.LNKTYPE, "cat/a.png")]),
        "device.tar": tar([special("null", tarfile.CHRTYPE)]),
        "block_device.tar": tar([special("disk", tarfile.BLKTYPE)]),
        "fifo.tar": tar([special("pipe", tarfile.FIFOTYPE)]),
        "escapes.tar": tar([("cat/../../a.png", a)]),
        "absolute.tar": tar([("/cat/a.png", a)]),
        "backslash.tar": tar([("cat\\a.png", a)]),
        "twice.tar": tar([("cat/a.png", a), ("cat/a.png", b)]),
        "twice_with_dot.tar": tar([("cat/a.png", a), ("./cat/a.png", b)]),
        "truncated.tar": good[:900],
        "no_end.tar": good[:2048],
        "bad_checksum.tar": b"x" + good[1:],
        "size_too_large.tar": fix_checksum(bytes(bad_size)),
        "binary_size_too_large.tar": fix_checksum(bytes(binary_size)),
        "bad_pax.tar": pax.replace(b" path=", b"9path="),
        "not_utf8.tar": tar([("cat/a.png", a)]).replace(b"cat", b"c\xff\xfe"),
        "empty.tar": tar([]),
    }
    files["not_utf8.tar"] = fix_checksum(files["not_utf8.tar"])
    for name, data in files.items():
        write("corpus/tar/" + name, data)


def write_gzip_corpus():
    data = gzip.compress(bytes(1000) + b"end", mtime=0)
    files = {
        "good.gz": data,
        "two_members.gz": data + data,
        "truncated.gz": data[:-4],
        "bad_checksum.gz": data[:-8] + b"xxxx" + data[-4:],
        "rubbish_after.gz": data + b"rubbish",
        "bomb.gz": gzip.compress(bytes(20_000_000), mtime=0),
        "header_only.gz": data[:10],
    }
    for name, content in files.items():
        write("corpus/gzip/" + name, content)


def write_cifar_corpus():
    def record(labels, seed):
        return bytes(labels) + pattern((3, 32, 32), seed).tobytes()
    ten = [record([label], label) for label in (0, 9, 3)]
    files = {
        "two_records.bin": b"".join(ten[:2]),
        "three_records.bin": b"".join(ten),
        "fine_labels.bin": record([19, 99], 1),
        "label_10.bin": ten[0] + record([10], 2),
        "fine_label_100.bin": record([0, 100], 1),
        "truncated.bin": b"".join(ten)[:-1],
        "empty.bin": b"",
        "names.txt": b"".join(b"class%d\n" % i for i in range(10)) + b"\n",
        "too_few_names.txt": b"cat\ndog\n",
        "strange_names.txt": b"\x1b[31mred\xff\n" * 10,
    }
    for name, content in files.items():
        write("corpus/cifar/" + name, content)


def write_folder_corpus():
    def image(seed, size=(6, 5, 3)):
        return encode(pattern(size, seed), "PNG")
    gray = encode(pattern((6, 5), 3), "PNG")
    files = {
        "split.tar": tar([("set/train/b/1.png", image(1)), ("set/train/a/2.png", image(2)),
                          ("set/test/a/3.png", image(3)), ("set/val/b/4.png", image(4))]),
        "no_split.tar": tar([("b/1.png", image(1)), ("a/2.png", image(2)), ("a/3.png", gray)]),
        "two_sizes.tar": tar([("a/1.png", image(1)), ("b/2.png", image(2, (7, 5, 3)))]),
        "two_deep.tar": tar([("a/1.png", image(1)), ("b/c/2.png", image(2))]),
        "no_class.tar": tar([("1.png", image(1)), ("b/2.png", image(2))]),
        "stranger.tar": tar([("a/1.png", image(1)), ("b/notes.txt", b"hello")]),
        "litter.tar": tar([("a/1.png", image(1)), ("b/2.png", image(2)), ("a/.DS_Store", b"x"),
                           ("a/._1.png", b"x")]),
        "damaged.tar": tar([("a/1.png", image(1)), ("b/2.png", image(2)[:60])]),
    }
    for name, content in files.items():
        write("corpus/folder/" + name, content)


def write_datasets():
    """Whole data sets in .npz, good and bad."""
    labels = np.arange(10) % 3
    nchw = pattern((10, 3, 4, 5))
    floats = (nchw.astype("f4") / 255 - 0.5) * 2
    bad_float = floats.copy()
    bad_float[7, 1, 2, 3] = np.nan
    spread = nchw.copy()
    spread[:, 1] = 77  # a channel without deviation
    scaled = spread / 255.0
    sets = {
        "nchw": dict(images=spread, labels=labels,
                     mean=scaled.mean((0, 2, 3)), std=scaled.std((0, 2, 3))),
        "nhwc": dict(x=nchw.transpose(0, 2, 3, 1), y=labels.reshape(10, 1).astype("u1")),
        "nhwc_contiguous": dict(x=np.ascontiguousarray(nchw.transpose(0, 2, 3, 1)), y=labels),
        "nhw": dict(data=nchw[:, 0], target=labels.astype("i4")),
        "split": dict(x_train=nchw[:7], y_train=labels[:7], x_test=nchw[7:], y_test=labels[7:]),
        "upper_case": dict(X_train=nchw[:7], Y_train=labels[:7]),
        "medmnist": dict(train_images=nchw[:6], train_labels=labels[:6, None],
                         val_images=nchw[6:7], val_labels=labels[6:7, None],
                         test_images=nchw[7:], test_labels=labels[7:, None]),
        "float32": dict(x=floats, y=labels),
        "nan": dict(x=bad_float, y=labels),
        "label_negative": dict(x=nchw, y=labels - 1),
        "label_huge": dict(x=nchw, y=np.where(labels == 2, 1000000, labels)),
        "label_float": dict(x=nchw, y=labels.astype("f4")),
        "one_hot": dict(x=nchw, y=np.eye(3, dtype="u1")[labels]),
        "counts_differ": dict(x=nchw, y=labels[:9]),
        "two_sizes": dict(x_train=nchw[:7], y_train=labels[:7], x_test=nchw[7:, :, 1:],
                          y_test=labels[7:]),
        "two_types": dict(x_train=nchw[:7], y_train=labels[:7], x_test=floats[7:],
                          y_test=labels[7:]),
        "int64": dict(x=nchw.astype("i8"), y=labels),
        "flat": dict(x=nchw.reshape(10, -1), y=labels),
        "empty": dict(x=nchw[:0], y=labels[:0]),
        "one_sample": dict(x=nchw[:1], y=labels[1:2]),
        "one_class": dict(x=nchw, y=labels * 0),
        "other_names": dict(pictures=nchw, kinds=labels),
        "no_labels": dict(x_train=nchw),
        "objects": dict(x=nchw, y=np.array([{}] * 10, dtype=object)),
        "no_pixels": dict(x=nchw[:, :, :0], y=labels),
    }
    ids, mask = np.arange(30).reshape(10, 3), np.arange(30).reshape(10, 3) % 2 == 0
    wanted = np.linspace(0, 1, 20).reshape(10, 2)
    positions = np.where(np.arange(40).reshape(10, 4) % 5 == 0, -100, np.arange(40).reshape(10, 4) % 7)
    sets["two_inputs"] = {"x0": ids, "x1": wanted.astype("f4"), "y": wanted}
    sets["given_names"] = {"ids_train": ids, "mask_train": mask, "wanted_train": wanted,
                           "ids_test": ids[:2], "mask_test": mask[:2], "wanted_test": wanted[:2], "x": ids}
    sets["ignored"] = {"x": ids.astype("u2"), "y": positions}
    for name, arrays in sets.items():
        write("testdata/datasets/%s.npz" % name, npz(compressed=name == "nhwc", **arrays))


def write_packed():
    """Data sets as they are published: compressed, in one archive."""
    images, labels = pattern((6, 7, 5)), np.array([0, 1, 2, 3, 4, 1], np.uint8)
    write("testdata/packed/images.gz", gzip.compress(idx(images, 8), mtime=0))
    write("testdata/packed/labels.gz", gzip.compress(idx(labels, 8), mtime=0))
    record = bytes([3]) + pattern((3, 32, 32)).tobytes()
    members = [("cifar-10-batches-bin/" + name, content) for name, content in [
        ("data_batch_1.bin", record * 2), ("test_batch.bin", record), ("readme.html", b"<html>")]]
    write("testdata/packed/cifar.tar.gz", gzip.compress(tar(members), mtime=0))
    nested = tar([("inner.tar", tar(members))])
    write("testdata/packed/nested.tar", nested)


if __name__ == "__main__":
    write_arrays()
    write_datasets()
    write_packed()
    write_image_oracle()
    write_hostile_images()
    write_resized()
    write_png_header_bombs()
    write_webdataset_corpus()
    write_token_corpus()
    write_safetensors()
    write_zip_corpus()
    write_npy_corpus()
    write_idx_corpus()
    write_tar_corpus()
    write_gzip_corpus()
    write_cifar_corpus()
    write_folder_corpus()
