#define TOML_IMPLEMENTATION
#include "recipe/toml.h"
