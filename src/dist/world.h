#pragma once
// The ranks of a run, joined: one process each, on one machine or several, over c10d's Gloo, for
// tensors on GPUs over NCCL, and for a step's gradients in memory that the ranks of one machine
// have in common. All ranks make the same calls in the same order. Where one dies,
// hangs or fails, the others' next call ends with an Error that names it, its machine and the last
// step; then nothing more can be done together.
//
// A World of one rank is no process group at all: its calls return at once.

#include "dist/buckets.h"
#include "dist/nccl.h"
#include "dist/place.h"
#include "dist/step_teller.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

// What a rank's calls have taken.
struct Exchanged {
  double seconds = 0;  // in which it did nothing else; on a GPU until all before it is done there
  double waited = 0;   // of these: for ranks that came later, as far as sums of single numbers tell
  double bytes = 0;    // of tensors that travel: an equal share of what all ranks must send at
                       // least, which is 2 (ranks - 1) / ranks of a sum for all, half that to or
                       // from an owner

  Exchanged operator-(const Exchanged& other) const {
    return {seconds - other.seconds, waited - other.waited, bytes - other.bytes};
  }
};

// How ranks of one machine sum what zeros_to_sum() made.
enum class Neighbours {
  in_memory,   // where all ranks have memory in common: where the numbers lie
  by_sockets,  // as ranks of several machines do
};

struct WorldOptions {
  std::chrono::milliseconds patience = std::chrono::minutes(5);  // for all ranks to come
  std::chrono::milliseconds silence = std::chrono::minutes(5);   // of a rank that others wait for
  int64_t bucket_numbers = 6 << 20;                              // summed at once: 24 MiB in fp32
  // Where this rank's tensors are; a GPU with its index, and not another rank's. Those on the CPU
  // may travel all the same.
  at::Device device = at::kCPU;
  Neighbours neighbours = Neighbours::in_memory;
  MakeBackend make_backend;  // of the device's tensors; empty: NCCL for a GPU, for others Gloo
};

class World {
 public:
  World();  // alone
  explicit World(const Place& place, const WorldOptions& options = {});
  // Not in the midst of others' calls: barrier() first.
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  int64_t rank() const { return place_.rank; }
  int64_t size() const { return place_.size; }
  bool is_first() const { return place_.rank == 0; }
  // "rank 1 on host".
  std::string name_of(int64_t rank) const;

  // For messages, and for the launcher's: the optimizer steps that are done.
  void at_step(int64_t step) {
    step_ = step;
    teller_.tell(step);
  }

  // Every rank's tensors become their sum over all ranks, the same bits on each. Summed in fp32
  // (fp64 where they are) in an order that sizes and the number of ranks decide, on GPUs also how
  // they are connected. `doing` says for messages what goes on: "summing gradients".
  void sum(std::span<const at::Tensor> tensors, std::string_view doing);
  std::vector<double> sum(std::vector<double> numbers, std::string_view doing);

  // Tensors for begin_sum(), where ranks have nothing to send for those.
  std::vector<at::Tensor> zeros_to_sum(std::span<const SumShape> shapes, at::Device device);

  // Begins to sum one tensor, and returns what waits until that is done. Until then the tensor is
  // not to be touched. Sums that are begun travel side by side, and are waited for in the same
  // order on all ranks. Those in common memory are in full whatever `travel` says.
  using Finish = std::function<void()>;
  [[nodiscard]] Finish begin_sum(const at::Tensor& tensor, Travel travel, std::string_view doing);

  // Tensors of which each is one rank's: by rank, in the same order on all.
  using ByOwner = std::vector<std::vector<at::Tensor>>;
  // The owner's become their sum over all ranks, as sum() sums; the others' stay or become
  // anything.
  void sum_to_owners(const ByOwner& tensors, Travel travel, std::string_view doing);
  // All get the owner's, as they are.
  void share_from_owners(const ByOwner& tensors, std::string_view doing);

  // Every rank gets rank 0's.
  void broadcast(std::span<const at::Tensor> tensors, std::string_view doing);
  std::string broadcast(std::string text, std::string_view doing);

  // Every rank's, by rank, on all.
  std::vector<std::string> gather(std::string text, std::string_view doing);

  // Returns when all ranks have called it.
  void barrier(std::string_view doing);

  // Rank 0 works, however long that takes, and the others wait; then all have what it returned.
  // What it throws ends the others too.
  std::string first_does(std::string_view doing, const std::function<std::string()>& work);

  // An Error on every rank where `text` is not the same on all. `what` names it: "the recipe".
  void check_same(std::string_view what, std::string_view text);

  // So far.
  const Exchanged& exchanged() const { return exchanged_; }

  // This rank fails: the others' next call ends with an Error that gives `message`.
  void tell_failure(const std::string& message);

 private:
  class Group;
  // Carries out `call`; what it throws becomes the Error that names who is lost.
  void together(std::string_view doing, const std::function<void(Group&)>& call);
  void count_bytes(std::span<const at::Tensor> tensors, Travel travel, double share);
  [[noreturn]] void lost(std::string_view doing, const std::string& reason);

  Place place_;
  WorldOptions options_;
  int64_t step_ = -1;
  StepTeller teller_;
  Exchanged exchanged_;
  std::unique_ptr<Group> group_;  // null: alone, or lost
};

}  // namespace sightline
