#pragma once
// The recipe's tables, each read and held against what was read before it: model, then data, then
// tasks, eval and stages. Problems go to the reader's; what is wrong keeps its default.

#include "recipe/recipe.h"
#include "recipe/table_reader.h"

#include <string>

namespace sightline {

// "" when `path` is a file (a folder), else what is wrong with it and what is near.
std::string problem_with_file(const std::string& path);
std::string problem_with_folder(const std::string& path);
// Reads a path; unless paths are looked at later, what `problem_with` says of it is a problem.
void read_path(TableReader& reader, std::string_view key, std::string& path,
               std::string (*problem_with)(const std::string&));

// The parts that the model has. With `from` they are the folder's, which is not opened here.
bool may_have_vision(const ModelRecipe& model);
bool may_have_language(const ModelRecipe& model);

// Pictures in every sample (jsonl may or may not have them: its rows tell).
bool always_has_pictures(const DataRecipe& data);
bool has_folder_of_images(DataFormat format);
bool never_has_pictures(const DataRecipe& data);

bool holds_questions_alone(DataFormat format);

void read_model(TableReader& reader, ModelRecipe& model);
void read_data(TableReader& reader, DataRecipe& data);
// Of a table of questions: how they are put, and where their pictures are.
void read_questions(TableReader& reader, DataRecipe& data);
void read_task(TableReader& reader, const Recipe& recipe, TaskRecipe& task);
void read_decoding(TableReader& reader, DecodingRecipe& decoding);
void read_eval(TableReader& reader, const Recipe& recipe, EvalRecipe& eval);
void read_checkpoint(TableReader& reader, CheckpointRecipe& checkpoint);
void read_stage(TableReader& reader, const Recipe& recipe, StageRecipe& stage);
// Of a stage: how long, at what rates, by which optimizer, and against too close a fit.
void read_training(TableReader& reader, StageRecipe& stage);

// A problem unless `data` names a [data.*] table whose pictures the model can see.
void check_data_name(TableReader& reader, std::string_view key, const std::string& data,
                     const Recipe& recipe);

}  // namespace sightline
