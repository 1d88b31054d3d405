"""Every dependency says where it comes from, its licence and why it is here."""

import unittest

from tests import cases
from tests.lint import tree

REQUIRED = ["From:", "Licence:", "Why:"]

# Rules and stand-ins of ours; third_party/bazel/README.md has the same three lines.
OWN = {"wheels"}


def folders():
    """Texts of each third_party folder, by its name."""
    texts = {}
    for path in tree.files():
        parts = path.split("/")
        if parts[0] == "third_party" and len(parts) > 2:
            texts.setdefault(parts[1], []).append(tree.read(path))
    return texts


def missing(texts):
    return [word for word in REQUIRED if not any(word in text for text in texts)]


class ThirdPartyTest(unittest.TestCase):

    def test_every_folder_tells_origin_licence_and_reason(self):
        findings = {name: missing(texts) for name, texts in folders().items() if name not in OWN}
        findings["bazel"] = [] if "Licence:" in "".join(folders()["bazel"]) else ["Licence:"]
        self.assertEqual({}, {name: words for name, words in findings.items() if words})

    def test_folder_without_a_licence_is_found(self):
        self.assertEqual(["Licence:"], missing(["# From: x", "# Why: y"]))


if __name__ == "__main__":
    cases.main()
