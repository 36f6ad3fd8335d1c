#include "probe/exporter/server.hpp"

#include <set>

#include "probe/net/in_thread.hpp"
#include "probe/net/semaphore.hpp"
#include "probe/net/service_timeouts.hpp"
#include "probe/util/digest.hpp"
#include "probe/web/web_server.hpp"

namespace callready::exporter {
namespace {

// A password takes a tenth of a second of a processor: those of many strangers wait for each other,
// and what was right once is remembered.
constexpr int most_passwords = 2;
constexpr std::size_t most_known = 64;

}  // namespace

struct ServerCore {
  ServerCore(const asio::any_io_executor& made_on, Scope its_scope, WebConfig its_web,
             Server::Handler its_handler)
      : executor(made_on),
        scope(its_scope),
        web(std::make_shared<const WebConfig>(std::move(its_web))),
        handler(std::move(its_handler)) {}

  asio::any_io_executor executor;
  Scope scope;
  std::shared_ptr<const WebConfig> web;
  Server::Handler handler;
  Semaphore passwords{most_passwords};
  std::set<std::string> known;  // digests of logins that were right
  std::unique_ptr<WebServer> server;
};

namespace {

using Core = std::shared_ptr<ServerCore>;

// Whether a login that is asked for was given.
asio::awaitable<bool> may_enter(Core core, std::shared_ptr<const WebConfig> web,
                                std::string authorization) {
  const auto login = read_login(authorization);
  if (!login) co_return false;
  const auto user = web->users.find(login->first);
  const std::string hash = user == web->users.end() ? "" : user->second;
  const auto digest = sha256_hex(login->first + ':' + hash + ':' + login->second);
  if (core->known.contains(digest)) co_return true;
  const auto deadline = core->scope.clock.now() + timeouts::password;
  const auto permit = co_await core->passwords.enter(core->executor, core->scope, deadline);
  if (!permit) co_return false;
  std::function<bool()> work = [password = login->second, hash] {
    return is_password(password, hash);
  };
  const auto right =
      co_await in_thread<bool>(core->executor, std::move(work), core->scope, deadline);
  if (right.has_error() || !*right) co_return false;
  if (core->known.size() >= most_known) core->known.clear();
  core->known.insert(digest);
  co_return true;
}

WebReply web_reply(Reply from, const WebConfig& web) {
  WebReply reply{from.status, std::move(from.body), std::move(from.content_type)};
  if (reply.status == 401) {
    reply.fields.emplace_back("WWW-Authenticate", "Basic realm=\"callready\"");
  }
  if (reply.status == 405) reply.fields.emplace_back("Allow", "GET, HEAD");
  reply.fields.insert(reply.fields.end(), web.headers.begin(), web.headers.end());
  return reply;
}

asio::awaitable<void> admit(Core core, WebRequest asked, WebServer::Answer answer) {
  const auto web = core->web;
  bool allowed = !web->asks_for_login();
  const std::string login(asked.field("Authorization"));
  if (!allowed) allowed = co_await may_enter(core, web, login);
  if (!allowed) {
    answer(web_reply({401, "callready: a name and a password are needed\n"}, *web));
    co_return;
  }
  Request request;
  request.method = std::move(asked.method);
  request.target = std::move(asked.target);
  request.scrape_timeout = asked.field("X-Prometheus-Scrape-Timeout-Seconds");
  core->handler(request, [web, answer](Reply reply) { answer(web_reply(std::move(reply), *web)); });
}

}  // namespace

Result<std::unique_ptr<Server>> Server::start(const asio::any_io_executor& executor, Scope scope,
                                              const SocketAddress& address, WebConfig web,
                                              Handler handler) {
  const auto core =
      std::make_shared<ServerCore>(executor, scope, std::move(web), std::move(handler));
  WebServer::Options options;
  // Prometheus keeps one for each set and module.
  options.most_connections = 256;
  options.most_of_address = 120;
  const std::weak_ptr<ServerCore> held(core);  // the server is its own
  options.tls = [held]() -> WebServer::Tls {
    const auto mine = held.lock();
    return mine ? mine->web->tls : nullptr;
  };
  auto started = WebServer::start(
      executor, address, std::move(options), [held](WebRequest request, WebServer::Answer answer) {
        const auto mine = held.lock();
        if (!mine) return answer({});  // its connections are closed
        asio::co_spawn(mine->executor, admit(mine, std::move(request), std::move(answer)),
                       asio::detached);
      });
  if (started.has_error()) return started.error();
  core->server = std::move(*started);
  return std::unique_ptr<Server>(new Server(core));
}

Server::~Server() { stop(); }

SocketAddress Server::local() const { return core_->server->local(); }

void Server::use(WebConfig web) {
  core_->web = std::make_shared<const WebConfig>(std::move(web));
  core_->known.clear();
}

void Server::stop(std::function<void()> ended) { core_->server->stop(std::move(ended)); }

}  // namespace callready::exporter
