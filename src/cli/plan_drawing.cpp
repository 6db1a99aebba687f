#include "cli/plan_drawing.h"

#include "base/error.h"
#include "bundle/input_form.h"
#include "train/stage_data.h"

#include <algorithm>

namespace sightline {

namespace {

enum Kind : size_t { kImage, kGiven, kLearnt };

// Rows whose token is predicted: compose() lists predictions in the order of the rows that hold
// what is predicted. Before a branch's first row stands the trunk's last.
std::vector<bool> learnt_rows(const Batch& batch) {
  const Layout& layout = batch.layout;
  std::vector<bool> learnt(batch.tokens_T.size());
  size_t prediction = 0;
  int32_t trunk_end = -1, before = -1;
  for (size_t row = 0; row < learnt.size(); ++row) {
    if (layout.position_T[row] == 0) before = -1;
    const bool in_trunk = layout.branch_T[row] == kTrunk;
    if (!in_trunk && layout.branch_T[row] != layout.branch_T[row - 1]) before = trunk_end;
    if (prediction < batch.targets_S.size() && batch.loss_rows_S[prediction] == before &&
        batch.targets_S[prediction] == batch.tokens_T[row]) {
      learnt[row] = true;
      ++prediction;
    }
    before = static_cast<int32_t>(row);
    if (in_trunk) trunk_end = before;
  }
  SL_ASSERT(prediction == batch.targets_S.size(), "{} of {} predictions found", prediction,
            batch.targets_S.size());
  return learnt;
}

bool same_place(const Layout& layout, size_t a, size_t b) {
  return layout.document_T[a] == layout.document_T[b] && layout.branch_T[a] == layout.branch_T[b];
}

std::string label_of(const Layout& layout, const RowSpan& span, int64_t image) {
  constexpr const char* kNames[] = {"image", "given", "learnt"};
  std::string name = kNames[span.kind];
  if (span.kind == kImage) name += fmt::format(" {}", image);
  const int32_t branch = layout.branch_T[static_cast<size_t>(span.begin)];
  if (branch != kTrunk) name = fmt::format("branch {}, {}", branch + 1, name);
  return fmt::format("{}, {} row{}", name, span.end - span.begin,
                     span.end - span.begin == 1 ? "" : "s");
}

std::vector<RowSpan> spans_of(const Batch& batch) {
  const Layout& layout = batch.layout;
  const std::vector<bool> learnt = learnt_rows(batch);
  const auto kind_of = [&](size_t row) -> size_t {
    if (batch.tokens_T[row] == kImageRow) return kImage;
    return learnt[row] ? kLearnt : kGiven;
  };
  std::vector<RowSpan> spans;
  int64_t image = 0;  // of the document
  for (size_t row = 0; row < batch.tokens_T.size();) {
    RowSpan span{.begin = static_cast<int64_t>(row),
                 .kind = kind_of(row),
                 .document = static_cast<size_t>(layout.document_T[row])};
    if (spans.empty() || spans.back().document != span.document) image = 0;
    const size_t most = span.kind == kImage ? row + static_cast<size_t>(batch.rows_per_image)
                                            : batch.tokens_T.size();
    size_t end = row;
    while (end < most && end < batch.tokens_T.size() && same_place(layout, row, end) &&
           kind_of(end) == span.kind) {
      ++end;
    }
    span.end = static_cast<int64_t>(end);
    if (span.kind == kImage) ++image;
    span.label = label_of(layout, span, image);
    spans.push_back(std::move(span));
    row = end;
  }
  return spans;
}

std::vector<RowArea> areas_of(const AttentionPlan& plan) {
  std::vector<RowArea> areas;
  const auto add = [&](const RowArea& area) {
    if (area.key_begin < area.key_end) areas.push_back(area);
  };
  for (const Run& run : plan.runs) {
    const int64_t own_full_end = run.causal ? run.begin : run.end;
    add({run.begin, run.end, run.trunk_begin, run.trunk_end});
    add({run.begin, run.end, run.own_begin, own_full_end});
    if (run.causal) add({run.begin, run.end, run.begin, run.end, RowArea::Shape::lower});
  }
  return areas;
}

// "document 3: captions.jsonl:7"; samples that are several documents each are not told apart.
std::vector<std::string> documents_of(const Batch& batch) {
  const size_t count =
      batch.layout.document_T.empty() ? 0 : static_cast<size_t>(batch.layout.document_T.back()) + 1;
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) {
    names.push_back(count == batch.sample_names.size()
                        ? fmt::format("document {}: {}", i + 1, batch.sample_names[i])
                        : fmt::format("document {}", i + 1));
  }
  return names;
}

}  // namespace

Batch first_micro_batch(const Recipe& recipe, const StageRecipe& stage) {
  const InputForm form = input_form_of(recipe.model);
  if (stage.objective == Objective::reconstruct || !form.prompt_template) {
    fail_usage("{}: [[stage]] \"{}\" learns from pictures alone, so there is no plan to draw",
               stage.where, stage.name);
  }
  const SampleEncoder encoder(*form.prompt_template, form.rows_per_image);
  // Pictures are decoded, so that bad ones are passed over as in training, but not looked at.
  const Processor smallest{.size = 1};
  StageData data = open_stage_data(
      recipe, stage, {form.config, stage.mask.value_or(recipe.model.mask), smallest}, &encoder);
  data.loader.step_tokens = 1;  // a step of one micro-batch, which is the first of any
  data.loader.prefetch = 1;
  Loader loader(data.loader);
  std::optional<LoadedStep> step = loader.next();
  check(step.has_value(), "{}: [[stage]] \"{}\" has no sample", stage.where, stage.name);
  return std::move(step->micro_batches.front());
}

RowMap plan_drawing(const Batch& batch, const std::string& title) {
  return {.title = title,
          .kinds = {{"image", "#3b6fb6", "#6aa3ee"},
                    {"given", "#c77d1e", "#e2a24c"},
                    {"learnt", "#3a8f56", "#5cc07f"}},
          .documents = documents_of(batch),
          .spans = spans_of(batch),
          .areas = areas_of(batch.plan)};
}

}  // namespace sightline
