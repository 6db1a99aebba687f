// A whole run on a device that is not the CPU: features, four kinds of stage, evaluation, a stop
// and a resume.

#include "bundle/bundle.h"
#include "recipe/parse.h"
#include "run/run.h"
#include "tests/other_device.h"
#include "tests/run/small_run.h"

namespace sightline::test {
namespace {

class OtherDevice : public SmallRun {
 protected:
  void SetUp() override {
    SmallRun::SetUp();
    before_ = std::filesystem::current_path();
    std::filesystem::current_path(folder_.path());
  }
  void TearDown() override { std::filesystem::current_path(before_); }

  void train_on(at::Device device, const std::string& output,
                const std::vector<std::string>& settings = {}, Resume resume = Resume::no) {
    std::vector<std::string> all = settings;
    all.push_back("cache=cache-" + output);
    run_recipe(read_recipe("recipe.toml", all),
               {.folder = output, .resume = resume, .device = device});
  }

  std::filesystem::path before_;
};

TEST_F(OtherDevice, RunsARecipeAsTheCpuDoes) {
  const std::string task =
      "[task.captions]\nkind = \"caption\"\ndata = \"held\"\ndecoding = { max_new_tokens = 8 }\n"
      "baselines = [\"nearest\", \"blind\"]\nneighbours = \"scenes\"\n[eval]\ntasks = "
      "[\"captions\"]\n";
  write("recipe.toml", replaced(kSmallRecipe, "[eval]\n", task));
  train_on(at::kCPU, "cpu");
  train_on(kOther, "other");
  const Bundle expected = load_bundle("cpu/model", at::kFloat);
  const Bundle found = load_bundle("other/model", at::kFloat);
  for (const auto& [name, tensor] : expected.model->params()) {
    EXPECT_TRUE(at::allclose(found.model->params().at(name), tensor, 1e-2, 2e-3)) << name;
  }
  const auto lines = log("cpu"), others = log("other");
  ASSERT_EQ(others.size(), lines.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    if (!lines[i].contains("loss")) continue;
    const auto loss = lines[i]["loss"].get<double>();
    EXPECT_NEAR(others[i]["loss"].get<double>(), loss, 1e-3 * loss) << "line " << i;
  }
}

}  // namespace
}  // namespace sightline::test
