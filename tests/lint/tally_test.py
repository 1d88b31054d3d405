"""tests/tally.py counts cases truthfully."""

import unittest

from tests import tally
from tests import cases

GOOD = '<testsuites><testsuite><testcase name="A"/><testcase name="B"/></testsuite></testsuites>'
MIXED = ('<testsuites><testsuite><testcase classname="S" name="A"/>'
         '<testcase classname="S" name="B"><failure/></testcase>'
         '<testcase name="C"><skipped/></testcase><testcase name="D" status="notrun"/>'
         "</testsuite></testsuites>")


def result(label, status, uri="x", attempt=1):
    output = [{"name": "test.xml", "uri": uri}] if uri else []
    return {"id": {"testResult": {"label": label, "run": 1, "shard": 1, "attempt": attempt}},
            "testResult": {"status": status, "testActionOutput": output}}


def count(events, files=None, status=0):
    return tally.tally(events, lambda uri: (files or {"x": GOOD})[uri], status)


class TallyTest(unittest.TestCase):

    def test_cases_of_all_tests_are_added_up(self):
        events = [result("//a", "PASSED"), result("//b", "FAILED", "y")]
        counted = count(events, {"x": GOOD, "y": MIXED}, status=3)
        self.assertEqual((3, 1, 2), counted[:3])
        self.assertEqual(["//b S.B"], counted.failures)

    def test_only_the_last_attempt_counts(self):
        events = [result("//a", "FAILED", "y", 1), result("//a", "PASSED", "x", 2)]
        self.assertEqual((2, 0, 0), count(events, {"x": GOOD, "y": MIXED})[:3])

    def test_crash_without_failing_case_is_a_failure(self):
        self.assertEqual((2, 1), count([result("//a", "FAILED")], status=3)[:2])
        self.assertEqual((0, 1), count([result("//a", "TIMEOUT", uri=None)], status=3)[:2])

    def test_unreadable_file_is_a_failure(self):
        self.assertEqual((0, 1), count([result("//a", "PASSED")], {"x": "<broken"})[:2])

    def test_target_that_does_not_build_is_a_failure(self):
        events = [result("//a", "PASSED"),
                  {"id": {"targetCompleted": {"label": "//b"}}, "completed": {}},
                  {"id": {"targetCompleted": {"label": "//c"}}, "completed": {"success": True}}]
        counted = count(events, status=1)
        self.assertEqual((2, 1), counted[:2])
        self.assertEqual(["//b could not be built"], counted.failures)

    def test_target_that_cannot_be_analysed_is_a_failure(self):
        events = [{"id": {"configuredLabel": {"label": "//d"}}, "aborted": {"reason": "ANALYSIS_FAILURE"}}]
        self.assertEqual(["//d could not be built"], count(events, status=1).failures)

    def test_unexplained_status_of_bazel_is_a_failure(self):
        self.assertEqual((2, 1), count([result("//a", "PASSED")], status=37)[:2])
        self.assertEqual((2, 0), count([result("//a", "PASSED")], status=0)[:2])


if __name__ == "__main__":
    cases.main()
