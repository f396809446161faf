#include <algorithm>
#include <chrono>
#include <thread>

#include <nlohmann/json.hpp>
#include <shmim/sight.hpp>

#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

namespace {

Sight told_sight(const Sight& sight) {
  const std::string bytes = encode_sight(sight);
  return decode_sight(std::as_bytes(std::span(bytes)));
}

std::string sight_refusal(const std::string& bytes) {
  const Error error = error_of([&] { return decode_sight(std::as_bytes(std::span(bytes))); });
  CHECK(error.problem() == Problem::failed);
  return error.what();
}

/// A sight of one stream, of which something is changed.
template <class Change>
std::string changed_sight(const Directory& directory, const Change& change) {
  const std::string bytes = encode_sight(look_at(directory.path(), {{"cam"}}));
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  nlohmann::json head = nlohmann::json::from_cbor(data, data + bytes.size(), false);
  const std::size_t begin = nlohmann::json::to_cbor(head).size();
  nlohmann::json stream = nlohmann::json::from_cbor(data + begin, data + bytes.size());
  change(head, stream);
  std::string altered;
  nlohmann::json::to_cbor(head, altered);
  std::string second;
  nlohmann::json::to_cbor(stream, second);
  return altered + second;
}

}  // namespace

TEST_CASE("what is seen of streams is told to another host as it is") {
  const Directory directory;
  Stream cam = directory.make("cam", Directory::small_format());
  cam.keywords().set({"EXPTIME", 0.5, "[s]"});
  cam.keywords().set({"ODD", std::string("\xff\xfe"), ""});
  cam.keywords().set({"N", std::int64_t{-3}, ""});
  publish<std::uint16_t>(cam, 7);
  const auto claim = cam.semaphores().claim(1);
  write_bytes(directory.stream("broken"), std::vector<std::byte>(3));
  std::filesystem::create_symlink("cam.im.shm", directory.stream("other"));

  const Sight seen = look_at(directory.path(), {{"*"}, false, true, true});
  const Sight sight = told_sight(seen);
  REQUIRE(sight.streams.size() == 3);
  REQUIRE(sight.holders.size() == 3);
  CHECK(sight.host == seen.host);
  CHECK(sight.names == seen.names);
  CHECK(sight.names.at(cam.identity().inode) == "cam");
  const Description& broken = sight.streams[0].description;
  CHECK(broken.unreadable->problem == Problem::too_short);
  CHECK(broken.unreadable->why == seen.streams[0].description.unreadable->why);
  const Description& there = sight.streams[1].description;
  const Description& here = seen.streams[1].description;
  CHECK(there.name == "cam");
  CHECK(there.path == here.path);
  CHECK(there.identity == here.identity);
  CHECK(there.format == here.format);
  CHECK(std::ranges::equal(std::as_bytes(std::span(&there.header, 1)),
                           std::as_bytes(std::span(&here.header, 1))));
  CHECK(there.clock == here.clock);
  CHECK(there.looked == here.looked);
  CHECK(there.written == here.written);
  CHECK(there.keywords == here.keywords);
  CHECK(there.trace == here.trace);
  CHECK(there.semaphores.at(1).reader.pid == ::getpid());
  CHECK(there.writer.command == here.writer.command);
  CHECK(there.writer.liveness == Liveness::alive);
  CHECK(sight.streams[2].description.target == "cam.im.shm");
}

TEST_CASE("rates are measured where the streams are") {
  const Directory directory;
  Stream cam = directory.make("cam", Directory::small_format());
  publish<std::uint16_t>(cam, 1);
  Watcher watcher(directory.path());
  static_cast<void>(look_at(directory.path(), {{"cam"}, true, false, false}, &watcher));
  std::this_thread::sleep_for(std::chrono::milliseconds{2});
  publish<std::uint16_t>(cam, 2);
  const Sight sight = told_sight(look_at(directory.path(), {{"c*"}, true, false, false}, &watcher));
  REQUIRE(sight.streams.size() == 1);
  CHECK(sight.streams[0].rate.frames == 1);
  CHECK(sight.streams[0].rate.hertz.value_or(0) > 0);
  CHECK(sight.holders.empty());
  CHECK(sight.names.empty());
}

TEST_CASE("a process that was told of is never looked up here") {
  ProcessTable table(
      std::vector<Process>{{::getpid(), Liveness::dead, ""}, {7, Liveness::alive, "there"}});
  CHECK(table.look_up(::getpid()).is_dead());
  CHECK(table.look_up(7).command == "there");
  CHECK(table.look_up(1).liveness == Liveness::unknown);
  CHECK(table.look_up(1).command.empty());
  table.forget();
  CHECK(table.look_up(7).command == "there");
}

TEST_CASE("what is no sight is refused") {
  const Directory directory;
  Stream cam = directory.make("cam", Directory::small_format());
  using Json = nlohmann::json;
  const auto with = [&](const auto& change) {
    return sight_refusal(changed_sight(directory, change));
  };
  CHECK(sight_refusal("").find("ends in the middle") != std::string::npos);
  CHECK(sight_refusal("abc").find("what is seen of streams") != std::string::npos);
  CHECK(with([](Json& head, Json&) { head.erase("host"); }).find("lacks 'host'") !=
        std::string::npos);
  CHECK(with([](Json& head, Json&) { head["streams"] = 2; }).find("ends in the middle") !=
        std::string::npos);
  CHECK(with([](Json& head, Json&) { head["streams"] = 0; }).find("more, or less") !=
        std::string::npos);
  CHECK(with([](Json& head, Json&) { head["streams"] = -1; }).find("cannot be") !=
        std::string::npos);
  CHECK(with([](Json&, Json& stream) { stream["description"]["name"] = "../x"; }).find("no name") !=
        std::string::npos);
  CHECK(with([](Json&, Json& stream) {
          stream["description"]["header"] = Json::binary({1, 2});
        }).find("'header' that cannot be") != std::string::npos);
  CHECK(with([](Json&, Json& stream) {
          auto header = stream["description"]["header"].get_binary();
          header[112] = 9;  // axes
          stream["description"]["header"] = Json::binary(std::move(header));
        }).find("makes no stream") != std::string::npos);
  CHECK(with([](Json&, Json& stream) {
          stream["description"]["state"] = 17;
        }).find("'state' that there is not") != std::string::npos);
  CHECK(with([](Json&, Json& stream) {
          stream["description"]["trace"] = 1;
        }).find("'trace' that cannot be") != std::string::npos);
}
