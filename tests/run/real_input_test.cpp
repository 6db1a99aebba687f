// The recipes of the real run, small: a tokenizer, a language model on text, the four stages on 200
// photographs, and the scores of the result beside its baselines; all by the program's own
// commands.

#include "base/json.h"
#include "tests/support.h"

#include <gmock/gmock.h>

namespace sightline {
namespace {

namespace fs = std::filesystem;

class SlowRealInput : public testing::Test {
 protected:
  // Runs the program in the source folder; its output is shown where it fails.
  void sightline(const std::string& words) {
    const auto run =
        test::run_command("cd " + test::source_folder().string() +
                          " && SIGHTLINE_DATA=" + test::data_folder().string() + " " +
                          test::environment_path("SIGHTLINE_BINARY").string() + " " + words);
    ASSERT_EQ(run.exit_code, 0) << words << "\n" << run.output;
    output_ = run.output;
  }
  std::string in(const char* name) const { return (folder_.path() / name).string(); }

  test::TemporaryFolder folder_;
  std::string output_;
};

TEST_F(SlowRealInput, FromPhotographsToScores) {
  SIGHTLINE_NEEDS(test::data_folder() / "flickr8k");
  SIGHTLINE_NEEDS(test::environment_path("SIGHTLINE_BINARY"));
  const std::string data = test::data_folder().string();
  sightline("tokenizer train --text " + data + "/text/coco_captions.txt --vocab 2048 --output " +
            in("tokenizer"));
  sightline("train recipes/flickr8k_language.toml --output " + in("language") +
            " --set model.tokenizer=" + in("tokenizer") +
            " --set data.captions.limit=3000 --set data.reviews.limit=40"
            " --set model.language.num_hidden_layers=2");
  sightline("train recipes/flickr8k.toml --output " + in("run") + " --set model.language=" +
            in("language") + "/model/language --set cache=" + in("cache") +
            " --set data.train.limit=200 --set data.changed.limit=200 --set data.dev.limit=40"
            " --set checkpoint.every=0 --set stage.pretrain.epochs=1"
            " --set stage.instruct.epochs=1");
  sightline("evaluate " + in("run") + "/model flickr8k-dev --baselines --output " + in("scores"));
  EXPECT_THAT(output_, testing::HasSubstr("nearest"));
  const Json scores = read_json(in("scores") + "/scores.json");
  EXPECT_GT(scores.dump().size(), 100u);
  sightline("score --references " + in("scores") + "/references.json --results " + in("scores") +
            "/predictions.json");
  EXPECT_THAT(output_, testing::HasSubstr("CIDEr"));
  sightline("caption " + in("run") + "/model " + data +
            "/coco_mini/val2017/000000000139.jpg --json");
}

}  // namespace
}  // namespace sightline
