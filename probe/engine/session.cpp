#include "probe/engine/session.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <map>
#include <set>
#include <stdexcept>

#include "probe/diagnosis/findings.hpp"
#include "probe/engine/browser_policies.hpp"
#include "probe/engine/evaluate.hpp"
#include "probe/engine/local_resources.hpp"
#include "probe/engine/logins.hpp"
#include "probe/engine/progress.hpp"
#include "probe/engine/so_far.hpp"
#include "probe/engine/watchdog.hpp"
#include "probe/model/day.hpp"
#include "probe/net/proxy_rules.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/net/udp.hpp"
#include "probe/plan/own_hosts.hpp"
#include "probe/plan/plan_size.hpp"
#include "probe/platform/agents.hpp"
#include "probe/platform/child.hpp"
#include "probe/platform/icmp.hpp"
#include "probe/platform/proxy_settings.hpp"
#include "probe/platform/route.hpp"
#include "probe/platform/system.hpp"
#include "targets/builtin.hpp"

namespace callready {
namespace {

// Name servers on links of this computer to which no default route leads.
std::vector<ResolverLink> inner_resolvers(const Site& site) {
  std::vector<ResolverLink> links;
  const bool leads_on = std::ranges::any_of(site.interfaces, &InterfaceInfo::default_route);
  if (!leads_on) return links;
  for (const auto& resolver : site.resolvers) {
    std::string_view host;
    std::uint16_t port = 0;
    if (!split_port(resolver, host, port)) continue;
    const auto address = IpAddress::parse(host);
    const auto way = address ? platform::way_to(*address) : std::nullopt;
    if (!way || way->gateway) continue;
    for (const auto& interface : site.interfaces) {
      const bool its = interface.name == way->interface_name;
      if (its && !interface.default_route && !interface.tunnel && !address->is_loopback())
        links.push_back({resolver, interface.name});
    }
  }
  return links;
}

Site describe_site(const SessionOptions& options, asio::io_context& loop, AresChannel& dns) {
  Site site;
  site.name = options.site;
  site.host = platform::host_name();
  const auto v4 = own_address_towards(loop.get_executor(), nobodys_address);
  const auto v6 = own_address_towards(loop.get_executor(), nobodys_v6);
  site.links.emplace();
  for (const auto& interface : platform::interfaces()) {
    const auto state = interface.signal ? LinkState::up
                       : interface.up   ? LinkState::no_signal
                                        : LinkState::disabled;
    if (!interface.tunnel) site.links->push_back({interface.name, state, interface.wireless});
    if (!interface.up) continue;
    const bool carries =
        std::any_of(interface.addresses.begin(), interface.addresses.end(),
                    [&](const IpAddress& address) { return address == v4 || address == v6; });
    site.interfaces.push_back({interface.name, interface.addresses, carries, interface.tunnel});
  }
  site.resolvers = dns.servers();
  site.resolver_links = inner_resolvers(site);
  if (!options.plan.proxy.empty()) site.proxy = options.plan.proxy;
  site.vantage = options.plan.from;
  const auto policies = platform::browser_policies();
  tell_policies(policies, site);
  site.agents = platform::known_agents();
  return site;
}

// The routers of the default routes, and whether they answer. The system may forget a router that
// nothing was sent to for a while: then what it said `before` stands.
std::vector<GatewayInfo> default_gateways(const std::vector<GatewayInfo>& before) {
  std::vector<GatewayInfo> gateways;
  for (const auto& anywhere : {nobodys_address, nobodys_v6}) {
    const auto way = platform::way_to(anywhere);
    if (!way || !way->gateway) continue;
    GatewayInfo gateway{*way->gateway, way->interface_name,
                        platform::neighbour_answers(way->interface_name, *way->gateway)};
    for (const auto& known : before) {
      const bool same = known.address == gateway.address && known.interface == gateway.interface;
      if (same && !gateway.answers) gateway.answers = known.answers;
    }
    gateways.push_back(std::move(gateway));
  }
  return gateways;
}

// Of the site's routes, those that a run over one interface takes.
void keep_ways_of(const std::string& interface, Site& site) {
  if (interface.empty()) return;
  const auto others = [&](const auto& one) { return one.interface != interface; };
  std::erase_if(site.gateways, others);
  std::erase_if(site.ways, others);
  if (site.links)
    std::erase_if(*site.links, [&](const auto& link) { return link.name != interface; });
}

// Which interface carries what was probed directly.
std::vector<EgressPath> ways_of(const std::vector<ProbeResult>& results,
                                const std::vector<platform::Interface>& interfaces) {
  std::vector<EgressPath> ways;
  std::set<std::string> seen;
  const auto anywhere = platform::way_to(nobodys_address);
  for (const auto& result : results) {
    const auto& target = result.probe.target;
    const auto& address = result.observation.address;
    // A DNS query goes to the resolver, not to the host that has the name.
    const bool asked = result.probe.check == CheckKind::dns;
    if (asked || !target.route.direct() || !address || address->is_loopback()) continue;
    if (!seen.insert(target.host).second) continue;
    const auto way = platform::way_to(*address);
    if (!way) continue;
    auto found = std::find_if(ways.begin(), ways.end(), [&](const EgressPath& known) {
      return known.interface == way->interface_name && known.gateway == way->gateway;
    });
    if (found == ways.end()) {
      const bool tunnel =
          std::any_of(interfaces.begin(), interfaces.end(), [&](const platform::Interface& one) {
            return one.name == way->interface_name && one.tunnel;
          });
      const bool leads_on = anywhere && anywhere->interface_name == way->interface_name;
      ways.push_back({way->interface_name, way->gateway, tunnel, leads_on, {}});
      found = std::prev(ways.end());
    }
    found->hosts.push_back(target.host);
  }
  return ways;
}

// The prefix of a DNS64, if something was reached through it.
std::optional<std::string> nat64_prefix_of(const std::vector<ProbeResult>& results) {
  const auto reaches = [&](const Network& prefix) {
    return std::ranges::any_of(results, [&](const ProbeResult& result) {
      const auto& seen = result.observation;
      return seen.address && prefix.contains(*seen.address) && reached(seen.outcome);
    });
  };
  for (const auto& result : results) {
    for (const auto& evidence : result.observation.evidence) {
      if (evidence.kind != EvidenceKind::nat64) continue;
      const auto prefix = Network::parse(text_fact(evidence, Fact::prefix));
      if (prefix && reaches(*prefix)) return prefix->to_string();
    }
  }
  return std::nullopt;
}

std::vector<std::string> builtin_ids() {
  std::vector<std::string> ids;
  for (const auto& set : builtin_sets()) ids.emplace_back(set.id);
  return ids;
}

// What the search for proxies works with, and what it finds.
struct ProxySearch {
  ProxySearch(Scope run_scope, Instant until, const checks::Context& run)
      : in_time(run_scope, until),
        context{run.executor, in_time.scope(), until,       run.resolver,
                run.tls,      run.edge,        run.settings} {}

