#pragma once
// Which parameters Muon moves (train/optimizer.h).

#include <cstdint>
#include <string_view>

namespace sightline {

// Matrices inside the layers: what comes in and goes out of them are hidden states.
bool is_hidden_matrix(std::string_view name, int64_t dimensions);

}  // namespace sightline
