// The readers of JSON files, and of conversations in JSON lines.

#include "data/dataset.h"
#include "tests/data/support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using test::message_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class JsonReaderTest : public testing::Test {
 protected:
  test::TemporaryFolder temporary;
  std::filesystem::path file = temporary.path() / "annotations.json";
  DataRecipe recipe{.annotations = file.string(), .images = temporary.path().string()};

  void add_pictures(std::initializer_list<const char*> names) {
    for (const char* name : names) test::write_text(temporary.path() / name, "x");
  }
  std::string path(const std::string& name) { return (temporary.path() / name).string(); }
  std::unique_ptr<Dataset> open(std::string_view annotations) {
    test::write_text(file, annotations);
    return open_dataset("photos", recipe);
  }
  // "{image}" for an image, "|" between turns.
  static std::string shown(const std::vector<Turn>& turns) {
    std::string text;
    const auto add = [&](int images, const std::string& words) {
      for (int i = 0; i < images; ++i) text += "{image}";
      text += words;
    };
    for (const Turn& turn : turns) {
      if (!text.empty()) text += "|";
      add(turn.images, turn.text);
      for (const TurnPart& part : turn.more) add(part.images, part.text);
    }
    return text;
  }
};

class CocoReader : public JsonReaderTest {
 protected:
  void SetUp() override {
    recipe.format = DataFormat::coco;
    recipe.prompt = "a caption:";
    add_pictures({"a.jpg", "b.jpg"});
  }
  static constexpr std::string_view kImages =
      R"({"images": [{"id": 7, "file_name": "a.jpg", "height": 3}, {"id": 3, "file_name": "b.jpg"}], )";
};

TEST_F(CocoReader, AllCaptionsOfAnImageAreConversations) {
  const auto data = open(std::string(kImages) + R"("annotations": [
      {"image_id": 3, "id": 1, "caption": "A cat."},
      {"image_id": 7, "id": 2, "caption": " A dog. "},
      {"image_id": 3, "id": 3, "caption": "Two cats."}], "licenses": []})");
  ASSERT_EQ(data->size(), 2u);
  const Example dog = data->example(0);
  EXPECT_EQ(dog.where, file.string() + ": images[0]");
  EXPECT_EQ(dog.images[0].path, path("a.jpg"));
  EXPECT_EQ(shown(dog.conversations.at(0)), "{image}a caption:|A dog.");
  EXPECT_THAT(dog.references, ElementsAre(" A dog. "));
  EXPECT_THAT(data->example(1).references, ElementsAre("A cat.", "Two cats."));
  recipe.limit = 1;
  EXPECT_EQ(
      open(std::string(kImages) + R"("annotations": [{"image_id": 7, "caption": "A"}]})")->size(),
      1u);
}

TEST_F(CocoReader, UnderSkipABadImageIsOneBadExample) {
  recipe.on_bad_sample = OnBadSample::skip;
  const auto data = open(std::string(kImages) + R"("annotations": [
      {"image_id": 3, "caption": "A cat."}, {"image_id": 4, "caption": "Whose?"}]})");
  ASSERT_EQ(data->size(), 3u);
  EXPECT_THAT(message_of([&] { data->example(0); }), HasSubstr("images[0]: a.jpg has no caption"));
  EXPECT_EQ(data->example(1).references.size(), 1u);
  EXPECT_THAT(message_of([&] { data->example(2); }), HasSubstr("annotations[1]: no image"));
}

class KarpathyReader : public JsonReaderTest {
 protected:
  void SetUp() override {
    recipe.format = DataFormat::karpathy;
    add_pictures({"val2014/a.jpg", "b.jpg", "c.jpg"});
  }
  static constexpr std::string_view kFile = R"({"images": [
    {"filepath": "val2014", "sentids": [770337], "filename": "a.jpg", "imgid": 0, "split": "test",
     "sentences": [{"tokens": ["a", "dog"], "raw": "A dog. ", "imgid": 0, "sentid": 770337},
                   {"raw": "One dog"}], "cocoid": 391895},
    {"filename": "b.jpg", "split": "train", "sentences": [{"raw": "A cat"}]},
    {"filename": "c.jpg", "split": "restval", "sentences": [{"raw": "A cow"}]}], "dataset": "coco"})";
};

