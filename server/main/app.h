// server/main/app.h
//
// A whole server: puts the parts together from a Config, starts and stops them.
//
//   ASSIGN_OR_RETURN(auto app, App::Start(config, token));
//   Print("listening on ", app->listening_on());
//   app->Stop();
#ifndef MANTISSA_SERVER_MAIN_APP_H_
#define MANTISSA_SERVER_MAIN_APP_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/main/config.h"

namespace mantissa::server {

class App {
 public:
  // Serves when it returns. `token` empty: none is asked for. FAILED_PRECONDITION if it would
  // listen beyond loopback without TLS and token, or if the folder has a server.
  static absl::StatusOr<std::unique_ptr<App>> Start(const Config& config, const std::string& token);
  ~App();

  // "HOST:PORT".
  const std::string& listening_on() const { return listening_on_; }
  const std::string& metrics_on() const { return metrics_on_; }

  // Ends calls and threads; workers only with config.stop_workers.
  void Stop();

 private:
  struct Parts;
  App();

  std::unique_ptr<Parts> parts_;
  std::string listening_on_, metrics_on_;
};

}  // namespace mantissa::server

#endif  // MANTISSA_SERVER_MAIN_APP_H_
