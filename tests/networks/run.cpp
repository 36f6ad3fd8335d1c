#include "tests/networks/run.hpp"

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <tuple>

#include "probe/diagnosis/findings.hpp"
#include "probe/diagnosis/questions/fallbacks.hpp"
#include "probe/diagnosis/questions/follow_up.hpp"
#include "probe/plan/own_hosts.hpp"
#include "probe/plan/plan.hpp"
#include "targets/builtin.hpp"
#include "targets/loader.hpp"
#include "tests/networks/observe.hpp"
#include "tests/networks/words.hpp"
#include "tests/support/rules_for_any_set.hpp"

namespace callready::networks {
namespace {

constexpr double second_choice_ms = 1000, second_stream_choice_ms = 1500, second_look_ms = 1500;
constexpr std::size_t most_further = 64;
constexpr auto proxy_url = "http://192.168.1.3:3128";

// A built-in set by its name, another one by its file's. Reading one takes longer than a run.
const TargetSet& load(const std::string& id) {
  static std::map<std::string, TargetSet> known;
  const auto found = known.find(id);
  if (found != known.end()) return found->second;
  const auto rules = test::rules_for_any_set();
  auto loaded = LoadResult();
  if (id.ends_with(".yaml")) loaded = load_file(id, rules);
  if (id == "anchors") loaded = load_text(builtin_anchors(), id, rules);
  for (const auto& builtin : builtin_sets()) {
    if (builtin.id == id) loaded = load_text(builtin.yaml_text, id, rules);
  }
  if (!loaded.set) throw std::runtime_error("no set: " + id);
  return known.emplace(id, std::move(*loaded.set)).first->second;
}

int waits_for_others(const PlannedProbe& planned) {
  if (!planned.given.empty()) return 3;
  if (!planned.unless.empty() || !planned.unless_all.empty()) return 2;
  return planned.nearest_of.empty() && planned.answered_by.empty() ? 0 : 1;
}

// probe/engine/probe_scheduler.cpp, order().
std::vector<std::size_t> order_of(const std::vector<PlannedProbe>& probes) {
  std::vector<std::size_t> wanted, sorted;
  std::map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < probes.size(); ++i) {
    wanted.push_back(i);
    index[probes[i].probe.id] = i;
  }
  const auto key = [&](std::size_t i) {
    return std::tuple(waits_for_others(probes[i]), probes[i].severity, probes[i].round);
  };
  std::stable_sort(wanted.begin(), wanted.end(),
                   [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  std::vector<bool> placed(probes.size(), false);
  const std::function<void(std::size_t)> place = [&](std::size_t i) {
    if (placed[i]) return;
    placed[i] = true;
    for (const auto* ids : {&probes[i].unless, &probes[i].unless_all, &probes[i].given}) {
      for (const auto& id : *ids) place(index.at(id));
    }
    if (!probes[i].answered_by.empty()) place(index.at(probes[i].answered_by));
    sorted.push_back(i);
  };
  for (const auto i : wanted) place(i);
  return sorted;
}

void listen(Internet& internet, const Probe& probe) {
  const auto& target = probe.target;
  if (!target.host.empty() && probe.check != CheckKind::udp_range &&
      probe.check != CheckKind::hop) {
    const auto proto = target.transport == Transport::udp ? Proto::udp : Proto::tcp;
    internet.listen(target.host, proto, target.ports);
  }
  const auto other = probe.with.find("other");
  if (other != probe.with.end()) {
    const auto colon = other->second.rfind(':');
    const auto port = static_cast<std::uint16_t>(std::stoi(other->second.substr(colon + 1)));
    internet.listen(other->second.substr(0, colon), Proto::udp, {port, port});
  }
  const auto contrast = probe.with.find("contrast");
  if (contrast != probe.with.end()) {
    const auto port = static_cast<std::uint16_t>(std::stoi(contrast->second));
    internet.listen(target.host, Proto::udp, {port, port});
  }
}

Scene make_scene(const networks::Network& network) {
  Scene scene;
  for (const auto& id : network.sets) scene.sets.push_back(load(id));
  if (network.anchors) scene.sets.push_back(load("anchors"));
  PlanOptions options;
  options.all = network.all;
  if (network.proxy.given) options.proxy = proxy_url;
  if (network.variables) {
    for (const auto& set : scene.sets) {
      for (const auto& variable : set.variables) {
        if (!variable.fallback) options.variables[variable.name] = variable.example;
      }
    }
  }
  std::vector<const TargetSet*> sets;
  for (const auto& set : scene.sets) sets.push_back(&set);
  scene.plan = make_plan(sets, options);
  scene.order = order_of(scene.plan.probes);
  for (const auto& set : scene.sets) scene.scenarios.push_back(active_scenarios(set, options));
  std::vector<std::string> ids;
  for (const auto& builtin : builtin_sets()) ids.emplace_back(builtin.id);
  scene.own_hosts = own_hosts(scene.plan, scene.sets, options.variables, ids);
  for (const auto& planned : scene.plan.probes) listen(scene.internet, planned.probe);
  for (const auto* resolver : {"9.9.9.9", "1.1.1.1"}) {
    scene.internet.listen(resolver, Proto::tcp, {443, 443});
  }
  const auto resolver = outside_resolver().to_string();
  scene.internet.listen(resolver, Proto::udp, {53, 53});
  scene.internet.listen(resolver, Proto::tcp, {53, 53});
  return scene;
}

std::vector<PlannedSet> planned_sets(const Scene& scene) {
  std::vector<PlannedSet> sets;
  for (std::size_t i = 0; i < scene.sets.size(); ++i) {
    const auto& set = scene.sets[i];
    if (set.control) continue;
    auto& planned = sets.emplace_back();
    planned.set = &set;
    planned.scenarios = scene.scenarios[i];
    for (const auto& row : scene.plan.requirements) {
      if (row.set == set.id) planned.rows.push_back(row);
    }
  }
  return sets;
}

// The plan's probes as the engine makes them: beside each other, and what waits for others after
// them.
class Rounds {
 public:
  // `asked`: of another run, whose further questions are asked here in place of this one's own.
  Rounds(const networks::Network& network, const Scene& scene, Report& report, const Report* asked)
      : scene_(scene), report_(report), asked_(asked), observer_(network, scene.internet) {
    for (std::size_t i = 0; i < scene.plan.probes.size(); ++i) {
      report.probes.push_back({scene.plan.probes[i].probe, {}});
      index_[scene.plan.probes[i].probe.id] = i;
    }
    seen_.resize(report.probes.size());
    began_.resize(report.probes.size(), 0);
  }

  void make_all() {
    for (const auto i : scene_.order) {
      const auto& [target, check] =
          std::tie(scene_.plan.probes[i].probe.target, scene_.plan.probes[i].probe.check);
      const bool dials = target.transport != Transport::udp && target.route.direct() &&
                         check != CheckKind::hop && check != CheckKind::ipv6;
      if (!dials || target.host.empty() || waits_for_others(scene_.plan.probes[i]) > 0) continue;
      observer_.expect(target.host, target.ports.first);
    }
    report_.probes.reserve(report_.probes.size() + most_further);
    double at_ms = 0;
    for (const auto i : scene_.order) make(i, at_ms += 0.2);
    look(second_look_ms);
    double last = second_look_ms;
    for (const auto& seen : seen_) last = std::max(last, seen.ended_ms);
    look(last);
    show_all();
    make_after_all(ended_ms);
    show_all();
  }

  double ended_ms = 0;

 private:
  void make_after_all(double at_ms) {
    const auto& probes = report_.probes;
    if (std::none_of(probes.begin(), probes.end(), is_spared_fallback)) return;
    if (asked_ == nullptr) diagnose(planned_sets(scene_), "2026-11-21", report_);
    for (const auto& id : asked_ == nullptr ? needed_after_all(report_) : asked_after_all()) {
      make(index_.at(id), at_ms, true);
    }
  }

  // What the other run has made, though here it was spared.
  std::vector<std::string> asked_after_all() const {
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < scene_.plan.probes.size(); ++i) {
      const bool made = asked_->probes[i].observation.outcome != Outcome::skipped;
      if (is_spared_fallback(report_.probes[i]) && made) ids.push_back(report_.probes[i].probe.id);
    }
    return ids;
  }

  void show_all() {
    for (std::size_t i = 0; i < seen_.size(); ++i) {
      report_.probes[i].observation = seen_[i].observation;
      ended_ms = std::max(ended_ms, seen_[i].ended_ms);
    }
  }

  // Whether the other one reached its endpoint, as far as can be told in time, and when.
  std::pair<bool, double> answered(const std::string& id) const {
    const auto other = index_.at(id);
    const auto& by = scene_.plan.probes[other].answered_by;
    const auto& sender = seen_[by.empty() ? other : index_.at(by)];
    const bool stream = report_.probes[other].probe.target.transport != Transport::udp;
    const auto patience = stream ? second_stream_choice_ms : second_choice_ms;
    const auto until = began_[by.empty() ? other : index_.at(by)] + patience;
    const bool is_reached = reached(seen_[other].observation.outcome);
    const auto when =
        is_reached ? std::min(sender.first_reply_ms, sender.ended_ms) : seen_[other].ended_ms;
    if (when > until) return {false, until};
    return {is_reached, when};
  }

  std::optional<double> distance(const std::string& host) const {
    std::optional<double> shortest;
    for (std::size_t i = 0; i < scene_.plan.probes.size(); ++i) {
      const auto& planned = scene_.plan.probes[i];
      if (planned.probe.target.host != host || waits_for_others(planned) > 0) continue;
      const auto& trip = seen_[i].observation.round_trip;
      if (!trip || !planned.probe.target.route.direct()) continue;
      if (!shortest || trip->count() < *shortest) shortest = trip->count();
    }
    return shortest;
  }

  void skip(std::size_t i, const char* why, double at_ms) {
    say(seen_[i].observation, Outcome::skipped, why);
    seen_[i].ended_ms = at_ms;
  }

  // Whether others have reached what it only stands in for; `at_ms`: when that was clear.
  bool spared(const PlannedProbe& planned, double& at_ms) const {
    for (const auto& id : planned.unless) {
      const auto [told, when] = answered(id);
      at_ms = std::max(at_ms, when);
      if (told) return true;
    }
    bool all = !planned.unless_all.empty();
    for (const auto& id : planned.unless_all) {
      const auto [told, when] = answered(id);
      at_ms = std::max(at_ms, when);
      if (!(all = told)) break;
    }
    return all;
  }

  void make(std::size_t i, double at_ms, bool after_all = false) {
    const auto& planned = scene_.plan.probes[i];
    if (!after_all && spared(planned, at_ms)) return skip(i, "not_needed", at_ms);
    if (!planned.nearest_of.empty()) {
      const auto own = distance(planned.nearest_of.front());
      bool nearest = own.has_value();
      for (const auto& host : planned.nearest_of) {
        const auto other = distance(host);
        if (own && other && *other < *own) nearest = false;
        if (other) at_ms = std::max(at_ms, std::min(*other, second_look_ms));
      }
      if (!nearest) return skip(i, "not_needed", at_ms);
    }
    if (!planned.answered_by.empty()) {
      const auto sender = index_.at(planned.answered_by);
      seen_[i] = seen_[sender];
      began_[i] = began_[sender];
      first_answer(seen_[i].observation);
      return;
    }
    bool any = planned.given.empty();
    for (const auto& id : planned.given) {
      const auto other = index_.at(id);
      at_ms = std::max(at_ms, seen_[other].ended_ms);
      any = any || reached(seen_[other].observation.outcome);
    }
    if (!any) return skip(i, "server_silent", at_ms);
    began_[i] = at_ms;
    seen_[i] = observer_.observe(planned.probe, at_ms);
    if (seen_[i].first_reply_ms == 0) seen_[i].first_reply_ms = seen_[i].ended_ms;
  }

  // What the first message of the SIP ALG test came to, as the `sip` check says it.
  static void first_answer(Observation& observation) {
    std::erase_if(observation.evidence, [](const Evidence& evidence) {
      return evidence.kind != EvidenceKind::sip_reply && evidence.kind != EvidenceKind::sip_via &&
             evidence.kind != EvidenceKind::sip_discarded;
    });
    for (const auto& evidence : observation.evidence) {
      const auto status = number_fact(evidence, Fact::status);
      if (status) observation.detail = Detail::status(static_cast<int>(*status));
    }
  }

  static bool may_be_overdue(CheckKind check) {
    using enum CheckKind;
    for (const auto one : {tcp, tls, http, stun, turn, sip, ntp}) {
      if (check == one) return true;
    }
    return false;
  }

  std::vector<Probe> not_asked_yet() const {
    std::vector<Probe> probes;
    for (auto i = report_.probes.size(); i < asked_->probes.size(); ++i) {
      probes.push_back(asked_->probes[i].probe);
    }
    return probes;
  }

  // What the second round asks, with what is known at that time.
  void look(double at_ms) {
    for (std::size_t i = 0; i < seen_.size(); ++i) {
      auto& shown = report_.probes[i].observation;
      if (seen_[i].ended_ms <= at_ms) {
        shown = seen_[i].observation;
        continue;
      }
      shown = Observation();
      const auto& by = i < scene_.plan.probes.size() ? scene_.plan.probes[i].answered_by : "";
      const auto sender = by.empty() ? i : index_.at(by);
      const bool due = may_be_overdue(report_.probes[i].probe.check) &&
                       began_[sender] + second_choice_ms <= at_ms &&
                       seen_[sender].first_reply_ms > at_ms;
      if (!due) continue;
      shown.address = seen_[sender].observation.address;
      say(shown, Outcome::silent, "timed_out");
    }
    report_.sets = rows_as_seen(planned_sets(scene_), report_);
    auto more = asked_ == nullptr ? follow_ups(report_) : not_asked_yet();
    make_after_all(at_ms);
    for (auto& probe : more) {
      report_.probes.push_back({std::move(probe), {}});
      began_.push_back(at_ms);
      seen_.push_back(observer_.observe(report_.probes.back().probe, at_ms));
      if (seen_.back().first_reply_ms == 0) seen_.back().first_reply_ms = seen_.back().ended_ms;
      report_.probes.back().observation = seen_.back().observation;
    }
  }

  const Scene& scene_;
  Report& report_;
  const Report* asked_;
  Observer observer_;
  std::map<std::string, std::size_t> index_;
  std::vector<Seen> seen_;
  std::vector<double> began_;
};

Site site_of(const networks::Network& network, const Scene& scene) {
  Site site;
  site.host = "pc";
  site.interfaces = {{"eth0", {network.pc}, true, false}};
  site.resolvers = {resolver_of(network).to_string()};
  if (network.proxy.given) site.proxy = proxy_url;
  site.own_hosts = scene.own_hosts;
  return site;
}

// As probe/engine/session.cpp has it from the probes.
void describe(Site& site, const networks::Network& network,
              const std::vector<ProbeResult>& results) {
  std::set<IpAddress> addresses;
  std::set<std::string> hosts;
  EgressPath way;
  way.interface = "eth0";
  way.gateway = network.hops.empty() ? std::nullopt : std::optional(network.hops[0].address);
  way.default_route = true;
  for (const auto& [probe, seen] : results) {
    for (const auto& evidence : seen.evidence) {
      if (evidence.kind == EvidenceKind::mapped_address) {
        const auto address = IpAddress::parse(text_fact(evidence, Fact::address));
        if (address && !address->is_special()) addresses.insert(*address);
      }
      if (probe.check == CheckKind::nat && evidence.kind == EvidenceKind::nat_mapping) {
        site.nat_mapping = text_fact(evidence, Fact::value);
      }
      if (probe.check == CheckKind::nat && evidence.kind == EvidenceKind::nat_translations) {
        site.nat_translations = text_fact(evidence, Fact::value);
      }
    }
    const bool direct = probe.check != CheckKind::dns && probe.target.route.direct();
    if (!direct || !seen.address || !hosts.insert(probe.target.host).second) continue;
    way.hosts.push_back(probe.target.host);
  }
  site.public_addresses = {addresses.begin(), addresses.end()};
  site.ways = {way};
}

}  // namespace

const std::vector<std::string>& vendors() {
  static const auto ids = [] {
    std::vector<std::string> all;
    for (const auto& builtin : builtin_sets()) all.emplace_back(builtin.id);
    return all;
  }();
  return ids;
}

const Scene& scene_of(const networks::Network& network) {
  static std::map<std::string, std::unique_ptr<Scene>> known;
  std::string key;
  for (const auto& set : network.sets) key += set + ' ';
  key += network.anchors ? '+' : '-';
  key += network.variables ? '+' : '-';
  key += network.proxy.given ? '+' : '-';
  key += network.all ? '+' : '-';
  auto& scene = known[key];
  if (!scene) scene = std::make_unique<Scene>(make_scene(network));
  return *scene;
}

Report run(const networks::Network& network, const Scene& scene, const Report* asked) {
  Report report;
  report.tool.version = "0";
  report.site = site_of(network, scene);
  Rounds rounds(network, scene, report, asked);
  rounds.make_all();
  describe(report.site, network, report.probes);
  report.duration = Milliseconds(rounds.ended_ms);
  diagnose(planned_sets(scene), "2026-11-21", report);
  return report;
}

}  // namespace callready::networks
