#include "probe/cli/output.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "probe/cli/commands.hpp"
#include "probe/cli/place.hpp"
#include "probe/cli/push.hpp"
#include "probe/cli/saved_report.hpp"
#include "probe/engine/watchdog.hpp"
#include "probe/platform/system.hpp"
#include "probe/util/path.hpp"
#include "reports/words/language.hpp"

namespace callready {
namespace {

// The format that standard output gets by an option of its own; empty: none asked for one.
std::string chosen_by_flag(const Arguments& arguments) {
  if (arguments.nagios) return "nagios";
  return arguments.ticket ? "ticket" : arguments.json ? "json" : "";
}

std::string words_of(int error) {
  if (error == EPIPE) return std::string(reader_has_gone);
  if (error == EBADF) return "it is closed";
  return std::strerror(error);
}

// True for what does not begin like one of our reports, unless it is empty.
bool holds_something_else(const std::string& file) {
  std::ifstream stream(path_of(file));
  std::string beginning(4'096, '\0');
  stream.read(beginning.data(), static_cast<std::streamsize>(beginning.size()));
  beginning.resize(static_cast<std::size_t>(stream.gcount()));
  const bool empty = beginning.find_first_not_of(" \t\r\n") == std::string::npos;
  return !empty && beginning.find(Report::schema) == std::string::npos;
}

bool delivered = false;

std::string rendered(const std::string& format, const Report& report,
                     const RenderOptions& options) {
  const TimeLimit in_time("making the report (" + format + ")", timeouts::rendering);
  return find_format(format)->render(report, options);
}

// Why standard output does not take it, or nothing; whoever writes the last piece flushes.
std::optional<std::string> print_piece(std::string_view text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size()) return std::nullopt;
  return words_of(errno);
}

// The first of the variables that is set counts (POSIX, "Internationalization Variables").
std::string_view language_code(const Arguments& arguments) {
  if (!arguments.language.empty()) return *known_language(arguments.language);
  for (const auto* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const auto locale = platform::environment(name);
    if (!locale.empty()) return known_language(locale).value_or("en");
  }
  return "en";
}

}  // namespace

bool has_delivered() { return delivered; }

RenderOptions render_options(const Arguments& arguments) {
  const auto terminal = platform::standard_output();
  RenderOptions options;
  // https://no-color.org: set and not empty, it wins over everything but an explicit choice.
  const bool wanted = terminal.obeys && platform::environment("NO_COLOR").empty();
  options.colour = arguments.colour == ColourChoice::always ||
                   (arguments.colour == ColourChoice::automatic && wanted);
  options.unicode = terminal.utf8;
  options.width = terminal.width;
  options.on_screen = terminal.interactive;
  options.verbose = arguments.verbose;
  options.quiet = arguments.quiet;
  options.is_last = keeps_run(arguments) || arguments.report_file == "last";
  // If a terminal cannot show its letters, another language has to be asked for by name.
  if (options.unicode || !arguments.language.empty()) {
    options.language = find_language(language_code(arguments));
    options.unicode = options.unicode || options.language != nullptr;
  }
  return options;
}

bool keeps_run(const Arguments& arguments) {
  return arguments.command == Command::check && arguments.keep && !arguments.nagios;
}

std::optional<std::string> why_not_deliverable(const Arguments& arguments) {
  const auto& history = arguments.history_file;
  if (!history.empty()) {
    if (const auto reason = platform::why_not_writable(history))
      return fmt::format("{}: {}", history, *reason);
    if (platform::is_file(history) && holds_something_else(history))
      return history + ": it holds something other than a report, and --history would overwrite it";
  }
  auto on_output = chosen_by_flag(arguments);
  std::vector<const ReportRequest*> files;
  for (const auto& request : arguments.reports) {
    if (!request.file.empty()) {
      const auto reason = platform::why_not_writable(request.file);
      if (reason) return fmt::format("{}: {}", request.file, *reason);
      if (!history.empty() && platform::is_same_file(history, request.file))
        return request.file + ": a report would overwrite the history";
      for (const auto* other : files) {
        if (!platform::is_same_file(other->file, request.file)) continue;
        return fmt::format("{}: two reports cannot be one file ({} and {})", request.file,
                           other->format, request.format);
      }
      files.push_back(&request);
    } else if (on_output.empty()) {
      on_output = request.format;
    } else if (on_output != request.format) {
      return fmt::format(
          "standard output can hold one report, not both {} and {}: use --report {}=FILE",
          on_output, request.format, request.format);
    }
  }
  return std::nullopt;
}

std::optional<std::string> deliver(const Report& report, const Arguments& arguments) {
  const auto options = render_options(arguments);
  auto on_output = chosen_by_flag(arguments);
  std::optional<std::string> failure;
  for (const auto& request : arguments.reports) {
    if (request.file.empty()) {
      on_output = request.format;
      continue;
    }
    auto plain = options;
    plain.colour = false;
    plain.unicode = true;
    plain.on_screen = false;
    plain.width = 100;
    const auto text = rendered(request.format, report, plain);
    const auto reason = platform::write_whole_file(request.file, text);
    if (reason && !failure) failure = fmt::format("{}: {}", request.file, *reason);
  }
  if (arguments.follow) return failure;  // standard output has had its events
  if (on_output.empty()) on_output = "text";
  std::optional<std::string> reason;
  if (on_output == "json") {
    const auto take = [&reason](std::string_view piece) {
      reason = print_piece(piece);
      return !reason;
    };
    if (write_json(report, take)) reason = print_reason("");
  } else {
    reason = print_reason(rendered(on_output, report, options));
  }
  // A reader of only the beginning (`| head`) wants no more.
  if (reason == reader_has_gone) return failure;
  if (reason && !failure) {
    failure = fmt::format("standard output: {}: the report could not be written", *reason);
  }
  return failure;
}

std::optional<std::string> print_reason(const std::string& text) {
  if (const auto reason = print_piece(text)) return reason;
  if (std::fflush(stdout) == 0) return std::nullopt;
  return words_of(errno);
}

bool print(const std::string& text) { return !print_reason(text); }

int printed(const std::string& text) {
  const auto reason = print_reason(text);
  // A reader of only the beginning (`| head`) wants no more.
  return !reason || *reason == reader_has_gone ? 0 : fail("standard output: " + *reason);
}

std::optional<Privacy> prepare_delivery(const Arguments& arguments) {
  if (const auto reason = why_not_deliverable(arguments)) {
    complain(*reason);
    return std::nullopt;
  }
  auto privacy = privacy_of(arguments);
  if (privacy.error.empty()) return privacy;
  complain(privacy.error);
  return std::nullopt;
}

int conclude(Report report, const Arguments& arguments, Privacy& privacy,
             const std::string& push_token) {
  if (privacy.redactor) {
    const TimeLimit in_time("redacting the report", timeouts::rendering);
    report = privacy.redactor->report(report);
  }
  if (keeps_run(arguments)) keep_last(report);
  const auto no_history = add_history(arguments, report);
  auto failure = deliver(report, arguments);
  if (!failure) failure = no_history;
  if (failure) return fail(*failure);
  const bool pushed =
      arguments.push_url.empty() || push_report(report, arguments.push_url, push_token);
  if (!pushed) return usage_error;
  delivered = true;
  return arguments.nagios ? nagios_status(report) : exit_status(report);
}

}  // namespace callready
