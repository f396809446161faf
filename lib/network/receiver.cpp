#include <algorithm>
#include <array>
#include <map>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "network/clock_estimate.hpp"
#include "network/message.hpp"
#include "network/packing.hpp"
#include "network/replica.hpp"
#include "network/socket.hpp"
#include "shmim/error.hpp"
#include "shmim/text.hpp"

namespace shmim::network {
namespace {

using std::chrono::steady_clock;

/// So often a receiver says what it wants, whatever comes.
constexpr std::chrono::milliseconds between_reminders{500};

}  // namespace

/// One stream that is received.
struct Intake {
  Intake(std::string remote_name, Replica replica_here)
      : remote(std::move(remote_name)), replica(std::move(replica_here)) {}
  std::string remote;
  Replica replica;
  std::uint64_t session = 0;
  std::uint64_t taken = 0;  ///< number of the last frame, in the session
  std::vector<std::byte> unpacked;
  Compression packed = Compression::none;  ///< as was told
  steady_clock::time_point told_packed;
};

}  // namespace shmim::network

namespace shmim {

using namespace network;  // NOLINT(google-build-using-namespace): this is what it was made for

class Receiver::Inlet {
 public:
  Inlet(std::string endpoint, std::vector<WantedStream> streams, SearchPath search_path,
        ReceiverOptions options)
      : endpoint_(std::move(endpoint)),
        called_(options.called.empty() ? endpoint_ : options.called),
        search_path_(std::move(search_path)),
        options_(std::move(options)),
        wants_all_(streams.empty()),
        context_(1),
        socket_(context_, zmq::socket_type::dealer),
        monitor_(context_, socket_) {
    require_endpoint(endpoint_);
    search_path_.mode = options_.mode;
    for (WantedStream& stream : streams) {
      want(std::move(stream));
    }
    set_up(socket_);
    socket_.set(zmq::sockopt::immediate, true);
    // No more comes than we have asked for, or it waits outside.
    constexpr int most_waiting = 64;
    socket_.set(zmq::sockopt::rcvhwm, most_waiting);
    socket_.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(options_.most_bytes));
    network::connect(socket_, endpoint_, options_.keys, options_.sender);
  }

  void run() {
    std::array<zmq::pollitem_t, 2> items{
        {{socket_.handle(), 0, ZMQ_POLLIN, 0}, {monitor_.events().handle(), 0, ZMQ_POLLIN, 0}}};
    auto reminder = steady_clock::now();
    while (!is_cancelled()) {
      const auto now = steady_clock::now();
      if (now >= reminder) {
        remind();
        reminder = now + between_reminders;
      }
      constexpr std::chrono::milliseconds longest{100};
      if (!wait_for(items, longest)) {
        continue;
      }
      while (const auto news = monitor_.next()) {
        note(*news);
        reminder = now;
      }
      // Not for as long as any come: there is a time to say what is wanted, and one to end.
      constexpr int most_at_a_time = 16;
      for (int i = 0; i < most_at_a_time && !is_cancelled() && take_room() && take_message(); ++i) {
      }
    }
    mark_down();
  }

 private:
  void want(WantedStream stream) {
    const bool is_there_already = std::ranges::any_of(
        intakes_, [&](const auto& entry) { return entry.second.replica.name() == stream.local; });
    if (is_there_already) {
      throw Error(Problem::usage, stream.local, "would be two streams here");
    }
    if (const auto why = name_error(stream.local)) {
      throw Error(Problem::usage, stream.local, *why);
    }
    Replica replica(stream.local, fmt::format("{}/{}", called_, stream.remote), search_path_,
                    options_.replaces || options_.mirrors,
                    options_.mirrors ? Likeness::mirror : Likeness::received);
    replica.set_slice(options_.slice);
    intakes_.try_emplace(next_id_++, std::move(stream.remote), std::move(replica));
  }

