#include "train/optimizer.h"

#include "base/error.h"
#include "recipe/trainable.h"
#include "tensor/device.h"
#include "train/adamw.h"
#include "train/hidden_matrix.h"
#include "train/orthogonal.h"
#include "train/schedule.h"
#include "train/square_sum.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/lerp.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

namespace sightline {

namespace {

// Weight decay is for matrices: norms, biases and embedding tables are left alone.
bool decays(std::string_view name, int64_t dimensions) {
  return dimensions >= 2 && name.find("embed") == std::string_view::npos &&
         name.find("token") == std::string_view::npos;
}

constexpr double kMuonMomentum = 0.95;
// An orthogonal M x N matrix has entries of about 1 / sqrt(max(M, N)); AdamW's updates have 0.2 to
// 0.4.
constexpr double kMuonSize = 0.2;
// Numbers of the matrices that go through the products together: bounds the memory of a step.
constexpr int64_t kMuonNumbers = 1 << 23;

// The layers of each part ("vision.", "language."), by its parameters' names.
std::map<std::string, int64_t, std::less<>> count_layers(const ParamMap& params) {
  std::map<std::string, int64_t, std::less<>> layers;
  for (const auto& [name, weight] : params) {
    int64_t& count = layers[name.substr(0, name.find('.'))];
    const Location location = location_of(name);
    if (location.section == "layers") count = std::max(count, location.layer + 1);
  }
  return layers;
}

}  // namespace

bool is_hidden_matrix(std::string_view name, int64_t dimensions) {
  return dimensions == 2 && decays(name, dimensions) && name.find("head") == std::string_view::npos;
}

Optimizer::Optimizer(const StageRecipe& stage, const ParamMap& params, const Shard& shard)
    : stage_(stage), shard_(shard) {
  const c10::NoGradGuard no_grad;
  const auto layers = count_layers(params);
  for (const auto& [name, weight] : params) {
    if (!weight.requires_grad()) continue;
    Slot& slot = slots_.emplace_back();
    slot.name = name;
    slot.weight = weight;
    slot.muon = stage.optimizer == OptimizerKind::muon && is_hidden_matrix(name, weight.dim());
    slot.rate = of_part(stage.lr, name) *
                layer_share(stage.layer_decay, name, layers.at(name.substr(0, name.find('.'))));
    slot.decay = decays(name, weight.dim()) ? of_part(stage.weight_decay, name) : 0.0;
  }
  SL_ASSERT(!slots_.empty(), "stage {} trains nothing", stage.name);
  share_out();
  for (Slot& slot : slots_) begin(slot);
  begin_sums();
}

// The largest first, each to the rank with least so far.
void Optimizer::share_out() {
  std::vector<Slot*> slots;
  for (Slot& slot : slots_) slots.push_back(&slot);
  std::ranges::stable_sort(slots, std::greater<>(),
                           [](const Slot* slot) { return slot->weight.numel(); });
  std::vector<int64_t> numbers(static_cast<size_t>(shard_.ranks), 0);
  for (Slot* slot : slots) {
    const auto least = std::ranges::min_element(numbers);
    slot->owner = least - numbers.begin();
    *least += slot->weight.numel();
  }
}

void Optimizer::begin(Slot& slot) const {
  if (!is_own(slot)) return;
  slot.master = Master::of(slot.weight);
  const auto like = slot.weight.options().dtype(slot.master.dtype()).requires_grad(false);
  slot.first = at::zeros(slot.weight.sizes(), like);
  if (slot.muon) return;
  slot.second = at::zeros(slot.weight.sizes(), like);
  slot.step = at::zeros({}, at::kFloat);
}

void Optimizer::begin_sums() {
  std::vector<at::Tensor> summed;
  for (const Slot& slot : slots_) {
    if (is_own(slot) || shard_.sharding != Sharding::gradients) summed.push_back(slot.weight);
  }
  if (!summed.empty()) sums_ = std::make_unique<GradientSums>(std::move(summed));
}

std::vector<at::Tensor> Optimizer::weights() const {
  std::vector<at::Tensor> weights;
  for (const Slot& slot : slots_) weights.push_back(slot.weight);
  return weights;
}

void Optimizer::begin_gradients() {
  if (sums_) sums_->begin();
}

void Optimizer::end_gradients() {
  if (sums_) sums_->end();
}

const GradientBuckets& Optimizer::gradient_buckets(const MakeBuckets& make) {
  SL_ASSERT(sums_ != nullptr, "the sums of no gradient");
  return sums_->lay_out(make);
}

void Optimizer::on_arrival(std::function<void(size_t weight)> arrived) const {
  SL_ASSERT(sums_ != nullptr, "the sums of no gradient");
  sums_->arrived = std::move(arrived);
}

std::vector<at::Tensor> Optimizer::gradients_of(const at::Tensor& loss) const {
  return torch::autograd::grad({loss}, weights(), /*grad_outputs=*/{},
                               /*retain_graph=*/std::nullopt,
                               /*create_graph=*/false, /*allow_unused=*/true);
}

void Optimizer::add_gradients(std::span<const at::Tensor> gradients) {
  SL_ASSERT(gradients.size() == slots_.size(), "{} gradients", gradients.size());
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (gradients[i].defined()) sums_->add(i, gradients[i]);
  }
}

