#include "train/optimizer.h"

#include "base/error.h"
#include "train/orthogonal.h"
#include "train/schedule.h"

#include <cmath>
#include <map>

#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_foreach_zero.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

namespace sightline {

namespace {

// Weight decay is for matrices: norms, biases and embedding tables are left alone.
bool decays(const std::string& name, const at::Tensor& weight) {
  return weight.dim() >= 2 && name.find("embed") == std::string::npos &&
         name.find("token") == std::string::npos;
}

// Matrices inside the layers: what comes in and goes out of them are hidden states.
bool is_hidden_matrix(const std::string& name, const at::Tensor& weight) {
  return weight.dim() == 2 && decays(name, weight) && name.find("head") == std::string::npos;
}

constexpr double kMuonMomentum = 0.95;
// An orthogonal M x N matrix has entries of about 1 / sqrt(max(M, N)); AdamW's updates have 0.2 to
// 0.4.
constexpr double kMuonSize = 0.2;

std::vector<at::Tensor> gradients(const auto& slots) {
  std::vector<at::Tensor> list;
  for (const auto& slot : slots) list.push_back(slot.weight.grad());
  return list;
}

}  // namespace

Optimizer::Optimizer(const StageRecipe& stage, const ParamMap& params) : stage_(stage) {
  const c10::NoGradGuard no_grad;
  for (const auto& [name, weight] : params) {
    if (!weight.requires_grad()) continue;
    Slot slot;
    slot.name = name;
    slot.weight = weight;
    const bool full = weight.scalar_type() == at::kFloat || weight.scalar_type() == at::kDouble;
    slot.master = full ? weight.detach() : weight.detach().to(at::kFloat);
    slot.muon = stage.optimizer == OptimizerKind::muon && is_hidden_matrix(name, weight);
    slot.first = at::zeros_like(slot.master);
    if (!slot.muon) {
      slot.second = at::zeros_like(slot.master);
      slot.step = at::zeros({}, at::kFloat);
    }
    slot.rate = peak_rate(stage.lr, name);
    slot.decay = decays(name, weight) ? stage.weight_decay.base : 0.0;
    slot.weight.mutable_grad() = at::zeros_like(slot.master);
    slots_.push_back(std::move(slot));
  }
  SL_ASSERT(!slots_.empty(), "stage {} trains nothing", stage.name);
}

void Optimizer::zero_gradients() {
  const c10::NoGradGuard no_grad;
  at::_foreach_zero_(gradients(slots_));
}

std::vector<at::Tensor> Optimizer::gradients_of(const at::Tensor& loss) const {
  std::vector<at::Tensor> weights;
  for (const Slot& slot : slots_) weights.push_back(slot.weight);
  return torch::autograd::grad({loss}, weights, /*grad_outputs=*/{}, /*retain_graph=*/std::nullopt,
                               /*create_graph=*/false, /*allow_unused=*/true);
}

void Optimizer::add_gradients(std::span<const at::Tensor> gradients) {
  const c10::NoGradGuard no_grad;
  SL_ASSERT(gradients.size() == slots_.size(), "{} gradients", gradients.size());
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (gradients[i].defined()) slots_[i].weight.mutable_grad().add_(gradients[i]);
  }
}

double Optimizer::gradient_norm() const {
  const c10::NoGradGuard no_grad;
  double sum = 0;
  for (const at::Tensor& norm : at::_foreach_norm(gradients(slots_))) {
    const double value = norm.item<double>();
    sum += value * value;
  }
  return std::sqrt(sum);
}

void Optimizer::step(double factor, double gradient_norm) {
  const c10::NoGradGuard no_grad;
  if (stage_.clip > 0 && gradient_norm > stage_.clip) {
    for (Slot& slot : slots_) slot.weight.mutable_grad().mul_(stage_.clip / gradient_norm);
  }
  step_adamw(factor);
  step_muon(factor);
}