  void note(const Monitor::News& news) {
    switch (news.change) {
      case Monitor::Change::connected:
        has_told_refused_ = false;
        is_connected_ = true;
        // What was said of sessions stays: to a new connection the sender announces new ones, and
        // may have done so before this was noted.
        clock_.clear();
        tell(NetworkEvent::Kind::connected, called_, "connected");
        break;
      case Monitor::Change::down:
        if (std::exchange(is_connected_, false)) {
          tell(NetworkEvent::Kind::down, called_, "the connection is lost; trying again");
          mark_down();
        } else if (options_.keys && !std::exchange(has_told_refused_, true)) {
          tell(NetworkEvent::Kind::refused, called_,
               "the connection ended before both had agreed on keys: is the other one's the right "
               "key?");
        }
        break;
      case Monitor::Change::refused:
        if (!std::exchange(has_told_refused_, true)) {
          tell(NetworkEvent::Kind::refused, called_, news.why);
        }
        break;
    }
  }

  /// Says to the sender all that it may have forgotten.
  void remind() {
    if (wants_all_) {
      send(List{});
    }
    for (auto& [id, intake] : intakes_) {
      ask(id, intake, TaiClock::now());
    }
  }

  void ask(std::uint64_t id, const Intake& intake, Tai now) {
    Follow follow;
    follow.id = id;
    follow.name = intake.remote;
    follow.order = options_.order;
    follow.rate = options_.rate;
    follow.compression = options_.compression;
    follow.session = intake.session;
    follow.window = window_of(intake);
    follow.taken = intake.taken;
    follow.delay = clock_.delay().value_or(std::chrono::nanoseconds{0});
    follow.asked = now;
    follow.parts = {options_.pixels, options_.whole, options_.slice};
    send(follow);
  }

  /// Of the newest as many as the sender finds that the line holds: more would be older. Of all, so
  /// many that it is never idle.
  [[nodiscard]] std::uint64_t window_of(const Intake& intake) const {
    constexpr std::uint64_t bytes = 16 << 20;
    constexpr std::uint64_t most = 64;
    if (options_.order == FrameOrder::latest) {
      return most;
    }
    if (!intake.replica.is_made()) {
      return 2;
    }
    return std::clamp<std::uint64_t>(
        bytes / std::max<std::uint64_t>(intake.replica.bytes_taken(), 1), 2, most);
  }

  void send(const FromReceiver& message) {
    // Where there is no connection, nobody is to hear it later.
    socket_.send(zmq::message_t(encode(message)), zmq::send_flags::dontwait);
  }

