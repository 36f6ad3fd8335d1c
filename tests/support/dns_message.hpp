// Writes DNS messages byte by byte, valid ones and malformed ones.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "probe/model/ip.hpp"

namespace callready::test {

using Bytes = std::vector<std::uint8_t>;

inline void put16(Bytes& bytes, int word) {
  bytes.push_back(static_cast<std::uint8_t>(word >> 8 & 0xff));
  bytes.push_back(static_cast<std::uint8_t>(word & 0xff));
}

inline void put_all(Bytes& bytes, const Bytes& more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

inline Bytes wire_name(std::string_view name) {
  Bytes bytes;
  while (!name.empty()) {
    const auto dot = name.find('.');
    const auto label = name.substr(0, dot);
    bytes.push_back(static_cast<std::uint8_t>(label.size()));
    bytes.insert(bytes.end(), label.begin(), label.end());
    name.remove_prefix(dot == name.npos ? name.size() : dot + 1);
  }
  bytes.push_back(0);
  return bytes;
}

inline Bytes wire_address(const std::string& text) {
  const auto address = IpAddress::parse(text).value();
  return {address.bytes().begin(), address.bytes().begin() + address.bits() / 8};
}

inline Bytes wire_string(std::string_view text) {
  Bytes bytes{static_cast<std::uint8_t>(text.size())};
  bytes.insert(bytes.end(), text.begin(), text.end());
  return bytes;
}

// A response; the question's name is at byte 12, where `pointer` leads.
struct DnsMessage {
  static constexpr std::uint8_t pointer[] = {0xc0, 12};

  int id = 0x1234;
  int flags = 0x8180;  // response, recursion desired and available
  std::string question = "example.com";
  int type = 1;
  int questions = 1;
  Bytes body;
  int counts[3] = {0, 0, 0};

  // section: 0 answer, 1 authority, 2 additional. An empty `owner` points to the question.
  DnsMessage& add(int section, std::string_view owner, int record_type, const Bytes& data,
                  int record_class = 1, int ttl = 300) {
    ++counts[section];
    if (owner.empty()) {
      put_all(body, {pointer[0], pointer[1]});
    } else {
      put_all(body, wire_name(owner));
    }
    put16(body, record_type);
    put16(body, record_class);
    put16(body, ttl >> 16);
    put16(body, ttl);
    put16(body, static_cast<int>(data.size()));
    put_all(body, data);
    return *this;
  }

  DnsMessage& answer(int record_type, const Bytes& data) { return add(0, "", record_type, data); }

  // RFC 6891, with an extended error (RFC 8914) if `code` is not negative.
  DnsMessage& edns(int code = -1, std::string_view text = {}, int upper_rcode = 0) {
    Bytes data;
    if (code >= 0) {
      put16(data, 15);
      put16(data, static_cast<int>(text.size()) + 2);
      put16(data, code);
      data.insert(data.end(), text.begin(), text.end());
    }
    ++counts[2];
    body.push_back(0);
    put16(body, 41);
    put16(body, 1232);
    put16(body, upper_rcode << 8);
    put16(body, 0);
    put16(body, static_cast<int>(data.size()));
    put_all(body, data);
    return *this;
  }

  Bytes bytes() const {
    Bytes all;
    put16(all, id);
    put16(all, flags);
    put16(all, questions);
    for (const int count : counts) put16(all, count);
    if (questions > 0) {
      put_all(all, wire_name(question));
      put16(all, type);
      put16(all, 1);
    }
    put_all(all, body);
    return all;
  }
};

// Data of record types.
inline Bytes srv_data(int priority, int weight, int port, std::string_view target) {
  Bytes data;
  put16(data, priority);
  put16(data, weight);
  put16(data, port);
  put_all(data, wire_name(target));
  return data;
}

inline Bytes naptr_data(int order, int preference, std::string_view flags,
                        std::string_view services, std::string_view regexp,
                        std::string_view replacement) {
  Bytes data;
  put16(data, order);
  put16(data, preference);
  put_all(data, wire_string(flags));
  put_all(data, wire_string(services));
  put_all(data, wire_string(regexp));
  put_all(data, wire_name(replacement));
  return data;
}

inline Bytes soa_data(std::string_view mname, std::string_view rname) {
  Bytes data = wire_name(mname);
  put_all(data, wire_name(rname));
  for (int i = 1; i <= 5; ++i) {
    put16(data, 0);
    put16(data, i);
  }
  return data;
}

}  // namespace callready::test
