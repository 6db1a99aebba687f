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
  static constexpr const char* kSmall =
      " --set data.train.limit=200 --set data.changed.limit=200 --set data.dev.limit=40"
      " --set checkpoint.every=0 --set stage.pretrain.epochs=1 --set stage.instruct.epochs=1";

  void SetUp() override {
    SIGHTLINE_NEEDS(test::data_folder() / "flickr8k");
    SIGHTLINE_NEEDS(test::environment_path("SIGHTLINE_BINARY"));
  }

  // Runs the program in the source folder; its output is shown where it fails.
  void sightline(const std::string& words) {
    const auto run =
        test::run_command("cd " + test::source_folder().string() +
                          " && SIGHTLINE_DATA=" + test::data_folder().string() + " " +
                          test::environment_path("SIGHTLINE_BINARY").string() + " " + words);
    ASSERT_EQ(run.exit_code, 0) << words << "\n" << run.output;
    output_ = run.output;
  }
  std::string in(const std::string& name) const { return (folder_.path() / name).string(); }

  void train_language_model() {
    const std::string text = test::data_folder().string() + "/text/coco_captions.txt";
    sightline("tokenizer train --text " + text + " --vocab 2048 --output " + in("tokenizer"));
    sightline("train recipes/flickr8k_language.toml --output " + in("language") +
              " --set model.tokenizer=" + in("tokenizer") +
              " --set data.captions.limit=3000 --set data.reviews.limit=40"
              " --set model.language.num_hidden_layers=2");
  }

  void train_captions() {
    sightline("train recipes/flickr8k.toml --output " + in("run") + settings());
  }

  // What both recipes share, so that one may begin where a stage of the other ended.
  std::string settings() const {
    return " --set model.language=" + in("language") +
           "/model/language --set cache=" + in("cache") + kSmall;
  }

  // The mixed stage behind the captions' third.
  void train_mixture() {
    sightline("train recipes/small.toml --from-stage instruct --from-run " + in("run") +
              " --output " + in("small") + settings() +
              " --set data.daquar-train.limit=60 --set data.daquar-test.limit=40");
  }

  // A fifth stage with the fold held out, and its scores.
  void train_fold(int fold) {
    const std::string number = std::to_string(fold);
    sightline("train recipes/small_vqarad.toml --output " + in("rad-" + number) +
              " --set model.from=" + in("small") + "/model --set stage.radiology.max_steps=10" +
              " --set data.train.fold=" + number + " --set data.held-out.fold=" + number);
    sightline("evaluate " + in("rad-" + number) + "/model vqarad --baselines --output " +
              in("scores-" + number));
  }

  test::TemporaryFolder folder_;
  std::string output_;
};

TEST_F(SlowRealInput, FromPhotographsToScores) {
  train_language_model();
  train_captions();
  sightline("evaluate " + in("run") + "/model flickr8k-dev --baselines --output " + in("scores"));
  EXPECT_THAT(output_, testing::HasSubstr("nearest"));
  const Json scores = read_json(in("scores") + "/scores.json");
  EXPECT_GT(scores.dump().size(), 100u);
  sightline("score --references " + in("scores") + "/references.json --results " + in("scores") +
            "/predictions.json");
  EXPECT_THAT(output_, testing::HasSubstr("CIDEr"));
  sightline("caption " + in("run") + "/model " + test::data_folder().string() +
            "/coco_mini/val2017/000000000139.jpg --json");

  // One model for captions and questions, from where the third stage ended; then radiology.
  train_mixture();
  sightline("evaluate " + in("small") + "/model daquar-test --output " + in("daquar"));
  EXPECT_THAT(output_, testing::HasSubstr("exact_match"));
  train_fold(1);
  train_fold(2);
  sightline("pool " + in("scores-1") + " " + in("scores-2") + " --output " + in("radiology"));
  const auto count = [&](const std::string& folder) {
    return read_json(in(folder) + "/scores.json")["count"].get<int64_t>();
  };
  EXPECT_EQ(count("radiology"), count("scores-1") + count("scores-2"));
  EXPECT_THAT(output_, testing::HasSubstr("majority_of_kind"));
  const std::string pair = in("scores-1") + " " + in("scores-1");
  sightline("compare " + pair + " " + pair);
  EXPECT_THAT(output_, testing::HasSubstr("means of 2 pairs"));
}

}  // namespace
}  // namespace sightline
