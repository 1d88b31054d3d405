#include "server/rpc/event_source.h"

#include <utility>

#include "base/status.h"

namespace mantissa::rpc {
namespace {

// Events that a stream holds at most.
constexpr int kBatch = 100;

}  // namespace

absl::StatusOr<Pulled<v1::JobEvent>> EventSource::Pull() {
  ASSIGN_OR_RETURN(jobs::EventBatch batch, desk_.EventsAfter(id_, last_, kBatch));
  Pulled<v1::JobEvent> pulled;
  if (!batch.events.empty()) last_ = batch.events.back().sequence();
  pulled.messages = std::move(batch.events);
  pulled.ended = batch.ended;
  return pulled;
}

void EventSource::Open(std::function<void()> wake) {
  subscription_ = notifier_.Subscribe(id_, std::move(wake));
}

void EventSource::Close() { notifier_.Unsubscribe(subscription_); }

}  // namespace mantissa::rpc
