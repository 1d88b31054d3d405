// Reports as lines for people and as docs/models.md.
//
//   Print(Head()); Print(Line(report));
//   Write("docs/models.md", Document(reports));
#ifndef MANTISSA_TESTS_MODELS_TABLE_H_
#define MANTISSA_TESTS_MODELS_TABLE_H_

#include <string>
#include <vector>

#include "tests/models/judge.h"

namespace mantissa::model_replay {

std::string Head();
std::string Line(const Report& report);

// docs/models.md: the tables of all models, and what failed with its reason.
std::string Document(const std::vector<Report>& reports);

}  // namespace mantissa::model_replay

#endif  // MANTISSA_TESTS_MODELS_TABLE_H_
