// The array kernels. array_kernels.cpp includes this once for each instruction set, inside a
// namespace of its own: so there is no include guard.

SL_INLINE float load(float x) { return x; }
SL_INLINE float load(uint16_t x) { return float_of_bf16(x); }
SL_INLINE void store(float* to, float x) { *to = x; }
SL_INLINE void store(uint16_t* to, float x) { *to = bf16_of_float(x); }

template <class Number>
void swiglu(const Number* __restrict gate, const Number* __restrict up, int64_t size,
            Number* __restrict out) {
  for (int64_t i = 0; i < size; ++i) {
    const float g = load(gate[i]);
    store(out + i, g * sigmoid(g) * load(up[i]));
  }
}

// d silu(g) = s (1 + g (1 - s)), s = sigmoid(g).
template <class Number>
void swiglu_backward(const Number* __restrict gate, const Number* __restrict up,
                     const Number* __restrict d_out, int64_t size, Number* __restrict d_gate,
                     Number* __restrict d_up) {
  for (int64_t i = 0; i < size; ++i) {
    const float g = load(gate[i]), d = load(d_out[i]), s = sigmoid(g);
    store(d_up + i, d * g * s);
    store(d_gate + i, d * load(up[i]) * s * (1.0F + g * (1.0F - s)));
  }
}

// x (1 + tanh(u)) / 2 = x sigmoid(2u), u = sqrt(2 / pi) (x + 0.044715 x^3).
constexpr float kTwiceRoot = 2.0F * 0.7978845608F, kCube = 0.044715F;

template <class Number>
void gelu(const Number* __restrict x, int64_t size, Number* __restrict out) {
  for (int64_t i = 0; i < size; ++i) {
    const float v = load(x[i]);
    store(out + i, v * sigmoid(kTwiceRoot * (v + kCube * v * v * v)));
  }
}

template <class Number>
void gelu_backward(const Number* __restrict x, const Number* __restrict d_out, int64_t size,
                   Number* __restrict d_x) {
  for (int64_t i = 0; i < size; ++i) {
    const float v = load(x[i]);
    const float s = sigmoid(kTwiceRoot * (v + kCube * v * v * v));
    const float slope = kTwiceRoot * (1.0F + 3.0F * kCube * v * v);
    store(d_x + i, load(d_out[i]) * s * (1.0F + v * (1.0F - s) * slope));
  }
}

template <class Number>
void rotate_heads(const Number* __restrict x, const float* __restrict cos,
                  const float* __restrict sin, int64_t heads, int64_t d, Number* __restrict out) {
  const int64_t half = d / 2;
  for (int64_t head = 0; head < heads; ++head, x += d, out += d) {
    for (int64_t i = 0; i < half; ++i) {
      const float a = load(x[i]), b = load(x[i + half]);
      store(out + i, a * cos[i] - b * sin[i]);
      store(out + i + half, b * cos[i] + a * sin[i]);
    }
  }
}

// Sums are taken in lanes side by side: the order is fixed, and the loop wide.
template <class Term>
SL_INLINE float sum_of(int64_t size, const Term& term) {
  constexpr int64_t kSums = 32;
  float sums[kSums] = {};
  int64_t i = 0;
  for (; i + kSums <= size; i += kSums) {
    for (int64_t j = 0; j < kSums; ++j) sums[j] += term(i + j);
  }
  float sum = 0;
  for (; i < size; ++i) sum += term(i);
  for (const float each : sums) sum += each;
  return sum;
}

template <class Number>
float rms_norm(const Number* __restrict x, const Number* __restrict weight, int64_t size,
               float epsilon, Number* __restrict out) {
  const float squares = sum_of(size, [&](int64_t i) { return load(x[i]) * load(x[i]); });
  const float scale = 1.0F / square_root(squares / static_cast<float>(size) + epsilon);
  for (int64_t i = 0; i < size; ++i) store(out + i, load(x[i]) * scale * load(weight[i]));
  return scale;
}

