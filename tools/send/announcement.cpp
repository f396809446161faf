#include "send/announcement.hpp"

#include <fmt/format.h>
#include <shmim/process.hpp>

#include "common/app/network.hpp"
#include "common/io/interrupt.hpp"

namespace shmim::tools {
namespace {

constexpr const char* publishing = "avahi-publish-service";

/// As many as a string of DNS-SD holds.
std::string names_of(const std::vector<Reference>& streams) {
  constexpr std::size_t most = 240;
  std::string names;
  for (const Reference& stream : streams) {
    if (names.size() + stream.name.size() > most) {
      return names + " ...";
    }
    names += (names.empty() ? "" : " ") + stream.name;
  }
  return names;
}

/// As many characters as a service of DNS-SD may have.
std::string name_of(const std::string& host, const std::string& port) {
  constexpr std::size_t most = 63;
  return fmt::format("{:.{}}:{}", host, most - 1 - port.size(), port);
}

}  // namespace

Announcement::Announcement(const Context& context, const std::vector<std::string>& endpoints,
                           const std::vector<Reference>& streams, bool is_encrypted)
    : context_(context) {
  for (const std::string& endpoint : endpoints) {
    if (is_local_endpoint(endpoint)) {
      continue;
    }
    const std::string port = endpoint.substr(endpoint.rfind(':') + 1);
    publishers_.push_back(start_avahi(
        {publishing, "--no-fail", name_of(host_name(), port), announced_type, port,
         "streams=" + names_of(streams), is_encrypted ? "security=curve" : "security=none"},
        Child::Reads::errors));
  }
  if (publishers_.empty()) {
    throw UsageError(
        "--announce: no other host reaches where it listens: give --bind 'tcp://*:5555', say");
  }
  for (const auto& publisher : publishers_) {
    threads_.emplace_back([this, &publisher] { pass_on(*publisher); });
  }
}

Announcement::~Announcement() {
  is_over_ = true;
  for (const auto& publisher : publishers_) {
    publisher->terminate();
  }
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

void Announcement::pass_on(Child& publisher) const {
  try {
    while (const auto line = publisher.line()) {
      if (line->starts_with("Established")) {
        context_.detail(publishing, printable(*line));
      } else {
        context_.note(publishing, printable(*line));
      }
    }
  } catch (const Interrupted&) {
    return;  // so has run(), which says so
  }
  if (!is_over_ && !interrupted()) {
    context_.note(publishing, "has ended: what is sent is announced no more");
  }
}

}  // namespace shmim::tools
