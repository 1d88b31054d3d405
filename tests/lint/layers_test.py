"""Arrows between the rooms of the house (docs/layout.md): who may include and depend on whom."""

import ast
import re
import unittest

from tests import cases
from tests.lint import tree

GRPC, LIBTORCH, PROTOBUF = "gRPC", "LibTorch", "protobuf"
MESSAGES = "proto messages"

# For each room, what it may use besides itself. A file belongs to the room with the longest
# matching name. There are no exceptions beside this table.
ALLOWED = {
    "base": [],
    "kernels/formats": ["base"],
    "kernels/emulation": ["base", "kernels/formats", "kernels/emulation/cuda"],
    # What a .cu file includes instead of cuda_runtime.h.
    "kernels/emulation/cuda": ["kernels/emulation"],
    "kernels/packed": ["base", "kernels/formats", "kernels/emulation/cuda"],
    "planner": ["base", "kernels/formats"],
    "planner/wire": ["base", "kernels/formats", "planner", MESSAGES, PROTOBUF],
    # Watches jobs through the interface that server/jobs offers.
    "server/metrics": ["base", "server/jobs", MESSAGES],
    "server/data": ["base", "kernels/formats", "planner"],
    # Untrusted as well, but its zip reader is the same.
    "server/models": ["base", "kernels/formats", "planner", "server/data"],
    # Jobs and datasets are kept as the messages that describe them.
    "server/jobs": ["base", "kernels/formats", "planner", "planner/wire", "server/data", MESSAGES,
                    PROTOBUF],
    "server/rpc": ["base", "kernels/formats", "planner", "planner/wire", "server/data",
                   "server/jobs", "server/metrics", "server/rpc/report_queue",
                   "server/rpc/worker_channel", MESSAGES, PROTOBUF, GRPC],
    # What a worker needs to talk to the server; hides gRPC from the engine.
    "server/rpc/worker_channel": ["base", "kernels/formats", "planner", "planner/wire",
                                  "server/data", "server/rpc/report_queue", MESSAGES, PROTOBUF,
                                  GRPC],
    "server/rpc/report_queue": ["base", MESSAGES],
    "server/engine": ["base", "kernels/formats", "kernels/packed", "planner", "server/data",
                      "server/models", LIBTORCH],
    # The worker process around the engine: turns tasks of the server into runs.
    "server/engine/worker": ["base", "kernels/formats", "planner", "planner/wire", "server/data",
                             "server/models", "server/engine", "server/rpc/worker_channel", MESSAGES, PROTOBUF,
                             LIBTORCH],
    "server/engine/mantissa-worker": ["base", "kernels/packed", "server/engine", "server/engine/worker",
                                      "server/rpc/worker_channel"],
    "server/main": ["base", "kernels/formats", "planner", "server/data", "server/jobs",
                    "server/metrics", "server/rpc"],
    "client/cc": ["base", MESSAGES, PROTOBUF, GRPC],
    "client/cli": ["base", "kernels/formats", "planner", "planner/wire", "client/cc", MESSAGES,
                   PROTOBUF],
}

# Includes and labels of what is not a room.
FOREIGN = [
    (r"(mantissa/.*\.grpc\.pb\.h|//proto/.*:grpc)$", GRPC),
    (r"(grpcpp/|grpc/|grpc\+\+/|//third_party/grpc\b)", GRPC),
    (r"(mantissa/.*\.pb\.h|//proto/)", MESSAGES),
    (r"(google/protobuf/|google/rpc/|//third_party/(protobuf|googleapis)\b)", PROTOBUF),
    (r"(ATen/|torch/|c10/|@libtorch//|//third_party/libtorch\b)", LIBTORCH),
]

# The doors of base: what to use instead.
DOORS = [
    (r"\b(system_clock|steady_clock|high_resolution_clock)\b|\babsl::Now\(|\bgettimeofday\(|"
     r"\bclock_gettime\(|\bstd::time\(|\bsleep_for\(|\bsleep_until\(|\babsl::SleepFor\(|"
     r"\busleep\(|\bnanosleep\(", "base/clock.h"),
    (r"<fstream>|<filesystem>|\b[io]?fstream\b|\bfopen\(|\bfreopen\(|\bmkstemp\(|\bmkdtemp\(|"
     r"(?<![\w.>])(?<!\w::)(open|openat|creat|unlink|rename|mkdir|rmdir)\(", "base/file.h"),
    (r"<random>|\bmt19937|\brandom_device\b|(?<![\w.>])(?<!\w::)s?rand\(|\bstd::s?rand\(|"
     r"<openssl/rand\.h>|\babsl::BitGen\b|\bat::manual_seed\(|\btorch::manual_seed\(",
     "base/random.h or base/token.h"),
]


def room_of(path):
    """The room of a file or label path ("planner/graph/graph.h"), or None."""
    rooms = [room for room in ALLOWED
             if path == room or path.startswith(room + "/") or
             # A room may be one module of a folder: x/y is also x/y.h, x/y.cc and //x:y.
             re.match(re.escape(room) + r"[._]", path)]
    return max(rooms, key=len) if rooms else None


def target_of(reference):
    """What an include or label leads to: a room, a foreign thing, or None."""
    for pattern, name in FOREIGN:
        if re.match(pattern, reference):
            return name
    return room_of(reference.lstrip("/").replace(":", "/"))


def strip_comments(text):
    return re.sub(r'//[^\n]*|/\*.*?\*/|("(?:\\.|[^"\\\n])*")',
                  lambda match: match.group(1) or "", text, flags=re.DOTALL)


