// `sightline demo` as a newcomer runs it: four stages, then scenes never seen, beside itself blind.

#include "base/json.h"
#include "tests/support.h"

#include <cstdio>

namespace sightline {
namespace {

TEST(SlowDemo, SeesScenesThatItNeverSaw) {
  SIGHTLINE_NEEDS(test::environment_path("SIGHTLINE_BINARY"));
  const test::TemporaryFolder folder;
  const std::string output = (folder.path() / "demo").string();
  const auto ended =
      test::run_command("cd " + test::source_folder().string() + " && " +
                        test::environment_path("SIGHTLINE_BINARY").string() + " demo --output " +
                        output + " --set 'cache=\"" + (folder.path() / "cache").string() + "\"'");
  ASSERT_EQ(ended.exit_code, 0) << ended.output;
  std::printf("%s\n", ended.output.c_str());

  const Json questions = read_json(output + "/questions/scores.json");
  EXPECT_EQ(questions.at("count"), 2000);
  const Json& scores = questions.at("scores");
  const Json &model = scores.at("model"), &blind = scores.at("blind");
  EXPECT_GE(model.at("exact_match").get<double>(), 0.90);
  for (const char* kind : {"colour", "count", "relation", "yes/no"}) {
    EXPECT_GE(model.at("by_kind").at(kind).at("exact_match").get<double>(), 0.85) << kind;
  }
  EXPECT_LE(blind.at("exact_match").get<double>(), 0.60);
  const Json captions = read_json(output + "/captions/scores.json").at("scores");
  EXPECT_GT(captions.at("model").at("CIDEr").get<double>(),
            2 * captions.at("blind").at("CIDEr").get<double>());
}

}  // namespace
}  // namespace sightline
