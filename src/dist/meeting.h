#pragma once
// Where the ranks of a run meet: c10d's TCPStore, kept by rank 0 (under torchrun by torchrun). They
// find each other there, and tell there what became of them when the run breaks.

#include "dist/place.h"

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <c10/util/intrusive_ptr.h>

namespace c10d {
class Store;
}

namespace sightline {

// What was heard of the others when a run broke.
struct RollCall {
  std::vector<int64_t> silent;          // did not answer
  std::map<int64_t, std::string> told;  // what ended those that failed by themselves
};

class Meeting {
 public:
  // Waits for all ranks at most `patience`; who has not come then is named in the Error. So are two
  // processes that say they are the same rank.
  Meeting(const Place& place, std::chrono::milliseconds patience);
  ~Meeting();
  Meeting(const Meeting&) = delete;
  Meeting& operator=(const Meeting&) = delete;

  const std::vector<std::string>& hosts() const { return hosts_; }  // by rank
  // This machine's address in the network that leads to the meeting place.
  std::string own_address() const;
  const c10::intrusive_ptr<c10d::Store>& store() const;

  // Leaves word of what ended this rank, and gives the others a moment to read it.
  void tell_failure(const std::string& message);
  // Asks what became of the others, for some seconds at most. A rank answers whatever it is doing,
  // by a thread of its own, so that one in a long computation is not taken for lost; and what that
  // thread has heard is what its rank is told when it comes to ask, however late.
  RollCall roll_call();

 private:
  struct Board;
  class Listener;
  static std::shared_ptr<Board> come(const Place& place, std::chrono::milliseconds patience);

  Place place_;
  std::vector<std::string> hosts_;
  std::shared_ptr<Board> board_;
  std::shared_ptr<Listener> listener_;  // shared with its thread, which may hang in the board
};

}  // namespace sightline