  InnerScope in_time;
  checks::Context context;
  std::map<std::string, std::string> settings;  // of the system
  bool asked_settings = false, ended = false, waited_for = true;
  ProxyDiscovery found;
  std::exception_ptr thrown;
};

// What a run works with. Members are destroyed from the last to the first, and the loop, whose
// coroutines may refer to the rest, only once it is empty.
struct RunNetwork {
  StopSignal stop;
  std::unique_ptr<TlsContext> tls;
  asio::io_context loop{1};
  std::shared_ptr<AresChannel> channel;
  std::optional<Resolver> resolver;
  SystemClock clock{loop.get_executor()};
  SiteEdge edge{loop.get_executor()};
  // What checks work with, until the loop has let go of them all; its timers are the loop's.
  std::unique_ptr<checks::Context> context;
  std::unique_ptr<ProxySearch> search;  // until it has ended
};

// Calls `answer` once, on the loop, when the user wants the run to end.
class InterruptWatch {
 public:
  InterruptWatch(Clock& clock, std::function<void()> answer)
      : clock_(clock), answer_(std::move(answer)) {
    look_again();
  }

 private:
  void look_again() {
    timer_ = clock_.call_at(clock_.now() + timeouts::look_for_interrupt, [this] {
      if (!platform::interrupted()) return look_again();
      answer_();
    });
  }

  Clock& clock_;
  std::function<void()> answer_;
  std::unique_ptr<Clock::Timer> timer_;
};

// Somebody outside is being told about a result.
class Telling {
 public:
  explicit Telling(std::atomic<bool>& flag) : flag_(flag) { flag_ = true; }
  ~Telling() { flag_ = false; }
  Telling(const Telling&) = delete;
  Telling& operator=(const Telling&) = delete;

