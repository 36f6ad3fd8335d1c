#include "probe/serve/demo_site.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <random>

#include "probe/model/day.hpp"
#include "probe/net/dns_records.hpp"
#include "probe/serve/call_peer.hpp"
#include "probe/serve/certificates.hpp"
#include "probe/serve/demo_set.hpp"
#include "probe/serve/dns_server.hpp"
#include "probe/serve/http_server.hpp"
#include "probe/serve/ntp_server.hpp"
#include "probe/serve/proxy_server.hpp"
#include "probe/serve/sip_server.hpp"
#include "probe/serve/stamp_server.hpp"
#include "probe/serve/stun_server.hpp"
#include "probe/serve/udp_echo.hpp"
#include "probe/util/digest.hpp"
#include "probe/util/path.hpp"
#include "probe/webrtc/ice_call.hpp"

namespace callready::serve {
namespace {

// Enough for a sample with both ends and some between them.
constexpr int media_ports = 8;

std::string demo_name(const std::string& host) { return host + "." + demo_domain; }

// A root, an authority under it that issues, and what it issued: as for a public site.
class Authority {
 public:
  std::string root_pem() const { return root_.pem(); }
  std::shared_ptr<asio::ssl::context> server(const std::vector<std::string>& names) const {
    CertificateOptions options;
    options.common_name = names.front();
    options.names = names;
    return server_context(issuing_.issue(options), {issuing_});
  }

 private:
  static CertificateOptions authority(const std::string& common_name) {
    CertificateOptions options;
    options.common_name = common_name;
    options.organization = "callready";
    options.authority = true;
    return options;
  }
  Certificate root_ = Certificate::self_signed(authority("callready demo root"));
  Certificate issuing_ = root_.issue(authority("callready demo issuing authority"));
};

DnsZone zone(const IpAddress& address, const DemoPorts& ports) {
  DnsZone made;
  const auto reverse = dns::reverse_name(address);
  made.apexes = {demo_domain, reverse};
  for (const char* host : {"ns", "www", "stun", "turn", "sip", "media", "ntp", "proxy", "call"}) {
    made.records.push_back({demo_name(host), address});
  }
  const DnsService plain{10, 0, ports.sip, demo_name("sip")};
  const DnsService secure{10, 0, ports.sip_tls, demo_name("sip")};
  const DnsService stun{10, 0, ports.stun, demo_name("stun")};
  const DnsService turn{10, 0, ports.stun, demo_name("turn")};
  made.records.push_back({demo_name("_sip._udp"), plain});
  made.records.push_back({demo_name("_sip._tcp"), plain});
  made.records.push_back({demo_name("_sips._tcp"), secure});
  made.records.push_back({demo_name("_stun._udp"), stun});
  made.records.push_back({demo_name("_turn._udp"), turn});
  // RFC 3263 section 4.1: the transport by NAPTR, the server by SRV.
  const DnsPointer over_tls{10, 50, "s", "SIPS+D2T", "", demo_name("_sips._tcp")};
  const DnsPointer over_tcp{20, 50, "s", "SIP+D2T", "", demo_name("_sip._tcp")};
  const DnsPointer over_udp{30, 50, "s", "SIP+D2U", "", demo_name("_sip._udp")};
  for (const auto& pointer : {over_tls, over_tcp, over_udp}) {
    made.records.push_back({demo_domain, pointer});
  }
  made.records.push_back({reverse, DnsName{demo_name("www")}});
  return made;
}

HttpOptions pages(std::shared_ptr<asio::ssl::context> tls) {
  HttpOptions options;
  options.pages["/"].body = "This is the demo site of callready.\n";
  options.pages["/ncsi.txt"].body = "Microsoft NCSI";  // what http checks of real sets expect too
  options.websocket_paths = {"/websocket"};
  options.tls = std::move(tls);
  return options;
}

Failure local_failure(const std::string& what, int error) {
  return {FailureKind::local, what + ": " + std::generic_category().message(error), error, {}};
}

// A new file of this user's in the folder for temporary files. (Its contents are public anyway: a
// CA's certificate.)
Result<std::string> write_new_file(const std::string& text) {
  std::error_code error;
  const auto folder = std::filesystem::temp_directory_path(error);
  if (error) return local_failure("the folder for temporary files", error.value());
  std::random_device random;
  const auto path =
      folder / ("callready-demo-" + std::to_string(random()) + std::to_string(random()));
  const auto name = utf8_of(path);
#ifdef _WIN32
  // The C library there has no "x"; the folder is the user's own.
  std::FILE* file = _wfopen(path.c_str(), L"wb");
#else
  std::FILE* file = std::fopen(path.c_str(), "wbx");  // x: never somebody else's file
#endif
  if (file == nullptr) return local_failure(name, errno);
  std::filesystem::permissions(
      path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, error);
  const bool written = !error && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool closed = std::fclose(file) == 0;
  if (written && closed) return name;
  const int reason = errno;
  std::filesystem::remove(path, error);
  return local_failure(name, reason);
}

}  // namespace

struct DemoSite::Servers {
  std::shared_ptr<DnsServer> dns;
  std::shared_ptr<HttpServer> http, https;
  std::shared_ptr<StunServer> stun;
  std::shared_ptr<SipServer> sip;
  std::shared_ptr<UdpEcho> media;
  std::shared_ptr<StampServer> stamp;
  std::shared_ptr<NtpServer> ntp;
  std::shared_ptr<ProxyServer> proxy;
  std::shared_ptr<CallPeer> calls;  // null: not in this program

