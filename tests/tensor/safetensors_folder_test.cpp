// Weights in one file and in shards, and every way we know to break an index.

#include "tensor/safetensors_folder.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "tests/support.h"

#include <string>

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class SafetensorsShards : public testing::Test {
 protected:
  SafetensorsShards() {
    ParamMap first, second;
    first.add("a", at::arange(6, at::kFloat));
    first.add("b", at::arange(4, at::kFloat));
    second.add("c", at::arange(2, at::kFloat));
    write_safetensors(path_ / "1.safetensors", first);
    write_safetensors(path_ / "2.safetensors", second);
    write_index(sound());
  }

  static Json sound() {
    return {{"a", "1.safetensors"}, {"b", "1.safetensors"}, {"c", "2.safetensors"}};
  }
  void write_index(const Json& map) const {
    write_json(path_ / "model.safetensors.index.json", {{"metadata", {}}, {"weight_map", map}});
  }
  std::string mistake() const {
    try {
      SafetensorsFolder weights(path_);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  std::string mistake_in(const Json& map) const {
    write_index(map);
    return mistake();
  }

  const test::TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path();
};

TEST_F(SafetensorsShards, AreOneSetOfTensors) {
  const SafetensorsFolder weights(path_);
  EXPECT_EQ(weights.names(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(weights.contains("c"));
  EXPECT_FALSE(weights.contains("d"));
  EXPECT_EQ(weights.file_of("c"), path_ / "2.safetensors");
  EXPECT_TRUE(at::equal(weights.load("b", at::kDouble), at::arange(4, at::kDouble)));
  EXPECT_TRUE(at::equal(weights.load("c", at::kFloat), at::arange(2, at::kFloat)));
}

TEST_F(SafetensorsShards, ASingleFileComesFirst) {
  ParamMap whole;
  whole.add("only", at::arange(3, at::kFloat));
  write_safetensors(path_ / "model.safetensors", whole);
  EXPECT_EQ(SafetensorsFolder(path_).names(), std::vector<std::string>{"only"});
}

TEST_F(SafetensorsShards, NameTheNearestOfAMissingTensor) {
  const SafetensorsFolder weights(path_);
  try {
    weights.load("aa", at::kFloat);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("index.json"), HasSubstr("\"aa\"")));
  }
}

TEST_F(SafetensorsShards, RefuseABrokenIndex) {
  Json map = sound();
  map["c"] = "3.safetensors";
  EXPECT_THAT(mistake_in(map), AllOf(HasSubstr("index.json"), HasSubstr("3.safetensors")));
  map = sound();
  map["d"] = "2.safetensors";
  EXPECT_THAT(mistake_in(map), AllOf(HasSubstr("\"d\""), HasSubstr("2.safetensors")));
  map = sound();
  map["c"] = "1.safetensors";
  EXPECT_THAT(mistake_in(map), AllOf(HasSubstr("\"c\""), HasSubstr("1.safetensors")));
  map = sound();
  map.erase("b");
  EXPECT_THAT(mistake_in(map), AllOf(HasSubstr("\"b\""), HasSubstr("leaves it out")));
  for (const Json& file : {Json("../1.safetensors"), Json("/1.safetensors"), Json("")}) {
    map = sound();
    map["a"] = file;
    EXPECT_THAT(mistake_in(map), AllOf(HasSubstr("\"a\""), HasSubstr("beside the index")));
  }
  map = sound();
  map["a"] = 1;
  EXPECT_THAT(mistake_in(map), AllOf(HasSubstr("\"a\""), HasSubstr("a name is expected")));
  EXPECT_THAT(mistake_in(Json::object()), HasSubstr("weight_map"));
  EXPECT_THAT(mistake_in(Json::array({1})), HasSubstr("weight_map"));
  write_file(path_ / "model.safetensors.index.json", "{\"metadata\": {}}");
  EXPECT_THAT(mistake(), HasSubstr("weight_map"));
  write_file(path_ / "model.safetensors.index.json", "{");
  EXPECT_THAT(mistake(), HasSubstr("index.json"));
}

TEST_F(SafetensorsShards, RefuseABrokenShard) {
  write_file(path_ / "2.safetensors", "torn");
  EXPECT_THAT(mistake(), HasSubstr("2.safetensors"));
}

TEST_F(SafetensorsShards, SayThatThereAreNone) {
  std::filesystem::remove(path_ / "model.safetensors.index.json");
  EXPECT_THAT(mistake(), HasSubstr("no weights there"));
}

}  // namespace
}  // namespace sightline
