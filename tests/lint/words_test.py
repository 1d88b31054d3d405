"""The tree speaks of Mantissa alone: not of how it came about, nor of the machine it was made on."""

import re
import unittest

from tests import cases
from tests.lint import tree

# This file may name them.
SELF = "tests/lint/words_test.py"

WORDS = [
    # Homes on the machine of whoever wrote it.
    r"/root/",
    # Where work is tracked: the tree says what is, a commit says why.
    r"(?i)\bissues? #?\d+\b",
    # Hosts of registries: they belong into the configuration of their clients.
    r"\b(pypi|pythonhosted|npmjs|golang|debian|maven|crates)\.(org|io|com)\b",
    # Work left undone.
    r"\b(TODO|FIXME)\b",
]


def forbidden(path, text):
    if path == SELF or path.endswith((".lock", ".json", ".npz", ".png", ".bin")):
        return []
    return ["%s:%d: %s" % (path, number, match.group(0))
            for number, line in enumerate(text.splitlines(), 1)
            for word in WORDS for match in re.finditer(word, line)]


class WordsTest(unittest.TestCase):

    def test_no_file_speaks_of_anything_but_mantissa(self):
        findings = [finding for path in tree.files() for finding in forbidden(path, tree.read(path))]
        self.assertEqual([], findings, "\n" + "\n".join(findings))

    def test_samples_are_found(self):
        for line in ["see issue 4", "// TODO: later", "https://npmjs" + ".com/x", "/root/.cache"]:
            self.assertEqual(1, len(forbidden("a.cc", line)), line)

    def test_plain_words_pass(self):
        for line in ["issues a token", "issue a warning", "mktemp /tmp/mantissa",
                     "todo_list"]:
            self.assertEqual([], forbidden("a.cc", line), line)


if __name__ == "__main__":
    cases.main()
