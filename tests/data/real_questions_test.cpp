// The questions of DAQUAR, VQA-RAD and PathVQA as they are, where they are.

#include "data/dataset.h"
#include "tests/data/support.h"

#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

struct Counts {
  size_t pictures = 0, questions = 0;
  bool operator==(const Counts&) const = default;
};

Counts counts_of(const Dataset& data) {
  Counts counts{.pictures = data.size()};
  for (size_t i = 0; i < data.size(); ++i) counts.questions += data.example(i).references.size();
  return counts;
}

std::set<std::string> pictures_of(const Dataset& data) {
  std::set<std::string> pictures;
  for (size_t i = 0; i < data.size(); ++i) pictures.insert(data.example(i).images.at(0).path);
  return pictures;
}

DataRecipe asked(DataFormat format, const std::filesystem::path& annotations,
                 const std::filesystem::path& images) {
  return {.format = format,
          .annotations = annotations.string(),
          .images = images.string(),
          .prompt = "{question}",
          .image_names = "{id}.jpg"};
}

// The split by pictures of its authors: 6,794 and 5,674 questions in their paper; these files have
// one more and one less.
TEST(RealQuestions, DaquarsSplitIsByPictures) {
  const auto folder = test::data_folder() / "daquar";
  SIGHTLINE_NEEDS(folder);
  DataRecipe recipe = asked(DataFormat::daquar, folder, folder / "images");
  EXPECT_EQ(counts_of(*open_dataset("daquar", recipe)), (Counts{1447, 12468}));
  recipe.split = (folder / "train_images_list.txt").string();
  const auto train = open_dataset("daquar", recipe);
  EXPECT_EQ(counts_of(*train), (Counts{794, 6795}));
  recipe.split = (folder / "test_images_list.txt").string();
  const auto test = open_dataset("daquar", recipe);
  EXPECT_EQ(counts_of(*test), (Counts{653, 5673}));
  const std::set<std::string> others = pictures_of(*train);
  for (const std::string& picture : pictures_of(*test)) {
    EXPECT_FALSE(others.contains(picture)) << picture;
  }
}

TEST(RealQuestions, VqaradsFoldsHoldEveryPictureOutOnce) {
  const auto folder = test::data_folder() / "vqa_rad";
  SIGHTLINE_NEEDS(folder);
  DataRecipe recipe = asked(DataFormat::vqarad, folder / "VQA_RAD.json", folder / "images");
  recipe.split = "train";
  EXPECT_EQ(counts_of(*open_dataset("rad", recipe)), (Counts{313, 1797}));
  recipe.folds = 5;
  std::map<std::string, int> held_out;
  size_t questions = 0;
  for (recipe.fold = 1; recipe.fold <= 5; ++recipe.fold) {
    recipe.split = "validation";
    const auto validation = open_dataset("rad", recipe);
    recipe.split = "train";
    const auto train = open_dataset("rad", recipe);
    const Counts counts = counts_of(*validation);
    EXPECT_THAT(counts.pictures, testing::AnyOf(62u, 63u));
    EXPECT_EQ(counts.questions + counts_of(*train).questions, 1797u);
    questions += counts.questions;
    const std::set<std::string> others = pictures_of(*train);
    for (const std::string& picture : pictures_of(*validation)) {
      ++held_out[picture];
      EXPECT_FALSE(others.contains(picture));
    }
  }
  EXPECT_EQ(questions, 1797u);
  EXPECT_EQ(held_out.size(), 313u);
  for (const auto& [picture, times] : held_out) EXPECT_EQ(times, 1) << picture;
}

// Its pictures cannot be had: files of their names stand in for them.
TEST(RealQuestions, PathvqasTextOpensWhole) {
  const auto folder = test::data_folder() / "pathvqa_text";
  SIGHTLINE_NEEDS(folder);
  const test::TemporaryFolder images;
  const std::map<std::string, Counts> expected = {{"train", {2599, 19755}}, {"val", {832, 6279}}};
  for (const auto& [split, counts] : expected) {
    for (int i = 0; i < 3021; ++i) {
      test::write_text(images.path() / fmt::format("{}_{:04}.jpg", split, i), "stand-in");
    }
    const auto data = open_dataset(
        "path", asked(DataFormat::pathvqa, folder / ("pvqa_" + split + ".json"), images.path()));
    EXPECT_EQ(counts_of(*data), counts);
    std::map<std::string, int> kinds;
    for (size_t i = 0; i < data->size(); ++i) {
      for (const std::string& kind : data->example(i).kinds) ++kinds[kind];
    }
    EXPECT_EQ(kinds.size(), 2u);
    std::printf("pathvqa %s: %d closed, %d open\n", split.c_str(), kinds["closed"], kinds["open"]);
  }
}

}  // namespace
}  // namespace sightline
