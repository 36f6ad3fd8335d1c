// A line with delay, jitter, loss and a rate between two interfaces of one network namespace:
//
//     callready-wan NEAR FAR DELAY_MS JITTER_MS LOSS_PERCENT RATE_KBIT [up.|down.NAME=VALUE]...
//         [seed=N] [ledger=FILE]
//
// Frames are taken from one interface and sent out of the other one DELAY_MS later, in each
// direction, plus a random part of JITTER_MS; LOSS_PERCENT of them never. RATE_KBIT per second get
// through in each direction, all of them where it is 0; what would wait longer than max_wait for
// its turn is dropped. Packets do not overtake each other, as on a single line, but for those that
// `reorder` holds back. With up. (from NEAR to FAR) and down. each direction has its own `delay`,
// `jitter`, `loss` and `rate`, and these, in percent of the packets: `p` and `r`, the chances of a
// Gilbert model to fall into loss and to come out of it again; `reorder`, held back by reorder_ms;
// `duplicate`; `early`, come 60 ms before the others. Counted in packets of a call (172 bytes of
// UDP) that have come in this direction: `dark` and `light`, the first that is lost and the first
// that is not any more; `dead`, from which on nothing at all passes; `later`, from which on all
// take 60 ms more. The ledger has a line for every UDP packet over IPv4, in the order of arrival
// here: direction, ports, bytes of payload, its first four bytes as a number, what became of it
// (passed, lost, full), how often it was sent, and the microseconds when it came and when it left,
// by the kernel's stamps, however late this process was woken. It is whole when the program is
// ended by SIGTERM. ARP passes at once and always: it is not part of the path. Packet sockets need
// CAP_NET_RAW in the namespace only, so this works without root, where /dev/net/tun does not.
#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
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
using Stamp = std::chrono::nanoseconds;  // since the epoch, as the kernel stamps packets

constexpr auto max_wait = std::chrono::milliseconds(500);  // the buffer of a usual home router
constexpr std::size_t max_queued = 20'000;  // packets in flight in one direction; more are lost
// sizeof(virtio_net_hdr); <linux/virtio_net.h> is not C++.
constexpr std::size_t offload_header = 10;
constexpr std::size_t max_frame = 70'000;  // veth hands over segmentation-offloaded packets whole

struct Settings {
  Milliseconds delay{}, jitter{};
  double loss = 0;                                             // 0 to 1
  double rate = 0;                                             // bytes a second; 0: any
  double p = 0, r = 0, reorder = 0, duplicate = 0, early = 0;  // 0 to 1
  double dark = 0, light = 0, dead = 0, later = 0;             // packets; 0: never
};

constexpr auto reorder_ms = std::chrono::milliseconds(30);
constexpr auto early_ms = std::chrono::milliseconds(60);

// What became of every UDP packet.
class Ledger {
 public:
  void open(const char* path) {
    file_.reset(std::fopen(path, "w"));
    if (!file_) fail_to_open(path);
  }

  struct Entry {
    bool up = false;
    unsigned from = 0, to = 0, bytes = 0, word = 0;
    const char* fate = "passed";
    int times = 0;
    Stamp came{}, left{};
  };

  // For a frame after its offload header; nothing if it is not UDP over IPv4, or without a ledger.
  std::shared_ptr<Entry> enter(bool up, Stamp came, const std::vector<char>& frame,
                               std::size_t at) {
    if (!file_) return nullptr;
    const auto byte = [&](std::size_t i) -> unsigned {
      return at + i < frame.size() ? static_cast<unsigned char>(frame[at + i]) : 0;
    };
    constexpr std::size_t ip = 14;
    if (byte(12) != 8 || byte(13) != 0 || byte(ip) >> 4 != 4 || byte(ip + 9) != 17) return nullptr;
    const std::size_t udp = ip + 4 * (byte(ip) & 15), payload = udp + 8;
    auto entry = std::make_shared<Entry>();
    entry->up = up;
    entry->from = byte(udp) << 8 | byte(udp + 1);
    entry->to = byte(udp + 2) << 8 | byte(udp + 3);
    entry->bytes = (byte(udp + 4) << 8 | byte(udp + 5)) - 8;
    for (std::size_t i = 0; i < 4; ++i) entry->word = entry->word << 8 | byte(payload + i);
    entry->came = came;
    entries_.push_back(entry);
    return entry;
  }

