"""Data sets that cannot be read or used: refused with the file and the reason."""

import os
import struct

from tests import cases
from tests.e2e import harness, npz
from tests.e2e.images import png


class WrongDataTest(harness.ServerTest):

    def tearDown(self):
        self.assertTrue(self.server.alive(), "the server is down")
        super().tearDown()
        listed = self.server.json("dataset", "list")["datasets"]
        self.assertLessEqual({dataset["name"] for dataset in listed}, {"digits", "good"})
        self.assertEqual([], [pid for pid in self.server.workers()
                              if not harness.wait_for("no worker", lambda:
                                                      not self.server.workers())])

    def push_refused(self, case, path, *words):
        result = self.server.run("dataset", "push", "wrong", path, code=4)
        for word in words:
            self.assertIn(word, result.err, case)
        harness.seen(case, result.err[len("mantissa: refused: "):])

    def arrays(self, name, images=(4, 1, 32, 32), labels=(0, 1, 2, 3), dtype="|u1"):
        count = 1
        for side in images:
            count *= side
        path = self.path(name)
        npz.write(path, {"images": npz.Array("|u1", images, bytes(count)),
                         "labels": npz.Array("<i8", (len(labels),),
                                             struct.pack("<%dq" % len(labels), *labels))})
        return path

    def images(self, name, files):
        """A folder of images by class."""
        for path, data in files.items():
            full = os.path.join(self.server.folder, name, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "wb") as f:
                f.write(data)
        return os.path.join(self.server.folder, name)

    def test_truncated_npz_is_refused(self):
        with open(harness.digits(self.server.folder, name="whole.npz"), "rb") as f:
            data = f.read()
        path = self.path("cut.npz", data[:len(data) // 2])
        self.push_refused("truncated .npz", path, "cut.npz")
        # A bit flipped inside the compressed pixels.
        flipped = bytearray(data)
        flipped[len(data) // 3] ^= 0x10
        self.push_refused(".npz with a flipped bit", self.path("flip.npz", bytes(flipped)),
                          "flip.npz")

    def test_empty_data_sets_are_refused(self):
        self.push_refused("empty data set", self.arrays("none.npz", (0, 1, 32, 32), ()), "none.npz")
        self.push_refused("file of no bytes", self.path("void.npz", b""), "void.npz")

    def test_folder_with_nothing_known_is_refused_before_anything_is_sent(self):
        folder = self.images("texts", {"a/readme.txt": b"hello"})
        result = self.server.run("dataset", "push", "wrong", folder, code=2)
        self.assertIn(".npz", result.err)
        missing = self.server.run("dataset", "push", "wrong", "/nonexistent.npz", code=2)
        self.assertIn("/nonexistent.npz", missing.err)

    def test_images_of_two_sizes_are_refused(self):
        folder = self.images("sizes", {"cat/1.png": png(32, 32), "cat/2.png": png(32, 32),
                                       "dog/1.png": png(32, 32), "dog/2.png": png(40, 32)})
        self.push_refused("images of two sizes", folder, "dog/2.png", "32", "40")

    def test_image_folder_of_one_size_is_taken(self):
        folder = self.images("one", {"%s/%d.png" % (kind, i): png(32, 32, 20 * i)
                                     for kind in ("cat", "dog") for i in range(5)})
        dataset = self.server.json("dataset", "push", "good", folder)
        self.assertEqual((["cat", "dog"], [1, 32, 32], 10),
                         (dataset["class_names"], dataset["sample_shape"],
                          dataset["train_samples"] + dataset["test_samples"]))

    def test_labels_that_do_not_fit_are_refused(self):
        self.push_refused("negative label", self.arrays("minus.npz", labels=(0, 1, -2, 1)), "-2")
        self.push_refused("3 labels for 4 images", self.arrays("three.npz", labels=(0, 1, 2)), "3",
                          "4")

    def test_header_that_declares_more_than_there_is_is_refused(self):
        path = self.path("bomb.npz")
        npz.write(path, {"images": npz.Array("|u1", (1 << 20, 3, 1024, 1024), b"tiny"),
                         "labels": npz.Array("|u1", (4,), bytes(4))})
        self.push_refused("header that declares 3 TB", path, "bomb.npz")

    def test_objects_and_other_types_are_refused(self):
        path = self.path("objects.npz")
        npz.write(path, {"images": npz.Array("|O", (4, 1, 32, 32), b"\x80\x04."),
                         "labels": npz.Array("|u1", (4,), bytes(4))})
        self.push_refused("pickled objects in .npz", path, "objects.npz")
        npz.write(self.path("names.npz"), {"foo": npz.Array("|u1", (4,), bytes(4))})
        self.push_refused("no array of images", self.path("names.npz"), "images")

    def test_good_data_still_pass_after_all(self):
        self.assertEqual("JOB_STATE_SUCCEEDED", self.server.submit("--wait")["state"])


if __name__ == "__main__":
    cases.main()
