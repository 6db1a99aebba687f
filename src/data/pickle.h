#pragma once
// Python's pickles of plain values: lists, tuples, dicts with words for keys, strings, numbers,
// booleans, None. Nothing is ever called or imported: a pickle that asks for it, or that holds
// anything else or one list or dict in two places, is an Error naming `source` and the byte.
// Protocols 2 to 5 (docs.python.org/3/library/pickletools.html). Work and memory are linear in the
// file.

#include "base/json.h"

#include <string_view>

namespace sightline {

Json parse_pickle(std::string_view bytes, std::string_view source);

// Whether a file begins as a pickle of these protocols does.
bool is_pickle(std::string_view bytes);

}  // namespace sightline
