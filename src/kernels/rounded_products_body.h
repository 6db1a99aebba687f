// Rounding of rows, and their products panel by panel. Included inside a namespace by
// matrix_kernels.cpp, behind the tiles of an instruction set.

// --- rounding ---

SL_INLINE Lanes load_lanes(const float* p) { return load_fp32(p); }
SL_INLINE Lanes load_lanes(const uint16_t* p) { return load_bf16(p); }

template <class Number>
SL_INLINE void round_group(const Number* x, RoundedNumber* to, float* scale) {
  Sizes sizes = no_sizes();
  for (int64_t k = 0; k < kWeightGroup; k += kLanes) sizes = larger_bits(sizes, load_lanes(x + k));
  // Of bits a number that is none or infinite has the largest.
  const auto bits = static_cast<uint32_t>(largest_bits(sizes));
  const bool is_finite = bits < 0x7f800000;
  const float largest = __builtin_bit_cast(float, bits);
  *scale = is_finite ? largest / 127.0F : __builtin_nanf("");
  const Lanes inverse = broadcast(is_finite && *scale > 0 ? 127.0F / largest : 0.0F);
  for (int64_t k = 0; k < kWeightGroup; k += kLanes) {
    store_numbers(load_lanes(x + k) * inverse, to + k);
  }
}

template <class Number>
void round_row(const Number* x, int64_t inputs, void* numbers, float* scales) {
  auto* to = static_cast<RoundedNumber*>(numbers);
  for (int64_t k = 0; k < inputs; k += kWeightGroup, to += kWeightGroup, ++scales) {
    if (inputs - k >= kWeightGroup) {
      round_group(x + k, to, scales);
      continue;
    }
    Number last[kWeightGroup] = {};
    __builtin_memcpy(last, x + k, static_cast<size_t>(inputs - k) * sizeof *x);
    round_group(last, to, scales);
  }
}

// --- products ---

// Up to 48 outputs' weights as the tiles read them, in memory of the caller's.
Panel panel_of(const WeightMatrix& weights, MatrixRange outputs, std::vector<uint32_t>& memory) {
  const int64_t groups = weight_groups(weights.inputs), columns = outputs.end - outputs.begin;
  const int64_t width = panel_width(columns);
  const int64_t units = groups * kUnits * width, scales = groups * width;
  memory.resize(static_cast<size_t>(units + 2 * scales));
  auto* const to = reinterpret_cast<float*>(memory.data() + units);
  auto* const offsets = reinterpret_cast<int32_t*>(memory.data() + units + scales);

  // Four bytes are a pair of 16 bits to what turns rows into columns.
  const int64_t pairs = groups * kWeightGroup / 2;
  pack({static_cast<const uint16_t*>(weights.values) + outputs.begin * pairs, pairs, Order::k_last,
        pairs},
       columns, memory.data());
  const float* from = weights.groups + outputs.begin * groups;
  for (int64_t j = 0; j < width; ++j, from += groups) {
    for (int64_t g = 0; g < groups; ++g) to[g * width + j] = j < columns ? from[g] : 0.0F;
  }
  if (kHasOffsets) make_offsets(memory.data(), width, groups, offsets);
  return {memory.data(), to, offsets, width};
}

void multiply_rounded(const RoundedRows& rows, const WeightMatrix& weights, MatrixRange outputs,
                      std::vector<uint32_t>& memory, const ProductOutput& y) {
  for (int64_t n = outputs.begin; n < outputs.end; n += kPanelColumns) {
    const int64_t columns = least(outputs.end - n, kPanelColumns);
    const Panel panel = panel_of(weights, {n, n + columns}, memory);
    for (int64_t t = 0; t < rows.rows; t += kRoundedRows) {
      for (int64_t j = 0; j < columns; j += kRoundedColumns) {
        multiply_rounded_tile(rows, t, least(rows.rows - t, kRoundedRows), panel, j,
                              least(columns - j, kRoundedColumns), corner(y, 0, n + j));
      }
    }
  }
}

constexpr RoundedKernels kRounded{sizeof(RoundedNumber), round_row<float>, round_row<uint16_t>,
                                  multiply_rounded};
