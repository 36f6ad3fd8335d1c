// A line with delay, jitter, loss and a rate between two interfaces of one network namespace:
//
//     callready-wan NEAR FAR DELAY_MS JITTER_MS LOSS_PERCENT RATE_KBIT
//
// Frames are taken from one interface and sent out of the other one DELAY_MS later, in each
// direction, plus a random part of JITTER_MS; LOSS_PERCENT of them never. RATE_KBIT per second get
// through in each direction, all of them where it is 0; what would wait longer than max_wait for
// its turn is dropped. Packets do not overtake each other, as on a single line. ARP passes at once
// and always: it is not part of the path. Packet sockets need CAP_NET_RAW in the namespace only, so
// this works without root, where /dev/net/tun does not.
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr auto max_wait = std::chrono::milliseconds(500);  // the buffer of a usual home router
constexpr std::size_t max_queued = 20'000;  // packets in flight in one direction; more are lost
// sizeof(virtio_net_hdr); <linux/virtio_net.h> is not C++.
constexpr std::size_t offload_header = 10;
constexpr std::size_t max_frame = 70'000;  // veth hands over segmentation-offloaded packets whole

struct Settings {
  Milliseconds delay{}, jitter{};
  double loss = 0;  // 0 to 1
  double rate = 0;  // bytes a second; 0: any
};

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// Every frame is preceded by a virtio_net_hdr, so that checksums that the kernel has put off
// (veth computes none) are still its business on the other side.
int open_interface(const char* name) {
  const int fd = ::socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
  if (fd < 0) fail("packet socket");
  const int on = 1;
  if (::setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) != 0) fail("PACKET_VNET_HDR");
  if (::setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) != 0)
    fail("PACKET_IGNORE_OUTGOING");
  const int room = 8 << 20;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);  // as much as the system allows
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(::if_nametoindex(name));
  if (address.sll_ifindex == 0) fail(name);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail(name);
  return fd;
}

// One direction of the line.
class Direction {
 public:
  Direction(int from, int to, const Settings& settings, unsigned seed)
      : from_(from), to_(to), settings_(settings), random_(seed), buffer_(max_frame) {}

  // Takes in what has arrived, a bounded number of frames at a time.
  void receive() {
    for (int count = 0; count < 64; ++count) {
      const ssize_t size = ::recv(from_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (size < 0) {
        // ENETDOWN: the interface is being taken away with its namespace.
        if (errno == EAGAIN || errno == EINTR || errno == ENETDOWN) return;
        fail("recv");
      }
      accept(static_cast<std::size_t>(size));
    }
  }

  // Sends what is due.
  void send(Clock::time_point now) {
    while (!queue_.empty() && queue_.front().due <= now) {
      put(queue_.front().frame);
      queue_.pop_front();
    }
  }

  std::optional<Clock::time_point> next_due() const {
    if (queue_.empty()) return std::nullopt;
    return queue_.front().due;
  }

 private:
  struct Queued {
    Clock::time_point due;
    std::vector<char> frame;
  };

  void accept(std::size_t size) {
    constexpr std::size_t type_at = offload_header + 2 * ETH_ALEN;
    if (size < type_at + 2) return;
    std::vector<char> frame(buffer_.begin(), buffer_.begin() + static_cast<ssize_t>(size));
    std::uint16_t type = 0;
    std::memcpy(&type, frame.data() + type_at, sizeof type);
    if (ntohs(type) == ETH_P_ARP) return put(frame);
    if (uniform_(random_) < settings_.loss || queue_.size() >= max_queued) return;
    const auto now = Clock::now();
    auto start = now;
    if (settings_.rate > 0) {
      start = std::max(now, free_at_);
      if (start - now > max_wait) return;
      const std::chrono::duration<double> takes(static_cast<double>(size - offload_header) /
                                                settings_.rate);
      free_at_ = start + std::chrono::duration_cast<Clock::duration>(takes);
      start = free_at_;
    }
    const auto wait = settings_.delay + settings_.jitter * uniform_(random_);
    const auto due = start + std::chrono::duration_cast<Clock::duration>(wait);
    last_due_ = std::max(last_due_, due);
    queue_.push_back({last_due_, std::move(frame)});
  }

  // A frame that the kernel does not take is lost, as on a real line.
  void put(const std::vector<char>& frame) { (void)::write(to_, frame.data(), frame.size()); }

  int from_, to_;
  Settings settings_;
  std::mt19937 random_;
  std::uniform_real_distribution<double> uniform_{0, 1};
  std::vector<char> buffer_;
  std::deque<Queued> queue_;
  Clock::time_point last_due_{};
  Clock::time_point free_at_{};  // when the line has sent what it was given
};

timespec until(std::optional<Clock::time_point> due) {
  const auto wait = std::clamp<Clock::duration>(due ? *due - Clock::now() : Clock::duration::max(),
                                                Clock::duration::zero(), std::chrono::seconds(1));
  const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(wait).count();
  return {.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
}

double number(std::string_view text, double high) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0 || value > high)
    throw std::runtime_error("not a number in its range: " + std::string(text));
  return value;
}

void run(const char* near_name, const char* far_name, const Settings& settings) {
  ::prctl(PR_SET_TIMERSLACK, 1UL);  // the default of 50 us is for saving power
  // Before the servers and the command, where we may: what they wait for is us.
  (void)::setpriority(PRIO_PROCESS, 0, -15);
  const int near_fd = open_interface(near_name), far_fd = open_interface(far_name);
  // Fixed seeds: the same site loses the same packets in every run.
  std::array directions{Direction(near_fd, far_fd, settings, 1),
                        Direction(far_fd, near_fd, settings, 2)};
  std::array polls{pollfd{near_fd, POLLIN, 0}, pollfd{far_fd, POLLIN, 0}};
  std::puts("forwarding");
  std::fflush(stdout);
  while (true) {  // ends with its namespace: the site kills it
    auto due = directions[0].next_due();
    if (const auto other = directions[1].next_due(); other && (!due || *other < *due)) due = other;
    const timespec wait = until(due);
    if (::ppoll(polls.data(), polls.size(), &wait, nullptr) < 0 && errno != EINTR) fail("ppoll");
    for (auto& direction : directions) {
      direction.receive();
      direction.send(Clock::now());
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 7) {
      std::fputs("usage: callready-wan NEAR FAR DELAY_MS JITTER_MS LOSS_PERCENT RATE_KBIT\n",
                 stderr);
      return 2;
    }
    run(argv[1], argv[2],
        {Milliseconds(number(argv[3], 60'000)), Milliseconds(number(argv[4], 60'000)),
         number(argv[5], 100) / 100, number(argv[6], 10'000'000) * 1000 / 8});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "callready-wan: %s\n", error.what());
    return 1;
  }
}
