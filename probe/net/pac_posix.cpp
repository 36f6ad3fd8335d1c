#include "probe/net/pac.hpp"

#include <pacparser.h>

#include <cstdarg>
#include <cstdio>
#include <iostream>
#include <iterator>

#include "probe/net/udp.hpp"
#include "probe/platform/child.hpp"
#include "probe/platform/descriptor.hpp"
#include "probe/util/text.hpp"
#include "probe/util/utf8.hpp"

namespace callready {
namespace {

// More than any PAC file needs; the engine's own heap is a small part of it.
constexpr unsigned long memory_mb = 512;
// Files of ten thousand lines take milliseconds per question. Waiting for DNS does not count.
constexpr unsigned processor_seconds = 3;
// The answers to all questions of a run.
constexpr std::size_t answer_limit = 1U << 20U;

// A script may look up each host of a run, and the site's networks, but not whatever it makes up.
// Lookups by the engine's own functions (isInNet, isResolvable) go this way too.
constexpr auto few_lookups =
    "(function(scope) { var left = 200;"
    " function bound(name) { var ask = scope[name]; if (ask)"
    " scope[name] = function(host) { return left-- > 0 ? ask(host) : null; }; }"
    " bound('dnsResolve'); bound('dnsResolveEx'); })(this);";

std::string& last_error() {
  static std::string text;
  return text;
}

int note_error(const char* format, va_list arguments) {
  char line[512];
  const int size = std::vsnprintf(line, sizeof line, format, arguments);
  last_error() += line;
  return size;
}

// pacparser's messages, on one line, without its own name for where it is.
std::string error_in_words() {
  auto text = last_error();
  last_error().clear();
  for (auto& c : text) {
    if (c == '\n') c = ' ';
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return printable(text, 300);
}

// Lengths before texts: the script may hold anything.
void put(std::string& message, std::string_view text) {
  message += std::to_string(text.size()) + '\n';
  message += text;
}

bool take(std::string_view& message, std::string& text) {
  const auto end = message.find('\n');
  if (end == message.npos) return false;
  const auto size = whole_number<std::size_t>(message.substr(0, end));
  message.remove_prefix(end + 1);
  if (!size || *size > message.size()) return false;
  text = std::string(message.substr(0, *size));
  message.remove_prefix(*size);
  return true;
}

std::string pack(const PacAnswers& answers) {
  std::string message;
  put(message, answers.error);
  for (const auto& answer : answers.answers) put(message, answer);
  return message;
}

std::optional<PacAnswers> unpack(std::string_view message, std::size_t count) {
  PacAnswers answers;
  if (!take(message, answers.error)) return std::nullopt;
  for (std::size_t i = 0; i < count; ++i) {
    std::string answer;
    if (!take(message, answer)) return std::nullopt;
    answers.answers.push_back(kept_answer(answer));
  }
  return answers;
}

// The address that packets to the outside carry, as browsers report it.
std::string own_address(const asio::any_io_executor& executor) {
  for (const auto& anywhere : {nobodys_address, nobodys_v6}) {
    const auto own = own_address_towards(executor, anywhere);
    if (own) return own->to_string();
  }
  return {};
}

// The child: it is ended and its pipes are closed whatever happens.
struct Running {
  platform::Child child;
  platform::ChildEnd end() {
    const auto how = platform::end_child(child);
    child.id = -1;
    return how;
  }
  ~Running() { platform::end_child(child); }
};

}  // namespace

PacAnswers evaluate_pac(const std::string& script, const std::vector<PacQuestion>& questions,
                        const std::string& own_address) {
  PacAnswers answers;
  answers.answers.resize(questions.size());
  last_error().clear();
  pacparser_set_error_printer(&note_error);
  // isInNetEx and its like; files that are written for Windows use them.
  pacparser_enable_microsoft_extensions();
  if (!own_address.empty()) pacparser_setmyip(own_address.c_str());
  if (pacparser_init() == 0) {
    answers.error = "the script engine does not start: " + error_in_words();
    return answers;
  }
  if (pacparser_parse_pac_string(few_lookups) == 0 ||
      pacparser_parse_pac_string(script.c_str()) == 0) {
    answers.error = error_in_words();
    if (answers.error.empty()) answers.error = "it is not a script";
    pacparser_cleanup();
    return answers;
  }
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const auto& question = questions[i];
    // Owned by the engine, and valid until it is asked again.
    const char* answer = pacparser_find_proxy(question.url.c_str(), question.host.c_str());
    if (answer != nullptr) answers.answers[i] = answer;
    const auto error = error_in_words();
    if (answer == nullptr && answers.error.empty()) {
      answers.error = error.empty() ? "FindProxyForURL returned nothing" : error;
    }
  }
  pacparser_cleanup();
  return answers;
}

int run_pac_child() {
  using std::chrono::duration_cast, std::chrono::seconds;
  platform::Confinement confinement;
  confinement.seconds = static_cast<unsigned>(duration_cast<seconds>(pac_script_time).count()) + 1;
  confinement.processor_seconds = processor_seconds;
  confinement.megabytes = memory_mb;
  const bool confined = platform::confine_this_process(confinement);
  const std::string input(std::istreambuf_iterator<char>(std::cin), {});
  std::string_view rest = input;
  std::string script, own_address;
  if (!take(rest, script) || !take(rest, own_address)) return 2;
  std::vector<PacQuestion> questions;
  PacQuestion question;
  while (take(rest, question.url) && take(rest, question.host)) questions.push_back(question);
  PacAnswers answers;
  if (confined) {
    answers = evaluate_pac(script, questions, own_address);
  } else {
    answers.error = "not run: this system cannot confine it (seccomp)";
    answers.answers.resize(questions.size());
  }
  std::cout << pack(answers) << std::flush;
  return 0;
}

asio::awaitable<Result<PacAnswers>> ask_pac(asio::any_io_executor executor, PacSource source,
                                            std::vector<PacQuestion> questions, Scope scope,
                                            Instant deadline) {
  std::string message;
  put(message, source.script);
  put(message, own_address(executor));
  for (const auto& question : questions) {
    put(message, question.url);
    put(message, question.host);
  }
  const std::vector<std::string> arguments{pac_child_argument};
  Running running{platform::start_child(source.program, arguments)};
  if (!running.child.started()) {
    co_return classify(error_code(errno, boost::system::system_category()));
  }
  asio::posix::stream_descriptor input(executor, running.child.input);
  asio::posix::stream_descriptor output(executor, running.child.output);
  error_code ignored;
  Guard guard(scope, deadline, [&] {
    input.cancel(ignored);
    output.cancel(ignored);
  });
  if (guard.over()) co_return guard.failure();
  // The child reads everything before it writes, so that neither waits for the other.
  const auto [write_error, sent] =
      co_await asio::async_write(input, asio::buffer(message), asio::as_tuple(asio::use_awaitable));
  if (guard.over()) co_return guard.failure();
  if (write_error) co_return classify(write_error);
  input.close();
  std::string answer;
  const auto [read_error, received] = co_await asio::async_read(
      output, asio::dynamic_buffer(answer, answer_limit), asio::as_tuple(asio::use_awaitable));
  if (guard.over() && read_error != asio::error::eof) co_return guard.failure();
  auto answers = unpack(answer, questions.size());
  if (!answers) {
    if (running.end() == platform::ChildEnd::out_of_time) co_return timed_out();
    co_return Failure{FailureKind::closed_by_peer, "the script crashed the process that ran it"};
  }
  co_return std::move(*answers);
}

}  // namespace callready
