"""Files made to break their reader, pushed by the command line: each is refused by name, soon, and
the server stays up."""

import os
import struct
import time

from tests import cases
from tests.e2e import harness, images

ROOT = os.path.join(os.environ["TEST_SRCDIR"], "mantissa/tests/server/data")
MOST_SECONDS = 30

# What the file does, the file, and a word of the answer.
ARCHIVES = [
    (".npz with pickled objects", "testdata/datasets/objects.npz", "of type '|O'"),
    (".npz that leaves its folder", "corpus/npz/escapes.npz", "leaves the archive"),
    (".npz with an absolute path", "corpus/npz/absolute.npz", "leaves the archive"),
    (".npz with a link", "corpus/npz/link.npz", "is a link"),
    (".npz with overlapping entries", "corpus/npz/overlapping.npz", "overlap"),
    (".npz with an entry twice", "corpus/npz/twice.npz", "occurs twice"),
    (".npz that claims 1 GiB of 11 bytes", "corpus/npz/claims_more.npz", "claims_more.npz"),
    (".npz that is encrypted", "corpus/npz/encrypted.npz", "encrypted"),
    (".npz with a wrong checksum", "corpus/npz/bad_crc.npz", "checksum"),
    (".npz that is truncated", "corpus/npz/truncated_middle.npz", "truncated"),
    ("labels below 0", "testdata/datasets/label_negative.npz", "has the label -1"),
    ("labels out of range", "testdata/datasets/label_huge.npz", "has the label 1000000"),
    ("a number that is none", "testdata/datasets/nan.npz", "the value nan"),
    (".safetensors with a header of 4 EiB", "testdata/safetensors/header_bomb.safetensors",
     "header declares"),
    (".safetensors 100,000 levels deep", "testdata/safetensors/deep_header.safetensors",
     "nests too deep"),
    (".safetensors whose product overflows", "testdata/safetensors/overflow.safetensors",
     "overflows"),
    (".safetensors with control characters", "testdata/safetensors/control_name.safetensors",
     "none named y"),
    (".tar with a symbolic link", "corpus/tar/symlink.tar", "a symbolic link"),
    (".tar with a hard link", "corpus/tar/hard_link.tar", "a hard link"),
    (".tar with a character device", "corpus/tar/device.tar", "a device"),
    (".tar with a block device", "corpus/tar/block_device.tar", "a device"),
    (".tar with a fifo", "corpus/tar/fifo.tar", "a fifo"),
    (".tar that leaves its folder", "corpus/tar/escapes.tar", "leaves the archive"),
    (".tar with an absolute path", "corpus/tar/absolute.tar", "leaves the archive"),
    ("WebDataset with a device", "corpus/webdataset/device.tar", "a device"),
    ("WebDataset with JSON 20,000 levels deep", "corpus/webdataset/deep_json.tar", "no number"),
    ("WebDataset with NaN in JSON", "corpus/webdataset/nan_json.tar", "no number"),
    ("WebDataset with a class of 30 digits", "corpus/webdataset/huge_class.tar", "no number"),
    ("WebDataset with control characters", "corpus/webdataset/control_name.tar", "archive"),
]

# Images among good ones.
IMAGES = [
    ("PNG of 60000x60000 pixels", "huge.png", "60000x60000"),
    ("PNG that claims more than it can hold", "claims_more.png", "claims"),
    ("PNG of 2 billion pixels in a row", "wide_side.png", "2147483647x1"),
    ("PNG without pixels", "no_pixels.png", "0x8"),
    ("PNG without its palette", "palette_missing.png", "damaged PNG"),
    ("PNG with a wrong checksum", "bad_crc.png", "damaged PNG"),
    ("JPEG of 32767x32767 pixels", "huge.jpg", "32767x32767"),
    ("JPEG that is truncated", "truncated.jpg", "damaged JPEG"),
]