  void write() {
    if (!file_) return;
    const auto us = [](Stamp time) { return static_cast<long long>(time.count() / 1000); };
    for (const auto& entry : entries_) {
      std::fprintf(file_.get(), "%s %u %u %u %u %s %d %lld %lld\n", entry->up ? "up" : "down",
                   entry->from, entry->to, entry->bytes, entry->word, entry->fate, entry->times,
                   us(entry->came), us(entry->left));
    }
    std::fflush(file_.get());
  }

 private:
  [[noreturn]] static void fail_to_open(const char* path) {
    throw std::system_error(errno, std::generic_category(), path);
  }
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file_;
  std::vector<std::shared_ptr<Entry>> entries_;
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
  const int stamps = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE |
                     SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_OPT_ID |
                     SOF_TIMESTAMPING_OPT_TSONLY;
  if (::setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof stamps) != 0)
    fail("SO_TIMESTAMPING");
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

Stamp now_as_stamp() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

// A message from a packet socket, and what the kernel says beside it.
struct Received {
  ssize_t size = -1;
  std::optional<Stamp> stamp;
  std::optional<std::uint32_t> sent;  // from the error queue: how many were sent before this one
};

Received receive_message(int fd, std::vector<char>& buffer, int flags) {
  iovec data{buffer.data(), buffer.size()};
  alignas(cmsghdr) std::array<char, 256> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  Received received{.size = ::recvmsg(fd, &message, flags | MSG_DONTWAIT)};
  if (received.size < 0) return received;
  for (auto* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_TIMESTAMPING) {
      scm_timestamping times{};
      std::memcpy(&times, CMSG_DATA(header), sizeof times);
      received.stamp =
          std::chrono::seconds(times.ts[0].tv_sec) + std::chrono::nanoseconds(times.ts[0].tv_nsec);
    } else if (header->cmsg_level == SOL_PACKET && header->cmsg_type == PACKET_TX_TIMESTAMP) {
      sock_extended_err about{};
      std::memcpy(&about, CMSG_DATA(header), sizeof about);
      received.sent = about.ee_data;
    }
  }
  return received;
}

// One direction of the line.
class Direction {
 public:
  Direction(int from, int to, const Settings& settings, unsigned seed, bool up, Ledger& ledger)
      : from_(from),
        to_(to),
        settings_(settings),
        random_(seed),
        buffer_(max_frame),
        up_(up),
        ledger_(ledger) {}

  // Takes in what has arrived, a bounded number of frames at a time.
  void receive() {
    for (int count = 0; count < 64; ++count) {
      const auto received = receive_message(from_, buffer_, 0);
      if (received.size < 0) {
        // ENETDOWN: the interface is being taken away with its namespace.
        if (errno == EAGAIN || errno == EINTR || errno == ENETDOWN) return;
        fail("recvmsg");
      }
      // The kernel may stamp only some time after it has been asked to.
      accept(static_cast<std::size_t>(received.size), received.stamp.value_or(now_as_stamp()));
    }
  }

  // Notes when the kernel sent what it was given.
  void note_sent() {
    for (int count = 0; count < 64; ++count) {
      const auto received = receive_message(to_, buffer_, MSG_ERRQUEUE);
      if (received.size < 0) return;
      const auto found = received.sent ? unstamped_.find(*received.sent) : unstamped_.end();
      if (found == unstamped_.end()) continue;
      if (received.stamp) found->second->left = *received.stamp;
      unstamped_.erase(found);
    }
  }

  // Sends what is due.
  void send(Clock::time_point now) {
    while (!queue_.empty() && queue_.begin()->first <= now) {
      auto& [frame, entry] = queue_.begin()->second;
      const auto before = now_as_stamp();
      if (!put(frame)) {
        if (entry) entry->fate = "full";
      } else if (entry && ++entry->times == 1) {
        entry->left = before;  // until the kernel says it better
        unstamped_[written_ - 1] = entry;
      }
      queue_.erase(queue_.begin());
    }
  }

  std::optional<Clock::time_point> next_due() const {
    if (queue_.empty()) return std::nullopt;
    return queue_.begin()->first;
  }

