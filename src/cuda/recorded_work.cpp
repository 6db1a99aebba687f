#include "cuda/recorded_work.h"

#include <ATen/cuda/CUDAEvent.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

namespace sightline::gpu {

namespace {

// `later` goes on when `earlier` has done what it was given so far.
void put_behind(const c10::cuda::CUDAStream& later, const c10::cuda::CUDAStream& earlier) {
  at::cuda::CUDAEvent event;
  event.record(earlier);
  event.block(later);
}

c10::MempoolId_t shared_memory() {
  static const c10::MempoolId_t pool = at::cuda::graph_pool_handle();
  return pool;
}

// Always the same: a library's workspace is a stream's, and stays. A process computes on one GPU.
c10::cuda::CUDAStream recording_stream() {
  static const c10::cuda::CUDAStream stream = c10::cuda::getStreamFromPool();
  TORCH_CHECK(stream.device_index() == c10::cuda::current_device(), "work of a second GPU");
  return stream;
}

class Graph final : public RecordedWork {
 public:
  // A stream that is recorded does nothing, and what libraries set up when they are first used must
  // not be recorded: `work` is done once before. Other threads may go on allocating meanwhile.
  explicit Graph(const std::function<void()>& work) {
    const c10::cuda::CUDAStream current = c10::cuda::getCurrentCUDAStream();
    const c10::cuda::CUDAStream side = recording_stream();
    put_behind(side, current);
    {
      const c10::cuda::CUDAStreamGuard on_side(side);
      work();
      c10::cuda::stream_synchronize(side);
      graph_.capture_begin(shared_memory(), cudaStreamCaptureModeThreadLocal);
      try {
        work();
      } catch (...) {
        end_quietly();
        throw;
      }
      graph_.capture_end();
    }
    put_behind(current, side);
  }

  void replay() override { graph_.replay(); }

 private:
  // What failed is what the caller wants to know, not that its recording is no graph.
  void end_quietly() noexcept {
    try {
      graph_.capture_end();
    } catch (...) {
    }
  }

  at::cuda::CUDAGraph graph_;
};

}  // namespace

std::unique_ptr<RecordedWork> record(const std::function<void()>& work) {
  return std::make_unique<Graph>(work);
}

}  // namespace sightline::gpu