Optimizer::ByOwner Optimizer::weights_by_owner() const {
  ByOwner lists(static_cast<size_t>(shard_.ranks));
  for (const Slot& slot : slots_) lists[static_cast<size_t>(slot.owner)].push_back(slot.weight);
  return lists;
}

// What arrives is kept in the sums' precision, in tensors of its own: autograd's may share memory
// (with one picture a class token's gradient is part of that of the positions). What leaves is
// converted as it is packed.
Optimizer::ByOwner Optimizer::by_owner(std::span<const at::Tensor> gradients) const {
  const c10::NoGradGuard no_grad;
  ByOwner lists(static_cast<size_t>(shard_.ranks));
  for (size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    at::Tensor gradient = gradients.empty() ? at::Tensor() : gradients[i];
    if (!gradient.defined()) gradient = at::zeros_like(slot.weight);
    if (is_own(slot)) {
      gradient = gradient.to(slot.master.dtype(), /*non_blocking=*/false, /*copy=*/true);
    }
    lists[static_cast<size_t>(slot.owner)].push_back(gradient);
  }
  return lists;
}

void Optimizer::add_own(std::span<const at::Tensor> gradients) {
  for (size_t i = 0; i < gradients.size(); ++i) sums_->add(i, gradients[i]);
}

PartSquares Optimizer::gradient_squares() const {
  const c10::NoGradGuard no_grad;
  std::vector<const Slot*> held;  // by this rank
  std::vector<at::Tensor> sums;
  PartSquares squares;
  for (const Slot& slot : slots_) {
    squares.add(slot.name, 0.0);
    if (!slot.weight.grad().defined()) continue;
    held.push_back(&slot);
    sums.push_back(square_sum(slot.weight.grad()));
  }
  const std::vector<double> numbers = numbers_of(sums);
  for (size_t i = 0; i < held.size(); ++i) squares.add(held[i]->name, numbers[i]);
  return squares;
}

PartSquares Optimizer::step(double factor, double gradient_norm) {
  const c10::NoGradGuard no_grad;
  PartSquares changes;
  const bool clips = stage_.clip > 0 && gradient_norm > stage_.clip;
  const Scales scales{.rate = factor, .gradient = clips ? stage_.clip / gradient_norm : 1.0};
  std::vector<const Slot*> moved;
  std::vector<at::Tensor> squares;
  for (Slot& slot : slots_) {
    changes.add(slot.name, 0.0);
    if (!is_own(slot) || slot.muon) continue;
    moved.push_back(&slot);
    squares.push_back(step_adamw(slot, scales));
  }
  const std::vector<double> sums = numbers_of(squares);
  for (size_t i = 0; i < moved.size(); ++i) changes.add(moved[i]->name, sums[i]);
  step_muon(scales, changes);
  return changes;
}

at::Tensor Optimizer::step_adamw(Slot& slot, const Scales& scales) const {
  slot.step.add_(1);
  return adamw_step({slot.master, slot.weight.grad(), slot.first, slot.second},
                    {.rate = slot.rate * scales.rate,
                     .decay = slot.decay,
                     .beta1 = stage_.beta1,
                     .beta2 = stage_.beta2,
                     .epsilon = stage_.epsilon,
                     .number = slot.step.item<double>(),
                     .gradient_scale = scales.gradient});
}

