#include "common/app/renamed.hpp"

#include <array>

namespace shmim::tools {
namespace {

struct Renamed {
  std::string_view tool;
  std::string_view name;
  std::string_view answer;
};

constexpr std::array renamed_options{
    Renamed{"bench", "--size", "--size is now --bytes"},
    Renamed{"cat", "--every",
            "--every is gone: --follow shows every frame unless --latest is given"},
    Renamed{"connect", "--check", "--check is gone: what is asked for is always checked"},
    Renamed{"connect", "--wait", "--wait DURATION is now --appear --timeout DURATION"},
    Renamed{"connect", "-t", "the short form of --type is now -T"},
    Renamed{"create", "-t", "the short form of --type is now -T"},
    Renamed{"info", "--rate", "--rate N is now --frames N"},
    Renamed{"kw", "--type", "--type L, D, S is now --as integer, real, string"},
    Renamed{"ls", "--rate", "--rate is now --over DURATION"},
    Renamed{"post", "--slice", "--slice is now --plane"},
    Renamed{"trace", "--rate", "--rate is now --over"},
};

}  // namespace

std::string_view renamed_option(std::string_view tool, std::string_view name) noexcept {
  for (const Renamed& entry : renamed_options) {
    if (entry.tool == tool && entry.name == name) {
      return entry.answer;
    }
  }
  return {};
}

}  // namespace shmim::tools
