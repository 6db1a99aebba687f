// run.jsonl read back, and the page made of a run folder.

#include "run/run_report.h"

#include "base/error.h"
#include "recipe/parse.h"
#include "run/live_report.h"
#include "tests/message_of.h"
#include "tests/run/small_run.h"

#include <cmath>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using test::message_of;

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

std::string step_line(int64_t step, const std::string& stage, double loss) {
  return Json{{"step", step},     {"stage", stage},
              {"progress", 0.5},  {"loss", loss},
              {"lr_factor", 1.0}, {"gradient_norms", {{"connector", 1.0}}},
              {"tokens", 100},    {"images", 2},
              {"seconds", 2.0},   {"waited_for_data", 0.25 * static_cast<double>(step)}}
             .dump() +
         "\n";
}

class RunFolder : public testing::Test {
 protected:
  fs::path path(const std::string& name) const { return folder_.path() / name; }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories(path(name).parent_path());
    write_file(path(name), text);
  }
  std::string page() const { return read_file(path("report.html")); }
  // Two stages, evaluated at the first one's end, of a task whose data are gone.
  void write_run() const {
    std::string text = test::replaced(test::kSmallRecipe, "[eval]\n", R"([data.gone]
format = "jsonl"
annotations = "gone.jsonl"
[task.look]
kind = "caption"
data = "gone"
[eval]
task = "look"
)");
    write("recipe.toml", text);
    write("run.jsonl",
          step_line(1, "one", 4) + step_line(2, "one", 3) +
              "{\"step\":2,\"evaluation\":{\"CIDEr\":0.5,\"validation_loss\":3.25}}\n" +
              step_line(3, "two", 2));
    write("evaluations/step-00000002/look/scores.json",
          R"({"task":"look","count":1,"scores":{"model":{"CIDEr":0.5,
              "intervals":{"CIDEr":[0.25,0.75]}}}})");
    write("evaluations/step-00000002/look/predictions.json",
          R"([{"image_id":0,"caption":"<script>alert(1)</script>","prompt":"what & why",
              "references":["a \"cat\""]}])");
  }

  test::TemporaryFolder folder_;
};

TEST_F(RunFolder, ARecordIsReadOnAndRepeatsCountOnce) {
  write("run.jsonl", step_line(1, "one", 4) + step_line(2, "one", 3) +
                         "{\"step\":2,\"evaluation\":{\"a\":1}}\n" + step_line(2, "one", 2.5) +
                         step_line(3, "two", 2) + "{\"step\":4,\"sta");
  RunRecord record(folder_.path());
  record.read_on();
  ASSERT_EQ(record.steps().size(), 3u);
  EXPECT_EQ(record.steps()[1].loss, 2.5);
  EXPECT_TRUE(record.evaluations().empty()) << "told before the step was done again";
  EXPECT_EQ(record.steps()[0].waited, 0.25);
  EXPECT_EQ(record.steps()[2].waited, 0.25) << "the line holds the sum";
  ASSERT_EQ(record.stages().size(), 2u);
  EXPECT_EQ(record.stages()[0].steps.size(), 2u);
  write("run.jsonl", read_file(path("run.jsonl")) + "ge\":\"two\",\"loss\":null}\n");
  record.read_on();
  ASSERT_EQ(record.steps().size(), 4u);
  EXPECT_TRUE(std::isnan(record.steps()[3].loss));
}

TEST_F(RunFolder, BrokenLinesAreNamed) {
  const auto told = [&](const std::string& text) {
    write("run.jsonl", text);
    return message_of([&] { RunRecord(folder_.path()).read_on(); });
  };
  EXPECT_THAT(told(step_line(1, "one", 4) + "{\"step\":2,\n"),
              HasSubstr("run.jsonl:2: not valid JSON"));
  EXPECT_THAT(told(step_line(1, "one", 4) + step_line(3, "one", 4)),
              HasSubstr("run.jsonl:2: step 3 follows step 1"));
  EXPECT_THAT(told("{\"step\":1,\"stage\":\"one\"}\n"), HasSubstr("run.jsonl:1: the key \"loss\""));
  EXPECT_THAT(told("{\"step\":\"1\"}\n"), HasSubstr("run.jsonl:1: \"step\""));
  fs::remove(path("run.jsonl"));
  EXPECT_THAT(message_of([&] { RunRecord(folder_.path()).read_on(); }), HasSubstr("run.jsonl"));
  EXPECT_THAT(message_of([&] { write_run_report(folder_.path()); }), HasSubstr("no recipe.toml"));
}

TEST_F(RunFolder, ThePageIsMadeOfTheFolderAlone) {
  write_run();
  testing::internal::CaptureStderr();
  write_run_report(folder_.path());
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("no pictures of task look"));
  const std::string html = page();
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"));
  EXPECT_THAT(html, HasSubstr("what &amp; why"));
  EXPECT_THAT(html, HasSubstr("a &quot;cat&quot;"));
  EXPECT_THAT(html, HasSubstr("after one (step 2)"));
  EXPECT_THAT(html, HasSubstr("0.5000\u00a0[0.250,\u00a00.750]"));
  EXPECT_THAT(html, HasSubstr("3.2500"));
  EXPECT_THAT(html, HasSubstr("12.5 %")) << "a quarter of a second of each two waited";
  EXPECT_THAT(html, HasSubstr("In stage 2 of 3"));
  EXPECT_THAT(html, HasSubstr("name = &quot;small&quot;"));
  for (const char* outside : {"http:", "https:", "<script"}) {
    EXPECT_THAT(html, Not(HasSubstr(outside)));
  }
  write_run_drawing(folder_.path(), path("curves.svg"));
  EXPECT_THAT(read_file(path("curves.svg")),
              HasSubstr("look CIDEr: 0.5 after step 2 [0.25, 0.75]"));
}

