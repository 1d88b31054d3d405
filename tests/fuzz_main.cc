// Runs LLVMFuzzerTestOneInput over the files of a corpus, then over random changes of them.
//
//   fuzz_test --mutations=3000 corpus/a.npz corpus/b.npz
//
// A crash leaves the input that caused it in $TEST_UNDECLARED_OUTPUTS_DIR, or the working folder.
// Memory is limited, so that a parser that believes an absurd size dies.

#include <sys/resource.h>
#include <sys/time.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/file.h"
#include "base/random.h"
#include "base/status.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace mantissa {
namespace {

constexpr rlim_t kMaxMemoryBytes = rlim_t{2} << 30;
constexpr unsigned int kMaxSecondsPerInput = 20;

// The input under test, for the handler.
std::string* current_input = nullptr;

void SaveInput(int signal) {
  const char* folder = std::getenv("TEST_UNDECLARED_OUTPUTS_DIR");
  const std::string path = JoinPath(folder != nullptr ? folder : ".", "crash-input");
  if (FILE* file = std::fopen(path.c_str(), "wb")) {
    std::fwrite(current_input->data(), 1, current_input->size(), file);
    std::fclose(file);
  }
  std::fprintf(stderr, "fuzz_main: signal %d; the input is in %s\n", signal, path.c_str());
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void RunOne(const std::string& input) {
  *current_input = input;
  alarm(kMaxSecondsPerInput);
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(current_input->data()),
                         current_input->size());
}

// Values at which sizes and offsets go wrong.
constexpr uint64_t kInteresting[] = {0,          1,          0x7f,       0x80,
                                     0xff,       0x7fff,     0x8000,     0xffff,
                                     0x7fffffff, 0x80000000, 0xffffffff, 0xffffffffffffffff};

void Overwrite(RandomStream& random, std::string& input) {
  const size_t width = size_t{1} << random.Below(4);
  if (input.size() < width) return;
  const size_t at = random.Below(input.size() - width + 1);
  const uint64_t value = kInteresting[random.Below(std::size(kInteresting))];
  const bool big_endian = random.Below(2) != 0;
  for (size_t i = 0; i < width; ++i) {
    const size_t shift = 8 * (big_endian ? width - 1 - i : i);
    input[at + i] = static_cast<char>(value >> shift);
  }
}

void Mutate(RandomStream& random, const std::vector<std::string>& corpus, std::string& input) {
  if (input.empty()) input = std::string(1 + random.Below(64), '\0');
  const size_t at = random.Below(input.size());
  const size_t length = 1 + random.Below(std::min<size_t>(input.size() - at, 64));
  switch (random.Below(7)) {
    case 0:
      input[at] = static_cast<char>(input[at] ^ (1 << random.Below(8)));
      break;
    case 1:
      input[at] = static_cast<char>(random.Next());
      break;
    case 2:
      Overwrite(random, input);
      break;
    case 3:
      input.erase(at, length);
      break;
    case 4:
      input.insert(at, input.substr(random.Below(input.size()), length));
      break;
    case 5:
      input.resize(at);
      break;
    default: {
      const std::string& other = corpus[random.Below(corpus.size())];
      if (!other.empty()) input = input.substr(0, at) + other.substr(random.Below(other.size()));
    }
  }
}

int Main(int argc, char** argv) {
  current_input = new std::string;
  for (int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGALRM}) std::signal(signal, SaveInput);
  int mutations = 0;
  std::vector<std::string> corpus;
  for (int i = 1; i < argc; ++i) {
    absl::string_view argument = argv[i];
    if (absl::ConsumePrefix(&argument, "--mutations=")) {
      MANTISSA_CHECK(absl::SimpleAtoi(argument, &mutations));
      continue;
    }
    absl::StatusOr<std::string> content = RealFileSystem().Read(argument);
    MANTISSA_CHECK_OK(content);
    corpus.push_back(*std::move(content));
  }
  MANTISSA_CHECK(!corpus.empty(), "a fuzz test without a corpus tests nothing");
#if !defined(__SANITIZE_ADDRESS__)
  const rlimit limit = {kMaxMemoryBytes, kMaxMemoryBytes};
  MANTISSA_CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
#endif
  for (const std::string& input : corpus) RunOne(input);
  const char* seed = std::getenv("FUZZ_SEED");  // for longer runs by hand
  RandomStream random(seed != nullptr ? std::strtoull(seed, nullptr, 10) : 1, /*stream=*/0);
  for (int i = 0; i < mutations; ++i) {
    std::string input = corpus[random.Below(corpus.size())];
    const uint64_t changes = 1 + random.Below(4);
    for (uint64_t change = 0; change < changes; ++change) Mutate(random, corpus, input);
    RunOne(input);
  }
  std::printf("%zu inputs and %d changes of them: no crash\n", corpus.size(), mutations);
  return 0;
}

}  // namespace
}  // namespace mantissa

int main(int argc, char** argv) { return mantissa::Main(argc, argv); }
