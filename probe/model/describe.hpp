// Observations in a helpdesk's words, for verdicts' summaries and for every report.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "probe/model/observation.hpp"
#include "probe/model/probe.hpp"
#include "probe/model/text.hpp"

namespace callready {

// "UDP", "TCP", "TLS".
std::string_view in_capitals(Transport transport);

// "www.example.com:443 (TLS)", "media.example.com:10000-20000 (UDP)"; "this network" for a check
// without an endpoint of its own.
Text endpoint_in_words(const Target& target);

// The outcome in a few words without a full stop: "no answer", "refused by the server", "blocked on
// the way by 10.20.0.1", "certificate has expired", "answered 401".
Text outcome_in_words(const Observation& observation);

// True if these words already say the observation's detail, so that nothing needs to be added.
bool detail_has_words(const Observation& observation);

// The ports of a range that something was sent to, each once. `sample` may have fewer than planned,
// as routers answer few packets. A relay's port is chosen by its server.
struct PortsTried {
  std::vector<std::uint16_t> sample, relays;
};
// Nothing if the observation mentions no port.
std::optional<PortsTried> ports_tried(const Target& target, const Observation& observation);
// For evidence "udp_port": false if nothing was sent to that port.
bool was_tried(const Evidence& port);

// The address of the device that said no, by its ICMP error; empty where none did.
std::string refusing_device(const Observation& observation);

// True if a device on the way may have refused in the server's name; who did could not be measured.
bool refuser_is_unknown(const Observation& observation);

}  // namespace callready
