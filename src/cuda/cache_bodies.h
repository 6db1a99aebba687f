#pragma once
// What one thread of a GPU does where a new row of each sequence goes into a cache and attends to
// what it holds (kernels/cuda_kernels.h, CudaCache). `Block` is array_bodies.h's.
//
// A sequence's rows are taken in parts of kCachePart, a warp a part and query head, so that one
// long sequence keeps many warps busy; then a block a query head puts its parts together. Heads
// that share keys read them from the GPU's cache. A part's sums depend on its own rows alone.

#include "cuda/array_bodies.h"
#include "kernels/cuda_kernels.h"

#include <cmath>

namespace sightline::gpu {

// A thread a number.
template <class Block, class Number>
SL_DEVICE void store(const Block& block, const CudaCache<Number>& cache, const Number* k,
                     const Number* v) {
  const int64_t size = cache.key_heads * cache.d, i = place_of(block);
  if (i >= cache.sequences * size) return;
  const int64_t sequence = i / size;
  const int64_t row = cache.rows[sequence * cache.room + cache.lengths[sequence] - 1];
  cache.keys[row * size + i % size] = k[i];
  cache.values[row * size + i % size] = v[i];
}

// A warp a part: its d sums of values, weighted by e^(score - highest), the highest score, and the
// sum of the weights.
template <class Block, class Number>
SL_DEVICE void attend_in_part(const Block& block, const CudaCache<Number>& cache, const Number* q,
                              float scale, float* parts) {
  constexpr int kRows = kCachePart, kOwn = kMostCachedHead / 32;  // numbers of a thread
  const int64_t warp = place_of(block) / 32, of_head = cache.room / kRows;
  const int64_t query = warp / of_head, sequence = query / cache.query_heads;
  if (sequence >= cache.sequences) return;
  const int64_t first = warp % of_head * kRows, length = cache.lengths[sequence];
  if (first >= length) return;
  const int count = length - first < kRows ? static_cast<int>(length - first) : kRows;
  const int d = static_cast<int>(cache.d), lane = block.thread() % 32;
  const int64_t head = query % cache.query_heads / (cache.query_heads / cache.key_heads);
  const int32_t* const rows = cache.rows + sequence * cache.room + first;
  const auto numbers_of = [&](const Number* all, int row) {
    return all + (static_cast<int64_t>(rows[row]) * cache.key_heads + head) * d;
  };

  float own[kOwn], sums[kOwn] = {}, scores[kRows];
  for (int i = 0; i < kOwn; ++i) {
    const int at = i * 32 + lane;
    own[i] = at < d ? float_of(q[query * d + at]) * scale : 0;
  }
  float highest = -INFINITY;
  for (int row = 0; row < count; ++row) {
    const Number* const key = numbers_of(cache.keys, row);
    float product = 0;
    for (int i = 0; i < kOwn; ++i) {
      const int at = i * 32 + lane;
      if (at < d) product += own[i] * float_of(key[at]);
    }
    scores[row] = sum_of_warp(block, product);
    highest = scores[row] > highest ? scores[row] : highest;
  }
  float total = 0;
  for (int row = 0; row < count; ++row) {
    const Number* const value = numbers_of(cache.values, row);
    const float weight = exponential(scores[row] - highest);
    total += weight;
    for (int i = 0; i < kOwn; ++i) {
      const int at = i * 32 + lane;
      if (at < d) sums[i] += weight * float_of(value[at]);
    }
  }
  float* const part = parts + warp * (d + 2);
  for (int i = 0; i < kOwn; ++i) {
    const int at = i * 32 + lane;
    if (at < d) part[at] = sums[i];
  }
  if (lane == 0) {
    part[d] = highest;
    part[d + 1] = total;
  }
}

// A block a query head of a sequence.
template <class Block, class Number>
SL_DEVICE void join_parts(const Block& block, const CudaCache<Number>& cache, const float* parts,
                          Number* out) {
  const int64_t query = block.index(), d = cache.d, size = d + 2;
  const int64_t length = cache.lengths[query / cache.query_heads];
  const int64_t count = (length + kCachePart - 1) / kCachePart;
  const float* const own = parts + query * (cache.room / kCachePart) * size;
  float highest = own[d];
  for (int64_t part = 1; part < count; ++part) {
    highest = own[part * size + d] > highest ? own[part * size + d] : highest;
  }
  for (int64_t at = block.thread(); at < d; at += block.threads()) {
    float sum = 0, total = 0;
    for (int64_t part = 0; part < count; ++part) {
      const float* const numbers = own + part * size;
      const float weight = exponential(numbers[d] - highest);
      sum += weight * numbers[at];
      total += weight * numbers[d + 1];
    }
    put(out[query * d + at], sum / total);
  }
}

}  // namespace sightline::gpu
