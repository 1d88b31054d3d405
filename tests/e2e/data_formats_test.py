"""Data beyond images in arrays: pushed by the command line, described, trained on."""

import json
import os
import struct

from tests import cases
from tests.e2e import harness, images, npz

# Looks tokens up in ten rows: int64 [N, 2] to [N, 2, 10].
TOKEN_MODEL = os.path.join(os.environ["TEST_SRCDIR"], "mantissa/tests/server/models/testdata",
                           "tied.pt2")
SHORT = ["--batch-size", "4", "--epochs", "2", "--lr", "0.01", "--threads", "1", "--wait"]
SMALL = ["--model", "squeezenet", "--width", "0.1"] + SHORT


def safetensors(tensors):
    """The bytes of a file of (name, dtype, shape, data)."""
    header, offset = {}, 0
    for name, dtype, shape, data in tensors:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + b"".join(data for *_, data in tensors)


class DataFormatsTest(harness.ServerTest):

    def trained(self, *args):
        job = self.server.json("submit", *args)
        self.assertEqual("JOB_STATE_SUCCEEDED", job["state"])
        return job

    def test_tokens_train_a_model_of_ones_own(self):
        os.mkdir(os.path.join(self.server.folder, "text"))
        for name, count in [("train.bin", 41), ("val.bin", 9)]:
            ids = [(3 * i) % 10 for i in range(count)]
            self.path("text/" + name, struct.pack("<%dH" % count, *ids))
        text = self.server.json("dataset", "push", "text",
                                os.path.join(self.server.folder, "text"), "--sequence-length", "2")
        self.assertEqual(("tokens", [2], 10, 20, 4),
                         (text["format"], text["sample_shape"], text["classes"],
                          text["train_samples"], text["test_samples"]))
        self.assertEqual("DATA_TYPE_INT64", text["inputs"][0]["data_type"])
        self.trained("--model", TOKEN_MODEL, "--dataset", "text", *SHORT)

    def test_tokens_beyond_the_models_vocabulary_are_refused(self):
        path = self.path("many.bin", struct.pack("<30H", *range(30)))
        self.server.json("dataset", "push", "many", path, "--sequence-length", "2")
        refused = self.server.run("submit", "--model", TOKEN_MODEL, "--dataset", "many", *SHORT,
                                  code=None)
        self.assertNotEqual(0, refused.code)
        self.assertIn("10", refused.err + refused.out)

    def test_webdataset_shards_train_a_built_in_model(self):
        folder = os.path.join(self.server.folder, "shards")
        os.mkdir(folder)
        for shard, count in [("train-0.tar", 8), ("train-1.tar", 8), ("val-0.tar", 4)]:
            members = {}
            for i in range(count):
                # Of several sizes, cut to one.
                members["%04d.png" % i] = images.png(32 + i, 40, (20 * i, 255 * (i % 2), 0))
                members["%04d.cls" % i] = b"%d" % (i % 2)
            images.tar(os.path.join(folder, shard), members)
        refused = self.server.run("dataset", "push", "shards", folder, code=4)
        self.assertIn("image size", refused.err)
        shards = self.server.json("dataset", "push", "shards", folder, "--image-size", "32x32")
        self.assertEqual(("webdataset", [3, 32, 32], 2, 16, 4),
                         (shards["format"], shards["sample_shape"], shards["classes"],
                          shards["train_samples"], shards["test_samples"]))
        self.trained("--dataset", "shards", "--augment", "resized-crop-flip", "--loader-threads",
                     "2", *SMALL)

    def test_safetensors_with_a_target_of_numbers_are_trained_with_mse(self):
        count = 12
        x = struct.pack("<%df" % (count * 3072), *[(i % 7) / 7 for i in range(count * 3072)])
        y = struct.pack("<%df" % (count * 2), *[i / 24 for i in range(count * 2)])
        path = self.path("pairs.safetensors", safetensors(
            [("pixels", "F32", [count, 3, 32, 32], x), ("wanted", "F32", [count, 2], y)]))
        pairs = self.server.json("dataset", "push", "pairs", path, "--inputs", "pixels", "--target",
                                 "wanted")
        self.assertEqual(("safetensors", "pixels", "wanted", [2]),
                         (pairs["format"], pairs["inputs"][0]["name"], pairs["target"]["name"],
                          pairs["target"]["shape"]))
        job = self.trained("--dataset", "pairs", "--loss", "mse", "--classes", "2", *SMALL)
        evaluations = [event["evaluated"] for event in self.server.events(job["id"])
                       if "evaluated" in event]
        self.assertTrue(evaluations)
        for evaluation in evaluations:
            self.assertNotIn("accuracy", evaluation)

    def test_arrays_beside_each_other_are_one_data_set(self):
        folder = os.path.join(self.server.folder, "arrays")
        os.mkdir(folder)
        for name, array in [("x", npz.Array("|u1", (8, 32, 32, 3), bytes(range(256)) * 96)),
                            ("y", npz.Array("<i4", (8,), struct.pack("<8i", *[0, 1] * 4)))]:
            self.path("arrays/%s.npy" % name, npz.npy(array))
        arrays = self.server.json("dataset", "push", "arrays", folder)
        self.assertEqual(("npz", [3, 32, 32]), (arrays["format"], arrays["sample_shape"]))


if __name__ == "__main__":
    cases.main()
