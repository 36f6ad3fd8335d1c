// What the parts of the second round share: the list of its questions, and when a port is in doubt.
#pragma once

#include <set>

#include "probe/diagnosis/facts.hpp"
#include "probe/diagnosis/questions/follow_up.hpp"
#include "probe/diagnosis/ways/by_worlds.hpp"

namespace callready {

using findings::Diagnosis, findings::Facts, findings::Flow, findings::FlowSample,
    findings::Reachability, findings::dns_port;
using findings::failing, findings::got_no_answer, findings::has_foreign_root, findings::hosts_of,
    findings::is_direct, findings::is_inside, findings::is_name, findings::is_udp,
    findings::registrable_domain, findings::set_of;

// What goes with a question: the control, the payload.
using With = std::map<std::string, std::string>;

class Questions {
 public:
  explicit Questions(const Facts& facts);

  // False where it has been asked already, or where there are enough.
  bool ask(Probe probe);
  // `proxy`: its URL; empty: directly.
  bool ask(Purpose purpose, CheckKind check, Transport transport, std::string host,
           std::uint16_t port, With with = {}, std::string proxy = {});
  // The same probe once more, directly; its parameter tells it from the first.
  bool ask_again(const Probe& probe, std::string parameter = "again", std::string value = "true");
  std::vector<Probe> take() { return std::move(list_); }

 private:
  std::size_t& room_for(Purpose purpose);

  const Facts& facts_;
  std::size_t room_ = most_follow_ups, room_for_names_ = most_name_questions,
              room_for_repeats_ = most_repeat_questions;
  std::vector<Probe> list_;
};

template <typename Item>
std::vector<Item> first_of(std::vector<Item> items, std::size_t most) {
  if (items.size() > most) items.resize(most);
  return items;
}

// `most` of them, of different owners if there are enough.
template <typename Item, typename Owner>
std::vector<Item> of_different_owners(const std::vector<Item>& items, std::size_t most,
                                      Owner owner) {
  std::vector<Item> chosen, others;
  std::set<std::string> owners;
  for (const auto& item : items)
    (owners.insert(std::invoke(owner, item)).second ? chosen : others).push_back(item);
  append(chosen, others);
  return first_of(std::move(chosen), most);
}

// A flow that a row misses, and about which more can be known.
bool doubtful(const Facts& facts, const Flow& flow);

// ways.cpp: TCP ports where TLS is opened on the way: somebody near answers for everybody, whatever
// the TTL.
std::set<std::uint16_t> intercepted_ports(const Facts& facts);

// ways.cpp: which packets get as far as the last router that answers? And whether the second round
// has shown that no UDP leaves the site, whatever the port: then what else is silent over UDP is so
// because of that, and need not be asked for one by one.
void ask_for_ways(const Diagnosis& context, Questions& questions, bool hurried);
bool udp_is_shut(const Diagnosis& context);

// hosts.cpp: do hosts that are silent on their one port live at all? Does what answered at first
// answer still?
void ask_for_neighbours(const Facts& facts, Questions& questions, bool no_udp);
void ask_again(const Facts& facts, Questions& questions);

}  // namespace callready
