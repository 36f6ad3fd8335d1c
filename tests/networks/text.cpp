#include "tests/networks/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <stdexcept>
#include <type_traits>

namespace callready::networks {
namespace {

// The words of an enum in the order of its members, up to the last.
template <auto last, typename... Words>
constexpr auto up_to(Words... words) {
  static_assert(sizeof...(words) == static_cast<std::size_t>(last) + 1);
  return std::array<std::string_view, sizeof...(words)>{words...};
}

constexpr auto words_of(BoxKind) {
  return up_to<BoxKind::first>("rule", "replies", "nat", "rate", "ban", "protocol", "names",
                               "redirect_dns", "intercept", "accept", "portal", "sip_alg", "mtu",
                               "branch", "first");
}
constexpr auto words_of(Action) {
  return up_to<Action::forge>("drop", "prohibit", "refuse", "forge");
}
constexpr auto words_of(Payload) {
  return up_to<Payload::other>("none", "rtp", "stun", "turn", "sip", "tls", "http", "dns", "ntp",
                               "other");
}
constexpr auto words_of(Proto) { return up_to<Proto::tcp>("any", "udp", "tcp"); }
constexpr auto words_of(Behaviour) {
  return up_to<Behaviour::address_and_port>("independent", "address", "address_and_port");
}
constexpr auto words_of(Dns) {
  return up_to<Dns::sinkhole>("works", "dead", "refused", "servfail", "no_such_name", "sinkhole");
}
constexpr auto words_of(Ipv6) { return up_to<Ipv6::broken>("none", "works", "broken"); }
constexpr auto words_of(FarFault) {
  return up_to<FarFault::gone>("down", "refuses", "error", "expired", "untrusted", "wrong_name",
                               "gone");
}

// Writes a whole text, or reads one line of it: describe() below names the parts, in their order,
// for both. A line may leave out labels and what follows them, and words of enums.
class Form {
 public:
  Form() = default;
  explicit Form(std::string line) : reads_(true), text_(std::move(line)) {}

  bool reads() const { return reads_; }
  // What was written, or has not been read yet.
  const std::string& text() const { return text_; }

  // Reads whether that word is there, or writes it if `given`.
  bool word(std::string_view label, bool given = true, char before = ' ') {
    if (reads_) {
      given = text_.substr(0, text_.find(' ', label.size())) == label;
      if (given) text_.erase(0, label.size() + 1);
    } else if (given) {
      if (!text_.empty()) text_ += before;
      text_ += label;
    }
    return given;
  }
  // The same for a line's first word.
  bool line(std::string_view label, bool given = true) { return word(label, given, '\n'); }
  // `value` becomes `set` if that word is there.
  void flag(std::string_view label, bool& value, bool set = true, char before = ' ') {
    if (word(label, value == set, before)) value = set;
  }
  void part(std::string& value) {
    if (reads_) {
      const auto end = std::min(text_.find(' '), text_.size());
      value = text_.substr(0, end);
      text_.erase(0, end + 1);
    } else {
      word(value);
    }
  }
  template <typename Value>
  void part(Value& value) {
    if constexpr (std::is_enum_v<Value>) {
      const auto words = words_of(value);
      for (std::size_t i = 0; i < words.size(); ++i) {
        const auto one = static_cast<Value>(i);
        if (word(words[i], value == one)) value = one;
      }
    } else if constexpr (requires { value.to_string(); }) {
      auto shown = value.to_string();
      part(shown);
      if (reads_) value = Value::parse(shown).value();
    } else {
      auto shown = fmt::format("{}", value);
      part(shown);
      if (reads_ && !(std::istringstream(shown) >> value)) throw std::runtime_error("no number");
    }
  }
  template <typename Value>
  void part(std::string_view label, Value& value, bool given = true) {
    if (word(label, given)) part(value);
  }
  // Each item after that label; by default an item is one word.
  template <typename Item, typename Describe>
  void list(std::string_view label, std::vector<Item>& items, Describe one, char before = ' ') {
    for (std::size_t i = 0; word(label, i < items.size(), before); ++i) {
      one(reads_ ? items.emplace_back() : items[i]);
    }
  }
  template <typename Item>
  void list(std::string_view label, std::vector<Item>& items) {
    list(label, items, [this](Item& item) { part(item); });
  }
  template <typename Item, typename Describe>
  void lines(std::string_view label, std::vector<Item>& items, Describe one) {
    list(label, items, one, '\n');
  }