  /// False where a mirror is full; after a little while, as nothing tells of its reader.
  [[nodiscard]] bool take_room() const {
    const bool is_full = options_.has_room && std::ranges::any_of(intakes_, [&](const auto& entry) {
                           const Replica& replica = entry.second.replica;
                           return replica.is_made() && !options_.has_room(replica.stream());
                         });
    if (is_full) {
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    return !is_full;
  }

  /// False where there is none.
  bool take_message() {
    std::array<zmq::message_t, 3> parts;
    if (!socket_.recv(parts[0], zmq::recv_flags::dontwait)) {
      return false;
    }
    std::size_t count = 1;
    bool has_more = parts[0].more();
    while (has_more) {
      zmq::message_t further;
      if (!socket_.recv(further, zmq::recv_flags::none)) {
        return false;
      }
      has_more = further.more();
      if (count < parts.size()) {
        parts[count] = std::move(further);
      }
      ++count;
    }
    const Tai arrived = TaiClock::now();
    try {
      take(std::span(parts).first(std::min(count, parts.size())), count, arrived);
    } catch (const Error& error) {
      if (error.problem() != Problem::failed) {
        throw;
      }
      if (!std::exchange(has_told_bad_, true)) {
        tell(NetworkEvent::Kind::bad_message, called_, fmt::format("dropped {}", error.why()));
      }
    }
    return true;
  }

  void take(std::span<const zmq::message_t> parts, std::size_t count, Tai arrived) {
    const FromSender message = decode_from_sender({parts[0].data<std::byte>(), parts[0].size()});
    const auto* frame = std::get_if<FrameFollows>(&message);
    if (count != (frame != nullptr ? 3U : 1U)) {
      throw Error(Problem::failed, "", "a message of another number of parts");
    }
    if (frame != nullptr) {
      take_frame(*frame, parts[1], parts[2], arrived);
    } else if (const auto* stream = std::get_if<Announcement>(&message)) {
      take_stream(*stream);
    } else if (const auto* gone = std::get_if<Gone>(&message)) {
      if (Intake* intake = find(gone->id)) {
        tell(NetworkEvent::Kind::removed, intake->replica.name(), "was removed there");
        intake->replica.mark_down();
        intake->replica.remove();
      }
    } else if (const auto* failure = std::get_if<Failure>(&message)) {
      take_failure(*failure);
    } else if (const auto* alive = std::get_if<Alive>(&message)) {
      clock_.add(alive->asked, alive->here, arrived);
    } else if (const auto* streams = std::get_if<Streams>(&message)) {
      take_list(*streams);
    }
  }

  void take_failure(const Failure& failure) const {
    const auto found = intakes_.find(failure.id);
    if (found == intakes_.end() || wants_all_ ||
        (options_.awaits &&
         (failure.problem == Problem::not_found || may_be_half_made(failure.problem)))) {
      return;
    }
    throw Error(failure.problem == Problem::failed ? Problem::busy : failure.problem,
                found->second.replica.name(), printable(failure.why));
  }

  void take_list(const Streams& streams) {
    if (!streams.unknown.empty()) {
      throw Error(Problem::not_found, printable(streams.unknown),
                  fmt::format("is not among the streams of {}: {}", called_,
                              printable(fmt::format("{}", fmt::join(streams.names, ", ")))));
    }
    if (!wants_all_) {
      return;
    }
    for (const std::string& name : streams.names) {
      const bool is_known = std::ranges::any_of(
          intakes_, [&](const auto& entry) { return entry.second.remote == name; });
      constexpr std::size_t most = 256;
      if (!is_known && intakes_.size() < most) {
        want({name, name});
        ask(next_id_ - 1, intakes_.at(next_id_ - 1), TaiClock::now());
      }
    }
  }

  /// Throws Error (failed) for a stream that is too large, as messages of no sense do.
  void require_possible(const Format& format) const {
    std::uint64_t bytes = 0;
    try {
      bytes = format.file_bytes();
    } catch (const Error& error) {
      throw Error(Problem::failed, "", "a stream: " + error.why());
    }
    if (bytes > options_.most_bytes) {
      throw Error(
          Problem::failed, "",
          fmt::format("a stream of {} bytes, and {} are the most", bytes, options_.most_bytes));
    }
  }

  void take_stream(const Announcement& announcement) {
    Intake* intake = find(announcement.id);
    if (intake == nullptr) {
      return;
    }
    require_possible(announcement.format);
    if (intake->session != announcement.session) {
      intake->session = announcement.session;
      intake->taken = 0;
    }
    const std::string as = fmt::format("{} {}", to_string(announcement.format.type),
                                       to_string(announcement.format.shape));
    if (options_.mirrors && options_.order == FrameOrder::every) {
      intake->replica.set_least_buffer(mirror_buffer(announcement.format));
    }
    switch (intake->replica.adopt(announcement)) {
      case Replica::Change::created:
        tell(NetworkEvent::Kind::created, intake->replica.name(), "created: " + as);
        break;
      case Replica::Change::recreated:
        tell(NetworkEvent::Kind::recreated, intake->replica.name(), "re-created: " + as);
        break;
      case Replica::Change::none:
        break;
    }
    ask(announcement.id, *intake, never);
    if (announcement.cnt0 == 0) {
      note_complete(*intake);
    }
  }

  void note_complete(const Intake& intake) const {
    if (options_.complete) {
      options_.complete(intake.replica.name());
    }
  }

  /// Frames that a mirror holds of which each is wanted: so many may come while its reader does
  /// something else.
  [[nodiscard]] static std::uint32_t mirror_buffer(const Format& format) {
    constexpr std::uint64_t bytes = 64 << 20;
    constexpr std::uint64_t most = 64;
    return static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(bytes / std::max<std::uint64_t>(format.bytes(), 1), 4, most));
  }

