#include "base/json.h"

#include "base/error.h"
#include "base/file.h"
#include "tests/message_of.h"
#include "tests/support.h"

#include <functional>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using test::message_of;

TEST(JsonFile, RoundTripKeepsOrder) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "a.json";
  const Json value = {{"zebra", 1}, {"ant", {1.5, "x", nullptr, true}}};
  write_json(path, value);
  EXPECT_EQ(read_json(path), value);
  EXPECT_LT(read_file(path).find("zebra"), read_file(path).find("ant"));
}

TEST(JsonFile, BrokenTextNamesFileAndPlace) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "a.json";
  for (const char* text : {"", "{", "{\"a\": 1,}", "{\"a\": \"\xff\"}", "nul", "{} {}"}) {
    write_file(path, text);
    EXPECT_THAT(message_of([&] { read_json(path); }),
                AllOf(HasSubstr(path.string()), HasSubstr("at byte")))
        << text;
  }
  EXPECT_THAT(message_of([&] { read_json(folder.path() / "b.json"); }), HasSubstr("b.json"));
}

TEST(JsonFile, DeepNestingIsNoCrash) {
  EXPECT_THROW(parse_json(std::string(1000000, '['), "deep"), Error);
}

TEST(JsonGet, ReadsTypes) {
  const Json object = parse_json(R"({"n": 3, "x": 2, "s": "t", "b": true, "v": [1, 2]})", "c");
  EXPECT_EQ(json_get<int64_t>(object, "n", "c"), 3);
  EXPECT_EQ(json_get<double>(object, "x", "c"), 2.0);
  EXPECT_EQ(json_get<std::string>(object, "s", "c"), "t");
  EXPECT_TRUE(json_get<bool>(object, "b", "c"));
  EXPECT_EQ(json_get<std::vector<int>>(object, "v", "c"), (std::vector<int>{1, 2}));
}

TEST(JsonGet, MissingAndMistypedNameSourceAndKey) {
  const Json object = parse_json(R"({"n": "three", "s": 4, "b": 1})", "config.json");
  const auto names = [](const char* key) {
    return AllOf(HasSubstr("config.json"), HasSubstr(key));
  };
  EXPECT_THAT(message_of([&] { json_get<int>(object, "gone", "config.json"); }), names("gone"));
  EXPECT_THAT(message_of([&] { json_get<int>(object, "n", "config.json"); }),
              AllOf(names("\"n\""), HasSubstr("three")));
  EXPECT_THAT(message_of([&] { json_get<std::string>(object, "s", "config.json"); }),
              names("\"s\""));
  EXPECT_THAT(message_of([&] { json_get<bool>(object, "b", "config.json"); }), names("\"b\""));
  EXPECT_THAT(message_of([&] { json_get<int>(Json::array(), "n", "config.json"); }),
              names("\"n\""));
  EXPECT_THAT(message_of([&] { json_get<int>(Json(3), "n", "config.json"); }), names("\"n\""));
}

TEST(JsonGet, FallbackForMissingAndNullOnly) {
  const Json object = parse_json(R"({"none": null, "n": "three"})", "c");
  EXPECT_EQ(json_get_or<int>(object, "gone", 7, "c"), 7);
  EXPECT_EQ(json_get_or<int>(object, "none", 7, "c"), 7);
  EXPECT_THROW(json_get_or<int>(object, "n", 7, "c"), Error);
}

TEST(JsonGet, IntegersAreNeitherCutNorWrapped) {
  const Json object = parse_json(R"({"x": 2.5, "b": true, "minus": -1, "big": 3000000000})", "c");
  EXPECT_THROW(json_get<int>(object, "x", "c"), Error);
  EXPECT_THROW(json_get<int>(object, "b", "c"), Error);
  EXPECT_THROW(json_get<size_t>(object, "minus", "c"), Error);
  EXPECT_THROW(json_get<int32_t>(object, "big", "c"), Error);
  EXPECT_EQ(json_get<int64_t>(object, "big", "c"), 3000000000);
  EXPECT_EQ(json_get<int>(object, "minus", "c"), -1);
}

}  // namespace
}  // namespace sightline
