#include "probe/net/tls_record.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <ctime>

#include "probe/net/public_roots.hpp"
#include "probe/util/digest.hpp"
#include "probe/util/text.hpp"
#include "probe/util/utf8.hpp"

namespace callready {
namespace {

int record_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

int context_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// The connection's own record, or that of its context.
TlsRecord* record_of(const SSL* ssl) {
  if (auto* own = SSL_get_ex_data(ssl, record_index())) return static_cast<TlsRecord*>(own);
  return static_cast<TlsRecord*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), context_index()));
}

// Lets every chain pass, and remembers what would have stopped it.
int on_verify(int ok, X509_STORE_CTX* store) {
  if (ok == 1) return 1;
  const auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  TlsRecord* record = record_of(ssl);
  const int code = X509_STORE_CTX_get_error(store);
  if (code == X509_V_ERR_HOSTNAME_MISMATCH || code == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    record->name_matches = false;
  } else if (record->objections.size() < TlsRecord::most_objections) {
    add_once(record->objections, code);
  }
  return 1;
}

// For BIO_set_callback_ex(3): the end of what is read.
long refuse_to_read(BIO* bio, int operation, const char*, std::size_t, int, long, int result,
                    std::size_t*) {
  if (operation != BIO_CB_READ) return result;
  BIO_clear_retry_flags(bio);
  ERR_raise(ERR_LIB_SSL, SSL_R_EXCESSIVE_MESSAGE_SIZE);
  return -1;
}

// Sees the header of every record, before OpenSSL looks at whether it is one.
void on_message(int sent, int, int type, const void* bytes, std::size_t size, SSL* ssl, void*) {
  TlsRecord* record = record_of(ssl);
  const std::string_view data(static_cast<const char*>(bytes), size);
  record->flow.note(sent != 0, type, data, ssl);
  if (sent != 0) return;
  if (type == SSL3_RT_ALERT && size == 2) record->alert = static_cast<std::uint8_t>(data[1]);
  if (type == SSL3_RT_HEADER && record->first_bytes.empty()) record->first_bytes = data;
}

// SSL_custom_ext_add_cb_ex(3): 1 where the extension is sent.
int on_padding(SSL* ssl, unsigned, unsigned, const unsigned char** data, std::size_t* size, X509*,
               std::size_t, int*, void*) {
  const auto* record = record_of(ssl);
  if (record == nullptr || record->padding.empty()) return 0;
  *data = record->padding.data();
  *size = record->padding.size();
  return 1;
}

// RFC 8446 section 5.1: change_cipher_spec to application_data, then version 3.x.
bool looks_like_tls(std::string_view header) {
  return header.size() >= 2 && header[0] >= 20 && header[0] <= 24 && header[1] == 3;
}

std::string printed(X509_NAME* name) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return printable({data, static_cast<std::size_t>(size)}, 500);
}

std::chrono::sys_seconds seconds_of(const ASN1_TIME* time) {
  using namespace std::chrono;
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  const auto day = year(parts.tm_year + 1900) / (parts.tm_mon + 1) / parts.tm_mday;
  return sys_days(day) + hours(parts.tm_hour) + minutes(parts.tm_min) + seconds(parts.tm_sec);
}

std::vector<std::string> alternative_names(X509* certificate) {
  std::vector<std::string> names;
  auto* raw = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> all(raw, &GENERAL_NAMES_free);
  for (int i = 0; i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    const ASN1_STRING* text = nullptr;
    if (name->type == GEN_DNS) text = name->d.dNSName;
    if (name->type == GEN_IPADD) text = name->d.iPAddress;
    if (text == nullptr) continue;
    const auto* data = ASN1_STRING_get0_data(text);
    const auto size = static_cast<std::size_t>(ASN1_STRING_length(text));
    if (name->type == GEN_DNS) {
      names.push_back(printable({reinterpret_cast<const char*>(data), size}, 255));
    } else if (size == 4 || size == 16) {
      names.push_back(IpAddress::of_bytes(data, size == 16).to_string());
    }
    if (names.size() == 200) break;  // some CDNs list hundreds; a report does not need all
  }
  return names;
}

std::string issuer_url(X509* certificate) {
  auto* raw = static_cast<AUTHORITY_INFO_ACCESS*>(
      X509_get_ext_d2i(certificate, NID_info_access, nullptr, nullptr));
  const std::unique_ptr<AUTHORITY_INFO_ACCESS, decltype(&AUTHORITY_INFO_ACCESS_free)> all(
      raw, &AUTHORITY_INFO_ACCESS_free);
  for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(all.get()); ++i) {
    const ACCESS_DESCRIPTION* access = sk_ACCESS_DESCRIPTION_value(all.get(), i);
    if (OBJ_obj2nid(access->method) != NID_ad_ca_issuers) continue;
    if (access->location->type != GEN_URI) continue;
    const auto* uri = access->location->d.uniformResourceIdentifier;
    return printable({reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                      static_cast<std::size_t>(ASN1_STRING_length(uri))});
  }
  return {};
}

