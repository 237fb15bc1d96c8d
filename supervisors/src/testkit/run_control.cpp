// SPDX-License-Identifier: BSL-1.0
#include "testkit/run_control.hpp"

#include "supervisors/child_spec.hpp"
#include "testkit/diagram.hpp"
#include "testkit/step_watch.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace libactor::testkit {

run_control::run_control(guide& by, const run_terms& terms) : by_(by), terms_(terms) {
  taken_.without = terms.without;
  mention(terms.options.name);
}

std::size_t run_control::choose(std::span<const process> enabled, bool idle) {
  if (!over_ && steps_ == terms_.options.max_steps)
    over_ = run_is_over::why::too_long;
  if (over_)
    throw run_is_over{*over_};
  std::size_t index = 0;
  try {
    index = by_.choose(enabled, idle);
  } catch (const run_is_over& over) {
    over_ = over.reason;
    throw;
  }
  if (enabled.size() > 1) {
    if (index != 0)
      taken_.steps.push_back({decisions_, static_cast<std::uint32_t>(index)});
    ++decisions_;
  }
  return index;
}

std::size_t run_control::pick(std::size_t alternatives) { return take_choice(alternatives, true); }

// One that is not free is the first; it counts, so that a script means the same whatever the bounds are.
std::size_t run_control::take_choice(std::size_t alternatives, bool is_free) {
  std::size_t index = 0;
  if (terms_.choices) {
    const std::size_t wanted = choices_ < terms_.choices->size() ? (*terms_.choices)[choices_] : 0;
    index = std::min(wanted, is_free ? alternatives - 1 : 0);
    misfit_ = misfit_ || index != wanted;
  } else if (is_free) {
    index = by_.pick(alternatives);
  }
  ++choices_;
  taken_.choices.push_back(static_cast<std::uint32_t>(index));
  return index;
}

void run_control::stepped(const step_record& step) {
  ++steps_;
  by_.stepped(step);
}

std::size_t run_control::choose_for_body(std::size_t alternatives, std::string_view what) {
  if (alternatives == 0)
    throw std::logic_error("`choose` of " + std::string(what) + ": a choice needs at least one alternative");
  mention(what);
  mention(std::to_string(alternatives));
  return alternatives == 1 ? 0 : pick(alternatives);
}

bool run_control::maybe(std::string_view fault) {
  mention(fault);
  if (faults_ == terms_.options.max_faults) {
    ++faults_left_out_;
    take_choice(2, false);
    return false;
  }
  const bool yes = pick(2) == 1;
  faults_ += yes ? 1 : 0;
  return yes;
}

void run_control::fail(std::string property, std::string what) {
  if (!over_) {
    failed_ = failure{std::move(property), std::move(what), {}, steps_, false, {}, {}};
    over_ = run_is_over::why::failed;
  }
  throw run_is_over{*over_};
}

// FNV-1a, 64 bits.
void run_control::mention(std::string_view words) {
  auto hash = fingerprints_.empty() ? 0xcbf29ce484222325 : fingerprints_.back();
  auto add = [&hash](unsigned char one) {
    hash ^= one;
    hash *= 0x100000001b3;
  };
  for (const char one : words)
    add(static_cast<unsigned char>(one));
  add(0);
  fingerprints_.push_back(hash);
}

// -- one run ----------------------------------------------------------------------------------------------------------

bool run_control::take(const std::function<void(trial&)>& body) {
  trial in{*this};
  if (terms_.in_detail)
    in.seen().keep_messages();
  bool complete = false;
  try {
    try {
      body(in);
      if (over_)
        throw run_is_over{*over_};
      in.refuse_threads();
    } catch (const run_is_over&) {
      throw;
    } catch (const not_the_same&) {
      throw;
    } catch (const std::exception& thrown) {
      fail("the body ends", std::string("it threw: ") + thrown.what());
    } catch (...) {
      fail("the body ends", "it threw something that is no std::exception");
    }
    complete = true;
    judge(in);
  } catch (const run_is_over&) {
  }
  if (failed_ && terms_.in_detail)
    draw(in);
  return complete;
}

void run_control::judge(const trial& in) {
  const auto all = terms_.options.default_properties ? default_properties() : std::vector<property>{};
  if (in.properties_.empty() && (all.empty() || !in.tree_))
    return;
  const auto seen = in.so_far();
  auto check = [&](const property& one) {
    if (auto found = one.check(seen)) {
      found_ = std::move(found);
      fail(one.name, found_->what);
    }
  };
  for (const auto& one : in.properties_)
    check(one);
  if (in.tree_) {
    for (const auto& one : all)
      check(one);
  }
}

void run_control::draw(trial& in) {
  trace_ = in.trace();
  const auto seen = in.so_far();
  const diagram made{in.seen(), seen, found_ ? &*found_ : nullptr};
  failed_->text = made.text();
  failed_->mermaid = made.mermaid();
}

// -- fewer children ---------------------------------------------------------------------------------------------------

namespace {

void cut(child_spec& spec, const std::string& path, const std::vector<std::string>& without,
         std::vector<std::string>& left) {
  auto* part = std::get_if<static_supervisor>(&spec.what);
  if (part == nullptr)
    return;
  std::erase_if(part->children, [&](const auto& child) {
    return std::find(without.begin(), without.end(), path + "/" + child.id) != without.end();
  });
  for (auto& child : part->children) {
    std::erase_if(child.after, [&](const auto& need) {
      return std::none_of(part->children.begin(), part->children.end(),
                          [&](const auto& one) { return one.id == need.id; });
    });
    left.push_back(path + "/" + child.id);
    cut(child, path + "/" + child.id, without, left);
  }
}

}  // namespace

tree_spec run_control::cut_down(tree_spec tree) {
  children_.clear();
  cut(tree.root, "/" + tree.root.id, terms_.without, children_);
  return tree;
}

}  // namespace libactor::testkit
