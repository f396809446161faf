#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <shmim/shmim.hpp>

#include "common/app/scene.hpp"
#include "common/print/columns.hpp"

namespace shmim::tools {

/// What shmim-top knows: the streams it watches, and what the user has asked to see of them.
class Model {
 public:
  /// Watches all streams of the scene; shows those that one of the patterns means, or all where
  /// there is none.
  Model(std::unique_ptr<Scene> scene, std::vector<Reference> patterns);

  /// One look, unless frozen.
  void look();
  /// The streams that the filter lets through, sorted. Valid until the next look.
  [[nodiscard]] std::vector<StreamRow> rows() const;
  /// Those that one of the patterns means, by name. Valid until the next look.
  [[nodiscard]] std::vector<const Watched*> streams() const;
  [[nodiscard]] const Stream* stream(const std::string& name) const { return scene_->stream(name); }
  [[nodiscard]] const Scene& scene() const noexcept { return *scene_; }
  [[nodiscard]] ProcessTable& processes() const noexcept { return scene_->processes(); }
  /// Rates of a stream at the last looks, oldest first.
  [[nodiscard]] std::vector<double> history(const std::string& name) const;
  /// As names_by_inode() of the directory at the last look.
  [[nodiscard]] std::map<ino_t, std::string> names_by_inode() const;
  /// Who has a stream open or mapped, looked up now and then; we are none.
  [[nodiscard]] Holders holders(const Description& description);
  /// Of all streams, since what leads to one may be any.
  [[nodiscard]] Graph graph();

  void sort_by(const Column* column, bool descending) noexcept;
  [[nodiscard]] const Column* order() const noexcept { return order_; }
  [[nodiscard]] bool is_descending() const noexcept { return descending_; }
  void set_filter(std::string filter) { filter_ = std::move(filter); }
  [[nodiscard]] const std::string& filter() const noexcept { return filter_; }
  void set_frozen(bool frozen) noexcept { frozen_ = frozen; }
  [[nodiscard]] bool is_frozen() const noexcept { return frozen_; }

 private:
  void look_for_holders();
  std::unique_ptr<Scene> scene_;
  std::vector<Reference> patterns_;
  std::map<std::string, std::deque<double>> histories_;
  const Column* order_;
  bool descending_ = false;
  std::string filter_;
  bool frozen_ = false;
  std::map<std::string, Holders> holders_;  ///< by name
  std::chrono::steady_clock::time_point holders_due_;
};

/// Rates as a line of little bars, as many as there is room for; in ASCII where that must do.
std::string sparkline(const std::vector<double>& rates, std::size_t width, bool unicode);

}  // namespace shmim::tools
