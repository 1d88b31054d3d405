// server/main/config.h
//
// Everything that can be set about a mantissad. settings.h says how each is called in flags, file
// and environment; nothing else reads any of them.
//
//   Config config;
//   config.data_dir = "/var/lib/mantissa";
#ifndef MANTISSA_SERVER_MAIN_CONFIG_H_
#define MANTISSA_SERVER_MAIN_CONFIG_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace mantissa::server {

struct Config {
  // Folder of all state. Required.
  std::string data_dir;
  // HOST:PORT of the API and of /metrics; port 0 takes a free one.
  std::string listen = "127.0.0.1:7070";
  std::string metrics_listen = "127.0.0.1:7071";
  // PEM files; both or none.
  std::string tls_cert, tls_key;
  // File with the bearer token; empty: $MANTISSA_TOKEN, or none is asked for.
  std::string token_file;
  // Path of mantissa-worker; empty: found beside this program.
  std::string worker;
  // Jobs that run at a time, and that may wait.
  int64_t max_running_jobs = 1;
  int64_t max_queued_jobs = 1000;
  // Threads of a worker where its job does not say; 0: the machine's cores over max_running_jobs.
  int64_t worker_threads = 0;
  // What workers train on: auto, cpu or cuda.
  std::string device = "auto";
  // Largest uploaded file, and what stays free on the disk, in bytes.
  int64_t max_blob_bytes = int64_t{8} << 30;
  int64_t reserve_disk_bytes = int64_t{256} << 20;
  absl::Duration unused_blob_keep = absl::Hours(24 * 7);
  absl::Duration lost_worker_after = absl::Seconds(60);
  absl::Duration cancel_grace = absl::Seconds(10);
  absl::Duration retry_delay = absl::Seconds(1);
  absl::Duration inspect_timeout = absl::Minutes(10);
  // Whether a stop of the server ends its workers; their jobs go on after the next start.
  bool stop_workers = false;
};

}  // namespace mantissa::server

#endif  // MANTISSA_SERVER_MAIN_CONFIG_H_
