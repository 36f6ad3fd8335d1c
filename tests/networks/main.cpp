// Random networks: `networks` runs ten thousand of them, says which properties do not hold, and
// shows the smallest network of each kind. See README.md.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <set>

#include "reports/format.hpp"
#include "reports/json/reader.hpp"
#include "tests/every_report/uses.hpp"
#include "tests/networks/compare.hpp"
#include "tests/networks/draw.hpp"
#include "tests/networks/properties.hpp"
#include "tests/networks/relations.hpp"
#include "tests/networks/text.hpp"

namespace callready::networks {
namespace {

struct Options {
  std::uint64_t count = 10'000, seed = std::random_device{}();
  bool unknown = false;    // show what was seen of what stays unknown
  bool relations = false;  // between runs
  std::uint64_t most = 0;  // contradictions that are known, see open.txt
  bool compare = false;    // rules and worlds
  bool uses = false;       // put their reports to every use that the program has
  std::uint64_t every = 1;
  bool show = false, observe = false;
  bool numbers_only = false;  // list numbers of networks, and shrink none
  std::string open;           // a file of kinds of violations that are known
  std::string kind;           // only kinds that begin with this
  std::vector<std::string> files;
};

Options read(int argc, char** argv) {
  Options options;
  const std::map<std::string_view, bool*> flags = {{"--relations", &options.relations},
                                                   {"--compare", &options.compare},
                                                   {"--uses", &options.uses},
                                                   {"--show", &options.show},
                                                   {"--observe", &options.observe},
                                                   {"--unknown", &options.unknown},
                                                   {"--no-shrink", &options.numbers_only}};
  const std::map<std::string_view, std::uint64_t*> numbers = {{"--count", &options.count},
                                                              {"--seed", &options.seed},
                                                              {"--most", &options.most},
                                                              {"--every", &options.every}};
  const std::map<std::string_view, std::string*> texts = {{"--open", &options.open},
                                                          {"--kind", &options.kind}};
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&] { return std::strtoull(i + 1 < argc ? argv[++i] : "0", nullptr, 10); };
    if (const auto flag = flags.find(word); flag != flags.end()) {
      *flag->second = true;
    } else if (const auto number = numbers.find(word); number != numbers.end()) {
      *number->second = value();
    } else if (const auto text = texts.find(word); text != texts.end() && i + 1 < argc) {
      *text->second = argv[++i];
    } else if (word == "--draw") {
      fmt::print("{}", to_text(draw(value())));
      std::exit(0);
    } else {
      options.files.push_back(word);
    }
  }
  options.every = std::max<std::uint64_t>(1, options.every);
  if (const auto* count = std::getenv("CALLREADY_NETWORKS")) {
    options.count = std::strtoull(count, nullptr, 10);
  }
  return options;
}

Judgement judge(const networks::Network& network) { return judge(network, run(network)); }

// On a line that loses packets anything may look like anything, now and then: "likely" stands for
// 95 %, "certain" for 99 %. True if, with other random losses, the same is not said more often.
bool by_chance(const networks::Network& network, const Violation& violation) {
  if (!network.loses_packets()) return false;
  const int chances = violation.certain ? 100 : 40;
  int left = violation.certain ? 1 : 2;
  auto other = network;
  for (int i = 1; i <= chances; ++i) {
    other.chance = network.chance + static_cast<std::uint64_t>(i) * 1'000'003;
    for (const auto& again : judge(other).violations) {
      if (again.kind == violation.kind && left-- == 0) return false;
    }
  }
  return true;
}

bool shows(const networks::Network& network, const std::string& kind) {
  return std::ranges::any_of(judge(network).violations, [&](const Violation& violation) {
    return violation.kind == kind && !by_chance(network, violation);
  });
}

void print(const Report& report) {
  for (const auto& set : report.sets) fmt::print("set {}: {}\n", set.id, to_string(set.verdict));
  fmt::print("{}", render_text(report, {.verbose = true}));
  for (const auto& finding : report.findings) {
    fmt::print("finding {} {}: {}\n", to_string(finding.code), to_string(finding.confidence),
               finding.title);
    for (const auto& row : finding.explains) fmt::print("    explains {}\n", row);
  }
  for (const auto& [probe, seen] : report.probes) {
    fmt::print("probe {}: {} {}\n", probe.id, to_string(seen.outcome), seen.detail.text());
    for (const auto& evidence : seen.evidence) {
      if (evidence.kind == EvidenceKind::hop) {
        fmt::print("    at {} {}\n", number_fact(evidence, Fact::ttl).value_or(0),
                   text_fact(evidence, Fact::by));
      }
      if (evidence.kind != EvidenceKind::udp_port) continue;
      fmt::print("    {} {} {}\n", number_fact(evidence, Fact::port).value_or(0),
                 text_fact(evidence, Fact::result), text_fact(evidence, Fact::by));
    }
  }
}

