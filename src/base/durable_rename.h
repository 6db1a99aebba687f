#pragma once
// How what was written aside is put in place, by all that do.

#include <filesystem>

namespace sightline {

// Renames `from` to `to`, in one folder, and returns when that outlives a power cut. What stood at
// `to` is replaced in the same instant. A failure is an Error that names the file and the reason.
void rename_durably(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace sightline
