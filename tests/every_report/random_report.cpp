#include "tests/every_report/random_report.hpp"

#include <array>
#include <limits>
#include <span>

#include "reports/json/media_fields.hpp"
#include "reports/words/finding_words.hpp"

namespace callready::every_report {
namespace {

// SplitMix64: the same numbers everywhere, which the standard's distributions do not promise.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    auto z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t bound) { return next() % bound; }
  int from(int least, int most) {
    return least + static_cast<int>(below(static_cast<std::size_t>(most - least) + 1));
  }
  bool chance(int percent) { return from(1, 100) <= percent; }
  const auto& pick(const auto& values) { return values[below(std::size(values))]; }
  template <typename Enum>
  Enum word() {
    return pick(words<Enum>()).value;
  }

 private:
  std::uint64_t state_;
};

constexpr std::array<std::string_view, 18> plain_words = {
    "calls",           "TURN over UDP",  "the site's firewall", "no answer", "left out",
    "web pages",       "media",          "a, b; and c",         "50 %",      "sign-in",
    "Signalling",      "two of 3 hosts", "Müller & Söhne",      "通话",      "see page 7",
    "it's \"quoted\"", "x < y > z",      "e.g. this."};

using namespace std::string_view_literals;
constexpr std::array hostile_words = {"\x1b[31mred\x1b[0m"sv,
                                      "\x9b"
                                      "2J"sv,
                                      "\xff\xfe"sv,
                                      "\xe2\x80\xae"
                                      "txt.exe"sv,
                                      "\xc2\x9b"sv,
                                      "<script>alert(1)</script>"sv,
                                      "\"><img src=x>"sv,
                                      "a\r\nSet-Cookie: b"sv,
                                      "line\nline"sv,
                                      "tab\tbed"sv,
                                      "nul\0nul"sv,
                                      "=cmd|' /C calc'!A0"sv,
                                      "%s%n{}{0}"sv,
                                      "]]>"sv,
                                      "-->"sv,
                                      "`code` [a](javascript:b) | c"sv,
                                      "\\\\server\\share"sv,
                                      "\xf0\x9f\x98"sv,
                                      "e\xcc\x81\xcc\x81"sv,
                                      "\xed\xa0\x80"sv,
                                      "&amp;#10;"sv,
                                      "\xef\xbb\xbf"sv,
                                      "-"sv,
                                      " "sv,
                                      ""sv,
                                      "{\"a\":"sv,
                                      "'"sv,
                                      "\x7f"sv,
                                      "a\\"sv,
                                      "${x} $(y)"sv};

constexpr std::array<std::string_view, 10> hosts = {
    "turn.example.com",
    "web.example.com",
    "stun-1.example.com",
    "192.0.2.7",
    "2001:db8::7",
    "sip.example.net",
    "pbx",
    "münchen.example",
    "198.51.100.9",
    "a-name-that-is-longer-than-most-of-them.and-so-are-its-domains.example.org"};

constexpr std::array<std::string_view, 8> addresses = {"192.0.2.7", "10.20.0.15",     "2001:db8::7",
                                                       "fe80::1",   "203.0.113.5",    "100.64.1.1",
                                                       "0.0.0.0",   "::ffff:10.0.0.1"};

// Of a time in milliseconds, a share in percent, a count.
constexpr std::array<double, 14> numbers = {0,    0.001, 0.4,   1.5,     9.95,   37.25,     99.999,
                                            100., 250.5, 999.5, 12345.6, 59'950, 3'600'000, 1e13};

constexpr std::array<std::string_view, 11> parameters = {
    "path",   "server_name", "again",     "domain", "name",  "type",
    "server", "body",        "transport", "turn",   "number"};

class Drawing {
 public:
  explicit Drawing(std::uint64_t seed)
      : random_(seed),
        hostile_(is_hostile(seed)),
        many_(random_.chance(2)    ? 6
              : random_.chance(20) ? 2
                                   : 1) {}

  Report report() {
    Report report;
    report.tool = {"callready", maybe(90) ? "0.1.0" : text()};
    report.started_at = moment();
    report.finished_at =
        maybe(95) ? report.started_at + std::chrono::milliseconds(random_.from(0, 90'000))
                  : moment();
    report.duration = Milliseconds(number());
    if (maybe(30)) report.loop_stall = Milliseconds(number());
    if (maybe(30)) {
      report.longest_wait =
          LongestWait{Milliseconds(number()), random_.word<CheckKind>(), maybe(50)};
    }
    report.complete = maybe(85);
    report.site = site();
    report.probes = list<ProbeResult>(4, [&] { return probe(); });
    for (const auto& result : report.probes) probes_.push_back(result.probe.id);
    report.sets = list<SetResult>(1, [&] { return set(sets_++); });
    report.findings = list<Finding>(2, [&] { return finding(report); });
    report.notes = sentences(1);
    if (maybe(5)) report.redacted = "hmac-sha256:00112233";
    if (maybe(6)) {
      report.vantages = list<VantageReport>(2, [&] { return vantage(report); });
      for (auto& result : report.probes) {
        if (!report.vantages.empty()) result.probe.vantage = random_.pick(report.vantages).name;
      }
    }
    if (maybe(10)) report.part = texts(1);
    return report;
  }

  // Another outcome for most of what was tried.
  void fare_otherwise(Report& report) {
    for (auto& result : report.probes) {
      if (maybe(60)) result.observation = observation();
    }
    for (auto& set : report.sets) {
      for (auto& row : set.requirements) {
        if (maybe(40)) row.status = random_.word<Status>();
      }
      for (auto& capability : set.capabilities) {
        if (maybe(40)) capability.verdict = random_.word<Verdict>();
      }
      if (maybe(40)) set.verdict = random_.word<Verdict>();
    }
    if (maybe(50) && !report.findings.empty()) report.findings.pop_back();
    if (maybe(50)) report.findings.push_back(finding(report));
    if (maybe(50)) report.site = site();
    report.started_at += std::chrono::minutes(random_.from(-5, 500));
    report.finished_at = report.started_at + std::chrono::seconds(9);
    report.vantages.clear();
  }

 private:
  bool maybe(int percent) { return random_.chance(percent); }

  // Mostly few, often none, seldom many.
  std::size_t count(std::size_t usual) {
    if (maybe(25)) return 0;
    if (maybe(1)) return random_.below(usual * 6 * many_ + 2);
    return random_.below(usual * many_ + 1);
  }
  template <typename Item, typename Make>
  std::vector<Item> list(std::size_t usual, Make make) {
    std::vector<Item> items;
    for (auto left = count(usual); left > 0; --left) items.push_back(make());
    return items;
  }

  std::string text() {
    if (maybe(5)) return "";
    std::string out(hostile_ && maybe(40) ? random_.pick(hostile_words)
                                          : random_.pick(plain_words));
    while (maybe(25)) {
      out += ' ';
      out += hostile_ && maybe(30) ? random_.pick(hostile_words) : random_.pick(plain_words);
      if (maybe(10)) out += std::string(" at ") + std::string(random_.pick(hosts)) + ".";
    }
    if (maybe(1)) out += std::string(random_.below(3'000), maybe(50) ? 'x' : ' ');
    return out;
  }
  std::vector<std::string> texts(std::size_t usual) {
    return list<std::string>(usual, [&] { return text(); });
  }
  // Some as templates with arguments.
  Text sentence() {
    if (maybe(50)) return text();
    Text made = plural(random_.below(3), "{0} row of {1}", "{0} rows of {1}", text());
    while (maybe(30)) made = phrase("{} and {}", made, text()) + text();
    return made;
  }
  std::vector<Text> sentences(std::size_t usual) {
    return list<Text>(usual, [&] { return sentence(); });
  }
  std::string id(std::string_view prefix, std::size_t number) {
    if (hostile_ && maybe(10)) return text();
    return std::string(prefix) + '-' + std::to_string(number);
  }
  std::string host() {
    if (hostile_ && maybe(10)) return text();
    return std::string(random_.pick(hosts));
  }
  IpAddress address() {
    if (maybe(60)) return IpAddress::parse(random_.pick(addresses)).value();
    const auto bits = random_.next();
    const auto byte = [&](int i) { return static_cast<std::uint8_t>(bits >> (8 * i)); };
    if (maybe(70)) return IpAddress::v4({byte(0), byte(1), byte(2), byte(3)});
    return IpAddress::v6(
        {0x20, 1, byte(0), byte(1), 0, 0, byte(2), 0, 0, 0, 0, 0, 0, byte(3), byte(4), byte(5)});
  }
  double number() {
    if (hostile_ && maybe(5)) return random_.pick(odd_numbers);
    if (maybe(40)) return random_.pick(numbers);
    return static_cast<double>(random_.from(0, 400'000)) / 1000;
  }
  WallTime moment() {
    // 1970 to 2099.
    return WallTime(std::chrono::milliseconds(random_.next() % 4'070'908'800'000));
  }
  std::optional<Standing> standing() {
    if (maybe(60)) return std::nullopt;
    return Standing{moment(), maybe(50) ? 1 : random_.from(1, 900), maybe(50)};
  }
  std::uint16_t port() {
    constexpr std::array<std::uint16_t, 6> usual = {443, 3478, 5060, 53, 1, 65535};
    return maybe(80) ? random_.pick(usual) : static_cast<std::uint16_t>(random_.from(1, 65535));
  }
  PortRange ports() {
    const auto first = port();
    if (maybe(70)) return {first, first};
    return {first, static_cast<std::uint16_t>(random_.from(first, 65535))};
  }

  Site site() {
    Site site;
    if (maybe(60)) site.name = text();
    if (maybe(60)) site.host = host();
    site.interfaces = list<InterfaceInfo>(1, [&] {
      return InterfaceInfo{maybe(80) ? "eth0" : text(),
                           list<IpAddress>(1, [&] { return address(); }), maybe(60), maybe(20)};
    });
    site.ways = list<EgressPath>(1, [&] {
      EgressPath way{maybe(80) ? "eth0" : text(), {}, maybe(20), maybe(60), {}};
      if (maybe(60)) way.gateway = address();
      way.hosts = list<std::string>(1, [&] { return host(); });
      return way;
    });
    site.resolvers = list<std::string>(1, [&] { return address().to_string(); });
    if (maybe(30)) site.proxy = "http://" + host() + ":3128";
    site.public_addresses = list<IpAddress>(1, [&] { return address(); });
    for (const auto member :
         {&Site::nat_mapping, &Site::nat_filtering, &Site::nat_port_preservation,
          &Site::nat_hairpin, &Site::nat_translations, &Site::nat_binding_lifetime}) {
      constexpr std::array<std::string_view, 8> known = {"endpoint_independent",
                                                         "address_dependent",
                                                         "not_measured",
                                                         "none",
                                                         "carrier",
                                                         ">180",
                                                         "20-30",
                                                         "<10"};
      if (maybe(40)) site.*member = std::string(random_.pick(known));
    }
    if (maybe(40)) site.vantage = random_.word<Vantage>();
    site.own_hosts = list<std::string>(1, [&] { return host(); });
    site.agents = list<AgentInfo>(1, [&] {
      return AgentInfo{maybe(80) ? "Cloudflare WARP" : text(),
                       maybe(80) ? "process warp-svc" : text()};
    });
    site.browser_policies = list<BrowserPolicy>(1, [&] {
      return BrowserPolicy{text(), maybe(50) ? "WebRtcIPHandling" : text(),
                           maybe(50) ? "disable_non_proxied_udp" : text(), text(), maybe(30)};
    });
    site.unread_policies = texts(1);
    return site;
  }

  Detail detail() {
    if (maybe(20)) return Detail::status(random_.from(100, 699));
    return random_.word<DetailCode>();
  }
  EvidenceValue fact(Fact name) {
    const auto word = to_string(name);
    if (word.ends_with("_ms") || word.ends_with("_s") || word.ends_with("_percent"))
      return number();
    switch (random_.below(8)) {
      case 0:
        return std::int64_t{random_.from(0, 70'000)};
      case 1:
        return maybe(50);
      case 2:
        return number();
      case 3:
        return address().to_string();
      case 4:
        return host();
      case 5:
        return detail().text();
      default:
        return text();
    }
  }
  Evidence evidence() {
    Evidence made{random_.word<EvidenceKind>(), text(), {}};
    for (auto left = count(3); left > 0; --left) {
      const auto name = random_.word<Fact>();
      made.facts.emplace(name, fact(name));
    }
    return made;
  }

  // Draws each member of a stream.
  struct Filler {
    Drawing& draw;

    void operator()(const char*, std::string& value) const {
      value = draw.maybe(80) ? "opus" : draw.text();
    }
    void operator()(const char*, int& value) const {
      value = draw.random_.from(0, draw.maybe(20) ? 60'000 : 60);
    }
    void operator()(const char*, bool& value) const { value = draw.maybe(50); }
    void operator()(const char*, double& value) const {
      do value = draw.number();
      while (value - value != 0);  // a stream's figures are finite
    }
    template <typename Struct>
    void operator()(const char*, Struct& value) const {
      fields(value, *this);
    }
    void operator()(const char*, IpAddress& value) const { value = draw.address(); }
    void operator()(const char*, CallLimit& value) const { value = draw.random_.word<CallLimit>(); }
    void operator()(const char*, MediaWay& value) const { value = draw.random_.word<MediaWay>(); }
    template <typename Struct>
    void operator()(const char*, std::vector<Struct>& values) const {
      values = draw.list<Struct>(2, [&] {
        Struct value;
        fields(value, *this);
        return value;
      });
    }
    void operator()(const char*, std::vector<int>& values) const {
      if (draw.maybe(30)) return;
      values.resize(later_ms.size() + 1);
      for (auto& value : values) value = draw.random_.from(0, 500);
    }
    template <typename T>
    void operator()(const char* name, std::optional<T>& value) const {
      if (draw.maybe(35)) return;
      value.emplace();
      (*this)(name, *value);
    }
  };

  Observation observation() {
    Observation seen;
    seen.outcome = random_.word<Outcome>();
    seen.detail = detail();
    if (maybe(60)) seen.address = address();
    if (maybe(40)) seen.local = SocketAddress{address(), port()};
    if (maybe(40)) seen.sent_at = moment();
    if (maybe(60)) seen.round_trip = Milliseconds(number());
    for (const auto& timing : words<Timing>()) {
      if (maybe(25)) seen.timing_ms[timing.value] = number();
    }
    seen.attempts = random_.from(0, 4);
    seen.evidence = list<Evidence>(2, [&] { return evidence(); });
    if (maybe(12)) {
      MediaStream stream;
      fields(stream, Filler{*this});
      seen.media = stream;
    }
    return seen;
  }

  ProbeResult probe() {
    ProbeResult result;
    auto& probe = result.probe;
    probe.check = random_.word<CheckKind>();
    auto& target = probe.target;
    if (maybe(92)) target.host = host();
    if (!target.host.empty()) target.ports = ports();
    if (!target.ports.single()) {
      for (auto left = count(2); left > 0; --left) {
        target.sample.push_back(
            static_cast<std::uint16_t>(random_.from(target.ports.first, target.ports.last)));
      }
    }
    target.transport = random_.word<Transport>();
    if (maybe(15)) target.route.proxy = "http://" + host() + ":3128";
    for (auto left = maybe(70) ? 0 : count(1); left > 0; --left) {
      probe.with[std::string(random_.pick(parameters))] = maybe(50) ? host() : text();
    }
    if (maybe(20)) probe.region = maybe(80) ? "emea" : text();
    if (maybe(20)) probe.purpose = random_.word<Purpose>();
    probe.id = hostile_ && maybe(10) ? text() : probe_id(probe);
    result.observation = observation();
    return result;
  }

  std::string a_probe() {
    return probes_.empty() || maybe(5) ? "tcp/tcp/nowhere.example:1" : random_.pick(probes_);
  }

  FirewallRule rule(const std::string& set) {
    FirewallRule rule;
    rule.set = set;
    for (const auto member :
         {&FirewallRule::requirements, &FirewallRule::titles, &FirewallRule::purposes,
          &FirewallRule::sources, &FirewallRule::clients, &FirewallRule::notes,
          &FirewallRule::conditions, &FirewallRule::fallback_for, &FirewallRule::remarks}) {
      if (maybe(50)) rule.*member = texts(1);
    }
    rule.severity = random_.word<Severity>();
    rule.direction = random_.word<Direction>();
    rule.lifecycle = random_.word<Lifecycle>();
    rule.allow_by = random_.word<AllowBy>();
    rule.proxy = random_.word<ProxyUse>();
    if (maybe(30)) rule.vantages = {random_.word<Vantage>()};
    if (maybe(85)) {
      rule.transport = random_.word<Transport>();
    } else if (maybe(50)) {
      rule.your_transport = "yours: " + text();
    }
    if (maybe(20)) rule.source_ports = list<PortRange>(1, [&] { return ports(); });
    rule.ports = list<PortRange>(1, [&] { return ports(); });
    if (maybe(10)) rule.your_ports = {"yours: " + text()};
    rule.peers = list<RulePeer>(2, [&] {
      return RulePeer{maybe(80) ? host() : text(), random_.word<PeerKind>(),
                      maybe(20) ? text() : "", maybe(20) ? text() : "", random_.word<Lifecycle>()};
    });
    return rule;
  }

  RequirementResult row(const std::string& set, std::size_t number) {
    RequirementResult row;
    row.id = id("row", number);
    row.title = text();
    row.source = text();
    row.severity = random_.word<Severity>();
    row.status = random_.word<Status>();
    row.summary = sentence();
    row.left_out = maybe(10) || row.summary.find("left out") != std::string::npos;
    if (maybe(20)) row.sampled = "4 of 158 hosts";
    row.total = random_.from(0, 9);
    row.reached = random_.from(0, row.total);
    row.probes = list<std::string>(1, [&] { return a_probe(); });
    row.elsewhere = maybe(10);
    row.poor = maybe(10);
    if (maybe(20)) {
      row.missed = list<MissedFigure>(1, [&] {
        MissedFigure missed{
            random_.word<QualityFigure>(), random_.word<MediaWay>(), 0, 0, 0, a_probe()};
        for (auto* figure : {&missed.measured, &missed.bound, &missed.wanted})
          Filler{*this}("", *figure);
        return missed;
      });
    }
    if (maybe(10)) row.closed_by = code();
    row.impaired = maybe(10);
    row.lost = maybe(10);
    row.rules = list<FirewallRule>(1, [&] { return rule(set); });
    if (maybe(30)) row.error_texts = texts(1);
    return row;
  }

  SetResult set(std::size_t number) {
    SetResult set;
    set.id = id("set", number);
    set.title = text();
    if (maybe(60)) set.edition = text();
    if (maybe(60)) set.verified = maybe(90) ? "2026-11-20" : text();
    if (maybe(60)) set.document = text();
    set.evidence = random_.word<SourceQuality>();
    if (maybe(20)) set.evidence_note = text();
    if (maybe(50)) set.sha256 = std::string(64, 'a');
    set.verdict = random_.word<Verdict>();
    set.notes = sentences(1);
    set.requirements =
        list<RequirementResult>(3, [&] { return row(set.id, set.requirements.size()); });
    for (std::size_t i = 0; i < set.requirements.size(); ++i) {
      if (!hostile_) set.requirements[i].id = "row-" + std::to_string(i);
    }
    set.capabilities = list<CapabilityResult>(2, [&] { return capability(set); });
    for (std::size_t i = 0; i < set.capabilities.size(); ++i) {
      if (!hostile_) set.capabilities[i].id = "can-" + std::to_string(i);
    }
    set.advice = list<SetAdvice>(1, [&] { return SetAdvice{text(), text(), text()}; });
    set.standing = standing();
    return set;
  }

  std::string a_row(const SetResult& set) {
    return set.requirements.empty() || maybe(3) ? "row-none" : random_.pick(set.requirements).id;
  }

  CapabilityResult capability(const SetResult& set) {
    CapabilityResult made;
    made.id = id("can", 0);
    made.title = text();
    made.verdict = random_.word<Verdict>();
    made.summary = text();
    made.requirements = list<std::string>(1, [&] { return a_row(set); });
    made.needs = list<Need>(1, [&] {
      Need need;
      need.alternatives = list<std::vector<std::string>>(
          1, [&] { return list<std::string>(1, [&] { return a_row(set); }); });
      need.equal = maybe(30);
      if (!need.equal) need.preferred = static_cast<std::size_t>(random_.from(1, 3));
      return need;
    });
    made.standing = standing();
    return made;
  }

  FindingCode code() { return random_.word<FindingCode>(); }

  Finding finding(const Report& report) {
    Finding made;
    made.code = code();
    made.title = text();
    made.confidence = random_.word<Confidence>();
    made.owner = random_.word<Owner>();
    made.fix = text();
    for (const auto& set : report.sets) {
      if (maybe(30)) continue;
      FindingAffects affects{maybe(95) ? set.id : "set-none", {}};
      for (const auto& capability : set.capabilities) {
        if (maybe(50)) affects.capabilities.push_back(capability.id);
      }
      made.affects.push_back(affects);
      for (const auto& row : set.requirements) {
        if (maybe(30)) made.explains.push_back(set.id + '/' + row.id);
        if (maybe(20)) made.rules.insert(made.rules.end(), row.rules.begin(), row.rules.end());
      }
    }
    if (maybe(5)) made.explains.emplace_back("set-none/row-none");
    made.evidence = list<FindingEvidence>(1, [&] {
      return FindingEvidence{maybe(70) ? a_probe() : "", text()};
    });
    if (maybe(20)) made.runner_up = RunnerUp{text(), text()};
    if (maybe(10)) made.seen_from = texts(1);
    made.standing = standing();
    return made;
  }

  VantageReport vantage(const Report& report) {
    VantageReport made;
    made.name = text();
    made.tool = report.tool;
    made.started_at = moment();
    made.finished_at = moment();
    made.duration = Milliseconds(number());
    made.complete = maybe(90);
    made.site = site();
    made.sets = report.sets;
    made.findings = report.findings;
    made.notes = sentences(1);
    return made;
  }

  static constexpr std::array<double, 6> odd_numbers = {-1,
                                                        -0.0,
                                                        1e300,
                                                        std::numeric_limits<double>::infinity(),
                                                        std::numeric_limits<double>::quiet_NaN(),
                                                        1e-300};

  Random random_;
  bool hostile_;
  std::size_t many_, sets_ = 0;
  std::vector<std::string> probes_;
};

}  // namespace

bool is_hostile(std::uint64_t seed) { return seed % 4 == 3; }

Report random_report(std::uint64_t seed) { return Drawing(seed).report(); }

Report sibling_of(const Report& report, std::uint64_t seed) {
  auto other = report;
  Drawing(seed).fare_otherwise(other);
  return other;
}

}  // namespace callready::every_report
