"""Files and functions stay small."""

import re
import unittest

from tests import cases
from tests.lint import tree

FILE_MAX = 1000
FILE_P95 = 600
FILE_MEDIAN = 150
FUNCTION_MAX = 120
FUNCTION_P95 = 40


def percentile(values, share):
    """The smallest value that at least `share` of `values` do not exceed; 0 if there are none."""
    ordered = sorted(values)
    return ordered[max(0, -int(-len(ordered) * share // 1) - 1)] if ordered else 0


def blank(text):
    """C++ `text` with comments, literals and preprocessor lines blanked; lines stay lines."""
    pattern = (r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^(\s]*)\(.*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"|'
               r"(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])*'|^[ \t]*#(?:\\\n|[^\n])*")
    return re.sub(pattern, lambda match: re.sub(r"[^\n]", " ", match.group(0)), text,
                  flags=re.DOTALL | re.MULTILINE)


def functions(text):
    """(first line, number of lines) of each function body with its head in C++ `text`."""
    found = []
    # Kind of each open brace: "scope" (namespace, class, ...), "function" or "other".
    stack = []
    code = blank(text)
    head_start = 0
    for at, char in enumerate(code):
        if char == "{":
            head = code[head_start:at].strip()
            inside = any(kind == "function" for kind, _ in stack)
            if not inside and re.match(r"(template\s*<.*>\s*)?(inline\s+)?(namespace|class|struct|union|enum|extern)\b", head, re.DOTALL) \
                    and not re.search(r"\)\s*(const|override|noexcept|final)?\s*$", head):
                stack.append(("scope", 0))
            elif not inside and "(" in head and not re.search(r"=\s*$", head):
                first = head_start + len(code[head_start:at]) - len(code[head_start:at].lstrip())
                stack.append(("function", first))
            else:
                stack.append(("other", 0))
            head_start = at + 1
        elif char == "}":
            kind, first = stack.pop() if stack else ("other", 0)
            if kind == "function":
                found.append((code.count("\n", 0, first) + 1, code.count("\n", first, at) + 1))
            head_start = at + 1
        elif char == ";":
            head_start = at + 1
    return found


class TreeTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        paths = tree.files(".h", ".cc", ".cu", ".py", ".bzl", ".sh", ".proto")
        cls.lines = {path: tree.read(path).count("\n") for path in paths}
        cls.functions = {"%s:%d" % (path, first): length for path in paths
                         if path.endswith((".h", ".cc", ".cu"))
                         for first, length in functions(tree.read(path))}

    def test_no_file_is_longer_than_a_thousand_lines(self):
        self.assertEqual({}, {path: n for path, n in self.lines.items() if n > FILE_MAX})

    def test_most_files_are_short(self):
        self.assertLessEqual(percentile(self.lines.values(), 0.5), FILE_MEDIAN)
        self.assertLessEqual(percentile(self.lines.values(), 0.95), FILE_P95)

    def test_no_function_is_longer_than_120_lines(self):
        self.assertEqual({}, {at: n for at, n in self.functions.items() if n > FUNCTION_MAX})

    def test_most_functions_are_short(self):
        longest = sorted(self.functions, key=self.functions.get)[-20:]
        self.assertLessEqual(percentile(self.functions.values(), 0.95), FUNCTION_P95, longest)


class SampleTest(unittest.TestCase):

    def test_functions_are_found_with_their_length(self):
        text = """namespace a {
// not here {
class B : public C {
 public:
  B(int x)
      : x_{x} {
  }
  int f() const { return 1; }  // 1 line
  int x_ = 0;
};
std::map<int, int> table = {{1, 2}};
template <typename T>
struct D {
};
void g(const char* s = "{") {
  if (s) {
    h([] { return 1; });
  }
}
}  // namespace a
"""
        self.assertIn((8, 1), functions(text))
        self.assertIn((15, 5), functions(text))
        self.assertEqual(3, len(functions(text)))

    def test_long_function_is_found(self):
        text = "int f() {\n" + "  g();\n" * 200 + "}\n"
        self.assertEqual([(1, 202)], functions(text))

    def test_percentile_is_the_value_that_the_share_does_not_exceed(self):
        self.assertEqual(95, percentile(range(1, 101), 0.95))
        self.assertEqual(2, percentile([3, 1, 2], 0.5))
        self.assertEqual(0, percentile([], 0.5))


if __name__ == "__main__":
    cases.main()
