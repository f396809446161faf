#include "afar/mirrors.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include <unistd.h>

namespace shmim::tools::afar {
namespace {

Reference reference_of(const std::string& name) {
  Reference reference;
  reference.name = reference.text = name;
  reference.location = Location::shared;
  return reference;
}

/// Frames that a reader of every one has not taken yet are what its semaphore counts.
bool has_room(const Stream& mirror) {
  const Format& format = mirror.format();
  const std::uint32_t held = format.is_circular() ? format.shape[2] : format.circular_buffer;
  const int most = std::min(static_cast<int>(std::min<std::uint32_t>(held / 2, INT16_MAX)),
                            layout::semaphore_max - 1);
  const Semaphores semaphores = mirror.semaphores();
  for (unsigned index = 0; index < semaphores.count(); ++index) {
    if (semaphores.reader(index) > 0 && semaphores.value(index) >= std::max(most, 1)) {
      return false;
    }
  }
  return true;
}

}  // namespace

const std::filesystem::path& Folder::path() {
  if (path_.empty()) {
    const std::filesystem::path memory = "/dev/shm";
    const std::filesystem::path base =
        ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
    std::string name = (base / "shmim-afar.XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw Error::system(name, "cannot be made", errno);
    }
    path_ = name;
  }
  return path_;
}

void Folder::remove() noexcept {
  std::error_code ignored;
  for (int tries = 0; !path_.empty() && tries < 100; ++tries) {
    std::filesystem::remove_all(path_, ignored);
    if (!std::filesystem::exists(path_, ignored)) {
      path_.clear();
    }
  }
}

Mirror::Mirror(const std::string& endpoint, Wish wish, const std::filesystem::path& folder,
               ReceiverOptions connection)
    : wish_(std::move(wish)), tell_(std::move(connection.tell)) {
  where_.shm = folder;
  where_.conf.clear();
  ReceiverOptions options = std::move(connection);
  options.order = wish_.order;
  options.rate = wish_.rate;
  options.mirrors = true;
  options.pixels = wish_.pixels;
  options.whole = wish_.whole;
  options.slice = wish_.slice;
  options.compression = Compression::automatic;
  options.awaits = wish_.awaits;
  options.mode = 0600;
  if (wish_.order == FrameOrder::every) {
    options.has_room = has_room;
  }
  options.tell = [this](const NetworkEvent& event) { tell(event); };
  options.complete = [this](const std::string&) {
    const std::lock_guard lock(mutex_);
    is_complete_ = true;
    changed_.notify_all();
  };
  options.cancelled = [this] { return is_over_.load(); };
  thread_ = std::thread([this, endpoint, options] { run(endpoint, options); });
}

Mirror::~Mirror() {
  is_over_ = true;
  thread_.join();
}

void Mirror::run(const std::string& endpoint, ReceiverOptions options) {
  try {
    Receiver(endpoint, {{wish_.name, wish_.name}}, where_, std::move(options)).run();
  } catch (const Error& error) {
    bool was_complete = false;
    {
      const std::lock_guard lock(mutex_);
      was_complete = is_complete_;
      failure_ = error;
      changed_.notify_all();
    }
    if (was_complete) {
      tell_({NetworkEvent::Kind::removed, wish_.name, error.why()});
      remove_stream_here();
    }
  }
}

/// While nobody waits for it any more, what becomes of the connection is said aloud.
void Mirror::tell(const NetworkEvent& event) {
  bool is_complete = false;
  {
    const std::lock_guard lock(mutex_);
    is_complete = is_complete_;
    was_connected_ = was_connected_ || event.kind == NetworkEvent::Kind::connected;
    if (event.kind == NetworkEvent::Kind::refused && !is_complete_ && !wish_.is_by_tunnel) {
      failure_ = Error(Problem::failed, event.subject, "refused: " + event.text);
      changed_.notify_all();
    }
  }
  const bool is_of_connection =
      event.kind == NetworkEvent::Kind::down || event.kind == NetworkEvent::Kind::connected ||
      event.kind == NetworkEvent::Kind::refused || event.kind == NetworkEvent::Kind::bad_message;
  if (is_complete && is_of_connection) {
    tell_(event);
  }
}

bool Mirror::wait_for(std::chrono::nanoseconds time) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, time, [this] { return is_complete_ || failure_; });
  if (failure_) {
    throw Error(*failure_);
  }
  return is_complete_;
}

void Mirror::take(const Description& there) {
  try {
    const Stream here = open_existing(reference_of(wish_.name), where_);
    if (there.unreadable || there.header.cnt0 != here.cnt0()) {
      return;  // the frame that is on its way brings them
    }
    const Keywords keywords = here.keywords();
    const std::vector<Keyword> before = keywords.all();
    if (before == there.keywords) {
      return;
    }
    for (const Keyword& keyword : before) {
      if (std::ranges::find(there.keywords, keyword.name, &Keyword::name) == there.keywords.end()) {
        static_cast<void>(keywords.erase(keyword.name));
      }
    }
    keywords.set(there.keywords);
  } catch (const Error&) {
    // It is about to be made, or to go.
  }
}

void Mirror::remove_stream_here() noexcept {
  try {
    const Stream here = open_existing(reference_of(wish_.name), where_);
    static_cast<void>(remove_stream(here.path(), here.identity()));
  } catch (const Error&) {
    // It has gone already.
  }
}

}  // namespace shmim::tools::afar