TEST_F(KarpathyReader, TakesTheImagesOfTheSplits) {
  recipe.split = "test";
  const auto test = open(kFile);
  ASSERT_EQ(test->size(), 1u);
  EXPECT_EQ(test->example(0).images[0].path, path("val2014/a.jpg"));
  EXPECT_THAT(test->example(0).references, ElementsAre("A dog. ", "One dog"));
  EXPECT_EQ(shown(test->example(0).conversations[0]), "{image}|A dog.");
  recipe.split = "train+restval";
  const auto train = open(kFile);
  ASSERT_EQ(train->size(), 2u);
  EXPECT_EQ(train->example(1).where, file.string() + ": images[2]");
  recipe.split = "train+val";
  EXPECT_THAT(
      message_of([&] { open(kFile); }),
      AllOf(StartsWith(file.string()), HasSubstr("\"val\""), HasSubstr("restval, test, train")));
}

class LlavaReader : public JsonReaderTest {
 protected:
  void SetUp() override {
    recipe.format = DataFormat::llava;
    add_pictures({"a.jpg", "b.jpg"});
  }
  std::string conversation_of(const std::string& sample) {
    const auto data = open("[" + sample + "]");
    return shown(data->example(0).conversations.at(0));
  }
};

TEST_F(LlavaReader, OneConversationASample) {
  const auto data = open(R"([{"id": "1", "image": "a.jpg", "conversations": [
      {"from": "human", "value": "<image>\nWhat?"}, {"from": "gpt", "value": "A dog."},
      {"from": "human", "value": "Sure?"}, {"from": "gpt", "value": " Yes. "}]},
      {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}]}])");
  ASSERT_EQ(data->size(), 2u);
  const Example first = data->example(0);
  EXPECT_EQ(first.where, file.string() + ": [0]");
  EXPECT_EQ(first.images[0].path, path("a.jpg"));
  ASSERT_EQ(first.conversations.size(), 1u);
  EXPECT_EQ(shown(first.conversations[0]), "{image}What?|A dog.|Sure?|Yes.");
  EXPECT_THAT(first.references, ElementsAre(" Yes. "));
  EXPECT_TRUE(data->example(1).images.empty());
}

TEST_F(LlavaReader, MarkersStandWhereTheImagesAreShown) {
  EXPECT_EQ(conversation_of(R"({"image": "a.jpg", "conversations": [
      {"from": "human", "value": "What?\n<image>"}, {"from": "gpt", "value": "A"}]})"),
            "{image}What?|A");
  EXPECT_EQ(conversation_of(R"({"image": "a.jpg", "conversations": [
      {"from": "human", "value": "Is <image> it?"}, {"from": "gpt", "value": "A"}]})"),
            "Is{image}it?|A");
  EXPECT_EQ(conversation_of(R"({"image": ["a.jpg", "b.jpg", "a.jpg"], "conversations": [
      {"from": "human", "value": "<image> or <image>"}, {"from": "gpt", "value": "A"},
      {"from": "human", "value": "And\n<image>"}, {"from": "gpt", "value": "B"}]})"),
            "{image}or{image}|A|{image}And|B");
}

class JsonlConversations : public JsonReaderTest {
 protected:
  void SetUp() override {
    recipe.format = DataFormat::jsonl;
    add_pictures({"a.jpg", "b.jpg"});
  }
};

TEST_F(JsonlConversations, ImagesStandAnywhereInAUsersTurn) {
  const auto data =
      open(R"({"messages": [{"role": "user", "content": [{"type": "text", "text": "First "}, )"
           R"({"type": "image", "image": "a.jpg"}, {"type": "text", "text": "then"}, )"
           R"({"type": "text", "text": "also"}, {"type": "image", "image": "b.jpg"}]}, )"
           R"({"role": "assistant", "content": "Two."}, {"role": "user", "content": "More?"}, )"
           R"({"role": "assistant", "content": [{"type": "text", "text": "No. "}]}], "_id": 3})");
  const Example example = data->example(0);
  EXPECT_EQ(shown(example.conversations.at(0)), "First{image}then\nalso{image}|Two.|More?|No.");
  ASSERT_EQ(example.images.size(), 2u);
  EXPECT_EQ(example.images[1].path, path("b.jpg"));
  EXPECT_THAT(example.references, ElementsAre("No. "));
}

}  // namespace
}  // namespace sightline
