#include "dist/meeting.h"

#include "base/error.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <future>
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
}

Meeting::~Meeting() = default;

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

void Meeting::tell_failure(const std::string& message) {
  try {
    board_->write(key_of("failed", place_.rank), message);
  } catch (const std::exception&) {
    return;  // nobody is left to hear it
  }
  roll_call();
}

// Its keeper may be stopped, and asking then hangs: so a thread asks, and is left to itself.
RollCall Meeting::roll_call() {
  std::promise<RollCall> promise;
  std::future<RollCall> answer = promise.get_future();
  std::thread([board = board_, place = place_, promise = std::move(promise)]() mutable {
    RollCall call;
    try {
      board->write(kOver, "");
      board->write(key_of("broken", place.rank), "");
      call.silent = board->wait_for_all("broken", place.size, kRollCall);
      for (int64_t rank = 0; rank < place.size; ++rank) {
        if (rank == place.rank || !board->has(key_of("failed", rank))) continue;
        call.told[rank] = board->read(key_of("failed", rank));
      }
      board->write(key_of("heard", place.rank), "");
      // Rank 0 keeps the place until those who answered have heard what it keeps.
      const auto still_asking = std::chrono::seconds(call.silent.empty() ? 5 : 1);
      if (place.rank == 0) board->wait_for_all("heard", place.size, still_asking);
    } catch (const std::exception&) {
      call.silent = {0};
    }
    promise.set_value(std::move(call));
  }).detach();
  if (answer.wait_for(2 * kRollCall) == std::future_status::ready) return answer.get();
  return {.silent = {0}};
}

}  // namespace sightline