# Bombs beside the pixels: they are passed over, and nothing is unpacked.
HARMLESS = ["text_bomb.png", "profile_bomb.png", "international_bomb.png", "many_texts.png"]


def read(name):
    with open(os.path.join(ROOT, name), "rb") as f:
        return f.read()


class HostileDataTest(harness.ServerTest):

    def setUp(self):
        self.slowest = 0

    def tearDown(self):
        self.assertTrue(self.server.alive(), "the server is down")
        self.assertNotIn("\x1b", self.server.log())
        super().tearDown()

    def refused(self, case, path, word, *flags):
        start = time.monotonic()
        result = self.server.run("dataset", "push", "hostile", path, *flags, code=4)
        seconds = time.monotonic() - start
        self.assertLess(seconds, MOST_SECONDS, case)
        self.assertIn(word, result.err, case)
        self.assertNotIn("\x1b", result.err + result.out, case)
        self.slowest = max(self.slowest, seconds)

    def report(self, kind, count):
        harness.seen(kind, "%d refused by name in at most %.1f s each; the server is up" %
                     (count, self.slowest))

    def test_archives_are_refused_by_name(self):
        for case, name, word in ARCHIVES:
            self.refused(case, os.path.join(ROOT, name), word)
        long_header = struct.pack("<Q", 2 << 20) + b" " * (2 << 20)
        self.refused(".safetensors with a header of 2 MiB",
                     self.path("long_header.safetensors", long_header), "the limit is")
        self.report("hostile .npz, .safetensors, .tar and WebDataset", len(ARCHIVES) + 1)

    def test_images_are_refused_by_name(self):
        good = images.png(8, 8, (1, 2, 3))
        for case, name, word in IMAGES:
            path = self.path(name + ".tar")
            images.tar(path, {"a/1.png": good, "b/" + name: read("corpus/image/" + name)})
            self.refused(case, path, word, "--image-size", "8x8")
        self.report("hostile PNG and JPEG", len(IMAGES))

    def test_bombs_beside_the_pixels_do_no_harm(self):
        good = images.png(8, 8, (1, 2, 3))
        members = {"a/%s" % name: read("corpus/image/" + name) for name in HARMLESS}
        members["b/1.png"] = good
        path = self.path("bombs.tar")
        images.tar(path, members)
        start = time.monotonic()
        result = self.server.run("dataset", "push", "bombs", path, code=None)
        self.assertLess(time.monotonic() - start, MOST_SECONDS)
        self.assertIn(result.code, (0, 4), result)
        harness.seen("PNG with text and profiles that unpack to 64 MiB",
                     "%d taken or refused in %.1f s" % (len(HARMLESS), time.monotonic() - start))

    def test_idx_whose_product_overflows_is_refused(self):
        for name in ("overflow", "overflow_to_zero", "truncated", "header_cut"):
            folder = self.path("idx-" + name)
            os.mkdir(folder)
            self.path("idx-%s/train-images-idx3-ubyte" % name, read("corpus/idx/" + name))
            self.path("idx-%s/train-labels-idx1-ubyte" % name, read("corpus/idx/labels"))
            self.refused("IDX " + name, folder, "train-images-idx3-ubyte")
        self.report("hostile IDX", 4)

    def test_tokens_out_of_range_are_refused(self):
        many = self.path("many.bin", struct.pack("<8H", *range(60000, 60008)))
        self.refused("tokens beyond the vocabulary", many, "token 0 (from 0) is 60000",
                     "--sequence-length", "4", "--vocabulary", "50000")
        odd = self.path("odd.bin", b"abc")
        self.refused("a file of half a token", odd, "no multiple of 2", "--sequence-length", "1")
        self.report("hostile token files", 2)

    def test_names_with_control_characters_are_shown_in_ascii(self):
        path = self.path("colour\x1b[31m.npz", read("corpus/npz/truncated_middle.npz"))
        self.refused("a file whose name colours a terminal", path, "colour")
        self.report("a file name with control characters", 1)


if __name__ == "__main__":
    cases.main()