 private:
  bool reads_ = false;
  std::string text_;
};

void describe(Form& form, networks::Network& network) {
  if (form.line("ask")) {
    for (auto& set : network.sets) form.part(set);
    while (form.reads() && !form.text().empty() && !form.text().starts_with("with")) {
      form.part(network.sets.emplace_back());
    }
    form.flag("without anchors", network.anchors, false);
    form.flag("with variables", network.variables);
    form.flag("with credentials", network.credentials);
    form.flag("with all", network.all);
  }
  if (form.line("pc")) form.part(network.pc);
  form.lines("hop", network.hops, [&](Hop& hop) {
    form.part(hop.address);
    form.flag("inside", hop.inside);
    form.flag("mute", hop.speaks, false);
    form.flag("unlimited", hop.limited, false);
  });
  if (form.line("line")) {
    form.part("after", network.line);
    form.part("delay", network.delay_ms);
    form.part("loss", network.loss_out);
    form.part(network.loss_in);
  }
  if (form.line("dns")) {
    form.part(network.dns);
    form.part(network.dns_ms);
    form.word("ms");
    form.flag("outside", network.resolver_outside);
    form.list("name", network.dns_names);
  }
  if (form.line("ipv6")) form.part(network.ipv6);
  if (form.line("proxy")) {
    auto& proxy = network.proxy;
    if (form.reads()) proxy.ports.clear();
    form.flag("given", proxy.given);
    form.flag("down", proxy.up, false);
    form.flag("login", proxy.login);
    form.list("port", proxy.ports);
  }
  form.lines("box", network.boxes, [&](Box& box) {
    form.part(box.kind);
    const bool nat = box.kind == BoxKind::nat;
    form.part("at", box.hop);
    form.flag("bridge", box.bridge);
    form.flag("except", box.except);
    form.part(box.action);
    form.part("payload", box.payload, box.payload != Payload::none);
    form.part("limit", box.limit, box.limit != 0);
    form.part("outside", box.outside, nat);
    form.part("mapping", box.mapping, nat);
    form.part("filtering", box.filtering, nat);
    form.list("match", box.matches, [&](Match& match) {
      form.part(match.proto);
      form.part(match.ports);
      form.list("to", match.hosts);
    });
  });
  form.lines("far", network.far, [&](Far& far) {
    form.part(far.host);
    form.part(far.fault);
  });
  form.lines("mute_way", network.mute_ways, [&](MuteWay& way) {
    form.part(way.host);
    form.part("from", way.from);
  });
  form.flag("mute_far", network.mute_far, true, '\n');
  form.flag("media_answers", network.media_answers, true, '\n');
  form.flag("sip_ignores_strangers", network.sip_ignores_strangers, true, '\n');
  if (form.line("icmp", network.icmp != IcmpLimit())) {
    form.part("left", network.icmp.left);
    form.part("burst", network.icmp.burst);
    form.part("every", network.icmp.every_ms);
    form.word("ms");
  }
  if (form.line("chance")) form.part(network.chance);
}

}  // namespace

std::string_view word(BoxKind kind) { return words_of(kind)[static_cast<std::size_t>(kind)]; }

std::string to_text(networks::Network network) {
  Form form;
  describe(form, network);
  return form.text() + '\n';
}

networks::Network parse(std::string_view text) {
  networks::Network network;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    try {
      Form form(line);
      describe(form, network);
      if (!form.text().empty()) throw std::runtime_error("unknown word: " + form.text());
    } catch (const std::exception& error) {
      throw std::runtime_error(std::string(error.what()) + " in: " + line);
    }
  }
  return network;
}

}  // namespace callready::networks
