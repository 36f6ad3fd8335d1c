#include "probe/ui/pages.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "probe/ui/page.hpp"
#include "probe/util/path.hpp"
#include "probe/util/text.hpp"
#include "reports/words/language.hpp"
#include "targets/syntax.hpp"

namespace callready::ui {
namespace {

// A report of thousands of probes has some ten million bytes.
constexpr std::size_t most_printed = 64 << 20, most_printing = 8, most_pages = 16;
constexpr std::size_t most_used = 5;

constexpr std::string_view own_policy =
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
// A report brings its own policy for its style and its script; it may not act as this page.
constexpr std::string_view report_policy = "sandbox allow-scripts; frame-ancestors 'none'";

struct Kind {
  std::string_view format, content_type, file;
};
constexpr Kind kinds[] = {
    {"summary", "application/json", "callready-summary.json"},
    {"ticket", "text/plain; charset=utf-8", "callready.txt"},
    {"json", "application/json", "callready.json"},
    {"html", "text/html; charset=utf-8", "callready.html"},
};

WebReply with_policy(WebReply reply, std::string_view policy) {
  reply.fields.emplace_back("Content-Security-Policy", policy);
  reply.fields.emplace_back("Referrer-Policy", "no-referrer");
  reply.fields.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
  return reply;
}

// "as=json&hide=1": only what the page itself sends, so nothing is encoded.
std::map<std::string, std::string> query_of(std::string_view target) {
  std::map<std::string, std::string> query;
  const auto mark = target.find('?');
  if (mark == target.npos) return query;
  for (const auto pair : split(target.substr(mark + 1), "&")) {
    const auto equals = pair.find('=');
    if (equals != pair.npos) query.emplace(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return query;
}

bool is_set(const std::map<std::string, std::string>& query, const std::string& name) {
  const auto found = query.find(name);
  return found != query.end() && found->second == "1";
}

}  // namespace

// A child whose output is a reply.
struct Pages::Printing {
  std::unique_ptr<Children::Child> child;
  std::string text;
  WebReply reply;
  WebServer::Answer answer;
};

Pages::Pages(asio::any_io_executor executor, Clock& clock, Children& children, Gate gate,
             Runs::Places places, std::function<void()> over)
    : executor_(std::move(executor)),
      children_(children),
      gate_(std::move(gate)),
      history_(places.history),
      own_sets_(places.sets),
      runs_(clock, children, std::move(places), [this] { changed(); }),
      lifetime_(clock, std::move(over)) {}

void Pages::handle(WebRequest request, WebServer::Answer answer) {
  const auto decision = gate_.decide(request);
  const auto send = [answer = std::move(answer)](WebReply reply) {
    const bool own = std::none_of(reply.fields.begin(), reply.fields.end(), [](const auto& field) {
      return field.first == "Content-Security-Policy";
    });
    answer(own ? with_policy(std::move(reply), own_policy) : std::move(reply));
  };
  if (decision.kind == Gate::Kind::refused) {
    spdlog::debug("ui: a request is refused: {}", decision.why);
    return send({403,
                 "This address is not for you, or it has been used already.\n"
                 "Start \"callready ui\" again, and a page opens.\n"});
  }
  if (decision.kind == Gate::Kind::entering) {
    // Not by a redirect: to the browser, that would still be a visit from elsewhere, and it would
    // not send the cookie (SameSite=Strict).
    WebReply reply{200,
                   // Without an icon, the browser asks for /favicon.ico, which is refused.
                   fmt::format("<!doctype html><title>callready</title>"
                               "<link rel=\"icon\" href=\"{0}icon.svg\" type=\"image/svg+xml\">"
                               "<meta http-equiv=\"refresh\" content=\"0; url={0}\">\n",
                               gate_.home()),
                   "text/html; charset=utf-8"};
    reply.fields.emplace_back("Set-Cookie", gate_.cookie_field());
    return send(std::move(reply));
  }
  if (request.method == "POST") return post(decision.path, request, send);
  auto query = query_of(request.target);
  if (!query.contains("lang")) {
    query.emplace("lang", accepted_language(request.field("Accept-Language")));
  }
  get(decision.path, query, send);
}

void Pages::get(const std::string& path, const Query& query, const WebServer::Answer& answer) {
  const auto language = query.find("lang");
  const auto* words = language == query.end() ? nullptr : find_language(language->second);
  if (auto file = page_file(path, words)) {
    return answer({200, std::move(file->text), std::move(file->content_type)});
  }
  const WebReply json{200, "", "application/json"};
  const auto print_json = [&](std::vector<std::string> command) {
    command.emplace_back("--json");
    append(command, own_sets_);
    print(std::move(command), json, answer);
  };
  if (path == "events") return live(answer);
  if (path == "services") return print_json({"list"});
  if (path == "report") return show_report(query, answer);
  if (path == "compare") return compare(query, answer);
  const auto id = query.find("id");
  if (path == "service" && id != query.end() && is_id(id->second)) {
    return print_json({"show", id->second});
  }
  answer({404, "There is nothing of that name.\n"});
}

void Pages::post(const std::string& path, const WebRequest& request,
                 const WebServer::Answer& answer) {
  if (path == "stop") {
    runs_.stop();
    return answer({204, ""});
  }
  if (path != "run") return answer({404, "There is nothing of that name.\n"});
  if (request.field("Content-Type") != "application/json") {
    return answer({415, "Only JSON is taken.\n"});
  }
  auto wanted = read_order(request.body);
  auto problem = std::move(wanted.problem);
  if (problem.empty()) problem = runs_.start(std::move(wanted.order));
  answer(problem.empty() ? WebReply{204, ""} : WebReply{400, problem});
}

void Pages::live(const WebServer::Answer& answer) {
  if (pages_.size() >= most_pages) return answer({503, "Too many pages are open.\n"});
  auto key = std::make_shared<std::weak_ptr<LiveReply>>();
  const auto page = std::make_shared<LiveReply>(executor_, [this, key] {
    pages_.erase(key->lock());
    lifetime_.page_closed();
  });
  *key = page;
  pages_.insert(page);
  lifetime_.page_opened();
  used_ = used();
  page->send(event());
  WebReply reply{200, "", "text/event-stream"};
  reply.live = page;
  answer(std::move(reply));
}

void Pages::show_report(const Query& query, const WebServer::Answer& answer) {
  const auto wanted = query.find("as");
  const auto* kind = std::find_if(std::begin(kinds), std::end(kinds), [&](const Kind& one) {
    return wanted != query.end() && wanted->second == one.format;
  });
  if (kind == std::end(kinds) || runs_.report().empty()) {
    return answer({404, "There is no such report yet.\n"});
  }
  WebReply reply{200, "", std::string(kind->content_type)};
  if (kind->format == "html") reply = with_policy(std::move(reply), report_policy);
  if (is_set(query, "save")) {
    reply.fields.emplace_back("Content-Disposition",
                              fmt::format("attachment; filename=\"{}\"", kind->file));
  }
  std::vector<std::string> words{"render", runs_.report(),
                                 fmt::format("--report={}", kind->format)};
  const auto language = query.find("lang");
  if (language != query.end() && known_language(language->second)) {
    words.push_back(fmt::format("--lang={}", *known_language(language->second)));
  }
  if (is_set(query, "hide")) words.emplace_back("--redact");
  print(std::move(words), std::move(reply), answer);
}

void Pages::compare(const Query& query, const WebServer::Answer& answer) {
  if (runs_.before().empty()) return answer({404, "There is no earlier report.\n"});
  std::vector<std::string> words{"diff", "--json", runs_.before(), runs_.report()};
  if (is_set(query, "hide")) words.emplace_back("--redact");
  print(std::move(words), {200, "", "application/json"}, answer);
}

void Pages::print(std::vector<std::string> arguments, WebReply reply,
                  const WebServer::Answer& answer) {
  if (printing_.size() >= most_printing) return answer({503, "Too much at once.\n"});
  const auto job = std::make_shared<Printing>();
  job->reply = std::move(reply);
  job->answer = answer;
  const std::weak_ptr<Printing> held(job);
  job->child = children_.start(
      std::move(arguments), "",
      [held](std::string_view text) {
        const auto mine = held.lock();
        if (mine && mine->text.size() <= most_printed) mine->text += text;
      },
      [this, held](int status, const std::string& said) {
        const auto mine = held.lock();
        if (!mine) return;
        printing_.erase(mine);
        // 1, 3 and 4 are verdicts, not failures.
        if (status < 0 || status == 2 || mine->text.size() > most_printed) {
          return mine->answer({500, last_complaint_in(said)});
        }
        mine->reply.body = std::move(mine->text);
        mine->answer(std::move(mine->reply));
      });
  if (!job->child) return answer({500, "This program could not be started again.\n"});
  printing_.insert(job);
}

// Services that were checked before, the last first.
std::vector<std::string> Pages::used() const {
  namespace files = std::filesystem;
  std::vector<std::pair<files::file_time_type, std::string>> found;
  std::error_code error;
  for (files::directory_iterator at(path_of(history_), error), end; !error && at != end;
       at.increment(error)) {
    const auto id = utf8_of(at->path().stem());
    std::error_code unknown;
    const auto when = at->last_write_time(unknown);
    if (!unknown && at->path().extension() == ".json" && is_id(id)) found.emplace_back(when, id);
  }
  std::sort(found.rbegin(), found.rend());
  std::vector<std::string> ids;
  for (const auto& [when, id] : found) {
    if (ids.size() < most_used) ids.push_back(id);
  }
  return ids;
}

std::string Pages::event() const {
  return fmt::format("data: {{\"used\":{},{}\n\n", nlohmann::json(used_).dump(),
                     runs_.state().substr(1));
}

void Pages::changed() {
  const auto text = event();
  for (const auto& page : pages_) page->send(text);
}

void Pages::stop() {
  for (const auto& page : pages_) page->end();
  printing_.clear();
}

}  // namespace callready::ui