std::set<std::string> open_kinds(const std::string& path) {
  std::set<std::string> kinds;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') kinds.insert(line);
  }
  return kinds;
}

// For tests/site/networks_test.py.
void print_observations(const Report& report) {
  std::vector<std::string> rows;
  for (const auto& [probe, seen] : report.probes) {
    rows.push_back(fmt::format("\n{{\"id\": \"{}\", \"outcome\": \"{}\", \"detail\": \"{}\"}}",
                               probe.id, to_string(seen.outcome), seen.detail.text()));
  }
  fmt::print("[{}\n]\n", fmt::join(rows, ","));
}

double percent(std::uint64_t part, std::uint64_t whole) {
  return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

int random_networks(const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  NumbersByKind kinds, open_probes;
  std::map<std::string, std::uint64_t> unknown, named;
  Numbers unlucky, simpler, split;
  std::uint64_t bad = 0, capabilities = 0, beyond = 0;
  fmt::print("{} networks, --seed {}\n", options.count, options.seed);
  for (std::uint64_t i = 0; i < options.count; ++i) {
    const auto number = options.seed + i;
    const auto network = draw(number);
    if (parse(to_text(network)) != network) {
      throw std::runtime_error("a network is another one as text:\n" + to_text(network));
    }
    auto judgement = judge(network);
    const auto lucky = std::erase_if(judgement.violations, [&](const Violation& violation) {
      return by_chance(network, violation);
    });
    if (lucky > 0) unlucky.push_back(number);
    if (judgement.simpler > 0) simpler.push_back(number);
    if (judgement.more_names) split.push_back(number);
    capabilities += static_cast<std::uint64_t>(judgement.capabilities);
    beyond += static_cast<std::uint64_t>(judgement.beyond);
    for (const auto& though : judgement.unknown_though) ++unknown[though];
    for (const auto& seen : judgement.open_probes) open_probes[seen].push_back(number);
    for (const auto& finding : judgement.named) ++named[finding];
    if (!judgement.violations.empty()) ++bad;
    for (const auto& violation : judgement.violations) {
      if (!violation.kind.starts_with(options.kind)) continue;
      note(number, kinds[violation.kind]);
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  fmt::print("{:.1f} s, {:.0f} a second; {} networks with violations ({:.2f} %)\n", took.count(),
             static_cast<double>(options.count) / took.count(), bad, percent(bad, options.count));
  const auto list = [&](const Numbers& numbers, std::string_view what) {
    fmt::print("{} {}\n", numbers.size(), what);
    if (options.numbers_only) fmt::print("         {}\n", fmt::join(numbers, " "));
  };
  list(unlucky, "more on lines that lose packets, with no more of other chances than words allow");
  list(simpler, "more of which a simpler one looks the same, and what was said is true there");
  list(split, "have more firewall findings than boxes that they could name");
  const auto share = [&](std::string_view what, std::uint64_t count) {
    fmt::print("{}: {} of {} capabilities ({:.2f} %)\n", what, count, capabilities,
               percent(count, capabilities));
  };
  share("ready, and broken where no probe sees", beyond);
  for (const auto& [though, count] : unknown) share("unknown though " + though, count);
  fmt::print("named:");
  for (const auto& [finding, count] : named) fmt::print(" {} {};", finding, count);
  fmt::print("\n");
  if (options.unknown) {
    for (const auto& [seen, numbers] : open_probes) {
      fmt::print("{:7}  unknown though {}: {} ...\n", numbers.size(), seen, first_of(numbers));
    }
  }
  const auto open = open_kinds(options.open);
  std::uint64_t news = 0;
  const auto sorted = most_frequent_first(kinds);
  for (const auto& [kind, numbers] : sorted) {
    const bool is_new = !open.contains(kind);
    if (is_new) ++news;
    fmt::print("{:7}  {}{}\n", numbers.size(), kind, is_new && !open.empty() ? "  (new)" : "");
    if (options.numbers_only) fmt::print("         {}\n", fmt::join(numbers, " "));
  }
  for (const auto& [kind, numbers] : sorted) {
    if (options.numbers_only || open.contains(kind)) continue;
    const auto number = numbers.front();
    const auto smallest =
        shrink(draw(number), [&kind = kind](const auto& network) { return shows(network, kind); });
    fmt::print("\n# {} ({} times; number {})\n", kind, numbers.size(), number);
    for (const auto& violation : judge(smallest).violations) {
      fmt::print("# {}: {}\n", violation.kind, violation.what);
    }
    fmt::print("{}", to_text(smallest));
  }
  return news == 0 && 1000 * split.size() <= options.most * options.count ? 0 : 1;
}

// The same network gives the same verdicts, in whichever way it is asked.
int relations(const Options& options) {
  NumbersByKind broken, undecided;
  int sets = 0;
  for (std::uint64_t i = 0; i < options.count; ++i) {
    const auto number = options.seed + i;
    const auto network = draw(number);
    const auto found = compare_runs(network, run(network));
    sets += found.sets;
    for (const auto& [what, other] : found.broken) {
      broken[what].push_back(number);
      if (options.show) fmt::print("# {}: {}\n{}\n", number, what, to_text(other));
    }
    for (const auto& one : found.undecided) undecided[one].push_back(number);
  }
  fmt::print("{} networks, --seed {}: {} verdicts compared\n", options.count, options.seed, sets);
  const auto list = [](const NumbersByKind& kinds) {
    std::size_t count = 0;
    for (const auto& [kind, numbers] : kinds) {
      fmt::print("{:7}  {} ({} ...)\n", numbers.size(), kind, numbers.front());
      count += numbers.size();
    }
    return count;
  };
  const auto count = list(broken);
  fmt::print("{} contradict each other, {} may; ", count, options.most);
  fmt::print("decided in one of the two only:\n");
  list(undecided);
  return count <= options.most ? 0 : 1;
}

int compare_networks(const Options& options) {
  fmt::print("{} networks, --seed {}\n", options.count, options.seed);
  Comparison comparison;
  for (std::uint64_t i = 0; i < options.count; ++i) {
    const auto number = options.seed + i * options.every;
    if (options.show) {
      show_worlds(std::to_string(number), draw(number));
    } else {
      compare(number, draw(number), comparison);
    }
  }
  if (options.show) return 0;
  fmt::print("{}", in_words(comparison));
  return is_level(comparison) ? 0 : 1;
}

// Puts each report to a few uses in turn (tests/every_report), with figures as read from a file.
int use_reports(const Options& options) {
  const auto report_of = [](std::uint64_t number) {
    const auto network = draw(number);
    auto read = read_report(render_json(run(network), {}), "report.json");
    if (!read.report) throw std::runtime_error(fmt::format("number {}: {}", number, read.error));
    return std::move(*read.report);
  };
  std::uint64_t faults = 0;
  auto other = report_of(options.seed + options.count);
  for (auto number = options.seed; number < options.seed + options.count; ++number) {
    auto report = report_of(number);
    for (const auto& fault : every_report::faults_of({report, other, number})) {
      fmt::print("number {}: {}\n", number, fault);
      ++faults;
    }
    other = std::move(report);
  }
  fmt::print("{} networks, --seed {}: {} faults of their reports\n", options.count, options.seed,
             faults);
  return faults == 0 ? 0 : 1;
}

int replay(const Options& options) {
  int result = 0;
  for (const auto& path : options.files) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error(fmt::format("{}: no such file", path));
    const auto network = parse(std::string(std::istreambuf_iterator<char>(file), {}));
    if (options.compare) {
      show_worlds(path, network);
      continue;
    }
    const auto report = run(network);
    if (options.observe) {
      print_observations(report);
      continue;
    }
    for (const auto& violation : judge(network, report).violations) {
      fmt::print("{}: {}: {}\n", path, violation.kind, violation.what);
      result = 1;
    }
    if (options.show) print(report);
  }
  return result;
}

}  // namespace
}  // namespace callready::networks

int main(int argc, char** argv) {
  using namespace callready::networks;
  auto options = read(argc, argv);
  try {
    if (!options.files.empty()) return replay(options);
    if (options.relations) return relations(options);
    if (options.uses) return use_reports(options);
    return options.compare ? compare_networks(options) : random_networks(options);
  } catch (const std::exception& error) {
    fmt::print("{}\n", error.what());
    return 2;
  }
}
