// SPDX-License-Identifier: BSL-1.0
#include "supervisors/observe/ledger.hpp"

#include "batch_queue.hpp"
#include "ledger_file.hpp"

#include <caf/error.hpp>
#include <caf/sec.hpp>
#include <exception>
#include <optional>

namespace libactor::observe {

class ledger::impl {
 public:
  /// Throws: `ledger_refused`.
  impl(std::string path, ledger_options options) : path_(std::move(path)), options_(std::move(options)) {
    try {
      open();
    } catch (const sqlite_error& e) {
      // A file that can't be had at all is for the caller to mend; a full disk may pass.
      if (e.code == SQLITE_CANTOPEN || e.code == SQLITE_PERM || e.code == SQLITE_READONLY)
        throw ledger_refused(path_ + ": " + e.what());
      failed(e.what());
    }
    queue_.emplace(
        options_.queue, [this](auto& batch) { return write(batch); }, stamped_event::lost);
  }

  bool wants(const event& what) const noexcept {
    const bool tells_of_losses = what.kind == event_kind::dropped && what.path.empty();
    return !options_.leaks_only || what.leak != nullptr || tells_of_losses;
  }
  batch_queue<stamped_event>& queue() noexcept { return *queue_; }
  std::uint64_t failures() const noexcept {
    std::lock_guard guard{mutex_};
    return failures_;
  }
  std::string last_error() const {
    std::lock_guard guard{mutex_};
    return last_error_;
  }

 private:
  void open();
  bool write(std::vector<stamped_event>& batch) noexcept;
  bool failed(const char* why) noexcept;
  void tell(const std::string& words) const noexcept;

  const std::string path_;
  const ledger_options options_;
  std::optional<ledger_file> file_;  // the writer's; empty while it can't be opened
  bool failing_ = false;             // the writer's
  mutable std::mutex mutex_;
  std::uint64_t failures_ = 0;  // under `mutex_`
  std::string last_error_;      // under `mutex_`
  std::optional<batch_queue<stamped_event>> queue_;
};

void ledger::impl::open() {
  const ledger_limits limits{options_.max_age, options_.max_bytes};
  try {
    file_.emplace(path_, limits);
  } catch (const sqlite_error& e) {
    if (!e.is_damage())
      throw;
    const auto aside = ledger_file::set_aside(path_);
    tell("is damaged (" + std::string(e.what()) + "): kept as " + aside + ", and a new one is begun");
    file_.emplace(path_, limits);
  }
}

bool ledger::impl::write(std::vector<stamped_event>& batch) noexcept {
  try {
    try {
      if (file_ && file_->has_moved()) {
        file_.reset();
        tell("was moved away or removed: a new one is begun");
      }
      if (!file_)
        open();
      const auto count = file_->write(batch);
      batch.erase(batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(count));
    } catch (const sqlite_error& e) {
      if (e.is_damage())
        file_.reset();  // to be found damaged when it is opened
      throw;
    }
    if (std::exchange(failing_, false))
      tell("works again");
    return true;
  } catch (const std::exception& e) {
    return failed(e.what());
  }
}

bool ledger::impl::failed(const char* why) noexcept {
  try {
    bool is_news = !std::exchange(failing_, true);
    {
      std::lock_guard guard{mutex_};
      ++failures_;
      is_news = is_news || last_error_ != why;
      last_error_ = why;
    }
    if (is_news)
      tell("can't be written, and is tried again: " + std::string(why));
  } catch (...) {
    // No memory for the words; `failures` counts it all the same.
  }
  return false;
}

void ledger::impl::tell(const std::string& words) const noexcept {
  if (options_.report_to == nullptr)
    return;
  try {
    event what;
    what.kind = event_kind::note;
    what.text = "the ledger " + path_ + " " + words;
    options_.report_to->on_event(what);
  } catch (...) {
    // No memory for the words.
  }
}

caf::expected<std::shared_ptr<ledger>> ledger::open(const std::string& path, ledger_options options) {
  try {
    return std::shared_ptr<ledger>(new ledger(std::make_unique<impl>(path, std::move(options))));
  } catch (const std::runtime_error& e) {
    return caf::make_error(caf::sec::cannot_open_file, std::string(e.what()));
  }
}

ledger::ledger(std::unique_ptr<impl> made) : impl_(std::move(made)) {}
ledger::~ledger() = default;

void ledger::on_event(const event& what) noexcept {
  if (impl_->wants(what))
    impl_->queue().push([&] { return stamped_event::now(what); });
}

void ledger::flush() noexcept { impl_->queue().flush(std::chrono::seconds(5)); }
std::uint64_t ledger::acknowledged() const noexcept { return impl_->queue().written(); }
std::uint64_t ledger::lost() const noexcept { return impl_->queue().lost(); }
std::uint64_t ledger::failures() const noexcept { return impl_->failures(); }
std::string ledger::last_error() const { return impl_->last_error(); }

}  // namespace libactor::observe