  void take_frame(const FrameFollows& frame, const zmq::message_t& head,
                  const zmq::message_t& pixels, Tai arrived) {
    Intake* intake = find(frame.id);
    if (intake == nullptr || intake->session != frame.session || !intake->replica.is_made()) {
      return;  // of a session that was before
    }
    const FrameRecord record = record_of(head);
    const std::uint64_t before = intake->replica.cnt0();
    const std::span<const std::byte> came(pixels.data<std::byte>(), pixels.size());
    const bool is_published = intake->replica.publish(
        record, frame.packed == Compression::none ? came : unpack_in(*intake, came), arrived,
        clock_.ahead());
    tell_packed(*intake, frame.packed, came.size());
    intake->taken = frame.number;
    ask(frame.id, *intake, never);
    note_complete(*intake);
    if (!is_published) {
      return;
    }
    const std::uint64_t cnt0 = record.info.cnt0;
    if (options_.order == FrameOrder::every && frame.number > 1 && cnt0 > before + 1) {
      tell(NetworkEvent::Kind::lost, intake->replica.name(),
           cnt0 == before + 2 ? fmt::format("frame {}", before + 1)
                              : fmt::format("frames {}-{}", before + 1, cnt0 - 1),
           cnt0 - before - 1);
    }
    if (options_.published) {
      options_.published(intake->replica.name(), cnt0);
    }
  }

  /// Takes no more memory than a frame of the stream has, whatever is claimed.
  [[nodiscard]] static std::span<const std::byte> unpack_in(Intake& intake,
                                                            std::span<const std::byte> packed) {
    intake.unpacked.resize(intake.replica.bytes_taken());
    unpack(packed, intake.unpacked);
    return intake.unpacked;
  }

  /// That it has changed; not with each frame where some can be compressed and others cannot.
  void tell_packed(Intake& intake, Compression packed, std::size_t bytes) const {
    constexpr std::chrono::seconds between_tales{1};
    const auto now = steady_clock::now();
    if (packed == intake.packed || now < intake.told_packed + between_tales) {
      return;
    }
    intake.packed = packed;
    intake.told_packed = now;
    tell(NetworkEvent::Kind::compression, intake.replica.name(),
         packed == Compression::none
             ? "comes as it is"
             : fmt::format(
                   "comes by {}, {:.1f} times smaller", to_string(packed),
                   static_cast<double>(intake.replica.bytes_taken()) / static_cast<double>(bytes)),
         packed == Compression::none ? 0 : bytes);
  }

  [[nodiscard]] static FrameRecord record_of(const zmq::message_t& head) {
    std::span<const std::byte> rest(head.data<std::byte>(), head.size());
    FrameReader reader("", [&rest](std::span<std::byte> room) {
      const std::size_t part = std::min(room.size(), rest.size());
      std::copy_n(rest.begin(), part, room.begin());
      rest = rest.subspan(part);
      return part;
    });
    std::optional<FrameRecord> record = reader.next();
    if (!record) {
      throw Error(Problem::failed, "", "a frame without a head");
    }
    return *std::move(record);
  }

  [[nodiscard]] Intake* find(std::uint64_t id) {
    const auto found = intakes_.find(id);
    return found == intakes_.end() ? nullptr : &found->second;
  }
  void mark_down() noexcept {
    for (auto& [id, intake] : intakes_) {
      intake.replica.mark_down();
    }
  }
  [[nodiscard]] bool is_cancelled() const { return options_.cancelled && options_.cancelled(); }
  void tell(NetworkEvent::Kind kind, const std::string& subject, const std::string& text,
            std::uint64_t count = 0) const {
    if (options_.tell) {
      options_.tell({kind, subject, text, count});
    }
  }

  std::string endpoint_;
  std::string called_;  ///< by those who are told of it
  SearchPath search_path_;
  ReceiverOptions options_;
  bool wants_all_;
  std::map<std::uint64_t, Intake> intakes_;
  std::uint64_t next_id_ = 1;
  ClockEstimate clock_;
  bool is_connected_ = false;
  bool has_told_refused_ = false;
  bool has_told_bad_ = false;
  zmq::context_t context_;
  zmq::socket_t socket_;
  Monitor monitor_;
};

Receiver::Receiver(const std::string& endpoint, std::vector<WantedStream> streams,
                   const SearchPath& search_path, ReceiverOptions options)
    : inlet_(
          std::make_unique<Inlet>(endpoint, std::move(streams), search_path, std::move(options))) {}
Receiver::~Receiver() = default;
void Receiver::run() { inlet_->run(); }

}  // namespace shmim
