// sightline inspect mask

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/mask_drawing.h"
#include "recipe/names.h"

#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace sightline {
namespace {

struct InspectMaskOptions {
  std::optional<std::string> policy;
  std::string svg;
};

void run_inspect_mask(const InspectMaskOptions& options) {
  if (!options.svg.empty()) {
    if (!options.policy) fail_usage("--svg draws one policy: add --policy NAME");
    write_file(options.svg, grids_svg(mask_drawings(*enum_named<MaskPolicy>(*options.policy))));
    log("written to {}", options.svg);
    return;
  }
  for (const auto& [name, policy] : names_of(MaskPolicy{})) {
    if (options.policy && *options.policy != name) continue;
    for (const Grid& grid : mask_drawings(policy)) fmt::print("{}\n", grid_text(grid));
  }
  fmt::print("A line may look at: # itself and what is before it, + what is ahead, . not at all\n");
}

}  // namespace

void add_inspect_command(CLI::App& app) {
  CLI::App* inspect = app.add_subcommand("inspect", "Show what a part of the program does.");
  inspect->require_subcommand(1);
  auto options = std::make_shared<InspectMaskOptions>();
  CLI::App* mask = inspect->add_subcommand(
      "mask", "Draw which rows may look at which under the mask policies (docs/masks.md).");
  mask->footer("Example:\n  sightline inspect mask --policy image");
  mask->add_option("--policy", options->policy, "one policy alone (default: all)")
      ->check(CLI::IsMember(enum_names<MaskPolicy>()));
  mask->add_option("--svg", options->svg, "write the policy's drawing into this file");
  mask->callback([options] { run_inspect_mask(*options); });
}

}  // namespace sightline