 private:
  std::atomic<bool>& flag_;
};

std::string words_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::bad_alloc&) {
    return "out of memory";
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "unknown";
  }
}

// Runs the loop until somebody stops it, nothing is left to do, or the time is up. An exception
// from a handler stops the run, and everything is brought to its end: the first one is returned.
std::exception_ptr run_loop(RunNetwork& network, Instant until) {
  std::exception_ptr first;
  while (!network.loop.stopped() && network.clock.now() < until) {
    try {
      network.loop.run_until(until);
    } catch (...) {
      if (!first) first = std::current_exception();
      try {
        network.stop.stop();
      } catch (...) {
        // A waiter that was not woken has its own deadline.
      }
    }
  }
  return first;
}

// The order of the end: everybody is told, whatever gives the loop work by itself is ended, and the
// rest is waited for. If it does not end, the network is kept as it is until the program ends:
// coroutines refer to each other, and cannot be destroyed in any order.
void shut_down(std::unique_ptr<RunNetwork> network, std::exception_ptr& trouble) {
  network->clock.end_watch();
  network->channel->cancel();
  network->loop.restart();
  const auto thrown = run_loop(*network, network->clock.now() + timeouts::drain);
  if (thrown && !trouble) trouble = thrown;
  if (network->loop.stopped()) return;
  static auto& kept = *new std::vector<std::unique_ptr<RunNetwork>>;
  kept.push_back(std::move(network));
}

// A run that sends more than a normal one says beforehand how much, and where.
void announce(const SessionOptions& options, const Plan& plan) {
  if (!options.announce) return;
  const bool all = options.plan.all, thorough = options.settings.thorough;
  if (!all && !thorough) return;
  const auto size = size_of(plan, options.runner.pace, thorough);
  const auto option = all && thorough ? "--all --thorough" : all ? "--all" : "--thorough";
  platform::write_standard_error("callready: " + announcement(size, option) + '\n');
}

// Before the plan is final: which proxies lead to what it would probe. It takes no more than half
// of the time that the user gives.
ProxyDiscovery find_proxies(const SessionOptions& options, const Plan& plan,
                            const checks::Context& run, RunNetwork& network) {
  if (options.proxy.kind == ProxyWish::Kind::none) return {};
  const auto environment = [](const std::string& name) {
    return platform::environment(name.c_str());
  };
  const auto until = network.clock.now() + options.timeout / 2;
  network.search = std::make_unique<ProxySearch>(Scope{network.clock, network.stop}, until, run);
  auto& search = *network.search;
  // Where the environment names no proxy, the system's settings may: those of Windows.
  if (read_proxy_environment(environment).empty()) search.settings = platform::proxy_settings();
  const auto variables = [&search, environment](const std::string& name) {
    const auto found = search.settings.find(name);
    if (found == search.settings.end()) return environment(name);
    search.asked_settings = true;
    return found->second;
  };
  asio::co_spawn(network.loop,
                 discover_proxies(search.context, options.proxy, plan, variables,
                                  platform::own_program()),
                 [&search, &network](std::exception_ptr error, ProxyDiscovery result) {
                   search.thrown = error;
                   search.ended = true;
                   search.found = std::move(result);
                   if (search.waited_for) network.loop.stop();
                 });
  auto trouble = run_loop(network, until + timeouts::cleanup + timeouts::drain);
  network.loop.restart();
  search.waited_for = false;
  if (!search.ended) {
    if (trouble) std::rethrow_exception(trouble);
    throw std::runtime_error("looking for a proxy does not end");
  }
  const auto over = std::move(network.search);
  if (!trouble) trouble = over->thrown;
  if (trouble) std::rethrow_exception(trouble);
  auto found = std::move(over->found);
  if (over->asked_settings)
    found.notes.push_back(phrase("The proxy comes from this computer's settings."));
  return found;
}

Plan planned_in_time(const std::vector<const TargetSet*>& sets, const PlanOptions& options,
                     milliseconds limit) {
  const TimeLimit in_time("planning", limit);
  return make_plan(sets, options);
}

