// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace libactor {
class child_catalog;
}

namespace actortree {

/// Adds the kinds `demo.*`: small workers to try a tree with, one for each way in which a child can behave or
/// misbehave. `docs/process.md` lists them with their arguments.
void register_demo_kinds(libactor::child_catalog& catalog);

}  // namespace actortree
