#pragma once
// The process groups of a World, and the meeting place that outlives them. Numbers, texts, barriers
// and tensors in this machine's memory travel by Gloo; those on WorldOptions::device by its own
// backend, where it has one. Calls throw what c10d throws; World makes of it who is lost.

#include "dist/courier.h"
#include "dist/meeting.h"
#include "dist/shared_sums.h"
#include "dist/world.h"

#include <memory>
#include <stop_token>

namespace c10d {
class ProcessGroupGloo;
}

namespace sightline {

class World::Group {
 public:
  // Meets the others and joins them by Gloo.
  Group(const Place& place, const WorldOptions& options);
  ~Group();
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  // Joins them by the device's backend too, where there is one. A rank that cannot have it learns
  // so before any waits for it.
  void connect_device();

  Meeting& meeting() { return meeting_; }
  // Ends the connections, so that ranks that wait for this one learn of it.
  void disconnect();

  void sum(std::span<const at::Tensor> tensors);
  std::vector<double> sum(std::vector<double> numbers);
  // Zeros; in memory that all ranks see, where they do.
  std::vector<at::Tensor> zeros_to_sum(std::span<const SumShape> shapes);
  // That of zeros_to_sum() which has the tensor; null: it has to travel.
  std::shared_ptr<const SharedSums> shared_of(const at::Tensor& tensor) const;
  Finish begin_sum(const at::Tensor& tensor, Travel travel);
  // Where it lies.
  Finish begin_sum(std::shared_ptr<const SharedSums> shared, const at::Tensor& tensor);
  void sum_to(int owner, std::span<const at::Tensor> tensors, Travel travel);
  void share_from(int owner, std::span<const at::Tensor> tensors);
  void broadcast(const at::Tensor& tensor);
  int64_t broadcast(int64_t number, int owner = 0);
  std::string broadcast(std::string text, int owner = 0);
  void barrier();

  // Tells those who wait, now and then, that rank 0 is still at work; they ask by is_at_work().
  void tell_at_work(const std::stop_token& stop);
  bool is_at_work();
  void tell_done();

 private:
  Courier& courier_of(const at::Tensor& tensor);
  // What all ranks see; null where some see not all.
  std::shared_ptr<SharedSums> share_memory(size_t bytes);

  WorldOptions options_;
  Place place_;
  Meeting meeting_;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo_;
  std::unique_ptr<Courier> by_gloo_, by_device_;  // the latter null: the device has none of its own
  std::vector<std::weak_ptr<const SharedSums>> shared_;  // as long as tensors are there
};

}  // namespace sightline
