// The syntax of a target set's values, as pure functions over text. Functions named `*_problem`
// return what is wrong with the value, or nothing if it is valid.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace callready {

// "turn-udp": lower case letters, digits, single "-" between them; at most 64.
bool is_id(std::string_view text);
// "sip_server": a lower case letter, then lower case letters, digits and "_"; at most 64.
bool is_variable_name(std::string_view text);
// "password", "turn_secret", "authToken": must never be in a file that people pass around.
bool names_a_secret(std::string_view text);

// A host name per RFC 1123 section 2.1; labels such as "_sip" (RFC 2782) are allowed. An address is
// not a host name.
std::optional<std::string> host_name_problem(std::string_view text);

// "*.example.com", "turn-*.example.com": a host name with "*" in at least one label, and at least
// one label without.
std::optional<std::string> wildcard_problem(std::string_view text);
// "*" stands for one or more characters, including dots, as in most firewalls.
bool matches_wildcard(std::string_view name, std::string_view pattern);

// "2025-05-07", a day that exists; with `less_will_do`, "2025-05" and "2025", too.
std::optional<std::string> date_problem(std::string_view text, bool less_will_do);

// http or https, a host, no user name or password.
std::optional<std::string> url_problem(std::string_view text);

// "sha256", "public_key_sha256": the parameters of checks that hold a certificate's digest.
bool holds_sha256(std::string_view parameter);
// The 64 digits, in lower case, of a SHA-256 as tools write it: in either case, with or without ":"
// between the bytes. Nothing for anything else.
std::optional<std::string> sha256_digits(std::string_view text);

// The names in `${...}`, in order. `problem` says what is wrong with the notation itself.
struct VariableUse {
  std::vector<std::string> names;
  std::optional<std::string> problem;
};
VariableUse variables_in(std::string_view text);

}  // namespace callready
