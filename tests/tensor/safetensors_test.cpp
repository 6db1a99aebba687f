// Files as they should be, and every way we know to break one.

#include "tensor/safetensors.h"

#include "base/error.h"
#include "base/file.h"
#include "tests/support.h"

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string length_bytes(uint64_t length) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes;
}

std::string file_bytes(std::string_view header, size_t data) {
  return length_bytes(header.size()) + std::string(header) + std::string(data, '\1');
}

class Safetensors : public testing::Test {
 protected:
  // The error that the file's reading gives, or "".
  std::string mistake_in(const std::string& bytes) const {
    write_file(path_, bytes);
    try {
      SafetensorsFile file(path_);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  const test::TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "weights.safetensors";
};

// What is mapped is what is copied, lies in the file's pages where it can, and outlives both the
// reader and the file's name.
TEST_F(Safetensors, MappedTensorsAreTheFilesPages) {
  ParamMap tensors;
  tensors.add("a", at::arange(6, at::kBFloat16));
  tensors.add("b", at::arange(12, at::kFloat).view({3, 4}));
  write_safetensors(path_, tensors);
  at::Tensor mapped, again, narrowed;
  {
    const SafetensorsFile file(path_);
    mapped = file.load("b", at::kFloat, Loading::map);
    again = file.load("b", at::kFloat, Loading::map);
    narrowed = file.load("b", at::kBFloat16, Loading::map);
    EXPECT_NE(file.load("b", at::kFloat).const_data_ptr(), mapped.const_data_ptr());
  }
  std::filesystem::remove(path_);
  EXPECT_EQ(mapped.const_data_ptr(), again.const_data_ptr()) << "no copy";
  EXPECT_TRUE(at::equal(mapped, tensors.at("b")));
  EXPECT_TRUE(at::equal(narrowed, tensors.at("b").to(at::kBFloat16)));
}

TEST_F(Safetensors, WhatLiesAcrossNumbersIsCopied) {
  const std::string header = R"({"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}, )"
                             R"("b": {"dtype": "F32", "shape": [2], "data_offsets": [1, 9]}})";
  std::string bytes = file_bytes(header, 1);
  const float numbers[] = {1.5F, -2.0F};
  bytes.append(reinterpret_cast<const char*>(numbers), sizeof(numbers));
  write_file(path_, bytes);
  const SafetensorsFile file(path_);
  const at::Tensor loaded = file.load("b", at::kFloat, Loading::map);
  EXPECT_NE(loaded.const_data_ptr(), file.load("b", at::kFloat, Loading::map).const_data_ptr());
  EXPECT_EQ(loaded[0].item<float>(), 1.5F);
  EXPECT_EQ(loaded[1].item<float>(), -2.0F);
}

TEST_F(Safetensors, TensorsOfOurFilesBeginAtCacheLines) {
  ParamMap tensors;
  tensors.add("a", at::arange(64, at::kBFloat16));
  tensors.add("b", at::arange(64, at::kFloat));
  write_safetensors(path_, tensors);
  const SafetensorsFile file(path_);
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor mapped = file.load(name, tensor.scalar_type(), Loading::map);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(mapped.const_data_ptr()) % 64, 0U) << name;
  }
}

TEST_F(Safetensors, RoundTripsEveryDtypeToTheBit) {
  ParamMap tensors;
  for (const auto type :
       {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kByte}) {
    tensors.add(std::string("as ") + c10::toString(type), at::arange(12, type).view({3, 4}));
  }
  tensors.add("transposed", at::arange(12, at::kFloat).view({3, 4}).t());
  tensors.add("none", at::empty({0, 5}, at::kFloat));
  tensors.add("scalar", at::arange(1, at::kFloat).view({}));
  write_safetensors(path_, tensors, {{"format", "pt"}});
  const SafetensorsFile file(path_);
  EXPECT_EQ(file.names().size(), tensors.size());
  EXPECT_EQ(file.metadata().at("format"), "pt");
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor back = file.load(name);
    EXPECT_EQ(back.scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(back, tensor)) << name;
  }
  EXPECT_EQ(file.load("scalar", at::kBFloat16).scalar_type(), at::kBFloat16);
}

