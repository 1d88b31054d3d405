"""Files that are written and read: .safetensors, .npz, .tar."""

import array
import json
import pathlib
import shutil
import struct
import tarfile
import tempfile
import unittest

import numpy as np

from mantissa import DataLoss, InvalidArgument, _dataset, _safetensors
from tests import cases
from tests.e2e import npz, safetensors


def file_of(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"w": {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}}


class SafetensorsTest(unittest.TestCase):

    def test_written_file_is_read_by_an_independent_reader(self):
        values = np.arange(6, dtype=np.float32).reshape(2, 3)
        data = _safetensors.write({"w": _safetensors.of(values),
                                   "n": _safetensors.of(np.int64(3))})
        self.assertEqual({"w": array.array("f", range(6))}, safetensors.read(data))
        self.assertEqual({"w": [2, 3], "n": []}, safetensors.shapes(data))

    def test_every_type_comes_back_bit_for_bit(self):
        for dtype in ("float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8",
                      "bool"):
            values = np.array([[0, 1], [1, 0]]).astype(dtype)
            raw = _safetensors.read(_safetensors.write({"w": _safetensors.of(values)}))["w"]
            self.assertEqual((2, 2), raw.shape)
            self.assertEqual(values.tobytes(), bytes(raw.data), dtype)

    def test_empty_and_scalar_tensors_keep_their_shapes(self):
        data = _safetensors.write({"none": _safetensors.of(np.zeros((0, 3), np.float32)),
                                   "one": _safetensors.of(np.float32(2))})
        self.assertEqual({"none": (0, 3), "one": ()},
                         {name: raw.shape for name, raw in _safetensors.read(data).items()})

    def test_metadata_are_no_tensor(self):
        header = dict(entry(), __metadata__={"format": "pt"})
        self.assertEqual(["w"], list(_safetensors.read(file_of(header, bytes(8)))))

    def test_damaged_files_are_refused(self):
        good = file_of(entry(), bytes(8))
        for name, data in {
                "empty": b"", "cut in the length": good[:5], "cut in the header": good[:20],
                "cut in a tensor": good[:-1], "header too long": struct.pack("<Q", 1 << 62) + good,
                "no JSON": file_of(b"{"), "deep JSON": file_of(b"[" * 100_000),
                "a list": file_of([]), "not UTF-8": file_of(b"\xff\xfe"),
                "no entry": file_of({"w": 1}),
                "unknown type": file_of(entry(dtype="F4"), bytes(8)),
                "negative size": file_of(entry(shape=(-1, -2)), bytes(8)),
                "fraction": file_of(entry(shape=(0.5, 4)), bytes(8)),
                "negative offset": file_of(entry(offsets=(-8, 0)), bytes(8)),
                "past the end": file_of(entry(offsets=(8, 16)), bytes(8)),
                "wrong size": file_of(entry(offsets=(0, 4)), bytes(8))}.items():
            with self.subTest(name), self.assertRaises(DataLoss):
                _safetensors.read(data)

    def test_type_that_files_cannot_hold_is_refused(self):
        with self.assertRaisesRegex(InvalidArgument, "complex128; allowed: float64"):
            _safetensors.of(np.array([1j]))


class FolderTest(unittest.TestCase):

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name, content=b""):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path


class ArraysTest(FolderTest):

    def test_arrays_are_read_by_numpy_and_by_an_independent_reader(self):
        path = self.folder / "a.npz"
        images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
        _dataset.write_npz(path, {"x": images[:, :, ::-1], "y": [3, 7]})
        with np.load(path) as arrays:
            np.testing.assert_array_equal(images[:, :, ::-1], arrays["x"])
            np.testing.assert_array_equal([3, 7], arrays["y"])
        self.assertEqual((2, 3, 4), npz.read(path)["x"].shape)

    def test_same_arrays_are_the_same_file_at_any_time(self):
        arrays = {"x": np.ones((5, 2), np.float32), "y": np.arange(5)}
        first, second = self.folder / "1.npz", self.folder / "2.npz"
        _dataset.write_npz(first, arrays)
        _dataset.write_npz(second, arrays)
        self.assertEqual(first.read_bytes(), second.read_bytes())
        self.assertNotIn(b"2.npz", second.read_bytes())

    def test_array_of_objects_is_refused(self):
        for values in (np.array([{}, []], dtype=object), ["cat", "dog"]):
            with self.assertRaisesRegex(InvalidArgument, "the array 'y' has the type"):
                _dataset.write_npz(self.folder / "a.npz", {"y": values})


class GatherTest(FolderTest):

    def gather(self, data):
        scratch = self.folder / "scratch"
        scratch.mkdir(exist_ok=True)
        return _dataset.gather(data, scratch)

    def test_file_is_itself_and_files_keep_their_names(self):
        a, b = self.path("a.bin"), self.path("deep/b.bin")
        self.assertEqual({"a.bin": a}, self.gather(str(a)))
        self.assertEqual({"a.bin": a, "b.bin": b}, self.gather([a, b]))

    def test_files_of_one_name_are_refused(self):
        with self.assertRaisesRegex(InvalidArgument, "the same name"):
            self.gather([self.path("1/a"), self.path("2/a")])

    def test_folder_gives_its_visible_files(self):
        self.path("data/train.bin")
        self.path("data/.hidden")
        self.assertEqual(["train.bin"], list(self.gather(self.folder / "data")))

    def test_folder_of_images_becomes_one_tar_that_is_always_the_same(self):
        self.path("images/cat/1.png", b"one")
        self.path("images/dog/2.JPEG", b"two")
        self.path("images/.git/3.png", b"hidden")
        self.path("images/README", b"text")
        found = self.gather(self.folder / "images")
        first = found["images.tar"].read_bytes()
        with tarfile.open(found["images.tar"]) as archive:
            self.assertEqual(["cat/1.png", "dog/2.JPEG"], archive.getnames())
            self.assertEqual(b"two", archive.extractfile("dog/2.JPEG").read())
        (self.folder / "images/cat/1.png").touch()
        self.assertEqual(first, self.gather(self.folder / "images")["images.tar"].read_bytes())

    def test_folder_without_files_is_refused(self):
        (self.folder / "nothing").mkdir()
        with self.assertRaisesRegex(InvalidArgument, "has no files"):
            self.gather(self.folder / "nothing")


if __name__ == "__main__":
    cases.main()
