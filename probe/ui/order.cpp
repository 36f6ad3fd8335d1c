#include "probe/ui/order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "targets/syntax.hpp"

namespace callready::ui {
namespace {

using Json = nlohmann::json;

constexpr std::size_t longest_text = 1'024, most_items = 64;

// A line that people type. Control characters would make a second line of a secret.
bool is_line(const Json& value) {
  if (!value.is_string()) return false;
  const auto& text = value.get_ref<const std::string&>();
  return text.size() <= longest_text && std::none_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
         });
}

bool is_list(const Json& value) {
  return value.is_array() && value.size() <= most_items &&
         std::all_of(value.begin(), value.end(), is_line);
}

// For each member: takes it, or says why not.
struct Reader {
  OrderResult& result;

  Order& order() const { return result.order; }
  void refuse(const std::string& why) const {
    if (result.problem.empty()) result.problem = why;
  }
  void add(std::string_view option, const std::string& value) const {
    if (!value.empty()) order().arguments.push_back(fmt::format("{}={}", option, value));
  }

  bool service(std::string_view name, const Json& value) const {
    if (name != "service") return false;
    if (!value.is_string() || !is_id(value.get_ref<const std::string&>())) {
      refuse("Choose a service first.");
    } else {
      order().service = value.get<std::string>();
    }
    return true;
  }

  bool list(std::string_view name, const Json& value) const {
    const auto option = name == "scenarios" ? "--scenario" : name == "regions" ? "--region" : "";
    if (*option == '\0') return false;
    if (!is_list(value)) return refuse("The choice of " + std::string(name) + " is no list."), true;
    for (const auto& item : value) add(option, item.get<std::string>());
    return true;
  }

  bool flag(std::string_view name, const Json& value) const {
    if (name != "thorough" && name != "quality") return false;
    if (!value.is_boolean()) {
      refuse(fmt::format("'{}' is neither yes nor no.", name));
    } else if (value.get<bool>()) {
      order().arguments.push_back(fmt::format("--{}", name));
    }
    return true;
  }

  bool line(std::string_view name, const Json& value) const {
    if (name != "through" && name != "site") return false;
    if (!is_line(value)) return refuse(fmt::format("'{}' is not one line.", name)), true;
    const auto text = value.get<std::string>();
    // Refused here, too, not only by the child: its arguments can be seen before it refuses them.
    if (name == "site") return add("--site", text), true;
    if (text.find('@') == text.npos) return add("--proxy", text), true;
    refuse("No user and password in the proxy's address: there are fields for them.");
    return true;
  }

  bool variables(std::string_view name, const Json& value) const {
    if (name != "variables") return false;
    if (!value.is_object() || value.size() > most_items) {
      return refuse("The values of your own are no list of names and values."), true;
    }
    for (const auto& [variable, text] : value.items()) {
      if (!is_variable_name(variable) || !is_line(text)) {
        refuse("A value of your own is not one line.");
      } else if (!text.get_ref<const std::string&>().empty()) {
        // For this set: that comes before what the program was started with.
        add("--var", fmt::format("{}/{}={}", order().service, variable, text.get<std::string>()));
      }
    }
    return true;
  }

  bool secret(std::string_view name, const Json& value) const {
    constexpr std::pair<std::string_view, std::string_view> known[] = {
        {"turn_user", "CALLREADY_TURN_USER"},
        {"turn_password", "CALLREADY_TURN_PASSWORD"},
        {"proxy_user", "CALLREADY_PROXY_USER"},
        {"proxy_password", "CALLREADY_PROXY_PASSWORD"},
    };
    for (const auto& [member, variable] : known) {
      if (member != name) continue;
      if (!is_line(value)) return refuse("A user or a password is not one line."), true;
      const auto& text = value.get_ref<const std::string&>();
      if (!text.empty()) order().secrets += fmt::format("{}={}\n", variable, text);
      return true;
    }
    return false;
  }
};

}  // namespace

OrderResult read_order(std::string_view text) {
  OrderResult result;
  const auto json = Json::parse(text, nullptr, false);
  if (!json.is_object()) {
    result.problem = "The page's request is no JSON object.";
    return result;
  }
  const Reader reader{result};
  for (const auto& [name, value] : json.items()) {
    const bool known = reader.service(name, value) || reader.list(name, value) ||
                       reader.flag(name, value) || reader.line(name, value) ||
                       reader.variables(name, value) || reader.secret(name, value);
    if (!known) reader.refuse("The page asks for something that is not known here.");
  }
  if (result.order.service.empty()) reader.refuse("Choose a service first.");
  if (!result.problem.empty()) result.order = {};
  return result;
}

}  // namespace callready::ui