// dx = r (g - x r^2 mean(g x)) with g = dy * weight.
template <class Number>
void rms_norm_backward(const Number* __restrict x, const Number* __restrict weight, float scale,
                       const Number* __restrict d_out, int64_t size, Number* __restrict d_x,
                       float* __restrict d_weight) {
  const float product =
      sum_of(size, [&](int64_t i) { return load(d_out[i]) * load(weight[i]) * load(x[i]); });
  const float pull = scale * scale * product / static_cast<float>(size);
  for (int64_t i = 0; i < size; ++i) {
    const float v = load(x[i]), g = load(d_out[i]);
    store(d_x + i, scale * (g * load(weight[i]) - v * pull));
    d_weight[i] += g * v * scale;
  }
}

template <class Number>
void widen(const Number* __restrict x, int64_t size, float* __restrict sum) {
  for (int64_t i = 0; i < size; ++i) sum[i] = load(x[i]);
}

template <class Number>
void accumulate(const Number* __restrict x, int64_t size, float* __restrict sum) {
  for (int64_t i = 0; i < size; ++i) sum[i] += load(x[i]);
}

// In pieces whose fp32 sums stay exact enough; the order is fixed.
template <class Number>
double squares(const Number* x, int64_t size) {
  constexpr int64_t kPiece = 2048;
  double sum = 0;
  for (int64_t at = 0; at < size; at += kPiece) {
    const Number* const piece = x + at;
    const int64_t count = std::min(kPiece, size - at);
    sum += static_cast<double>(
        sum_of(count, [&](int64_t i) { return load(piece[i]) * load(piece[i]); }));
  }
  return sum;
}

// In the order of torch's fused AdamW: decay, moments, then the move.
template <class Weight, class Gradient>
void adamw_piece(const AdamWNumbers& numbers, int64_t size, const Gradient* __restrict gradient,
                 Weight* __restrict weight, int16_t* __restrict rest, float* __restrict first,
                 float* __restrict second, float* __restrict change) {
  constexpr bool kHasRest = sizeof(Weight) == 2;
  const AdamWNumbers n = numbers;  // of its own: what is stored to may not lie in it
  const float kept = 1.0F - n.rate * n.decay, step = n.rate / n.first_share;
  const float root_share = square_root(n.second_share);
  for (int64_t i = 0; i < size; ++i) {
    const float g = load(gradient[i]) * n.gradient_scale;
    const float m = first[i] + (g - first[i]) * (1.0F - n.beta1);
    const float v = second[i] * n.beta2 + (1.0F - n.beta2) * g * g;
    float before;
    if constexpr (kHasRest) {
      before = joined(weight[i], rest[i]);
    } else {
      before = weight[i];
    }
    const float after = before * kept - step * m / (square_root(v) / root_share + n.epsilon);
    first[i] = m;
    second[i] = v;
    if constexpr (kHasRest) {
      const RoundedWithRest both = with_rest(after);
      weight[i] = both.rounded;
      rest[i] = both.rest;
    } else {
      weight[i] = after;
    }
    change[i] = after - before;
  }
}

// In pieces whose changes stay in the caches until they are summed.
template <class Weight, class Gradient>
double adamw(const AdamWNumbers& n, int64_t size, const Gradient* gradient, Weight* weight,
             int16_t* rest, float* first, float* second) {
  constexpr int64_t kPiece = 2048;
  float change[kPiece];
  double squares = 0;
  for (int64_t at = 0; at < size; at += kPiece) {
    const int64_t count = std::min(kPiece, size - at);
    adamw_piece(n, count, gradient + at, weight + at, rest == nullptr ? nullptr : rest + at,
                first + at, second + at, change);
    squares += static_cast<double>(sum_of(count, [&](int64_t i) { return change[i] * change[i]; }));
  }
  return squares;
}

constexpr AdamWKernels kAdamW{adamw<float, float>, adamw<uint16_t, uint16_t>,
                              adamw<uint16_t, float>};

template <class Number>
constexpr ArrayKernels<Number> kernels_of() {
  return {swiglu<Number>,
          swiglu_backward<Number>,
          gelu<Number>,
          gelu_backward<Number>,
          rotate_heads<Number>,
          rms_norm<Number>,
          rms_norm_backward<Number>,
          widen<Number>,
          accumulate<Number>,
          squares<Number>};
}
