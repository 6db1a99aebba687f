#include "data/dataset.h"
#include "tests/data/support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using test::message_of;
using test::write_text;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class ReaderTest : public testing::Test {
 protected:
  test::TemporaryFolder temporary;
  std::filesystem::path file = temporary.path() / "annotations";
  std::filesystem::path split = temporary.path() / "split";
  DataRecipe recipe{.annotations = file.string(), .images = temporary.path().string()};

  void add_picture(const std::string& name) { write_text(temporary.path() / name, "x"); }
  std::string where(int row) { return file.string() + ":" + std::to_string(row); }
  std::unique_ptr<Dataset> open(std::string_view annotations) {
    write_text(file, annotations);
    return open_dataset("photos", recipe);
  }
  std::string open_error(std::string_view annotations) {
    return message_of([&] { open(annotations); });
  }
};

class FlickrReader : public ReaderTest {
 protected:
  void SetUp() override {
    recipe.format = DataFormat::flickr;
    recipe.prompt = "a caption:";
    add_picture("a.jpg");
    add_picture("b.jpg");
  }
};

TEST_F(FlickrReader, OneExampleAPhotographWithAllItsCaptions) {
  const auto data = open("a.jpg#0\tA dog .\r\nb.jpg#0\tA cat .\n\na.jpg#1\t  Two dogs . \n");
  ASSERT_EQ(data->size(), 2u);
  const Example example = data->example(0);
  EXPECT_EQ(example.where, where(1));
  ASSERT_EQ(example.images.size(), 1u);
  EXPECT_EQ(example.images[0].path, (temporary.path() / "a.jpg").string());
  ASSERT_EQ(example.conversations.size(), 2u);
  const auto& turns = example.conversations[1];
  ASSERT_EQ(turns.size(), 2u);
  EXPECT_EQ(turns[0].role, Role::user);
  EXPECT_EQ(turns[0].text, "a caption:");
  EXPECT_EQ(turns[0].images, 1);
  EXPECT_EQ(turns[1].role, Role::assistant);
  EXPECT_EQ(turns[1].text, "Two dogs .");
  EXPECT_EQ(turns[1].images, 0);
  EXPECT_THAT(example.references, ElementsAre("A dog .", "  Two dogs . "));
  EXPECT_EQ(data->example(1).where, where(2));
}

TEST_F(FlickrReader, TheSplitGivesTheOrderAndTheLimitCuts) {
  const std::string captions = "a.jpg#0\tA dog .\nc.jpg#0\tNot in the split\nb.jpg#0\tA cat .\n";
  recipe.split = split.string();
  write_text(split, "b.jpg\na.jpg\n");
  const auto data = open(captions);
  ASSERT_EQ(data->size(), 2u);
  EXPECT_EQ(data->example(0).references[0], "A cat .");
  recipe.limit = 1;
  EXPECT_EQ(open(captions)->size(), 1u);
  recipe.limit = 9;
  EXPECT_EQ(open(captions)->size(), 2u);
}

