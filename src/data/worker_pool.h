#pragma once
// Threads that carry out jobs in the order in which they are handed in. A job's result, or the
// exception that ended it, comes back through its future.

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace sightline {

class WorkerPool {
 public:
  explicit WorkerPool(size_t workers) {
    for (size_t i = 0; i < workers; ++i) {
      threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
    }
  }
  ~WorkerPool() { stop(); }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  template <class Job>
  std::future<std::invoke_result_t<Job>> submit(Job job) {
    using Task = std::packaged_task<std::invoke_result_t<Job>()>;
    auto task = std::make_shared<Task>(std::move(job));
    auto future = task->get_future();
    const std::lock_guard lock(mutex_);
    if (!stopped_) jobs_.push_back([task = std::move(task)] { (*task)(); });
    changed_.notify_one();
    return future;
  }

  // Jobs that have not begun are dropped: their futures throw std::future_error. Those under way
  // end in their own time.
  void stop() {
    std::deque<std::function<void()>> dropped;
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
      dropped.swap(jobs_);
    }
    for (auto& thread : threads_) thread.request_stop();
  }

 private:
  void work(const std::stop_token& stop) {
    for (;;) {
      std::function<void()> job;
      {
        std::unique_lock lock(mutex_);
        if (!changed_.wait(lock, stop, [&] { return !jobs_.empty(); })) return;
        job = std::move(jobs_.front());
        jobs_.pop_front();
      }
      job();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::function<void()>> jobs_;
  bool stopped_ = false;
  std::vector<std::jthread> threads_;  // last, so that they end before what they use
};

}  // namespace sightline
