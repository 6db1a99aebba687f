#pragma once
// What one thread of a GPU does in each kernel. `Block` tells it where it stands among its block's
// threads and lets them meet:
//
//   index()           the block's, of the grid       thread(), threads()  within the block
//   meet()            until all threads of the block are here
//   other(x, mask)    x of the thread whose number differs from this one's in the bits of mask < 32
//   scratch()         32 floats that the block's threads share
//
// In block.h it is the GPU's own; the tests have one of threads of the CPU. Arrays are read and
// written in packs of `width` numbers, which sizes and addresses must be multiples of.

#include "cuda/numbers.h"
#include "kernels/array_kernels.h"

namespace sightline::gpu {

// Where a grid's thread stands among all.
template <class Block>
SL_DEVICE int64_t place_of(const Block& block) {
  return block.index() * block.threads() + block.thread();
}

// The sum of the numbers of a warp's 32 threads, the same bits on each.
template <class Block>
SL_DEVICE float sum_of_warp(const Block& block, float number) {
  for (int mask = 16; mask > 0; mask /= 2) number += block.other(number, mask);
  return number;
}

// The same of all threads of a block.
template <class Block>
SL_DEVICE float sum_of_threads(const Block& block, float number) {
  number = sum_of_warp(block, number);
  float* const sums = block.scratch();
  if (block.thread() % 32 == 0) sums[block.thread() / 32] = number;
  block.meet();
  float sum = 0;
  for (int warp = 0; warp < block.threads() / 32; ++warp) sum += sums[warp];
  block.meet();  // before the next call writes there
  return sum;
}

// A pack a thread.
template <int width, class Block, class Number>
SL_DEVICE void swiglu(const Block& block, const Number* gate, const Number* up, int64_t packs,
                      Number* out) {
  const int64_t pack = place_of(block);
  if (pack >= packs) return;
  const auto g = load<width>(gate, pack), u = load<width>(up, pack);
  Pack<Number, width> o;
  for (int i = 0; i < width; ++i) {
    const float x = float_of(g.at[i]);
    put(o.at[i], x * sigmoid(x) * float_of(u.at[i]));
  }
  store(out, pack, o);
}

// d silu(g) = s (1 + g (1 - s)), s = sigmoid(g).
template <int width, class Block, class Number>
SL_DEVICE void swiglu_backward(const Block& block, const Number* gate, const Number* up,
                               const Number* d_out, int64_t packs, Number* d_gate, Number* d_up) {
  const int64_t pack = place_of(block);
  if (pack >= packs) return;
  const auto g = load<width>(gate, pack), u = load<width>(up, pack), d = load<width>(d_out, pack);
  Pack<Number, width> to_gate, to_up;
  for (int i = 0; i < width; ++i) {
    const float x = float_of(g.at[i]), slope = float_of(d.at[i]), s = sigmoid(x);
    put(to_up.at[i], slope * x * s);
    put(to_gate.at[i], slope * float_of(u.at[i]) * s * (1.0F + x * (1.0F - s)));
  }
  store(d_gate, pack, to_gate);
  store(d_up, pack, to_up);
}

// A block a row.
template <int width, class Block, class Number>
SL_DEVICE void rotate(const Block& block, const Number* x, int64_t row_stride, const float* cos,
                      const float* sin, int heads, int d, Number* out) {
  const int half = d / 2 / width;  // packs
  const int64_t row = block.index();
  const Number* const from = x + row * row_stride;
  Number* const to = out + row * heads * d;
  for (int pack = block.thread(); pack < heads * half; pack += block.threads()) {
    const int angle = pack % half, first = pack / half * 2 * half + angle;
    const auto c = load<width>(cos, row * half + angle), s = load<width>(sin, row * half + angle);
    const auto a = load<width>(from, first), b = load<width>(from, first + half);
    Pack<Number, width> left, right;
    for (int i = 0; i < width; ++i) {
      const float p = float_of(a.at[i]), q = float_of(b.at[i]);
      put(left.at[i], p * c.at[i] - q * s.at[i]);
      put(right.at[i], q * c.at[i] + p * s.at[i]);
    }
    store(to, first, left);
    store(to, first + half, right);
  }
}

// A block a row.
template <int width, class Block, class Number>
SL_DEVICE void rms_norm(const Block& block, const Number* x, const Number* weight, int64_t size,
                        float epsilon, Number* out, float* scale) {
  const int64_t row = block.index(), packs = size / width;
  const Number* const from = x + row * size;
  float squares = 0;
  for (int64_t pack = block.thread(); pack < packs; pack += block.threads()) {
    const auto v = load<width>(from, pack);
    for (int i = 0; i < width; ++i) squares += float_of(v.at[i]) * float_of(v.at[i]);
  }
  squares = sum_of_threads(block, squares);
  const float own = 1.0F / square_root(squares / static_cast<float>(size) + epsilon);
  if (block.thread() == 0) scale[row] = own;
  for (int64_t pack = block.thread(); pack < packs; pack += block.threads()) {
    const auto v = load<width>(from, pack), w = load<width>(weight, pack);
    Pack<Number, width> o;
    for (int i = 0; i < width; ++i) put(o.at[i], float_of(v.at[i]) * own * float_of(w.at[i]));
    store(out + row * size, pack, o);
  }
}

// dx = r (g - x r^2 mean(g x)) with g = dy * weight. A block takes its rows one after the other and
// adds up what they give to the weight in `sums` [size], which its threads share: each adds to the
// same of them in every row, so that none waits for another, and neighbours to neighbours.
template <int width, class Block, class Number>
SL_DEVICE void rms_norm_backward(const Block& block, const Number* x, const Number* weight,
                                 const float* scale, const Number* d_out, int64_t rows,
                                 int64_t block_rows, int64_t size, Number* d_x, float* d_weight,
                                 float* sums) {
  const int64_t packs = size / width, first = block.index() * block_rows;
  const int64_t last = first + block_rows < rows ? first + block_rows : rows;
  for (int64_t pack = block.thread(); pack < packs; pack += block.threads()) {
    for (int i = 0; i < width; ++i) sums[i * packs + pack] = 0;
  }
  for (int64_t row = first; row < last; ++row) {
    const Number *const from = x + row * size, *const slope = d_out + row * size;
    float product = 0;
    for (int64_t pack = block.thread(); pack < packs; pack += block.threads()) {
      const auto v = load<width>(from, pack), g = load<width>(slope, pack),
                 w = load<width>(weight, pack);
      for (int i = 0; i < width; ++i) {
        product += float_of(g.at[i]) * float_of(w.at[i]) * float_of(v.at[i]);
      }
    }
    product = sum_of_threads(block, product);
    const float own = scale[row], pull = own * own * product / static_cast<float>(size);
    for (int64_t pack = block.thread(); pack < packs; pack += block.threads()) {
      const auto v = load<width>(from, pack), g = load<width>(slope, pack),
                 w = load<width>(weight, pack);
      Pack<Number, width> o;
      for (int i = 0; i < width; ++i) {
        const float value = float_of(v.at[i]), d = float_of(g.at[i]);
        put(o.at[i], own * (d * float_of(w.at[i]) - value * pull));
        sums[i * packs + pack] += d * value * own;
      }
      store(d_x + row * size, pack, o);
    }
  }
  float* const result = d_weight + block.index() * size;
  for (int64_t pack = block.thread(); pack < packs; pack += block.threads()) {
    Pack<float, width> o;
    for (int i = 0; i < width; ++i) o.at[i] = sums[i * packs + pack];
    store(result, pack, o);
  }
}

// What of a step of AdamW is the same for all numbers.
struct AdamWFactors {
  float gradient_scale, kept, step, beta1, beta2, root_share, epsilon;
};

SL_DEVICE AdamWFactors factors_of(const AdamWNumbers& n) {
  return {n.gradient_scale,
          1.0F - n.rate * n.decay,
          n.rate / n.first_share,
          n.beta1,
          n.beta2,
          square_root(n.second_share),
          n.epsilon};
}

// A block a piece of `piece` packs. In the order of torch's fused AdamW: decay, moments, then the
// move.
template <int width, class Block, class Weight, class Gradient>
SL_DEVICE void adamw(const Block& block, const AdamWFactors& n, int64_t packs, int64_t piece,
                     const Gradient* gradient, Weight* weight, int16_t* rest, float* first,
                     float* second, double* squares) {
  const int64_t begin = block.index() * piece;
  const int64_t end = begin + piece < packs ? begin + piece : packs;
  float sum = 0;
  for (int64_t pack = begin + block.thread(); pack < end; pack += block.threads()) {
    const auto slope = load<width>(gradient, pack);
    Master<Weight, width> master(weight, rest, pack);
    auto m = load<width>(first, pack), v = load<width>(second, pack);
    for (int i = 0; i < width; ++i) {
      const float g = float_of(slope.at[i]) * n.gradient_scale, before = master.at(i);
      m.at[i] += (g - m.at[i]) * (1.0F - n.beta1);
      v.at[i] = v.at[i] * n.beta2 + (1.0F - n.beta2) * g * g;
      const float root = square_root(v.at[i]) / n.root_share + n.epsilon;
      const float after = before * n.kept - n.step * m.at[i] / root;
      master.put(i, after);
      sum += (after - before) * (after - before);
    }
    store(first, pack, m);
    store(second, pack, v);
    master.store_to(weight, rest, pack);
  }
  sum = sum_of_threads(block, sum);
  if (block.thread() == 0) squares[block.index()] = static_cast<double>(sum);
}

}  // namespace sightline::gpu
