#pragma once
// Inside data/: the readers behind open_dataset(), and what they share.
//
// flickr    annotations: lines "name.jpg#k<TAB>caption" (Flickr8k.token.txt); split: a file of
//           names, one a line; images: the photographs' folder. One example a photograph, in the
//           split's order (without a split: the annotations'), with all its captions as
//           conversations.
// coco      COCO's captions: {"images": [{"id", "file_name"}], "annotations": [{"image_id",
//           "caption"}]}. One example an image, in the file's order, as with flickr.
// karpathy  {"images": [{"filename", "filepath" (may be absent), "split", "sentences": [{"raw"}]}]}
//           (dataset_coco.json, dataset_flickr30k.json). split: a name, or several:
//           "train+restval".
// llava     [{"image": "a.jpg" or ["a.jpg", "b.jpg"] or absent, "conversations": [{"from": "human",
//           "value": "<image>\nwhat?"}, {"from": "gpt", "value": "..."}, ...]}]. One conversation
//           an example; each "<image>" shows the next image. A single one at the end of a turn's
//           words goes before them, as in LLaVA's own training.
// jsonl     one JSON object a line, one example each:
//             {"image": "a.jpg", "caption": "..."}            or "captions": ["...", ...]
//             {"image": "a.jpg", "question": "...", "answer": "...", "kind": "..."}
//             {"image": "a.jpg", "questions": [{"question": ..., "answer": ..., "kind": ...}, ...]}
//             {"messages": [{"role": "user", "content": [{"type": "image", "image": "a.jpg"},
//               {"type": "text", "text": "..."}]}, {"role": "assistant", "content": "..."}, ...]}
//           A question may stand without an image. "kind" may be left out; the questions of one
//           line are of one kind. Keys that begin with "_" are the user's own; any other is an
//           Error.
// vqa       VQA v2's two files: `questions` {"data_subtype": "val2014", "questions":
//           [{"question_id", "image_id", "question"}]}, `annotations` {"annotations":
//           [{"question_id", "image_id", "answer_type", "answers": [{"answer"}]}]}. One example a
//           picture, in the order of the questions, as with the next three; each question is a
//           conversation, its answer the one that most people gave.
// daquar    CSV: question,answer,image_id with a heading; of a folder all .csv files. split: a file
//           of image_ids, one a line; one that nothing is asked about is no example.
// vqarad    [{"qid", "image_name", "phrase_type", "question", "answer", "answer_type"}]; ids and
//           answers may be whole numbers. split: test has the phrase_types "test_...", train the
//           others, of which folds and fold hold pictures out as validation (data/folds.h).
// pathvqa   [{"image", "question", "answer"}], in JSON or pickled; or pictures,
//           [{"img_id", "sentf": {"pvqa": ["what?"]}, "labelf": {"pvqa": [{"answer": 1}]}}], of
//           which one without a question is no example.
// webdataset  tar archives of samples (a file, or a folder's *.tar in the order of their names), as
//           WebDataset and img2dataset write them: files that follow one another and are named
//           alike up to the first dot are a sample. Of each one picture (.jpg, .jpeg, .png, .webp),
//           and its words: .txt, a caption; or else .json, an object with jsonl's "caption",
//           "captions", "question" and "answer", or "questions", whose other keys are passed over.
// text      one document a line, an example of the assistant's words alone.
//
// Captions, answers and turns are trimmed; references stay as given. Lines of white space alone are
// passed over. JSON files are read whole, and what their items hold beside this is passed over.
//
// Annotations are checked when opened, and that every photograph exists: a mistake is an Error that
// names the row (of JSON "file: images[3]"). Under on_bad_sample = "skip" a mistake within one
// example is left to the loader to count and list (a mistaken question is its picture's mistake);
// one that leaves the file without examples, or a line of flickr's, is an Error all the same.
// `limit` keeps the first examples; of JSON lines only those are then read.

#include "base/json.h"
#include "data/dataset.h"
#include "recipe/choices.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sightline {

// open_flickr, open_coco, ...: one a line of recipe/choices.h, each defined in the file of its
// name. `name` is the table's, [data.name].
#define SIGHTLINE_DECLARE(format) \
  std::unique_ptr<Dataset> open_##format(const std::string& name, const DataRecipe& recipe);
SIGHTLINE_DATA_FORMATS(SIGHTLINE_DECLARE)
#undef SIGHTLINE_DECLARE

// [the user shows `images` pictures and says `words`, the assistant `answer`].
std::vector<Turn> one_exchange(int images, std::string_view words, std::string_view answer);

// Another conversation of an example about all its images, with `answer` as its reference.
void add_exchange(Example& example, std::string_view words, std::string_view answer);

// The file `image` in the recipe's folder; an absolute one stays as it is.
std::string image_path(const DataRecipe& recipe, std::string_view image);

// Error naming `where`, unless the recipe leaves missing photographs to the loader.
void check_image_exists(const DataRecipe& recipe, const std::string& path, std::string_view where);

// Reads every example once: a mistake in one, or a photograph that is not there, is an Error,
// unless the recipe leaves bad samples to the loader.
void check_examples(const Dataset& dataset, const DataRecipe& recipe);

// The array object[key], with something in it; else an Error naming `where` and the key.
const Json& array_at(const Json& object, const char* key, const std::string& where);

// The string object[key], with something in it but white space; else an Error likewise.
std::string words_at(const Json& object, const char* key, const std::string& where);

}  // namespace sightline
