// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "supervisors/child_catalog.hpp"

// The kinds that the loader's tests name. None is ever started.
libactor::child_catalog demo_catalog();
