#pragma once
// Named places at which a test may have the program killed, to see that what it leaves behind is
// whole: SIGHTLINE_CRASH_AT="checkpoint.weights_written:2" ends the process by SIGKILL when the
// named place is reached for the second time. Unset, a crash point costs one comparison.

#include <string_view>

namespace sightline {

void crash_point(std::string_view name);

}  // namespace sightline
