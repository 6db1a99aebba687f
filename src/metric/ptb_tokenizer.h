#pragma once
// The tokens by which coco-caption compares captions, without its Java program.
//
// coco-caption writes all captions to one file, a line each, runs Stanford CoreNLP 3.4.1's
// PTBTokenizer with -preserveLines -lowerCase over it and removes punctuation: '' ' `` ` . ? ! , :
// - -- ... ; and the brackets -LRB- ... in capitals. Since the tokens are in lower case by then,
// brackets stay in its results as -lrb-, -rrb-, ...: so they do here. (Spelling is left
// alone: "colour" stays.) The code is our own; its rules and word lists were settled by running
// that program on millions of probes, and the tests hold it equal to it on all COCO and Flickr8k
// captions.
//
// White space inside a caption counts as a space. So do the line separators other than \n (a
// carriage return, U+2028, ...), at which coco-caption would wrongly begin another caption.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sightline {

// Tokens joined by single spaces. `caption` is UTF-8; characters the Java program does not know
// (emoji among them) vanish, as they do there.
std::string ptb_tokenize(std::string_view caption);

// As coco-caption tokenizes a whole file of captions. This differs from one by one because the
// program looks past the end of a line (and finds nothing behind the last: a lone "we've" gives
// "we ve"), so that "wii u." followed by a caption that begins with
// "The" becomes "wii u" (3 of 202,654 COCO captions).
std::vector<std::string> ptb_tokenize_lines(std::span<const std::string> captions);

}  // namespace sightline
