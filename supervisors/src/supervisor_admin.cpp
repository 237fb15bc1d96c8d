// SPDX-License-Identifier: BSL-1.0
// The verbs of administration, and how threads that are not actors use them.
#include "supervisor_actor.hpp"
#include "supervisors/tree_spec.hpp"

#include <algorithm>
#include <caf/scoped_actor.hpp>
#include <caf/unit.hpp>
#include <utility>

namespace libactor {

namespace {

using act = supervisor_verb::act;

caf::error already_started(const std::string& id, const caf::actor& handle) {
  const auto plain = make_error(errc::already_started);
  return {plain.code(), plain.category(), caf::make_message(id, handle)};
}

caf::result<caf::message> answered(caf::response_promise to) {
  to.deliver(caf::unit);
  return to;
}

}  // namespace

supervisor_verb supervisor_verb::start_child(child_spec spec) {
  return {act::start, {}, std::make_shared<const child_spec>(std::move(spec)), {}};
}
supervisor_verb supervisor_verb::start_child() { return {act::start}; }
supervisor_verb supervisor_verb::terminate_child(std::string id) { return {act::terminate, std::move(id)}; }
supervisor_verb supervisor_verb::terminate_child(caf::actor handle) {
  return {act::terminate, {}, {}, std::move(handle)};
}
supervisor_verb supervisor_verb::restart_child(std::string id) { return {act::restart, std::move(id)}; }
supervisor_verb supervisor_verb::delete_child(std::string id) { return {act::erase, std::move(id)}; }
supervisor_verb supervisor_verb::which_children() { return {act::list}; }
supervisor_verb supervisor_verb::count_children() { return {act::count}; }
supervisor_verb supervisor_verb::get_child_spec(std::string id) { return {act::spec, std::move(id)}; }
supervisor_verb supervisor_verb::get_child_spec(caf::actor handle) { return {act::spec, {}, {}, std::move(handle)}; }
supervisor_verb supervisor_verb::address_of(std::string id) { return {act::address, std::move(id)}; }
supervisor_verb supervisor_verb::resume_restarts() { return {act::resume}; }

caf::result<caf::message> supervisor_actor::on_verb(const supervisor_verb& verb) {
  switch (verb.what) {
    case act::start:
      return on_start(verb);
    case act::list:
      return caf::make_message(list());
    case act::count:
      return caf::make_message(count());
    case act::resume:
      resume_restarts();
      return answered(make_response_promise());
    case act::terminate:
    case act::restart:
    case act::erase:
    case act::spec:
    case act::address:
      break;
  }
  if (is_dynamic()) {
    if ((verb.what != act::terminate && verb.what != act::spec) || !verb.handle)
      return make_error(errc::is_dynamic, "name its children by handle");
    if (auto* c = child_with(verb.handle))
      return verb.what == act::spec ? caf::result<caf::message>(caf::make_message(c->spec)) : on_terminate(*c);
    if (verb.what == act::spec)
      return make_error(errc::not_found, "no child has this handle");
    const bool ended = caf::actor_cast<caf::abstract_actor*>(verb.handle)->getf(abstract_actor::is_terminated_flag);
    if (ended)
      return answered(make_response_promise());
    return make_error(errc::not_found, "no child has this handle");
  }
  auto* c = find_child(verb.id);
  if (c == nullptr)
    return make_error(errc::not_found, line().path() + " has no child " + verb.id);
  switch (verb.what) {
    case act::terminate:
      return on_terminate(*c);
    case act::restart:
      return on_restart(*c);
    case act::spec:
      return caf::make_message(c->spec);
    case act::address: {
      auto found = core_->ref(system(), path_of(*c));
      if (!found)
        return std::move(found.error());
      return caf::make_message(std::move(*found));
    }
    default:
      return on_erase(*c);
  }
}

// Of an actor that lives in a context the key is known; plain actors are looked for. A dynamic child that has been up
// goes by the handle that it had, for as long as it is to come back.
supervisor_actor::child* supervisor_actor::child_with(const caf::actor& handle) const {
  const auto* whom = caf::actor_cast<caf::abstract_actor*>(handle);
  if (const auto* known = dynamic_cast<const context_actor*>(whom)) {
    auto* c = child_of(known->line().key());
    if (c != nullptr && c->handle == handle)
      return c;
  }
  const auto former =
      std::find_if(former_.begin(), former_.end(), [&](const auto& one) { return one.second == handle.address(); });
  if (former != former_.end())
    return former->first;
  if (dynamic_cast<const context_actor*>(whom) != nullptr)
    return nullptr;
  const auto i = std::find_if(children_.begin(), children_.end(),
                              [&](const auto& c) { return c != nullptr && c->handle == handle; });
  return i == children_.end() ? nullptr : i->get();
}

caf::result<caf::message> supervisor_actor::on_start(const supervisor_verb& verb) {
  if (mode_ == mode::stopping)
    return make_error(errc::shutdown, line().path() + " is stopping");
  child* c = nullptr;
  if (is_dynamic()) {
    if (verb.spec)
      return make_error(errc::is_dynamic, "its children are made from its template");
    const auto limit = template_->max_children.value_or(most_slots);
    if (children_.size() - dropped_places_ >= std::min<std::uint64_t>(limit, most_slots))
      return make_error(errc::max_children, "at most " + std::to_string(limit));
    c = &add_child(template_->child);
  } else {
    if (!verb.spec)
      return make_error(errc::invalid_spec, "a static supervisor starts children from a specification");
    if (auto* known = find_child(verb.spec->id)) {
      if (known->alive() && known->handle)
        return already_started(known->spec->id, known->handle);
      return make_error(errc::already_present, known->spec->id);
    }
    if (const auto fault = fault_below(verb.spec); !fault.empty())
      return make_error(errc::invalid_spec, fault);
    c = &add_child(verb.spec);
    c->slims = verb.spec->restart == restart_type::temporary && !verb.spec->is_supervisor();
  }
  auto reply = make_response_promise();
  c->make_replies().start = reply;
  c->by_hand = true;
  start_by_hand(*c);
  return reply;
}

// The first fault of a child from outside, or nothing. What is allowed depends on its supervisor.
std::string supervisor_actor::fault_below(const std::shared_ptr<const child_spec>& of) const {
  if (!of->enabled)
    return line().path() + '/' + of->id + ": it is not enabled";
  static_supervisor around;
  static_cast<supervisor_spec&>(around) = own();
  around.children.push_back(*of);
  child_spec above;
  above.id = "x";
  above.what = std::move(around);
  const auto faults = check(tree_spec{std::move(above)}, core_->catalog);
  return faults.empty() ? std::string() : line().path() + faults.front().path.substr(2) + ": " + faults.front().text;
}

// Where siblings start or stop in an order, in its place among them. What was suspended waits; this does not.
void supervisor_actor::start_by_hand(child& c) {
  if (std::exchange(c.must_stop, false))  // it is down already
    std::erase(to_stop_, &c);
  if (is_dynamic() || (own().strategy == strategy::one_for_one && mode_ == mode::running)) {
    begin_start(c);
    return;
  }
  c.must_start = true;
  c.not_before = {};
  to_start_.insert(std::upper_bound(to_start_.begin(), to_start_.end(), &c,
                                    [](const child* a, const child* b) { return a->place < b->place; }),
                   &c);
  advance();
}

caf::result<caf::message> supervisor_actor::on_terminate(child& c) {
  auto reply = make_response_promise();
  c.must_start = c.must_start && (std::erase(to_start_, &c), false);
  std::erase(retries_, &c);
  std::erase_if(postponed_, [&](const auto& one) { return one.whom == &c; });
  if (!c.alive()) {
    disarm(c);
    leave_engine(c);
    c.state = child_state::idle;
    c.by_hand = false;
    c.answer_start(make_error(errc::shutdown));
    set_aside(c);
    return answered(reply);
  }
  c.make_replies().stop.push_back(reply);
  if (!c.asked)
    ask(c);
  return reply;
}

caf::result<caf::message> supervisor_actor::on_restart(child& c) {
  if (c.alive())
    return make_error(errc::running, c.spec->id);
  if (c.state == child_state::restarting || c.must_start)
    return make_error(errc::restarting, c.spec->id);
  if (mode_ == mode::stopping)
    return make_error(errc::shutdown, line().path() + " is stopping");
  auto reply = make_response_promise();
  c.make_replies().start = reply;
  c.by_hand = c.keep_if_failed = true;
  start_by_hand(c);
  return reply;
}

caf::result<caf::message> supervisor_actor::on_erase(child& c) {
  if (c.alive())
    return make_error(errc::running, c.spec->id);
  if (c.state == child_state::restarting || c.must_start)
    return make_error(errc::restarting, c.spec->id);
  drop_child(c);
  return answered(make_response_promise());
}

std::vector<child_info> supervisor_actor::list() const {
  std::vector<child_info> all;
  all.reserve(children_.size());
  for (const auto& c : children_) {
    if (c != nullptr)
      all.push_back(
          {c->spec->id, path_of(*c), c->handle, c->state, c->incarnation, c->restarts, c->spec->is_supervisor()});
  }
  return all;
}

child_counts supervisor_actor::count() const {
  child_counts n;
  for (const auto& c : children_) {
    if (c == nullptr)
      continue;
    ++n.specs;
    n.active += c->alive() ? 1 : 0;
    ++(c->spec->is_supervisor() ? n.supervisors : n.workers);
  }
  // OTP: a dynamic supervisor has one specification, its template.
  if (is_dynamic())
    n.specs = 1;
  return n;
}

caf::actor handle_in(const caf::error& reason) {
  if (errc_of(reason) != errc::already_started || !reason.context().match_element<caf::actor>(1))
    return {};
  return reason.context().get_as<caf::actor>(1);
}

// -- from threads that are not actors ---------------------------------------------------------------------------------

namespace {

template <class T>
caf::expected<T> ask_supervisor(caf::actor_system& system, const caf::actor& whom, supervisor_verb verb) {
  caf::scoped_actor self{system};
  caf::expected<T> result{caf::error{}};
  auto failed = [&](caf::error& e) { result = std::move(e); };
  auto answer = self->request(whom, caf::infinite, std::move(verb));
  if constexpr (std::is_same_v<T, caf::unit_t>)
    answer.receive([&] { result = caf::unit; }, failed);
  else
    answer.receive([&](const T& x) { result = x; }, failed);
  return result;
}

caf::error tell_supervisor(caf::actor_system& system, const caf::actor& whom, supervisor_verb verb) {
  auto result = ask_supervisor<caf::unit_t>(system, whom, std::move(verb));
  return result ? caf::error{} : result.error();
}

}  // namespace

caf::expected<caf::actor> supervisor_ref::start_child(child_spec spec) const {
  return ask_supervisor<caf::actor>(*system_, handle_, supervisor_verb::start_child(std::move(spec)));
}
caf::expected<caf::actor> supervisor_ref::start_child() const {
  return ask_supervisor<caf::actor>(*system_, handle_, supervisor_verb::start_child());
}
caf::error supervisor_ref::terminate_child(std::string id) const {
  return tell_supervisor(*system_, handle_, supervisor_verb::terminate_child(std::move(id)));
}
caf::error supervisor_ref::terminate_child(caf::actor child) const {
  return tell_supervisor(*system_, handle_, supervisor_verb::terminate_child(std::move(child)));
}
caf::expected<caf::actor> supervisor_ref::restart_child(std::string id) const {
  return ask_supervisor<caf::actor>(*system_, handle_, supervisor_verb::restart_child(std::move(id)));
}
caf::error supervisor_ref::delete_child(std::string id) const {
  return tell_supervisor(*system_, handle_, supervisor_verb::delete_child(std::move(id)));
}
caf::expected<std::vector<child_info>> supervisor_ref::which_children() const {
  return ask_supervisor<std::vector<child_info>>(*system_, handle_, supervisor_verb::which_children());
}
caf::expected<child_counts> supervisor_ref::count_children() const {
  return ask_supervisor<child_counts>(*system_, handle_, supervisor_verb::count_children());
}
caf::expected<std::shared_ptr<const child_spec>> supervisor_ref::get_child_spec(std::string id) const {
  return ask_supervisor<std::shared_ptr<const child_spec>>(*system_, handle_,
                                                           supervisor_verb::get_child_spec(std::move(id)));
}
caf::expected<std::shared_ptr<const child_spec>> supervisor_ref::get_child_spec(caf::actor child) const {
  return ask_supervisor<std::shared_ptr<const child_spec>>(*system_, handle_,
                                                           supervisor_verb::get_child_spec(std::move(child)));
}
caf::expected<caf::actor> supervisor_ref::address_of(std::string id) const {
  return ask_supervisor<caf::actor>(*system_, handle_, supervisor_verb::address_of(std::move(id)));
}
caf::error supervisor_ref::resume_restarts() const {
  return tell_supervisor(*system_, handle_, supervisor_verb::resume_restarts());
}

const char* to_string(child_state state) noexcept {
  switch (state) {
    case child_state::idle:
      return "idle";
    case child_state::starting:
      return "starting";
    case child_state::running:
      return "running";
    case child_state::stopping:
      return "stopping";
    case child_state::killing:
      return "killing";
    case child_state::restarting:
      return "restarting";
    case child_state::adopted:
      return "adopted";
  }
  return "unknown";
}

}  // namespace libactor
