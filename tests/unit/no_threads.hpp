// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <pthread.h>
#include <cstddef>

namespace libactor::tests {

#ifdef __GLIBC__

/// While it lives, no thread can be made: each would have a stack that is larger than all addresses.
class no_threads {
 public:
  no_threads() {
    pthread_getattr_default_np(&usual_);
    pthread_attr_t huge;
    pthread_attr_init(&huge);
    pthread_attr_setstacksize(&huge, std::size_t{1} << 47);
    pthread_setattr_default_np(&huge);
    pthread_attr_destroy(&huge);
  }
  ~no_threads() {
    pthread_setattr_default_np(&usual_);
    pthread_attr_destroy(&usual_);
  }
  no_threads(const no_threads&) = delete;
  no_threads& operator=(const no_threads&) = delete;

 private:
  pthread_attr_t usual_;
};

#endif

}  // namespace libactor::tests
