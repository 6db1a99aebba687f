// What `doctor` finds, of machines that are not this one.

#include "cli/doctor_findings.h"
#include "tests/support.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// LibTorch 2.11's own words, shortened.
constexpr const char* kConfig = R"(PyTorch built with:
  - GCC 13.3
  - C++ Version: 201703
  - Intel(R) oneAPI Math Kernel Library Version 2024.2-Product Build 20240605 for Intel(R) 64
  - Intel(R) MKL-DNN v3.10.2 (Git Hash f1d471933dc852f956fd80e3c87c9bf1ab8b6a5a)
  - OpenMP 201511 (a.k.a. OpenMP 4.5)
  - LAPACK is enabled (usually provided by MKL)
  - CPU capability usage: AVX512
  - Build settings: BLAS_INFO=mkl, BUILD_TYPE=Release, CUDA_VERSION=13.0, TORCH_VERSION=2.11.0, USE_CUDA=ON,
)";

class Doctor : public testing::Test {
 protected:
  Surroundings sound() const {
    Surroundings here{.engine = parse_engine(kConfig), .built_for = "2.11.0"};
    here.data = folder_.path().string();
    return here;
  }
  const TemporaryFolder folder_;
};

TEST_F(Doctor, ReadsWhatTheEngineTells) {
  const Engine engine = parse_engine(kConfig);
  EXPECT_EQ(engine.version, "2.11.0");
  EXPECT_EQ(engine.cuda, "13.0");
  EXPECT_EQ(engine.instructions, "AVX512");
  EXPECT_THAT(engine.libraries, ElementsAre("MKL 2024.2", "oneDNN v3.10.2", "OpenMP 4.5"));
}

TEST_F(Doctor, FindsNothingMissingWhereNothingIs) { EXPECT_THAT(missing_in(sound()), IsEmpty()); }

TEST_F(Doctor, TellsEachThingWithTheCommandThatMendsIt) {
  Surroundings here = sound();
  here.machine.gpus = {"NVIDIA L4"};
  here.data.clear();
  here.checkout = folder_.path();
  here.engine.version = "2.9.1+cpu";
  const std::vector<Missing> missing = missing_in(here);
  ASSERT_EQ(missing.size(), 4u);
  const std::string in = "cd " + folder_.path().string() + " && ";
  EXPECT_EQ(missing[0].mend, in + "./dev build");
  EXPECT_THAT(missing[0].why, HasSubstr("2.9.1"));
  EXPECT_TRUE(missing[0].needed);
  EXPECT_THAT(missing[1].why, HasSubstr("NVIDIA L4"));
  EXPECT_EQ(missing[1].mend, in + "./dev build");
  EXPECT_EQ(missing[2].mend, "export SIGHTLINE_DATA=/path/to/data");
  EXPECT_FALSE(missing[2].needed);
  EXPECT_EQ(missing[3].mend, in + "./dev oracle");
  // A GPU that LibTorch sees is nothing to mend.
  here.engine.sees_gpu = true;
  EXPECT_EQ(missing_in(here).size(), 3u);
}

TEST_F(Doctor, DataFolderThatIsNotThereIsNeeded) {
  Surroundings here = sound();
  here.data = (folder_.path() / "nowhere").string();
  const std::vector<Missing> missing = missing_in(here);
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_TRUE(missing.front().needed);
  EXPECT_THAT(missing.front().why, HasSubstr("nowhere: no such folder"));
}

TEST(SlowDoctor, OfThisMachineEndsWell) {
  const auto binary = environment_path("SIGHTLINE_BINARY");
  if (binary.empty() || !std::filesystem::exists(binary)) {
    GTEST_SKIP() << "needs SIGHTLINE_BINARY, the built program";
  }
  const std::string run = "env -u SIGHTLINE_DATA " + binary.string() + " doctor";
  const CommandResult text = run_command(run);
  EXPECT_EQ(text.exit_code, 0) << text.output;
  for (const char* topic : {"engine        LibTorch 2.11.0", "devices", "threads", "AVX2",
                            "determinism", "export SIGHTLINE_DATA="}) {
    EXPECT_THAT(text.output, HasSubstr(topic));
  }
  const Json json = parse_json(run_command(run + " --json").output, "stdout");
  EXPECT_TRUE(json["missing"].is_array());
  EXPECT_TRUE(json.contains("instructions"));
  EXPECT_EQ(run_command("SIGHTLINE_DATA=/nowhere " + binary.string() + " doctor").exit_code, 1);
}

}  // namespace
}  // namespace sightline::test
