// Four numbers side by side, for a machine of which nothing is known. Included inside a namespace
// by row_kernels.cpp.

constexpr int64_t kLanes = 4;
struct Lanes {
  float at[kLanes];
};

template <class Value>
SL_INLINE Lanes lanes_of(const Value& value) {
  Lanes x;
  for (int64_t i = 0; i < kLanes; ++i) x.at[i] = value(i);
  return x;
}
SL_INLINE Lanes broadcast(float x) {
  return lanes_of([&](int64_t) { return x; });
}
SL_INLINE Lanes load_fp32(const float* p) {
  return lanes_of([&](int64_t i) { return p[i]; });
}
SL_INLINE Lanes load_bf16(const uint16_t* p) {
  return lanes_of([&](int64_t i) { return float_of_bf16(p[i]); });
}
SL_INLINE Lanes load_int8(const int8_t* p) {
  return lanes_of([&](int64_t i) { return static_cast<float>(p[i]); });
}
template <bool upper>
SL_INLINE Lanes load_int4(const uint8_t* p) {
  return lanes_of([&](int64_t i) { return static_cast<float>(upper ? p[i] >> 4 : p[i] & 15); });
}
SL_INLINE void store(float* p, Lanes x) { std::copy(x.at, x.at + kLanes, p); }
SL_INLINE Lanes multiply(Lanes a, Lanes b) {
  return lanes_of([&](int64_t i) { return a.at[i] * b.at[i]; });
}
SL_INLINE Lanes multiply_add(Lanes a, Lanes b, Lanes c) {
  return lanes_of([&](int64_t i) { return a.at[i] * b.at[i] + c.at[i]; });
}
SL_INLINE float total(Lanes x) { return (x.at[0] + x.at[2]) + (x.at[1] + x.at[3]); }
