#include "probe/model/target_set.hpp"

#include <algorithm>
#include <set>
#include <string_view>

namespace callready {

std::string AddressBlock::to_string() const {
  return std::visit([](const auto& block) { return block.to_string(); }, value);
}

bool AddressBlock::is_v4() const {
  if (const auto* network = std::get_if<Network>(&value)) return network->address.is_v4();
  if (const auto* range = std::get_if<AddressRange>(&value)) return range->first.is_v4();
  return std::get<IpAddress>(value).is_v4();
}

std::string Reach::to_string() const {
  switch (kind) {
    case Kind::all:
      return "all";
    case Kind::any:
      return "any";
    case Kind::at_least:
      return "at least " + std::to_string(count);
    case Kind::nearest:
      return "nearest " + std::to_string(count);
  }
  return "?";
}

std::vector<std::string> row_ids_of(const Capability& capability) {
  std::vector<std::string> ids;
  std::set<std::string_view> known;
  for (const auto& need : capability.needs) {
    for (const auto& alternative : need.alternatives) {
      for (const auto& id : alternative) {
        if (known.insert(id).second) ids.push_back(id);
      }
    }
  }
  return ids;
}

bool TargetSet::holds(std::string_view set_id) const {
  return id == set_id || std::ranges::count(leans_on, set_id, &SetHead::id) > 0;
}

const SetHead& TargetSet::head_of(const Requirement& requirement) const {
  for (const auto& head : leans_on) {
    if (head.id == requirement.of_set) return head;
  }
  return *this;
}

const Requirement* TargetSet::find_requirement(std::string_view requirement_id) const {
  for (const auto& requirement : requirements) {
    if (requirement.id == requirement_id) return &requirement;
  }
  return nullptr;
}

bool is_signed_in_to(const SetHead& set) {
  return set.kind == ServiceKind::meetings || set.kind == ServiceKind::telephony ||
         set.kind == ServiceKind::contact_center;
}

}  // namespace callready
