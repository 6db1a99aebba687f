#include "data/loader.h"

#include "base/file.h"
#include "base/log.h"
#include "image/decode.h"
#include "tests/data/loader_fixture.h"

#include <chrono>
#include <map>
#include <numeric>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using test::all_steps;
using test::digests;
using test::MadeStage;
using test::message_of;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

std::map<std::string, int> times_used(const std::vector<LoadedStep>& steps) {
  std::map<std::string, int> times;
  for (const LoadedStep& step : steps) {
    for (const Batch& batch : step.micro_batches) {
      for (const std::string& name : batch.sample_names) ++times[name];
    }
  }
  return times;
}

TEST(Loader, EveryExampleOfThePassesOnceAndTheSumsHold) {
  MadeStage stage;
  const std::vector<LoadedStep> steps = all_steps(stage.options);
  ASSERT_GT(steps.size(), 5u);
  const auto times = times_used(steps);
  for (size_t i = 0; i < stage.first.size(); ++i) {
    EXPECT_EQ(times.at(stage.first.where(i)), 2) << i;
  }
  int most = 0, least = 1000;  // about 90 draws of 25 examples: 3 or 4 each
  for (size_t i = 0; i < stage.second.size(); ++i) {
    most = std::max(most, times.at(stage.second.where(i)));
    least = std::min(least, times.at(stage.second.where(i)));
  }
  EXPECT_LE(most - least, 1);

  double progress = 0;
  for (size_t s = 0; s < steps.size(); ++s) {
    const LoadedStep& step = steps[s];
    int64_t rows = 0, predictions = 0, images = 0, samples = 0;
    for (const Batch& batch : step.micro_batches) {
      EXPECT_LE(batch.rows(), stage.options.micro_tokens);
      EXPECT_EQ(batch.pixels.size(), static_cast<size_t>(batch.num_images()) * 3 * 8 * 8);
      EXPECT_TRUE(batch.features.empty());
      rows += batch.rows();
      predictions += batch.num_predictions();
      images += batch.num_images();
      samples += static_cast<int64_t>(batch.sample_names.size());
    }
    EXPECT_EQ(step.num_rows, rows);
    EXPECT_EQ(step.num_predictions, predictions);
    EXPECT_EQ(step.num_images, images);
    EXPECT_EQ(step.num_samples, samples);
    EXPECT_GT(predictions, 0);
    if (s + 1 < steps.size()) {
      EXPECT_GE(rows, stage.options.step_tokens);
      EXPECT_LT(rows - step.micro_batches.back().rows(), stage.options.step_tokens);
    }
    EXPECT_EQ(step.progress_before, progress);
    EXPECT_GT(step.progress_after, progress);
    progress = step.progress_after;
  }
  EXPECT_EQ(progress, 1.0);
}

// Progress follows what was used and not what was drawn ahead of it.
TEST(Loader, ProgressIsThatOfTheSamplesUsed) {
  MadeStage stage;
  stage.options.entries.resize(1);
  stage.options.look_ahead = 70;
  int64_t used = 0;
  for (const LoadedStep& step : all_steps(stage.options)) {
    used += step.num_samples;
    EXPECT_NEAR(step.progress_after, static_cast<double>(used) / 180.0, 1e-12);
  }
}

TEST(Loader, PixelsAreThoseOfTheRightPicture) {
  MadeStage stage;
  const auto expect_pixels = [&](MaskPolicy policy) {
    stage.options.compose.policy = policy;
    for (const LoadedStep& step : all_steps(stage.options)) {
      for (const Batch& batch : step.micro_batches) {
        Batch again = batch;
        again.pixels.clear();
        load_pictures(again, *stage.options.processor, nullptr);
        ASSERT_EQ(again.pixels, batch.pixels);
      }
    }
  };
  expect_pixels(MaskPolicy::image);
  expect_pixels(MaskPolicy::prefix);  // conversations with a picture each

  Batch batch;
  batch.images = {stage.first.example(3).images[0]};
  load_pictures(batch, *stage.options.processor, nullptr);
  const std::string bytes = read_image_bytes(batch.images[0]);
  const Image image = apply(*stage.options.processor,
                            decode_image(std::as_bytes(std::span(bytes.data(), bytes.size())), ""));
  std::vector<float> expected(3 * 8 * 8);
  normalise(*stage.options.processor, image, expected);
  EXPECT_EQ(batch.pixels, expected);
}

