"""unittest.main() that also writes the test.xml that Bazel asks for, a <testcase> a method.

    if __name__ == "__main__":
        cases.main()
"""

import os
import sys
import unittest
import xml.etree.ElementTree as ElementTree


class _Result(unittest.TextTestResult):

    def __init__(self, *args):
        super().__init__(*args)
        self.names = []

    def startTest(self, test):
        super().startTest(test)
        self.names.append(test.id())


def main():
    unittest.TestCase.maxDiff = None
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    result = unittest.TextTestRunner(resultclass=_Result, verbosity=2).run(suite)
    bad = dict((test.id(), text) for test, text in result.failures + result.errors)
    skipped = dict((test.id(), text) for test, text in result.skipped)
    top = ElementTree.Element("testsuite", name=os.path.basename(sys.argv[0]))
    for name in result.names:
        case = ElementTree.SubElement(top, "testcase", name=name.replace("__main__.", ""))
        if name in bad:
            ElementTree.SubElement(case, "failure", message="failed").text = bad[name]
        elif name in skipped:
            ElementTree.SubElement(case, "skipped", message=skipped[name])
    if os.environ.get("XML_OUTPUT_FILE"):
        ElementTree.ElementTree(top).write(os.environ["XML_OUTPUT_FILE"])
    sys.exit(0 if result.wasSuccessful() and result.names else 1)
