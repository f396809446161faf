#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <shmim/shmim.hpp>

#include "common/app/context.hpp"

namespace shmim::tools {

/// Where many streams are looked at: the shm directory, or that of another host.
class Scene {
 public:
  Scene() = default;
  Scene(const Scene&) = delete;
  Scene(Scene&&) = delete;
  Scene& operator=(const Scene&) = delete;
  Scene& operator=(Scene&&) = delete;
  virtual ~Scene() = default;

  /// `/dev/shm`, `tcp://camhost:5556`
  [[nodiscard]] virtual std::string name() const = 0;
  /// `in /dev/shm`, `at tcp://camhost:5556`
  [[nodiscard]] virtual std::string where() const = 0;
  [[nodiscard]] virtual bool is_here() const noexcept = 0;

  /// What a look is to show.
  enum class Look {
    streams,   ///< what they say of themselves
    holders,   ///< also what processes say of them: holders(), removed(), names_by_inode()
    measured,  ///< all that, and rates from the second such look on
  };
  /// Throws Error.
  virtual void look(Look what) = 0;
  /// As of the last look, by name.
  [[nodiscard]] virtual const std::vector<Watched>& streams() const = 0;
  [[nodiscard]] virtual ProcessTable& processes() = 0;
  /// Who has each of the streams open or mapped; we are none.
  [[nodiscard]] virtual std::vector<Holders> holders() = 0;
  [[nodiscard]] virtual std::vector<HolderTable::Removed> removed() = 0;
  [[nodiscard]] virtual std::map<ino_t, std::string> names_by_inode() = 0;
  /// One of them, whose pixels can be had; null if there is none, or not yet.
  [[nodiscard]] virtual const Stream* stream(const std::string& name) = 0;
  /// Why the last look showed nothing new; empty if it did.
  [[nodiscard]] virtual std::string trouble() const { return {}; }
};

/// The scene of these patterns, which must be one: the shm directory where there are none. Streams
/// whose names match one of the `globs` are looked at. Throws UsageError, Error (no_directory).
std::unique_ptr<Scene> scene_of(const Context& context, const std::vector<Reference>& patterns,
                                std::vector<std::string> globs);

}  // namespace shmim::tools
