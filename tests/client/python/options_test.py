"""Keyword arguments become the fields of the API's messages."""

import unittest

from mantissa import InvalidArgument, _options, _text
from mantissa.v1 import common_pb2, dataset_pb2, job_pb2, planner_pb2
from tests import cases

# Fields that have an argument of their own, or another name.
ELSEWHERE = {
    common_pb2.ModelSpec: {"model"},
    common_pb2.PrecisionSpec: {"memory_bytes", "seed"},
    job_pb2.TrainingSpec: {"init_sha256"},
    planner_pb2.PlanRequest: {"model", "precision"},
    dataset_pb2.ReadOptions: set(),
    dataset_pb2.CreateDatasetRequest: {"name", "files", "read"},
}


def fields(message):
    return set(message.DESCRIPTOR.fields_by_name) - ELSEWHERE[message]


class KeywordsTest(unittest.TestCase):

    def test_every_field_of_the_api_has_a_keyword_and_no_other_has(self):
        for message, options, more in [
                (common_pb2.ModelSpec, _options.ModelOptions, set()),
                (common_pb2.PrecisionSpec, _options.PrecisionOptions, {"memory", "policy_seed"}),
                (job_pb2.TrainingSpec, _options.TrainingOptions, {"init"}),
                (planner_pb2.PlanRequest, _options.LossOptions, set()),
                (dataset_pb2.ReadOptions, _options.ReadOptions, set()),
                (dataset_pb2.CreateDatasetRequest, _options.SplitOptions, set())]:
            with self.subTest(message.DESCRIPTOR.name):
                self.assertEqual(fields(message) | more, set(options.__annotations__))

    def test_keywords_of_a_job_are_found_in_their_messages(self):
        spec = _options.job_spec("net", "digits", {
            "width": 0.5, "freeze": ["a.*", "b"], "low_ratio": 0.25, "memory": "1KiB",
            "policy_seed": 7, "steps": 3, "loss": "mse", "dynamic_loss_scale": False, "seed": 9,
            "init": "ab12"})
        self.assertEqual(("net", 0.5, ["a.*", "b"]),
                         (spec.model.model, spec.model.width, list(spec.model.freeze)))
        self.assertEqual((0.25, 1024, 7), (spec.precision.low_ratio, spec.precision.memory_bytes,
                                           spec.precision.seed))
        training = spec.training
        self.assertEqual((3, common_pb2.LOSS_MSE, 9, "ab12"),
                         (training.steps, training.loss, training.seed, training.init_sha256))
        self.assertTrue(training.HasField("dynamic_loss_scale"))
        self.assertFalse(training.HasField("momentum"))

    def test_none_is_as_if_left_out(self):
        spec = _options.job_spec("net", "digits", {"low_ratio": None, "freeze": None, "init": None})
        self.assertEqual(_options.job_spec("net", "digits", {}), spec)

    def test_words_are_read_with_either_stroke(self):
        for word in ("cross_entropy", "cross-entropy", "CROSS_ENTROPY"):
            request = _options.plan_request("net", {"loss": word})
            self.assertEqual(common_pb2.LOSS_CROSS_ENTROPY, request.loss)

    def test_single_pattern_is_not_read_letter_by_letter(self):
        self.assertEqual(["stem.*"],
                         list(_options.plan_request("net", {"freeze": "stem.*"}).model.freeze))

    def test_unknown_word_names_those_allowed(self):
        with self.assertRaises(InvalidArgument) as caught:
            _options.plan_request("net", {"optimizer": "adam"})
        self.assertEqual("optimizer", caught.exception.field)
        self.assertEqual("optimizer is 'adam'; allowed: sgd, adamw. Is adamw meant?",
                         str(caught.exception))

    def test_unknown_keyword_is_a_type_error_that_names_the_nearest(self):
        with self.assertRaisesRegex(TypeError, "no option low_ration. Is low_ratio meant"):
            _options.plan_request("net", {"low_ration": 0.5})
        with self.assertRaisesRegex(TypeError, "no option epochs"):
            _options.plan_request("net", {"epochs": 5})

    def test_value_of_the_wrong_type_is_refused_with_its_keyword(self):
        with self.assertRaisesRegex(InvalidArgument, "batch_size is 'many'"):
            _options.plan_request("net", {"batch_size": "many"})


class SizesTest(unittest.TestCase):

    def test_sizes_are_read_as_the_command_reads_them(self):
        for text, expected in [("8GiB", 8 << 30), ("1.5 GB", 1_500_000_000), ("4096", 4096),
                               (4096, 4096), ("0.5kib", 512), (" 2 TB ", 2 * 10**12)]:
            self.assertEqual(expected, _text.parse_bytes(text, "memory"), text)

    def test_what_is_no_size_is_refused(self):
        for text in ("", "GiB", "-1", "1e9", "8 Gi", "0", "0.1", "99999999TiB", "nan", 0, -5):
            with self.assertRaises(InvalidArgument, msg=text):
                _text.parse_bytes(text, "memory")

    def test_sizes_are_shown_in_their_unit(self):
        self.assertEqual(["512 B", "1.5 KiB", "2.0 GiB"],
                         [_text.show_bytes(size) for size in (512, 1536, 2 << 30)])


class PrintableTest(unittest.TestCase):

    def test_control_characters_never_reach_a_terminal(self):
        self.assertEqual("a\\x1b[31mb\\x07\n\tc\\x9b", _text.printable("a\x1b[31mb\x07\n\tc\x9b"))

    def test_columns_of_a_table_are_aligned(self):
        self.assertEqual("A     BB\nlong   1\nx     22\n",
                         _text.table(["A", "BB"], [["long", "1"], ["x", "22"]], right=" r"))


if __name__ == "__main__":
    cases.main()