// Readers of only the report are told that it covers a part.
std::vector<std::string> part_chosen(const PlanOptions& options) {
  std::vector<std::string> words;
  for (const auto& id : options.only) words.push_back("--only " + id);
  for (const auto& id : options.skip) words.push_back("--skip " + id);
  if (!options.client.empty()) words.push_back("--client " + options.client);
  for (const auto& id : options.regions) words.push_back("--region " + id);
  return words;
}

// What the results say about the site and the sets, once all of them are there.
void complete_report(const SessionOptions& options, const Plan& plan, Report& report) {
  const auto no_ipv6 = note_of_missing_ipv6(report.probes);
  if (no_ipv6) report.notes.push_back(*no_ipv6);
  const auto canary = note_of_canary(report.probes);
  if (canary) report.notes.push_back(*canary);
  const auto rewritten = note_of_rewritten_answers(report.probes);
  if (rewritten) report.notes.push_back(*rewritten);
  if (!platform::icmp_supported()) {
    report.notes.push_back(
        phrase("This system does not tell programs which device refused or dropped a packet, so "
               "anything that only ICMP errors can show is unknown here. How far a packet got is "
               "inferred from an echo request that ends at the same distance but may take a "
               "different path: likely, not certain."));
  }
  const auto shortage = note_of_shortage(report.probes, platform::descriptors());
  if (shortage) report.notes.push_back(*shortage);
  if (report.loop_stall) {
    const auto loop_stalls = note_of_stalls(*report.loop_stall, report.duration);
    if (loop_stalls) report.notes.push_back(*loop_stalls);
  }
  report.site.public_addresses = public_addresses(report.probes);
  describe_nat(report.site, report.probes);
  report.site.gateways = default_gateways(report.site.gateways);
  report.site.ways = ways_of(report.probes, platform::interfaces());
  keep_ways_of(options.settings.interface, report.site);
  if (const auto prefix = nat64_prefix_of(report.probes)) {
    report.notes.push_back(phrase(
        "This network reaches IPv4 from IPv6 by NAT64 (prefix {}, as its DNS64 shows).", *prefix));
  }
  diagnose(planned_sets(options.sets, options.plan, plan), day_of(report.finished_at), report);
}

// Makes the plan's probes, and asks what they leave in doubt, within the same deadline and manners.
asio::awaitable<void> make_rounds(const SessionOptions& options, Plan& plan,
                                  checks::Context& context, const ProgressCallback& progress,
                                  Report& report, bool& first_is_done) {
  auto runner = options.runner;
  const auto sets = planned_sets(options.sets, options.plan, plan);
  ask_further(sets, day_of(context.scope.clock.wall_now()), context.settings.hurried, report,
              runner);
  runner.further = [&, ask = std::move(runner.further)](std::vector<ProbeResult>& so_far) {
    report.site.gateways = default_gateways(report.site.gateways);
    keep_ways_of(options.settings.interface, report.site);
    return ask(so_far);
  };
  runner.on_plan_done = [&] { first_is_done = !context.scope.stop.stopped(); };
  Plan first;
  first.probes = std::move(plan.probes);
  auto results = co_await run_probes(std::move(first), context, runner, progress);
  report.probes = std::move(results);
}

}  // namespace

std::string user_agent() {
  return fmt::format("callready/{} (https://github.com/callready/callready)", CALLREADY_VERSION);
}

milliseconds time_for(const Plan& plan, const SessionOptions& options) {
  auto timeout = options.timeout;
  if (options.timeout_given) return timeout;
  if (options.settings.thorough) timeout = timeouts::thorough;
  // A window begins when the last of the one before has been given up.
  const auto window = options.runner.pace.window + timeouts::tcp_connect;
  const auto count = [&](CheckKind kind) {
    return std::count_if(plan.probes.begin(), plan.probes.end(),
                         [&](const auto& planned) { return planned.probe.check == kind; });
  };
  const bool holds = std::any_of(plan.probes.begin(), plan.probes.end(), [](const auto& planned) {
    return planned.probe.with.contains("hold");  // relays, all at once
  });
  if (holds) timeout += timeouts::relay_hold + timeouts::relay_quiet;
  const auto streams = count(CheckKind::media);
  const auto stream = options.settings.thorough ? timeouts::media_thorough : timeouts::media;
  timeout +=
      streams * (stream + timeouts::udp_reply + 2 * timeouts::media_tail + timeouts::media_end);
  if (options.settings.quality) {
    timeout += count(CheckKind::ice) * (timeouts::call_quality + 2 * timeouts::call_media);
  }
  if (options.settings.calls > 0) {
    // Twice as many each time, then halves (media/call_steps.hpp), for up to 100.
    timeout += streams * (7 * (timeouts::call_feeler + 2 * timeouts::media_tail) +
                          7 * (timeouts::call_step + 2 * timeouts::media_tail));
  }
  return timeout + windows_of(plan, options.runner.pace) * window;
}

