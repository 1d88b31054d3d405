// Prints docs/metrics.md.

#include <iostream>

#include "server/metrics/table.h"

int main() {
  std::cout << mantissa::metrics::MetricsMarkdown();
  return 0;
}
