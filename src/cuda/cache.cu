#include "cuda/block.h"
#include "cuda/cache_bodies.h"
#include "cuda/launch.h"

namespace sightline::gpu {

namespace {

template <class Number>
__global__ void store_kernel(CudaCache<Number> cache, const Number* k, const Number* v) {
  SL_GPU_BLOCK(block);
  store(block, cache, k, v);
}

template <class Number>
__global__ void attend_kernel(CudaCache<Number> cache, const Number* q, float scale, float* parts) {
  SL_GPU_BLOCK(block);
  attend_in_part(block, cache, q, scale, parts);
}

template <class Number>
__global__ void join_kernel(CudaCache<Number> cache, const float* parts, Number* out) {
  SL_GPU_BLOCK(block);
  join_parts(block, cache, parts, out);
}

}  // namespace

template <class Number>
void launch_store(cudaStream_t stream, const CudaCache<Number>& cache, const Number* k,
                  const Number* v) {
  const int64_t size = cache.sequences * cache.key_heads * cache.d;
  if (size == 0) return;
  store_kernel<<<blocks_for(size), kThreads, 0, stream>>>(cache, k, v);
}

template <class Number>
void launch_attend(cudaStream_t stream, const CudaCache<Number>& cache, const Number* q,
                   float scale, float* parts, Number* out) {
  const int64_t queries = cache.sequences * cache.query_heads;
  if (queries == 0) return;
  const int64_t warps = queries * (cache.room / kCachePart);
  attend_kernel<<<blocks_for(warps * 32), kThreads, 0, stream>>>(cache, q, scale, parts);
  const unsigned threads = static_cast<unsigned>((cache.d + 31) / 32 * 32);
  join_kernel<<<static_cast<unsigned>(queries), threads, 0, stream>>>(cache, parts, out);
}

#define SL_FOR(Number)                                                                      \
  template void launch_store(cudaStream_t, const CudaCache<Number>&, const Number*,         \
                             const Number*);                                                \
  template void launch_attend(cudaStream_t, const CudaCache<Number>&, const Number*, float, \
                              float*, Number*);
SL_FOR(float)
SL_FOR(uint16_t)
#undef SL_FOR

}  // namespace sightline::gpu
