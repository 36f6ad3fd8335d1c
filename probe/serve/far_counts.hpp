// What arrived at this far end, for clients that have its key: GET /counts/stream/SSID (a session
// of the reflector), GET /counts/media/SSRC (packets of the media ranges by port, and "refused":
// how many were not answered because of its limits), DELETE /counts/stream/SSID (releases what the
// session holds). Lines of a word and a number.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "probe/media/echo.hpp"
#include "probe/media/reflector.hpp"

namespace callready::serve {

inline constexpr std::string_view counts_path = "/counts/";

// Nothing: there is no such count. `target`: the path, as it was asked for. `now`: the keeper's.
std::optional<std::string> far_counts(std::string_view method, std::string_view target,
                                      media::Reflector& reflector, const media::EchoKeeper& keeper,
                                      media::EchoKeeper::Time now);

}  // namespace callready::serve
