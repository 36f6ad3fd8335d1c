// What a check is: one function that sends, listens and returns what it saw. Each kind has one .cpp
// and one row in registry.cpp; see README.md for how to add one.
#pragma once

#include <map>
#include <set>
#include <string_view>

#include "probe/model/observation.hpp"
#include "probe/model/probe.hpp"
#include "probe/net/http.hpp"
#include "probe/net/resolver.hpp"
#include "probe/net/semaphore.hpp"
#include "probe/net/site_edge.hpp"
#include "probe/net/task_group.hpp"
#include "probe/net/tls.hpp"

namespace callready::checks {

struct Login {
  std::string user, password;
};

// Secrets, which never go into a report, a log or an argument list, and the hosts that they are
// for: nobody else gets them.
struct Credentials {
  std::string turn_user, turn_password;
  std::string turn_secret;  // for time-limited credentials (draft-uberti-behave-turn-rest)
  std::string media_key;    // of a STAMP reflector: signs packets, and is never sent
  std::vector<std::string> turn_hosts;  // the servers that get them
  std::string proxy_user, proxy_password;
  std::vector<std::string> proxy_hosts;  // "proxy.example.com", or with its port; as the user says
  // By URL (scheme, host, port): the proxies that we may log in to, also with Negotiate. The user
  // is empty if there is only the system's own login.
  std::map<std::string, Login> proxies;

  bool has_turn() const { return !turn_user.empty() || !turn_secret.empty(); }
};

// What the user chose, the same for all checks of a run.
struct Settings {
  std::string user_agent = "callready";  // "callready/1.2.3 (https://...)"
  std::string interface;                 // by name; empty: the system's choice
  bool thorough = false;                 // take the time that full evidence needs
  bool every_port = false;               // over TCP, do not skip a port because another passes
  bool quality = false;                  // make calls long enough to show how they sound
  int calls = 0;                         // that the line is to carry at once; 0: not tested
  bool hurried = false;                  // take only the time that a first look at the edge needs
  Credentials credentials;
};

// What is known about a proxy's login. Shared by all probes of a run: a wrong password is tried
// once with each scheme, not once per probe, because directories lock accounts for that.
struct ProxyLogin {
  bool trying = false, settled = false;
  ProxyAuth works = ProxyAuth::none;  // none: settled without success, or not needed
  std::optional<HttpReply> cut;       // what a login that got no answer came to
  std::vector<ProxyAuth> refused;     // the schemes that were tried without success
  std::vector<OneShot<bool>> waiting;
};

// Relays that a run holds at a time, over all its TURN servers. Some are reserved for the second
// one that a doubtful relay is tested with: otherwise all might hold a first and wait for a second.
inline constexpr int most_relays = 16, relays_kept_for_pairs = 4;

// What a run has asked about refusals (refuser.hpp): the first router outside answers only a few.
struct Refusals {
  int asked = 0;
  std::set<std::pair<Transport, std::uint16_t>> ports;  // that a device of the site refuses
};
// Waits until one more packet may go to that SIP server over that transport; false if the run is
// stopped first (docs/design.md: servers ban addresses that ask too much).
using SipManners = std::function<asio::awaitable<bool>(SocketAddress server, Transport transport)>;

// What a check works with. All of it outlives the check.
struct Context {
  asio::any_io_executor executor;
  Scope scope;
  Instant deadline;  // of the run; the stop signal comes then
  Resolver& resolver;
  TlsContext& tls;
  SiteEdge& edge;
  const Settings& settings;
  std::map<std::string, ProxyLogin> proxy_logins{};  // by the proxy's URL
  // An allocation needs a place in `relays`, a second one next to it a place in `pairs`.
  Semaphore relays{most_relays - relays_kept_for_pairs};
  Semaphore pairs{relays_kept_for_pairs};
  Refusals refusals{};
  std::set<std::string> asked_how_seen{};  // TURN servers asked for our address over TCP (turn.cpp)
  // Called before every SIP message except retransmissions and the first over UDP to the job's own
  // address, for which the runner calls it. Over TCP and TLS called once connected: until then
  // nothing is sent that a SIP server could mind. Empty: no limits but the check's own.
  SipManners sip_manners{};
  // Called by a long-running check (the SIP ALG test, nat, turn) once its server has answered, so
  // that others waiting only for that need not wait for the rest. May be empty.
  std::function<void(const Probe& probe)> first_reply{};
  // Tasks that may outlast the check that started them; the runner waits for all of them.
  TaskGroup background{executor};
};

// One probe to make. `address` is what the target's host resolved to, or, over a proxy, nothing.
struct Job {
  const Probe& probe;
  std::optional<IpAddress> address;
  // Other probes got no answer from its host: slow requests get less time (dial.hpp).
  bool doubtful = false;

  SocketAddress remote() const { return {address.value_or(IpAddress{}), probe.target.port()}; }
  // The value of a parameter of the check, or `fallback`.
  std::string parameter(const std::string& name, std::string fallback = {}) const;
};

// Never throws; every network failure is an outcome (probe/net/failure.hpp).
using Run = asio::awaitable<Observation> (*)(Context& context, Job job);

// A socket over the interface that the user chose; connected, unless the options say otherwise.
inline Result<UdpSocket> open_udp(const Context& context, const SocketAddress& remote,
                                  UdpSocket::Options options = {}) {
  options.interface = context.settings.interface;
  return UdpSocket::open(context.executor, remote, options);
}

// The observation of a check that begins now, at its job's address.
inline Observation begin_check(const Context& context, const Job& job) {
  Observation observation;
  observation.address = job.address;
  observation.sent_at = context.scope.clock.wall_now();
  return observation;
}

inline void set_outcome(Observation& observation, Outcome outcome, Detail detail) {
  observation.outcome = outcome;
  observation.detail = detail;
}

// `text` for people, `facts` the same for programs.
inline void add_evidence(Observation& observation, EvidenceKind kind, Text text, FactMap facts) {
  Evidence evidence;
  evidence.kind = kind;
  evidence.text = std::move(text);
  evidence.facts = std::move(facts);
  observation.evidence.push_back(std::move(evidence));
}

struct Parameter {
  std::string_view name, meaning;  // authors of sets read the meaning in registry.cpp
};

struct Check {
  CheckKind kind;          // as in target sets: "tls"
  std::string_view title;  // for people: "TLS handshake"
  Run run;
  std::vector<Transport> transports;
  std::vector<Parameter> parameters;
  bool needs_address = true;  // the runner resolves the host first and reports `unresolved` itself
  // A parameter whose value "true" reverses needs_address: with "srv" sip finds its servers itself,
  // with "server" dns asks the target itself.
  std::string_view reverses_address{};
  bool both_families = false;  // true: skipped in a run that leaves out IPv4 or IPv6
  // Run one at a time after all other probes, whose packets would distort what it measures.
  bool alone = false;
};

// Whether it runs after all other probes: `alone`, or a call whose quality is measured.
bool is_alone(const Check& check, const Probe& probe, const Settings& settings);

// Whether that probe's host is to be resolved before the check runs.
bool needs_address(const Check& check, const Probe& probe);

// All checks, in the order of the table.
std::span<const Check> registry();
const Check* find(CheckKind kind);

}  // namespace callready::checks
