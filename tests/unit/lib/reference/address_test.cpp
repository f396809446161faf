#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

namespace {

/// `tcp://camhost:5556 cam`: what an address reads as, and the name behind it.
std::string address_read(const std::string& text) {
  const Reference reference = parse_reference(text);
  return (reference.address ? to_string(*reference.address) : "-") + " " + reference.name;
}

std::string address_refusal(const std::string& text) {
  const Error error = error_of([&] { return parse_reference(text); });
  CHECK(error.problem() == Problem::usage);
  return error.what();
}

}  // namespace

TEST_CASE("an address stands before a reference, and ends with the last slash") {
  CHECK(address_read("cam") == "- cam");
  CHECK(address_read("tcp://camhost:5557/cam") == "tcp://camhost:5557 cam");
  CHECK(address_read("tcp://camhost/cam") == "tcp://camhost:5556 cam");
  CHECK(address_read("tcp://[fe80::1%eth0]:7/cam") == "tcp://[fe80::1%eth0]:7 cam");
  CHECK(address_read("tcp://[::1]/cam") == "tcp://[::1]:5556 cam");
  CHECK(address_read("tcp://127.0.0.1/cam") == "tcp://127.0.0.1:5556 cam");
  CHECK(address_read("ssh://camhost/cam") == "ssh://camhost cam");
  CHECK(address_read("ssh://me@camhost:22/cam") == "ssh://me@camhost:22 cam");
  CHECK(address_read("ssh://me@[::1]/cam") == "ssh://me@[::1] cam");
  CHECK(address_read("ipc:///run/shmim/socket/cam") == "ipc:///run/shmim/socket cam");
}

TEST_CASE("all else is behind the address as it is without one") {
  const Reference reference = parse_reference("tcp://camhost/@SE:tui16>cam[1:3,*]");
  CHECK(reference.location == Location::shared);
  CHECK(reference.existence == Existence::must_exist);
  CHECK(reference.type == DataType::uint16);
  CHECK(reference.name == "cam");
  CHECK(reference.slice == parse_slice("1:3,*"));
  CHECK(reference.text == "tcp://camhost/@SE:tui16>cam[1:3,*]");
  // Columns are of the whole text.
  CHECK(address_refusal("ipc:///s/cam[a]").find("column 14") != std::string::npos);
  CHECK(address_refusal("ipc:///s/@X:cam").find("column 11") != std::string::npos);
}

TEST_CASE("patterns behind an address; it alone means all") {
  const Reference some = parse_pattern("tcp://[::1]/tf32>cam[0-9]*");
  CHECK(to_string(*some.address) == "tcp://[::1]:5556");
  CHECK(some.name == "cam[0-9]*");
  CHECK(some.type == DataType::float32);
  CHECK(some.text == "tcp://[::1]/tf32>cam[0-9]*");
  CHECK(parse_pattern("ssh://camhost/").name == "*");
}

TEST_CASE("what is wrong with an address is said") {
  const auto says = [](const std::string& text, const std::string& why) {
    CHECK_MESSAGE(address_refusal(text).find(why) != std::string::npos, address_refusal(text));
  };
  says("http://camhost/cam", "there is no way http://, but tcp:// ipc:// and ssh://");
  says("://camhost/cam", "there is no way ://");
  says("tcp://camhost", "a slash ends it: tcp://camhost/ for all streams there");
  says("tcp://camhost/", "no stream is named behind the address: tcp://camhost:5556/NAME");
  says("tcp:///cam", "no host");
  says("tcp://:5556/cam", "no host");
  says("ssh://me@/cam", "no host");
  says("ssh://me@:22/cam", "no host");
  says("tcp://me@camhost/cam", "is no host");
  says("tcp://[]/cam", "no host");
  says("tcp://a b/cam", "'a b' is no host");
  says("ssh://-F/cam", "'-F' is no host");
  says("tcp://a/b/cam", "is no host");
  says("tcp://::1/cam", "a host with colons stands in brackets");
  says("tcp://[::1/cam", "no closing ] behind the host");
  says("tcp://camhost:/cam", "is no port");
  says("tcp://camhost:0/cam", "is no port");
  says("tcp://camhost:65536/cam", "is no port");
  says("tcp://camhost:5x/cam", "is no port");
  says("tcp://[::1]5556/cam", "is no port");
  says("ipc:///cam", "no path of a socket");
  says("@S:tcp://camhost/cam", "it stands before all else: tcp://camhost/@S:cam");
  says("tf32>ssh://camhost/cam", "it stands before all else: ssh://camhost/tf32>cam");
  says("tcp://camhost/@L:cam", "modifier L is of this process");
}

TEST_CASE("nothing here opens a stream of another host") {
  const Directory directory;
  directory.make("cam", Directory::small_format());
  SearchPath where;
  where.shm = directory.path();
  const Reference cam = parse_reference("tcp://camhost/cam");
  CHECK(says(error_of([&] { return open_existing(cam, where); }), "can only be looked at"));
  CHECK(says(error_of([&] { return connect(cam, where); }), "can only be looked at"));
  CHECK(says(error_of([&] {
               return create(cam, {Directory::small_format(), {}, {}}, where);
             }),
             "can only be looked at"));
  CHECK(says(error_of([&] { return streams("tcp://camhost/*", directory.path()); }),
             "can only be looked at"));
}
