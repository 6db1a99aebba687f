// What a data path costs as the number of samples grows: time and memory of each piece that is
// asked once a sample or once a stage, measured where this machine can, on files made for it in a
// temporary folder. docs/results/scale.md holds what came out, docs/scale.md what follows.
//
//     bench_scale [most samples in a file, 1,000,000 unless said otherwise]

#include "base/file.h"
#include "base/log.h"
#include "base/rng.h"
#include "data/dataset.h"
#include "data/mixture.h"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace sightline {
namespace {

namespace fs = std::filesystem;

constexpr int kAsked = 20'000;  // examples, draws or files of each measurement

class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("sightline-scale-" + std::to_string(getpid()))) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Without the pages of mapped files, which the system takes back when it needs them.
double used_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) return std::strtod(line.c_str() + 8, nullptr) / 1024;
  }
  return 0;
}

// A pass's order is made at its first draw.
void draws(uint64_t samples) {
  const double memory = used_mib(), began = seconds_now();
  MixtureStream stream({{samples, 1.0}}, 1, 7);
  uint64_t sum = stream.next()->number;
  const double first = seconds_now() - began, then = seconds_now();
  const auto count = static_cast<int>(std::min<uint64_t>(samples - 1, kAsked));
  for (int i = 0; i < count; ++i) sum += stream.next()->number;
  fmt::print("| draw of {} | {:.3f} s | {:.0f} ns | {:.1f} MiB |\n", samples, first,
             (seconds_now() - then) / count * 1e9, used_mib() - memory);
  if (sum == 0) fmt::print("\n");  // so that the draws are made
}

void write_lines(const fs::path& file, uint64_t samples) {
  std::ofstream out(file);
  Rng rng(1);
  for (uint64_t i = 0; i < samples; ++i) {
    out << R"({"image": "a.jpg", "caption": "sample )" << i
        << " shows a dog on a beach that runs after a ball of colour " << rng.below(1000)
        << R"( in the evening"})"
        << "\n";
  }
}

// Opening reads and checks every line; an example is then found and read by number.
void lines(const Folder& folder, uint64_t samples) {
  const fs::path file = folder.path() / "lines.jsonl";
  write_lines(file, samples);
  const double memory = used_mib(), began = seconds_now();
  const auto dataset = open_dataset("scale", {.format = DataFormat::jsonl,
                                              .annotations = file.string(),
                                              .images = folder.path().string()});
  const double opened = seconds_now() - began, then = seconds_now();
  Rng rng(2);
  for (int i = 0; i < kAsked; ++i) dataset->example(rng.below(samples));
  fmt::print("| {} JSON lines | {:.3f} s, {:.2f} us a sample | {:.1f} us | {:.1f} MiB |\n", samples,
             opened, opened / static_cast<double>(samples) * 1e6,
             (seconds_now() - then) / kAsked * 1e6, used_mib() - memory);
}

// A file's header and bytes, as ustar has them.
void add_to_archive(std::ofstream& out, const std::string& name, const std::string& bytes) {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  header.replace(124, 11, fmt::format("{:011o}", bytes.size()));
  header.replace(257, 5, "ustar");
  header.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  header.replace(148, 6, fmt::format("{:06o}", sum));
  out << header << bytes << std::string((512 - bytes.size() % 512) % 512, '\0');
}

// Archives of 10,000 samples, a picture of 1 KiB and its caption each: opening reads every caption.
void archives(const Folder& folder, uint64_t samples) {
  const fs::path shards = folder.path() / "shards";
  fs::create_directories(shards);
  for (uint64_t i = 0; i < samples;) {
    std::ofstream out(shards / fmt::format("{:06}.tar", i / 10'000));
    for (const uint64_t end = std::min(samples, i + 10'000); i < end; ++i) {
      add_to_archive(out, fmt::format("{:09}.jpg", i), std::string(1024, 'x'));
      add_to_archive(out, fmt::format("{:09}.txt", i), fmt::format("a dog on beach {}", i));
    }
  }
  const double memory = used_mib(), began = seconds_now();
  const auto dataset =
      open_dataset("scale", {.format = DataFormat::webdataset, .annotations = shards.string()});
  const double opened = seconds_now() - began, then = seconds_now();
  Rng rng(2);
  for (int i = 0; i < kAsked; ++i) dataset->example(rng.below(samples));
  fmt::print("| {} samples in archives | {:.3f} s, {:.2f} us a sample | {:.1f} us | {:.1f} MiB |\n",
             samples, opened, opened / static_cast<double>(samples) * 1e6,
             (seconds_now() - then) / kAsked * 1e6, used_mib() - memory);
  fs::remove_all(shards);
}

// Files of 32 KiB one by one, against the same bytes in one file, both in the file cache.
void files(const Folder& folder) {
  constexpr size_t kBytes = 32 << 10;
  constexpr int kFiles = kAsked / 4;
  const std::string bytes(kBytes, 'x');
  std::ofstream shard(folder.path() / "shard");
  for (int i = 0; i < kFiles; ++i) {
    std::ofstream(folder.path() / std::to_string(i)) << bytes;
    shard << bytes;
  }
  shard.close();
  double began = seconds_now();
  for (int i = 0; i < kFiles; ++i) read_file(folder.path() / std::to_string(i));
  const double single = (seconds_now() - began) / kFiles;
  const int file = open((folder.path() / "shard").c_str(), O_RDONLY);
  std::string read(kBytes, ' ');
  began = seconds_now();
  for (int i = 0; i < kFiles; ++i) {
    if (pread(file, read.data(), kBytes, static_cast<off_t>(kBytes) * i) < 0) std::abort();
  }
  const double of_shard = (seconds_now() - began) / kFiles;
  close(file);
  fmt::print("| a picture of 32 KiB, a file of its own | | {:.1f} us | |\n", 1e6 * single);
  fmt::print("| a picture of 32 KiB in one large file | | {:.1f} us | |\n", 1e6 * of_shard);
}

// As a checkpoint is: written, then forced to the disk.
void disk(const Folder& folder) {
  constexpr size_t kBytes = size_t{512} << 20;
  const std::string bytes(kBytes, 'x');
  const fs::path path = folder.path() / "checkpoint";
  const double began = seconds_now();
  write_file(path, bytes);
  const int file = open(path.c_str(), O_RDONLY);
  fsync(file);
  close(file);
  fmt::print("writing 512 MiB to the disk: {:.2f} GB/s\n",
             static_cast<double>(kBytes) / (seconds_now() - began) / 1e9);
}

void run(uint64_t most) {
  const Folder folder;
  write_file(folder.path() / "a.jpg", "not read here");
  fmt::print("| what | once | each | memory |\n|---|---|---|---|\n");
  for (const uint64_t samples :
       {uint64_t{1'000}, uint64_t{1'000'000}, uint64_t{1'200'000}, uint64_t{1'000'000'000}}) {
    draws(samples);
  }
  for (uint64_t samples = 1000; samples <= most; samples *= 10) lines(folder, samples);
  for (uint64_t samples = 1000; samples <= most / 10; samples *= 10) archives(folder, samples);
  files(folder);
  disk(folder);
}

}  // namespace
}  // namespace sightline

int main(int count, char** arguments) {
  const uint64_t most = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 1'000'000;
  sightline::run(most);
}
