#include "tests/every_report/uses.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "probe/diagnosis/compare/compare.hpp"
#include "probe/diagnosis/compare/merge.hpp"
#include "probe/util/utf8.hpp"
#include "reports/diff.hpp"
#include "reports/firewall/firewall.hpp"
#include "reports/format.hpp"
#include "reports/json/events.hpp"
#include "reports/json/reader.hpp"
#include "reports/monitoring/exporter_index.hpp"
#include "reports/monitoring/otlp.hpp"
#include "reports/privacy/redact.hpp"
#include "tests/every_report/well_formed.hpp"

namespace callready::every_report {
namespace {

// As many of them as a report is put to where not all are wanted.
constexpr std::uint64_t few = 2;

class Uses {
 public:
  explicit Uses(const Case& given) : case_(given) {}

  std::vector<std::string> faults() {
    const auto read = as_a_file(case_.report, "the report");
    if (!read) return std::move(faults_);
    using Use = void (Uses::*)(const Report& read);
    std::vector<std::pair<Use, const Format*>> uses;
    for (const Use use : {&Uses::redacted, &Uses::events, &Uses::sent, &Uses::merged,
                          &Uses::compared, &Uses::continued, &Uses::anew, &Uses::missing}) {
      uses.emplace_back(use, nullptr);
    }
    for (const auto& format : formats()) uses.emplace_back(nullptr, &format);
    for (std::uint64_t i = 0; i < uses.size(); ++i) {
      if (case_.some &&
          (i + uses.size() - (*case_.some * few) % uses.size()) % uses.size() >= few) {
        continue;
      }
      const auto [use, format] = uses[i];
      if (format == nullptr) {
        (this->*use)(*read);
      } else {
        in_format(*format, case_.report, &*read, "");
      }
    }
    return std::move(faults_);
  }

 private:
  void fault(std::string text) { faults_.push_back(std::move(text)); }

  // Changes from report to report, so that all of them are seen.
  RenderOptions options() const {
    const auto turn = case_.some.value_or(0);
    RenderOptions options;
    options.unicode = turn % 2 == 0;
    options.verbose = turn % 3 == 0;
    options.quiet = turn % 7 == 1;
    options.on_screen = turn % 5 == 0;
    options.width = static_cast<int>(turn % 4) * 40;
    return options;
  }

  // Written, read and written again.
  std::optional<Report> as_a_file(const Report& report, std::string_view what) {
    const auto json = render_json(report, {});
    auto read = read_report(json, "report.json");
    if (!read.report) {
      fault(fmt::format("{} as JSON is not read back: {}", what, read.error));
      return std::nullopt;
    }
    for (const auto& unknown : read.unknown) {
      fault(fmt::format("{} as JSON: \"{}\" is not read back", what, unknown));
    }
    if (render_json(*read.report, {}) != json) {
      fault(fmt::format("{} is another one after it was written as JSON and read back", what));
    }
    return std::move(read.report);
  }

  void in_format(const Format& format, const Report& report, const Report* read,
                 std::string_view what) {
    const auto ours = options();
    const auto text = format.render(report, ours);
    if (const auto bad = fault_in(format.name, text); !bad.empty()) {
      fault(fmt::format("{}{}: {}", what, format.name, bad));
    }
    if (format.name == "text" && !ours.unicode && !is_ascii(text)) {
      fault(fmt::format("{}text: more than ASCII", what));
    }
    if (read != nullptr && case_.exact && format.render(*read, ours) != text) {
      fault(fmt::format("{}{}: says something else once the report was read back", what,
                        format.name));
    }
  }

  // In every format and as a file, or in one of these.
  void in_formats(const Report& report, std::string_view what) {
    const auto all = formats();
    const auto before = fmt::format("{}, ", what);
    const auto turn =
        case_.some ? std::optional(*case_.some / few % (all.size() + 1)) : std::nullopt;
    if (!turn || *turn == all.size()) (void)as_a_file(report, what);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!turn || *turn == i) in_format(all[i], report, nullptr, before);
    }
  }