TEST(Loader, TheSameStepsOnAnyNumberOfWorkers) {
  MadeStage stage;
  for (const CaptionsMode captions : {CaptionsMode::all, CaptionsMode::one}) {
    stage.options.entries[0].captions = captions;
    stage.options.workers = 1;
    const auto expected = digests(all_steps(stage.options));
    for (const int64_t workers : {2, 4}) {
      stage.options.workers = workers;
      stage.options.prefetch = workers + 1;
      EXPECT_EQ(digests(all_steps(stage.options)), expected) << workers;
    }
  }
  const auto steps = digests(all_steps(stage.options));
  stage.options.seed = 12;
  EXPECT_NE(digests(all_steps(stage.options)), steps);
}

TEST(Loader, AfterARestoreTheRestIsTheSame) {
  MadeStage stage;
  stage.options.entries[0].captions = CaptionsMode::one;
  const std::vector<LoadedStep> steps = all_steps(stage.options);
  const std::vector<std::string> expected = digests(steps);
  for (size_t stop = 0; stop < steps.size(); ++stop) {
    const Json state = Json::parse(steps[stop].state_after.dump());
    stage.options.workers = 1 + static_cast<int64_t>(stop % 3);
    const auto rest = digests(all_steps(stage.options, &state));
    EXPECT_EQ(rest, std::vector<std::string>(expected.begin() + stop + 1, expected.end())) << stop;
  }
  Json broken = steps[0].state_after;
  broken["waiting"] = {{0, 90, 0}};
  EXPECT_THAT(message_of([&] { Loader loader(stage.options, &broken); }), HasSubstr("\"waiting\""));
  stage.options.entries.pop_back();
  EXPECT_THAT(message_of([&] { Loader loader(stage.options, &steps[0].state_after); }),
              HasSubstr("resume"));
}

TEST(Loader, OneCaptionIsDrawnAfreshInEachPass) {
  MadeStage stage;
  stage.options.entries.resize(1);
  stage.options.entries[0].captions = CaptionsMode::one;
  stage.options.epochs = 6;
  // With one conversation a sample, a batch's document is a sample.
  std::map<std::string, std::set<std::vector<int32_t>>> answers;
  for (const LoadedStep& step : all_steps(stage.options)) {
    for (const Batch& batch : step.micro_batches) {
      std::vector<std::vector<int32_t>> documents(batch.sample_names.size());
      for (int64_t row = 0; row < batch.rows(); ++row) {
        documents.at(batch.layout.document_T[row]).push_back(batch.tokens_T[row]);
      }
      for (size_t d = 0; d < documents.size(); ++d) {
        answers[batch.sample_names[d]].insert(documents[d]);
      }
    }
  }
  size_t differing = 0, with_several = 0;
  for (size_t i = 0; i < stage.first.size(); ++i) {
    if (stage.first.example(i).conversations.size() < 2) continue;
    ++with_several;
    if (answers[stage.first.where(i)].size() > 1) ++differing;
  }
  EXPECT_GT(with_several, 30u);
  EXPECT_GT(differing, with_several * 3 / 4);
}

// Each sample's pictures are changed by its own draw, also where two samples show the same picture,
// and again the same on any number of workers and after a resume.
TEST(Loader, AugmentationIsAFunctionOfTheDraw) {
  MadeStage stage;
  const auto plain = digests(all_steps(stage.options));
  stage.options.entries[0].augment = {.crop = 0.4, .flip = 0.5, .colour = 0.3};
  for (const MaskPolicy policy : {MaskPolicy::image, MaskPolicy::prefix}) {
    stage.options.compose.policy = policy;
    stage.options.workers = 1;
    const std::vector<LoadedStep> steps = all_steps(stage.options);
    const auto expected = digests(steps);
    EXPECT_NE(expected, plain);
    stage.options.workers = 3;
    EXPECT_EQ(digests(all_steps(stage.options)), expected);
    const auto rest = digests(all_steps(stage.options, &steps[2].state_after));
    EXPECT_EQ(rest, std::vector<std::string>(expected.begin() + 3, expected.end()));
  }
  stage.options.seed = 12;
  EXPECT_NE(digests(all_steps(stage.options)), plain);
}

TEST(Loader, EachPassChangesAPictureAnew) {
  MadeStage stage;
  stage.options.entries.resize(1);
  stage.options.entries[0].augment = {.crop = 0.4, .colour = 0.3};
  stage.options.compose.policy = MaskPolicy::prefix;        // a picture for every conversation
  std::map<std::string, std::set<std::string>> changes_of;  // of each picture, as pixels
  const size_t values = 3 * 8 * 8;
  for (const LoadedStep& step : all_steps(stage.options)) {
    for (const Batch& batch : step.micro_batches) {
      for (size_t i = 0; i < batch.images.size(); ++i) {
        const std::vector<float> pixels(batch.pixels.begin() + i * values,
                                        batch.pixels.begin() + (i + 1) * values);
        changes_of[*batch.images[i].encoded].insert(test::bytes_of(pixels));
      }
    }
  }
  EXPECT_GT(changes_of.size(), 70u);
  for (const auto& [picture, changes] : changes_of) {
    EXPECT_EQ(changes.size(), 2u);  // one a pass, shared by the conversations of the sample
  }
}

