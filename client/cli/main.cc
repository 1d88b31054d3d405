#include <string>
#include <vector>

#include "client/cli/app.h"
#include "client/cli/process_io.h"

int main(int argc, char** argv) {
  const auto io = mantissa::cli::MakeProcessIo();
  return mantissa::cli::RunApp(std::vector<std::string>(argv + 1, argv + argc), *io);
}
