// every_report [--random N] [--seed N] [FILE...]: puts reports to every use (uses.hpp), random ones
// or those of the files, and says what is wrong.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include <unistd.h>

#include "reports/json/reader.hpp"
#include "reports/words/finding_words.hpp"
#include "tests/every_report/random_report.hpp"
#include "tests/every_report/uses.hpp"

namespace callready::every_report {
namespace {

// Of the report that is looked at, for whoever finds the program dead.
char subject[64];

void die(int signal) {
  (void)!write(STDERR_FILENO, subject, sizeof subject);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

int random_reports(std::uint64_t first, std::uint64_t count, bool whole) {
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t bad = 0;
  for (auto seed = first; seed < first + count; ++seed) {
    *fmt::format_to_n(subject, sizeof subject - 2, "\n--seed {}\n", seed).out = '\0';
    const auto report = random_report(seed);
    const auto other = sibling_of(report, seed ^ 0xABCDEF);
    std::optional<std::uint64_t> some;
    if (!whole) some = seed;
    const auto faults = faults_of({report, other, some, !is_hostile(seed)});
    for (const auto& fault : faults) fmt::print("--seed {}: {}\n", seed, fault);
    if (!faults.empty()) ++bad;
    if (bad >= 20) break;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  fmt::print("{} random reports from --seed {}: {} with faults, {:.1f} s\n", count, first, bad,
             took.count());
  return bad == 0 ? 0 : 1;
}

// Who acts, by docs/findings.md, is whom the report names.
std::vector<std::string> owners_not_on_the_page(const Report& report) {
  std::vector<std::string> wrong;
  for (const auto& finding : report.findings) {
    const auto entry = std::ranges::find(finding_words(), finding.code, &FindingWords::code);
    const auto owners = owners_of(finding.code);
    if (entry == finding_words().end()) {
      wrong.push_back(std::string(to_string(finding.code)) + " is not in docs/findings.md");
    } else if (std::ranges::find(owners, finding.owner) == owners.end()) {
      wrong.push_back(fmt::format("{}: docs/findings.md does not name {}", to_string(finding.code),
                                  to_string(finding.owner)));
    }
  }
  return wrong;
}

int saved_reports(const std::vector<std::string>& files) {
  std::vector<Report> reports;
  int result = 0;
  for (const auto& path : files) {
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    auto read = read_report(text, path);
    if (!read.report) {
      fmt::print("{}\n", read.error);
      return 1;
    }
    reports.push_back(std::move(*read.report));
  }
  for (std::size_t i = 0; i < reports.size(); ++i) {
    *fmt::format_to_n(subject, sizeof subject - 2, "\n{}\n", files[i]).out = '\0';
    const auto& other = reports[(i + 1) % reports.size()];
    auto faults = faults_of({reports[i], other, std::nullopt, true});
    for (auto& fault : owners_not_on_the_page(reports[i])) faults.push_back(std::move(fault));
    for (const auto& fault : faults) {
      fmt::print("{}: {}\n", files[i], fault);
      result = 1;
    }
  }
  return result;
}

}  // namespace
}  // namespace callready::every_report

int main(int argc, char** argv) {
  using namespace callready::every_report;
  std::uint64_t count = 0, seed = 1;
  bool whole = false;
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&] { return std::strtoull(i + 1 < argc ? argv[++i] : "0", nullptr, 10); };
    if (word == "--random") {
      count = value();
    } else if (word == "--seed") {
      seed = value();
    } else if (word == "--whole") {
      whole = true;
    } else {
      files.push_back(word);
    }
  }
  for (const int signal : {SIGABRT, SIGSEGV, SIGFPE}) std::signal(signal, die);
  return files.empty() ? random_reports(seed, count, whole) : saved_reports(files);
}
