#include "train/stage_trainer.h"

#include "base/crash_point.h"
#include "base/error.h"
#include "base/rng.h"
#include "tensor/device.h"
#include "tensor/side_by_side.h"
#include "train/loss.h"
#include "train/reconstruct.h"
#include "train/schedule.h"

#include <algorithm>
#include <cmath>

#include <ATen/ops/from_blob.h>
#include <fmt/ranges.h>

namespace sightline {

namespace {

// What of a batch's pictures the model takes, in the batch's own memory: pixels, or the features
// stored at `depth`. Undefined for a model that sees nothing.
at::Tensor pictures_of(const Batch& batch, const Model& model, int64_t depth) {
  if (!model.config().vision) return {};
  if (depth == kFromPixels) {
    const int64_t side = model.vision().config().image_size;
    return at::from_blob(const_cast<float*>(batch.pixels.data()),
                         {batch.num_images(), 3, side, side}, at::kFloat);
  }
  const auto shape = model.vision().shape_at(depth);
  return at::from_blob(const_cast<uint16_t*>(batch.features.data()),
                       {batch.num_images(), shape[0], shape[1]}, at::kBFloat16);
}

// batch_loss with the batch's pictures on any device.
at::Tensor loss_with(const Model& model, const Batch& batch, const at::Tensor& pictures,
                     int64_t depth, double divisor, const ModelDropout& dropout,
                     Activations activations) {
  at::Tensor image_rows_IRD;
  if (batch.num_images() > 0) {
    image_rows_IRD = model.image_rows(pictures, depth, dropout, activations);
  }
  const at::Tensor hidden_TD = model.forward(batch, image_rows_IRD, dropout, activations);
  return answer_loss(hidden_TD, model.language().head(), batch.loss_rows_S, batch.targets_S,
                     {.divisor = divisor});
}

std::string names_of_samples(const LoadedStep& loaded) {
  std::vector<std::string> names;
  for (const Batch& batch : loaded.micro_batches) {
    for (const std::string& name : batch.sample_names) {
      if (names.size() == 8) return fmt::format("{} and more", fmt::join(names, ", "));
      names.push_back(name);
    }
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

// The stage's last step may never come under max_steps: its progress then goes by steps.
double progress_of(const StageRecipe& stage, double by_samples, int64_t steps) {
  if (stage.max_steps == 0) return by_samples;
  return std::max(by_samples, static_cast<double>(steps) / static_cast<double>(stage.max_steps));
}

}  // namespace

Trainable trainable_of(const StageRecipe& stage, const ModelConfig& config) {
  return Trainable(stage.train, config.vision ? config.vision->num_hidden_layers : 0,
                   config.language ? config.language->num_hidden_layers : 0);
}

void freeze_by(const StageRecipe& stage, Model& model) {
  const Trainable trains = trainable_of(stage, model.config());
  for (const auto& [name, tensor] : model.params()) {
    const bool wanted =
        name.starts_with("reconstruct.") ? stage.objective == Objective::reconstruct : trains(name);
    tensor.mutable_grad() = at::Tensor();
    tensor.set_requires_grad(wanted);
  }
}

at::Tensor batch_loss(const Model& model, const Batch& batch, int64_t depth, double divisor,
                      const ModelDropout& dropout, Activations activations) {
  return loss_with(model, batch, pictures_of(batch, model, depth), depth, divisor, dropout,
                   activations);
}

StageTrainer::StageTrainer(Bundle& bundle, const StageRecipe& stage, const TrainerOptions& options)
    : bundle_(bundle),
      stage_(stage),
      options_(options),
      optimizer_(stage, (freeze_by(stage, *bundle.model), bundle.model->params()), shard()),
      copies_(bundle.model->device()) {
  if (ranks() > 1 && !shards_gradients()) {
    exchange_.emplace(*options.world, optimizer_, options.gradients);
  }
  if (stage.ema > 0) average_.emplace(stage.ema, optimizer_.trained());
}

Shard StageTrainer::shard() const {
  if (!is_sharded()) return {};
  return {options_.sharding, options_.world->rank(), options_.world->size()};
}

void StageTrainer::share_weights() {
  if (!is_sharded()) return;
  options_.world->share_from_owners(optimizer_.weights_by_owner(), "sharing the weights");
}

void StageTrainer::put_averages_in() {
  if (!average_) return;
  average_->put_in();
  share_weights();
}

void StageTrainer::put_back() {
  if (!average_) return;
  average_->put_back();
  share_weights();
}

ParamMap StageTrainer::state() const {
  ParamMap state = optimizer_.state();
  if (!average_) return state;
  for (const auto& [name, tensor] : average_->state()) state.add(name, tensor);
  return state;
}

void StageTrainer::restore(const StoredTensor& stored) {
  optimizer_.restore(stored);
  if (average_) average_->restore(stored);
}

void StageTrainer::finish() { put_averages_in(); }

// A function of the stage's seed, the step and the micro-batch: what runs beside it, and what ran
// before a resume, makes no difference.
ModelDropout StageTrainer::dropout_of(uint64_t number) const {
  const ByPart& chance = stage_.dropout;
  const uint64_t seed = derive_seed(options_.seed, "dropout", number);
  return {{chance.vision.value_or(chance.base), derive_seed(seed, "vision")},
          {chance.connector.value_or(chance.base), derive_seed(seed, "connector")},
          {chance.language.value_or(chance.base), derive_seed(seed, "language")}};
}

at::Tensor StageTrainer::loss_of(const Numbered& numbered, double divisor) const {
  const auto& [batch, number, pictures] = numbered;
  const auto activations =
      stage_.checkpoint_activations ? Activations::recomputed : Activations::kept;
  if (stage_.objective != Objective::reconstruct) {
    return loss_with(*bundle_.model, *batch, pictures.arrived(), options_.depth, divisor,
                     dropout_of(number), activations);
  }
  return reconstruct_loss(*bundle_.model, pictures.arrived(),
                          {.mask_ratio = stage_.mask_ratio,
                           .edge_weight = stage_.edge_weight,
                           .seed = derive_seed(options_.seed, "reconstruct", number),
                           .divisor = divisor,
                           .dropout = dropout_of(number).vision,
                           .activations = activations});
}

// A micro-batch by itself has all threads to compute on; of several at once each has one. Gradients
// are summed in the micro-batches' order, so that the same recipe gives the same bits. A batch of
// words alone may depend on nothing that trains (the connector alone, say): it adds nothing.
void StageTrainer::add_gradients(std::span<const Numbered> batches, double divisor,
                                 std::vector<at::Tensor>& losses) {
  if (batches.size() == 1 && !shards_gradients()) {
    const at::Tensor loss = loss_of(batches[0], divisor);
    if (loss.requires_grad()) loss.backward();
    losses.push_back(loss.detach());
    crash_point("step.mid_accumulation");
    return;
  }
  struct Lane {
    at::Tensor loss;
    std::vector<at::Tensor> gradients;
  };
  std::vector<Lane> lanes(batches.size());
  side_by_side(std::ssize(lanes), [&](int64_t lane) {
    const auto i = static_cast<size_t>(lane);
    const at::Tensor loss = loss_of(batches[i], divisor);
    lanes[i].loss = loss.detach();
    if (loss.requires_grad()) lanes[i].gradients = optimizer_.gradients_of(loss);
  });
  for (const Lane& lane : lanes) {
    add_to_sums(lane.gradients);
    losses.push_back(lane.loss);
    crash_point("step.mid_accumulation");
  }
}

void StageTrainer::add_to_sums(std::span<const at::Tensor> gradients) {
  if (shards_gradients()) {
    const Optimizer::ByOwner lists = optimizer_.by_owner(gradients);
    options_.world->sum_to_owners(lists, options_.gradients, "summing gradients");
    optimizer_.add_own(lists[static_cast<size_t>(options_.world->rank())]);
  } else if (!gradients.empty()) {
    optimizer_.add_gradients(gradients);
  }
}

int64_t StageTrainer::most_on_any_rank(int64_t micro_batches) {
  std::vector<double> counts(static_cast<size_t>(ranks()), 0.0);
  counts[static_cast<size_t>(options_.world->rank())] = static_cast<double>(micro_batches);
  counts = options_.world->sum(std::move(counts), "counting micro-batches");
  return static_cast<int64_t>(std::ranges::max(counts));
}

std::vector<StageTrainer::Numbered> StageTrainer::batches_of(const LoadedStep& loaded,
                                                             int64_t stage_step) const {
  std::vector<Numbered> batches;
  for (size_t i = 0; i < loaded.micro_batches.size(); ++i) {
    const Batch& batch = loaded.micro_batches[i];
    if (batch.num_predictions() == 0 && stage_.objective == Objective::answers) continue;
    const uint64_t number = loaded.numbers.empty() ? i : static_cast<uint64_t>(loaded.numbers[i]);
    batches.push_back({&batch, static_cast<uint64_t>(stage_step) * 1024 + number, {}});
  }
  return batches;
}

void StageTrainer::begin_copies(std::span<Numbered> batches) const {
  const Model& model = *bundle_.model;
  for (Numbered& each : batches) {
    each.pictures = copies_.begin(pictures_of(*each.batch, model, options_.depth));
  }
}

void StageTrainer::sum_over_ranks(StepReport& report) {
  if (options_.world == nullptr) return;
  if (exchange_) exchange_->send_all();
  // Before gradients are waited for, so that waiting for slower ranks is told from travelling.
  const std::vector<double> sums = options_.world->sum(
      {report.loss, static_cast<double>(report.micro_batches)}, "summing the loss");
  if (exchange_) exchange_->finish();
  report.loss = sums[0];
  report.micro_batches = static_cast<int64_t>(sums[1]);
}

PartNorms StageTrainer::norms_over_ranks(PartSquares squares) {
  std::vector<double> values;
  for (const auto& [part, square] : squares.by_part()) values.push_back(square);
  values = options_.world->sum(std::move(values), "summing norms");
  size_t i = 0;
  for (auto& [part, square] : squares.by_part()) square = values[i++];
  return squares.norms();
}

StepReport StageTrainer::step(const LoadedStep& loaded, int64_t stage_step) {
  SL_ASSERT(loaded.num_predictions > 0, "a step without a prediction");
  std::vector<Numbered> batches = batches_of(loaded, stage_step);
  StepReport report;
  const Exchanged before = options_.world == nullptr ? Exchanged() : options_.world->exchanged();
  optimizer_.begin_gradients();
  const int64_t sums = shards_gradients() ? most_on_any_rank(std::ssize(batches)) : 0;
  std::vector<at::Tensor> losses;
  const auto at_once = static_cast<size_t>(options_.side_by_side);
  const auto from = [&](size_t first) {
    const size_t begin = std::min(first, batches.size());
    return std::span(batches).subspan(begin, std::min(at_once, batches.size() - begin));
  };
  begin_copies(from(0));
  for (size_t first = 0; first < batches.size(); first += at_once) {
    const size_t count = from(first).size();
    begin_copies(from(first + at_once));  // while these are computed
    if (exchange_ && count == 1 && first + 1 == batches.size()) exchange_->begin();
    add_gradients(from(first), static_cast<double>(loaded.num_predictions), losses);
    for (Numbered& done : from(first)) done.pictures = {};
  }
  for (const double loss : numbers_of(losses)) report.loss += loss;
  for (int64_t i = std::ssize(batches); i < sums; ++i) add_to_sums({});
  report.micro_batches = std::ssize(batches);
  optimizer_.end_gradients();
  sum_over_ranks(report);
  const PartSquares gradient = optimizer_.gradient_squares();
  report.gradient = shards_gradients() ? norms_over_ranks(gradient) : gradient.norms();
  if (!std::isfinite(report.loss) || !std::isfinite(report.gradient.all)) {
    fail(
        "stage \"{}\", step {}: the loss is {} and the gradient norm {}; samples {}. Lower the "
        "learning rate (lr) or the clipping norm (clip), or look at these samples",
        stage_.name, stage_step + 1, report.loss, report.gradient.all, names_of_samples(loaded));
  }
  report.factor = schedule_factor(stage_, progress_of(stage_, loaded.progress_before, stage_step),
                                  progress_of(stage_, loaded.progress_after, stage_step + 1));
  const PartSquares update = optimizer_.step(report.factor, report.gradient.all);
  report.update = is_sharded() ? norms_over_ranks(update) : update.norms();
  share_weights();
  if (average_) average_->update(stage_step + 1);
  report.progress = progress_of(stage_, loaded.progress_after, stage_step + 1);
  report.rows = loaded.num_rows;
  report.predictions = loaded.num_predictions;
  report.images = loaded.num_images;
  report.samples = loaded.num_samples;
  if (options_.world != nullptr) report.exchanged = options_.world->exchanged() - before;
  return report;
}

}  // namespace sightline