boost::system::result<Report, std::string> run_session(const SessionOptions& options) {
  auto tls = TlsContext::create(options.ca_files);
  if (tls.has_error()) return tls.error();
  auto network = std::make_unique<RunNetwork>();
  network->tls = std::move(*tls);
  auto& [stop, roots, loop, channel, resolver, clock, edge, its_context, its_search] = *network;
  AresOptions dns_options;
  dns_options.servers = options.dns_servers;
  dns_options.use_hosts_file = options.dns_servers.empty();
  auto made = AresChannel::create(loop.get_executor(), dns_options);
  if (made.has_error()) return "--dns: " + made.error();
  channel = std::move(*made);
  std::optional<Family> only;
  if (!options.runner.v4) only = Family::v6;
  if (!options.runner.v6) only = Family::v4;
  resolver.emplace(loop.get_executor(), channel, only);
  clock.watch_stalls();
  if (options.known_ways != nullptr) edge.recall(*options.known_ways);

  std::vector<const TargetSet*> sets;
  for (const auto& set : options.sets) sets.push_back(&set);
  auto plan_options = options.plan;
  if (options.service_tags) plan_options.service_tags = &*options.service_tags;
  const auto began = clock.now();
  auto plan = planned_in_time(sets, plan_options, options.timeout);
  auto settings = options.settings;

  Report report;
  report.tool.version = CALLREADY_VERSION;
  report.started_at = as_written(clock.wall_now());
  report.site = describe_site(options, loop, *channel);
  const auto start = clock.now();
  bool finished = false, first_is_done = false;
  platform::watch_interrupts();
  auto interrupts = std::make_unique<InterruptWatch>(clock, [&] {
    if (finished) return;
    report.complete = false;
    report.notes.push_back(
        phrase("The run was interrupted: anything not measured by then is missing."));
    stop.stop();
  });
  its_context.reset(new checks::Context{loop.get_executor(), Scope{clock, stop}, start, *resolver,
                                        *roots, edge, settings});
  auto& context = *its_context;
  SoFar so_far;
  ProxyDiscovery proxies;
  std::atomic<bool> telling = false;
  WatchdogOptions watching;
  watching.on_interrupt = true;
  watching.patience = options.patience;
  watching.line = "the run did not come to its end: a part of this program is stuck";
  watching.save = [&] {
    // What is being told, and whom it is told to, is in that thread's hands.
    if (!options.on_stuck || telling) return;
    auto unfinished = so_far.take();
    if (!unfinished) return;
    if (proxies.pac) unfinished->probes.push_back(*proxies.pac);
    unfinished->finished_at = std::chrono::system_clock::now();
    unfinished->duration = elapsed(start, std::chrono::steady_clock::now());
    unfinished->complete = false;
    unfinished->notes.push_back(
        phrase("The run did not finish because part of this program was stuck: anything not "
               "measured by then is missing."));
    complete_report(options, plan, *unfinished);
    options.on_stuck(std::move(*unfinished));
  };
  std::optional<Watchdog> watchdog(watching);
  const auto at_its_end = [](Instant deadline) {  // and has let go of all that it worked with
    return deadline + timeouts::cleanup + 2 * timeouts::drain;
  };
  watchdog->expect_end_by(at_its_end(clock.now() + options.timeout / 2));
  bool searched = true;
  try {
    proxies = find_proxies(options, plan, context, *network);
  } catch (...) {
    // What needs no proxy can be measured all the same.
    searched = false;
    report.complete = false;
    report.notes.push_back(
        phrase("Looking for a proxy failed because of an error in this program ({}): nothing was "
               "tried through one.",
               words_of(std::current_exception())));
  }
  if (proxies.proxy_for) {
    plan_options.proxy_for = proxies.proxy_for;
    plan = planned_in_time(sets, plan_options, options.timeout);
    if (!proxies.main_proxy.empty()) report.site.proxy = proxies.main_proxy;
    report.site.proxy_exceptions = proxies.exceptions;
  }
  const bool found_none = searched && !proxies.proxy_for && !proxies.pac;
  report.site.proxy_sought = found_none && options.proxy.kind == ProxyWish::Kind::automatic;
  settle_logins(settings.credentials, proxies, plan, options.sets, report.notes);
  report.site.own_hosts = own_hosts(plan, options.sets, options.plan.variables, builtin_ids());
  report.part = part_chosen(options.plan);
  if (!report.part.empty()) {
    report.notes.push_back(
        phrase("Only a part was tried, as requested: {}.", joined_texts(report.part)));
  }
  report.notes.insert(report.notes.end(), plan.notes.begin(), plan.notes.end());
  report.notes.insert(report.notes.end(), proxies.notes.begin(), proxies.notes.end());

  // The user's time limit covers all of it.
  context.deadline = (options.timeout_given ? began : clock.now()) + time_for(plan, options);
  watchdog->expect_end_by(at_its_end(context.deadline));
  so_far.begin(report, plan);
  auto timer = clock.call_at(context.deadline, [&] {
    if (finished) return;
    // Each answered question of a second round helps, and a missing one does no harm.
    if (!first_is_done) {
      report.complete = false;
      report.notes.push_back(
          phrase("The time limit (--timeout) was reached before all probes had finished."));
    }
    stop.stop();
  });

  bool listened_to = true;
  const auto nobody_listens = [&] {
    listened_to = false;
    report.complete = false;
    report.notes.push_back(
        phrase("The run was stopped because nothing was reading its events any more."));
    stop.stop();
  };
  auto told = options;
  told.runner.in_flight = probes_at_a_time(options.runner.in_flight, platform::descriptors());
  std::size_t probes_ended = 0;
  const auto planned = plan.probes.size();
  told.runner.on_result = [&](const ProbeResult& result) {
    so_far.add(result);
    ++probes_ended;
    if (!options.on_probe || !listened_to) return;
    const auto total = std::max(probes_ended, planned);
    const Telling now(telling);
    if (!options.on_probe(result, probes_ended, total)) nobody_listens();
  };
  if (options.on_start && !options.on_start(report, plan.probes.size())) nobody_listens();

  announce(options, plan);
  Progress progress(clock, options.show_progress, options.terminal_width,
                    elapsed(start, context.deadline));
  const ProgressCallback on_progress = [&](std::size_t done, std::size_t total) {
    progress.update(done, total);
  };
  std::exception_ptr trouble;
  told.runner.trouble = &trouble;
  Waits waits(clock.now());
  told.runner.waits = &waits;
  progress.say_what_is_waited_for([&] {
    const auto check = waits.now();
    return check && options.waited_for != nullptr ? options.waited_for(*check) : std::string();
  });
  asio::co_spawn(loop, make_rounds(told, plan, context, on_progress, report, first_is_done),
                 [&](std::exception_ptr error) {
                   if (error && !trouble) trouble = error;
                   finished = true;
                   loop.stop();
                 });
  const auto begin = clock.now();
  const auto thrown = run_loop(*network, context.deadline + timeouts::cleanup + timeouts::drain);
  if (thrown && !trouble) trouble = thrown;
  report.loop_stall = clock.loop_stall_since(begin);
  report.longest_wait = waits.longest();
  report.finished_at = as_written(clock.wall_now());
  report.duration = elapsed(start, clock.now());
  if (options.known_ways != nullptr) *options.known_ways = edge.known_ways(report.finished_at);
  const bool ended = std::exchange(finished, true);
  progress.clear();
  timer.reset();
  interrupts.reset();
  stop.stop();
  shut_down(std::move(network), trouble);
  watchdog.reset();
  platform::forgive_one_interrupt();  // the report is still to be written
  if (!ended && !trouble) {
    trouble = std::make_exception_ptr(std::runtime_error("a check does not end"));
  }
  if (trouble) {
    report.complete = false;
    report.notes.push_back(
        phrase("The run was stopped by an error in this program ({}): anything not measured by "
               "then is missing.",
               words_of(trouble)));
  }

  if (proxies.pac) {
    report.probes.push_back(*proxies.pac);
    if (options.on_probe) options.on_probe(*proxies.pac, probes_ended + 1, report.probes.size());
  }
  complete_report(options, plan, report);
  return report;
}

}  // namespace callready