TEST(Loader, AnEntryOfTextAloneStandsBesidePictures) {
  MadeStage stage;
  class Words : public Dataset {
   public:
    size_t size() const override { return 40; }
    Example example(size_t number) const override {
      return {.where = fmt::format("words:{}", number + 1),
              .conversations = {{{.role = Role::assistant, .text = "a cat on the mat"}}},
              .references = {"a cat on the mat"}};
    }
  } words;
  stage.options.entries[1] = {.dataset = &words, .repeats = 1.0};
  int64_t images = 0, texts = 0;
  for (const LoadedStep& step : all_steps(stage.options)) {
    images += step.num_images;
    for (const auto& batch : step.micro_batches) {
      texts += std::ranges::count_if(batch.sample_names,
                                     [](const auto& name) { return name.starts_with("words"); });
    }
  }
  EXPECT_EQ(texts, 40);
  EXPECT_GT(images, 100);
}

TEST(Loader, ReconstructGivesPicturesAlone) {
  MadeStage stage;
  for (size_t i = 0; i < stage.first.size(); ++i) {
    if (i % 8 == 7) stage.options.entries[0].on_bad_sample = OnBadSample::skip;  // text alone
  }
  stage.options.entries.resize(1);
  stage.options.encoder = nullptr;
  stage.options.patches_per_image = 16;
  stage.options.epochs = 1;
  test::TemporaryFolder temporary;
  stage.options.skipped_log = (temporary.path() / "skipped.txt").string();
  int64_t images = 0, skipped = 0;
  for (const LoadedStep& step : all_steps(stage.options)) {
    EXPECT_EQ(step.num_predictions, step.num_images);
    EXPECT_EQ(step.num_rows, 16 * step.num_images);
    for (const Batch& batch : step.micro_batches) {
      EXPECT_LE(batch.num_images(), 10);
      EXPECT_EQ(batch.pixels.size(), static_cast<size_t>(batch.num_images()) * 3 * 8 * 8);
      EXPECT_EQ(batch.rows(), 0);
      EXPECT_TRUE(batch.plan.runs.empty());
    }
    images += step.num_images;
    skipped = step.skipped;
  }
  EXPECT_EQ(skipped, 11);
  EXPECT_EQ(images, 79);
}

// As a plan reads a stage: all but the pictures, which may be broken.
TEST(Loader, WithoutAProcessorPicturesAreCountedAndNotOpened) {
  MadeStage stage;
  std::vector<LoadedStep> opened = all_steps(stage.options);
  for (LoadedStep& step : opened) {
    for (Batch& batch : step.micro_batches) batch.pixels.clear();
  }
  stage.options.processor.reset();
  EXPECT_EQ(digests(all_steps(stage.options)), digests(opened));
  stage.first.replace_picture(0, "no picture");
  EXPECT_EQ(all_steps(stage.options).size(), opened.size());
}

TEST(Loader, FeaturesComeFromTheStore) {
  MadeStage stage;
  test::TemporaryFolder temporary;
  FeatureStore store(temporary.path() / "store", 6);
  const auto feature = [](const std::string& key) {
    return std::vector<uint16_t>(6, static_cast<uint16_t>(key[0] * 256 + key[1]));
  };
  for (const test::MadeDataset* data : {&stage.first, &stage.second}) {
    for (size_t i = 0; i < data->size(); ++i) {
      for (const ImageSource& image : data->example(i).images) {
        const std::string key = content_key(read_image_bytes(image));
        store.append(key, feature(key));
      }
    }
  }
  store.finish();
  stage.options.store = &store;
  stage.options.processor.reset();
  int64_t images = 0;
  for (const LoadedStep& step : all_steps(stage.options)) {
    for (const Batch& batch : step.micro_batches) {
      EXPECT_TRUE(batch.pixels.empty());
      std::vector<uint16_t> expected;
      for (const ImageSource& image : batch.images) {
        const auto record = feature(content_key(read_image_bytes(image)));
        expected.insert(expected.end(), record.begin(), record.end());
      }
      EXPECT_EQ(batch.features, expected);
      images += batch.num_images();
    }
  }
  EXPECT_GT(images, 150);

  stage.first.replace_picture(5, test::png_of(1000));
  EXPECT_THAT(message_of([&] { all_steps(stage.options); }),
              AllOf(StartsWith("first:6: "), HasSubstr("feature store does not hold")));
}

