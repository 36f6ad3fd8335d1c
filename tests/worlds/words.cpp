#include "tests/worlds/words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

namespace callready {

template <>
std::span<const Word<Seen>> words() {
  static constexpr Word<Seen> table[] = {
      {Seen::reply, "reply"},
      {Seen::nothing, "nothing"},
      {Seen::closed, "closed"},
      {Seen::arrived, "arrived"},
      {Seen::refused_by, "refused_by"},
      {Seen::prohibited, "prohibited"},
      {Seen::talk, "talk"},
      {Seen::open, "open"},
      {Seen::mute, "mute"},
      {Seen::cut, "cut"},
      {Seen::foreign, "foreign"},
      {Seen::refused, "refused"},
      {Seen::refused_way, "refused_way"},
      {Seen::forged, "forged"},
      {Seen::refused_far, "refused_far"},
      {Seen::expired, "expired"},
      {Seen::dropped, "dropped"},
      {Seen::taken, "taken"},
      {Seen::one_way, "one_way"},
      {Seen::sample, "sample"},
  };
  return table;
}

template <>
std::span<const Word<Sign>> words() {
  static constexpr Word<Sign> table[] = {
      {Sign::name_fails, "name_fails"},
      {Sign::name_gone, "name_gone"},
      {Sign::public_denies, "public_denies"},
      {Sign::public_knows, "public_knows"},
      {Sign::dns_redirected, "dns_redirected"},
      {Sign::dns_special, "dns_special"},
      {Sign::nat_symmetric, "nat_symmetric"},
      {Sign::sip_rewritten, "sip_rewritten"},
      {Sign::packets_too_big, "packets_too_big"},
      {Sign::full_size, "full_size_passes"},
      {Sign::cert_expired, "cert_expired"},
      {Sign::cert_wrong_name, "cert_wrong_name"},
      {Sign::cert_untrusted, "cert_untrusted"},
      {Sign::root_unexpected, "root_unexpected"},
      {Sign::clock_off, "clock_off"},
      {Sign::foreign_page, "foreign_page"},
      {Sign::turn_login, "turn_login"},
      {Sign::ipv6_broken, "ipv6_broken"},
      {Sign::proxy_works, "proxy_works"},
      {Sign::proxy_login, "proxy_login"},
      {Sign::proxy_denied, "proxy_denied"},
      {Sign::proxy_silent, "proxy_silent"},
      {Sign::proxy_error, "proxy_error"},
      {Sign::dns_direct, "dns_direct"},
      {Sign::no_link, "no_link"},
      {Sign::name_too_long, "name_too_long"},
  };
  return table;
}

namespace reach {
namespace {

std::string_view in_words(Fate fate) {
  using enum Fate;
  switch (fate) {
    case deaf:
      return "no replies come back";
    case down:
      return "out of order";
    case closed:
      return "nobody listens";
    case prohibit:
      return "prohibited";
    case ration:
      return "prohibited, mostly without a word";
    case refuse:
      return "refused";
    case forge:
      return "refused in the far end's name";
    case mute:
      return "goes mute";
    case cut:
      return "reset";
    case take:
      return "taken, and not carried on";
    case carry:
      return "taken, and carried on";
    case big:
      return "full-size packets vanish";
    case elsewhere:
      return "goes to somebody else";
    case maybe:
      return "some get through";
    case rarely:
      return "few get through";
    case half:
      return "half of all flows are lost";
    case close:
      return "close by";
    case ignore:
      return "strangers are not answered";
    default:
      return "dropped";
  }
}

std::string_view in_words(Protocol protocol) {
  return protocol == Protocol::udp ? "UDP" : protocol == Protocol::tcp ? "TCP" : "all";
}

std::string in_words(const Hosts& hosts, const Sight& sight) {
  constexpr std::size_t most_named = 3;
  if (hosts.size() > most_named) return fmt::format("{} hosts", hosts.size());
  std::vector<std::string_view> names;
  for (const auto host : hosts) names.push_back(sight.hosts[host]);
  return fmt::format("{}", fmt::join(names, ", "));
}

// "stun over UDP 3478 to stun.example", "all but TCP 443".
std::string what_it_acts_on(const Box& box, const Sight& sight) {
  std::string text;
  for (const auto& cargo : words<Cargo>()) {
    if ((box.cargoes & bit(cargo.value)) == 0) continue;
    text += fmt::format("{}{}", text.empty() ? "" : ", ", cargo.text);
  }
  text += fmt::format("{}{}", text.empty() ? "" : " over ", in_words(box.protocol));
  if (!box.ports.empty()) text += " " + comma_separated(box.ports);
  if (!box.hosts.empty()) text += " to " + in_words(box.hosts, sight);
  if (!box.names.empty()) text += " about " + in_words(box.names, sight);
  for (const auto& [ports, protocol] : box.spared) {
    text += fmt::format(" but {} {}", in_words(protocol), ports.to_string());
  }
  if (box.spares_asked) text += " but what rows ask for";
  if (!box.spared_hosts.empty()) text += " but to " + in_words(box.spared_hosts, sight);
  if (box.per_second > 0) text += fmt::format(" beyond {} new flows a second", box.per_second);
  if (box.since_ms > 0) text += fmt::format(" after {} ms", box.since_ms);
  return text;
}

}  // namespace

std::string in_words(const Box& box, const Sight& sight) {
  // What a reply itself says is described by its code, and so is a sign-in page.
  const bool by_code = box.kind == Kind::fact || box.kind == Kind::portal;
  auto text = by_code && box.code.finding ? std::string(to_string(*box.code.finding)) : "";
  if (by_code && !box.names.empty()) text += " of " + in_words(box.names, sight);
  if (box.fate == Fate::pass) return text.empty() ? "a note" : text;
  return fmt::format("{}{}{}: {}{}", text, text.empty() ? "" : ", ", what_it_acts_on(box, sight),
                     in_words(box.fate), box.beyond ? ", beyond the routers that speak" : "");
}

std::string in_words(const World& world, const Drawn& drawn) {
  std::vector<std::string> boxes;
  for (const auto number : world.boxes) boxes.push_back(in_words(drawn.boxes[number], drawn.sight));
  return boxes.empty() ? "nothing wrong" : fmt::format("{}", fmt::join(boxes, " + "));
}

std::string in_words(const FlowEvent& event) {
  const auto& flow = event.flow;
  auto text = fmt::format("{} {} {} to {}", flow.udp ? "UDP" : "TCP", flow.port,
                          to_string(flow.cargo), flow.host);
  if (event.ends_early) text += ", as far as the last router";
  text += fmt::format(": {}", to_string(event.seen));
  if (event.seen == Seen::sample)
    return text + fmt::format(" {} of {}", event.answered, event.sent);
  if (event.sent > 1) text += fmt::format(", sent {} times", event.sent);
  return text;
}

}  // namespace reach
}  // namespace callready
