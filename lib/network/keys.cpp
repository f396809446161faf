#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "base/read_text.hpp"
#include "shmim/error.hpp"
#include "shmim/file.hpp"
#include "shmim/network.hpp"
#include "shmim/text.hpp"

namespace shmim {
namespace {

constexpr std::size_t characters_of_key = 40;

bool is_key(const std::string& text) {
  std::array<std::uint8_t, 32> key{};
  return text.size() == characters_of_key && zmq_z85_decode(key.data(), text.c_str()) != nullptr;
}

/// Up to a word that begins with #: the rest is for people.
std::vector<std::string> words_of(std::string_view line) {
  constexpr std::string_view blanks = " \t\r";
  std::vector<std::string> words;
  for (;;) {
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    if (line.empty() || line.starts_with('#')) {
      return words;
    }
    words.emplace_back(line.substr(0, line.find_first_of(blanks)));
    line.remove_prefix(words.back().size());
  }
}

/// The words of each line that has any.
std::vector<std::vector<std::string>> lines_of(const std::filesystem::path& file) {
  const std::optional<std::string> text = read_text(file);
  if (!text) {
    const int error_number = errno;
    throw Error::system(file.string(), "cannot be read", error_number);
  }
  std::vector<std::vector<std::string>> lines;
  for (std::string_view rest = *text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (auto words = words_of(line); !words.empty()) {
      lines.push_back(std::move(words));
    }
  }
  return lines;
}

std::string key_in(const std::filesystem::path& file) {
  const auto lines = lines_of(file);
  if (lines.size() != 1 || !is_key(lines[0][0])) {
    throw Error(Problem::failed, file.string(), "holds no key of 40 characters");
  }
  return lines[0][0];
}

void write_new(const std::filesystem::path& file, const std::string& line, mode_t mode) {
  const FileDescriptor descriptor(
      ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (descriptor.get() < 0 ||
      ::write(descriptor.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    const int error_number = errno;
    if (error_number == EEXIST) {
      throw Error(Problem::exists, file.string(), "is there already, and is not overwritten");
    }
    throw Error::system(file.string(), "cannot be written", error_number);
  }
}

}  // namespace

KeyPair make_keys() {
  std::array<char, characters_of_key + 1> public_key{};
  std::array<char, characters_of_key + 1> secret_key{};
  if (zmq_curve_keypair(public_key.data(), secret_key.data()) != 0) {
    throw Error(Problem::failed, "", "this ZeroMQ was built without CURVE");
  }
  return {public_key.data(), secret_key.data()};
}

KeyFolder KeyFolder::of_user() {
  const char* config = std::getenv("XDG_CONFIG_HOME");  // NOLINT(concurrency-mt-unsafe)
  if (config != nullptr && *config == '/') {
    return KeyFolder(std::filesystem::path(config) / "shmim");
  }
  const char* home = std::getenv("HOME");  // NOLINT(concurrency-mt-unsafe)
  if (home == nullptr || *home == '\0') {
    throw Error(Problem::no_directory, "", "there is no home to keep keys in: HOME is not set");
  }
  return KeyFolder(std::filesystem::path(home) / ".config" / "shmim");
}

KeyPair KeyFolder::make() const {
  constexpr mode_t for_owner = 0600;
  constexpr mode_t for_all = 0644;
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) {
    throw Error::system(folder_.string(), "cannot be made", error.value());
  }
  KeyPair keys = make_keys();
  write_new(folder_ / "secret", keys.secret_key + "\n", for_owner);
  std::filesystem::remove(folder_ / "public", error);  // of no secret key
  write_new(folder_ / "public", keys.public_key + "\n", for_all);
  return keys;
}

KeyPair KeyFolder::own() const {
  const std::filesystem::path file = folder_ / "secret";
  struct stat status {};
  if (::stat(file.c_str(), &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    throw Error(Problem::failed, file.string(),
                "others than its owner can read or write it: chmod 600");
  }
  KeyPair keys;
  keys.secret_key = key_in(file);
  std::array<char, characters_of_key + 1> public_key{};
  if (zmq_curve_public(public_key.data(), keys.secret_key.c_str()) != 0) {
    throw Error(Problem::failed, "", "this ZeroMQ was built without CURVE");
  }
  keys.public_key = public_key.data();
  return keys;
}

std::vector<std::string> KeyFolder::receivers() const {
  const std::filesystem::path file = folder_ / "receivers";
  std::vector<std::string> keys;
  for (const auto& words : lines_of(file)) {
    if (!is_key(words[0])) {
      throw Error(Problem::failed, file.string(),
                  fmt::format("'{}' is no public key of 40 characters", printable(words[0])));
    }
    keys.push_back(words[0]);
  }
  if (keys.empty()) {
    throw Error(Problem::not_found, file.string(), "holds no receiver's public key");
  }
  return keys;
}

std::string KeyFolder::sender(std::string_view endpoint) const {
  const std::filesystem::path file = folder_ / "senders";
  for (const auto& words : lines_of(file)) {
    if (words[0] != endpoint) {
      continue;
    }
    if (words.size() == 2 && words[1] == "insecure") {
      return {};
    }
    if (words.size() < 2 || !is_key(words[1])) {
      throw Error(Problem::failed, file.string(),
                  fmt::format("has no public key of 40 characters behind {}", endpoint));
    }
    return words[1];
  }
  throw Error(Problem::not_found, file.string(), fmt::format("has no line for {}", endpoint));
}

}  // namespace shmim
