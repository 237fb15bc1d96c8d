// SPDX-License-Identifier: BSL-1.0
#pragma once

// Small programs whose orders others have counted.

#include "supervisors/testkit/explore.hpp"
#include "workers.hpp"

#include <caf/event_based_actor.hpp>

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <vector>

namespace libactor::tests {

using namespace testkit;

/// A program of one thread: each call is one step of it, and returns whether there is another.
using thread_body = std::function<bool()>;

/// Runs it as an actor, a message a step.
inline void run_thread(trial& t, thread_body body) {
  const auto self = t.system().spawn([body = std::move(body)](caf::event_based_actor* self) -> caf::behavior {
    return {[self, body](int) {
      if (body())
        self->send(self, 0);
      else
        self->quit();
    }};
  });
  caf::anon_send(self, 0);
}

/// The order in which a monitor of n children, each of which quits by itself, learns of their ends.
inline std::vector<caf::actor_id> ends_under_a_monitor(trial& t, int n) {
  auto order = std::make_shared<std::vector<caf::actor_id>>();
  const auto monitor = t.system().spawn([order, n](caf::event_based_actor* self) -> caf::behavior {
    self->set_down_handler([order, self, n](const caf::down_msg& down) {
      order->push_back(down.source.id());
      if (order->size() == static_cast<std::size_t>(n))
        self->quit();
    });
    for (int i = 0; i != n; ++i) {
      self->spawn<caf::monitored>([](caf::event_based_actor* child) -> caf::behavior {
        child->send(child, 0);
        return {[child](int) { child->quit(); }};
      });
    }
    return {[](int) {}};
  });
  t.settle();
  t.expect(order->size() == static_cast<std::size_t>(n), "every end is told");
  return *order;
}

/// One writes a variable that n others read: Abdulla, Aronis, Jonsson, Sagonas, "Optimal dynamic partial order
/// reduction", POPL 2014, `readers`.
inline void readers(trial& t, int n) {
  const shared<int> x{t, 0};
  run_thread(t, [x] { return x.write(42), false; });
  for (int i = 0; i != n; ++i)
    run_thread(t, [x] { return x.read(), false; });
  t.settle();
}

/// n threads each set `array[j] = array[j - 1] + 1`, and one looks for the last that is still zero: the same paper,
/// `lastzero`.
inline void lastzero(trial& t, int n) {
  std::vector<shared<int>> array;
  for (int i = 0; i <= n; ++i)
    array.emplace_back(t, 0);
  run_thread(t, [array, i = n]() mutable {
    if (array[static_cast<std::size_t>(i)].read() == 0)
      return false;
    --i;
    return true;
  });
  for (std::size_t j = 1; j <= static_cast<std::size_t>(n); ++j) {
    run_thread(t, [array, j, last = std::optional<int>{}]() mutable {
      if (!last) {
        last = array[j - 1].read();
        return true;
      }
      array[j].write(*last + 1);
      return false;
    });
  }
  t.settle();
}

/// Compares and swaps `cell`, in one step; whether it was `expected`.
inline bool cas(const shared<int>& cell, int expected, int desired) {
  const bool is = cell.read() == expected;
  cell.write(is ? desired : cell.read());
  return is;
}

/// n threads that insert four messages each into a hash table of 128: Flanagan, Godefroid, "Dynamic partial-order
/// reduction for model checking software", POPL 2005, `Indexer`.
inline void indexer(trial& t, int n) {
  constexpr int size = 128;
  constexpr int most = 4;
  std::vector<shared<int>> table;
  for (int i = 0; i != size; ++i)
    table.emplace_back(t, 0);
  for (int tid = 0; tid != n; ++tid) {
    run_thread(t, [table, tid, m = 0, w = 0, h = -1]() mutable {
      if (h < 0) {
        w = (++m) * 11 + tid;
        h = (w * 7) % size;
      }
      if (cas(table[static_cast<std::size_t>(h)], 0, w))
        h = -1;
      else
        h = (h + 1) % size;
      return h >= 0 || m < most;
    });
  }
  t.settle();
}

/// n threads that look for a free block where their inode has none: the same paper, `File system`. A lock that is
/// never waited for is a step with the next; here each critical section is one step.
inline void file_system(trial& t, int n) {
  constexpr int inodes = 32;
  constexpr int blocks = 26;
  std::vector<shared<int>> inode, busy;
  for (int i = 0; i != inodes; ++i)
    inode.emplace_back(t, 0);
  for (int i = 0; i != blocks; ++i)
    busy.emplace_back(t, 0);
  for (int tid = 0; tid != n; ++tid) {
    run_thread(t, [inode, busy, tid] {
      const auto i = static_cast<std::size_t>(tid % inodes);
      if (inode[i].read() != 0)
        return false;
      auto b = (i * 2) % blocks;
      for (;; b = (b + 1) % blocks) {
        if (busy[b].read() == 0) {
          busy[b].write(1);
          inode[i].write(static_cast<int>(b) + 1);
          return false;
        }
      }
    });
  }
  t.settle();
}

/// Three actors, made up from `seed`, that share two variables, write to each other, urgently too, and end. What each
/// saw, in its order.
inline lines random_program(trial& t, unsigned seed) {
  struct op {
    int what;
    std::size_t whom;
  };
  std::mt19937 random{seed};
  const std::vector<shared<int>> cells{{t, 0}, {t, 0}};
  auto log = std::make_shared<std::array<std::string, 3>>();
  auto all = std::make_shared<std::vector<caf::actor>>();
  // They begin one after another: in which order makes no difference, but six times as many runs.
  for (std::size_t me = 0; me != 3; ++me) {
    std::vector<op> ops;
    for (int i = 0; i != 2; ++i)
      ops.push_back({static_cast<int>(random() % 6), random() % 2});
    all->push_back(t.system().spawn([=](caf::event_based_actor* self) -> caf::behavior {
      self->set_default_handler(caf::drop);
      return {[=, next = std::size_t{0}](int) mutable {
                const auto [what, whom] = ops[next];
                (*log)[me] += " i";
                const auto& to = (*all)[(me + 1 + whom) % 3];
                if (what == 0)
                  cells[whom].write(cells[whom].read() * 10 + static_cast<int>(me) + 1);
                else if (what == 1)
                  (*log)[me] += " r" + std::to_string(cells[whom].read());
                else if (what == 2)
                  self->send(to, std::to_string(me));
                else if (what == 3)
                  self->send<caf::message_priority::high>(to, "!" + std::to_string(me));
                else if (what == 4)
                  self->request(to, caf::infinite, 1.0)
                      .then([=](double) { (*log)[me] += " a"; }, [=](const caf::error&) { (*log)[me] += " e"; });
                else
                  self->quit();
                if (++next != ops.size())
                  self->send(self, 0);
              },
              [=](const std::string& words) { (*log)[me] += " " + words; }, [](double x) { return x; }};
    }));
    t.settle();
  }
  for (const auto& one : *all)
    caf::anon_send(one, 0);
  t.settle();
  lines seen{(*log)[0], (*log)[1], (*log)[2], std::to_string(cells[0].read()), std::to_string(cells[1].read())};
  all->clear();
  return seen;
}

}  // namespace libactor::tests
