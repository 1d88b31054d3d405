// server/jobs/schema.h
//
// The tables of the state database and their versions. A later version appends a migration; none is
// ever changed, since databases out there have run it.
//
//   RETURN_IF_ERROR(Migrate(*db));  // PRAGMA user_version tells how far it is
#ifndef MANTISSA_SERVER_JOBS_SCHEMA_H_
#define MANTISSA_SERVER_JOBS_SCHEMA_H_

#include "absl/status/status.h"
#include "server/jobs/database.h"

namespace mantissa::jobs {

// The version that this program writes.
int SchemaVersion();

// Brings the database to SchemaVersion(), each migration in a transaction of its own.
// FAILED_PRECONDITION if it was written by a newer program.
absl::Status Migrate(Database& db);

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_SCHEMA_H_
