// Where the site ends: the first router on the way out that is not the site's own. A packet that
// dies there with "time exceeded" has left the site, whatever its far end says.
//
// Routers answer few ICMP errors (Linux: six in a burst, then one a second), and all of a run share
// them: so all questions go through one queue, in waves, each with a control at its end.
#pragma once

#include <deque>
#include <optional>
#include <set>

#include "probe/net/one_shot.hpp"
#include "probe/net/stream.hpp"
#include "probe/net/task_group.hpp"
#include "probe/net/udp.hpp"

namespace callready {

struct Hop {
  int ttl = 0;        // packets with this TTL end there
  IpAddress address;  // as it signs its ICMP errors
};

// True for the address of a router that can only stand beyond the site's edge: not RFC 1918, RFC
// 4193 or link-local. Carrier NAT's 100.64/10 (RFC 6598) is the provider's.
bool beyond_the_edge(const IpAddress& router);

class SiteEdge {
 public:
  explicit SiteEdge(const asio::any_io_executor& executor)
      : executor_(executor), tasks_(executor) {}

  struct Found {
    std::optional<Hop> hop;     // the nearest beyond the edge; nothing where none there answers
    bool by_this_call = false;  // a UDP packet to this call's own port was seen to leave the site
  };
  // Looked for once a run and family, on the way to the first caller's `target`, with packets whose
  // TTL is too small to arrive: UDP to `port`, and where none of these gets out, TCP SYNs to 443,
  // then to 80: where TLS is opened on the way, somebody nearer answers for 443. Where nothing was
  // found, once more on the way to another target: the first may be blocked. `interface` as in
  // ConnectOptions.
  asio::awaitable<Found> find(SocketAddress target, std::string interface, Scope scope);

  // The routers on the way that the edge was looked for on, by TTL, up to the edge: those that
  // answered. Empty before find().
  std::map<int, IpAddress> routers(bool v6) const;

  // From now on a wave's control goes to this TCP listener, which was reached: the target that the
  // edge was found by may be blocked itself.
  void use_control(SocketAddress listener) { controls_[listener.address.is_v6()] = listener; }

  // What one packet that ends at the hop came to.
  struct Answer {
    std::optional<IcmpError> icmp;  // the hop's, or another device's refusal
    // Of a SYN: somebody nearer than the hop took the connection, or reset it.
    bool taken = false, reset = false;
    // Without an answer: the control, sent after it, was answered, so the hop had one to give.
    bool control_answered = false;
  };

  // Sends `payload` from the socket with the hop's TTL in the next wave. `patient`: where the hop
  // has run out of answers, wait for its next ones until `until`; otherwise say so at once. find()
  // must have found a hop. The socket has to live until the answer is there.
  asio::awaitable<Answer> ask(UdpSocket& socket, std::vector<std::uint8_t> payload, bool patient,
                              Scope scope, Instant until);

  // The same for a SYN to `remote`.
  asio::awaitable<Answer> ask_syn(SocketAddress remote, std::string interface, bool patient,
                                  Scope scope, Instant until);

  // What outlasts its caller; the session waits for it.
  const TaskGroup& tasks() const { return tasks_; }

  // True once a control went unanswered: further questions cost a second each.
  bool exhausted() const { return exhausted_; }

 private:
  struct Search {
    bool done = false;
    int number = 1;
    std::optional<Hop> hop;
    std::uint16_t port = 443;          // by TCP, that gets as far as the hop
    std::map<int, IpAddress> routers;  // by TTL, as far as they answered
    IpAddress target;
    std::string interface;
    std::vector<OneShot<bool>> waiting;
  };
  struct Question {
    bool by_tcp;
    UdpSocket* socket;  // by UDP; null once its owner has given up
    std::vector<std::uint8_t> payload;
    SocketAddress remote;
    std::string interface;
    bool patient;
    Scope scope;
    Instant until;
    OneShot<Answer> answer;
    Answer heard;
    bool settled() const { return heard.icmp || heard.taken || heard.reset; }
  };

  asio::awaitable<Answer> put(std::shared_ptr<Question> question);

  void tell_the_hasty(Instant next_answers);
  asio::awaitable<void> make_waves(Scope scope, std::shared_ptr<Search> search);
  asio::awaitable<void> make_next_wave(Scope scope, std::shared_ptr<Search> search);
  asio::awaitable<bool> make_wave(Scope scope, const Search& search,
                                  const std::vector<std::shared_ptr<Question>>& questions);
  static asio::awaitable<void> hear(std::shared_ptr<Question> question, Instant deadline);
  static asio::awaitable<void> connect(asio::any_io_executor executor,
                                       std::shared_ptr<Question> question, int ttl);

  asio::any_io_executor executor_;
  std::map<bool, std::shared_ptr<Search>> searches_;  // by is_v6
  std::map<bool, SocketAddress> controls_;            // by is_v6; where absent: the target
  std::deque<std::shared_ptr<Question>> queue_;
  TaskGroup tasks_;
  bool working_ = false, exhausted_ = false;
};

}  // namespace callready
