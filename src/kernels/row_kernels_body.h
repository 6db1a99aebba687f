// The row kernels, written over `Lanes`. row_kernels.cpp includes this once for each instruction
// set, inside a namespace that has defined kLanes, Lanes and the functions over them: so there is
// no include guard.

// --- A matrix's row, some numbers at a time ---

struct Fp32Row {
  static constexpr bool kInGroups = false;
  const float* values;

  SL_INLINE Fp32Row(const WeightMatrix& w, int64_t n)
      : values(static_cast<const float*>(w.values) + n * w.inputs) {}
  SL_INLINE Lanes load(int64_t i) const { return load_fp32(values + i); }
  SL_INLINE float at(int64_t i) const { return values[i]; }
};

struct Bf16Row {
  static constexpr bool kInGroups = false;
  const uint16_t* values;

  SL_INLINE Bf16Row(const WeightMatrix& w, int64_t n)
      : values(static_cast<const uint16_t*>(w.values) + n * w.inputs) {}
  SL_INLINE Lanes load(int64_t i) const {
    prefetch(values + i);
    return load_bf16(values + i);
  }
  SL_INLINE float at(int64_t i) const { return float_of_bf16(values[i]); }
};

// Rows in groups: enter() one, then load part 0, 1, ... of it.
struct Int8Row {
  static constexpr bool kInGroups = true;
  const int8_t* values;
  const float* scales;
  Lanes scale = broadcast(0);

  SL_INLINE Int8Row(const WeightMatrix& w, int64_t n)
      : values(static_cast<const int8_t*>(w.values) + n * weight_groups(w.inputs) * kWeightGroup),
        scales(w.groups + n * weight_groups(w.inputs)) {}
  SL_INLINE void enter(int64_t group) {
    scale = broadcast(scales[group]);
    prefetch(values + group * kWeightGroup);
  }
  template <int64_t part>
  SL_INLINE Lanes load(int64_t group) const {
    return multiply(load_int8(values + group * kWeightGroup + part * kLanes), scale);
  }
};

struct Int4Row {
  static constexpr bool kInGroups = true;
  static constexpr int64_t kBytes = kWeightGroup / 2;  // a group's
  const uint8_t* values;
  const float* numbers;
  Lanes scale = broadcast(0), low = broadcast(0);

  SL_INLINE Int4Row(const WeightMatrix& w, int64_t n)
      : values(static_cast<const uint8_t*>(w.values) + n * weight_groups(w.inputs) * kBytes),
        numbers(w.groups + 2 * n * weight_groups(w.inputs)) {}
  SL_INLINE void enter(int64_t group) {
    scale = broadcast(numbers[2 * group]);
    low = broadcast(numbers[2 * group + 1]);
    prefetch(values + group * kBytes);
  }
  template <int64_t part>
  SL_INLINE Lanes load(int64_t group) const {
    constexpr int64_t kFirst = part * kLanes;
    const uint8_t* bytes = values + group * kBytes + kFirst % kBytes;
    return multiply_add(load_int4<(kFirst >= kBytes)>(bytes), scale, low);
  }
};

// --- Products: R outputs of S rows at once, sums in registers ---

template <int R, int S>
struct Sums {
  Lanes of[R][S];

  SL_INLINE Sums() {
    for (auto& row : of) {
      for (Lanes& sum : row) sum = broadcast(0);
    }
  }
  SL_INLINE void add(const Lanes (&w)[R], const float* x, int64_t stride) {
#pragma GCC unroll 4
    for (int s = 0; s < S; ++s) {
      const Lanes numbers = load_fp32(x + s * stride);
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) of[r][s] = multiply_add(w[r], numbers, of[r][s]);
    }
  }
};

template <int64_t part, int R, int S, class Row>
SL_INLINE void add_group(Sums<R, S>& sums, const Row (&rows)[R], int64_t group, const float* x,
                         int64_t stride) {
  if constexpr (part < kWeightGroup / kLanes) {
    Lanes w[R];
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) w[r] = rows[r].template load<part>(group);
    sums.add(w, x + group * kWeightGroup + part * kLanes, stride);
    add_group<part + 1>(sums, rows, group, x, stride);
  }
}

template <int R, int S, class Row>
SL_INLINE void product_tile(Row (&rows)[R], int64_t inputs, const float* x, int64_t stride,
                            float* y, int64_t y_stride) {
  Sums<R, S> sums;
  int64_t i = 0;
  if constexpr (Row::kInGroups) {
    for (int64_t group = 0; group < weight_groups(inputs); ++group) {
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) rows[r].enter(group);
      add_group<0>(sums, rows, group, x, stride);
    }
    i = inputs;
  } else {
    for (; i + kLanes <= inputs; i += kLanes) {
      Lanes w[R];
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) w[r] = rows[r].load(i);
      sums.add(w, x + i, stride);
    }
  }
#pragma GCC unroll 4
  for (int s = 0; s < S; ++s) {
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      float sum = total(sums.of[r][s]);
      if constexpr (!Row::kInGroups) {
        for (int64_t rest = i; rest < inputs; ++rest)
          sum += rows[r].at(rest) * x[s * stride + rest];
      }
      y[s * y_stride + r] = sum;
    }
  }
}

template <int R, class Row>
SL_INLINE void product_rows(Row (&rows)[R], int64_t inputs, const RowsView& x_SK, float* y,
                            int64_t y_stride) {
  int64_t s = 0;
  const auto x = [&] { return x_SK.values + s * x_SK.stride; };
  for (; s + 4 <= x_SK.rows; s += 4) {
    product_tile<R, 4>(rows, inputs, x(), x_SK.stride, y + s * y_stride, y_stride);
  }
  for (; s < x_SK.rows; ++s) {
    product_tile<R, 1>(rows, inputs, x(), x_SK.stride, y + s * y_stride, y_stride);
  }
}