TEST_F(FlickrReader, EachMistakeNamesItsLine) {
  EXPECT_THAT(open_error("a.jpg#0\tA dog .\na.jpg#1 no tab\n"), StartsWith(where(2) + ": no tab"));
  EXPECT_THAT(open_error("a.jpg\tA dog .\n"), AllOf(StartsWith(where(1)), HasSubstr("a.jpg")));
  EXPECT_THAT(open_error("#0\tA dog .\n"), StartsWith(where(1)));
  EXPECT_THAT(open_error("a.jpg#x\tA dog .\n"), AllOf(StartsWith(where(1)), HasSubstr("\"x\"")));
  EXPECT_THAT(open_error("a.jpg#0\t \n"), AllOf(StartsWith(where(1)), HasSubstr("empty")));
  EXPECT_THAT(open_error("a.jpg#0\tA dog .\nb.jpg#0\tA\na.jpg#0\tA dog .\n"),
              AllOf(StartsWith(where(3)), HasSubstr("a.jpg#0"), HasSubstr(where(1))));
  EXPECT_THAT(open_error("a.jpg#0\tA\nc.jpg#0\tA\n"),
              AllOf(StartsWith(where(2)), HasSubstr("c.jpg does not exist")));
  EXPECT_THAT(open_error(""), AllOf(StartsWith(file.string()), HasSubstr("empty")));
  recipe.split = split.string();
  write_text(split, "a.jpg\nmissing.jpg\n");
  EXPECT_THAT(open_error("a.jpg#0\tA\n"),
              AllOf(StartsWith(split.string() + ":2"), HasSubstr("missing.jpg has no caption")));
  write_text(split, "a.jpg\na.jpg\n");
  EXPECT_THAT(open_error("a.jpg#0\tA\n"), StartsWith(split.string() + ":2"));
  recipe.annotations = (temporary.path() / "nowhere").string();
  EXPECT_THAT(open_error("x"), StartsWith(recipe.annotations));
}

TEST_F(FlickrReader, UnderSkipMissingPhotographsAreLeftToTheLoader) {
  recipe.on_bad_sample = OnBadSample::skip;
  EXPECT_EQ(open("a.jpg#0\tA\nc.jpg#0\tA\n")->size(), 2u);
}

class JsonlReader : public ReaderTest {
 protected:
  void SetUp() override {
    recipe.format = DataFormat::jsonl;
    add_picture("a.jpg");
  }
};

TEST_F(JsonlReader, CaptionsAndQuestions) {
  recipe.prompt = "describe";
  const auto data = open(
      "\xef\xbb\xbf{\"image\": \"a.jpg\", \"caption\": \" A dog. \", \"_id\": 3}\n"
      "\n"
      "{\"image\": \"a.jpg\", \"captions\": [\"A dog.\", \"A brown dog.\"]}\n"
      "{\"question\": \"2 + 2?\", \"answer\": \"4\"}\n"
      "{\"image\": \"a.jpg\", \"questions\": [{\"question\": \"what?\", \"answer\": \"dog\", "
      "\"kind\": \"object\"}, {\"question\": \"who?\", \"answer\": \"Rex\", \"kind\": "
      "\"object\"}]}");
  ASSERT_EQ(data->size(), 4u);
  const Example caption = data->example(0);
  EXPECT_EQ(caption.conversations[0][0].text, "describe");
  EXPECT_EQ(caption.conversations[0][0].images, 1);
  EXPECT_EQ(caption.conversations[0][1].text, "A dog.");
  EXPECT_THAT(caption.references, ElementsAre(" A dog. "));
  EXPECT_EQ(data->example(1).where, where(3));
  EXPECT_EQ(data->example(1).conversations.size(), 2u);
  const Example text_only = data->example(2);
  EXPECT_TRUE(text_only.images.empty());
  EXPECT_EQ(text_only.conversations[0][0].images, 0);
  EXPECT_EQ(text_only.conversations[0][0].text, "2 + 2?");
  const Example questions = data->example(3);
  ASSERT_EQ(questions.conversations.size(), 2u);
  EXPECT_EQ(questions.conversations[1][0].text, "who?");
  EXPECT_EQ(questions.conversations[1][0].images, 1);
  EXPECT_EQ(questions.kind, "object");
  EXPECT_THAT(questions.references, ElementsAre("dog", "Rex"));
  recipe.limit = 2;
  EXPECT_EQ(open("{\"question\": \"a\", \"answer\": \"b\"}\n{\"question\": \"a\", \"answer\": "
                 "\"b\"}\n{broken")
                ->size(),
            2u);
}

