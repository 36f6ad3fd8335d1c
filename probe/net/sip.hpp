// SIP messages (RFC 3261), as far as a probe needs them: a request is built, replies are read.
// Bytes in, bytes out, with libosip2 for the grammar; no sockets, no transaction layer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "probe/model/words.hpp"
#include "probe/net/failure.hpp"

namespace callready::sip {

// The largest message, head and body: the largest datagram (RFC 3261 section 18.1.1).
inline constexpr std::size_t max_message = 65'535;
// The largest head. Replies to OPTIONS have some 500 bytes; with the certificates of an Identity
// header, a few thousand.
inline constexpr std::size_t max_head = 16'384;
inline constexpr std::size_t max_header_fields = 256;

// What ties a reply to its request (RFC 3261 section 17.1.3).
struct Transaction {
  std::string branch, call_id, from_tag;
  std::uint32_t sequence = 1;
  std::string method = "OPTIONS";
};

// With 128 random bits in each name, so that nobody off the path can guess a reply.
Transaction new_transaction();

// An OPTIONS outside a dialog (RFC 3261 section 11), from nobody: it carries no user's identity. Or
// another request (the transaction's method), with a session description where there is one.
struct Options {
  Transport transport = Transport::udp;
  std::string host;                // of the Request-URI: a name, or an address without brackets
  std::uint16_t port = 0;          // of the Request-URI; 0: none there
  std::string sent_by_host;        // of the Via; a name, or an address without brackets
  std::uint16_t sent_by_port = 0;  // of the Via; 0: none there
  bool rport = true;               // ask for the source port (RFC 3581)
  std::string user_agent;
  std::string sdp;       // the body (RFC 8866); with it goes a Contact of the Via's address
  std::size_t size = 0;  // of the message at least, padded by a meaningless header
  // Of the reply over UDP: requested from `callready serve` by a header that others ignore; at most
  // `size`. 0: as it comes.
  std::size_t reply_size = 0;
  Transaction transaction;
};

// The smallest session description that offers audio (RFC 8866 section 5) at that address.
std::string make_sdp(const SocketAddress& media);

// True where `host` can stand in a URI: a host name or an IP address without brackets.
bool valid_host(std::string_view host);

// The message as it goes out. Failure `local` where a host is not valid.
Result<std::vector<std::uint8_t>> build(const Options& options);

// One Via value, topmost first in Reply::vias.
struct Via {
  std::string transport;    // "UDP", in upper case
  std::string host;         // sent-by, IPv6 without brackets
  std::uint16_t port = 0;   // sent-by; 0: none
  std::string branch;       // empty: none
  std::string received;     // as the server saw us; empty: none
  std::uint16_t rport = 0;  // 0: none, or without a value
  bool operator==(const Via&) const = default;
  std::string sent_by() const;  // "192.0.2.1:5060", "[2001:db8::1]:5060", "probe.invalid"
};

struct Reply {
  int status = 0;      // 100 to 699
  std::string reason;  // as sent, not checked; see printable()
  std::vector<Via> vias;
  std::string call_id;
  std::uint32_t sequence = 0;
  std::string method;                     // of CSeq
  std::string server, user_agent, allow;  // empty: absent. Several of Allow are joined by ", "
  bool contact = false;
  std::optional<std::size_t> content_length;
  std::size_t body_size = 0;
  std::string content_type, body;  // as sent, not checked

  bool provisional() const { return status < 200; }
};

enum class Carriage { datagram, stream };

// Reads one whole message. Failure `malformed` (the text says what) if it is not a SIP/2.0 reply or
// lacks Via, From, To, Call-ID, CSeq (RFC 3261 section 8.1.1 and 20), or where Content-Length is
// not that of the body: on a stream it must be there and exact; in a datagram it may be absent or
// less than what came, not more (section 18.3). Failure `oversized` beyond the bounds above.
Result<Reply> parse_reply(std::span<const std::uint8_t> message, Carriage carriage);

// The parts of our request that were changed on the way to the server: "Via", "Contact", "c=" ... A
// server shows them if it mirrors the request (`application/octet-stream`, the request as it came,
// in base64, which nothing on the way can change). Nothing if the reply does not mirror this
// request. What a proxy may do is not a change: more Via lines, and parameters added to ours (RFC
// 3261 section 16.6).
std::optional<std::vector<std::string>> mirrored_changes(const Reply& reply,
                                                         std::span<const std::uint8_t> sent);

// RFC 3261 section 17.1.3, and the Call-ID too: true where the reply is to that request.
bool belongs_to(const Reply& reply, const Transaction& transaction);

// Finds the messages in a stream, however it is split (RFC 3261 section 18.3).
class Framer {
 public:
  void push(std::span<const std::uint8_t> bytes);
  // The next whole message; nothing while it is incomplete. After a failure (malformed, oversized)
  // the stream has lost its frame and every further call fails the same way. CRLFs between messages
  // are keep-alives (RFC 5626 section 4.4.1) and skipped.
  Result<std::optional<std::vector<std::uint8_t>>> next();
  // True where bytes of an unfinished message wait.
  bool pending() const { return !buffer_.empty(); }

 private:
  std::vector<std::uint8_t> buffer_;
  std::size_t searched_ = 0;  // no end of the head begins before this
  bool started_ = false;      // the start line was found to be SIP's
  std::size_t head_ = 0;      // bytes of the head with its empty line; 0: not known yet
  std::size_t body_ = 0;
  std::optional<Failure> failure_;
};

// Sorts what comes back to one request.
class Collector {
 public:
  explicit Collector(Transaction transaction) : transaction_(std::move(transaction)) {}

  // True where the message is a final reply to the request: nothing more needs to be awaited.
  bool take(std::span<const std::uint8_t> message, Carriage carriage);
  void take_broken(const Failure& failure);

  // The final reply, otherwise the last provisional one.
  const std::optional<Reply>& reply() const { return reply_; }
  int provisional() const { return provisional_; }  // how many
  int foreign() const { return foreign_; }          // SIP replies to somebody else's request
  int broken() const { return broken_; }            // not SIP replies
  const std::string& why_broken() const { return why_broken_; }  // of the first

 private:
  Transaction transaction_;
  std::optional<Reply> reply_;
  int provisional_ = 0, foreign_ = 0, broken_ = 0;
  std::string why_broken_;
};

}  // namespace callready::sip
