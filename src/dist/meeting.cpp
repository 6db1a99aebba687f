#include "dist/meeting.h"

#include "base/error.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <condition_variable>
#include <future>
#include <mutex>
#include <netdb.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include <fmt/ranges.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

namespace sightline {

namespace {

using namespace std::chrono_literals;

constexpr auto kRollCall = 5s;         // for all to say that they are there
constexpr auto kListen = 500ms;        // between two looks whether one is asked
constexpr auto kLook = 20ms;           // between two looks
constexpr auto kComeAgain = 100ms;     // to a place that was of an attempt before
constexpr const char* kOver = "over";  // the key at a place whose run has broken

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? name : "?";
}

std::string key_of(const char* what, int64_t rank) { return fmt::format("{}/{}", what, rank); }

// c10d's message without its backtrace.
std::string first_line(const std::string& message) { return message.substr(0, message.find('\n')); }

}  // namespace

// One line of text under a key, left by one rank and read by the others. Throws where the meeting
// place is gone, and hangs where the process that keeps it is stopped.
struct Meeting::Board {
  c10::intrusive_ptr<c10d::Store> store;

  void write(const std::string& key, const std::string& text) const {
    store->set(key, std::vector<uint8_t>(text.begin(), text.end()));
  }
  bool has(const std::string& key) const { return store->check({key}); }
  std::string read(const std::string& key) const {
    const std::vector<uint8_t> bytes = store->get(key);
    return {bytes.begin(), bytes.end()};
  }

  // Ranks without the key, when all have it or the time is up.
  std::vector<int64_t> wait_for_all(const char* what, int64_t size,
                                    std::chrono::milliseconds patience) const {
    std::vector<int64_t> missing;
    for (int64_t rank = 0; rank < size; ++rank) missing.push_back(rank);
    const auto end = std::chrono::steady_clock::now() + patience;
    for (;;) {
      std::erase_if(missing, [&](int64_t rank) { return has(key_of(what, rank)); });
      if (missing.empty() || std::chrono::steady_clock::now() > end) return missing;
      std::this_thread::sleep_for(kLook);
    }
  }
};

namespace {

c10::intrusive_ptr<c10d::Store> open_store(const Place& place, std::chrono::milliseconds patience) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<uint16_t>(place.meeting_port);
  options.isServer = place.rank == 0 && !place.meeting_place_is_launchers;
  options.waitWorkers = false;
  options.timeout = patience;
  try {
    c10::intrusive_ptr<c10d::Store> store =
        c10::make_intrusive<c10d::TCPStore>(place.meeting_host, options);
    if (place.prefix.empty()) return store;
    return c10::make_intrusive<c10d::PrefixStore>(place.prefix, store);
  } catch (const std::exception& error) {
    if (options.isServer) {
      fail(
          "rank 0 on {}: cannot listen at MASTER_ADDR={} MASTER_PORT={}: {}. Is another run "
          "there? Choose another port",
          host_name(), place.meeting_host, place.meeting_port, first_line(error.what()));
    }
    fail("rank {} on {}: no rank 0 at MASTER_ADDR={} MASTER_PORT={} within {:.0f} s: {}",
         place.rank, host_name(), place.meeting_host, place.meeting_port,
         std::chrono::duration<double>(patience).count(), first_line(error.what()));
  }
}

}  // namespace

// Looks now and then whether the run has broken, and answers; or is told so by its own rank.
class Meeting::Listener {
 public:
  Listener(std::shared_ptr<Board> board, Place place)
      : board_(std::move(board)), place_(std::move(place)), heard_(promise_.get_future().share()) {}

  // On a thread that is left to itself: the place's keeper may be stopped, and asking then hangs.
  void listen() {
    RollCall call;
    try {
      if (!wait_for_the_end()) return;
      call = ask();
    } catch (const std::exception&) {
      call.silent = {0};  // the keeper is gone
    }
    promise_.set_value(std::move(call));
  }

