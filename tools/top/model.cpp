#include "top/model.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "common/app/tool.hpp"

namespace shmim::tools {
namespace {

constexpr std::size_t remembered = 128;

using std::chrono::steady_clock;

}  // namespace

Model::Model(std::unique_ptr<Scene> scene, std::vector<Reference> patterns)
    : scene_(std::move(scene)),
      patterns_(std::move(patterns)),
      order_(parse_columns("--sort", "name").front()) {}

void Model::look() {
  if (frozen_) {
    return;
  }
  scene_->look(Scene::Look::measured);
  std::map<std::string, std::deque<double>> histories;
  for (const Watched& watched : scene_->streams()) {
    auto node = histories_.extract(watched.description.name);
    std::deque<double> rates = node.empty() ? std::deque<double>() : std::move(node.mapped());
    rates.push_back(watched.rate.hertz.value_or(0));
    if (rates.size() > remembered) {
      rates.pop_front();
    }
    histories.emplace_hint(histories.end(), watched.description.name, std::move(rates));
  }
  histories_ = std::move(histories);
}

std::vector<const Watched*> Model::streams() const {
  std::vector<const Watched*> streams;
  for (const Watched& watched : scene_->streams()) {
    const auto is_it = [&](const Reference& pattern) {
      return matches(pattern, watched.description.name, watched.description.type());
    };
    if (patterns_.empty() || std::any_of(patterns_.begin(), patterns_.end(), is_it)) {
      streams.push_back(&watched);
    }
  }
  return streams;
}

std::vector<StreamRow> Model::rows() const {
  std::vector<StreamRow> rows;
  for (const Watched* watched : streams()) {
    if (watched->description.name.find(filter_) != std::string::npos) {
      rows.push_back({watched, true, nullptr, &scene_->processes()});
    }
  }
  sort_rows(rows, *order_, descending_);
  return rows;
}

std::vector<double> Model::history(const std::string& name) const {
  const auto found = histories_.find(name);
  return found == histories_.end()
             ? std::vector<double>()
             : std::vector<double>(found->second.begin(), found->second.end());
}

std::map<ino_t, std::string> Model::names_by_inode() const { return scene_->names_by_inode(); }

void Model::look_for_holders() {
  const auto begin = steady_clock::now();
  if (begin < holders_due_) {
    return;
  }
  holders_.clear();
  const std::vector<Holders> holders = scene_->holders();
  for (std::size_t i = 0; i < holders.size(); ++i) {
    holders_.emplace(scene_->streams()[i].description.name, holders[i]);
  }
  // A look at every process takes what it takes: a fiftieth of our time, at most.
  const auto end = steady_clock::now();
  holders_due_ =
      end + std::max<steady_clock::duration>(std::chrono::seconds{2}, 50 * (end - begin));
}

Holders Model::holders(const Description& description) {
  look_for_holders();
  const auto found = holders_.find(description.name);
  return found == holders_.end() ? Holders() : found->second;
}

Graph Model::graph() {
  look_for_holders();
  return graph_of(scene_->streams(), scene_->removed(), scene_->processes());
}

void Model::sort_by(const Column* column, bool descending) noexcept {
  order_ = column;
  descending_ = descending;
}

std::string sparkline(const std::vector<double>& rates, std::size_t width, bool unicode) {
  constexpr std::array bars{" ",      "\u2581", "\u2582", "\u2583", "\u2584",
                            "\u2585", "\u2586", "\u2587", "\u2588"};
  constexpr std::array letters{" ", ".", ":", "-", "=", "+", "*", "#", "@"};
  const std::size_t count = std::min(width, rates.size());
  const auto shown = std::span(rates).last(count);
  double highest = 0;
  for (const double rate : shown) {
    highest = std::max(highest, rate);
  }
  std::string text(width - count, ' ');
  for (const double rate : shown) {
    const double height = highest > 0 ? std::ceil(rate / highest * (bars.size() - 1)) : 0;
    const auto level = static_cast<std::size_t>(height);
    text += unicode ? bars[level] : letters[level];
  }
  return text;
}

}  // namespace shmim::tools
