// The path from this computer to the vendor, as far as the report's evidence shows it: which flows
// there were, and where each of them stopped. Data for the drawing in html/path.cpp; pure.
#pragma once

#include <string>
#include <vector>

#include "probe/model/report.hpp"
#include "reports/words/marks.hpp"

namespace callready {

// In the order in which a packet meets them. `unknown`: somewhere between the computer and the far
// end, and nothing shows where.
enum class Place { computer, router, proxy, provider, vendor, unknown };

// Where some of a flow's endpoints (of a port range: its sampled ports) ended.
struct Stop {
  Place place = Place::unknown;
  Mark mark = Mark::unknown;
  std::string words;  // "blocked on the way by 10.20.0.1"
  int count = 1;
  friend bool operator==(const Stop&, const Stop&) = default;
};

// Everything that goes over one transport to one port or range, by one route.
struct Flow {
  std::string label;  // "UDP 3478"
  bool proxied = false;
  std::vector<Stop> stops;            // in the order of Place, then the worst first
  std::vector<std::size_t> findings;  // 1-based numbers of those whose evidence it is
};

struct FlowGroup {
  std::string title;  // the set's name
  std::vector<Flow> flows;
};

// Each place's own name or address, if the report holds one; empty if nothing shows the place.
struct Path {
  std::string computer, router, proxy, provider;
  bool has_proxy = false;
  std::vector<FlowGroup> groups;  // one per set, then the controls
};

Path path_of(const Report& report);

// For a failure after the connection was established: whether only the server can have caused it. A
// cut connection, silence or a strange certificate can come from any device on the path.
bool said_by_the_server(const Observation& seen);

}  // namespace callready
