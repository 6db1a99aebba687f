// The softmax between attention's products. Included inside a namespace by matrix_kernels.cpp,
// behind the tiles of an instruction set.

// 2^x within two units of the last place, zero far below; of no number none. 2^n times a
// polynomial of the rest in [-1/2, 1/2] (Cephes' exp2f.c).
SL_INLINE Lanes power_of_two(Lanes x) {
  const Lanes n = nearest_whole(x);
  const Lanes r = x - n;
  Lanes p = broadcast(1.535336188319500e-4F);
  for (const float next : {1.339887440266574e-3F, 9.618437357674640e-3F, 5.550332471162809e-2F,
                           2.402264791363012e-1F, 6.931472028550421e-1F, 1.0F}) {
    p = multiply_add(p, r, broadcast(next));
  }
  return scaled_by_power(p, n);
}

// Leaves e^(scale (score - the largest)) in place of the scores that are seen, zeros behind them to
// the end of the register, and returns one over their sum.
SL_INLINE float exponentials(float* scores, int64_t seen, float scale) {
  const Lanes unseen = broadcast(-3e38F);
  Lanes largest = unseen;
  for (int64_t i = 0; i < seen; i += kLanes) {
    largest = larger(largest, load_first(scores + i, seen - i, unseen));
  }
  const Lanes factor = broadcast(scale * 1.44269504F);
  const Lanes most = broadcast(largest_of(largest));
  Lanes sum = broadcast(0);
  for (int64_t i = 0; i < seen; i += kLanes) {
    const Lanes e = only_first(power_of_two((load_fp32(scores + i) - most) * factor), seen - i);
    store(scores + i, e);
    sum = sum + e;
  }
  return 1.0F / total(sum);
}

void softmax(float* scores, int64_t seen, int64_t size, float scale, uint16_t* weights) {
  const Lanes inverse = broadcast(exponentials(scores, seen, scale));
  int64_t i = 0;
  for (; i < seen; i += kLanes) store_rounded(weights + i, load_fp32(scores + i) * inverse);
  for (; i < size; i += kLanes) store_rounded(weights + i, broadcast(0));
}

void softmax_backward(float* scores, const float* d_weights, int64_t seen, int64_t size,
                      float scale, uint16_t* weights, uint16_t* d_scores) {
  const Lanes inverse = broadcast(exponentials(scores, seen, scale));
  const Lanes none = broadcast(0);
  Lanes sum = none;
  for (int64_t i = 0; i < seen; i += kLanes) {
    sum = multiply_add(load_fp32(scores + i), load_first(d_weights + i, seen - i, none), sum);
  }
  const Lanes pull = broadcast(total(sum)) * inverse;
  int64_t i = 0;
  for (; i < seen; i += kLanes) {
    const Lanes w = load_fp32(scores + i) * inverse;
    store_rounded(weights + i, w);
    store_rounded(d_scores + i,
                  w * (load_first(d_weights + i, seen - i, none) - pull) * broadcast(scale));
  }
  for (; i < size; i += kLanes) {
    store_rounded(weights + i, none);
    store_rounded(d_scores + i, none);
  }
}