def build_references(path, text):
    """(rule name, label) for each label in deps and data of a BUILD file, made absolute."""
    package = path.rpartition("/")[0]
    for call in ast.walk(ast.parse(text)):
        if not isinstance(call, ast.Call):
            continue
        values = {keyword.arg: keyword.value for keyword in call.keywords}
        name = getattr(values.get("name"), "value", "")
        for attribute in ("deps", "data", "srcs", "implementation_deps"):
            for node in ast.walk(values[attribute]) if attribute in values else []:
                if isinstance(node, ast.Constant) and str(node.value).startswith(("//", "@", ":")):
                    label = str(node.value)
                    yield name, "//" + package + label if label.startswith(":") else label


def references(path, text):
    """(room, what it refers to) pairs of a file, each with the text of the reference."""
    if path.endswith("BUILD"):
        for name, label in build_references(path, text):
            yield room_of("%s/%s" % (path.rpartition("/")[0], name)), label
    else:
        for include in re.findall(r'^\s*#\s*include\s*["<]([^">]+)[">]', text, re.MULTILINE):
            yield room_of(path), include


def wrong_arrows(path, text):
    findings = []
    for room, reference in references(path, text):
        target = target_of(reference)
        if reference.startswith("//tests"):
            findings.append("%s: %s is for tests only" % (path, reference))
        elif room and target and target != room and target not in ALLOWED[room]:
            findings.append("%s: %s may not use %s (%s)" % (path, room, target, reference))
    return findings


def wrong_doors(path, text):
    if path.startswith("base/"):
        return []
    code = strip_comments(text)
    return ["%s: %s instead of `%s`" % (path, door, match.group(0).strip())
            for pattern, door in DOORS for match in re.finditer(pattern, code)]


def is_product(path):
    return path.startswith(("base/", "kernels/", "planner/", "server/", "client/"))


class TreeTest(unittest.TestCase):

    def test_no_arrow_points_the_wrong_way(self):
        findings = [finding for path in tree.files(".h", ".cc", ".cu", "BUILD") if is_product(path)
                    for finding in wrong_arrows(path, tree.read(path))]
        self.assertEqual([], findings, "\n" + "\n".join(findings))

    def test_clock_files_and_random_are_reached_through_base_only(self):
        findings = [finding for path in tree.files(".h", ".cc", ".cu") if is_product(path)
                    for finding in wrong_doors(path, tree.read(path))]
        self.assertEqual([], findings, "\n" + "\n".join(findings))

    def test_every_product_file_is_in_a_room(self):
        self.assertEqual([], [path for path in tree.files(".h", ".cc", ".cu")
                              if is_product(path) and room_of(path) is None])


class SampleTest(unittest.TestCase):

    def assert_found(self, path, text):
        self.assertEqual(1, len(wrong_arrows(path, text)), (path, text))

    def test_include_against_the_arrow_is_found(self):
        self.assert_found("planner/graph/graph.cc", '#include "server/jobs/queue.h"\n')
        self.assert_found("base/log.cc", '#include "planner/plan.h"\n')
        self.assert_found("kernels/formats/format.h", '#include "kernels/packed/round.h"\n')

    def test_foreign_include_outside_its_room_is_found(self):
        self.assert_found("server/jobs/queue.cc", "#include <grpcpp/grpcpp.h>\n")
        self.assert_found("client/cli/main.cc", '#include "mantissa/v1/job.grpc.pb.h"\n')
        self.assert_found("planner/plan.cc", '#include "mantissa/v1/planner.pb.h"\n')
        self.assert_found("server/rpc/service.cc", "#include <ATen/ATen.h>\n")
        self.assert_found("server/engine/worker.cc", "#include <grpcpp/grpcpp.h>\n")
        self.assert_found("server/engine/trainer.cc", '#include "mantissa/v1/job.pb.h"\n')

    def test_label_against_the_arrow_is_found(self):
        build = 'cc_library(name = "x", deps = ["//base:status", "%s"])'
        self.assert_found("planner/graph/BUILD", build % "//server/jobs:queue")
        self.assert_found("server/main/BUILD", build % "@libtorch//:cpu")
        self.assert_found("planner/BUILD", build % "//proto/mantissa/v1:messages")
        self.assert_found("server/rpc/BUILD", build % "//tests/server:fake")
        self.assert_found("server/engine/BUILD", build % "//server/rpc:worker_channel")

    def test_right_arrows_pass(self):
        self.assertEqual([], wrong_arrows("planner/wire/wire.cc",
                                          '#include "planner/plan.h"\n#include "mantissa/v1/planner.pb.h"\n'))
        self.assertEqual([], wrong_arrows(
            "server/engine/BUILD",
            'cc_library(name = "worker", deps = [":trainer", "//server/rpc:worker_channel"])'))

    def test_door_beside_base_is_found(self):
        for line in ["auto t = std::chrono::steady_clock::now();", "absl::SleepFor(d);",
                     "#include <fstream>", "int fd = open(path, 0);", "int fd = ::open(path, 0);",
                     "#include <random>",
                     "int r = rand();", "std::rand();"]:
            self.assertEqual(1, len(wrong_doors("server/jobs/queue.cc", line)), line)

    def test_comments_and_methods_of_the_same_name_pass(self):
        for line in ["// open(path)", "file->open(1);", "archive.rename(x);", "Archive::open(x);", "Reopen(x);",
                     "std::string grand(int);"]:
            self.assertEqual([], wrong_doors("server/jobs/queue.cc", line), line)


if __name__ == "__main__":
    cases.main()