// What is wrong with one example of the stage, and what the error says of it.
struct BadCase {
  std::string says;
  std::function<void(MadeStage&)> spoil;
};

std::vector<BadCase> bad_cases() {
  return {
      {"first:5: ", [](MadeStage& s) { s.first.replace_picture(4, ""); }},
      {"first:5: ",
       [](MadeStage& s) { s.first.replace_picture(4, test::png_of(4).substr(0, 90)); }},
      {"first:5: ", [](MadeStage& s) { s.first.replace_picture(4, "not a picture"); }},
  };
}

TEST(Loader, ABadPictureIsAnErrorNamingTheRow) {
  for (const BadCase& bad : bad_cases()) {
    MadeStage stage;
    bad.spoil(stage);
    for (const int64_t workers : {1, 3}) {
      stage.options.workers = workers;
      Loader loader(stage.options);
      std::string message = test::kNoError;
      size_t steps = 0;
      while (message == test::kNoError) {
        message = message_of([&] {
          ASSERT_TRUE(loader.next());
          ++steps;
        });
      }
      EXPECT_THAT(message, AllOf(StartsWith(bad.says), HasSubstr("on_bad_sample")));
      EXPECT_EQ(message_of([&] { loader.next(); }), message) << "and says so again";
    }
  }
}

TEST(Loader, UnderSkipBadSamplesAreCountedAndListedOnce) {
  for (const BadCase& bad : bad_cases()) {
    MadeStage stage;
    bad.spoil(stage);
    stage.options.entries[0].on_bad_sample = OnBadSample::skip;
    std::vector<std::string> expected;
    for (const int64_t workers : {1, 4}) {
      test::TemporaryFolder temporary;
      stage.options.skipped_log = (temporary.path() / "skipped.txt").string();
      stage.options.workers = workers;
      const std::vector<LoadedStep> steps = all_steps(stage.options);
      EXPECT_EQ(steps.back().skipped, 2) << "once in each pass";
      EXPECT_EQ(steps.back().progress_after, 1.0);
      EXPECT_FALSE(times_used(steps).contains("first:5"));
      const std::string log = read_file(stage.options.skipped_log);
      EXPECT_THAT(log, StartsWith("first:5: "));
      EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1);
      if (workers == 1) expected = digests(steps);
      EXPECT_EQ(digests(steps), expected);

      for (size_t stop = 0; stop < steps.size(); ++stop) {
        const auto rest = digests(all_steps(stage.options, &steps[stop].state_after));
        EXPECT_EQ(rest, std::vector<std::string>(expected.begin() + stop + 1, expected.end()));
      }
      EXPECT_EQ(read_file(stage.options.skipped_log), log) << "listed again after a resume";
    }
  }
}

TEST(Loader, TooLongIsBadToo) {
  MadeStage stage;
  stage.options.micro_tokens = 45;
  EXPECT_THAT(message_of([&] { all_steps(stage.options); }),
              AllOf(testing::ContainsRegex("(first|second):[0-9]+: "), HasSubstr("rows"),
                    HasSubstr("micro_tokens = 45")));
  stage.options.micro_tokens = 160;
  stage.options.max_rows = 15;
  EXPECT_THAT(message_of([&] { all_steps(stage.options); }), HasSubstr("the model at most 15"));

  stage.options.max_rows = 1;
  for (LoaderEntry& entry : stage.options.entries) entry.on_bad_sample = OnBadSample::skip;
  test::TemporaryFolder temporary;
  stage.options.skipped_log = (temporary.path() / "skipped.txt").string();
  EXPECT_THAT(message_of([&] { all_steps(stage.options); }),
              AllOf(HasSubstr("could be used"), HasSubstr(stage.options.skipped_log)));
}

TEST(Loader, EndsAtOnceWhereverItStands) {
  MadeStage stage;
  stage.options.epochs = 1e6;
  for (int i = 0; i < 40; ++i) {
    stage.options.workers = 1 + i % 3;
    const double start = seconds_now();
    {
      Loader loader(stage.options);
      for (int step = 0; step < i % 4; ++step) ASSERT_TRUE(loader.next());
      if (i % 2 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(i));
      EXPECT_GE(loader.seconds_waited(), 0);
    }
    EXPECT_LT(seconds_now() - start, 2.0);
  }
}

}  // namespace
}  // namespace sightline
