// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace libactor {

/// Where in the source something was asked for. Stands in for `std::source_location`, which clang 14 lacks.
/// All pointers have static storage duration.
class source_location {
 public:
  static constexpr source_location current(const char* file = __builtin_FILE(), unsigned line = __builtin_LINE(),
                                           const char* function = __builtin_FUNCTION()) noexcept {
    source_location here;
    here.file_ = file;
    here.line_ = line;
    here.function_ = function;
    return here;
  }

  constexpr source_location() noexcept = default;

  /// Empty where no place is known.
  constexpr const char* file_name() const noexcept { return file_; }
  /// 1-based; 0 where no place is known.
  constexpr unsigned line() const noexcept { return static_cast<unsigned>(line_); }
  constexpr const char* function_name() const noexcept { return function_; }

 private:
  const char* file_ = "";
  const char* function_ = "";
  // As wide as the pointers: handed over by value, a narrower one is written in 4 bytes and read in 8, for which a
  // processor waits until all writes before it have reached its cache.
  unsigned long line_ = 0;
};

}  // namespace libactor
