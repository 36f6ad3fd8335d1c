// Microsoft's list of service tags ("Azure IP Ranges and Service Tags", published weekly as JSON):
// which networks a name such as "AzureCloud.centralus" stands for.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probe/model/target_set.hpp"
#include "targets/problem.hpp"

namespace callready {

struct ServiceTags {
  std::string file;        // where it came from
  std::string cloud;       // "Public"
  long change_number = 0;  // of the file; increases with every edition
  // By name in lower case: Microsoft's documents and tools do not agree on it.
  std::map<std::string, std::vector<Network>> networks;

  const std::vector<Network>* find(std::string_view tag) const;
};

struct ServiceTagsResult {
  std::optional<ServiceTags> tags;
  std::vector<Problem> problems;  // empty if and only if there are tags
};

// The file is some 4 MB; anything far larger is not this file.
inline constexpr std::size_t largest_service_tags = std::size_t{64} * 1024 * 1024;  // bytes

// Strict: the members that we read must be present and of the right type, names must be unique, and
// prefixes must have no host bits set. All other members are ignored. Problems give line and
// column.
ServiceTagsResult read_service_tags(std::string_view text, const std::string& name);
ServiceTagsResult load_service_tags(const std::string& path);

// Adds the networks of the row's tags to its addresses, each with its region (the part of the tag
// after the dot) if the set declares that region. Returns the names of tags that the file does not
// have.
std::vector<std::string> add_service_tags(const TargetSet& set, Requirement& row,
                                          const ServiceTags& tags);

}  // namespace callready
