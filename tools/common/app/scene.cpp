#include "common/app/scene.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace shmim::tools {
namespace {

class SceneHere final : public Scene {
 public:
  SceneHere(std::filesystem::path directory, std::vector<std::string> globs)
      : directory_(std::move(directory)), globs_(std::move(globs)) {}

  [[nodiscard]] std::string name() const override { return directory_.string(); }
  [[nodiscard]] std::string where() const override { return "in " + name(); }
  [[nodiscard]] bool is_here() const noexcept override { return true; }

  void look(Look what) override {
    if (what == Look::measured) {
      if (!watcher_) {
        watcher_.emplace(directory_, globs_);
      }
      watcher_->look();
      return;
    }
    std::set<std::string> names;
    for (const std::string& glob : globs_) {
      for (std::string& name : list_streams(directory_, glob)) {
        names.insert(std::move(name));
      }
    }
    described_.clear();
    for (const std::string& name : names) {
      described_.push_back({describe(stream_path(directory_, name), processes_), {}, {}, 0});
    }
  }
  [[nodiscard]] const std::vector<Watched>& streams() const override {
    return watcher_ ? watcher_->streams() : described_;
  }
  [[nodiscard]] ProcessTable& processes() override {
    return watcher_ ? watcher_->processes() : processes_;
  }
  [[nodiscard]] std::vector<Holders> holders() override {
    std::vector<Identity> files;
    for (const Watched& watched : streams()) {
      files.push_back(watched.description.identity);
    }
    const HolderTable table(files);
    std::vector<Holders> holders;
    for (const Identity& file : files) {
      holders.push_back(table.holders_of(file));
      // We have it open ourselves, for as long as we look.
      std::erase(holders.back().processes, this_process());
    }
    removed_ = table.removed();
    return holders;
  }
  [[nodiscard]] std::vector<HolderTable::Removed> removed() override {
    return removed_ ? *removed_ : removed_streams();
  }
  [[nodiscard]] std::map<ino_t, std::string> names_by_inode() override {
    return shmim::names_by_inode(streams());
  }
  [[nodiscard]] const Stream* stream(const std::string& name) override {
    return watcher_ ? watcher_->stream(name) : nullptr;
  }

 private:
  std::filesystem::path directory_;
  std::vector<std::string> globs_;
  std::optional<Watcher> watcher_;
  std::vector<Watched> described_;
  ProcessTable processes_;
  std::optional<std::vector<HolderTable::Removed>> removed_;  ///< when holders were looked for
};

class SceneAfar final : public Scene {
 public:
  SceneAfar(Afar& afar, Address address, std::vector<std::string> globs)
      : afar_(afar), address_(std::move(address)) {
    request_.patterns = std::move(globs);
  }

  [[nodiscard]] std::string name() const override { return afar_.name(); }
  [[nodiscard]] std::string where() const override { return "at " + name(); }
  [[nodiscard]] bool is_here() const noexcept override { return false; }

  /// What is known stays while nobody answers.
  void look(Look what) override {
    request_.rates = what == Look::measured;
    request_.holders = request_.surroundings = what != Look::streams;
    try {
      constexpr std::chrono::seconds patience{1};
      sight_ = has_seen_ ? afar_.look(request_, patience) : afar_.look(request_);
      processes_ = sight_.process_table();
      has_seen_ = true;
      trouble_.clear();
    } catch (const Error& error) {
      if (!has_seen_) {
        throw;
      }
      trouble_ = error.what();
      for (Watched& watched : sight_.streams) {
        watched.rate = {};
        watched.rate.hertz.reset();
      }
    }
  }
  [[nodiscard]] const std::vector<Watched>& streams() const override { return sight_.streams; }
  [[nodiscard]] ProcessTable& processes() override { return processes_; }
  [[nodiscard]] std::vector<Holders> holders() override { return sight_.holders; }
  [[nodiscard]] std::vector<HolderTable::Removed> removed() override { return sight_.removed; }
  [[nodiscard]] std::map<ino_t, std::string> names_by_inode() override { return sight_.names; }
  [[nodiscard]] std::string trouble() const override { return trouble_; }

  /// A mirror of the one that was asked for last.
  [[nodiscard]] const Stream* stream(const std::string& name) override {
    if (mirrored_ && mirrored_->name() == name && mirrored_->is_current()) {
      return &*mirrored_;
    }
    mirrored_.reset();
    Reference wanted;
    wanted.address = address_;
    wanted.name = wanted.text = name;
    MirrorWish wish;
    wish.pixels = true;
    constexpr double often_enough = 10;
    wish.rate = often_enough;
    wish.deadline = deadline_after(std::chrono::seconds{1});
    try {
      mirrored_.emplace(afar_.mirror(wanted, wish, Access::read));
    } catch (const Error&) {
      return nullptr;  // its description says what is the matter with it
    }
    return &*mirrored_;
  }

 private:
  Afar& afar_;
  Address address_;
  SightRequest request_;
  Sight sight_;
  ProcessTable processes_;
  bool has_seen_ = false;
  std::string trouble_;
  std::optional<Stream> mirrored_;
};

}  // namespace

std::unique_ptr<Scene> scene_of(const Context& context, const std::vector<Reference>& patterns,
                                std::vector<std::string> globs) {
  for (const Reference& pattern : patterns) {
    if (pattern.address != patterns.front().address) {
      throw UsageError(fmt::format("{}: the streams of one host at a time", pattern.text));
    }
  }
  if (!patterns.empty() && patterns.front().address) {
    const Address& address = *patterns.front().address;
    return std::make_unique<SceneAfar>(context.afar(address), address, std::move(globs));
  }
  return std::make_unique<SceneHere>(context.search_path().shm, std::move(globs));
}

}  // namespace shmim::tools
