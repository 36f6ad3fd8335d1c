#include "probe/serve/responder.hpp"

#include <fmt/format.h>
#include <openssl/x509.h>

#include "probe/serve/certificates.hpp"
#include "probe/webrtc/token.hpp"

namespace callready::serve {
namespace {

std::string fingerprint(const Certificate& certificate) {
  std::array<unsigned char, 32> digest{};
  unsigned size = 0;
  X509_digest(certificate.x509(), EVP_sha256(), digest.data(), &size);
  std::string text;
  for (const auto byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

// The figures: one way as ITU-T G.114 has it; jitter and loss as most vendors ask.
constexpr auto set_text = R"(schema: callready.targets/1
id: responder
title: "Responder at {0}"
vendor: callready
document: callready serve
published: {1}
verified: {1}

capabilities:
  - id: voice
    title: Voice
    needs:
      - stream
      - tls
    quality:
      one_way_delay_ms: 150
      jitter_ms: 30
      loss_percent: 1
      dscp: EF (46)
      source: "ITU-T G.114 for the delay; jitter and loss as most vendors ask"

requirements:
  - id: stream
    title: A stream like a call's
    purpose: "How a call would sound, each way"
    source: "callready serve"
    check: media
    transport: [udp]
    ports: [{2}]
    {5}: ["{0}"]
    with: {{ authenticated: "true" }}
  - id: tls
    title: A TLS connection that nobody opens
    purpose: "Whether a device on the way inspects TLS"
    source: "callready serve"
    check: tls
    transport: [tls]
    ports: [{3}]
    {5}: ["{0}"]
    with: {{ sha256: {4} }}
)";

constexpr auto call_text = R"(  - id: call
    title: A WebRTC call
    purpose: "Whether a browser's call gets through, to UDP port {3}: ICE, DTLS, SRTP"
    source: "callready serve"
    check: ice
    transport: [tls]
    ports: [{1}]
    {4}: ["{0}"]
    with: {{ path: {5}, sha256: {2}, authenticated: "true" }}
)";

Result<std::shared_ptr<CallPeer>> take_calls(const asio::any_io_executor& executor,
                                             const ResponderOptions& options,
                                             std::shared_ptr<asio::ssl::context> tls) {
  CallPeerOptions wanted;
  wanted.https = {options.bind, options.tls_port};
  wanted.media = {options.bind, options.call_port};
  wanted.tls = std::move(tls);
  wanted.token = webrtc::whip_token(options.key, options.name);
  const auto literal = IpAddress::parse(options.name);
  if (literal) wanted.addresses.push_back(*literal);
  return CallPeer::start(executor, wanted);
}

}  // namespace

Result<std::unique_ptr<Responder>> Responder::start(const asio::any_io_executor& executor,
                                                    const ResponderOptions& options) {
  auto responder = std::unique_ptr<Responder>(new Responder);
  StampOptions stamp{options.key, options.limits};
  auto reflector = StampServer::start(executor, {options.bind, options.udp_port}, std::move(stamp));
  if (reflector.has_error()) return reflector.error();
  responder->stamp_ = std::move(*reflector);

  CertificateOptions wanted;
  wanted.common_name = options.name;
  wanted.organization = "callready serve";
  wanted.names = {options.name};
  wanted.not_after = std::chrono::system_clock::now() + std::chrono::hours(24 * 365);
  const auto certificate = Certificate::self_signed(wanted);
  if (CallPeer::available()) {
    auto calls = take_calls(executor, options, server_context(certificate));
    if (calls.has_error()) return calls.error();
    responder->calls_ = std::move(*calls);
  } else {
    HttpOptions pages;
    pages.pages["/"].body = "callready serve\n";
    pages.tls = server_context(certificate);
    auto https = HttpServer::start(executor, {options.bind, options.tls_port}, std::move(pages));
    if (https.has_error()) return https.error();
    responder->https_ = std::move(*https);
  }

  const bool literal = IpAddress::parse(options.name).has_value();
  responder->target_set_ =
      fmt::format(set_text, options.name, options.today, responder->stamp_->local().port,
                  responder->tls().port, fingerprint(certificate), literal ? "addresses" : "hosts");
  if (responder->calls_) {
    responder->target_set_ +=
        fmt::format(call_text, options.name, responder->tls().port, fingerprint(certificate),
                    responder->calls_->media().port, literal ? "addresses" : "hosts", whip_path);
  }
  return responder;
}

}  // namespace callready::serve
