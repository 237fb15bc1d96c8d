// SPDX-License-Identifier: BSL-1.0
#include "symbols.hpp"

#include <cxxabi.h>
#include <dlfcn.h>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <unordered_map>

#ifdef LIBACTOR_HAS_LIBBACKTRACE
#include <backtrace.h>
#endif

namespace libactor::detail {

namespace {

std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> plain{abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free};
  return status == 0 ? plain.get() : name;
}

// What holds the address, and the exported function that it is in.
stack_frame linked(std::uintptr_t address) {
  stack_frame frame;
  frame.address = address;
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(address), &info) == 0)
    return frame;
  if (info.dli_sname != nullptr)
    frame.function = demangled(info.dli_sname);
  if (info.dli_fname != nullptr)
    frame.file = info.dli_fname;
  return frame;
}

#ifdef LIBACTOR_HAS_LIBBACKTRACE

struct resolving {
  std::uintptr_t address;
  std::vector<stack_frame>* to;
  std::string symbol;
};

void ignore(void*, const char*, int) {}

int add_call(void* data, std::uintptr_t, const char* file, int line, const char* function) {
  auto& to = *static_cast<resolving*>(data);
  if (function == nullptr && file == nullptr)
    return 0;
  stack_frame frame;
  frame.address = to.address;
  if (function != nullptr)
    frame.function = demangled(function);
  if (file != nullptr)
    frame.file = file;
  frame.line = line > 0 ? static_cast<std::uint32_t>(line) : 0;
  to.to->push_back(std::move(frame));
  return 0;
}

void take_symbol(void* data, std::uintptr_t, const char* symbol, std::uintptr_t, std::uintptr_t) {
  if (symbol != nullptr)
    static_cast<resolving*>(data)->symbol = demangled(symbol);
}

// One address, with the lock held.
std::vector<stack_frame> look_up(std::uintptr_t address) {
  // The library that reads it has no way to give its memory back: one for the process.
  static auto* const state = ::backtrace_create_state(nullptr, 0, &ignore, nullptr);
  std::vector<stack_frame> calls;
  if (state != nullptr) {
    resolving to{address, &calls, {}};
    ::backtrace_pcinfo(state, address, &add_call, &ignore, &to);
    if (calls.empty() || calls.back().function.empty())
      ::backtrace_syminfo(state, address, &take_symbol, &ignore, &to);
    if (calls.empty())
      calls.push_back(linked(address));
    if (calls.back().function.empty())
      calls.back().function = to.symbol;
  }
  if (calls.empty())
    calls.push_back(linked(address));
  return calls;
}

#else

std::vector<stack_frame> look_up(std::uintptr_t address) { return {linked(address)}; }

#endif

// What was found, so that the same stack costs nothing the next time. Bounded: it starts anew when it is full.
struct found_symbols {
  static constexpr std::size_t most = 8192;
  std::mutex mutex;
  std::unordered_map<std::uintptr_t, std::vector<stack_frame>> known;
};

found_symbols& found() {
  static found_symbols all;
  return all;
}

}  // namespace

std::vector<stack_frame> resolve(const std::vector<std::uintptr_t>& addresses) {
  auto& all = found();
  const std::lock_guard guard{all.mutex};
  if (all.known.size() > found_symbols::most)
    all.known.clear();
  std::vector<stack_frame> frames;
  for (const auto address : addresses) {
    auto place = all.known.find(address);
    if (place == all.known.end())
      place = all.known.emplace(address, look_up(address)).first;
    frames.insert(frames.end(), place->second.begin(), place->second.end());
  }
  return frames;
}

std::vector<stack_frame> resolve_quickly(const std::vector<std::uintptr_t>& addresses) {
  std::vector<stack_frame> frames;
  frames.reserve(addresses.size());
  for (const auto address : addresses)
    frames.push_back(linked(address));
  return frames;
}

}  // namespace libactor::detail
