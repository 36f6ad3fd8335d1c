#include "probe/cli/output.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "probe/platform/system.hpp"

namespace callready {

RenderOptions render_options(const Arguments& arguments) {
  const auto terminal = platform::standard_output();
  RenderOptions options;
  // https://no-color.org: set and not empty, it wins over everything but an explicit choice.
  const bool wanted = terminal.interactive && platform::environment("NO_COLOR").empty() &&
                      platform::environment("TERM") != "dumb";
  options.colour = arguments.colour == ColourChoice::always ||
                   (arguments.colour == ColourChoice::automatic && wanted);
  options.unicode = terminal.utf8;
  options.width = terminal.width;
  options.verbose = arguments.verbose;
  options.quiet = arguments.quiet;
  return options;
}

std::optional<std::string> why_not_deliverable(const Arguments& arguments) {
  std::string on_output = arguments.json ? "json" : "";
  for (const auto& request : arguments.reports) {
    if (!request.file.empty()) {
      const auto reason = platform::why_not_writable(request.file);
      if (reason) return fmt::format("{}: {}", request.file, *reason);
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
  std::string on_output = arguments.json ? "json" : "";
  std::optional<std::string> failure;
  for (const auto& request : arguments.reports) {
    if (request.file.empty()) {
      on_output = request.format;
      continue;
    }
    auto plain = options;
    plain.colour = false;
    plain.unicode = true;
    plain.width = 100;
    const auto text = find_format(request.format)->render(report, plain);
    const auto reason = platform::write_whole_file(request.file, text);
    if (reason && !failure) failure = fmt::format("{}: {}", request.file, *reason);
  }
  if (on_output.empty()) on_output = "text";
  if (!print(find_format(on_output)->render(report, options)) && !failure) {
    failure = "standard output: the report could not be written";
  }
  return failure;
}

bool print(const std::string& text) {
  const auto written = std::fwrite(text.data(), 1, text.size(), stdout);
  return written == text.size() && std::fflush(stdout) == 0;
}

}  // namespace callready
