#include "probe/serve/far_counts.hpp"

#include <fmt/format.h>

#include "probe/util/text.hpp"

namespace callready::serve {

std::optional<std::string> far_counts(std::string_view method, std::string_view target,
                                      media::Reflector& reflector, const media::EchoKeeper& keeper,
                                      media::EchoKeeper::Time now) {
  if (!target.starts_with(counts_path)) return std::nullopt;
  target.remove_prefix(counts_path.size());
  constexpr std::string_view stream = "stream/", ports = "media/";
  if (target.starts_with(stream)) {
    const auto ssid = whole_number<std::uint16_t>(target.substr(stream.size()));
    if (!ssid || (method != "GET" && method != "DELETE")) return std::nullopt;
    if (method == "DELETE") reflector.leave(*ssid);
    const auto count = reflector.count(*ssid);
    return fmt::format("received {}\nelsewhere {}\nrefused {}\ndropped {}\n", count.received,
                       count.elsewhere, count.refused, count.dropped);
  }
  if (!target.starts_with(ports) || method != "GET") return std::nullopt;
  const auto source = whole_number<std::uint32_t>(target.substr(ports.size()));
  if (!source) return std::nullopt;
  const auto came = keeper.count(*source, now);
  if (!came) return std::nullopt;
  std::string text = "ports\n";
  if (came->refused > 0) text += fmt::format("refused {}\n", came->refused);
  for (const auto& [port, packets] : came->ports) text += fmt::format("{} {}\n", port, packets);
  return text;
}

}  // namespace callready::serve
