#include "probe/exporter/web_config.hpp"

#include <crypt.h>
#include <fmt/format.h>

#include <array>
#include <filesystem>

#include "probe/platform/input_file.hpp"
#include "probe/util/base64.hpp"
#include "probe/util/digest.hpp"
#include "probe/util/text.hpp"
#include "targets/yaml_reader.hpp"

namespace callready::exporter {
namespace {

constexpr std::size_t largest_web_config = 1 << 20, most_login = 1'024;
// Of nobody's password, at the usual cost.
constexpr auto nobodys_hash = "$2y$10$QOauhQNbBCuQDKes6eFzPeSH1yVOCDNPMXzwXEpy7tvluSat5AnjC";

class WebConfigReader {
 public:
  WebConfigReader(const YamlNode& root, std::string folder, Problems& problems)
      : root_(root), folder_(std::move(folder)), problems_(problems) {}

  WebConfig read() {
    if (root_.kind == YamlNode::Kind::null) return {};
    MapReader top(root_, "the web configuration", problems_);
    if (const auto* node = top.find("tls_server_config")) read_tls(*node);
    if (const auto* node = top.find("http_server_config")) read_http(*node);
    if (const auto* node = top.find("basic_auth_users")) read_users(*node);
    if (root_.is_map()) top.finish();
    return std::move(config_);
  }

 private:
  std::string file_of(MapReader& map, const char* key) {
    std::string name;
    map.line(key, name);
    if (name.empty() || name.front() == '/' || folder_.empty()) return name;
    return folder_ + '/' + name;
  }

  void complain(const YamlNode& node, const std::string& why) { problems_.add(node.position, why); }

  void read_tls(const YamlNode& node) {
    MapReader map(node, "'tls_server_config'", problems_);
    const auto certificate = file_of(map, "cert_file"), key = file_of(map, "key_file");
    const auto authorities = file_of(map, "client_ca_file");
    std::string asks, least = "TLS12", most = "TLS13";
    map.line("client_auth_type", asks);
    map.line("min_version", least);
    map.line("max_version", most);
    // Others choose these; ours are OpenSSL's.
    bool ignored = false;
    map.flag("prefer_server_cipher_suites", ignored);
    map.finish();
    if (!problems_.empty() || !node.is_map()) return;
    if (certificate.empty() || key.empty()) {
      return complain(node, "'tls_server_config' needs 'cert_file' and 'key_file'");
    }
    auto tls = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    error_code error;
    tls->use_certificate_chain_file(certificate, error);
    if (error)
      return complain(node, fmt::format("'cert_file': {}: {}", certificate, error.message()));
    tls->use_private_key_file(key, asio::ssl::context::pem, error);
    if (error) return complain(node, fmt::format("'key_file': {}: {}", key, error.message()));
    const auto from = version_of(least), to = version_of(most);
    if (!from || !to)
      return complain(node, "'min_version', 'max_version': expected TLS12 or TLS13");
    SSL_CTX_set_min_proto_version(tls->native_handle(), *from);
    SSL_CTX_set_max_proto_version(tls->native_handle(), *to);
    // Without it a client that has shown a certificate, and resumes its session, is refused.
    const auto ours = bytes_of("callready");
    SSL_CTX_set_session_id_context(tls->native_handle(), ours.data(),
                                   static_cast<unsigned>(ours.size()));
    const auto mode = verify_mode(asks, !authorities.empty());
    if (!mode) {
      return complain(node,
                      "'client_auth_type': expected NoClientCert, VerifyClientCertIfGiven or "
                      "RequireAndVerifyClientCert, the last two with 'client_ca_file'");
    }
    if (!authorities.empty()) {
      tls->load_verify_file(authorities, error);
      if (error) {
        return complain(node,
                        fmt::format("'client_ca_file': {}: {}", authorities, error.message()));
      }
    }
    tls->set_verify_mode(*mode, error);
    config_.tls = std::move(tls);
  }

  static std::optional<int> version_of(std::string_view name) {
    if (name == "TLS12") return TLS1_2_VERSION;
    if (name == "TLS13") return TLS1_3_VERSION;
    return std::nullopt;
  }