  Redactor redactor() const {
    PublicNames names;
    for (const auto& set : case_.report.sets) {
      names.sets.insert(set.id);
      for (const auto& row : set.requirements) {
        for (const auto& rule : row.rules) {
          for (const auto& peer : rule.peers) {
            if (peer.kind == PeerKind::name) names.hosts.insert(peer.text);
          }
        }
      }
    }
    const auto digest = [](std::string_view message) {
      std::array<std::uint8_t, 32> bytes{};
      std::uint64_t hash = 14695981039346656037U;  // FNV-1a: here nobody has to be kept out
      for (const char c : message) hash = (hash ^ static_cast<std::uint8_t>(c)) * 1099511628211U;
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::uint8_t>(hash >> (8 * (i % 8)));
      }
      return bytes;
    };
    return {digest, std::move(names), {"jdupont"}};
  }

  void redacted(const Report&) {
    const auto& real = case_.report;
    auto ours = redactor();
    const auto hidden = ours.report(real);
    in_formats(hidden, "redacted");
    if (exit_status(hidden) != exit_status(real)) fault("redacted: another exit status");
    if (!real.redacted.empty()) return;
    const auto json = render_json(hidden, {});
    if (render_json(redactor().report(hidden), {}) != json) fault("redacted: and changed again");
    std::vector<IpAddress> own = real.site.public_addresses;
    for (const auto& interface : real.site.interfaces) {
      own.insert(own.end(), interface.addresses.begin(), interface.addresses.end());
    }
    for (const auto& address : own) {
      if (address.is_loopback() || address.is_unspecified() || address.is_multicast()) continue;
      if (has_word(json, address.to_string())) {
        fault(fmt::format("redacted: shows {}", address.to_string()));
      }
    }
  }

  void line_of_json(std::string_view what, const std::string& line) {
    if (std::count(line.begin(), line.end(), '\n') != 1)
      fault(fmt::format("{}: not one line", what));
    if (const auto bad = fault_in("json", line); !bad.empty())
      fault(fmt::format("{}: {}", what, bad));
  }

  void events(const Report&) {
    const auto& report = case_.report;
    line_of_json("event started", event_started(report, {"set-0"}, report.probes.size()));
    for (const auto& probe : report.probes) line_of_json("event probe", event_probe(probe, 1, 2));
    for (const auto& set : report.sets) line_of_json("event set", event_set(set));
    for (const auto& finding : report.findings)
      line_of_json("event finding", event_finding(finding));
    line_of_json("event finished", event_finished(report));
    auto ours = redactor();
    for (const auto& probe : report.probes) {
      ours.learn(probe);
      line_of_json("event probe, redacted", event_probe(ours.probe(probe), 1, 2));
    }
  }

  void sent(const Report&) {
    for (const auto& text : {otlp_logs(case_.report), otlp_metrics(case_.report)}) {
      if (const auto bad = fault_in("json", text + "\n"); !bad.empty()) fault("otlp: " + bad);
    }
    std::vector<IndexRow> rows;
    for (const auto& set : case_.report.sets) {
      rows.push_back({set.id, set.title, case_.report.finished_at, false, set.edition});
    }
    const auto page = exporter_index(case_.report.site.name, case_.report.site.host, rows);
    if (const auto bad = fault_in("html", page); !bad.empty()) fault("exporter's page: " + bad);
  }

  void merged(const Report&) {
    const auto made = merge({{"here", case_.report}, {"there", case_.other}}, "");
    if (!made.errors.empty()) return;
    in_formats(made.report, "merged");
    if (parts_of(made.report).size() < 2) fault("merged: is not of two parts");
  }

  void compared(const Report&) {
    const auto changes = compare(case_.other, "old.json", case_.report, "new.json");
    if (const auto bad = fault_in("json", diff_json(changes)); !bad.empty()) fault("diff: " + bad);
    if (const auto bad = fault_in("text", diff_text(changes, options())); !bad.empty()) {
      fault("diff as text: " + bad);
    }
    const auto nothing = compare(case_.report, "a.json", case_.report, "b.json");
    if (case_.exact && nothing.worse()) fault("diff: worse than itself");
  }

  void continued(const Report&) {
    auto report = case_.report;
    continue_history(&case_.other, report);
    in_formats(report, "with a history");
    continue_history(nullptr, report);
    keep_history(case_.other.findings, report.findings);
  }

  void anew(const Report& read) {
    in_formats(diagnosed_anew(case_.report), "diagnosed anew");
    if (!case_.exact) return;
    if (render_json(diagnosed_anew(read), {}) != render_json(diagnosed_anew(case_.report), {})) {
      fault("diagnosed anew: says something else once the report was read back");
    }
  }

  // firewall --missing: the document as far as the report knows it.
  void missing(const Report&) {
    std::vector<FirewallList> lists;
    for (const auto& result : case_.report.sets) {
      TargetSet set;
      set.id = result.id;
      set.title = result.title;
      for (const auto& row : result.requirements) {
        for (const auto& rule : row.rules) set.requirements.push_back(document_row(row, rule));
      }
      FirewallOptions options;
      options.missing = &result;
      options.probes = case_.report.probes;
      options.findings = case_.report.findings;
      lists.push_back(firewall_rules(set, options));
      if (const auto own = set_of_report(result)) add_firewall_lists(lists, *own, options);
    }
    for (const auto& format : firewall_formats()) {
      const auto text = format.render(lists, {options()});
      const auto kind = format.name == "json" || format.name == "csv" ? format.name : "text";
      if (const auto bad = fault_in(kind, text); !bad.empty()) {
        fault(fmt::format("firewall --missing as {}: {}", format.name, bad));
      }
    }
    (void)left_to_the_customer(lists);
  }

  static Requirement document_row(const RequirementResult& result, const FirewallRule& rule) {
    Requirement row;
    row.id = result.id;
    row.title = result.title;
    row.severity = rule.severity;
    row.direction = rule.direction;
    row.check = CheckKind::tcp;
    if (rule.transport) row.transports = {*rule.transport};
    row.ports = rule.ports;
    row.source_ports = rule.source_ports;
    row.conditions = rule.conditions;
    for (const auto& peer : rule.peers) {
      if (const auto address = IpAddress::parse(peer.text)) {
        row.addresses.push_back({*address, peer.region, peer.lifecycle, peer.note});
      } else {
        row.hosts.push_back({peer.text, peer.region, peer.lifecycle, peer.note});
      }
    }
    return row;
  }

  const Case& case_;
  std::vector<std::string> faults_;
};

}  // namespace

std::vector<std::string> faults_of(const Case& given) { return Uses(given).faults(); }

}  // namespace callready::every_report