// Large tensors are read in pieces, on all cores.
TEST_F(Safetensors, RoundTripsTensorsOfManyPiecesToTheBit) {
  ParamMap tensors;
  tensors.add("small", at::arange(3, at::kByte));  // what follows begins at an odd byte
  tensors.add("large", at::arange(1'000'003, at::kFloat));
  write_safetensors(path_, tensors);
  const SafetensorsFile file(path_);
  for (const auto& [name, tensor] : tensors) EXPECT_TRUE(at::equal(file.load(name), tensor));
}

// A file that is cut after its header was checked.
TEST_F(Safetensors, AnEndThatComesTooEarlyWhileReadingIsAnError) {
  ParamMap tensors;
  tensors.add("large", at::arange(1'000'003, at::kFloat));
  write_safetensors(path_, tensors);
  const SafetensorsFile file(path_);
  std::filesystem::resize_file(path_, 2'000'000);
  EXPECT_THROW(file.load("large"), Error);
}

TEST_F(Safetensors, AMissingTensorNamesTheNearest) {
  ParamMap tensors;
  tensors.add("model.norm.weight", at::arange(3, at::kFloat));
  write_safetensors(path_, tensors);
  const SafetensorsFile file(path_);
  try {
    file.load("model.norm.wieght");
    FAIL() << "was found";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), StartsWith(path_.string()));
    EXPECT_THAT(error.what(), HasSubstr("\"model.norm.weight\""));
  }
}

// Cut anywhere at all, a file is refused.
TEST_F(Safetensors, EveryTruncationIsAnError) {
  ParamMap tensors;
  tensors.add("a", at::arange(5, at::kFloat));
  tensors.add("b", at::arange(3, at::kInt));
  write_safetensors(path_, tensors);
  const std::string whole = read_file(path_);
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(mistake_in(whole.substr(0, size)), StartsWith(path_.string())) << size;
  }
  EXPECT_EQ(mistake_in(whole), "");
}

struct Broken {
  const char* what;
  std::string bytes;
  const char* says;
};

TEST_F(Safetensors, EveryFaultIsOneErrorThatNamesTheFile) {
  const std::string two_floats = R"("dtype":"F32","shape":[2],"data_offsets":)";
  const auto one = [](std::string_view tensor, size_t data) {
    return file_bytes("{\"w\":{" + std::string(tensor) + "}}", data);
  };
  const Broken cases[] = {
      {"empty", "", "too few"},
      {"header of 2^64 - 1 bytes", length_bytes(UINT64_MAX) + "{}", "is it truncated"},
      {"header longer than the file", length_bytes(1 << 20) + "{}", "is it truncated"},
      {"not JSON", file_bytes("{\"w\":", 8), "not valid JSON"},
      {"JSON, but no object", file_bytes("[1, 2]", 8), "not a JSON object"},
      {"tensor that is no object", file_bytes("{\"w\": 3}", 8), "tensor \"w\""},
      {"no dtype", one(R"("shape":[2],"data_offsets":[0,8])", 8), "\"dtype\" is missing"},
      {"strange dtype", one(R"("dtype":"F8","shape":[8],"data_offsets":[0,8])", 8), "\"F8\""},
      {"no shape", one(R"("dtype":"F32","data_offsets":[0,8])", 8), "\"shape\" is missing"},
      {"negative shape", one(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])", 8), "-2"},
      {"shape beyond 64 bits",
       one(R"("dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8])", 8),
       "absurdly large"},
      {"data past the end", one(two_floats + "[8,16]", 8), "is the file truncated"},
      {"data ending at 2^64 - 1", one(two_floats + "[0,18446744073709551615]", 8), "truncated"},
      {"negative data", one(two_floats + "[-8,0]", 8), "data_offsets"},
      {"backward data", one(two_floats + "[8,0]", 8), "[begin, end]"},
      {"three offsets", one(two_floats + "[0,4,8]", 8), "[begin, end]"},
      {"more data than the shape", one(two_floats + "[0,12]", 12), "12 bytes of data"},
      {"shared data",
       file_bytes("{\"v\":{" + two_floats + "[0,8]},\"w\":{" + two_floats + "[4,12]}}", 12),
       "share the bytes"},
  };
  for (const Broken& each : cases) {
    const std::string said = mistake_in(each.bytes);
    EXPECT_THAT(said, StartsWith(path_.string())) << each.what;
    EXPECT_THAT(said, HasSubstr(each.says)) << each.what;
    EXPECT_EQ(said.find('\n'), std::string::npos) << each.what;
  }
  EXPECT_EQ(mistake_in(one(two_floats + "[0,8]", 8)), "");
}

}  // namespace
}  // namespace sightline
