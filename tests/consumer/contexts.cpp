// SPDX-License-Identifier: BSL-1.0
// The context layer alone: no CAF in sight.
#include <libactor/context_runtime.hpp>
#include <libactor/scope.hpp>

int main() {
  libactor::context_runtime contexts;
  auto outer = libactor::with_cancel(contexts.background());
  auto inner = libactor::with_cancel(outer.ctx());
  outer.cancel();
  return inner.ctx().done() ? 0 : 1;
}
