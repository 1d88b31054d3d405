"""Models that mean harm or are broken: refused by name, soon, and the server stays up."""

import glob
import os
import time
import zipfile

from tests import cases
from tests.e2e import harness

CORPUS = os.path.abspath("tests/server/models/corpus")
GOOD = os.path.abspath("tests/server/models/testdata/tied.pt2")
# Seconds that a hostile file may cost.
PATIENCE = 30
# Bytes of one that unpacks to far more.
BOMB = 3 << 30


class WrongModelTest(harness.ServerTest):

    def tearDown(self):
        self.assertTrue(self.server.alive(), "the server is down")
        super().tearDown()
        harness.wait_for("no worker", lambda: not self.server.workers())
        names = [model["name"] for model in self.server.json("model", "list")["models"]]
        self.assertNotIn("wrong", names)

    def push_refused(self, case, path, *words):
        start = time.monotonic()
        result = self.server.run("model", "push", "wrong", path, code=4, timeout=2 * PATIENCE)
        self.assertLess(time.monotonic() - start, PATIENCE, case)
        self.assertIn("`wrong`", result.err, case)
        for word in words:
            self.assertIn(word, result.err, case)
        harness.seen(case, result.err[len("mantissa: refused: "):])

    def changed(self, name, change):
        """The good archive with `change` of each entry's name and bytes; None leaves it out."""
        path = self.path(name)
        with zipfile.ZipFile(GOOD) as good, zipfile.ZipFile(path, "w") as out:
            for info in good.infolist():
                entry = change(info.filename, good.read(info))
                if entry is not None:
                    out.writestr(zipfile.ZipInfo(entry[0]), entry[1])
        return path

    def program(self, name, old, new):
        """The good archive with a text of its program replaced."""
        def change(entry, data):
            if entry.endswith("models/model.json"):
                self.assertIn(old, data)
                data = data.replace(old, new, 1)
            return entry, data
        return self.changed(name, change)

    def test_hostile_archives_are_refused_by_name(self):
        archives = [path for path in sorted(glob.glob(os.path.join(CORPUS, "*.pt2")))
                    if os.path.basename(path) not in ("linear.pt2", "zip64.pt2")]
        self.assertGreaterEqual(len(archives), 5)
        for path in archives:
            self.push_refused("archive %s" % os.path.basename(path), path)

    def test_what_is_no_archive_is_refused(self):
        self.push_refused("a file of no bytes", self.path("void.pt2", b""))
        self.push_refused("a text file", self.path("text.pt2", "hello " * 100))
        path = self.path("old.pt2")
        with zipfile.ZipFile(path, "w") as out:
            out.writestr("archive/data.pkl", b"\x80\x02}q\x00.")
            out.writestr("archive/version", "3")
        self.push_refused("a pickle of torch.save", path, "pickle")

    def test_bombs_are_refused_before_memory_is_taken(self):
        path = self.path("bomb.pt2")
        with zipfile.ZipFile(GOOD) as good, zipfile.ZipFile(path, "w") as out:
            for info in good.infolist():
                if not info.filename.endswith("models/model.json"):
                    out.writestr(zipfile.ZipInfo(info.filename), good.read(info))
                    continue
                entry = zipfile.ZipInfo(info.filename)
                entry.compress_type = zipfile.ZIP_DEFLATED
                with out.open(entry, "w", force_zip64=True) as f:
                    for _ in range(BOMB >> 20):
                        f.write(b" " * (1 << 20))
        self.push_refused("a program of 3 GiB in an archive of %d KiB" %
                          (os.path.getsize(path) >> 10), path)

    def test_deep_json_is_refused(self):
        deep = b"[" * 100000
        path = self.changed("deep.pt2", lambda name, data: (
            name, deep if name.endswith("models/model.json") else data))
        self.push_refused("JSON 100,000 levels deep", path)

    def test_unknown_operators_are_refused_by_name(self):
        path = self.program("operator.pt2", b"torch.ops.aten.softmax.int",
                            b"torch.ops.aten.nobody.int")
        self.push_refused("an operator that is none", path, "nobody")
        path = self.program("custom.pt2", b"torch.ops.aten.softmax.int",
                            b"torch.ops.mine.softmax.int")
        self.push_refused("an operator of somebody's own", path, "mine")

    def test_programs_that_lie_are_refused(self):
        self.push_refused("an operator that makes another type than the program says",
                          self.program("type.pt2", b'"linear": {"dtype": 7', b'"linear": {"dtype": 5'))
        self.push_refused("an operator that makes another shape than the program says",
                          self.program("shape.pt2", b'{"as_int": 2}, {"as_int": 10}]',
                                       b'{"as_int": 2}, {"as_int": 11}]'))
        self.push_refused("an operator that reads what nothing makes",
                          self.program("name.pt2",
                                       b'"self", "arg": {"as_tensor": {"name": "masked_fill"}}',
                                       b'"self", "arg": {"as_tensor": {"name": "nowhere"}}'),
                          "nowhere")

    def test_server_that_reads_has_room_for_the_next_one(self):
        self.push_refused("before a good one", self.path("void.pt2", b""))
        self.server.json("model", "push", "good", GOOD)
        self.server.run("model", "rm", "good")


if __name__ == "__main__":
    cases.main()
