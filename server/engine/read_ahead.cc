#include "server/engine/read_ahead.h"

#include <utility>

#include "absl/status/status.h"

namespace mantissa::engine {

ReadAhead::~ReadAhead() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

absl::StatusOr<HostBatch> ReadAhead::Take(int epoch, int64_t index) {
  Result result{absl::InternalError("not read"), nullptr};
  {
    absl::MutexLock lock(&mutex_);
    const int64_t number = options_.epochs_differ
                               ? (int64_t{epoch} - epoch_) * options_.batches + index
                               : taken_ - taken_ % options_.batches + index;
    if (number != taken_) {
      ++round_;
      epoch_ = epoch;
      next_ = taken_ = index;
      done_.clear();
    }
    while (static_cast<int>(threads_.size()) < options_.threads) {
      threads_.emplace_back([this] { Work(); });
    }
    mutex_.Await(absl::Condition(this, &ReadAhead::IsThere));
    const auto found = done_.find(taken_);
    result = std::move(found->second);
    done_.erase(found);
    ++taken_;
  }
  if (result.thrown) std::rethrow_exception(result.thrown);
  return std::move(result.batch);
}

void ReadAhead::Work() {
  absl::MutexLock lock(&mutex_);
  while (true) {
    mutex_.Await(absl::Condition(this, &ReadAhead::CanRead));
    if (stopping_) return;
    const int64_t number = next_++, round = round_;
    const int epoch =
        options_.epochs_differ ? static_cast<int>(epoch_ + number / options_.batches) : epoch_;
    Result result{absl::InternalError("not read"), nullptr};
    mutex_.Unlock();
    try {
      result.batch = read_(epoch, number % options_.batches);
    } catch (...) {
      result.thrown = std::current_exception();
    }
    mutex_.Lock();
    if (round == round_) done_.insert_or_assign(number, std::move(result));
  }
}

}  // namespace mantissa::engine
