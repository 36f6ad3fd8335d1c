#include "probe/engine/session.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <set>

#include "probe/diagnosis/findings.hpp"
#include "probe/diagnosis/follow_up.hpp"
#include "probe/engine/local_resources.hpp"
#include "probe/engine/progress.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/net/udp.hpp"
#include "probe/plan/own_hosts.hpp"
#include "probe/plan/plan_size.hpp"
#include "probe/platform/child.hpp"
#include "probe/platform/route.hpp"
#include "probe/platform/system.hpp"
#include "targets/builtin.hpp"

namespace callready {
namespace {

// The local address that traffic to the Internet carries. Connecting a UDP socket sends nothing.
std::optional<IpAddress> default_source(asio::io_context& loop, const IpAddress& towards) {
  UdpSocket::Options options;
  const auto socket = UdpSocket::open(loop.get_executor(), {towards, 9}, options);
  if (socket.has_error()) return std::nullopt;
  return socket->local().address;
}

// TEST-NET-1 and the documentation prefix: public by their routes, nobody's by their use.
const IpAddress somewhere_v4 = IpAddress::v4({192, 0, 2, 1});
const IpAddress somewhere_v6 = IpAddress::parse("2001:db8::1").value_or(IpAddress{});

Site describe_site(const SessionOptions& options, asio::io_context& loop, AresChannel& dns) {
  Site site;
  site.name = options.site;
  site.host = platform::host_name();
  const auto v4 = default_source(loop, somewhere_v4);
  const auto v6 = default_source(loop, somewhere_v6);
  for (const auto& interface : platform::interfaces()) {
    if (!interface.up) continue;
    const bool carries =
        std::any_of(interface.addresses.begin(), interface.addresses.end(),
                    [&](const IpAddress& address) { return address == v4 || address == v6; });
    site.interfaces.push_back({interface.name, interface.addresses, carries, interface.tunnel});
  }
  site.resolvers = dns.servers();
  if (!options.plan.proxy.empty()) site.proxy = options.plan.proxy;
  site.vantage = options.plan.from;
  return site;
}

// Which interface carries what was probed directly.
std::vector<EgressPath> ways_of(const std::vector<ProbeResult>& results,
                                const std::vector<platform::Interface>& interfaces) {
  std::vector<EgressPath> ways;
  std::set<std::string> seen;
  const auto anywhere = platform::way_to(somewhere_v4);
  for (const auto& result : results) {
    const auto& target = result.probe.target;
    const auto& address = result.observation.address;
    // A question to DNS goes to the resolver, and not where the name is.
    const bool asked = result.probe.check == CheckKind::dns;
    if (asked || !target.route.direct() || !address || address->is_loopback()) continue;
    if (!seen.insert(target.host).second) continue;
    const auto way = platform::way_to(*address);
    if (!way) continue;
    auto found = std::find_if(ways.begin(), ways.end(), [&](const EgressPath& known) {
      return known.interface == way->interface && known.gateway == way->gateway;
    });
    if (found == ways.end()) {
      const bool tunnel = std::any_of(
          interfaces.begin(), interfaces.end(),
          [&](const platform::Interface& one) { return one.name == way->interface && one.tunnel; });
      const bool leads_on = anywhere && anywhere->interface == way->interface;
      ways.push_back({way->interface, way->gateway, tunnel, leads_on, {}});
      found = std::prev(ways.end());
    }
    found->hosts.push_back(target.host);
  }
  return ways;
}

// The public addresses that STUN and TURN servers saw us come from. A server inside the site, or on
// this machine, sees an address that says nothing about the way out.
std::vector<IpAddress> public_addresses(const std::vector<ProbeResult>& results) {
  std::set<IpAddress> found;
  for (const auto& result : results) {
    for (const auto& evidence : result.observation.evidence) {
      if (evidence.kind != EvidenceKind::mapped_address) continue;
      const auto address = IpAddress::parse(text_fact(evidence, Fact::address));
      if (address && !address->is_special()) found.insert(*address);
    }
  }
  return {found.begin(), found.end()};
}

// What the first `nat` probe that reached its server says of the NAT; where none did, nothing.
void describe_nat(Site& site, const std::vector<ProbeResult>& results) {
  const std::pair<EvidenceKind, std::optional<std::string> Site::*> members[] = {
      {EvidenceKind::nat_mapping, &Site::nat_mapping},
      {EvidenceKind::nat_filtering, &Site::nat_filtering},
      {EvidenceKind::port_preservation, &Site::nat_port_preservation},
      {EvidenceKind::hairpin, &Site::nat_hairpin},
      {EvidenceKind::nat_translations, &Site::nat_translations},
      {EvidenceKind::nat_lifetime, &Site::nat_binding_lifetime},
  };
  for (const auto& result : results) {
    if (result.probe.check != CheckKind::nat) continue;
    for (const auto& [kind, member] : members) {
      for (const auto& evidence : result.observation.evidence) {
        if (evidence.kind != kind) continue;
        const auto value = text_fact(evidence, Fact::value);
        auto& place = site.*member;
        // Another server may have measured what the first could not.
        if (!value.empty() && (!place || place == to_string(DetailCode::not_measured)))
          place = value;
      }
    }
  }
}

std::optional<std::string> nat64_prefix_of(const std::vector<ProbeResult>& results) {
  for (const auto& result : results) {
    for (const auto& evidence : result.observation.evidence) {
      if (evidence.kind != EvidenceKind::nat64) continue;
      if (auto prefix = text_fact(evidence, Fact::prefix); !prefix.empty()) return prefix;
    }
  }
  return std::nullopt;
}

std::vector<PlannedSet> planned_sets(const SessionOptions& options, const Plan& plan) {
  std::vector<PlannedSet> sets;
  for (const auto& set : options.sets) {
    if (set.control) continue;
    auto& planned = sets.emplace_back();
    planned.set = &set;
    planned.scenarios = active_scenarios(set, options.plan);
    for (const auto& row : plan.requirements) {
      if (row.set == set.id) planned.rows.push_back(row);
    }
  }
  return sets;
}

std::vector<std::string> builtin_ids() {
  std::vector<std::string> ids;
  for (const auto& set : builtin_sets()) ids.emplace_back(set.id);
  return ids;
}

// Ends what checks left behind on the loop: a listener that waits for a packet which no longer
// matters would otherwise be destroyed after the clock and the resolver that it knows.
void drain(asio::io_context& loop, StopSignal& stop) {
  stop.stop();
  loop.restart();
  for (int i = 0; i < 1000 && loop.poll() > 0; ++i) {
  }
}

// What is more than a normal run says beforehand how much it sends, and where.
void announce(const SessionOptions& options, const Plan& plan) {
  if (!options.announce) return;
  const bool all = options.plan.all, thorough = options.settings.thorough;
  if (!all && !thorough) return;
  const auto size = size_of(plan, options.runner.pace, thorough);
  const auto option = all && thorough ? "--all --thorough" : all ? "--all" : "--thorough";
  fmt::print(stderr, "callready: {}\n", announcement(size, option));
}

// Before the plan is final: which proxies lead to what it would probe.
ProxyDiscovery find_proxies(const SessionOptions& options, const Plan& plan,
                            checks::Context& context, asio::io_context& loop) {
  ProxyDiscovery found;
  if (options.proxy.kind == ProxyWish::Kind::none) return found;
  const auto variables = [](const std::string& name) {
    return platform::environment(name.c_str());
  };
  asio::co_spawn(loop,
                 discover_proxies(context, options.proxy, plan, variables, platform::own_program()),
                 [&](std::exception_ptr error, ProxyDiscovery result) {
                   if (error) std::rethrow_exception(error);
                   found = std::move(result);
                   loop.stop();
                 });
  loop.run();
  loop.restart();
  return found;
}

// The plan, and what its results leave in doubt, within the same deadline and manners.
asio::awaitable<void> make_rounds(const SessionOptions& options, Plan& plan,
                                  checks::Context& context, const ProgressCallback& progress,
                                  Report& report, bool& first_is_done) {
  auto runner = options.runner;
  const auto sets = planned_sets(options, plan);
  std::size_t asked = 0;
  runner.further = [&](std::vector<ProbeResult>& so_far) {
    report.probes.swap(so_far);
    report.sets = rows_as_seen(sets, report);
    auto probes = follow_ups(report);
    report.probes.swap(so_far);
    if (probes.size() > most_follow_ups - asked) probes.resize(most_follow_ups - asked);
    asked += probes.size();
    return probes;
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

std::string day_of(WallTime time) {
  return fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

milliseconds time_for(const Plan& plan, const SessionOptions& options) {
  auto timeout = options.timeout;
  // Unless the user has said how long.
  if (options.settings.thorough && timeout == timeouts::run) timeout = timeouts::thorough;
  // A window begins when the last of the one before has been given up.
  const auto window = options.runner.pace.window + timeouts::tcp_connect;
  return timeout + windows_of(plan, options.runner.pace) * window;
}

boost::system::result<Report, std::string> run_session(const SessionOptions& options) {
  auto tls = TlsContext::create(options.ca_files);
  if (tls.has_error()) return tls.error();
  StopSignal stop;  // outlives the loop, which may still hold coroutines that know it
  asio::io_context loop(1);
  AresOptions dns_options;
  dns_options.servers = options.dns_servers;
  dns_options.use_hosts_file = options.dns_servers.empty();
  auto channel = AresChannel::create(loop.get_executor(), dns_options);
  if (channel.has_error()) return "name servers: " + channel.error();
  Resolver resolver(loop.get_executor(), *channel);
  SystemClock clock(loop.get_executor());
  clock.watch_lateness();

  std::vector<const TargetSet*> sets;
  for (const auto& set : options.sets) sets.push_back(&set);
  auto plan_options = options.plan;
  if (options.service_tags) plan_options.service_tags = &*options.service_tags;
  auto plan = make_plan(sets, plan_options);
  auto settings = options.settings;

  Report report;
  report.tool.version = CALLREADY_VERSION;
  report.started_at = clock.wall_now();
  report.site = describe_site(options, loop, **channel);
  const auto start = clock.now();
  bool finished = false, first_is_done = false;
  asio::signal_set signals(loop, SIGINT, SIGTERM);
  signals.async_wait([&](error_code error, int) {
    if (error || finished) return;
    report.complete = false;
    report.notes.emplace_back("The run was interrupted: what was not measured by then is missing.");
    stop.stop();
    signals.clear();  // a second Ctrl-C ends the program at once
  });
  platform::release_interrupts();  // main() holds them
  SiteEdge edge(loop.get_executor());
  checks::Context context{
      loop.get_executor(), Scope{clock, stop}, start, resolver, **tls, edge, settings};
  const auto proxies = find_proxies(options, plan, context, loop);
  if (proxies.proxy_for) {
    plan_options.proxy_for = proxies.proxy_for;
    plan = make_plan(sets, plan_options);
    report.site.proxy = proxies.main_proxy;
  }
  if (settings.credentials.proxy_user.empty()) {
    settings.credentials.proxy_user = proxies.user;
    settings.credentials.proxy_password = proxies.password;
  }
  report.site.own_hosts = own_hosts(plan, options.sets, options.plan.variables, builtin_ids());
  report.notes.insert(report.notes.end(), plan.notes.begin(), plan.notes.end());
  report.notes.insert(report.notes.end(), proxies.notes.begin(), proxies.notes.end());

  context.deadline = clock.now() + time_for(plan, options);
  const auto timer = clock.call_at(context.deadline, [&] {
    if (finished) return;
    // Of a second round's questions each that was answered helps, and none is missed.
    if (!first_is_done) {
      report.complete = false;
      report.notes.emplace_back("The time was up before all probes had ended (--timeout).");
    }
    stop.stop();
  });

  bool listened_to = true;
  const auto nobody_listens = [&] {
    listened_to = false;
    report.complete = false;
    report.notes.emplace_back("The run was stopped: its events had no reader any more.");
    stop.stop();
  };
  auto told = options;
  told.runner.in_flight = probes_at_a_time(options.runner.in_flight, platform::descriptors());
  std::size_t ended = 0;
  const auto planned = plan.probes.size();
  if (options.on_probe) {
    told.runner.on_result = [&](const ProbeResult& result) {
      ++ended;
      if (!listened_to) return;
      const auto total = std::max(ended, planned);
      if (!options.on_probe(result, ended, total)) nobody_listens();
    };
  }
  if (options.on_start && !options.on_start(report, plan.probes.size())) nobody_listens();

  announce(options, plan);
  Progress progress(clock, options.show_progress, options.terminal_width,
                    elapsed(start, context.deadline));
  const ProgressCallback on_progress = [&](std::size_t done, std::size_t total) {
    progress.update(done, total);
  };
  asio::co_spawn(loop, make_rounds(told, plan, context, on_progress, report, first_is_done),
                 [&](std::exception_ptr error) {
                   if (error) std::rethrow_exception(error);
                   finished = true;
                   loop.stop();
                 });
  const auto begin = clock.now();
  loop.run();
  report.loop_stall = clock.loop_stall_since(begin);
  progress.clear();
  drain(loop, stop);

  if (proxies.pac) {
    report.probes.push_back(*proxies.pac);
    if (options.on_probe) options.on_probe(*proxies.pac, ended + 1, report.probes.size());
  }
  const auto no_ipv6 = note_of_missing_ipv6(report.probes);
  if (no_ipv6) report.notes.push_back(*no_ipv6);
  const auto shortage = note_of_shortage(report.probes, platform::descriptors());
  if (shortage) report.notes.push_back(*shortage);
  report.finished_at = clock.wall_now();
  report.duration = elapsed(start, clock.now());
  const auto lateness = note_of_lateness(*report.loop_stall, report.duration);
  if (lateness) report.notes.push_back(*lateness);
  report.site.public_addresses = public_addresses(report.probes);
  describe_nat(report.site, report.probes);
  report.site.ways = ways_of(report.probes, platform::interfaces());
  if (const auto prefix = nat64_prefix_of(report.probes)) {
    report.notes.push_back(fmt::format(
        "This network reaches IPv4 from IPv6 by NAT64 (prefix {}, as its DNS64 shows).", *prefix));
  }
  diagnose(planned_sets(options, plan), day_of(report.finished_at), report);
  return report;
}

}  // namespace callready
