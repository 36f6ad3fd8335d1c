// What the configuration says about how to run: the keys that modules and sets share, and those of
// modules, as options of `callready check`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "probe/exporter/config.hpp"
#include "probe/plan/choices.hpp"
#include "targets/yaml_reader.hpp"

namespace callready::exporter {

// A name that the sets of a job must know, and where the file says it.
struct Wanted {
  Choice choice;
  std::string name;
  Position position;
};

// What a module, or a set, says about how to run.
struct Way {
  std::vector<std::string> options;
  std::vector<Wanted> wanted;
  std::optional<milliseconds> timeout;
  bool sip_alg = false;  // the SIP ALG test too: several more messages to a SIP server
  // The key that makes a run last longer than a scrape waits, or load the line: how often that may
  // be.
  std::string slow_key;
  milliseconds least_interval{0};
  Position slow_position;
};

// "90s", "15m", "2h", "1d"; nothing for anything else and for more than a year.
std::optional<milliseconds> parse_duration(std::string_view text);

class WayReader {
 public:
  explicit WayReader(Problems& problems) : problems_(problems) {}

  // What both a module and a set can say.
  void read_common(MapReader& map, Way& way);
  Way read_module(MapReader& map);

  // Nothing, and reported, if it is not a time or is less than `least`.
  std::optional<milliseconds> read_duration(const YamlNode& node, const std::string& what,
                                            milliseconds least);
  // The option with that file, or reported.
  void add_readable(const YamlNode& node, const char* key, const char* option,
                    const std::string& file, std::vector<std::string>& options);

 private:
  void add_file(MapReader& map, const char* key, const char* option, Way& way);
  void add_choices(MapReader& map, const char* key, const char* option, Choice choice, Way& way);
  void add_variables(MapReader& map, Way& way);
  void add_line(MapReader& map, const char* key, const char* option, Way& way);
  void add_url(MapReader& map, const char* key, const char* option, Way& way);
  void add_quality(MapReader& map, Way& way);

  Problems& problems_;
};

}  // namespace callready::exporter
