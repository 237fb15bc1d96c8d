// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace actortree {

/// What `actortree` ends with. The help of each command lists its own, docs/actortree.md all.
enum exit_status : int {
  ok = 0,               ///< done; a tree ended in order (late children that had to be killed are in the report)
  internal = 1,         ///< a fault of the program itself; of all but `run` also an output that can't be written
  usage = 2,            ///< the command line has faults
  bad_file = 3,         ///< the file has faults, or can't be read
  start_failed = 4,     ///< the tree did not start, or its socket can't be had
  tree_failed = 5,      ///< the tree ended by itself, with an error
  overrun = 6,          ///< the stop's budget ran out, or something did not end even when killed
  stopped_at_once = 7,  ///< a second signal ended everything at once
  act_refused = 8,      ///< `ctl`: the tree did not do what was asked
  unreachable = 9,      ///< `ctl`: no tree answers at the socket
  found = 10,           ///< `explore`: there is an order in which the tree stops wrongly, or not at all
};

}  // namespace actortree
