#pragma once
// TOML -> Recipe. The whole recipe is validated before anything starts; a mistake is a UsageError
// "file:line:column: what is wrong, the nearest name, what to do". Strings have ${NAME} expanded
// from the environment; paths are taken as written, relative to the working folder.

#include "recipe/recipe.h"

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace sightline {

// `settings` are --set KEY=VALUE, applied before validation: "stage.align.lr=2e-3" (a stage by its
// name), "data.train.limit=200", "seed=3". VALUE is TOML; a bare word is taken as a string.
// A setting's mistake is reported as "--set KEY: ...".
Recipe read_recipe(const std::filesystem::path& file, std::span<const std::string> settings = {});

// When the files and folders that a recipe names are looked for, and the variables of its strings.
enum class PathCheck {
  now,    // as it is read: what is missing is a mistake
  later,  // where they are opened, if ever: for a model folder's recipe.toml, which was written on
          // another machine or in another working folder. An unset ${NAME} stays as it stands.
};
Recipe parse_recipe(std::string_view text, std::string_view name,
                    std::span<const std::string> settings = {}, PathCheck paths = PathCheck::now);

// The resolved recipe as TOML, every default written out; parses back to an equal recipe.
std::string print_recipe(const Recipe& recipe);

std::string_view name_of(MaskPolicy policy);
std::string_view name_of(NumberType type);
std::string_view name_of(ConnectorKind kind);
MaskPolicy mask_policy_named(std::string_view name);

}  // namespace sightline
