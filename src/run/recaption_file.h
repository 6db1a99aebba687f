#pragma once
// A file of lines that a model writes of pictures, by one process or by several ranks. It grows
// under its name and ".partial" and gets its own when every picture has had its turn
// (base/growing_file.h).

#include "bundle/bundle.h"
#include "dist/world.h"
#include "evaluate/recaption.h"
#include "run/run.h"

#include <filesystem>

namespace sightline {

// UsageErrors: there is something already without Resume::yes; with it, a whole file and a part of
// one. To be asked before the work starts.
void check_recaption_output(const std::filesystem::path& output, Resume resume);

// Writes the lines that are not there yet, of a whole file too where the list has grown, and counts
// what the file then holds. All ranks call it; rank 0 alone writes, shows progress, lists what is
// left out, and has the count. `how` has neither first picture nor share yet. Errors: the file
// holds lines of something else (lines_so_far), or no picture gave a line.
RecaptionCount write_recaptions(const Bundle& bundle, const PictureList& list, RecaptionOptions how,
                                const std::filesystem::path& output, World& world);

}  // namespace sightline
