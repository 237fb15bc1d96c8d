// SPDX-License-Identifier: BSL-1.0
#include "libactor/error.hpp"

namespace libactor {

namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "libactor"; }
  std::string message(int code) const override {
    std::string words = to_string(static_cast<errc>(code));
    for (auto& c : words) {
      if (c == '_')
        c = ' ';
    }
    return words;
  }
  std::error_condition default_error_condition(int code) const noexcept override {
    switch (static_cast<errc>(code)) {
      case errc::deadline_exceeded:
        return std::errc::timed_out;
      case errc::canceled:
        return std::errc::operation_canceled;
      default:
        return {code, *this};
    }
  }
};

}  // namespace

const std::error_category& error_category() noexcept {
  static const category instance;
  return instance;
}

std::error_code make_error_code(errc code) noexcept { return {static_cast<int>(code), error_category()}; }

const char* to_string(errc code) noexcept {
  switch (code) {
    case errc::canceled:
      return "canceled";
    case errc::deadline_exceeded:
      return "deadline_exceeded";
    case errc::abandoned:
      return "abandoned";
    case errc::exit_status:
      return "exit_status";
    case errc::signaled:
      return "signaled";
    case errc::gave_up:
      return "gave_up";
    case errc::shutdown:
      return "shutdown";
    case errc::start_failed:
      return "start_failed";
    case errc::start_timeout:
      return "start_timeout";
    case errc::declined:
      return "declined";
    case errc::invalid_spec:
      return "invalid_spec";
    case errc::not_found:
      return "not_found";
    case errc::already_started:
      return "already_started";
    case errc::already_present:
      return "already_present";
    case errc::running:
      return "running";
    case errc::restarting:
      return "restarting";
    case errc::is_dynamic:
      return "is_dynamic";
    case errc::max_children:
      return "max_children";
    case errc::no_incarnation:
      return "no_incarnation";
    case errc::dropped:
      return "dropped";
    case errc::closed:
      return "closed";
  }
  return "unknown";
}

}  // namespace libactor
