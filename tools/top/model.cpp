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

Model::Model(const std::filesystem::path& directory, std::vector<Reference> patterns)
    : directory_(directory),
      patterns_(std::move(patterns)),
      watcher_(directory),
      order_(parse_columns("--sort", "name").front()) {}

void Model::look() {
  if (frozen_) {
    return;
  }
  watcher_.look();
  processes_.forget();
  std::map<std::string, std::deque<double>> histories;
  for (const Watched& watched : watcher_.streams()) {
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
  for (const Watched& watched : watcher_.streams()) {
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
      rows.push_back({watched, true, nullptr, &processes_});
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

std::map<ino_t, std::string> Model::names_by_inode() const {
  return shmim::names_by_inode(watcher_.streams());
}

const HolderTable& Model::holder_table() {
  const auto begin = steady_clock::now();
  if (!holder_table_ || begin >= holders_due_) {
    std::vector<Identity> files;
    for (const Watched& watched : watcher_.streams()) {
      files.push_back(watched.description.identity);
    }
    holder_table_.emplace(files);
    // A look at every process takes what it takes: a fiftieth of our time, at most.
    const auto end = steady_clock::now();
    holders_due_ =
        end + std::max<steady_clock::duration>(std::chrono::seconds{2}, 50 * (end - begin));
  }
  return *holder_table_;
}

Holders Model::holders(const Description& description) {
  Holders holders = holder_table().holders_of(description.identity);
  std::erase(holders.processes, this_process());
  return holders;
}

Graph Model::graph() { return graph_of(watcher_.streams(), holder_table().removed(), processes_); }

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
