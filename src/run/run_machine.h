#pragma once
// What a run was computed on: machine.json of its folder, written when a session begins.

#include "base/json.h"

#include <filesystem>

namespace sightline {

// Cores, threads, memory, device, instruction set and engine, by the names that a report shows.
Json describe_machine();

}  // namespace sightline