  static std::optional<int> verify_mode(std::string_view asks, bool authorities) {
    if (asks.empty() || asks == "NoClientCert") {
      return authorities ? std::nullopt : std::optional<int>(asio::ssl::verify_none);
    }
    if (!authorities) return std::nullopt;
    if (asks == "VerifyClientCertIfGiven") return asio::ssl::verify_peer;
    if (asks == "RequireAndVerifyClientCert") {
      return asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert;
    }
    return std::nullopt;
  }

  void read_http(const YamlNode& node) {
    MapReader map(node, "'http_server_config'", problems_);
    bool ignored = true;
    map.flag("http2", ignored);  // a client that would like it speaks HTTP/1.1 as well
    if (const auto* headers = map.find("headers")) {
      static constexpr std::array known{"Content-Security-Policy", "Strict-Transport-Security",
                                        "X-Content-Type-Options", "X-Frame-Options",
                                        "X-XSS-Protection"};
      if (!headers->is_map()) return complain(*headers, "'headers': expected a block of keys");
      for (const auto& [name, position, value] : headers->entries) {
        if (!contains(known, name)) {
          problems_.add(position, "'headers': " + in_quotes(name) + " cannot be set here");
        } else if (const auto text = read_line(value, "'" + name + "'", problems_)) {
          config_.headers.emplace_back(name, *text);
        }
      }
    }
    map.finish();
  }

  void read_users(const YamlNode& node) {
    if (!node.is_map()) return complain(node, "'basic_auth_users': expected a block of keys");
    for (const auto& [name, position, value] : node.entries) {
      const auto hash = read_line(value, "a password", problems_);
      if (!hash) continue;
      // The hash is not repeated in the message.
      const bool bcrypt = hash->size() == 60 && hash->starts_with("$2") &&
                          ((*hash)[2] == 'a' || (*hash)[2] == 'b' || (*hash)[2] == 'y');
      if (!bcrypt) {
        problems_.add(value.position,
                      "'basic_auth_users': expected the password's bcrypt hash, "
                      "as htpasswd -nB prints it");
      }
      config_.users[name] = *hash;
    }
  }

  const YamlNode& root_;
  std::string folder_;
  Problems& problems_;
  WebConfig config_;
};

}  // namespace

WebConfigResult load_web_config(const std::string& path) {
  const auto input = platform::read_input(path, largest_web_config);
  if (!input.error.empty() || input.text.size() > largest_web_config) {
    const auto why = input.error.empty() ? "it is too large" : input.error;
    return {std::nullopt, {{path, 0, 0, "cannot be read: " + why}}};
  }
  // As in Prometheus' exporters: an empty file asks for nothing.
  if (input.text.find_first_not_of(" \t\r\n") == input.text.npos) return {WebConfig{}, {}};
  WebConfigResult result;
  Problems problems(path);
  if (const auto root = parse_yaml(input.text, problems, {}, "a web configuration")) {
    const auto folder = std::filesystem::path(path).parent_path().string();
    auto config = WebConfigReader(*root, folder, problems).read();
    if (problems.empty()) result.config = std::move(config);
  }
  result.problems = problems.take();
  return result;
}

bool is_password(const std::string& password, const std::string& hash) {
  const auto data = std::make_unique<crypt_data>();
  const auto& wanted = hash.empty() ? nobodys_hash : hash;
  const char* made = crypt_r(password.c_str(), wanted.c_str(), data.get());
  const bool cut = password.find('\0') != password.npos;  // crypt() reads no further
  if (made == nullptr || hash.empty() || cut) return false;
  return is_same_secret(made, hash);
}

std::optional<std::pair<std::string, std::string>> read_login(std::string_view authorization) {
  constexpr std::string_view scheme = "basic ";
  if (authorization.size() > most_login || authorization.size() < scheme.size())
    return std::nullopt;
  if (lower_case(authorization.substr(0, scheme.size())) != scheme) return std::nullopt;
  const auto bytes = from_base64(authorization.substr(scheme.size()));
  if (!bytes) return std::nullopt;
  const std::string text(bytes->begin(), bytes->end());
  const auto colon = text.find(':');
  if (colon == text.npos) return std::nullopt;
  return std::pair(text.substr(0, colon), text.substr(colon + 1));
}

}  // namespace callready::exporter