// Matrices of one shape go through the products together, as many as kMuonNumbers allows.
void Optimizer::step_muon(const Scales& scales, PartSquares& changes) {
  std::map<std::pair<int64_t, int64_t>, std::vector<Slot*>> shapes;
  for (Slot& slot : slots_) {
    if (slot.muon && is_own(slot))
      shapes[{slot.weight.size(0), slot.weight.size(1)}].push_back(&slot);
  }
  for (const auto& [shape, slots] : shapes) {
    const auto most =
        static_cast<size_t>(std::max<int64_t>(1, kMuonNumbers / (shape.first * shape.second)));
    for (size_t begin = 0; begin < slots.size(); begin += most) {
      step_muon(scales, std::span(slots).subspan(begin, std::min(most, slots.size() - begin)),
                changes);
    }
  }
}

void Optimizer::step_muon(const Scales& scales, std::span<Slot* const> slots,
                          PartSquares& changes) {
  const at::Tensor& like = slots.front()->first;
  const int64_t rows = like.size(0), columns = like.size(1);
  const at::Tensor directions_BMN = at::empty({std::ssize(slots), rows, columns}, like.options());
  for (size_t i = 0; i < slots.size(); ++i) {
    at::Tensor gradient = slots[i]->weight.grad().to(like.scalar_type());
    if (scales.gradient != 1) gradient = gradient * scales.gradient;
    slots[i]->first.mul_(kMuonMomentum).add_(gradient, 1.0 - kMuonMomentum);
    // Nesterov's: the momentum as it will be one step on, were this gradient to come again.
    at::Tensor direction_MN = directions_BMN.select(0, static_cast<int64_t>(i));
    at::lerp_out(direction_MN, slots[i]->first, gradient, 1.0 - kMuonMomentum);
  }
  const at::Tensor updates_BMN =
      orthogonalized(directions_BMN, slots.front()->weight.scalar_type());
  std::vector<at::Tensor> norms;
  const double size = kMuonSize * std::sqrt(static_cast<double>(std::max(rows, columns)));
  for (size_t i = 0; i < slots.size(); ++i) {
    Slot& slot = *slots[i];
    const at::Tensor master = slot.master.numbers();
    const at::Tensor change = updates_BMN.select(0, static_cast<int64_t>(i))
                                  .to(master.scalar_type())
                                  .mul_(size)
                                  .add_(master, slot.decay);
    slot.master.put(master.add(change, -slot.rate * scales.rate));
    norms.push_back(at::linalg_vector_norm(change));
  }
  const std::vector<double> sizes = numbers_of(norms);
  for (size_t i = 0; i < slots.size(); ++i) {
    const double norm = slots[i]->rate * scales.rate * sizes[i];
    changes.add(slots[i]->name, norm * norm);
  }
}

ParamMap Optimizer::state() const {
  ParamMap state;
  for (const Slot& slot : slots_) {
    if (!is_own(slot)) continue;
    if (!slot.master.is_weight()) state.add(slot.name + ".rest", slot.master.rest);
    state.add(slot.name + ".first", slot.first);
    if (slot.muon) continue;
    state.add(slot.name + ".second", slot.second);
    state.add(slot.name + ".step", slot.step);
  }
  return state;
}

void Optimizer::restore(const StoredTensor& stored) {
  const c10::NoGradGuard no_grad;
  for (Slot& slot : slots_) {
    if (!is_own(slot)) continue;
    if (!slot.master.is_weight()) copy_stored(stored, slot.name + ".rest", slot.master.rest);
    copy_stored(stored, slot.name + ".first", slot.first);
    if (!slot.muon) {
      copy_stored(stored, slot.name + ".second", slot.second);
      copy_stored(stored, slot.name + ".step", slot.step);
    }
  }
}

std::vector<TrainedParameter> Optimizer::trained() const {
  std::vector<TrainedParameter> list;
  for (const Slot& slot : slots_) {
    if (is_own(slot)) list.push_back({slot.name, slot.master});
  }
  return list;
}

int64_t Optimizer::num_parameters() const {
  int64_t total = 0;
  for (const Slot& slot : slots_) total += slot.weight.numel();
  return total;
}

}  // namespace sightline
