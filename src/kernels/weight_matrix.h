#pragma once
// A weight matrix [N outputs, K inputs] as it lies in memory, row after row, in one of the formats
// that the row kernels read.
//
// int8 and int4 are weight-only: numbers of a row go in groups of 64, each with fp32 numbers of its
// own, and the products are taken with what they stand for, in fp32.
//   int8: w = scale * q, q in [-127, 127]; one scale a group: 8.5 bits a weight
//   int4: w = low + scale * q, q in [0, 15]; (scale, low) a group: 5 bits a weight. Byte i of a
//         group's 32 holds q of number i in its lower half and of number i + 32 in its upper.
// A row's last group is filled up with what stands for 0 (int8) or meets inputs of 0 (int4).

#include <cstdint>
#include <span>
#include <vector>

namespace sightline {

enum class WeightFormat { fp32, bf16, int8, int4 };

inline constexpr int64_t kWeightGroup = 64;

constexpr int64_t weight_groups(int64_t inputs) {
  return (inputs + kWeightGroup - 1) / kWeightGroup;
}

// Does not own: what it points to must outlive it.
struct WeightMatrix {
  WeightFormat format = WeightFormat::fp32;
  const void* values = nullptr;   // bf16 as uint16_t
  const float* groups = nullptr;  // of int8 and int4: [N, groups] scales, or (scale, low) pairs
  int64_t outputs = 0, inputs = 0;
};

// What rounding to groups makes of a matrix.
class GroupedWeights {
 public:
  // `format` must be int8 or int4; weights_NK is fp32 [outputs, inputs] of finite numbers.
  GroupedWeights(WeightFormat format, std::span<const float> weights_NK, int64_t outputs,
                 int64_t inputs);

  WeightMatrix matrix() const;
  // What row `output` stands for: `inputs` numbers.
  std::vector<float> row(int64_t output) const;
  int64_t bytes() const;

 private:
  WeightFormat format_;
  int64_t outputs_, inputs_;
  std::vector<uint8_t> values_;
  std::vector<float> groups_;
};

}  // namespace sightline
