#include "run/recaption_file.h"

#include "base/crash_point.h"
#include "base/error.h"
#include "base/growing_file.h"
#include "base/log.h"

#include <optional>
#include <string>

namespace sightline {

namespace fs = std::filesystem;

namespace {

// Rank 0's part: the file, and what is told of it.
class Output {
 public:
  Output(const fs::path& path, const PictureList& list, const Author& author)
      : path_(path), list_(list), author_(author) {
    const fs::path partial = GrowingFile::partial_of(path_);
    const bool was_whole = fs::exists(path_);
    if (was_whole || fs::exists(partial)) {
      before_ = lines_so_far(was_whole ? path_ : partial, list_.pictures, author_);
    }
    if (next() == list_.pictures.size()) return;
    if (was_whole) fs::rename(path_, partial);  // now there are more pictures
    file_.emplace(path_, before_.bytes);
    for (const std::string& problem : list_.problems) log("left out: {}", problem);
    if (next() > 0) log("{}: {} of {} pictures are there", path_.string(), next(), size());
  }

  size_t next() const { return before_.next; }

  void add(std::span<const Recaptioned> pictures) {
    std::string lines;
    for (const Recaptioned& each : pictures) {
      if (!each.problem.empty()) log("left out: {}", each.problem);
      lines += each.line;
    }
    file_->append(lines);
    crash_point("recaption.written");
    show(pictures.back().number + 1);
  }

  RecaptionCount finish() {
    progress_.finish();
    if (!file_) return count_of(before_);
    // Counted as the lines tell it, those of earlier runs too.
    const LinesSoFar all = lines_so_far(GrowingFile::partial_of(path_), list_.pictures, author_);
    check(all.count.lines > 0, "none of {} pictures gave a line, so there is no {}", size(),
          path_.string());
    file_->commit();
    return count_of(all);
  }

 private:
  size_t size() const { return list_.pictures.size(); }

  RecaptionCount count_of(const LinesSoFar& lines) const {
    RecaptionCount count = lines.count;
    count.left_out = static_cast<int64_t>(size()) - count.lines;
    return count;
  }

  void show(size_t done) {
    const double rate = static_cast<double>(done - next()) / (seconds_now() - start_);
    progress_.update(fmt::format("{} of {} pictures, {:.1f}/s, {} left", done, size(), rate,
                                 format_duration(static_cast<double>(size() - done) / rate)));
  }

  const fs::path& path_;
  const PictureList& list_;
  const Author& author_;
  LinesSoFar before_;
  std::optional<GrowingFile> file_;  // none where all is written
  Progress progress_;
  double start_ = seconds_now();
};

std::string identity_of(const PictureList& list, const Author& author) {
  std::string text = author.model + "\n" + author.decoding;
  for (const ListedPicture& picture : list.pictures) {
    text += "\n" + picture.name;
    for (const std::string& prompt : picture.prompts) text += "\t" + prompt;
  }
  return text;
}

}  // namespace

void check_recaption_output(const fs::path& output, Resume resume) {
  const fs::path partial = GrowingFile::partial_of(output);
  if (output.has_parent_path() && !fs::is_directory(output.parent_path())) {
    fail_usage("{}: no such folder to write {} in", output.parent_path().string(),
               output.filename().string());
  }
  if (fs::is_directory(output)) fail_usage("{}: is a folder; name a file", output.string());
  if (resume == Resume::yes) {
    if (!fs::exists(output) || !fs::exists(partial)) return;
    fail_usage("{} and {} are both there: remove the one that is not to go on", output.string(),
               partial.string());
  }
  if (fs::exists(output)) {
    fail_usage("{}: is there already; name another --output, or remove it", output.string());
  }
  if (fs::exists(partial) && fs::file_size(partial) > 0) {  // empty: it failed before a line
    fail_usage("{}: here a run was stopped; --resume goes on with it, or remove it",
               partial.string());
  }
}

RecaptionCount write_recaptions(const Bundle& bundle, const PictureList& list, RecaptionOptions how,
                                const fs::path& path, World& world) {
  if (world.size() > 1) world.check_same("the list of pictures", identity_of(list, how.author));
  std::optional<Output> output;
  how.first = std::stoull(world.first_does("looking for lines that are written", [&] {
    output.emplace(path, list, how.author);
    return std::to_string(output->next());
  }));
  how.share = {world.rank(), world.size(),
               [&](const std::string& text) { return world.gather(text, "recaptioning"); }};
  recaption(bundle, list, how, [&](std::span<const Recaptioned> pictures) {
    if (output) output->add(pictures);
  });
  RecaptionCount count;
  world.first_does("putting the file in place", [&] {
    count = output->finish();
    return std::string();
  });
  return count;
}

}  // namespace sightline
