#include "metric/coco_files.h"

#include "base/error.h"
#include "base/file.h"
#include "tests/support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class CocoFiles : public testing::Test {
 protected:
  CocoCaptions read(const std::string& references, const std::string& results) {
    write_file(folder_.path() / "refs.json", references);
    write_file(folder_.path() / "hyps.json", results);
    return read_coco_captions(folder_.path() / "refs.json", folder_.path() / "hyps.json");
  }

  std::string error(const std::string& references, const std::string& results) {
    try {
      read(references, results);
    } catch (const Error& caught) {
      return caught.what();
    }
    return "no error";
  }

  const std::string references_ = R"({"7": ["a dog", "the dog"], "8": ["a cat"]})";

 private:
  test::TemporaryFolder folder_;
};

TEST_F(CocoFiles, BothFormsOfReferencesGiveTheSame) {
  const std::string results =
      R"([{"image_id": 8, "caption": "x"}, {"image_id": "7", "caption": ""}])";
  const std::string annotations = R"({"images": [], "annotations": [
      {"image_id": 7, "id": 1, "caption": "a dog"}, {"image_id": 8, "id": 2, "caption": "a cat"},
      {"image_id": 7, "id": 3, "caption": "the dog"}]})";
  for (const std::string& references : {references_, annotations}) {
    const CocoCaptions captions = read(references, results);
    ASSERT_EQ(captions.cases.size(), 2U);
    EXPECT_EQ(captions.cases[0].id, "8");
    EXPECT_EQ(captions.cases[0].hypothesis, "x");
    EXPECT_THAT(captions.cases[1].references, testing::ElementsAre("a dog", "the dog"));
    EXPECT_EQ(captions.images_with_references, 2U);
    EXPECT_EQ(captions.images_without_result, 0U);
  }
}

TEST_F(CocoFiles, ImagesWithoutResultAreCounted) {
  const CocoCaptions captions = read(references_, R"([{"image_id": 8, "caption": "x"}])");
  EXPECT_EQ(captions.cases.size(), 1U);
  EXPECT_EQ(captions.images_without_result, 1U);
}

TEST_F(CocoFiles, ErrorsNameFileAndRow) {
  const auto results_error = [&](const std::string& rows) { return error(references_, rows); };
  EXPECT_THAT(results_error(R"([{"image_id": 9, "caption": "x"}])"),
              AllOf(HasSubstr("hyps.json: row 0"), HasSubstr("image 9"), HasSubstr("refs.json")));
  EXPECT_THAT(
      results_error(R"([{"image_id": 8, "caption": "x"}, {"image_id": "8", "caption": "y"}])"),
      AllOf(HasSubstr("row 1"), HasSubstr("image 8")));
  EXPECT_THAT(results_error("[]"), HasSubstr("no results"));
  EXPECT_THAT(results_error("{}"), HasSubstr("expected a list"));
  EXPECT_THAT(results_error("[3]"), HasSubstr("row 0: expected an object"));
  EXPECT_THAT(results_error(R"([{"caption": "x"}])"), HasSubstr("\"image_id\" is missing"));
  EXPECT_THAT(results_error(R"([{"image_id": 8}])"), HasSubstr("\"caption\" is missing"));
  EXPECT_THAT(results_error(R"([{"image_id": 8, "caption": null}])"),
              HasSubstr("row 0: \"caption\""));
  EXPECT_THAT(results_error(R"([{"image_id": 1.5, "caption": "x"}])"), HasSubstr("\"image_id\""));
  EXPECT_THAT(results_error("[{"), HasSubstr("not valid JSON"));
}

TEST_F(CocoFiles, ErrorsInReferences) {
  const auto references_error = [&](const std::string& text) {
    return error(text, R"([{"image_id": 8, "caption": "x"}])");
  };
  EXPECT_THAT(references_error("[]"), HasSubstr("refs.json: expected"));
  EXPECT_THAT(references_error("{}"), HasSubstr("no reference captions"));
  EXPECT_THAT(references_error(R"({"8": []})"), HasSubstr("image \"8\""));
  EXPECT_THAT(references_error(R"({"8": "a cat"})"), HasSubstr("image \"8\""));
  EXPECT_THAT(references_error(R"({"8": [5]})"), HasSubstr("image \"8\""));
  EXPECT_THAT(references_error(R"({"annotations": {}})"), HasSubstr("\"annotations\""));
  EXPECT_THAT(references_error(R"({"annotations": [{"image_id": 8}]})"),
              HasSubstr("annotations[0]: the key \"caption\""));
}

}  // namespace
}  // namespace sightline
