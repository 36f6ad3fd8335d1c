// Microsoft's list of service tags ("Azure IP Ranges and Service Tags", published weekly as JSON):
// which networks stand behind a name such as "AzureCloud.centralus".
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
  long change_number = 0;  // of the file: it grows with every edition
  // By name in lower case: Microsoft's documents and tools do not agree on it.
  std::map<std::string, std::vector<Network>> networks;

  const std::vector<Network>* find(std::string_view tag) const;
};

struct ServiceTagsResult {
  std::optional<ServiceTags> tags;
  std::vector<Problem> problems;  // empty exactly where there are tags
};

// The file is some 4 MB; what is far larger is no such file.
inline constexpr std::size_t largest_service_tags = std::size_t{64} * 1024 * 1024;  // bytes

// Strict: what Microsoft's file has and we read must be there and of its type, names are there
// once, prefixes are networks without host bits. Members that we do not read are ignored. Problems
// say line and column.
ServiceTagsResult read_service_tags(std::string_view text, const std::string& name);
ServiceTagsResult load_service_tags(const std::string& path);

// Puts the networks of the row's tags among its addresses, each with its region (the tag's part
// after the dot) where the set knows that region. The names of the tags that the file does not
// have.
std::vector<std::string> add_service_tags(const TargetSet& set, Requirement& row,
                                          const ServiceTags& tags);

}  // namespace callready
