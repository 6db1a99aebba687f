#include "data/stream.h"

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace sightline {

namespace {

constexpr const char* kStateSource = "the data stream's saved state";
constexpr size_t kAheadPerWorker = 16;  // samples in flight

MixtureStream mixture_of(const LoaderOptions& options) {
  std::vector<MixtureStream::Entry> entries;
  for (const LoaderEntry& entry : options.entries) {
    entries.push_back({entry.dataset->size(), entry.weight, entry.repeats});
  }
  return MixtureStream(std::move(entries), options.epochs, options.seed);
}

}  // namespace

SkippedSamples::SkippedSamples(std::string file) : file_(std::move(file)) {
  if (file_.empty() || !std::filesystem::exists(file_)) return;
  std::ifstream lines(file_);
  for (std::string line; std::getline(lines, line);) listed_.insert(line);
}

void SkippedSamples::add(const std::string& problem) {
  ++count;
  std::string line = problem;
  std::replace(line.begin(), line.end(), '\n', ' ');
  if (!listed_.insert(line).second) return;
  if (file_.empty()) return log_line("skipped: " + line);
  std::ofstream out(file_, std::ios::app);
  out << line << '\n' << std::flush;
  check(out.good(), "{}: cannot list a skipped sample there", file_);
}

SampleStream::SampleStream(const LoaderOptions& options, WorkerPool& pool, const Json* state)
    : options_(options),
      pool_(pool),
      issued_(mixture_of(options)),
      taken_(mixture_of(options)),
      skipped_(options.skipped_log) {
  if (state != nullptr) restore(*state);
}

void SampleStream::restore(const Json& state) {
  const auto mixture = json_get<Json>(state, "mixture", kStateSource);
  issued_.restore(mixture);
  taken_.restore(mixture);
  drawn_ = json_get<uint64_t>(state, "drawn", kStateSource);
  skipped_.count = json_get<int64_t>(state, "skipped", kStateSource);
  using Numbers = std::vector<uint64_t>;
  for (const Numbers& item : json_get<std::vector<Numbers>>(state, "waiting", kStateSource)) {
    check(item.size() == 3 && item[0] < options_.entries.size() &&
              item[1] < options_.entries[item[0]].dataset->size(),
          "{}: \"waiting\" names a sample that is not in the recipe's data", kStateSource);
    replayed_.push_back({static_cast<uint32_t>(item[0]), static_cast<uint32_t>(item[1]), item[2]});
  }
}

std::optional<Draw> SampleStream::next_to_issue() {
  if (replays_issued_ < replayed_.size()) return replayed_[replays_issued_++];
  return issued_.next();
}

void SampleStream::issue() {
  const size_t ahead =
      kAheadPerWorker * static_cast<size_t>(std::max<int64_t>(1, options_.workers));
  while (in_flight_.size() < ahead) {
    const std::optional<Draw> draw = next_to_issue();
    if (!draw) return;
    in_flight_.push_back(pool_.submit(
        [&options = options_, draw = *draw] { return prepare_sample(options, draw); }));
  }
}

void SampleStream::count_taken() {
  if (!replayed_.empty()) {
    replayed_.pop_front();
    --replays_issued_;
  } else {
    taken_.next();
    ++drawn_;
  }
}

std::optional<PreparedSample> SampleStream::next() {
  for (;;) {
    issue();
    if (in_flight_.empty()) return std::nullopt;
    PreparedSample prepared = in_flight_.front().get();
    in_flight_.pop_front();
    count_taken();
    if (prepared.problem.empty()) return prepared;
    if (options_.rank == 0) {
      skipped_.add(prepared.problem);
    } else {
      ++skipped_.count;  // rank 0 lists it
    }
  }
}

double SampleStream::progress(size_t waiting) const {
  if (drawn_ == 0) return 0;
  const auto used = static_cast<double>(drawn_ - waiting);
  return taken_.progress() * used / static_cast<double>(drawn_);
}

Json SampleStream::state(const std::vector<Draw>& waiting) const {
  Json list = Json::array();
  for (const Draw& draw : waiting) list.push_back({draw.entry, draw.number, draw.pass});
  for (const Draw& draw : replayed_) list.push_back({draw.entry, draw.number, draw.pass});
  return {{"mixture", taken_.state()},
          {"drawn", drawn_},
          {"skipped", skipped_.count},
          {"waiting", std::move(list)}};
}

StepStream::StepStream(const LoaderOptions& options, WorkerPool& pool, const Json* state)
    : options_(options), samples_(options, pool, state) {
  if (state != nullptr) progress_ = json_get<double>(*state, "progress", kStateSource);
}

// At least look_ahead samples, and more while they would not fill a micro-batch.
void StepStream::fill_waiting() {
  while (static_cast<int64_t>(waiting_.size()) < options_.look_ahead ||
         waiting_rows_ < options_.micro_tokens) {
    std::optional<PreparedSample> prepared = samples_.next();
    if (!prepared) return;
    waiting_.push_back({next_id_, prepared->rows});
    waiting_rows_ += prepared->rows;
    waiting_samples_.emplace(next_id_, std::move(*prepared));
    ++next_id_;
  }
}

std::vector<PreparedSample> StepStream::take_micro_batch_samples() {
  std::vector<PreparedSample> samples;
  for (const PackItem& item : take_micro_batch(waiting_, options_.micro_tokens)) {
    samples.push_back(std::move(waiting_samples_.extract(item.id).mapped()));
    waiting_rows_ -= item.rows;
  }
  return samples;
}

std::vector<Draw> StepStream::waiting_draws() const {
  std::vector<Draw> draws;
  for (const PackItem& item : waiting_) draws.push_back(waiting_samples_.at(item.id).draw);
  return draws;
}

std::optional<PackedStep> StepStream::next() {
  PackedStep step;
  LoadedStep& summary = step.summary;
  while (summary.num_rows < options_.step_tokens) {
    fill_waiting();
    if (waiting_.empty()) break;
    step.micro_batches.push_back(take_micro_batch_samples());
    for (const PreparedSample& prepared : step.micro_batches.back()) {
      summary.num_rows += prepared.rows;
      summary.num_images += prepared.images;
      summary.num_predictions += prepared.predictions;
      ++summary.num_samples;
    }
  }
  if (step.micro_batches.empty()) {
    check(!samples_.all_were_bad(), "none of the stage's {} samples could be used{}",
          samples_.skipped(),
          options_.skipped_log.empty() ? "" : "; they are listed in " + options_.skipped_log);
    return std::nullopt;
  }
  summary.progress_before = progress_;
  summary.progress_after = progress_ = samples_.progress(waiting_.size());
  summary.skipped = samples_.skipped();
  summary.state_after = samples_.state(waiting_draws());
  summary.state_after["progress"] = progress_;
  return step;
}

}  // namespace sightline
