#include "tensor/side_by_side.h"

#include <exception>
#include <thread>
#include <vector>

#include <ATen/Parallel.h>

namespace sightline {

void side_by_side(int64_t count, const std::function<void(int64_t number)>& task) {
  const int threads = at::get_num_threads();
  std::vector<std::exception_ptr> failures(static_cast<size_t>(count));
  const auto run = [&](int64_t number) {
    at::set_num_threads(1);  // of this thread
    try {
      task(number);
    } catch (...) {
      failures[static_cast<size_t>(number)] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    for (int64_t number = 1; number < count; ++number) others.emplace_back(run, number);
    run(0);
  }
  at::set_num_threads(threads);  // of this thread, and of threads yet to come
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace sightline