 private:
  struct Queued {
    std::vector<char> frame;
    std::shared_ptr<Ledger::Entry> entry;
  };

  bool chance(double share) { return share > 0 && uniform_(random_) < share; }

  // Lost by chance, or in a bad time of the Gilbert model.
  bool is_lost() {
    if (bad_ ? chance(settings_.r) : chance(settings_.p)) bad_ = !bad_;
    return bad_ || uniform_(random_) < settings_.loss;
  }

  // UDP over IPv4 as long as a packet of a call with G.711.
  static bool is_call(const std::vector<char>& frame) {
    constexpr std::size_t call = 14 + 20 + 8 + 172, protocol_at = offload_header + 14 + 9;
    return frame.size() == offload_header + call && frame[protocol_at] == 17;
  }

  bool is_dark(bool call) const {
    if (settings_.dead > 0 && calls_ >= settings_.dead) return true;
    const bool begun = settings_.dark > 0 && calls_ >= settings_.dark;
    return call && begun && (settings_.light <= 0 || calls_ < settings_.light);
  }

  void accept(std::size_t size, Stamp stamp) {
    constexpr std::size_t type_at = offload_header + 2 * ETH_ALEN;
    if (size < type_at + 2) return;
    std::vector<char> frame(buffer_.begin(), buffer_.begin() + static_cast<ssize_t>(size));
    std::uint16_t type = 0;
    std::memcpy(&type, frame.data() + type_at, sizeof type);
    if (ntohs(type) == ETH_P_ARP) return void(put(frame));
    const auto entry = ledger_.enter(up_, stamp, frame, offload_header);
    const auto came =
        Clock::now() - std::chrono::duration_cast<Clock::duration>(now_as_stamp() - stamp);
    const auto lost = [&](const char* why) {
      if (entry) entry->fate = why;
    };
    if (is_call(frame)) ++calls_;
    if (is_dark(is_call(frame))) return lost("dark");
    if (is_lost()) return lost("lost");
    if (queue_.size() >= max_queued) return lost("full");
    auto start = came;
    if (settings_.rate > 0) {
      start = std::max(came, free_at_);
      if (start - came > max_wait) return lost("full");
      const std::chrono::duration<double> takes(static_cast<double>(size - offload_header) /
                                                settings_.rate);
      free_at_ = start + std::chrono::duration_cast<Clock::duration>(takes);
      start = free_at_;
    }
    const auto wait = settings_.delay + settings_.jitter * uniform_(random_);
    auto due = start + std::chrono::duration_cast<Clock::duration>(wait);
    if (settings_.later > 0 && calls_ >= settings_.later) due += early_ms;
    if (settings_.early > 0) {
      if (chance(settings_.early)) {
        queue_.emplace(due, Queued{std::move(frame), entry});
        return;
      }
      due += early_ms;
    }
    if (chance(settings_.reorder)) {
      queue_.emplace(std::max(last_due_, due) + reorder_ms, Queued{std::move(frame), entry});
      return;
    }
    last_due_ = std::max(last_due_, due);
    if (chance(settings_.duplicate)) queue_.emplace(last_due_, Queued{frame, entry});
    queue_.emplace(last_due_, Queued{std::move(frame), entry});
  }

  // A frame that the kernel does not take is lost, as on a real line.
  bool put(const std::vector<char>& frame) {
    if (::write(to_, frame.data(), frame.size()) < 0) return false;
    ++written_;
    return true;
  }