void Optimizer::step_adamw(double factor) {
  struct Group {
    std::vector<at::Tensor> masters, grads, first, second, steps, weights;
  };
  std::map<std::pair<double, double>, Group> groups;  // by rate and decay
  for (Slot& slot : slots_) {
    if (slot.muon) continue;
    Group& group = groups[{slot.rate, slot.decay}];
    group.masters.push_back(slot.master);
    group.grads.push_back(slot.weight.grad());
    group.first.push_back(slot.first);
    group.second.push_back(slot.second);
    group.steps.push_back(slot.step.add_(1));
    if (!slot.weight.is_alias_of(slot.master)) group.weights.push_back(slot.weight);
  }
  for (auto& [key, group] : groups) {
    at::_fused_adamw_(group.masters, group.grads, group.first, group.second, {}, group.steps,
                      key.first * factor, stage_.beta1, stage_.beta2, key.second, stage_.epsilon,
                      /*amsgrad=*/false, /*maximize=*/false);
    if (!group.weights.empty()) at::_foreach_copy_(group.weights, group.masters);
  }
}

// Matrices of one shape go through the products together.
void Optimizer::step_muon(double factor) {
  std::map<std::pair<int64_t, int64_t>, std::vector<Slot*>> groups;
  for (Slot& slot : slots_) {
    if (slot.muon) groups[{slot.master.size(0), slot.master.size(1)}].push_back(&slot);
  }
  for (auto& [shape, group] : groups) {
    std::vector<at::Tensor> directions;
    for (Slot* slot : group) {
      const at::Tensor& gradient = slot->weight.grad();
      slot->first.mul_(kMuonMomentum).add_(gradient, 1.0 - kMuonMomentum);
      // Nesterov's: the momentum as it will be one step on, were this gradient to come again.
      directions.push_back(slot->first.lerp(gradient, 1.0 - kMuonMomentum));
    }
    const at::Tensor updates_BMN =
        orthogonalized(at::stack(directions), group.front()->weight.scalar_type());
    const double size =
        kMuonSize * std::sqrt(static_cast<double>(std::max(shape.first, shape.second)));
    for (size_t i = 0; i < group.size(); ++i) {
      Slot& slot = *group[i];
      const double rate = slot.rate * factor;
      slot.master.mul_(1.0 - rate * slot.decay)
          .add_(updates_BMN.select(0, static_cast<int64_t>(i)), -rate * size);
      if (!slot.weight.is_alias_of(slot.master)) slot.weight.copy_(slot.master);
    }
  }
}

ParamMap Optimizer::state() const {
  ParamMap state;
  for (const Slot& slot : slots_) {
    state.add(slot.name + ".master", slot.master);
    state.add(slot.name + ".first", slot.first);
    if (slot.muon) continue;
    state.add(slot.name + ".second", slot.second);
    state.add(slot.name + ".step", slot.step);
  }
  return state;
}

void Optimizer::restore(const ParamMap& state, const std::string& source) {
  const c10::NoGradGuard no_grad;
  const auto take = [&](at::Tensor& into, const std::string& name) {
    check(state.contains(name), "{}: the optimizer state \"{}\" is missing", source, name);
    check(state.at(name).sizes() == into.sizes(), "{}: \"{}\" has another shape than the model's",
          source, name);
    into.copy_(state.at(name));
  };
  for (Slot& slot : slots_) {
    take(slot.master, slot.name + ".master");
    take(slot.first, slot.name + ".first");
    if (!slot.muon) {
      take(slot.second, slot.name + ".second");
      take(slot.step, slot.name + ".step");
    }
    if (!slot.weight.is_alias_of(slot.master)) slot.weight.copy_(slot.master);
  }
}

int64_t Optimizer::num_parameters() const {
  int64_t total = 0;
  for (const Slot& slot : slots_) total += slot.weight.numel();
  return total;
}

}  // namespace sightline