CertificateInfo describe(X509* certificate) {
  CertificateInfo info;
  info.subject = printed(X509_get_subject_name(certificate));
  info.issuer = printed(X509_get_issuer_name(certificate));
  info.names = alternative_names(certificate);
  info.not_before = seconds_of(X509_get0_notBefore(certificate));
  info.not_after = seconds_of(X509_get0_notAfter(certificate));
  info.sha256 = hex(bytes_of(sha256_of(certificate)));
  unsigned char* key = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &key);
  if (length > 0) {
    const std::unique_ptr<unsigned char, void (*)(unsigned char*)> owned(
        key, [](unsigned char* bytes) { OPENSSL_free(bytes); });
    info.public_key_sha256 =
        sha256_hex({reinterpret_cast<const char*>(key), static_cast<std::size_t>(length)});
  }
  info.self_signed = X509_check_issued(certificate, certificate) == X509_V_OK;
  info.timestamps = X509_get_ext_by_NID(certificate, NID_ct_precert_scts, -1) >= 0;
  info.issuer_url = issuer_url(certificate);
  return info;
}

// For a watched context, whose connections are gone before anybody could ask them.
void on_state(const SSL* ssl, int where, int) {
  const bool alert = (where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT;
  if (where != SSL_CB_HANDSHAKE_DONE && where != SSL_CB_CONNECT_EXIT && !alert) return;
  TlsRecord* record = record_of(ssl);
  try {
    record->info = learn(ssl, *record, SSL_is_init_finished(ssl) == 1);
  } catch (const std::bad_alloc&) {  // the record stays as it was
  }
}

}  // namespace

void TlsFlow::note(bool sent, int type, std::string_view bytes, SSL* ssl) {
  if (sent) return;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (type == SSL3_RT_HEADER && bytes.size() == SSL3_RT_HEADER_LENGTH) {
    without_data += SSL3_RT_HEADER_LENGTH + byte(3) * 256u + byte(4);
    // TLS 1.3 marks everything encrypted as application data; the real type is inside.
    if (byte(0) == SSL3_RT_APPLICATION_DATA && SSL_version(ssl) < TLS1_3_VERSION) without_data = 0;
  } else if (type == SSL3_RT_INNER_CONTENT_TYPE && bytes.size() == 1 &&
             byte(0) == SSL3_RT_APPLICATION_DATA) {
    without_data = 0;
  }
  if (without_data > most_without_data) BIO_set_callback_ex(SSL_get_rbio(ssl), &refuse_to_read);
}

void bound_flow(SSL_CTX* context, TlsFlow* flow) {
  SSL_CTX_set_msg_callback(context, [](int sent, int, int type, const void* bytes, std::size_t size,
                                       SSL* ssl, void* argument) {
    static_cast<TlsFlow*>(argument)->note(sent != 0, type, {static_cast<const char*>(bytes), size},
                                          ssl);
  });
  SSL_CTX_set_msg_callback_arg(context, flow);
}

void watch(SSL* ssl, TlsRecord* record) {
  SSL_set_ex_data(ssl, record_index(), record);
  SSL_set_verify(ssl, SSL_VERIFY_PEER, &on_verify);
  SSL_set_msg_callback(ssl, &on_message);
}

void watch(SSL_CTX* context, TlsRecord* record) {
  SSL_CTX_set_ex_data(context, context_index(), record);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, &on_verify);
  SSL_CTX_set_msg_callback(context, &on_message);
  SSL_CTX_set_info_callback(context, &on_state);
  SSL_CTX_set_client_cert_cb(context, &on_client_certificate);
}

void expect_name(X509_VERIFY_PARAM* parameters, const std::string& name) {
  if (IpAddress::parse(name)) {
    X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str());
  } else {
    X509_VERIFY_PARAM_set1_host(parameters, name.c_str(), 0);
  }
}

int on_client_certificate(SSL* ssl, X509**, EVP_PKEY**) {
  record_of(ssl)->client_certificate_asked = true;
  return 0;
}

void allow_padding(SSL_CTX* context) {
  // Reserved: never given a meaning (RFC 8701 section 2).
  constexpr unsigned grease = 0x3a3a;
  SSL_CTX_add_custom_ext(context, grease, SSL_EXT_CLIENT_HELLO, on_padding, nullptr, nullptr,
                         nullptr, nullptr);
}

TlsInfo learn(const SSL* ssl, const TlsRecord& record, bool handshake_done) {
  TlsInfo info;
  if (handshake_done) {
    info.version = SSL_get_version(ssl);
    info.cipher = SSL_get_cipher_name(ssl);
  }
  if (STACK_OF(X509)* chain = SSL_get_peer_cert_chain(ssl)) {
    for (int i = 0; i < sk_X509_num(chain) && i < 16; ++i) {
      info.chain.push_back(describe(sk_X509_value(chain, i)));
    }
  }
  info.objections = record.objections;
  if (!record.objections.empty()) {
    info.verify_code = record.objections.front();
    info.verify_text = X509_verify_cert_error_string(info.verify_code);
  }
  if (const auto* roots = PublicRoots::of(ssl)) {
    if (const auto vouched = roots->vouch_for(ssl, record.objections.empty())) {
      info.public_root = vouched->expected;
      info.given_root = vouched->given;
      info.users_root = vouched->users;
    }
  }
  info.name_matches = record.name_matches;
  info.client_certificate_asked = record.client_certificate_asked;
  if (!record.first_bytes.empty() && !looks_like_tls(record.first_bytes)) {
    info.not_tls = printable(record.first_bytes);
  }
  return info;
}

}  // namespace callready
