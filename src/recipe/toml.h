#pragma once
// toml++, its code compiled once (toml.cpp). Included by this folder's .cpp files and
// table_reader.h alone: nothing outside src/recipe sees TOML.

#define TOML_HEADER_ONLY 0
#define TOML_ENABLE_FORMATTERS 0

#include <toml++/toml.h>
