// A run of four stages, killed by SIGKILL twenty times in succession, ends with the weights of the
// run that was left alone, to the bit. Its checkpoints are written in the background, the other's
// are waited for.

#include "base/file.h"
#include "base/json.h"
#include "base/rng.h"
#include "tests/support.h"

#include <chrono>
#include <fcntl.h>
#include <fstream>
#include <signal.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace sightline {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// Small, but with all that a step may depend on: several micro-batches a step, two at once,
// mixtures of captions and questions in branches, stored features and changed pictures, dropout,
// averages, rates by layer, evaluations that look at the averages and count towards the stage's
// end.
const std::vector<std::string> kSettings = {
    "side_by_side=2",
    "data.questions.count=240",
    "data.both.augment={crop=0.6,flip=0.5,colour=0.2}",
    "eval={every=7,validation=\"unseen-captions\",validation_limit=8,best=\"validation_loss\","
    "patience=30}",
    "stage.align.dropout=0.1",
    "stage.align.schedule=wsd",
    "stage.deepen.mixture=[{data=\"both\"},{data=\"questions\",weight=0.5}]",
    "stage.deepen.layer_decay=0.8",
    "stage.deepen.dropout={vision=0.05,language=0.1}",
    "stage.deepen.ema=0.9",
    "stage.deepen.checkpoint_activations=true",
    "stage.pretrain.optimizer=adamw",
    "stage.pretrain.layer_decay=0.7",
    "stage.pretrain.ema=0.8",
    "stage.instruct.dropout={language=0.1}",
    "stage.instruct.schedule=wsd",
    "stage.instruct.decay_share=0.5",
    "stage.instruct.ema=0.95",
    "data.first.count=240",
    "data.both.count=240",
    "checkpoint.every=5",
    "threads=1",
    "stage.align.step_tokens=1024",
    "stage.align.micro_tokens=400",
    "stage.deepen.step_tokens=1024",
    "stage.deepen.micro_tokens=400",
    "stage.pretrain.step_tokens=1024",
    "stage.pretrain.micro_tokens=400",
    "stage.instruct.step_tokens=1024",
    "stage.instruct.micro_tokens=400",
    "stage.instruct.mixture=[{data=\"first\"},{data=\"questions\",weight=2.0}]"};

struct Training {
  fs::path folder;  // the run folder
  fs::path cache;   // feature stores
  std::string crash_at;
  std::string background = "true";  // its checkpoints

  pid_t start() const {
    std::vector<std::string> words = {test::environment_path("SIGHTLINE_BINARY").string(),
                                      "train",
                                      (test::source_folder() / "recipes/demo.toml").string(),
                                      "--output",
                                      folder.string(),
                                      "--resume"};
    for (const std::string& setting : kSettings) words.insert(words.end(), {"--set", setting});
    words.insert(words.end(), {"--set", "cache=\"" + cache.string() + "\""});
    words.insert(words.end(), {"--set", "checkpoint.background=" + background});
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const pid_t child = fork();
    if (child != 0) return child;
    if (!crash_at.empty()) setenv("SIGHTLINE_CRASH_AT", crash_at.c_str(), 1);
    const int log = open((folder.string() + ".log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    fs::current_path(test::source_folder());
    execv(arguments[0], arguments.data());
    _exit(127);
  }

  uintmax_t logged() const {
    std::error_code none;
    const auto size = fs::file_size(folder / "run.jsonl", none);
    return none ? 0 : size;
  }
};

// What a run's log says of its steps and evaluations, times and memory left out.
std::vector<std::string> story_of(const fs::path& folder) {
  std::vector<std::string> story;
  std::ifstream file(folder / "run.jsonl");
  for (std::string line; std::getline(file, line);) {
    const Json json = Json::parse(line);
    Json kept;
    for (const char* key :
         {"step", "stage", "loss", "gradient_norms", "update_norms", "evaluation"}) {
      if (json.contains(key)) kept[key] = json[key];
    }
    if (story.empty() || story.back() != kept.dump()) story.push_back(kept.dump());
  }
  return story;
}

int wait_for(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

// Kills the child a random while after its first new step. False: it had ended by itself.
bool kill_at_random(const Training& training, Rng& rng) {
  const auto before = training.logged();
  const pid_t child = training.start();
  int status = 0;
  while (training.logged() <= before) {
    if (waitpid(child, &status, WNOHANG) == child) return false;
    std::this_thread::sleep_for(5ms);
  }
  std::this_thread::sleep_for(std::chrono::microseconds(rng.below(200000)));
  kill(child, SIGKILL);
  status = wait_for(child);
  return WIFSIGNALED(status);
}

TEST(SlowResume, TwentyKillsLeaveTheSameWeights) {
  SIGHTLINE_NEEDS(test::environment_path("SIGHTLINE_BINARY"));
  const test::TemporaryFolder folder;
  const Training alone{folder.path() / "alone", folder.path() / "cache-alone", "", "false"};
  const int status = wait_for(alone.start());
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
      << read_file(alone.folder.string() + ".log");

  Training killed{folder.path() / "killed", folder.path() / "cache-killed"};
  const std::vector<std::string> named = {"checkpoint.begun:1",
                                          "step.mid_accumulation:4",
                                          "checkpoint.weights_written:1",
                                          "stage.ended:1",
                                          "checkpoint.all_written:1",
                                          "step.mid_accumulation:7",
                                          "stage.begun:2",
                                          "stage.saved:1",
                                          "step.mid_accumulation:2"};
  const auto seed =
      static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  SCOPED_TRACE("seed " + std::to_string(seed));
  Rng rng(seed);
  int kills = 0;
  for (const std::string& point : named) {
    killed.crash_at = point;
    const int ended = wait_for(killed.start());
    ASSERT_TRUE(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL)
        << point << "\n"
        << read_file(killed.folder.string() + ".log");
    ++kills;
    killed.crash_at.clear();
    if (kills < 20) kills += kill_at_random(killed, rng) ? 1 : 0;
  }
  while (kills < 20 && kill_at_random(killed, rng)) ++kills;
  std::printf("killed %d times; seed %llu\n", kills, static_cast<unsigned long long>(seed));
  EXPECT_EQ(kills, 20);
  const int last = wait_for(killed.start());
  ASSERT_TRUE(WIFEXITED(last) && WEXITSTATUS(last) == 0)
      << read_file(killed.folder.string() + ".log");
  EXPECT_EQ(story_of(alone.folder), story_of(killed.folder));
  for (const char* part : {"vision", "connector", "language"}) {
    const fs::path file = fs::path("model") / part / "model.safetensors";
    EXPECT_EQ(read_file(alone.folder / file), read_file(killed.folder / file)) << part;
  }
}

}  // namespace
}  // namespace sightline
