#include "reports/json/node.hpp"

namespace callready {

std::set<std::string> Asked::unknown(const ReadJson& root) const {
  std::set<std::string> found;
  collect(root, "", found);
  return found;
}

void Asked::collect(const ReadJson& value, const std::string& way,
                    std::set<std::string>& found) const {
  if (value.is_array()) {
    for (const auto& item : value) collect(item, way + "*/", found);
  }
  const auto asked = keys_.find(&value);
  if (!value.is_object() || asked == keys_.end()) return;
  for (const auto& [key, member] : value.items()) {
    if (asked->second.contains(key)) {
      collect(member, way + key + '/', found);
    } else {
      found.insert(way + key);
    }
  }
}

std::string Node::pointer() const {
  if (parent_ == nullptr) return "";
  if (parent_->json_.is_array()) return fmt::format("{}/{}", parent_->pointer(), index_);
  std::string escaped;
  for (const char c : key_) {
    if (c == '~') {
      escaped += "~0";
    } else if (c == '/') {
      escaped += "~1";
    } else {
      escaped += c;
    }
  }
  return parent_->pointer() + '/' + escaped;
}

void Node::fail(std::string_view why) const {
  const auto where = pointer();
  throw Unreadable{fmt::format("at {}: {}", where.empty() ? "the top" : where, why)};
}

void Node::fail_expecting(std::string_view what) const {
  std::string found;
  if (json_.is_object()) {
    found = "an object";
  } else if (json_.is_array()) {
    found = "a list";
  } else {
    found = json_.dump(-1, ' ', true, ReadJson::error_handler_t::replace);
    if (found.size() > 60) found = found.substr(0, 57) + "...";
  }
  fail(fmt::format("expected {}, found {}", what, found));
}

void Node::check_object() const {
  if (!json_.is_object()) fail_expecting("an object");
}

std::optional<Node> Node::optional(std::string_view key) const {
  check_object();
  const auto found = json_.find(key);
  if (found == json_.end()) return std::nullopt;
  asked_.add(json_, key);
  return Node(*found, this, key);
}

Node Node::member(std::string_view key) const {
  const auto found = optional(key);
  if (!found) fail(fmt::format("\"{}\" is missing", key));
  return *found;
}

const std::string& Node::text() const {
  if (!json_.is_string()) fail_expecting("a text");
  return json_.get_ref<const std::string&>();
}

bool Node::boolean() const {
  if (!json_.is_boolean()) fail_expecting("true or false");
  return json_.get<bool>();
}

double Node::number() const {
  if (!json_.is_number()) fail_expecting("a number");
  return json_.get<double>();
}

int Node::integer(int least, int most) const {
  const auto what = most == std::numeric_limits<int>::max()
                        ? fmt::format("a whole number, {} or more", least)
                        : fmt::format("a whole number from {} to {}", least, most);
  const bool huge =
      json_.is_number_unsigned() && json_.get<std::uint64_t>() > static_cast<std::uint64_t>(most);
  if (huge || !json_.is_number_integer()) fail_expecting(what);
  const auto value = json_.get<std::int64_t>();
  if (value < least || value > most) fail_expecting(what);
  return static_cast<int>(value);
}

EvidenceValue Node::fact() const {
  if (json_.is_string()) return json_.get<std::string>();
  if (json_.is_boolean()) return json_.get<bool>();
  if (json_.is_number_unsigned() &&
      json_.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
    return json_.get<double>();
  }
  if (json_.is_number_integer()) return json_.get<std::int64_t>();
  if (json_.is_number()) return json_.get<double>();
  fail_expecting("a text, a number, true or false");
}

IpAddress Node::address() const { return parsed(IpAddress::parse, "an IP address"); }

}  // namespace callready
