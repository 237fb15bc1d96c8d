// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/testkit/property.hpp"
#include "testkit/step_watch.hpp"

#include <string>
#include <vector>

namespace libactor::testkit {

// A run as a sequence of steps, for people. Steps that sent nothing and in which nothing happened are left out.
class diagram {
 public:
  diagram(const step_watch& watch, const history& of, const finding* found)
      : watch_(watch), history_(of), found_(found) {}
  std::string text() const;
  std::string mermaid() const;

 private:
  std::string actor_of(std::uint32_t step) const;
  bool is_marked(std::size_t place) const;
  template <class Message, class Happening>
  void go(Message message, Happening happens) const;

  const step_watch& watch_;
  const history& history_;
  const finding* found_;
};

}  // namespace libactor::testkit