  // `failure`: what ended this rank, or nothing.
  RollCall ends(const std::string& failure) {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
      failure_ = failure;
    }
    changed_.notify_all();
    if (heard_.wait_for(2 * kRollCall) == std::future_status::ready) return heard_.get();
    return {.silent = {0}};
  }

  void leave() {
    const std::lock_guard lock(mutex_);
    left_ = true;
    changed_.notify_all();
  }

 private:
  // False where the run ended well.
  bool wait_for_the_end() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait_for(lock, kListen, [&] { return ended_ || left_; });
      if (ended_ || left_) return ended_;
      lock.unlock();
      const bool over = board_->has(kOver);
      lock.lock();
      if (over) return true;
    }
  }

  RollCall ask() {
    std::unique_lock lock(mutex_);
    if (!failure_.empty()) board_->write(key_of("failed", place_.rank), failure_);
    lock.unlock();
    board_->write(kOver, "");
    board_->write(key_of("there", place_.rank), "");
    RollCall call{.silent = board_->wait_for_all("there", place_.size, kRollCall)};
    for (int64_t rank = 0; rank < place_.size; ++rank) {
      if (rank == place_.rank || !board_->has(key_of("failed", rank))) continue;
      call.told[rank] = board_->read(key_of("failed", rank));
    }
    board_->write(key_of("heard", place_.rank), "");
    // Rank 0 keeps the place until those who answered have heard what it keeps.
    const auto still_asking = std::chrono::seconds(call.silent.empty() ? 5 : 1);
    if (place_.rank == 0) board_->wait_for_all("heard", place_.size, still_asking);
    return call;
  }

  const std::shared_ptr<Board> board_;
  const Place place_;
  std::promise<RollCall> promise_;
  std::shared_future<RollCall> heard_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false, left_ = false;
  std::string failure_;
};

// Comes to the place as `rank`. What an attempt before has left there, until its rank 0 is gone, is
// passed over: a place where the run has broken, and, on a restart, one that has this rank already.
std::shared_ptr<Meeting::Board> Meeting::come(const Place& place,
                                              std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  for (;;) {
    auto board = std::make_shared<Board>(Board{open_store(place, patience)});
    const bool over = board->has(kOver);
    if (!over && board->store->add(key_of("came", place.rank), 1) == 1) return board;
    const bool late = std::chrono::steady_clock::now() > end;
    check(!over || !late,
          "rank {} on {}: the run that met at {}:{} has broken, and no new one has come",
          place.rank, host_name(), place.meeting_host, place.meeting_port);
    check(over || (place.attempt > 0 && !late),
          "rank {} on {}: another process says that it is rank {} too: each needs a rank of its "
          "own{}",
          place.rank, host_name(), place.rank,
          place.launcher.empty() ? "" : " (from " + place.launcher + ")");
    board.reset();
    std::this_thread::sleep_for(kComeAgain);
  }
}

Meeting::Meeting(const Place& place, std::chrono::milliseconds patience) : place_(place) {
  const std::string host = host_name();
  const std::string here = fmt::format("rank {} on {}", place.rank, host);
  std::vector<int64_t> missing;
  try {
    board_ = come(place, patience);
    board_->write(key_of("host", place.rank), host);
    missing = board_->wait_for_all("host", place.size, patience);
    if (missing.empty()) {
      for (int64_t rank = 0; rank < place.size; ++rank) {
        hosts_.push_back(board_->read(key_of("host", rank)));
      }
    }
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    fail("{}: lost rank 0 while waiting for all {} ranks: {}", here, place.size,
         first_line(error.what()));
  }
  check(
      missing.empty(),
      "{}: rank {} has not come within {:.0f} s: the run has {} ranks, and each must be started{}",
      here, fmt::join(missing, ", "), std::chrono::duration<double>(patience).count(), place.size,
      place.launcher == "srun" ? " (in a batch script: by srun)" : "");
  listener_ = std::make_shared<Listener>(board_, place_);
  std::thread([listener = listener_] { listener->listen(); }).detach();
}

Meeting::~Meeting() { listener_->leave(); }

const c10::intrusive_ptr<c10d::Store>& Meeting::store() const { return board_->store; }

// A datagram socket that is "connected" sends nothing, but knows which way it would.
std::string Meeting::own_address() const {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(place_.meeting_port);
  if (getaddrinfo(place_.meeting_host.c_str(), port.c_str(), &hints, &found) != 0)
    return host_name();
  std::string address = host_name();
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    const int socket_file = socket(each->ai_family, each->ai_socktype | SOCK_CLOEXEC, 0);
    if (socket_file < 0) continue;
    sockaddr_storage own{};
    socklen_t length = sizeof(own);
    char text[NI_MAXHOST] = {};
    const bool known = connect(socket_file, each->ai_addr, each->ai_addrlen) == 0 &&
                       getsockname(socket_file, reinterpret_cast<sockaddr*>(&own), &length) == 0 &&
                       getnameinfo(reinterpret_cast<sockaddr*>(&own), length, text, sizeof(text),
                                   nullptr, 0, NI_NUMERICHOST) == 0;
    close(socket_file);
    if (!known) continue;
    address = text;
    break;
  }
  freeaddrinfo(found);
  return address;
}

void Meeting::tell_failure(const std::string& message) { listener_->ends(message); }

RollCall Meeting::roll_call() { return listener_->ends(""); }

}  // namespace sightline