TEST_F(JsonlReader, EachMistakeNamesItsLine) {
  const std::string good = "{\"image\": \"a.jpg\", \"caption\": \"A dog.\"}\n";
  const auto error_in_2 = [&](const std::string& line) {
    const std::string message = open_error(good + line + "\n");
    EXPECT_THAT(message, StartsWith(where(2))) << line;
    return message;
  };
  error_in_2("{\"image\": \"a.jpg\", ");
  error_in_2("[1, 2]");
  EXPECT_THAT(error_in_2(R"({"image": "a.jpg", "captoin": "A"})"), HasSubstr("\"caption\"?"));
  EXPECT_THAT(error_in_2(R"({"image": "a.jpg", "xyzzy": "A"})"), HasSubstr("known: image"));
  error_in_2(R"({"image": "a.jpg"})");
  error_in_2(R"({"image": "a.jpg", "caption": "A", "captions": ["A"]})");
  error_in_2(R"({"image": "a.jpg", "caption": ""})");
  error_in_2(R"({"image": "a.jpg", "caption": 3})");
  error_in_2(R"({"image": "a.jpg", "captions": []})");
  error_in_2(R"({"image": "a.jpg", "captions": "A"})");
  error_in_2(R"({"image": "a.jpg", "captions": ["A", 3]})");
  EXPECT_THAT(error_in_2(R"({"caption": "A"})"), HasSubstr("without an \"image\""));
  EXPECT_THAT(error_in_2(R"({"question": "A"})"), HasSubstr("\"answer\""));
  EXPECT_THAT(error_in_2(R"({"answer": "A"})"), HasSubstr("\"question\""));
  error_in_2(R"({"questions": []})");
  EXPECT_THAT(error_in_2(R"({"questions": [{"question": "a", "answer": "b"}, {"qestion": "a"}]})"),
              AllOf(HasSubstr("question 2"), HasSubstr("\"question\"?")));
  EXPECT_THAT(error_in_2(R"({"image": "c.jpg", "caption": "A"})"),
              HasSubstr("c.jpg does not exist"));
  EXPECT_THAT(error_in_2("{\"image\": \"a.jpg\", \"caption\": \"\xff\"}"), HasSubstr("JSON"));
}

TEST_F(JsonlReader, KindsOfOneLineMustAgree) {
  EXPECT_THAT(open_error(R"({"questions": [{"question": "a", "answer": "b", "kind": "count"}, )"
                         R"({"question": "a", "answer": "b", "kind": "colour"}]})"),
              AllOf(StartsWith(where(1)), HasSubstr("count"), HasSubstr("colour")));
}

class TextReader : public ReaderTest {
 protected:
  void SetUp() override { recipe.format = DataFormat::text; }
};

TEST_F(TextReader, OneDocumentALine) {
  const auto data = open("first line\n\n  \n second line \r\nlast");
  ASSERT_EQ(data->size(), 3u);
  const Example second = data->example(1);
  EXPECT_EQ(second.where, where(4));
  EXPECT_TRUE(second.images.empty());
  ASSERT_EQ(second.conversations.size(), 1u);
  ASSERT_EQ(second.conversations[0].size(), 1u);
  EXPECT_EQ(second.conversations[0][0].role, Role::assistant);
  EXPECT_EQ(second.conversations[0][0].text, "second line");
  EXPECT_THAT(second.references, ElementsAre(" second line "));
  EXPECT_EQ(data->example(2).references[0], "last");
  recipe.limit = 2;
  EXPECT_EQ(open("a\nb\nc\n")->size(), 2u);
}

TEST_F(TextReader, AnEmptyOrMissingFileIsAnError) {
  EXPECT_THAT(open_error("\n \n"), AllOf(StartsWith(file.string()), HasSubstr("empty")));
  recipe.annotations = temporary.path().string();
  EXPECT_THAT(open_error("x"), StartsWith(recipe.annotations));
  recipe.annotations = "";
  recipe.where = "recipe.toml:3:1";
  EXPECT_THAT(open_error("x"), AllOf(StartsWith("recipe.toml:3:1"), HasSubstr("photos")));
}

}  // namespace
}  // namespace sightline