TEST_F(RunFolder, SeveralRanksShowWhatTheyWaitAndExchange) {
  write_run();
  write_run_report(folder_.path());
  EXPECT_THAT(page(), Not(HasSubstr("for other ranks")));
  Json step = Json::parse(step_line(1, "one", 4));
  step["waited_for_ranks"] = 0.1;
  step["exchanging"] = 0.2;
  write("run.jsonl", step.dump() + "\n");
  write_run_report(folder_.path());
  EXPECT_THAT(page(), HasSubstr("for other ranks"));
  EXPECT_THAT(page(), HasSubstr("exchanging"));
}

TEST_F(RunFolder, ThePlanStandsBesideWhatItCameTo) {
  write_run();
  write("plan.json", R"({"stages":[
      {"name":"one","looked_at":1,"steps":4,"samples":40,"tokens":400,"flops":8e9,"memory":1073741824},
      {"name":"two","looked_at":0.5,"steps":9,"samples":90,"tokens":900,"flops":3e9,"memory":0}]})");
  testing::internal::CaptureStderr();
  write_run_report(folder_.path());
  testing::internal::GetCapturedStderr();
  const std::string html = page();
  EXPECT_THAT(html, HasSubstr("Plan, and what it came to"));
  // Half of 8e9 operations in two steps of 2 s; of stage two half of 3e9 in 2 s.
  EXPECT_THAT(html, HasSubstr("<td>8G</td><td>1G</td><td>1.00 GiB</td>"));
  EXPECT_THAT(html, HasSubstr("<td>\u2248 3G</td><td>750M</td>"));
  EXPECT_THAT(html, HasSubstr("<td>200</td>")) << "tokens so far";
}

TEST_F(RunFolder, ALiveReportFollowsAndNeverThrows) {
  write_run();
  const Recipe recipe =
      parse_recipe(read_file(path("recipe.toml")), "recipe.toml", {}, PathCheck::later);
  LiveReport report(folder_.path(), recipe);
  testing::internal::CaptureStderr();
  report.update();
  EXPECT_THAT(page(), HasSubstr("3 steps"));
  EXPECT_THAT(page(), HasSubstr("LibTorch"));
  write("run.jsonl", read_file(path("run.jsonl")) + step_line(4, "two", 1));
  report.update();
  EXPECT_THAT(page(), HasSubstr("3 steps")) << "not due yet";
  report.rewrite();
  EXPECT_THAT(page(), HasSubstr("4 steps"));
  write("run.jsonl", read_file(path("run.jsonl")) + "broken\n");
  report.rewrite();
  EXPECT_THAT(page(), HasSubstr("4 steps")) << "the old page stays";
  LiveReport nowhere(path("none"), recipe);
  nowhere.rewrite();
  nowhere.rewrite();
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_THAT(told, HasSubstr("no pictures of task look"));
  size_t count = 0;
  for (size_t at = 0; (at = told.find("training goes on", at)) != std::string::npos; ++at) ++count;
  EXPECT_EQ(count, 2u) << "once a report: " << told;
}

class SlowReport : public test::SmallRun {};

TEST_F(SlowReport, IsThereWhileTheRunGoesOnWithItsPictures) {
  const std::string recipe = test::replaced(test::kSmallRecipe, "[eval]\n",
                                            "[task.look]\nkind = \"caption\"\ndata = \"held\"\n"
                                            "decoding = { max_new_tokens = 4 }\n"
                                            "[eval]\ntask = \"look\"\n");
  write("recipe.toml", recipe);
  const std::string words = "train recipe.toml --output r";
  test::run_command("cd " + path("").string() + " && SIGHTLINE_CRASH_AT=stage.begun:2 " +
                    test::environment_path("SIGHTLINE_BINARY").string() + " " + words);
  const std::string during = read_file(path("r") / "report.html");
  EXPECT_THAT(during, HasSubstr("In stage 1 of 3"));
  EXPECT_THAT(during, HasSubstr("data:image/png;base64,"));
  ASSERT_EQ(run(words + " --resume").exit_code, 0);
  const std::string html = read_file(path("r") / "report.html");
  EXPECT_THAT(html, HasSubstr("Finished"));
  for (const char* stage : {"after one", "after two", "after three"}) {
    EXPECT_THAT(html, HasSubstr(stage));
  }
  EXPECT_EQ(run("report r").exit_code, 0);
  const auto bad = run("report words.txt");
  EXPECT_EQ(bad.exit_code, 2);
  EXPECT_THAT(bad.output, HasSubstr("words.txt"));
}

}  // namespace
}  // namespace sightline
