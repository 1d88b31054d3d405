// Prints docs/mantissad.md.

#include <iostream>

#include "server/main/settings.h"

int main() {
  std::cout << mantissa::server::SettingsMarkdown();
  return 0;
}