  int from_, to_;
  Settings settings_;
  std::mt19937 random_;
  std::uniform_real_distribution<double> uniform_{0, 1};
  std::vector<char> buffer_;
  std::multimap<Clock::time_point, Queued> queue_;  // by when it is due
  std::uint32_t written_ = 0;                       // frames
  // Those whose time of sending is not known yet, by how many were written before.
  std::map<std::uint32_t, std::shared_ptr<Ledger::Entry>> unstamped_;
  bool up_;
  bool bad_ = false;  // in a bad time of the Gilbert model
  double calls_ = 0;  // packets of a call that have come
  Ledger& ledger_;
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

volatile std::sig_atomic_t ended = 0;

void run(const char* near_name, const char* far_name, const Settings& up, const Settings& down,
         unsigned seed, Ledger& ledger) {
  std::signal(SIGTERM, [](int) { ended = 1; });
  ::prctl(PR_SET_TIMERSLACK, 1UL);  // the default of 50 us is for saving power
  // Ahead of all others, if we may: they wait for us.
  const sched_param least{.sched_priority = 1};
  if (::sched_setscheduler(0, SCHED_RR, &least) != 0) (void)::setpriority(PRIO_PROCESS, 0, -15);
  const int near_fd = open_interface(near_name), far_fd = open_interface(far_name);
  // Fixed seeds: the same site loses the same packets in every run.
  std::array directions{Direction(near_fd, far_fd, up, 2 * seed + 1, true, ledger),
                        Direction(far_fd, near_fd, down, 2 * seed + 2, false, ledger)};
  std::array polls{pollfd{near_fd, POLLIN, 0}, pollfd{far_fd, POLLIN, 0}};
  std::puts("forwarding");
  std::fflush(stdout);
  while (ended == 0) {  // or with its namespace: the site kills it
    auto due = directions[0].next_due();
    if (const auto other = directions[1].next_due(); other && (!due || *other < *due)) due = other;
    const timespec wait = until(due);
    if (::ppoll(polls.data(), polls.size(), &wait, nullptr) < 0 && errno != EINTR) fail("ppoll");
    for (auto& direction : directions) {
      direction.receive();
      direction.send(Clock::now());
      direction.note_sent();
    }
  }
}

struct Line {
  Settings up, down;
  unsigned seed = 0;
  Ledger ledger;
};

// "up.loss=2", "ledger=FILE"
void set(Line& line, std::string_view option) {
  const auto equals = option.find('=');
  auto name = option.substr(0, equals);
  if (equals == option.npos)
    throw std::runtime_error("expected NAME=VALUE: " + std::string(option));
  const auto value = option.substr(equals + 1);
  if (name == "ledger") return line.ledger.open(std::string(value).c_str());
  if (name == "seed") return void(line.seed = static_cast<unsigned>(number(value, 1e6)));
  const bool up = name.starts_with("up.");
  if (!up && !name.starts_with("down.")) throw std::runtime_error("unknown: " + std::string(name));
  auto& settings = up ? line.up : line.down;
  name.remove_prefix(up ? 3 : 5);
  if (name == "delay") {
    settings.delay = Milliseconds(number(value, 60'000));
  } else if (name == "jitter") {
    settings.jitter = Milliseconds(number(value, 60'000));
  } else if (name == "rate") {
    settings.rate = number(value, 10'000'000) * 1000 / 8;
  } else {
    constexpr std::pair<std::string_view, double Settings::*> shares[] = {
        {"loss", &Settings::loss},
        {"p", &Settings::p},
        {"r", &Settings::r},
        {"reorder", &Settings::reorder},
        {"duplicate", &Settings::duplicate},
        {"early", &Settings::early}};
    constexpr std::pair<std::string_view, double Settings::*> packets[] = {
        {"dark", &Settings::dark},
        {"light", &Settings::light},
        {"dead", &Settings::dead},
        {"later", &Settings::later}};
    for (const auto& [known, member] : packets) {
      if (name == known) return void(settings.*member = number(value, 1e6));
    }
    for (const auto& [known, member] : shares) {
      if (name == known) return void(settings.*member = number(value, 100) / 100);
    }
    throw std::runtime_error("unknown: " + std::string(name));
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 7) {
      std::fputs(
          "usage: callready-wan NEAR FAR DELAY_MS JITTER_MS LOSS_PERCENT RATE_KBIT "
          "[up.|down.NAME=VALUE]... [seed=N] [ledger=FILE]\n",
          stderr);
      return 2;
    }
    Line line;
    line.up = {Milliseconds(number(argv[3], 60'000)), Milliseconds(number(argv[4], 60'000)),
               number(argv[5], 100) / 100, number(argv[6], 10'000'000) * 1000 / 8};
    line.down = line.up;
    for (int i = 7; i < argc; ++i) set(line, argv[i]);
    run(argv[1], argv[2], line.up, line.down, line.seed, line.ledger);
    line.ledger.write();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "callready-wan: %s\n", error.what());
    return 1;
  }
}
