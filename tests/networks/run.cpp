#include "tests/networks/run.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <stdexcept>

#include "probe/diagnosis/questions/fallbacks.hpp"
#include "probe/engine/evaluate.hpp"
#include "probe/plan/own_hosts.hpp"
#include "probe/plan/plan.hpp"
#include "targets/builtin.hpp"
#include "targets/loader.hpp"
#include "tests/networks/sockets.hpp"
#include "tests/support/rules_for_any_set.hpp"

namespace callready::networks {
namespace {

constexpr auto today = "2026-11-21";
constexpr auto proxy_url = "http://192.168.1.3:3128";

// A built-in set by its id, any other by its file name. Reading one takes longer than a run.
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

void listen(Internet& internet, const Probe& probe) {
  const auto& target = probe.target;
  if (!target.host.empty() && probe.check != CheckKind::udp_range &&
      probe.check != CheckKind::hop) {
    internet.listen(target.host, proto_of(target), target.ports);
  }
  const auto also = [&](const std::string& host, const std::string& text) {
    const auto port = static_cast<std::uint16_t>(std::stoi(text));
    internet.listen(host, Proto::udp, {port, port});
  };
  if (const auto other = probe.with.find("other"); other != probe.with.end()) {
    const auto colon = other->second.rfind(':');
    also(other->second.substr(0, colon), other->second.substr(colon + 1));
  }
  const auto contrast = probe.with.find("contrast");
  if (contrast != probe.with.end()) also(target.host, contrast->second);
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
  scene.planned = planned_sets(scene.sets, options, scene.plan);
  scene.own_hosts = own_hosts(scene.plan, scene.sets, options.variables, vendors());
  for (const auto& planned : scene.plan.probes) listen(scene.internet, planned.probe);
  for (const auto* resolver : {"9.9.9.9", "1.1.1.1"}) {
    scene.internet.listen(resolver, Proto::tcp, {443, 443});
  }
  for (const auto proto : {Proto::udp, Proto::tcp}) {
    scene.internet.listen(outside_resolver().to_string(), proto, {53, 53});
  }
  return scene;
}

// Reading this clock takes a microsecond, so that of two packets sent at once one is the first.
class Wall final : public test::ManualClock {
 public:
  WallTime wall_now() const override {
    return test::ManualClock::wall_now() + std::chrono::microseconds(++looks_);
  }

 private:
  mutable int looks_ = 0;
};

// The engine itself (probe/engine), with the plan's probes, on a clock that goes as fast as it can.
class Run {
 public:
  Run(const networks::Network& network, const Scene& scene, Report& report, const Report* asked)
      : scene_(scene),
        report_(report),
        asked_(asked),
        sockets_(network, scene.internet, executor_, clock_) {
    open_in_memory(executor_, sockets_);
  }

  void make_all() {
    std::exception_ptr thrown;
    bool ended = false;
    asio::co_spawn(loop_, make(), [&](std::exception_ptr error) {
      thrown = std::move(error);
      ended = true;
    });
    while (!ended) {
      loop_.restart();
      loop_.poll();
      if (ended || clock_.advance_to_next()) continue;
      std::fputs("a run in memory waits for nothing\n", stderr);
      std::abort();  // what still waits refers to this object
    }
    if (thrown) std::rethrow_exception(thrown);
    report_.duration = Milliseconds(sockets_.now_ms());
  }

 private:
  static std::shared_ptr<AresChannel> channel(const asio::any_io_executor& executor) {
    AresOptions options;
    options.servers = {"127.0.0.1"};  // never asked: names come from the network
    options.search_domains = {"site.invalid"};
    return *AresChannel::create(executor, options);
  }
  static TlsContext& no_tls() {
    static const auto context = std::move(*TlsContext::create({}));
    return *context;
  }

  asio::awaitable<void> make() {
    RunnerOptions options;
    ask_further(scene_.planned, today, settings_.hurried, report_, options);
    if (asked_ != nullptr) ask_the_same(options);
    std::exception_ptr trouble;
    options.trouble = &trouble;
    Plan plan;
    plan.probes = scene_.plan.probes;
    const ProgressCallback no_progress;
    auto results = co_await run_probes(std::move(plan), context_, options, no_progress, table_);
    report_.probes = std::move(results);
    stop_.stop();
    auto thrown = co_await edge_.tasks().ended();
    if (trouble) thrown = trouble;
    if (thrown) std::rethrow_exception(thrown);
    for (const auto& [probe, seen] : report_.probes) {
      if (seen.detail == DetailCode::internal_error) throw std::logic_error(probe.id + " throws");
    }
  }

  // Asks what the other run asked.
  void ask_the_same(RunnerOptions& options) const {
    options.further = [this](std::vector<ProbeResult>& so_far) {
      std::vector<Probe> more;
      for (auto i = so_far.size(); i < asked_->probes.size(); ++i) {
        more.push_back(asked_->probes[i].probe);
      }
      return more;
    };
    options.needed_after_all = [this](std::vector<ProbeResult>& so_far) {
      std::vector<std::string> needed;
      for (std::size_t i = 0; i < scene_.plan.probes.size(); ++i) {
        const bool made = asked_->probes[i].observation.outcome != Outcome::skipped;
        if (made && is_spared_fallback(so_far[i])) needed.push_back(so_far[i].probe.id);
      }
      return needed;
    };
  }

  const Scene& scene_;
  Report& report_;
  const Report* asked_;
  Wall clock_;
  asio::io_context loop_{1};
  asio::any_io_executor executor_{loop_.get_executor()};
  MemorySockets sockets_;
  StopSignal stop_;
  MemoryResolver resolver_{executor_, channel(executor_)};
  SiteEdge edge_{executor_};
  checks::Settings settings_;
  checks::Context context_{executor_, {clock_, stop_}, clock_.now() + timeouts::thorough,
                           resolver_, no_tls(),        edge_,
                           settings_};
  std::span<const checks::Check> table_ = checks_in_memory();
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

// Which way they went, as probe/engine/session.cpp finds it.
EgressPath way_of(const networks::Network& network, const std::vector<ProbeResult>& results) {
  EgressPath way;
  way.interface = "eth0";
  way.gateway = network.hops.empty() ? std::nullopt : std::optional(network.hops[0].address);
  way.default_route = true;
  for (const auto& [probe, seen] : results) {
    const bool direct = probe.check != CheckKind::dns && probe.target.route.direct();
    if (direct && seen.address) add_once(way.hosts, probe.target.host);
  }
  return way;
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
  for (const bool flag : {network.anchors, network.variables, network.proxy.given, network.all}) {
    key += flag ? '+' : '-';
  }
  auto& scene = known[key];
  if (!scene) scene = std::make_unique<Scene>(make_scene(network));
  return *scene;
}

Report run(const networks::Network& network, const Report* asked) {
  const auto& scene = scene_of(network);
  Report report;
  report.tool.version = "0";
  report.site = site_of(network, scene);
  Run(network, scene, report, asked).make_all();
  report.site.public_addresses = public_addresses(report.probes);
  describe_nat(report.site, report.probes);
  report.site.ways = {way_of(network, report.probes)};
  diagnose(scene.planned, today, report);
  return report;
}

}  // namespace callready::networks