template <class Row>
void products_of(const WeightMatrix& w, OutputRange range, const RowsView& x_SK, float* y_SN,
                 int64_t stride) {
  int64_t n = range.begin;
  for (; n + 4 <= range.end; n += 4) {
    Row rows[4] = {{w, n}, {w, n + 1}, {w, n + 2}, {w, n + 3}};
    product_rows<4>(rows, w.inputs, x_SK, y_SN + n, stride);
  }
  for (; n < range.end; ++n) {
    Row rows[1] = {{w, n}};
    product_rows<1>(rows, w.inputs, x_SK, y_SN + n, stride);
  }
}

void products(const WeightMatrix& w, OutputRange range, const RowsView& x_SK, float* y_SN,
              int64_t stride) {
  switch (w.format) {
    case WeightFormat::fp32:
      return products_of<Fp32Row>(w, range, x_SK, y_SN, stride);
    case WeightFormat::bf16:
      return products_of<Bf16Row>(w, range, x_SK, y_SN, stride);
    case WeightFormat::int8:
      return products_of<Int8Row>(w, range, x_SK, y_SN, stride);
    case WeightFormat::int4:
      return products_of<Int4Row>(w, range, x_SK, y_SN, stride);
  }
}

// --- What stands between the products ---

SL_INLINE Lanes load_cached(const float* p) { return load_fp32(p); }
SL_INLINE Lanes load_cached(const uint16_t* p) { return load_bf16(p); }
SL_INLINE float number(float x) { return x; }
SL_INLINE float number(uint16_t x) { return float_of_bf16(x); }

template <class Value>
SL_INLINE float dot(const float* q, const Value* k, int64_t d) {
  Lanes sum = broadcast(0);
  int64_t i = 0;
  for (; i + kLanes <= d; i += kLanes) {
    sum = multiply_add(load_fp32(q + i), load_cached(k + i), sum);
  }
  float rest = total(sum);
  for (; i < d; ++i) rest += q[i] * number(k[i]);
  return rest;
}

void rms_norm(const float* x, const float* weight, int64_t size, float epsilon, float* out) {
  const float scale = 1.0F / square_root(dot(x, x, size) / static_cast<float>(size) + epsilon);
  for (int64_t i = 0; i < size; ++i) out[i] = x[i] * scale * weight[i];
}

void swiglu(float* gate, const float* up, int64_t size) {
  for (int64_t i = 0; i < size; ++i) gate[i] *= sigmoid(gate[i]) * up[i];
}

void rotate(float* head_d, const float* cos, const float* sin, int64_t d) {
  const int64_t half = d / 2;
  for (int64_t i = 0; i < half; ++i) {
    const float a = head_d[i], b = head_d[i + half];
    head_d[i] = a * cos[i] - b * sin[i];
    head_d[i + half] = b * cos[i] + a * sin[i];
  }
}

void to_bf16(const float* from, int64_t size, uint16_t* to) {
  for (int64_t i = 0; i < size; ++i) to[i] = bf16_of_float(from[i]);
}

// --- Attention ---

template <class Value>
SL_INLINE void add_cached(float weight, const Value* v, int64_t d, float* out) {
  const Lanes weights = broadcast(weight);
  int64_t i = 0;
  for (; i + kLanes <= d; i += kLanes) {
    store(out + i, multiply_add(weights, load_cached(v + i), load_fp32(out + i)));
  }
  for (; i < d; ++i) out[i] += weight * number(v[i]);
}

// Rows of a cache lie apart, where the processor does not look ahead by itself.
constexpr size_t kRowsAhead = 8;

template <class Value>
SL_INLINE void fetch_row(const Value* rows_of_head, const CachedHead& head,
                         std::span<const int32_t> rows, size_t j, int64_t d) {
  constexpr int64_t kLine = 64 / sizeof(Value);
  if (j >= rows.size()) return;
  const Value* const row = rows_of_head + rows[j] * head.stride;
  for (int64_t i = 0; i < d; i += kLine) __builtin_prefetch(row + i);
}

template <class Value>
void attend_to(const float* q_d, const CachedHead& head, std::span<const int32_t> rows, int64_t d,
               float scale, float* scratch, float* out_d) {
  const auto* keys = static_cast<const Value*>(head.keys);
  const auto* values = static_cast<const Value*>(head.values);
  const size_t count = rows.size();
  float largest = -std::numeric_limits<float>::infinity();
  for (size_t j = 0; j < count; ++j) {
    fetch_row(keys, head, rows, j + kRowsAhead, d);
    const float score = scale * dot(q_d, keys + rows[j] * head.stride, d);
    largest = score > largest ? score : largest;
    scratch[j] = score;
  }
  for (size_t j = 0; j < count; ++j) scratch[j] = exponential(scratch[j] - largest);
  float sum = 0;
  for (size_t j = 0; j < count; ++j) sum += scratch[j];
  std::fill(out_d, out_d + d, 0.0F);
  for (size_t j = 0; j < count; ++j) {
    fetch_row(values, head, rows, j + kRowsAhead, d);
    add_cached(scratch[j], values + rows[j] * head.stride, d, out_d);
  }
  const float inverse = 1.0F / sum;
  for (int64_t i = 0; i < d; ++i) out_d[i] *= inverse;
}

void attend(const float* q_d, const CachedHead& head, std::span<const int32_t> rows, int64_t d,
            float scale, float* scratch, float* out_d) {
  const auto of = head.format == WeightFormat::fp32 ? attend_to<float> : attend_to<uint16_t>;
  of(q_d, head, rows, d, scale, scratch, out_d);
}
