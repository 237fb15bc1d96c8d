// SPDX-License-Identifier: BSL-1.0
#include "libactor/actor/reason.hpp"

#include "actor/caf_seam.hpp"
#include "actor/type_name.hpp"

#include <caf/exit_reason.hpp>
#include <caf/message.hpp>
#include <caf/sec.hpp>
#include <cstring>
#include <exception>
#include <typeinfo>

namespace libactor {

namespace {

constexpr auto category = caf::atom("libactor");

std::string words_of(const caf::error& reason) {
  const auto& extra = reason.context();
  if (extra.empty())
    return {};
  if (extra.match_element<std::string>(0))
    return extra.get_as<std::string>(0);
  if (extra.match_element<std::int32_t>(0))
    return std::to_string(extra.get_as<std::int32_t>(0));
  return caf::to_string(extra);
}

}  // namespace

caf::error make_error(errc code) { return {static_cast<std::uint8_t>(code), category}; }

caf::error make_error(errc code, std::string text) {
  return {static_cast<std::uint8_t>(code), category, caf::make_message(std::move(text))};
}

caf::error make_error(errc code, int number) {
  return {static_cast<std::uint8_t>(code), category, caf::make_message(std::int32_t{number})};
}

namespace {

// Requires: `thrown` is not null. What it holds, if that is a `std::exception`. To throw it again, which is the
// portable way to look, costs as much as the first throw did.
const std::exception* look_into(const std::exception_ptr& thrown) noexcept {
#ifdef __GLIBCXX__
  static_assert(sizeof thrown == sizeof(void*), "the pointer is all that it holds");
  void* object = nullptr;
  std::memcpy(&object, &thrown, sizeof object);
  const auto* type = thrown.__cxa_exception_type();
  // As a handler for `const std::exception&` is matched and given its argument.
  if (type != nullptr && typeid(std::exception).__do_catch(type, &object, 1))
    return static_cast<const std::exception*>(object);
#else
  static_cast<void>(thrown);
#endif
  return nullptr;
}

std::string text_of(const std::exception& what) { return detail::type_name(typeid(what)) + ": " + what.what(); }

}  // namespace

caf::error make_error(const std::exception_ptr& thrown) {
  std::string text = "unknown exception";
  if (!thrown)
    return caf::make_error(caf::sec::runtime_error, std::move(text));
  if (const auto* what = look_into(thrown))
    return caf::make_error(caf::sec::runtime_error, text_of(*what));
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    text = text_of(e);
  } catch (...) {
    // `text` already says that the type is unknown.
  }
  return caf::make_error(caf::sec::runtime_error, std::move(text));
}

std::optional<errc> errc_of(const caf::error& reason) {
  if (!reason || reason.category() != category)
    return std::nullopt;
  return static_cast<errc>(reason.code());
}

ending ending_of(const caf::error& reason) {
  return reason ? detail::ending_of(reason.code(), reason.category()) : ending::normal;
}

// Every end of a child comes here: the code is compared, for which no error has to be made.
ending detail::ending_of(std::uint8_t code, caf::atom_value of) noexcept {
  const bool asked = of == caf::atom("exit") && code == static_cast<std::uint8_t>(caf::exit_reason::user_shutdown);
  const bool said = of == category && code == static_cast<std::uint8_t>(errc::shutdown);
  return asked || said ? ending::shutdown : ending::abnormal;
}

std::string describe(const caf::error& reason) {
  if (!reason)
    return "normal";
  std::string name;
  if (auto code = errc_of(reason))
    name = to_string(*code);
  else if (reason.category() == caf::atom("exit"))
    name = to_string(static_cast<caf::exit_reason>(reason.code()));
  else if (reason.category() == caf::atom("system"))
    name = to_string(static_cast<caf::sec>(reason.code()));
  else
    return caf::to_string(reason);
  const auto words = words_of(reason);
  return words.empty() ? name : name + ": " + words;
}

}  // namespace libactor
