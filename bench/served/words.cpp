// Encodes the lines of a text file, on one core, once for each line on stdin: bench/words.py lets
// it take turns with Hugging Face's tokenizers.
//
//   bench_words tokenizer.json lines.txt

#include "base/file.h"
#include "bench/served/served.h"
#include "text/tokenizer.h"

#include <sstream>

int main(int count, char** arguments) {
  using namespace sightline;
  if (count != 3) return 2;
  const Tokenizer tokenizer = Tokenizer::load(arguments[1]);
  std::istringstream text(read_file(arguments[2]));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  bench::serve([&] {
    for (const std::string& line : lines) tokenizer.encode(line);
  });
}
