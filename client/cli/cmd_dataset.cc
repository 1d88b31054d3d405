#include "client/cli/cmd_dataset.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "client/cc/dataset.h"
#include "client/cli/job_text.h"
#include "client/cli/table.h"
#include "client/cli/text.h"
#include "client/cli/transfer_view.h"
#include "mantissa/v1/dataset.pb.h"

namespace mantissa::cli {
namespace {

std::string Samples(const v1::Dataset& dataset) {
  return absl::StrCat(Count(dataset.train_samples()), " to train, ", Count(dataset.test_samples()),
                      " to test");
}

std::string Shape(const v1::Dataset& dataset) { return absl::StrJoin(dataset.sample_shape(), "x"); }

std::string Statistics(const google::protobuf::RepeatedField<float>& values) {
  return absl::StrJoin(values, ", ",
                       [](std::string* out, float value) { absl::StrAppend(out, Number(value)); });
}

std::string Description(const v1::Dataset& dataset) {
  std::string text = RenderFacts({
      {"data set", dataset.name()},
      {"format", dataset.format()},
      {"samples", Samples(dataset)},
      {"shape", Shape(dataset)},
      {"classes", absl::StrCat(dataset.classes())},
      {"class names", absl::StrJoin(dataset.class_names(), ", ")},
      {"mean", dataset.mean().empty() ? "not normalised" : Statistics(dataset.mean())},
      {"deviation", Statistics(dataset.stddev())},
      {"size", Bytes(dataset.size_bytes())},
      {"content", dataset.content_sha256()},
      {"created", dataset.has_create_time() ? Moment(TimeOf(dataset.create_time())) : ""},
  });
  Table table({{"FILE"}, {"SIZE", Table::kRight}, {"SHA-256"}});
  for (const v1::DatasetFile& file : dataset.files()) {
    table.AddRow({file.name(), Bytes(file.size_bytes()), file.sha256()});
  }
  return absl::StrCat(text, "\n", table.Render());
}

std::string DatasetTable(const v1::ListDatasetsResponse& all) {
  Table table({{"NAME"},
               {"FORMAT"},
               {"TRAIN", Table::kRight},
               {"TEST", Table::kRight},
               {"SHAPE"},
               {"CLASSES", Table::kRight},
               {"SIZE", Table::kRight},
               {"CREATED"}});
  for (const v1::Dataset& dataset : all.datasets()) {
    table.AddRow({dataset.name(), dataset.format(), Count(dataset.train_samples()),
                  Count(dataset.test_samples()), Shape(dataset), absl::StrCat(dataset.classes()),
                  Bytes(dataset.size_bytes()), Moment(TimeOf(dataset.create_time()))});
  }
  return table.Render();
}

// All pages in one answer.
absl::StatusOr<v1::ListDatasetsResponse> ListAll(client::Client& client) {
  v1::ListDatasetsResponse all;
  v1::ListDatasetsRequest request;
  do {
    ASSIGN_OR_RETURN(const v1::ListDatasetsResponse page, client.ListDatasets(request));
    all.mutable_datasets()->MergeFrom(page.datasets());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return all;
}

std::string PushText(const client::PushResult& result) {
  return absl::StrCat(client::DataKindName(result.kind), ", ",
                      result.sent_bytes == 0 ? "nothing sent: the server had all of it"
                                             : absl::StrCat(Bytes(result.sent_bytes), " sent"),
                      "\n");
}

}  // namespace

absl::StatusOr<ExitCode> RunDatasetPush(Invocation& run) {
  v1::CreateDatasetRequest request;
  RETURN_IF_ERROR(run.Fill(&request));
  request.set_name(run.Positional(0));
  ASSIGN_OR_RETURN(client::Client * client, run.Connect());
  TransferView view(run.io(), "sent");
  client::PushOptions options = {.transfer = view.Options()};
  const auto temp = run.io().Environment("TMPDIR");
  if (temp.has_value() && !temp->empty()) options.temp_folder = *temp;
  ASSIGN_OR_RETURN(
      const client::PushResult result,
      client::PushDataset(*client, run.io().files(), run.Positional(1), request, options));
  view.Done();
  run.io().Err(PushText(result));
  run.Print(result.dataset, [&] { return Description(result.dataset); });
  return kSucceeded;
}

absl::StatusOr<ExitCode> RunDatasetList(Invocation& run) {
  ASSIGN_OR_RETURN(client::Client * client, run.Connect());
  ASSIGN_OR_RETURN(const v1::ListDatasetsResponse all, ListAll(*client));
  run.Print(all, [&] { return DatasetTable(all); });
  return kSucceeded;
}

absl::StatusOr<ExitCode> RunDatasetDescribe(Invocation& run) {
  v1::GetDatasetRequest request;
  request.set_name(run.Positional(0));
  ASSIGN_OR_RETURN(client::Client * client, run.Connect());
  ASSIGN_OR_RETURN(const v1::Dataset dataset, client->GetDataset(request));
  run.Print(dataset, [&] { return Description(dataset); });
  return kSucceeded;
}

absl::StatusOr<ExitCode> RunDatasetRemove(Invocation& run) {
  v1::DeleteDatasetRequest request;
  request.set_name(run.Positional(0));
  ASSIGN_OR_RETURN(client::Client * client, run.Connect());
  RETURN_IF_ERROR(client->DeleteDataset(request));
  run.Print(v1::DeleteDatasetResponse(),
            [&] { return absl::StrCat("removed ", Printable(run.Positional(0)), "\n"); });
  return kSucceeded;
}

}  // namespace mantissa::cli
