#include "server/jobs/state_database.h"

#include <utility>

#include "base/status.h"
#include "server/jobs/schema.h"

namespace mantissa::jobs {

absl::StatusOr<std::unique_ptr<StateDatabase>> StateDatabase::Open(const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<Database> db, Database::Open(path));
  RETURN_IF_ERROR(Migrate(*db));
  return std::unique_ptr<StateDatabase>(new StateDatabase(std::move(db)));
}

}  // namespace mantissa::jobs