  // Keeps what was started; false, with the failure, where it was not.
  template <typename Server>
  bool keep(std::shared_ptr<Server>& place, Result<std::shared_ptr<Server>> started) {
    if (started.has_error()) {
      failure = started.error();
      return false;
    }
    place = std::move(*started);
    return true;
  }
  Failure failure;
};

DemoSite::DemoSite(std::unique_ptr<Servers> servers) : servers_(std::move(servers)) {}

DemoSite::~DemoSite() { stop(); }

Result<std::shared_ptr<DemoSite>> DemoSite::start(const asio::any_io_executor& executor,
                                                  const DemoOptions& options) {
  auto servers = std::make_unique<Servers>();
  auto& all = *servers;
  const Authority authority;
  const SocketAddress bind{options.address, 0};
  StunOptions stun;
  stun.identity.realm = demo_domain;
  stun.tls = authority.server({demo_name("stun"), demo_name("turn")});
  SipOptions sip;
  sip.tls =
      authority.server({demo_name("sip"), demo_domain});  // RFC 5922: the domain, not the host
  EchoOptions media;
  media.ports = media_ports;
  StampOptions stamp;
  stamp.key.resize(32);
  fill_with_random(stamp.key);
  const bool started =
      all.keep(all.http, HttpServer::start(executor, bind, pages(nullptr))) &&
      all.keep(all.https,
               HttpServer::start(executor, bind, pages(authority.server({demo_name("www")})))) &&
      all.keep(all.stun, StunServer::start(executor, bind, stun)) &&
      all.keep(all.sip, SipServer::start(executor, bind, sip)) &&
      all.keep(all.media, UdpEcho::start(executor, bind, media)) &&
      all.keep(all.stamp, StampServer::start(executor, bind, stamp)) &&
      all.keep(all.ntp, NtpServer::start(executor, bind));
  if (!started) return all.failure;
  DemoPorts ports;
  ports.http = all.http->local().port;
  ports.https = all.https->local().port;
  ports.stun = all.stun->local().port;
  ports.stun_tls = all.stun->tls_local()->port;
  ports.sip = all.sip->local().port;
  ports.sip_tls = all.sip->tls_local()->port;
  ports.media = all.media->ports();
  ports.stamp = all.stamp->local().port;
  ports.ntp = all.ntp->local().port;
  if (webrtc::IceCall::available()) {  // who calls is this program, too
    CallPeerOptions calls;
    calls.https = calls.media = bind;
    calls.tls = authority.server({demo_name("call")});
    if (!all.keep(all.calls, CallPeer::start(executor, calls))) return all.failure;
    ports.whip = all.calls->https().port;
  }
  ProxyOptions proxy;
  for (const auto& host : {demo_name("www"), options.address.to_string()}) {
    proxy.allowed[fmt::format("{}:{}", host, ports.https)] = all.https->local();
  }
  if (!all.keep(all.proxy, ProxyServer::start(executor, bind, proxy)) ||
      !all.keep(all.dns, DnsServer::start(executor, bind, zone(options.address, ports)))) {
    return all.failure;
  }
  ports.dns = all.dns->local().port;
  auto site = std::shared_ptr<DemoSite>(new DemoSite(std::move(servers)));
  site->ca_pem_ = authority.root_pem();
  site->media_key_.assign(stamp.key.begin(), stamp.key.end());
  auto file = write_new_file(site->ca_pem_);
  if (file.has_error()) return file.error();
  site->ca_file_ = std::move(*file);
  site->target_set_ =
      demo_target_set(ports, options.kinds, day_of(std::chrono::system_clock::now()));
  return site;
}

SocketAddress DemoSite::dns() const { return servers_->dns->local(); }

std::string DemoSite::proxy() const { return "http://" + servers_->proxy->local().to_string(); }

void DemoSite::stop() {
  servers_->dns->stop();
  servers_->http->stop();
  servers_->https->stop();
  servers_->stun->stop();
  servers_->sip->stop();
  servers_->media->stop();
  servers_->stamp->stop();
  servers_->ntp->stop();
  servers_->proxy->stop();
  servers_->calls.reset();
  std::error_code error;
  if (!ca_file_.empty()) std::filesystem::remove(path_of(ca_file_), error);
  ca_file_.clear();
}

}  // namespace callready::serve
