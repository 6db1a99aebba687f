#pragma once
// Whole tasks on threads of their own, one core each: what small products need, which leave cores
// idle when each is split over them.

#include <cstdint>
#include <functional>

namespace sightline {

// Calls task(0), ..., task(count - 1), each on a thread (task 0 on the caller's), all at once, and
// waits for all. Within a task LibTorch computes on one thread, so a task gives the same bits
// whatever runs beside it. Of the tasks that throw, the first one's exception comes back.
void side_by_side(int64_t count, const std::function<void(int64_t number)>& task);

}  // namespace sightline
